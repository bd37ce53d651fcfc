/*
 * sync - preloaded into the program by tests: a disk that takes what is written and cannot keep it. As long as there is a file
 * named by FAILING_SYNC, fsync(2) and fdatasync(2) fail with EIO, in every process that can see that file.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int sync_or_fail(const char *call, int fd)
{
	const char *path = getenv("FAILING_SYNC");
	int (*real)(int);

	if (path != NULL && access(path, F_OK) == 0) {
		errno = EIO;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, call);
	return real(fd);
}

int fsync(int fd)
{
	return sync_or_fail("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_or_fail("fdatasync", fd);
}

/*
 * Preloaded into the program under test: a clock that jumps. Seconds are added to the system's, as the file named by
 * CHAOS_CLOCK says at that moment; it is mapped before main(), for workers have no files.
 *
 * Rejected: libfaketime, which opens its file while the program runs, and leaves shared memory behind in a process that is
 * killed; setting the machine's clock, which is not ours.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *seconds; /* NULL: the system's time */
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_clock(void)
{
	const char *path = getenv("CHAOS_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	*(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*seconds), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		seconds = p;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = real_clock(clock, now);

	if (rc == 0 && clock == CLOCK_REALTIME && seconds != NULL)
		now->tv_sec += *seconds;
	return rc;
}

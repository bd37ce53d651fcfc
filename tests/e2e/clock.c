/*
 * clock - preloaded into the program by tests and by chaos: the wall clock of all its processes goes by as many seconds as
 * the file named by SHIFTED_CLOCK holds (8 octets, of this machine's order), from the moment on at which they are
 * written there.
 *
 * The file is mapped before main(): workers open none. libfaketime opens its own again while the program runs, which the
 * sandbox refuses, and leaves shared memory behind in a process that is killed; so this is the program as it is installed.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*clock_fn)(clockid_t, struct timespec *);

static const volatile int64_t *shift_s;
static clock_fn real;

__attribute__((constructor)) static void map_shift(void)
{
	const char *path = getenv("SHIFTED_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*shift_s), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		shift_s = p;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = real(clock, now);

	if (rc == 0 && clock == CLOCK_REALTIME && shift_s != NULL)
		now->tv_sec += (time_t)*shift_s;
	return rc;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	*now = (struct timeval){.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *now)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (now != NULL)
		*now = ts.tv_sec;
	return ts.tv_sec;
}

/*
 * stock_rmem - preloaded into a benchmark run: receive buffers as on a machine whose rmem_max was
 * never touched (212,992), without touching this machine's.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>

#define STOCK_RMEM_MAX 212992

typedef int (*setsockopt_fn)(int, int, int, const void *, socklen_t);

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	static setsockopt_fn real;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
	int size = STOCK_RMEM_MAX;
	if (level == SOL_SOCKET && name == SO_RCVBUF && *(const int *)value > size)
		value = &size;
	return real(fd, level, name, value, len);
}

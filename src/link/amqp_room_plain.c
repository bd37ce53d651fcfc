/*
 * Whether a message can be put without waiting, as far as every system says: a socket that is not writable has no room. One that
 * is may have too little: who writes waits then, amqp_write.c for 5 s at the longest and what its octets take on a slow line.
 */
#include "link/amqp_parts.h"

#include <poll.h>
#include <sys/socket.h>

#define WANTED (512 << 10)

void rabbit_room_prepare(int fd)
{
	int wanted = WANTED;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

bool rabbit_room(int fd, size_t octets)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	(void)octets;
	return poll(&p, 1, 0) != 0;
}

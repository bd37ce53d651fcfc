/*
 * Whether a message can be put without waiting: a message that was begun must be written whole, by the library (behind
 * TLS, in small frames) however long that takes, else within 5 s and what its octets take on a slow line (amqp_put.c).
 *
 * A broker with an alarm stops reading from who publishes, without a word to who has not published yet. So the send buffer has a
 * size of its own instead of one that grows by need, and half of it is for what is not acknowledged by the peer's
 * kernel; a message that finds no room waits with us. The price: no more than that half is under way in a round trip (200 KiB where
 * net.core.wmem_max is as the kernel has it: 4 MB/s at 50 ms).
 */
#include "link/amqp_parts.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WANTED (4 << 20) /* the kernel gives what wmem_max allows */

void rabbit_room_prepare(int fd)
{
	int wanted = WANTED;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

bool rabbit_room(int fd, size_t octets)
{
	int waiting, size;
	socklen_t len = sizeof(size);

	if (ioctl(fd, SIOCOUTQ, &waiting) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0)
		return true; /* the publish will tell what is wrong */
	return waiting == 0 || (size_t)waiting + octets <= (size_t)size / 2;
}

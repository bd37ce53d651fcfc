/*
 * What carries the engine's messages when nothing else is said: the UDP sockets of udp.h.
 *
 * The engine calls through a table, so that the sessions of another transport can stand in for the sockets
 * without the engine knowing. A call carries a whole batch of datagrams: going through a pointer costs
 * nothing that could be measured. The functions here only turn what the table hands on back into a
 * struct udp; calling udp.h's own through pointers of another type would be undefined.
 */
#include "snmp/carrier.h"

static unsigned lanes(const void *c)
{
	return udp_lanes(c);
}

static int fd(const void *c, unsigned lane)
{
	return udp_fd(c, lane);
}

static uint8_t family(const void *c, unsigned lane)
{
	return udp_family(c, lane);
}

static unsigned burst(const void *c, unsigned lane)
{
	return udp_burst(c, lane);
}

static size_t send_batch(void *c, unsigned lane, const struct udp_out *list, size_t n, int *error)
{
	return udp_send(c, lane, list, n, error);
}

static size_t receive(void *c, unsigned lane, struct udp_in **list, bool *more)
{
	return udp_receive(c, lane, list, more);
}

static size_t refusals(void *c, const struct udp_refusal **list)
{
	return udp_refusals(c, list);
}

static uint64_t dropped(void *c)
{
	return udp_dropped(c);
}

const struct carrier carrier_udp = {
	.lanes = lanes,
	.fd = fd,
	.family = family,
	.burst = burst,
	.send = send_batch,
	.receive = receive,
	.refusals = refusals,
	.dropped = dropped,
};

/*
 * addr - a numeric UDP address, small enough to travel with every task.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/wire.h"

#define ADDR_TEXT_MAX 80 /* "[v6%zone]:port" and NUL */

struct addr {
	uint8_t ip[16]; /* network order; IPv4 in the first four, the rest zero */
	uint32_t zone;  /* IPv6 scope id, else 0 */
	uint16_t port;  /* host order */
	uint8_t family; /* 0 none, 4, 6 */
};

/* Reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0" (no brackets, no port; port is left as it is).
 * A zone is an interface's name or number, kept where it means something (link-local addresses).
 * False, and out as it was, when it is not a numeric address: IPv4 is four decimal numbers without
 * leading zeros, nothing that inet_aton(3) adds. */
bool addr_parse(const char *text, size_t len, struct addr *out);

/* Text without and with port: "192.0.2.1", "192.0.2.1:161", "2001:db8::1", "[fe80::1%eth0]:161".
 * Writes a NUL, returns the length. The IPv4 path costs no library call. The zone is written as the
 * interface's number when its name cannot be had (a worker may not ask the kernel). Family 0 is the
 * empty text. */
size_t addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
size_t addr_text_port(const struct addr *a, char out[ADDR_TEXT_MAX]);

bool addr_equal(const struct addr *a, const struct addr *b);     /* family, ip, zone, port */
bool addr_same_host(const struct addr *a, const struct addr *b); /* the same without port */

/* The family is 4 or 6; returns the length for the kernel. */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out);
bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *out); /* false: another family */

#define ADDR_PACKED (1 + 16 + 4 + 2) /* octets */
/* A pair. Unpacking is false when r is short, or the family is neither 4 nor 6. */
void addr_pack(const struct addr *a, struct wire_out *w);
bool addr_unpack(struct addr *a, struct wire_in *r);

#endif

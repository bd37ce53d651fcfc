/*
 * amqp_parts - what a connection of amqp is made of, each behind a small boundary.
 */
#ifndef LINK_AMQP_PARTS_H
#define LINK_AMQP_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "link/broker.h"
#include "link/link.h"

/* amqp_names.c: names to addresses, in the sandbox, at each connection anew. Numbers need no server. */
struct rabbit_names;
struct rabbit_names *rabbit_names_new(
	char why[LINK_WHY_MAX]); /* reads resolv.conf; before the sandbox */
void rabbit_names_free(struct rabbit_names *n);
/* How many, IPv4 first; 0: why. Within 2.5 s. */
size_t rabbit_names_find(struct rabbit_names *n, const char *host, size_t max, struct addr *out,
			 char why[LINK_WHY_MAX]);

/* amqp_tls.c, amqp_tls_none.c (no OpenSSL): certificates are read once, before the sandbox. */
struct rabbit_tls;
struct amqp_socket_t_;
struct rabbit_tls *rabbit_tls_new(const struct broker *b, char why[LINK_WHY_MAX]); /* NULL: why */
void rabbit_tls_free(struct rabbit_tls *t);
/* A socket of the library gets our certificate, whom to trust, and whose name it must find there. */
bool rabbit_tls_dress(struct rabbit_tls *t, struct amqp_socket_t_ *socket, const char *host);
/* Why a handshake, or the first octets after it, went wrong. False: not for a reason of TLS. */
bool rabbit_tls_words(const struct rabbit_tls *t, char why[LINK_WHY_MAX]);
/* Forgets what the last call left. */
void rabbit_tls_begin(struct rabbit_tls *t);

/* amqp_room_linux.c, amqp_room_plain.c: whether a socket takes so many octets without waiting. */
void rabbit_room_prepare(int fd);
bool rabbit_room(int fd, size_t octets);

#endif

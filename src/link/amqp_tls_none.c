/*
 * Built with librabbitmq, but without OpenSSL (--without-openssl): amqps:// is an error before anything is connected.
 */
#include "link/amqp_parts.h"

#include <stdio.h>

struct rabbit_tls *rabbit_tls_new(const struct broker *b, char why[LINK_WHY_MAX])
{
	(void)b;
	snprintf(why, LINK_WHY_MAX,
		 "this multisnmp was built without OpenSSL, which amqps:// needs");
	return NULL;
}

void rabbit_tls_free(struct rabbit_tls *t)
{
	(void)t;
}

bool rabbit_tls_dress(struct rabbit_tls *t, struct amqp_socket_t_ *socket, const char *host)
{
	(void)t;
	(void)socket;
	(void)host;
	return false;
}

bool rabbit_tls_words(const struct rabbit_tls *t, char why[LINK_WHY_MAX])
{
	(void)t;
	(void)why;
	return false;
}

void rabbit_tls_begin(struct rabbit_tls *t)
{
	(void)t;
}

/*
 * What a broker or the library says, in words that say what to do.
 *
 * The broker's own texts are good ("access to queue 'x' in vhost '/' refused for user 'u'"), and come behind a word of its own:
 * "ACCESS_REFUSED - ". The library's say what its code was about to do.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdio.h>
#include <string.h>

#include "link/amqp_parts.h"

#define SAID_MAX 220

static const char *said_by_library(int status)
{
	switch (status) {
	case AMQP_STATUS_TIMEOUT:
		return "no answer in time";
	case AMQP_STATUS_CONNECTION_CLOSED:
	case AMQP_STATUS_SOCKET_CLOSED:
		return "it closed the connection";
	case AMQP_STATUS_SOCKET_ERROR:
	case AMQP_STATUS_TCP_ERROR:
		return "the connection broke";
	case AMQP_STATUS_HEARTBEAT_TIMEOUT:
		return "it was silent for 20 s";
	case AMQP_STATUS_BAD_AMQP_DATA:
	case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
	case AMQP_STATUS_WRONG_METHOD:
		return "what it says is no AMQP 0-9-1";
	default:
		return amqp_error_string2(status);
	}
}

bool rabbit_is(amqp_bytes_t b, const char *text)
{
	return b.len == strlen(text) && memcmp(b.bytes, text, b.len) == 0;
}

void rabbit_library_words(int status, const struct rabbit *r, const char *where,
			  char why[LINK_WHY_MAX])
{
	char reason[LINK_WHY_MAX];

	if (r->tls && rabbit_tls_words(r->tls, reason)) {
		snprintf(why, LINK_WHY_MAX, "%.120s%s%.170s", where, *where ? ": " : "", reason);
		return;
	}
	snprintf(why, LINK_WHY_MAX, "%.120s%s%s", where, *where ? ": " : "",
		 said_by_library(status));
}

void rabbit_close_words(uint16_t code, amqp_bytes_t text, char why[LINK_WHY_MAX])
{
	static const char between[] = " - ";
	const char *at = text.bytes, *dash = text.len > 0 ? memmem(at, text.len, between, 3) : NULL;
	size_t len = text.len;

	if (dash) {
		len -= (size_t)(dash + 3 - at);
		at = dash + 3;
	}
	if (len > SAID_MAX)
		len = SAID_MAX;
	if (len == 0)
		snprintf(why, LINK_WHY_MAX, "the broker closed it (%u)", (unsigned)code);
	else
		snprintf(why, LINK_WHY_MAX, "the broker says: %.*s%s", (int)len, at,
			 code == AMQP_ACCESS_REFUSED ? " (rabbitmqctl set_permissions allows it)"
						     : "");
}

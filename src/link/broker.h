/*
 * broker - where the message broker is, and how to be let in.
 *
 * amqp[s]://[user[:password]@]host[:port][/vhost]; several with commas between them are nodes of one cluster, tried in turn.
 */
#ifndef LINK_BROKER_H
#define LINK_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_NODES_MAX 16
#define BROKER_NAME_MAX \
	64 /* octets of a site's, an agent's, a run's name: [A-Za-z0-9._-], the first one no '.' or '-' */

struct broker_node {
	char *host;
	uint16_t port; /* 5671 with TLS, 5672 without, if none is written */
};

/* {0}: none. Owns its strings. */
struct broker {
	struct broker_node node[BROKER_NODES_MAX];
	size_t nnodes;
	bool tls;
	char *vhost;       /* "/" if none is written */
	char *user;        /* NULL: a certificate says who we are (SASL EXTERNAL), or guest */
	char *password;    /* NULL: none; wiped when it is freed */
	char *ca;          /* file of authorities that vouch for the broker; NULL: the system's */
	char *certificate; /* ours; NULL: none */
	char *key;         /* its key; NULL: in the same file */
};

#define BROKER_ERROR_MAX 200
/* False: error, without the password. `out` holds nothing then. */
bool broker_parse(const char *url, struct broker *out, char error[BROKER_ERROR_MAX]);
void broker_free(struct broker *b); /* leaves {0} */
bool broker_known(void);            /* this program was built with what speaks to one */
bool broker_name_ok(const char *name);
/* "amqps://user@host:5671/vhost", never with a password; for messages and --check. */
void broker_text(const struct broker *b, char *out, size_t len);

#endif

/*
 * tls - who asks whom, by certificates (TLS Transport Model: RFC 6353): files become an identity before the fork,
 * and a connected socket becomes a connection that carries octets.
 *
 * Nobody is asked who has not proved to be whom the profile names: by the fingerprint of his certificate, or
 * by a certificate of a named authority that holds his name or address. TLS 1.2 and DTLS 1.2 at least.
 */
#ifndef SNMP_TLS_H
#define SNMP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/profile.h"

#define TLS_ERROR_MAX 400

struct tls_words {        /* paths of PEM files */
	const char *cert; /* our certificate, those that lead to its authority after it */
	const char *key;  /* its private key; NULL: it stands in cert */
	const char *ca;   /* certificates of authorities that vouch for agents; NULL: none */
};
/* NULL: error names the file and what is wrong. Reads the files now; the key must need no passphrase. */
struct tls_identity *tls_identity_new(const struct tls_words *w, char error[TLS_ERROR_MAX]);
void tls_identity_free(struct tls_identity *id); /* wipes the key; NULL is good */

/* 64 hexadecimal digits, with or without colons, "SHA256:" before them or not. False: it is none. */
bool tls_read_pin(const char *text, uint8_t pin[PROFILE_PIN]);
/* The SHA-256 of the first certificate in a PEM file. False: error, as above. */
bool tls_file_pin(const char *path, uint8_t pin[PROFILE_PIN], char error[TLS_ERROR_MAX]);

enum {                       /* why there is no connection, besides what errno.h has */
	TLS_WRONG_PEER = -1, /* the agent's certificate is not good for whom was meant */
	TLS_REFUSED_US = -2, /* the agent refused our certificate */
	TLS_FAILED = -3      /* nothing came of the handshake */
};
struct tls_peer {
	const struct profile *profile; /* lent as long as there is a connection */
	const struct addr *addr; /* whose certificate it must be when the profile names no other */
	bool datagrams;          /* DTLS */
};
/* The handshake, which waits for the peer until limit_us have passed. fd: connected, non-blocking, stays the
 * caller's. 0, and *out is a connection; an errno (ETIMEDOUT: not in time); or one of the above. */
struct tls;
int tls_connect(int fd, const struct tls_peer *peer, int64_t limit_us, struct tls **out);
void tls_close(struct tls *t); /* says good-bye, and does not wait */
/* As send(2) and recv(2) of a non-blocking socket; errno may be one of the above. */
ptrdiff_t tls_write(struct tls *t, const uint8_t *data, size_t len);
ptrdiff_t tls_read(struct tls *t, uint8_t *data, size_t len);
/* There is more to read (or the end), though the socket may not be readable. */
bool tls_pending(const struct tls *t);

#endif

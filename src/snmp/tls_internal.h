/*
 * tls_internal - between the files of tls.
 */
#ifndef SNMP_TLS_INTERNAL_H
#define SNMP_TLS_INTERNAL_H

#include "snmp/tls.h"

#include <openssl/ssl.h>

struct tls_identity {
	SSL_CTX *stream, *datagrams;
};
struct tls {
	SSL *ssl;
	const struct profile *profile;
};

/* SHA-256 of the certificate's DER (RFC 6353 §7: SnmpTLSFingerprint, hash 4). */
bool tls_pin_of(const X509 *cert, uint8_t pin[PROFILE_PIN]);
/* What a handshake asks of the agent's certificate: SSL_CTX_set_cert_verify_callback(3). */
int tls_verify(X509_STORE_CTX *store, void *arg);

#endif

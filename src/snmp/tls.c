/*
 * Certificates and keys: files become contexts of OpenSSL, once, in the master.
 *
 * The problem: agents over DTLS and TLS know us by our certificate (RFC 6353), and we them by theirs. Workers are
 * to open no file, and a mistake in one must be told before the first packet.
 *
 * The design: an identity is two contexts with the same files, one of TLS, one of DTLS; workers inherit them
 * through the fork. Whose certificate an agent must have is no part of it: a thousand agents with a
 * fingerprint each share one identity.
 *
 * Rejected: Net-SNMP's transports. Those of 5.9.3 offer TLS 1.0 at most over TCP, which today's OpenSSL does not
 * speak, look for certificates in folders of their own making, and block in the handshake without limit.
 *
 * The trap: without a callback of ours OpenSSL asks the terminal for the passphrase of a key.
 */
#include "snmp/tls_internal.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "base/pem.h"

static void set_rules(SSL_CTX *c, int least)
{
	SSL_CTX_set_min_proto_version(c, least);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, tls_verify, NULL);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(c,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_default_passwd_cb(c, pem_no_passphrase);
}

static bool load(SSL_CTX *c, const struct tls_words *w, char error[TLS_ERROR_MAX])
{
	const char *key = w->key ? w->key : w->cert;

	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(c, w->cert) != 1)
		return pem_fail(w->cert, "no certificate (PEM)", error, TLS_ERROR_MAX);
	if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1)
		return pem_fail(key,
				ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH
					? "it is not the key of the certificate"
					: "no private key (PEM, without a passphrase)",
				error, TLS_ERROR_MAX);
	if (w->ca && SSL_CTX_load_verify_file(c, w->ca) != 1)
		return pem_fail(w->ca, "no certificates (PEM)", error, TLS_ERROR_MAX);
	return true;
}

static SSL_CTX *make(const SSL_METHOD *method, int least, const struct tls_words *w,
		     char error[TLS_ERROR_MAX])
{
	SSL_CTX *c = SSL_CTX_new(method);

	if (!c) {
		pem_fail(w->cert, "no context", error, TLS_ERROR_MAX);
		return NULL;
	}
	set_rules(c, least);
	if (load(c, w, error))
		return c;
	SSL_CTX_free(c);
	return NULL;
}

struct tls_identity *tls_identity_new(const struct tls_words *w, char error[TLS_ERROR_MAX])
{
	struct tls_identity *id = mem_zero(1, sizeof(*id));

	id->stream = make(TLS_client_method(), TLS1_2_VERSION, w, error);
	if (id->stream)
		id->datagrams = make(DTLS_client_method(), DTLS1_2_VERSION, w, error);
	if (id->datagrams)
		return id;
	tls_identity_free(id);
	return NULL;
}

void tls_identity_free(struct tls_identity *id)
{
	if (!id)
		return;
	SSL_CTX_free(id->stream);
	SSL_CTX_free(id->datagrams);
	free(id);
}

/* ---- whose certificate */

bool tls_pin_of(const X509 *cert, uint8_t pin[PROFILE_PIN])
{
	unsigned len = 0;
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1 || len != PROFILE_PIN)
		return false;
	memcpy(pin, digest, PROFILE_PIN);
	return true;
}

bool tls_file_pin(const char *path, uint8_t pin[PROFILE_PIN], char error[TLS_ERROR_MAX])
{
	X509 *cert;
	bool done;

	if (!pem_read(path, &cert, NULL, error, TLS_ERROR_MAX))
		return false;
	done = tls_pin_of(cert, pin) ||
	       pem_fail(path, "no fingerprint of it", error, TLS_ERROR_MAX);
	X509_free(cert);
	return done;
}

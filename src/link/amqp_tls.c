/*
 * TLS of a broker's connections: certificates are read once, the library's contexts get them for each connection.
 *
 * The problem: the library (0.11) reads all files anew for each connection, when the courier is nobody in a sandbox without
 * files; its way to give a key from memory takes RSA keys only; it compares the host's name after the handshake, when the peer has
 * seen our certificate, with names only, never with addresses; and of what went wrong it says "SSL handshake failed".
 *
 * The design: files become objects of OpenSSL before the sandbox, and go into the context that the library
 * has for each socket (amqp_ssl_socket_get_context). Authorities, dates and the name or address are verified in the
 * handshake; why not is noted by the callback that does it.
 *
 * The traps. The system's authorities are a folder that OpenSSL looks into while it verifies: all of it is read beforehand.
 * The library gets the address as its host, and would say that as the server's name (SNI): it is set
 * right as the handshake begins. In TLS 1.3 the broker judges our certificate after our side of the handshake is over: its
 * alert comes with the first reading, which is the login's.
 */
#include "config.h"

#include "link/amqp_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/ssl_socket.h>
#else
#include <amqp.h>
#include <amqp_ssl_socket.h>
#endif

#include "base/mem.h"
#include "base/pem.h"

#define ALERTS               1000 /* OpenSSL's reasons from here on are alerts of the peer */
#define CERTIFICATE_REQUIRED 116  /* RFC 8446 §6 */

struct rabbit_tls {
	const struct broker *broker;
	X509_STORE *store;
	X509 *cert;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	char host[256];
	bool numeric;
	int fault;      /* X509_V_ERR_...: of the last handshake's verification */
	char seen[100]; /* whose certificate it was */
};

/* ---- files */

static bool read_key(struct rabbit_tls *t, const char *path, char why[LINK_WHY_MAX])
{
	BIO *file;

	ERR_clear_error();
	file = BIO_new_file(path, "r");
	if (file)
		t->key = PEM_read_bio_PrivateKey(file, NULL, pem_no_passphrase, NULL);
	BIO_free(file);
	if (!t->key)
		return pem_fail(path, "no private key (PEM, without a passphrase)", why,
				LINK_WHY_MAX);
	if (X509_check_private_key(t->cert, t->key) != 1) {
		ERR_clear_error();
		return pem_fail(path, "it is not the key of the certificate", why, LINK_WHY_MAX);
	}
	return true;
}

/* All of a folder in which each certificate is found by a name like 1a2b3c4d.0. */
static void read_folder(X509_STORE *store, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *e;
	char file[1024];

	while (folder && (e = readdir(folder))) {
		const char *dot = strrchr(e->d_name, '.');

		if (!dot || strspn(dot + 1, "0123456789") != strlen(dot + 1) || !dot[1])
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		X509_STORE_load_file(store, file);
	}
	if (folder)
		closedir(folder);
}

static const char *place(const char *variable, const char *otherwise)
{
	const char *said = getenv(variable);

	return said ? said : otherwise;
}

static bool read_authorities(struct rabbit_tls *t, const char *path, char why[LINK_WHY_MAX])
{
	ERR_clear_error();
	t->store = X509_STORE_new();
	if (path)
		return X509_STORE_load_file(t->store, path) == 1 ||
		       pem_fail(path, "no certificates (PEM)", why, LINK_WHY_MAX);
	X509_STORE_load_file(t->store,
			     place(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
	read_folder(t->store, place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
	ERR_clear_error();
	if (sk_X509_OBJECT_num(X509_STORE_get0_objects(t->store)) > 0)
		return true;
	snprintf(why, LINK_WHY_MAX,
		 "this system has no authorities that could vouch for a broker: name a file "
		 "(broker: ca)");
	return false;
}

struct rabbit_tls *rabbit_tls_new(const struct broker *b, char why[LINK_WHY_MAX])
{
	struct rabbit_tls *t = mem_zero(1, sizeof(*t));

	t->broker = b;
	if (read_authorities(t, b->ca, why) &&
	    (!b->certificate || (pem_read(b->certificate, &t->cert, &t->chain, why, LINK_WHY_MAX) &&
				 read_key(t, b->key ? b->key : b->certificate, why))))
		return t;
	rabbit_tls_free(t);
	return NULL;
}

void rabbit_tls_free(struct rabbit_tls *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
	X509_free(t->cert);
	sk_X509_pop_free(t->chain, X509_free);
	EVP_PKEY_free(t->key);
	free(t);
}

/* ---- a connection */

static int verify(X509_STORE_CTX *store, void *arg)
{
	struct rabbit_tls *t = arg;
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	int good = X509_verify_cert(store);

	t->fault = good == 1 ? X509_V_OK : X509_STORE_CTX_get_error(store);
	if (cert)
		X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, t->seen,
					  sizeof(t->seen));
	return good;
}

/* As the handshake begins, and before its first message is made. */
static void name_server(const SSL *ssl, int where, int value)
{
	struct rabbit_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)value;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, t->numeric ? NULL : t->host);
}

static bool set_name(struct rabbit_tls *t, SSL_CTX *c, const char *host)
{
	X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(c);
	struct addr numeric;

	snprintf(t->host, sizeof(t->host), "%s", host);
	t->numeric = addr_parse(host, strlen(host), &numeric);
	X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (t->numeric)
		return X509_VERIFY_PARAM_set1_ip(rules, numeric.ip, numeric.family == 4 ? 4 : 16) ==
		       1;
	return X509_VERIFY_PARAM_set1_host(rules, host, 0) == 1;
}

bool rabbit_tls_dress(struct rabbit_tls *t, struct amqp_socket_t_ *socket, const char *host)
{
	SSL_CTX *c = amqp_ssl_socket_get_context(socket);

	amqp_ssl_socket_set_verify_peer(socket, 1);
	amqp_ssl_socket_set_verify_hostname(socket, 0); /* it is verified in the handshake */
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, verify, t);
	SSL_CTX_set_app_data(c, t);
	SSL_CTX_set_info_callback(c, name_server);
	SSL_CTX_set1_cert_store(c, t->store);
	return set_name(t, c, host) &&
	       (!t->cert || SSL_CTX_use_cert_and_key(c, t->cert, t->key, t->chain, 1) == 1);
}

/* ---- what went wrong */

void rabbit_tls_begin(struct rabbit_tls *t)
{
	t->fault = X509_V_OK;
	t->seen[0] = '\0';
	ERR_clear_error();
}

static void certificate_words(const struct rabbit_tls *t, char why[LINK_WHY_MAX])
{
	const char *seen = t->seen[0] ? t->seen : "?";

	switch (t->fault) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		snprintf(why, LINK_WHY_MAX, "its certificate ('%s') is not for the name '%.150s'",
			 seen, t->host);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		snprintf(why, LINK_WHY_MAX,
			 "no authority of %.120s vouches for its certificate ('%s')",
			 t->broker->ca ? t->broker->ca : "this system", seen);
		break;
	default:
		snprintf(why, LINK_WHY_MAX, "its certificate ('%s') is not accepted: %s", seen,
			 X509_verify_cert_error_string(t->fault));
	}
}

/* An alert of the peer about our certificate, or that there is none. */
static bool alert_words(const struct rabbit_tls *t, int alert, char why[LINK_WHY_MAX])
{
	if (alert == CERTIFICATE_REQUIRED || (alert == SSL_AD_HANDSHAKE_FAILURE && !t->cert)) {
		snprintf(why, LINK_WHY_MAX, "it wants a certificate of ours (broker: certificate)");
		return true;
	}
	if (t->cert && ((alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
			alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED)) {
		bool over = X509_cmp_current_time(X509_get0_notAfter(t->cert)) < 0;

		snprintf(why, LINK_WHY_MAX, "it refuses our certificate '%.120s': %s",
			 t->broker->certificate,
			 over ? "it has expired" : SSL_alert_desc_string_long(alert));
		return true;
	}
	snprintf(why, LINK_WHY_MAX, "TLS: it ends the handshake: %s",
		 SSL_alert_desc_string_long(alert));
	return true;
}

bool rabbit_tls_words(const struct rabbit_tls *t, char why[LINK_WHY_MAX])
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	const char *text = ERR_reason_error_string(code);

	ERR_clear_error();
	if (t->fault != X509_V_OK) {
		certificate_words(t, why);
		return true;
	}
	if (code == 0 || ERR_SYSTEM_ERROR(code))
		return false;
	if (reason > ALERTS)
		return alert_words(t, reason - ALERTS, why);
	if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
		snprintf(why, LINK_WHY_MAX, "no TLS is spoken there: is it the port of amqp://?");
	else
		snprintf(why, LINK_WHY_MAX, "TLS: %s", text ? text : "OpenSSL does not say why");
	return true;
}

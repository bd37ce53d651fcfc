/*
 * A connection: the handshake within its time, the agent verified in it, then octets.
 *
 * The problem: whoever skips the verification speaks to anybody; whoever does it after the handshake has shown his
 * own certificate to anybody. And OpenSSL waits as long as the socket does.
 *
 * The design: the socket does not block, and the handshake goes on when poll(2) says so, or when it is time to send a
 * lost DTLS flight again. The agent's certificate is looked at in the handshake: the one whose
 * fingerprint is known is good, whoever signed it and whatever its dates say (RFC 6353 §5.3.1); else the
 * authorities of the identity must vouch for it, and it must hold the name that the profile has, or the address.
 *
 * The trap: in TLS 1.3 the handshake is over for us before the agent has looked at our certificate. That it refuses
 * it comes with the first reading.
 */
#include "snmp/tls_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/loop.h"
#include "base/mem.h"

#define MTU                  1232 /* of a flight: IPv6's least, less its headers and UDP's */
#define ALERTS               1000 /* OpenSSL's reasons from here on are alerts of the peer */
#define CERTIFICATE_REQUIRED 116  /* RFC 8446 §6 */

int tls_verify(X509_STORE_CTX *store, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls *t = SSL_get_app_data(ssl);
	const X509 *cert = X509_STORE_CTX_get0_cert(store);
	uint8_t pin[PROFILE_PIN];

	(void)arg;
	if (!t->profile->peer_pinned)
		return X509_verify_cert(store);
	if (cert && tls_pin_of(cert, pin) && memcmp(pin, t->profile->peer_pin, PROFILE_PIN) == 0)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* ---- what went wrong */

static bool is_about_certificates(int alert)
{
	return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
	       alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED ||
	       alert == CERTIFICATE_REQUIRED;
}

/* Of the last call, which failed for good. saved: errno after it. */
static int failure(int kind, int saved)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);

	ERR_clear_error();
	if (kind == SSL_ERROR_SYSCALL && saved)
		return saved;
	if (kind != SSL_ERROR_SSL)
		return EPIPE;
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return TLS_WRONG_PEER;
	return reason > ALERTS && is_about_certificates(reason - ALERTS) ? TLS_REFUSED_US
									 : TLS_FAILED;
}

/* ---- the handshake */

static bool set_socket(struct tls *t, int fd, const struct tls_peer *peer)
{
	struct sockaddr_storage sa;
	BIO *bio;

	if (!peer->datagrams)
		return SSL_set_fd(t->ssl, fd) == 1;
	bio = BIO_new_dgram(fd, BIO_NOCLOSE);
	if (!bio)
		return false;
	addr_to_sockaddr(peer->addr, &sa);
	BIO_ctrl_set_connected(bio, &sa);
	SSL_set_bio(t->ssl, bio, bio);
	return SSL_set_mtu(t->ssl, MTU) > 0;
}

/* For whom an authority must have vouched. */
static bool set_name(struct tls *t, const struct tls_peer *peer)
{
	X509_VERIFY_PARAM *rules = SSL_get0_param(t->ssl);
	const char *name = peer->profile->peer_name;

	X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (name && X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1)
		return true;
	ERR_clear_error();
	if (name)
		return X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1 &&
		       SSL_set_tlsext_host_name(t->ssl, name) == 1;
	return X509_VERIFY_PARAM_set1_ip(rules, peer->addr->ip, peer->addr->family == 4 ? 4 : 16) ==
	       1;
}

static int wait_ms(const struct tls *t, int64_t left_us)
{
	struct timeval again;
	int64_t us = left_us;

	if (DTLSv1_get_timeout(t->ssl, &again) == 1) {
		int64_t again_us = (int64_t)again.tv_sec * 1000000 + again.tv_usec;

		us = again_us < us ? again_us : us;
	}
	us = us < 60000000 ? us : 60000000;
	return (int)((us + 999) / 1000);
}

/* 0: once more; else why not. */
static int step(struct tls *t, int fd, int result, int64_t end_us)
{
	int saved = errno, kind = SSL_get_error(t->ssl, result);
	struct pollfd p = {.fd = fd};
	int64_t left_us = end_us - loop_clock_us();

	if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
		return failure(kind, saved);
	if (left_us <= 0)
		return ETIMEDOUT;
	p.events = kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
	if (poll(&p, 1, wait_ms(t, left_us)) == 0 && SSL_is_dtls(t->ssl))
		DTLSv1_handle_timeout(t->ssl);
	return 0;
}

static int shake_hands(struct tls *t, int fd, int64_t limit_us)
{
	int64_t end_us = loop_clock_us() + limit_us;
	int result, error = 0;

	while (!error) {
		ERR_clear_error();
		errno = 0;
		result = SSL_connect(t->ssl);
		if (result == 1)
			return 0;
		error = step(t, fd, result, end_us);
	}
	return error;
}

int tls_connect(int fd, const struct tls_peer *peer, int64_t limit_us, struct tls **out)
{
	const struct tls_identity *id = peer->profile->tls;
	struct tls *t = mem_zero(1, sizeof(*t));
	int error = TLS_FAILED;

	t->profile = peer->profile;
	t->ssl = SSL_new(peer->datagrams ? id->datagrams : id->stream);
	if (t->ssl && SSL_set_app_data(t->ssl, t) == 1 && set_socket(t, fd, peer) &&
	    set_name(t, peer))
		error = shake_hands(t, fd, limit_us);
	if (!error) {
		*out = t;
		return 0;
	}
	SSL_free(t->ssl);
	free(t);
	return error;
}

/* ---- octets */

void tls_close(struct tls *t)
{
	ERR_clear_error();
	SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	free(t);
}

/* As the system call would have it. */
static ptrdiff_t outcome(struct tls *t, int result)
{
	int saved = errno, kind = SSL_get_error(t->ssl, result);

	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else
		errno = failure(kind, saved);
	return -1;
}

ptrdiff_t tls_read(struct tls *t, uint8_t *data, size_t len)
{
	size_t done = 0, n = 0;
	int result;

	do {
		ERR_clear_error();
		errno = 0;
		result = SSL_read_ex(t->ssl, data + done, len - done, &n);
		done += result == 1 ? n : 0;
	} while (result == 1 && done < len);
	return done ? (ptrdiff_t)done : outcome(t, result);
}

/* Writing has failed; an agent that refuses us has said so before it hung up. */
static int why_closed(struct tls *t, int error)
{
	uint8_t octet;

	return tls_read(t, &octet, 1) < 0 && errno == TLS_REFUSED_US ? TLS_REFUSED_US : error;
}

ptrdiff_t tls_write(struct tls *t, const uint8_t *data, size_t len)
{
	size_t done = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(t->ssl, data, len, &done);
	if (result == 1)
		return (ptrdiff_t)done;
	outcome(t, result);
	if (errno != EAGAIN)
		errno = why_closed(t, errno);
	return -1;
}

bool tls_pending(const struct tls *t)
{
	return SSL_has_pending(t->ssl) || (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN);
}

/*
 * A build without OpenSSL: there is no identity, so nothing that needs one is ever asked.
 *
 * Targets of dtlsudp: and tlstcp: end at the reading of their certificate, before anything is polled. The
 * functions below that take a connection cannot be reached without one.
 */
#include "snmp/tls.h"

#include <errno.h>
#include <stdio.h>

static void say(char error[TLS_ERROR_MAX])
{
	snprintf(error, TLS_ERROR_MAX,
		 "this build has no DTLS and no TLS: it was configured without OpenSSL");
}

struct tls_identity *tls_identity_new(const struct tls_words *w, char error[TLS_ERROR_MAX])
{
	(void)w;
	say(error);
	return NULL;
}

void tls_identity_free(struct tls_identity *id)
{
	(void)id;
}

bool tls_file_pin(const char *path, uint8_t pin[PROFILE_PIN], char error[TLS_ERROR_MAX])
{
	(void)path;
	(void)pin;
	say(error);
	return false;
}

int tls_connect(int fd, const struct tls_peer *peer, int64_t limit_us, struct tls **out)
{
	(void)fd;
	(void)peer;
	(void)limit_us;
	*out = NULL;
	return EPROTONOSUPPORT;
}

void tls_close(struct tls *t)
{
	(void)t;
}

ptrdiff_t tls_write(struct tls *t, const uint8_t *data, size_t len)
{
	(void)t;
	(void)data;
	(void)len;
	errno = EPROTONOSUPPORT;
	return -1;
}

ptrdiff_t tls_read(struct tls *t, uint8_t *data, size_t len)
{
	(void)t;
	(void)data;
	(void)len;
	errno = EPROTONOSUPPORT;
	return -1;
}

bool tls_pending(const struct tls *t)
{
	(void)t;
	return false;
}

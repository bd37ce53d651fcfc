/*
 * Certificates out of PEM files, for who speaks TLS: with agents (snmp/tls) and with a broker (link/amqp_tls).
 *
 * Both read their files once, before a sandbox takes that away, and both tell a person which file is wrong and why. What they make
 * of them differs (contexts of our own there, of rabbitmq-c's here), so only the reading is here.
 *
 * The trap: OpenSSL keeps a queue of reasons for each thread, and adds to it at the end of every file. Who does not empty it before
 * and after finds the reason of something else.
 */
#include "base/pem.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

int pem_no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

bool pem_fail(const char *path, const char *what, char *error, size_t size)
{
	unsigned long code = ERR_peek_error();
	const char *text = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						  : ERR_reason_error_string(code);

	snprintf(error, size, "'%.150s': %s%s%.80s", path, what, text ? ": " : "",
		 text ? text : "");
	ERR_clear_error();
	return false;
}

static STACK_OF(X509) * rest_of(BIO *file)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *next;

	while ((next = PEM_read_bio_X509(file, NULL, pem_no_passphrase, NULL)))
		sk_X509_push(chain, next);
	ERR_clear_error(); /* of the end of the file */
	return chain;
}

bool pem_read(const char *path, X509 **cert, STACK_OF(X509) * *chain, char *error, size_t size)
{
	BIO *file;

	ERR_clear_error();
	*cert = NULL;
	if (chain)
		*chain = NULL;
	file = BIO_new_file(path, "r");
	if (file)
		*cert = PEM_read_bio_X509(file, NULL, pem_no_passphrase, NULL);
	if (*cert && chain)
		*chain = rest_of(file);
	BIO_free(file);
	return *cert || pem_fail(path, "no certificate (PEM)", error, size);
}

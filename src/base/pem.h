/*
 * pem - certificates out of files, and why they are none. Only in builds with OpenSSL, whose types these are.
 */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <stdbool.h>
#include <stddef.h>

struct x509_st;
struct stack_st_X509;

/* The first certificate of path; with `chain` all behind it, too. The caller frees both. False: `error` says why, neither is there. */
bool pem_read(const char *path, struct x509_st **cert, struct stack_st_X509 **chain, char *error,
	      size_t size);

/* A callback of OpenSSL's, pem_password_cb: there is no passphrase. Without one it asks the terminal. */
int pem_no_passphrase(char *out, int size, int writing, void *arg);

/* Into `error`: path, what it is not, and the oldest reason in OpenSSL's queue, if there is one. The queue is empty afterwards.
 * Always false. */
bool pem_fail(const char *path, const char *what, char *error, size_t size);

#endif

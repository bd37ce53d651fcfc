/*
 * poison - preloaded into the program by tests: certain answers, and certain names, kill the process that
 * reads them, as a fault in a codec would.
 *
 * The problem: what a killed worker was at work on decides what becomes of a target, and a signal from
 * outside finds a worker between two pieces of work, never in the middle of one.
 *
 * The design: the library's readers of messages and of names stand here a second time, look for the octets of
 * the environment's POISON, and do POISON_DEED if they find them. The program itself is as it is installed, its
 * sandbox included: none of the deeds is a system call that a worker might not make.
 *
 * Rejected: a debugger, which slows everything down; a build with a fault, which is another program.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef int (*parse_fn)(void *, void *, void *, unsigned char *, size_t);
typedef int (*pdu_parse_fn)(void *, unsigned char *, size_t *);
typedef void (*getaddrinfo_fn)(void *, const char *, const char *, const void *, void *, void *);

static void do_deed(void)
{
	const char *deed = getenv("POISON_DEED");
	volatile int *nowhere = NULL;

	if (deed == NULL || strcmp(deed, "segv") == 0)
		*nowhere = 1;
	else if (strcmp(deed, "abort") == 0)
		abort();
	else if (strcmp(deed, "exit") == 0)
		_Exit(0);
	else if (strcmp(deed, "hang") == 0)
		for (;;)
			*(volatile char *)&deed = 0;
}

static void taste(const void *octets, size_t len)
{
	const char *poison = getenv("POISON");

	if (poison != NULL && *poison != '\0' &&
	    memmem(octets, len, poison, strlen(poison)) != NULL)
		do_deed();
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* Net-SNMP's: a message of v1 or v2c. */
int snmp_parse(void *handle, void *session, void *pdu, unsigned char *data, size_t len)
{
	parse_fn real;

	*(void **)&real = next("snmp_parse");
	taste(data, len);
	return real(handle, session, pdu, data, len);
}

/* Net-SNMP's: a PDU, of v3 when it is no secret any more. */
int snmp_pdu_parse(void *pdu, unsigned char *data, size_t *len)
{
	pdu_parse_fn real;

	*(void **)&real = next("snmp_pdu_parse");
	taste(data, *len);
	return real(pdu, data, len);
}

/* c-ares's. */
void ares_getaddrinfo(void *channel, const char *name, const char *service, const void *hints,
		      void *callback, void *arg)
{
	getaddrinfo_fn real;

	*(void **)&real = next("ares_getaddrinfo");
	taste(name, strlen(name));
	real(channel, name, service, hints, callback, arg);
}

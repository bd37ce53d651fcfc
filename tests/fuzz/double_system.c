/*
 * What a configuration may ask of the machine, without the machine: no file is there, no user but nobody, and the
 * environment holds one variable, again with each input.
 *
 * A key takes some milliseconds to be derived from a passphrase, on purpose; here it takes none, or a document
 * with a user would cost as much as a thousand without.
 *
 * The trap: open(2) is closed for all that is linked to this program, libFuzzer too; which uses stdio, as replay.c
 * does.
 */
#include <errno.h>
#include <string.h>

#include "base/user.h"
#include "fuzz.h"
#include "snmp/usm_internal.h"

extern char **environ;
int open(const char *path, int flags, ...); /* without <fcntl.h>, which may have it inline */

static char variable[] = "FUZZ_SECRET=passphrase";
static char *environment[2];

void double_system_start(void)
{
	memcpy(variable, "FUZZ_SECRET=passphrase", sizeof(variable));
	environment[0] = variable;
	environment[1] = NULL;
	environ = environment;
}

int open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	errno = ENOENT;
	return -1;
}

bool user_find(const char *name, struct user *out)
{
	*out = (struct user){.uid = 65534, .gid = 65534};
	return strcmp(name, "nobody") == 0;
}

bool user_become(const struct user *u)
{
	(void)u;
	return false;
}

/* Of Net-SNMP: as many octets as the hash has. */
int generate_Ku(const oid *type, u_int type_len, const u_char *p, size_t len, u_char *key,
		size_t *key_len)
{
	int auth = sc_get_authtype(type, type_len);
	int size = sc_get_auth_maclen(auth) > 0 ? sc_get_proper_auth_length_bytype(auth) : 0;

	if (size <= 0 || *key_len < (size_t)size || len < 8)
		return SNMPERR_GENERR;
	for (int i = 0; i < size; i++)
		key[i] = (u_char)(p[(size_t)i % len] + i);
	*key_len = (size_t)size;
	return SNMPERR_SUCCESS;
}

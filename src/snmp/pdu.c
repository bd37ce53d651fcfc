/*
 * Net-SNMP as a codec, and as nothing else.
 *
 * The problem: the library wants to be a program's whole SNMP world, with sockets, sessions, retries,
 * configuration files and a log. We want a few of its functions: snmp_build(), snmp_parse() and its
 * cryptography, all public, on a session that is never opened.
 *
 * The design: pdu_init() starts the library with everything that reads or writes a file switched off.
 * Requests of v1 and v2c have a request-id of four octets that the engine patches, so that they can be
 * built ahead (pdu_build.c). Answers are walked by pdu_check() first, so that the library is never
 * handed a PDU that breaks the encoding, then parsed (pdu_decode.c, pdu_v3.c), and their varbinds
 * copied into `struct vars` (pdu_values.c); nothing of the library's types gets out of this room.
 *
 * Rejected: a codec of our own for everything. Half of it stands in pdu_check.c; but SNMPv3 needs the
 * library anyway, and two decoders for the same values would drift apart.
 *
 * The traps: with its log disabled the library logs to stderr after all ("somewhere!"), so it gets a
 * log that goes nowhere. init_snmp() reads MIBS and MIBDIRS from the environment, opens snmp.conf,
 * writes its persistent state at exit unless told not to, and calls setlocale(). snmp_build() writes
 * from the end of its buffer backwards.
 */
#include "snmp/pdu_internal.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/quit.h"

#define MESSAGE_MAX 65507 /* octets that UDP carries over IPv4: what we say that we can receive */
#define INIT_MAX    (1 << 20) /* octets: init_snmp() takes a third of them */

const char *pdu_error_name(int64_t status)
{
	static const char *const names[] = {
		"noError",
		"tooBig",
		"noSuchName",
		"badValue",
		"readOnly",
		"genErr",
		"noAccess",
		"wrongType",
		"wrongLength",
		"wrongEncoding",
		"wrongValue",
		"noCreation",
		"inconsistentValue",
		"resourceUnavailable",
		"commitFailed",
		"undoFailed",
		"authorizationError",
		"notWritable",
		"inconsistentName",
	};

	if (status < 0 || status >= (int64_t)(sizeof(names) / sizeof(names[0])))
		return NULL;
	return names[status];
}

/* What holds for the time of init_snmp() only: no MIB, no state on disk, no file of a locale. */
static const char *const environment[][2] = {
	{"MIBS", ""},
	{"MIBDIRS", ""},
	{"SNMP_PERSISTENT_DIR", "/dev/null"},
	{"LC_ALL", "C"},
};
#define ENVIRONMENT (sizeof(environment) / sizeof(environment[0]))

static void put_environment(char *old[ENVIRONMENT])
{
	for (size_t i = 0; i < ENVIRONMENT; i++) {
		const char *value = getenv(environment[i][0]);

		old[i] = value ? mem_strdup(value) : NULL;
		setenv(environment[i][0], environment[i][1], 1);
	}
}

static void restore_environment(char *old[ENVIRONMENT])
{
	for (size_t i = 0; i < ENVIRONMENT; i++) {
		if (old[i])
			setenv(environment[i][0], old[i], 1);
		else
			unsetenv(environment[i][0]);
		free(old[i]);
	}
}

static void set_boolean(int which, int value)
{
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, which, value);
}

void pdu_init(void)
{
	static bool done; /* as the library's own state: one for the process */
	char *old[ENVIRONMENT];
	char *locale;

	if (done)
		return;
	done = true;
	locale = mem_strdup(setlocale(LC_CTYPE, NULL));
	put_environment(old);
	snmp_disable_log();
	netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
	set_boolean(NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	set_boolean(NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	set_boolean(NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
	set_boolean(NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
	free(mem_alloc(INIT_MAX)); /* the library would go on with what it did not get */
	init_snmp("multisnmp");
	restore_environment(old);
	setlocale(LC_CTYPE, locale);
	free(locale);
}

struct pdu_codec *pdu_codec_new(void)
{
	struct pdu_codec *c = mem_zero(1, sizeof(*c));

	snmp_sess_init(&c->session);
	c->session.version = SNMP_DEFAULT_VERSION; /* each message says its own */
	c->session.rcvMsgMaxSize = MESSAGE_MAX;
	c->slot = usm_slot_new();
	return c;
}

void pdu_codec_free(struct pdu_codec *c)
{
	usm_slot_free(c->slot);
	free(c->pkt);
	free(c);
}

/* Only memory or a profile that conf should have refused can be the reason: nothing to go on with. */
_Noreturn void pdu_cannot_build(const struct pdu_codec *c)
{
	log_error("the codec cannot build a request: %s",
		  snmp_api_errstring(c->session.s_snmp_errno));
	quit_now(MEM_EXIT);
}

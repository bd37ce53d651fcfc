/*
 * Object names to OIDs and back.
 *
 * The problem: people write `ifHCInOctets.3`, agents want 1.3.6.1.2.1.31.1.1.1.6.3, and the same
 * people read what comes back. The usual way is to let Net-SNMP read every MIB file that it finds,
 * each time: "minutes spent on parsing MIBs" is a complaint of the field. So a name is looked for in three
 * places, each only when the one before had no answer: it is a number; it is built in; a module that
 * was named, in the name itself or with -m, has it. No file is touched before the third.
 *
 * What comes from files is copied, so that workers, which know OIDs and no files, find it in arrays
 * of ours (mib_files.c says more).
 *
 * An index is numbers. Net-SNMP takes ifDescr."lo" and the like too, by guessing from the table's
 * INDEX clause; a guess is not what a poller should be built on.
 */
#include "snmp/mib_internal.h"

#include <stdio.h>
#include <string.h>

#define PART_MAX 65 /* octets of a module's or object's name with its NUL (RFC 2578 §3, §3.1) */

void mib_setup(const char *dirs, const char *modules)
{
	mib_files_setup(dirs, modules);
}

const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	const struct mib_object *object = mib_builtin_find(id, n, used);

	return object ? object : mib_files_find(id, n, used);
}

enum mib_kind mib_kind(const struct oid *o)
{
	enum mib_kind kind = mib_builtin_kind(o->id, o->len);

	return kind != MIB_UNKNOWN ? kind : mib_files_kind(o->id, o->len);
}

/* Appends the index, ".3.1", to the object's OID. */
static bool add_index(struct oid *out, const char *index)
{
	for (const char *p = index; *p;) {
		uint64_t v = 0;
		const char *digits = ++p; /* behind the dot */

		for (; *p >= '0' && *p <= '9' && v <= UINT32_MAX; p++)
			v = v * 10 + (uint64_t)(*p - '0');
		if (p == digits || v > UINT32_MAX || (*p && *p != '.') || out->len == OID_MAX)
			return false;
		out->id[out->len++] = (uint32_t)v;
	}
	return true;
}

/* What stands before `end` (NULL: all); longer than any name is none, and stays none when cut. */
static void copy_part(char out[PART_MAX], const char *text, const char *end)
{
	size_t len = end ? (size_t)(end - text) : strlen(text);

	snprintf(out, PART_MAX, "%.*s", (int)(len < PART_MAX ? len : PART_MAX), text);
}

/* The error of a name that is nowhere; `why` is what the files' side has to say of it, or empty. */
static bool unknown(const struct mib_name *wanted, const char *text, const char *why, char *error,
		    size_t len)
{
	struct nearest near = {0};
	const char *index = strchr(text, '.');
	char written[2 * PART_MAX + 2];

	snprintf(written, sizeof(written), "%s%s%s", wanted->module ? wanted->module : "",
		 wanted->module ? "::" : "", wanted->name);
	near.written = written;
	mib_builtin_nearest(wanted, &near);
	if (near.word[0])
		snprintf(error, len, "unknown object '%.80s'%s%s (did you mean '%s%.40s'?)", text,
			 *why ? ": " : "", why, near.word, index ? index : "");
	else if (*why)
		snprintf(error, len, "unknown object '%.80s': %s", text, why);
	else
		snprintf(error, len,
			 "unknown object '%.80s': if it stands in a MIB file, write MODULE::%.80s",
			 text, text);
	return false;
}

static bool resolve_name(const char *text, const struct mib_name *written, struct oid *out,
			 char *error, size_t len)
{
	char why[256] = "";
	const char *index = strchr(written->name, '.');
	struct mib_name wanted = *written; /* without its index */
	char name[PART_MAX];

	copy_part(name, written->name, index);
	wanted.name = name;
	if (!mib_builtin_name(&wanted, out) && !mib_files_name(&wanted, out, why, sizeof(why)))
		return unknown(&wanted, text, why, error, len);
	if (index && !add_index(out, index)) {
		snprintf(error, len,
			 "'%.80s' is not an index of '%s': write numbers, such as .0 or .3.1",
			 index, name);
		return false;
	}
	if (out->len < 2) {
		snprintf(error, len, "'%s' is too short: an OID has two numbers at least", text);
		return false;
	}
	return true;
}

bool mib_resolve(const char *text, struct oid *out, char *error, size_t len)
{
	const char *colons = strstr(text, "::");
	char module[PART_MAX];
	struct mib_name wanted = {NULL, text};

	if (oid_parse(text, strlen(text), out))
		return true;
	if (!*text || *text == '.' || (*text >= '0' && *text <= '9')) {
		snprintf(error, len,
			 "'%.80s' is not an OID: numbers below 2^32 with dots, 2 to 128 of them",
			 text);
		return false;
	}
	if (colons) {
		copy_part(module, text, colons);
		wanted = (struct mib_name){module, colons + 2};
	}
	return resolve_name(text, &wanted, out, error, len);
}

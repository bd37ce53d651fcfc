/*
 * mib - object names to OIDs and back, and what is known of an object's syntax.
 *
 * The common standard objects (system, interfaces, ifXTable, IP, host resources, UCD) are built in:
 * no MIB file is read unless a name needs one.
 */
#ifndef SNMP_MIB_H
#define SNMP_MIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/oid.h"

struct mib_label { /* of an enumeration: INTEGER { up(1), down(2) } */
	int32_t value;
	const char *label;
};

struct mib_object {
	const char *name;   /* "ifHCInOctets" */
	const char *module; /* "IF-MIB" */
	const char *hint;   /* DISPLAY-HINT (RFC 2579 §3.1) of octets, such as "1x:"; NULL: none */
	const struct mib_label *labels; /* ends with a NULL label; NULL: no enumeration */
	const struct mib_label *bits;   /* the same of BITS, by number; NULL: its octets are none */
};

/* Where to look when a name is not built in: folders (colon-separated, NULL: Net-SNMP's default)
 * and modules (colon-separated) to read for bare names. Reads nothing yet. Called once, first. */
void mib_setup(const char *dirs, const char *modules);

/* "1.3.6.1.2.1.1.1.0", "sysDescr.0", "ifHCInOctets", "IF-MIB::ifHCInOctets.3". False: error says
 * why and names the nearest known object. May read MIB files (master, before the fork). */
bool mib_resolve(const char *text, struct oid *out, char *error, size_t len);

enum mib_kind { /* what an OID names (RFC 2578 §7.1.12, §7.7) */
	MIB_UNKNOWN,
	MIB_GROUP, /* has other objects below it */
	MIB_TABLE,
	MIB_ENTRY,  /* of a table: the columns stand below it */
	MIB_COLUMN, /* also one that no MIB names, below an entry that one does */
	MIB_SCALAR,
	MIB_INSTANCE /* of a scalar or a column: an index follows */
};
/* Known are the built-in objects and the modules read so far; reads nothing itself. Not for workers. */
enum mib_kind mib_kind(const struct oid *o);

/* The i-th of the built-in names, in the order of OIDs, and what it names. NULL: there are no more. */
const char *mib_name_at(size_t i, enum mib_kind *kind);

/* The object an OID belongs to, longest match; *used gets how many sub-identifiers are the
 * object's, the rest is the index. NULL: unknown. No allocation, no file; safe in workers. */
const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used);

#endif

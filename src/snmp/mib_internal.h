/*
 * mib_internal - what the files of mib share: the rows of the built-in table, and the two places
 * where a name may be found.
 */
#ifndef SNMP_MIB_INTERNAL_H
#define SNMP_MIB_INTERNAL_H

#include "base/nearest.h"
#include "snmp/mib.h"

#define MIB_ROW_MAX 8 /* sub-identifiers of a row */

struct mib_row {
	struct mib_object object;
	bool leaf; /* has values; else it is a group, a table or an entry */
	uint8_t len;
	uint16_t id[MIB_ROW_MAX]; /* what follows 1.3.6.1, len of them */
};

struct mib_branch { /* a part of the tree, sorted by id */
	const struct mib_row *rows;
	size_t count;
};

#define MIB_ROW(module, name, hint, labels, leaf, ...)                              \
	{                                                                           \
		{name, module, hint, labels, NULL}, leaf,                           \
			sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t), \
		{                                                                   \
			__VA_ARGS__                                                 \
		}                                                                   \
	}
#define NODE(module, name, ...)         MIB_ROW(module, name, NULL, NULL, false, __VA_ARGS__)
#define OBJECT(module, name, hint, ...) MIB_ROW(module, name, hint, NULL, true, __VA_ARGS__)
#define ENUM(module, name, labels, ...) MIB_ROW(module, name, NULL, labels, true, __VA_ARGS__)
#define BRANCH(rows)                                   \
	{                                              \
		rows, sizeof(rows) / sizeof((rows)[0]) \
	}

#define HINT_TEXT   "255a"                         /* DisplayString, OwnerString */
#define HINT_UTF8   "255t"                         /* SnmpAdminString */
#define HINT_OCTETS "1x:"                          /* PhysAddress */
#define HINT_DATE   "2d-1d-1d,1d:1d:1d.1d,1a1d:1d" /* DateAndTime */

extern const struct mib_branch mib_system, mib_interfaces, mib_ip, mib_icmp, mib_tcp, mib_udp,
	mib_snmp, mib_host, mib_if_x, mib_entity, mib_ucd, mib_framework;
extern const struct mib_label mib_inet_version[], mib_inet_address_type[], mib_truth_value[],
	mib_row_status[], mib_enabled[];

/* As mib_find(), in one of the two places. */
const struct mib_object *mib_builtin_find(const uint32_t *id, size_t n, size_t *used);
const struct mib_object *mib_files_find(const uint32_t *id, size_t n, size_t *used);

/* As mib_kind(). */
enum mib_kind mib_builtin_kind(const uint32_t *id, size_t n);
enum mib_kind mib_files_kind(const uint32_t *id, size_t n);

/* What is looked for: the parts of MODULE::NAME.INDEX. */
struct mib_name {
	const char *module; /* NULL: whichever has it */
	const char *name;
};

bool mib_builtin_name(const struct mib_name *wanted, struct oid *out);
/* Tries the names that would have been right. The same name in another module is nearest of all. */
void mib_builtin_nearest(const struct mib_name *wanted, struct nearest *n);

void mib_files_setup(const char *dirs, const char *modules);
/* False: error says why, or is empty when there is simply no such name. */
bool mib_files_name(const struct mib_name *wanted, struct oid *out, char *error, size_t len);

#endif

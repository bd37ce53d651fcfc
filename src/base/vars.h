/*
 * vars - varbinds, and the list that owns what they point to.
 */
#ifndef BASE_VARS_H
#define BASE_VARS_H

#include <stddef.h>
#include <stdint.h>

enum var_type { /* SMIv2 and the exceptions of RFC 3416 §3; the names are those of the records */
	VAR_INTEGER,   /* .i */
	VAR_OCTETS,    /* .octets */
	VAR_OID,       /* .oid */
	VAR_IPADDRESS, /* .octets, 4 of them */
	VAR_COUNTER32, /* .u, as the next ones */
	VAR_GAUGE32,
	VAR_TIMETICKS, /* hundredths of a second */
	VAR_OPAQUE,    /* .octets: what the Opaque wraps, when it is neither of the next two */
	VAR_FLOAT,     /* .d */
	VAR_DOUBLE,    /* .d */
	VAR_COUNTER64, /* .u */
	VAR_NULL,
	VAR_NO_SUCH_OBJECT,
	VAR_NO_SUCH_INSTANCE,
	VAR_END_OF_MIB_VIEW, /* ends a walk, never a row */
	VAR_TYPE_COUNT
};
const char *var_type_name(enum var_type t); /* "INTEGER", "OCTET STRING", "noSuchObject" … */

struct varbind {
	const uint32_t *oid; /* in the vars' arena */
	uint8_t noid;
	uint8_t type; /* enum var_type */
	union {
		int64_t i;
		uint64_t u;
		double d;
		struct {
			const uint8_t *p;
			size_t len;
		} octets;
		struct {
			const uint32_t *id;
			size_t len;
		} oid;
	} value;
	const struct varbind *label; /* shown beside the index (a table's row); NULL: none. Lent */
};

/* A list of varbinds that owns what they point to. {0} is a valid empty one. Resetting keeps the
 * memory (up to 16 KiB each of varbinds and of what they point to), so that steady state costs no
 * allocation. What the list lends stays where it is until the reset; the list itself moves. */
struct vars_chunk;
struct vars {
	struct varbind *list;
	size_t count;
	size_t cap;
	struct vars_chunk *chunks; /* private: memory of OIDs and octets */
};
/* Appends one: copies oid; value.octets and value.oid are copied from where v points. Its label is
 * not copied: it must live as long, as what vars_keep() made does. */
void vars_add(struct vars *vs, const struct varbind *v);
/* A copy of v with all that it points to but a label, beside the list; good until the reset. For labels. */
const struct varbind *vars_keep(struct vars *vs, const struct varbind *v);
void vars_append(struct vars *vs, const struct vars *more); /* copies, each row's label too */
void vars_reset(struct vars *vs);
void vars_free(struct vars *vs);

#endif

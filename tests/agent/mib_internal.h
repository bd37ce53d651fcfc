/* Between mib.c (which instances exist, in which order), mib_values.c and mib_types.c (what they hold). */
#ifndef AGENT_MIB_INTERNAL_H
#define AGENT_MIB_INTERNAL_H

#include "mib.h"

/* How an object's instances are numbered. */
enum mib_rows {
	ROWS_SCALAR,     /* .0 */
	ROWS_INTERFACES, /* .1 to .interfaces */
	ROWS_LOADS,      /* .1 to .3 */
	ROWS_ADDRESS,    /* the agent's own IPv4 address, one row */
	ROWS_TYPE        /* .0, and only for a view of all types */
};

struct mib_object {
	const char *name; /* dotted OID without the instance */
	enum mib_rows rows;
	uint8_t tag;
	/* Fills value, whose tag and number are set already from here; NULL: nothing is to be done about it. */
	void (*fill)(const struct mib_view *view, uint32_t row, struct mib_value *value);
	uint64_t number;
	struct oid prefix; /* from name */
};

/* The tables of objects, in no particular order, `prefix` not yet set. */
extern const struct mib_object mib_table[];
extern const size_t mib_table_len;
extern const struct mib_object mib_types[];
extern const size_t mib_types_len;

#endif

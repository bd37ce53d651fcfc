/*
 * Built in: the names of the objects that everybody polls, so that they work where no MIB file is.
 *
 * The problem: Debian packages no MIB of the IETF, and reading those of the other systems takes Net-SNMP
 * a quarter of a second at each start, of a program that a timer starts every minute. So the objects
 * are rows of constants: nothing to be read, set up or freed, shared by all processes.
 *
 * mib_find() is asked for each varbind of each record. The rows stand in branches, both in the order of
 * OIDs; two binary searches give the last row that is not above the OID, and nothing but that row can
 * be a prefix of it: an object with values has no rows below itself. Rejected: a hash of prefixes, which
 * would need one probe per length.
 *
 * Rows are written as what follows 1.3.6.1, in 16 bits each, so that a row is one line and 56 octets.
 *
 * The trap: a group, a table or an entry has no values, so what lies below one without a row of its
 * own is unknown, and not "ifEntry.99.1": a format would take 99.1 for an index.
 */
#include "snmp/mib_internal.h"

#include <stdio.h>
#include <string.h>

static const uint32_t internet[] = {1, 3, 6, 1};
#define INTERNET (sizeof(internet) / sizeof(internet[0]))

static const char *const above[INTERNET] = {"iso", "org", "dod", "internet"};

static const struct mib_branch *const branches[] = {
	&mib_system, &mib_interfaces, &mib_ip,   &mib_icmp,   &mib_tcp, &mib_udp,
	&mib_snmp,   &mib_host,       &mib_if_x, &mib_entity, &mib_ucd, &mib_framework,
};
#define BRANCHES (sizeof(branches) / sizeof(branches[0]))

/* Enumerations that more than one branch shows */
const struct mib_label mib_inet_version[] = {{0, "unknown"}, {1, "ipv4"}, {2, "ipv6"}, {0, NULL}};
const struct mib_label mib_inet_address_type[] = {{0, "unknown"}, {1, "ipv4"},  {2, "ipv6"},
						  {3, "ipv4z"},   {4, "ipv6z"}, {16, "dns"},
						  {0, NULL}};
const struct mib_label mib_truth_value[] = {{1, "true"}, {2, "false"}, {0, NULL}};
const struct mib_label mib_row_status[] = {
	{1, "active"},        {2, "notInService"}, {3, "notReady"}, {4, "createAndGo"},
	{5, "createAndWait"}, {6, "destroy"},      {0, NULL}};
const struct mib_label mib_enabled[] = {{1, "enabled"}, {2, "disabled"}, {0, NULL}};

/* Whether id, what follows 1.3.6.1, comes before the row. */
static bool is_before(const uint32_t *id, size_t n, const struct mib_row *row)
{
	for (size_t i = 0; i < row->len; i++) {
		if (i == n)
			return true;
		if (id[i] != row->id[i])
			return id[i] < row->id[i];
	}
	return false;
}

static bool is_prefix(const struct mib_row *row, const uint32_t *id, size_t n)
{
	if (row->len > n)
		return false;
	for (size_t i = 0; i < row->len; i++) {
		if (id[i] != row->id[i])
			return false;
	}
	return true;
}

/* The last row that is not above id; NULL: all are. */
static const struct mib_row *last_row(const uint32_t *id, size_t n)
{
	const struct mib_branch *branch = NULL;
	size_t low = 0;

	for (size_t high = BRANCHES; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (is_before(id, n, branches[middle]->rows))
			high = middle;
		else
			low = middle + 1;
	}
	if (!low)
		return NULL;
	branch = branches[low - 1];
	low = 1;
	for (size_t high = branch->count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (is_before(id, n, branch->rows + middle))
			high = middle;
		else
			low = middle + 1;
	}
	return branch->rows + low - 1;
}

const struct mib_object *mib_builtin_find(const uint32_t *id, size_t n, size_t *used)
{
	const struct mib_row *row;

	if (n <= INTERNET || memcmp(id, internet, sizeof(internet)) != 0)
		return NULL;
	row = last_row(id + INTERNET, n - INTERNET);
	if (!row || !is_prefix(row, id + INTERNET, n - INTERNET))
		return NULL;
	if (!row->leaf && row->len + INTERNET != n)
		return NULL;
	*used = row->len + INTERNET;
	return &row->object;
}

/* The row of just this id, what follows 1.3.6.1; NULL. */
static const struct mib_row *find_row(const uint32_t *id, size_t n)
{
	const struct mib_row *row = last_row(id, n);

	return row && row->len == n && is_prefix(row, id, n) ? row : NULL;
}

static bool is_called(const struct mib_row *row, const char *ending)
{
	size_t len = strlen(row->object.name);
	size_t end = strlen(ending);

	return len > end && strcmp(row->object.name + len - end, ending) == 0;
}

static enum mib_kind kind_of_row(const struct mib_row *row, const struct mib_row *parent)
{
	if (row->leaf)
		return parent && is_called(parent, "Entry") ? MIB_COLUMN : MIB_SCALAR;
	if (is_called(row, "Entry"))
		return MIB_ENTRY;
	return is_called(row, "Table") ? MIB_TABLE : MIB_GROUP;
}

enum mib_kind mib_builtin_kind(const uint32_t *id, size_t n)
{
	const struct mib_row *row = NULL;
	size_t used = n > INTERNET ? n - INTERNET : 0; /* of what follows, the row has so many */
	size_t all = used;

	if (!used || memcmp(id, internet, sizeof(internet)) != 0)
		return MIB_UNKNOWN;
	id += INTERNET;
	while (used && !(row = find_row(id, used)))
		used--;
	if (!row)
		return MIB_UNKNOWN;
	if (used == all)
		return kind_of_row(row, find_row(id, used - 1));
	if (is_called(row, "Entry") && used + 1 == all)
		return MIB_COLUMN;
	return row->leaf || is_called(row, "Entry") ? MIB_INSTANCE : MIB_UNKNOWN;
}

const char *mib_name_at(size_t i, enum mib_kind *kind)
{
	uint32_t parent[MIB_ROW_MAX] = {0};
	const struct mib_row *row;
	size_t b = 0;

	while (b < BRANCHES && i >= branches[b]->count)
		i -= branches[b++]->count;
	if (b == BRANCHES)
		return NULL;
	row = branches[b]->rows + i;
	for (size_t n = 0; n + 1 < row->len; n++)
		parent[n] = row->id[n];
	*kind = kind_of_row(row, find_row(parent, row->len - 1u));
	return row->object.name;
}

static const struct mib_row *find_name(const struct mib_name *wanted)
{
	for (size_t b = 0; b < BRANCHES; b++) {
		for (size_t i = 0; i < branches[b]->count; i++) {
			const struct mib_row *row = branches[b]->rows + i;

			if (strcmp(row->object.name, wanted->name) != 0)
				continue;
			if (!wanted->module || strcmp(row->object.module, wanted->module) == 0)
				return row;
		}
	}
	return NULL;
}

bool mib_builtin_name(const struct mib_name *wanted, struct oid *out)
{
	const struct mib_row *row = find_name(wanted);

	memcpy(out->id, internet, sizeof(internet));
	for (size_t i = 0; i < INTERNET && !wanted->module; i++) {
		if (strcmp(above[i], wanted->name) == 0) {
			out->len = (uint8_t)(i + 1);
			return true;
		}
	}
	if (!row)
		return false;
	for (size_t i = 0; i < row->len; i++)
		out->id[INTERNET + i] = row->id[i];
	out->len = (uint8_t)(INTERNET + row->len);
	return true;
}

void mib_builtin_nearest(const struct mib_name *wanted, struct nearest *n)
{
	const struct mib_row *elsewhere = find_name(&(struct mib_name){NULL, wanted->name});
	char full[NEAREST_MAX];

	for (size_t b = 0; b < BRANCHES && !elsewhere; b++) {
		for (size_t i = 0; i < branches[b]->count; i++) {
			const struct mib_object *object = &branches[b]->rows[i].object;
			struct nearest alone = {.written = wanted->name};

			nearest_try(&alone, object->name);
			if (!alone.word[0])
				continue; /* a module of a similar name makes it no nearer */
			snprintf(full, sizeof(full), "%s%s%s", wanted->module ? object->module : "",
				 wanted->module ? "::" : "", object->name);
			nearest_try(n, full);
		}
	}
	if (elsewhere) { /* however far the modules' names are from each other */
		snprintf(n->word, sizeof(n->word), "%s::%s", elsewhere->object.module,
			 wanted->name);
		n->distance = 0;
	}
}

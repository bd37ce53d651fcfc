/*
 * Names that stand in MIB files, read by Net-SNMP.
 *
 * The problem: Net-SNMP's tree of names is a program's state: hundreds of pointers and hash chains behind
 * functions that log, allocate, and open files when asked for a module. The master may do that
 * before it forks; a worker must not. So a name is looked up in the tree once, and the object, with
 * all that lies below it, is copied into a sorted array of ours; mib_find() looks at nothing else.
 *
 * Copied is what lies below what was asked for, and not the whole tree: whatever an agent answers to
 * that question lies there.
 *
 * A module is read when a name of it is asked for (MODULE::name), or, for a bare name, the modules
 * of -m one after the other. "ALL" is every file of the folders, as in Net-SNMP.
 *
 * The traps: netsnmp_init_mib() reads what MIBS and MIBDIRS name, and init_snmp() calls it again
 * later unless it has run. So it is run here, with both empty, and the folders are added afterwards.
 * What the parser says of a broken or missing import goes to stderr line by line, and after
 * snmp_disable_log() too, as long as no handler is enabled. So a handler of ours takes it all: the
 * first line names the reason and becomes part of our one error, the others are dropped.
 *
 * Net-SNMP has one tree for the process, and what is copied belongs to it: this file's state is the one
 * of the program that no handle is passed for.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "snmp/mib_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct learnt {
	struct mib_object object;
	uint32_t *id;
	size_t len;
};

struct files {
	char *dirs;                /* as given with -M; NULL: Net-SNMP's own */
	char *modules;             /* of -m, NULL: none */
	bool open;                 /* Net-SNMP knows the folders */
	struct learnt *learnt;     /* sorted by id; never shrinks, its strings are never freed */
	size_t count, sorted, cap; /* objects, of these in order, places */
	bool listening;            /* what Net-SNMP says now may be the reason */
	char complaint[160];       /* the first that it said since */
};

static struct files *files(void)
{
	static struct files the_files;

	return &the_files;
}

void mib_files_setup(const char *dirs, const char *modules)
{
	struct files *f = files();

	free(f->dirs);
	free(f->modules);
	f->dirs = dirs ? mem_strdup(dirs) : NULL;
	f->modules = modules ? mem_strdup(modules) : NULL;
}

/* Where id stands, or would stand, among the sorted ones: how many are not above it. */
static size_t place_of(const struct files *f, const uint32_t *id, size_t n)
{
	size_t low = 0;

	for (size_t high = f->sorted; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (oid_compare(id, n, f->learnt[middle].id, f->learnt[middle].len) < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct mib_object *mib_files_find(const uint32_t *id, size_t n, size_t *used)
{
	const struct files *f = files();
	size_t place = place_of(f, id, n);
	const struct learnt *l = place ? f->learnt + place - 1 : NULL;

	if (!l || l->len > n || memcmp(l->id, id, l->len * sizeof(*id)) != 0)
		return NULL;
	*used = l->len;
	return &l->object;
}

/* ---- reading */

static int note_complaint(int major, int minor, void *server, void *client)
{
	const struct snmp_log_message *message = server;
	struct files *f = client;
	size_t len = strcspn(message->msg, "\n");

	(void)major, (void)minor;
	if (f->listening && !f->complaint[0] && strncmp(message->msg, "MIB search path", 15) != 0)
		snprintf(f->complaint, sizeof(f->complaint), "%.*s", (int)len, message->msg);
	return 0;
}

static const char *folders(const struct files *f)
{
	const char *standard = getenv("MIBDIRS");

	if (!standard || !*standard)
		standard = NETSNMP_DEFAULT_MIBDIRS;
	netsnmp_set_mib_directory(standard);
	if (f->dirs)
		netsnmp_set_mib_directory(f->dirs); /* "+DIRS" adds, as in Net-SNMP */
	netsnmp_fixup_mib_directory();              /* $HOME */
	return netsnmp_get_mib_directory();
}

/* Calls fn for each of the words between colons. */
static void each_word(const char *words, void (*fn)(const char *word))
{
	char *copy = mem_strdup(words);
	char *rest = NULL;

	for (char *word = strtok_r(copy, ":", &rest); word; word = strtok_r(NULL, ":", &rest))
		fn(word);
	free(copy);
}

static void add_folder(const char *folder)
{
	add_mibdir(folder);
}

static void read_one(const char *module)
{
	if (strcasecmp(module, "ALL") == 0)
		read_all_mibs();
	else
		netsnmp_read_module(module);
}

static void open_folders(struct files *f)
{
	if (f->open)
		return;
	f->open = true;
	setenv("MIBS", "", 1);
	netsnmp_set_mib_directory("");
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_MIB_ERRORS, 1);
	snmp_disable_log();
	snmp_enable_calllog();
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, note_complaint, f);
	netsnmp_init_mib();
	each_word(folders(f), add_folder);
}

/* ---- copying */

static struct mib_label *copy_labels(const struct enum_list *list)
{
	struct mib_label *labels;
	size_t count = 0;

	for (const struct enum_list *e = list; e; e = e->next)
		count++;
	if (!count)
		return NULL;
	labels = mem_zero(count + 1, sizeof(*labels));
	count = 0;
	for (const struct enum_list *e = list; e; e = e->next)
		labels[count++] = (struct mib_label){e->value, mem_strdup(e->label)};
	return labels;
}

/* "d" changes nothing of an integer and would hide what follows from its being one. */
static char *copy_hint(const struct tree *node)
{
	return node->hint && strcmp(node->hint, "d") != 0 ? mem_strdup(node->hint) : NULL;
}

static void learn_one(struct files *f, const struct tree *node, const struct oid *id)
{
	const struct module *module = find_module(node->modid);
	bool bits = node->type == TYPE_BITSTRING; /* its names are in enums, too */
	struct learnt *l;
	size_t used;

	if (mib_find(id->id, id->len, &used) && used == id->len)
		return;
	if (f->count == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->learnt = mem_resize(f->learnt, f->cap, sizeof(*f->learnt));
	}
	l = &f->learnt[f->count++];
	*l = (struct learnt){
		{mem_strdup(node->label), mem_strdup(module ? module->name : ""), copy_hint(node),
		 bits ? NULL : copy_labels(node->enums), bits ? copy_labels(node->enums) : NULL},
		mem_zero(id->len, sizeof(*id->id)),
		id->len,
	};
	memcpy(l->id, id->id, id->len * sizeof(*id->id));
}

static bool is_leaf(const struct tree *node)
{
	return node->type > TYPE_OTHER && node->type <= TYPE_SIMPLE_LAST;
}

/* All with values from the node on; id is the node's and comes back as it was. */
static void learn_below(struct files *f, const struct tree *node, struct oid *id)
{
	if (is_leaf(node)) {
		learn_one(f, node, id);
		return;
	}
	if (id->len == OID_MAX)
		return;
	for (const struct tree *child = node->child_list; child; child = child->next_peer) {
		id->id[id->len++] = (uint32_t)child->subid;
		learn_below(f, child, id);
		id->len--;
	}
}

static int by_id(const void *a, const void *b)
{
	const struct learnt *x = a, *y = b;

	return oid_compare(x->id, x->len, y->id, y->len);
}

static bool node_oid(const struct tree *node, struct oid *out)
{
	size_t len = 0;

	for (const struct tree *n = node; n; n = n->parent)
		len++;
	if (len > OID_MAX)
		return false;
	out->len = (uint8_t)len;
	for (const struct tree *n = node; n; n = n->parent)
		out->id[--len] = (uint32_t)n->subid;
	return true;
}

/* ---- looking up */

/* Deaf to adopt_orphans(), which complains of each broken module again, whatever is asked for. */
static const struct tree *read_and_find(struct files *f, const struct mib_name *wanted)
{
	int module = -1;

	f->complaint[0] = '\0';
	snmp_enable_calllog(); /* pdu_init() may have come since, which shuts all of the log */
	f->listening = true;
	if (wanted->module)
		read_one(wanted->module);
	else
		each_word(f->modules, read_one);
	f->listening = false;
	adopt_orphans();
	if (wanted->module) {
		module = which_module(wanted->module);
		if (module < 0)
			return NULL;
	}
	return find_tree_node(wanted->name, module);
}

static void explain(const struct files *f, const struct mib_name *wanted, char *error, size_t len)
{
	if (wanted->module && which_module(wanted->module) < 0)
		snprintf(error, len, "no MIB module %.64s in %.120s", wanted->module,
			 netsnmp_get_mib_directory());
	else if (f->complaint[0])
		snprintf(error, len, "%s", f->complaint);
	else
		snprintf(error, len, "not in the MIB module%s %.120s", wanted->module ? "" : "s",
			 wanted->module ? wanted->module : f->modules);
}

bool mib_files_name(const struct mib_name *wanted, struct oid *out, char *error, size_t len)
{
	struct files *f = files();
	const struct tree *node;

	error[0] = '\0';
	if (!wanted->module && !f->modules)
		return false;
	open_folders(f);
	node = read_and_find(f, wanted);
	if (!node || !node_oid(node, out)) {
		explain(f, wanted, error, len);
		return false;
	}
	learn_below(f, node, out);
	qsort(f->learnt, f->count, sizeof(*f->learnt), by_id);
	f->sorted = f->count;
	return true;
}

/* ---- tables */

static bool is_entry(const struct tree *node)
{
	return node && (node->indexes || node->augments);
}

static const struct tree *child_of(const struct tree *list, uint32_t id)
{
	while (list && list->subid != id)
		list = list->next_peer;
	return list;
}

static enum mib_kind kind_of_node(const struct tree *node, const struct tree *parent)
{
	if (is_entry(node))
		return MIB_ENTRY;
	if (is_entry(parent))
		return MIB_COLUMN;
	if (is_leaf(node))
		return MIB_SCALAR;
	for (const struct tree *child = node->child_list; child; child = child->next_peer) {
		if (is_entry(child))
			return MIB_TABLE;
	}
	return MIB_GROUP;
}

enum mib_kind mib_files_kind(const uint32_t *id, size_t n)
{
	const struct tree *parent = NULL;
	const struct tree *node = NULL;
	const struct tree *next = get_tree_head();
	size_t used = 0;

	for (; used < n && (next = child_of(next, id[used])); used++) {
		parent = node;
		node = next;
		next = node->child_list;
	}
	if (!node)
		return MIB_UNKNOWN;
	if (used == n)
		return kind_of_node(node, parent);
	if (is_entry(node) && used + 1 == n)
		return MIB_COLUMN;
	return is_leaf(node) || is_entry(node) ? MIB_INSTANCE : MIB_UNKNOWN;
}

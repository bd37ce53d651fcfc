/*
 * What is asked for: answers that are too large for the way, and objects that are not there, or not to be seen.
 *
 * Size: the same small object is asked for 2, 4, 8 … times in one message until no answer comes; so it shows between
 * which two sizes answers are lost. Then the host's own objects are asked in halves, until they arrive.
 *
 * Missing objects: an agent must say the same of what it has not got and of what may not be seen (RFC 3415
 * §3, RFC 3416 §4.2.1: noSuchObject for both). What follows the object tells more: its instance, the rest
 * of its table, or what the first thing is that may be seen at all.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/explain_internal.h"

#define COPIES_MAX  64
#define HEAD_OCTETS 40 /* of a message around its varbinds, about */
#define PARTS_MAX   16
#define TOP         "1.3.6.1"
#define OID_TEXT    1500

/* ---- size */

static void show_sizes(struct explain *x, uint32_t good, uint32_t bad)
{
	if (bad)
		explain_step(
			x, false,
			"answers of about %u octets arrive, those of about %u do not: the agent's "
			"limit, or a path whose MTU is smaller and that loses fragments",
			good, bad);
	else
		explain_step(x, true,
			     "answers of up to about %u octets arrive: size alone is not it", good);
}

static void find_sizes(struct explain *x)
{
	uint32_t good = 0, bad = 0, one = 0;

	for (unsigned copies = 1; copies <= COPIES_MAX && !bad; copies *= 2) {
		struct question q = {.copies = copies};

		if (!explain_ask(x, &q, &x->probe))
			return;
		one = one ? one : x->probe.octets;
		if (x->probe.status == RECORD_OK)
			good = x->probe.octets + HEAD_OCTETS;
		else
			bad = one * copies + HEAD_OCTETS;
	}
	show_sizes(x, good, bad);
}

static bool try_repetitions(struct explain *x, int64_t most)
{
	struct change c = {SET_MAX_REPETITIONS, .number = most};
	struct question q = {.changes = &c, .nchanges = 1, .whole = true, .configured = true};
	char words[FINDING_TEXT_MAX];
	bool helped;

	if (!explain_ask(x, &q, &x->probe))
		return false;
	helped = x->probe.status == RECORD_OK;
	explain_step(x, helped, "max_repetitions %d: %s", (int)most,
		     finding_words(&x->probe, words));
	if (helped) {
		settings_change(&x->now, &c);
		x->mended |= SETTING_BIT(SET_MAX_REPETITIONS);
	}
	return helped;
}

static struct conf_list *part_of(const struct conf_list *all, size_t from, size_t count)
{
	struct conf_list *part;

	if (count > all->count - from)
		count = all->count - from;
	part = mem_alloc(sizeof(*part) + count * sizeof(part->item[0]));
	part->count = count;
	memcpy(part->item, all->item + from, count * sizeof(part->item[0]));
	return part;
}

/* All of them, at most `size` in a question. */
static bool ask_parts(struct explain *x, const struct conf_list *all, size_t size)
{
	bool good = true;

	for (size_t from = 0; from < all->count && good; from += size) {
		struct question q = {.list = part_of(all, from, size)};

		good = explain_ask(x, &q, &x->probe) && x->probe.status == RECORD_OK;
		explain_keep(x, (struct conf_list *)(uintptr_t)q.list);
	}
	return good;
}

static bool try_parts(struct explain *x)
{
	const struct conf_list *all = x->now.value[SET_GET].list;

	for (size_t size = (all->count + 1) / 2; !x->status; size = (size + 1) / 2) {
		bool helped;

		if ((all->count + size - 1) / size > PARTS_MAX)
			return false;
		helped = ask_parts(x, all, size);
		explain_step(x, helped, "its objects, %zu at a time: %s", size,
			     helped ? "answered" : "not all answered");
		if (helped)
			x->split_by = size;
		if (helped || size == 1)
			return helped;
	}
	return false;
}

bool explain_size(struct explain *x)
{
	const struct settings *s = &x->now;
	bool walks = s->value[SET_WALK].list || s->value[SET_TABLE].list;

	find_sizes(x);
	if (x->status)
		return false;
	if (walks)
		return try_repetitions(x, 10) || (!x->status && try_repetitions(x, 1));
	return s->value[SET_GET].list && s->value[SET_GET].list->count > 1 && try_parts(x);
}

/* ---- what is missing */

/* The object of a row as an OID, or name, that can be asked for; false: none. */
static bool object_of(const char *row, char out[OID_TEXT])
{
	size_t len = strcspn(row, "\t ");

	if (len == 0 || len >= OID_TEXT)
		return false;
	memcpy(out, row, len);
	out[len] = '\0';
	return true;
}

/* The first row below `root`; false: none. */
static bool first_below(struct explain *x, const char *root, char out[OID_TEXT])
{
	struct question q = {.walk = root};

	out[0] = '\0';
	return explain_ask(x, &q, &x->probe) && x->probe.nvars > x->probe.missing &&
	       object_of(x->probe.rows, out);
}

/* Without its last number. False: it has no more than its name. */
static bool parent_of(const char *object, char out[OID_TEXT])
{
	const char *dot = strrchr(object, '.');

	if (!dot || dot == object)
		return false;
	memcpy(out, object, (size_t)(dot - object));
	out[dot - object] = '\0';
	return true;
}

/* Where in `get` the object of a row stands: as it is shown, or alone. False: that cannot be told. */
static bool find_item(const struct conf_list *get, const char *object, size_t *at)
{
	if (!get)
		return false;
	for (*at = 0; *at < get->count; ++*at)
		if (strcmp(get->item[*at].text, object) == 0)
			return true;
	*at = 0;
	return get->count == 1;
}

static void change_list(struct explain *x, enum setting_key key, struct conf_list *list)
{
	explain_keep(x, list);
	x->now.value[key].list = list;
	x->now.set |= SETTING_BIT(key);
	x->mended |= SETTING_BIT(key);
}

/* A copy with room for one item more, and for octets of a text behind that. */
static struct conf_list *copy_of(const struct conf_list *list, size_t octets)
{
	size_t count = list ? list->count : 0, room = count + 1;
	struct conf_list *copy = mem_alloc(sizeof(*copy) + room * sizeof(copy->item[0]) + octets);

	copy->count = count;
	if (count)
		memcpy(copy->item, list->item, count * sizeof(copy->item[0]));
	return copy;
}

/* Item `at` of `get` gets its ".0". */
static void get_instance(struct explain *x, const struct conf_list *get, size_t at)
{
	size_t len = strlen(get->item[at].text);
	struct conf_list *list = copy_of(get, len + sizeof(".0"));
	char *text = (char *)&list->item[get->count + 1];

	memcpy(text, get->item[at].text, len);
	memcpy(text + len, ".0", sizeof(".0"));
	list->item[at].text = text;
	change_list(x, SET_GET, list);
}

/* Item `at` of `get` is walked instead. */
static void walk_instead(struct explain *x, const struct conf_list *get, size_t at)
{
	struct conf_list *list = copy_of(get, 0);
	struct conf_list *walk = copy_of(x->now.value[SET_WALK].list, 0);

	walk->item[walk->count++] = get->item[at];
	list->count--;
	memmove(&list->item[at], &list->item[at + 1], (list->count - at) * sizeof(list->item[0]));
	change_list(x, SET_GET, list);
	change_list(x, SET_WALK, walk);
}

static void mend_object(struct explain *x, const char *object, const char *first)
{
	const struct conf_list *get = x->now.value[SET_GET].list;
	bool scalar = strncmp(first, object, strlen(object)) == 0 &&
		      strcmp(first + strlen(object), ".0") == 0;
	size_t at;

	if (scalar)
		explain_note(x, "it is there as %s: get: [%s]", first, first);
	else
		explain_note(x, "rows are below it, the first is %s: walk: [%s]", first, object);
	if (!find_item(get, object, &at))
		return;
	if (scalar)
		get_instance(x, get, at);
	else
		walk_instead(x, get, at);
}

static void look_for(struct explain *x, const char *object)
{
	char first[OID_TEXT], parent[OID_TEXT];

	if (first_below(x, object, first)) {
		explain_step(x, false, "%s is no object that has a value itself", object);
		mend_object(x, object, first);
	} else if (parent_of(object, parent) && first_below(x, parent, first)) {
		explain_step(x, false, "%s is not there, others of %s are: %s", object, parent,
			     first);
	} else if (first_below(x, TOP, first)) {
		explain_step(x, false,
			     "%s: nothing of it may be seen; the first thing that may is %s",
			     object, first);
		explain_note(x,
			     "the agent does not have it, or hides it from who asks so (its view): "
			     "it must say the same of both");
	} else {
		explain_step(x, false, "%s: nothing at all may be seen by who asks so", object);
		explain_note(x,
			     "the agent's view for this community or user is empty: see its access "
			     "control (snmpd: view, rocommunity, rouser)");
	}
}

void explain_missing(struct explain *x)
{
	char object[OID_TEXT];
	const struct conf_list *walk = x->now.value[SET_WALK].list;

	if (x->found.missing && object_of(x->found.rows, object))
		look_for(x, object);
	else if (!x->found.nvars && walk && walk->count)
		look_for(x, walk->item[0].text);
}

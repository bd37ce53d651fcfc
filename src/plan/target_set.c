/*
 * Targets to leave out: intervals of addresses, and names.
 *
 * The problem: `--exclude 10.0.0.0/8` beside a target 10.0.0.0/7 must cost nothing, neither in
 * memory nor while the block is handed out. So the set is a sorted array of intervals that do not touch, a
 * question is a binary search, and target_set_next() jumps over an interval in one step.
 *
 * No block is larger than 2^32 addresses, so all of an interval's addresses share family, zone and
 * the upper 64 bits: its `space`. Within a space the lower 64 bits order everything.
 *
 * The trap: fe80::1 without a zone, as an exclusion, means that address on whatever interface, since
 * leaving out is the safe side. So an address with a zone is looked for in two spaces, and an
 * interval of one may end inside an interval of the other: next asks both until neither holds it.
 */
#include "plan/target_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct space {
	uint64_t high; /* upper half of the address */
	uint32_t zone;
	uint32_t family;
};

struct interval {
	struct space space;
	uint64_t low;  /* lower half of the first address */
	uint64_t last; /* of the last one, >= low */
};

struct target_set {
	struct interval *intervals; /* when sealed: sorted, none touches another */
	size_t nintervals, cap_intervals;
	char **names; /* lower case, without the root's dot; when sealed: sorted */
	size_t nnames, cap_names;
};

struct target_set *target_set_new(void)
{
	return mem_zero(1, sizeof(struct target_set));
}

void target_set_free(struct target_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nnames; i++)
		free(s->names[i]);
	free(s->names);
	free(s->intervals);
	free(s);
}

/* Makes room for one more in an array that doubles. */
static void *grow(void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 8;
	return mem_resize(array, *cap, size);
}

static struct space space_of(const struct target *t)
{
	struct space s = {target_high(&t->first), t->first.zone, t->first.family};

	return s;
}

/* A path is kept as it is: it begins with '/', which no name does. */
static char *name_key(const struct target *t)
{
	bool is_name = t->kind == TARGET_NAME;
	size_t len = t->name_len - (is_name && t->name[t->name_len - 1] == '.');
	char *key = mem_strndup(t->name, len);

	if (!is_name)
		return key;
	for (size_t i = 0; i < len; i++)
		if (key[i] >= 'A' && key[i] <= 'Z')
			key[i] = (char)(key[i] + ('a' - 'A'));
	return key;
}

bool target_set_add(struct target_set *s, const char *text, size_t len,
		    char error[TARGET_ERROR_MAX])
{
	struct interval *added;
	struct target t;

	if (!target_parse(text, len, &t, error))
		return false;
	if (t.port) {
		snprintf(error, TARGET_ERROR_MAX,
			 "an exclusion holds for every port: leave ':%u' out", t.port);
		return false;
	}
	if (t.kind != TARGET_PATH && target_prefix(text, len, &t) > 0) {
		snprintf(error, TARGET_ERROR_MAX,
			 "an exclusion holds for every transport: leave its name out");
		return false;
	}
	if (t.name) {
		s->names = grow(s->names, s->nnames, &s->cap_names, sizeof(*s->names));
		s->names[s->nnames++] = name_key(&t);
		return true;
	}
	s->intervals = grow(s->intervals, s->nintervals, &s->cap_intervals, sizeof(*s->intervals));
	added = &s->intervals[s->nintervals++];
	added->space = space_of(&t);
	added->low = target_low(&t.first);
	added->last = added->low + (t.count - 1);
	return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_space(const struct space *a, const struct space *b)
{
	if (a->family != b->family)
		return compare_u64(a->family, b->family);
	if (a->zone != b->zone)
		return compare_u64(a->zone, b->zone);
	return compare_u64(a->high, b->high);
}

static int compare_intervals(const void *pa, const void *pb)
{
	const struct interval *a = pa;
	const struct interval *b = pb;
	int order = compare_space(&a->space, &b->space);

	return order ? order : compare_u64(a->low, b->low);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* b begins no later than right after the end of a. */
static bool touches(const struct interval *a, const struct interval *b)
{
	return compare_space(&a->space, &b->space) == 0 &&
	       (b->low <= a->last || b->low - 1 == a->last);
}

void target_set_seal(struct target_set *s)
{
	size_t kept = 0;

	if (s->nnames)
		qsort(s->names, s->nnames, sizeof(*s->names), compare_names);
	if (!s->nintervals)
		return;
	qsort(s->intervals, s->nintervals, sizeof(*s->intervals), compare_intervals);
	for (size_t i = 1; i < s->nintervals; i++) {
		struct interval *last = &s->intervals[kept];
		struct interval *next = &s->intervals[i];

		if (!touches(last, next))
			s->intervals[++kept] = *next;
		else if (next->last > last->last)
			last->last = next->last;
	}
	s->nintervals = kept + 1;
}

/* The first interval of the space that ends at x or after it; NULL. */
static const struct interval *reaching(const struct target_set *s, const struct space *space,
				       uint64_t x)
{
	size_t from = 0;
	size_t to = s->nintervals;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct interval *iv = &s->intervals[mid];
		int order = compare_space(&iv->space, space);

		if (order < 0 || (order == 0 && iv->last < x))
			from = mid + 1;
		else
			to = mid;
	}
	if (from == s->nintervals || compare_space(&s->intervals[from].space, space) != 0)
		return NULL;
	return &s->intervals[from];
}

/* Of the two spaces that an address may be found in, the interval that begins first among those
 * that end at x or after it. */
static const struct interval *first_reaching(const struct target_set *s, const struct target *t,
					     uint64_t x)
{
	struct space space = space_of(t);
	const struct interval *mine = reaching(s, &space, x);
	const struct interval *anywhere = NULL;

	if (space.zone) {
		space.zone = 0;
		anywhere = reaching(s, &space, x);
	}
	if (!mine || (anywhere && anywhere->low < mine->low))
		return anywhere;
	return mine;
}

static bool has_name(const struct target_set *s, const struct target *t)
{
	char *key;
	bool found;

	if (!s->nnames)
		return false;
	key = name_key(t);
	found = bsearch(&key, s->names, s->nnames, sizeof(*s->names), compare_names) != NULL;
	free(key);
	return found;
}

uint64_t target_set_next(const struct target_set *s, const struct target *t, uint64_t i)
{
	uint64_t low;

	if (t->name)
		return i || has_name(s, t) ? t->count : 0;
	if (s->nintervals == 0) /* as mostly, and each target of a run asks */
		return i;
	low = target_low(&t->first);
	while (i < t->count) {
		const struct interval *iv = first_reaching(s, t, low + i);

		if (!iv || iv->low > low + i)
			return i;
		if (iv->last - low >= t->count - 1)
			return t->count;
		i = iv->last - low + 1;
	}
	return t->count;
}

/* The least index >= i that is in the set, or count. */
static uint64_t next_inside(const struct target_set *s, const struct target *t, uint64_t i)
{
	uint64_t low = target_low(&t->first);
	const struct interval *iv = first_reaching(s, t, low + i);

	if (!iv || (iv->low > low && iv->low - low >= t->count))
		return t->count;
	return iv->low > low + i ? iv->low - low : i;
}

uint64_t target_set_count(const struct target_set *s, const struct target *t)
{
	uint64_t inside = 0;
	uint64_t i = 0;

	if (t->name)
		return target_set_next(s, t, 0);
	while (i < t->count) {
		uint64_t in = next_inside(s, t, i);

		if (in == t->count)
			break;
		i = target_set_next(s, t, in);
		inside += i - in;
	}
	return inside;
}

uint64_t target_set_at(const struct target_set *s, const struct target *t, uint64_t n)
{
	uint64_t i;

	if (s->nintervals == 0 && !t->name) /* as mostly */
		return n;
	i = target_set_next(s, t, 0);
	while (!t->name) {
		uint64_t inside = next_inside(s, t, i);

		if (n < inside - i)
			return i + n;
		n -= inside - i;
		i = target_set_next(s, t, inside);
	}
	return i;
}

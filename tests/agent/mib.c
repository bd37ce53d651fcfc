#include "mib_internal.h"

#include "datagram.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOADS = 3
};

static void parse_oid(const char *text, struct oid *oid)
{
	char *end;

	for (oid->len = 0; *text; text = *end ? end + 1 : end)
		oid->sub[oid->len++] = (uint32_t)strtoul(text, &end, 10);
}

static int by_prefix(const void *a, const void *b)
{
	const struct mib_object *x = a, *y = b;

	return oid_compare(&x->prefix, &y->prefix);
}

bool mib_init(struct mib *mib, uint64_t now_us)
{
	*mib = (struct mib){.n_objects = mib_table_len + mib_types_len, .started_us = now_us};
	mib->objects = malloc(mib->n_objects * sizeof mib->objects[0]);
	if (!mib->objects)
		return false;
	memcpy(mib->objects, mib_table, mib_table_len * sizeof mib->objects[0]);
	memcpy(mib->objects + mib_table_len, mib_types, mib_types_len * sizeof mib->objects[0]);
	for (size_t i = 0; i < mib->n_objects; i++)
		parse_oid(mib->objects[i].name, &mib->objects[i].prefix);
	qsort(mib->objects, mib->n_objects, sizeof mib->objects[0], by_prefix);
	return true;
}

void mib_free(struct mib *mib)
{
	free(mib->objects);
}

static bool visible(const struct mib_view *view, const struct mib_object *object)
{
	if (view->v1 && object->tag == BER_COUNTER64)
		return false;
	if (object->rows == ROWS_TYPE)
		return view->types;
	return object->rows != ROWS_ADDRESS || datagram_is_v4(view->addr);
}

static bool is_column(const struct mib_object *object)
{
	return object->rows == ROWS_INTERFACES || object->rows == ROWS_LOADS;
}

/* A cell that a sparse table lacks. No two holes of a column lie side by side. */
static bool is_hole(const struct mib_view *view, const struct mib_object *object, uint32_t row)
{
	uint32_t column = object->prefix.sub[object->prefix.len - 1];

	return view->sparse && object->rows == ROWS_INTERFACES && column > 1 &&
	       (column + row) % 3 == 0;
}

static uint32_t last_row(const struct mib_view *view, const struct mib_object *object)
{
	return object->rows == ROWS_INTERFACES ? view->interfaces : LOADS;
}

/* How many objects come, in order, not after oid. The one that oid belongs to, if any, is the last of them. */
static size_t objects_up_to(const struct mib *mib, const struct oid *oid)
{
	size_t low = 0, high = mib->n_objects;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (oid_compare(&mib->objects[middle].prefix, oid) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool belongs(const struct mib_object *object, const struct oid *oid)
{
	return oid->len >= object->prefix.len &&
	       memcmp(object->prefix.sub, oid->sub, object->prefix.len * sizeof oid->sub[0]) == 0;
}

static void fill(const struct mib_view *view, const struct mib_object *object, uint32_t row,
		 struct mib_value *value)
{
	value->tag = object->tag;
	value->number = object->number;
	value->bytes = NULL;
	value->len = 0;
	if (object->fill)
		object->fill(view, row, value);
}

static void set_instance(const struct mib_view *view, const struct mib_object *object, uint32_t row,
			 struct oid *oid)
{
	size_t len = object->prefix.len;

	memcpy(oid->sub, object->prefix.sub, len * sizeof oid->sub[0]);
	oid->len = len + 1;
	oid->sub[len] = row;
	if (object->rows != ROWS_ADDRESS)
		return;
	oid->len = len + 4;
	for (size_t i = 0; i < 4; i++)
		oid->sub[len + i] = view->addr->s6_addr[12 + i];
}

/* Whether object has an instance after oid, which belongs to it or comes before it; its row if so. */
static bool row_after(const struct mib_view *view, const struct mib_object *object,
		      const struct oid *oid, uint32_t *row)
{
	struct oid only;
	bool inside = belongs(object, oid) && oid->len > object->prefix.len;

	if (!is_column(object)) {
		set_instance(view, object, 0, &only);
		*row = 0;
		return !inside || oid_compare(&only, oid) > 0;
	}
	uint32_t asked = inside ? oid->sub[object->prefix.len] : 0;
	if (asked >= last_row(view, object))
		return false;
	*row = asked + 1;
	*row += is_hole(view, object, *row);
	return *row <= last_row(view, object);
}

void mib_get(const struct mib_view *view, const struct oid *oid, struct mib_value *value)
{
	size_t below = objects_up_to(view->mib, oid);
	const struct mib_object *object = below > 0 ? &view->mib->objects[below - 1] : NULL;
	struct oid found;

	value->tag = BER_NO_SUCH_OBJECT;
	value->len = 0;
	if (!object || !belongs(object, oid) || !visible(view, object))
		return;
	value->tag = BER_NO_SUCH_INSTANCE;
	uint32_t row = oid->len > object->prefix.len ? oid->sub[object->prefix.len] : UINT32_MAX;
	if (is_column(object) &&
	    (row == 0 || row > last_row(view, object) || is_hole(view, object, row)))
		return;
	set_instance(view, object, is_column(object) ? row : 0, &found);
	if (oid_compare(&found, oid) == 0)
		fill(view, object, row, value);
}

void mib_next(const struct mib_view *view, struct oid *oid, struct mib_value *value)
{
	const struct mib *mib = view->mib;
	size_t below = objects_up_to(mib, oid);
	uint32_t row;

	for (size_t i = below > 0 ? below - 1 : 0; i < mib->n_objects; i++) {
		const struct mib_object *object = &mib->objects[i];
		bool behind = i < below && !belongs(object, oid);
		if (behind || !visible(view, object) || !row_after(view, object, oid, &row))
			continue;
		set_instance(view, object, row, oid);
		fill(view, object, row, value);
		return;
	}
	value->tag = BER_END_OF_MIB_VIEW;
	value->len = 0;
}

void mib_put_value(struct ber_out *out, const struct mib_value *value)
{
	switch (value->tag) {
	case BER_INTEGER:
		ber_put_signed(out, value->tag, (int64_t)value->number);
		break;
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_TIMETICKS:
	case BER_COUNTER64:
		ber_put_unsigned(out, value->tag, value->number);
		break;
	default:
		ber_put_octets(out, value->tag, value->bytes, value->len);
	}
}

/*
 * Varbinds, and the list that owns what they point to.
 *
 * The problem: a request's answer holds a few varbinds, a walk's hundreds of thousands, and both go
 * through the same list. One allocation per OID and per string would be the most expensive thing that
 * a worker does for a record.
 *
 * The design: an array of varbinds and an arena of what they point to. The arena grows by whole chunks
 * and never moves what it holds, so pointers stay good until the reset. A reset that finds several
 * chunks replaces them by one of their size: the same load then costs no allocation at all. Above
 * VARS_KEEP nothing is kept, or every slot of a worker would in time hold on to the largest answer
 * that it ever saw.
 *
 * The trap: OIDs are read as 32-bit words and stand between strings of any length, so lengths are
 * rounded up. On the machines at hand a misaligned read merely works; the sanitizer says so. A kept
 * varbind holds pointers and needs more: whoever takes memory says for what.
 */
#include "base/vars.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_FIRST 256 /* octets: the answer to a GET of an object or two */
#define CHUNK_MAX \
	((size_t)64 * 1024) /* chunks double up to this; a larger value gets one of its own */
#define VARS_FIRST 4        /* varbinds */
#define VARS_KEEP  ((size_t)16 * 1024) /* octets of arena, and of list, that survive a reset */

struct vars_chunk {
	struct vars_chunk *next; /* an older one, full */
	size_t used;
	size_t cap;
	_Alignas(struct varbind) uint8_t octets[]; /* kept varbinds and OIDs are among them */
};

static const char *const type_names[VAR_TYPE_COUNT] = {
	[VAR_INTEGER] = "INTEGER",
	[VAR_OCTETS] = "OCTET STRING",
	[VAR_OID] = "OBJECT IDENTIFIER",
	[VAR_IPADDRESS] = "IpAddress",
	[VAR_COUNTER32] = "Counter32",
	[VAR_GAUGE32] = "Gauge32",
	[VAR_TIMETICKS] = "TimeTicks",
	[VAR_OPAQUE] = "Opaque",
	[VAR_FLOAT] = "Float",
	[VAR_DOUBLE] = "Double",
	[VAR_COUNTER64] = "Counter64",
	[VAR_NULL] = "NULL",
	[VAR_NO_SUCH_OBJECT] = "noSuchObject",
	[VAR_NO_SUCH_INSTANCE] = "noSuchInstance",
	[VAR_END_OF_MIB_VIEW] = "endOfMibView",
};

const char *var_type_name(enum var_type t)
{
	return type_names[t];
}

static struct vars_chunk *chunk_new(struct vars_chunk *next, size_t cap)
{
	struct vars_chunk *c = mem_alloc(sizeof(*c) + cap);

	*c = (struct vars_chunk){.next = next, .cap = cap};
	return c;
}

static void chunks_free(struct vars_chunk *c)
{
	while (c) {
		struct vars_chunk *next = c->next;

		free(c);
		c = next;
	}
}

/* Room for len octets in the newest chunk; a new one takes over when they do not fit. */
static void *arena_take(struct vars *vs, size_t len, size_t align)
{
	struct vars_chunk *c = vs->chunks;
	size_t at = c ? (c->used + align - 1) & ~(align - 1) : 0, cap;

	if (!c || at > c->cap || c->cap - at < len) {
		cap = c ? c->cap * 2 : CHUNK_FIRST;
		if (cap > CHUNK_MAX)
			cap = CHUNK_MAX;
		if (cap < len)
			cap = len;
		c = vs->chunks = chunk_new(c, cap);
		at = 0;
	}
	c->used = at + len;
	return c->octets + at;
}

static void *arena_copy(struct vars *vs, const void *p, size_t len, size_t align)
{
	void *copy = arena_take(vs, len, align);

	if (len)
		memcpy(copy, p, len);
	return copy;
}

static const uint32_t *oid_copy(struct vars *vs, const uint32_t *id, size_t len)
{
	return arena_copy(vs, id, len * sizeof(*id), _Alignof(uint32_t));
}

/* v's OID and value become copies in the arena. */
static void take_over(struct vars *vs, struct varbind *v)
{
	v->oid = oid_copy(vs, v->oid, v->noid);
	switch (v->type) {
	case VAR_OCTETS:
	case VAR_IPADDRESS:
	case VAR_OPAQUE:
		v->value.octets.p = arena_copy(vs, v->value.octets.p, v->value.octets.len, 1);
		break;
	case VAR_OID:
		v->value.oid.id = oid_copy(vs, v->value.oid.id, v->value.oid.len);
		break;
	default: /* the value is in the varbind */
		break;
	}
}

void vars_add(struct vars *vs, const struct varbind *v)
{
	struct varbind copy = *v; /* v may point into the list that moves now */

	if (vs->count == vs->cap) {
		vs->cap = vs->cap ? vs->cap * 2 : VARS_FIRST;
		vs->list = mem_resize(vs->list, vs->cap, sizeof(*vs->list));
	}
	take_over(vs, &copy);
	vs->list[vs->count++] = copy;
}

const struct varbind *vars_keep(struct vars *vs, const struct varbind *v)
{
	struct varbind *copy = arena_take(vs, sizeof(*copy), _Alignof(struct varbind));

	*copy = *v;
	copy->label = NULL; /* a label has none */
	take_over(vs, copy);
	return copy;
}

/* The cells of a table's row share a label: one copy does for those that follow one another. */
void vars_append(struct vars *vs, const struct vars *more)
{
	const struct varbind *label = NULL, *kept = NULL;

	for (size_t i = 0; i < more->count; i++) {
		struct varbind v = more->list[i];

		if (v.label != label) {
			label = v.label;
			kept = label ? vars_keep(vs, label) : NULL;
		}
		v.label = kept;
		vars_add(vs, &v);
	}
}

static void arena_reset(struct vars *vs)
{
	struct vars_chunk *c = vs->chunks;
	size_t total = 0;

	if (c && !c->next) { /* small: it began with an OID, or an earlier reset made it */
		c->used = 0;
		return;
	}
	for (; c; c = c->next)
		total += c->cap;
	chunks_free(vs->chunks);
	vs->chunks = total && total <= VARS_KEEP ? chunk_new(NULL, total) : NULL;
}

void vars_reset(struct vars *vs)
{
	arena_reset(vs);
	vs->count = 0;
	if (vs->cap * sizeof(*vs->list) > VARS_KEEP) {
		free(vs->list);
		vs->list = NULL;
		vs->cap = 0;
	}
}

void vars_free(struct vars *vs)
{
	chunks_free(vs->chunks);
	free(vs->list);
	*vs = (struct vars){0};
}

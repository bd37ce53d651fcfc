/*
 * Sorted lines become families of samples: the master's half of the format.
 *
 * The problem: a # TYPE stands before the first sample of a family, and which types its devices gave is
 * known after the last; a host may have two records, of which one must go, from every family; and both
 * in memory that does not grow with the run.
 *
 * The design: all of it is put into the keys by which the lines are sorted.
 *
 *   CLASS FAMILY NUL LABELS NUL NUMBER-OF-THE-TARGET    a sample
 *   CLASS FAMILY NUL 01 TYPE                            the family has samples of that type
 *
 * So the types come before the samples. snmp_up, of which each record has one, is a class that comes before
 * all others: two in a row with the same labels are two records of one host, the later target is left out,
 * and a bit is kept for it (a megabyte for eight million targets, and none where no host comes twice). Series
 * that come twice stand side by side.
 *
 * Types are told once for many samples: a table of hashes remembers which were told of late. Told twice is
 * no harm.
 *
 * The trap: the lines are a worker's word. What is none of the above is dropped, or it would stand in
 * the file as somebody else's sample.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "out/prometheus.h"

#define TOLD     4096 /* hashes: more than there are columns in the tables that one polls */
#define TYPE_KEY 0x01 /* before every label */
#define SEQ      8    /* octets */

struct families {
	uint64_t *told;    /* TOLD hashes of family and type; 0: none */
	struct buf family; /* of the last item, with its class and NUL */
	struct buf labels; /* of its last sample */
	unsigned types;    /* bits of its types */
	bool begun;        /* its # TYPE is out */
	uint8_t *left_out; /* a bit for each target */
	size_t left_out_size;
	uint64_t doubles;
	char *first_double; /* its labels */
};

/* A line, or the key of an item, taken apart. */
struct sample {
	const uint8_t *family; /* with its class and NUL */
	size_t family_len;
	const uint8_t *labels;
	size_t labels_len;
	const uint8_t *rest; /* behind the labels' NUL */
	size_t rest_len;
};

static const char types[] = "cgu";
static const char *const type_names[] = {"counter", "gauge", "untyped"};

void *prometheus_begin(void)
{
	struct families *f = mem_zero(1, sizeof(*f));

	f->told = mem_zero(TOLD, sizeof(*f->told));
	return f;
}

/* False: it has not the parts. */
static bool split(struct sample *s, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len, *labels, *rest;

	labels = len ? memchr(p, '\0', len) : NULL;
	rest = labels && ++labels < end ? memchr(labels, '\0', (size_t)(end - labels)) : NULL;
	if (!rest)
		return false;
	rest++;
	*s = (struct sample){p,    (size_t)(labels - p), labels, (size_t)(rest - 1 - labels),
			     rest, (size_t)(end - rest)};
	return true;
}

/* --- in ----------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t hash_of(const struct sample *s, uint8_t type)
{
	uint64_t h = (14695981039346656037u ^ type) * 1099511628211u;

	for (size_t i = 0; i < s->family_len; i++)
		h = (h ^ s->family[i]) * 1099511628211u;
	return h ? h : 1;
}

static bool put_type(struct families *f, struct spool_sort *sort, const struct sample *s)
{
	uint64_t hash = hash_of(s, s->rest[0]), *told = &f->told[hash % TOLD];
	struct buf key = {0};
	bool put;

	if (*told == hash)
		return true;
	buf_put(&key, s->family, s->family_len);
	buf_putc(&key, TYPE_KEY);
	buf_putc(&key, (char)s->rest[0]);
	put = spool_sort_put(sort, &(struct spool_item){.key = key.data, .key_len = key.len});
	buf_free(&key);
	if (put)
		*told = hash;
	return put;
}

static bool is_good(const struct sample *s)
{
	return s->family_len > 2 && (s->family[0] == '0' || s->family[0] == '1') &&
	       s->labels_len > 4 && !memcmp(s->labels, "host", 4) && s->rest_len > 1 &&
	       s->rest[0] && strchr(types, s->rest[0]);
}

bool prometheus_put(void *state, struct spool_sort *sort, uint64_t seq, const void *line,
		    size_t len)
{
	struct sample s;
	struct buf key = {0};
	bool put;

	if (!split(&s, line, len) || !is_good(&s))
		return true;
	if (!put_type(state, sort, &s))
		return false;
	buf_put(&key, line, len - s.rest_len);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_putc(&key, (char)(uint8_t)(seq >> shift));
	put = spool_sort_put(sort,
			     &(struct spool_item){key.data, key.len, s.rest + 1, s.rest_len - 1});
	buf_free(&key);
	return put;
}

/* --- out ---------------------------------------------------------------------------------- */

static bool is_same(const struct buf *b, const uint8_t *p, size_t len)
{
	return b->len == len && !memcmp(b->data, p, len);
}

static void keep(struct buf *b, const uint8_t *p, size_t len)
{
	b->len = 0;
	buf_room(b, 1);
	buf_put(b, p, len);
}

static uint64_t seq_of(const struct sample *s)
{
	uint64_t seq = 0;

	for (size_t i = 0; i < SEQ; i++)
		seq = seq << 8 | s->rest[i];
	return seq;
}

static bool is_left_out(const struct families *f, uint64_t seq)
{
	return seq / 8 < f->left_out_size && f->left_out[seq / 8] >> seq % 8 & 1;
}

static void leave_out(struct families *f, const struct sample *s)
{
	uint64_t seq = seq_of(s);
	size_t size = f->left_out_size;

	if (seq / 8 >= size) {
		f->left_out_size = (size_t)(seq / 8 + 1) * 2;
		f->left_out = mem_resize(f->left_out, f->left_out_size, 1);
		memset(f->left_out + size, 0, f->left_out_size - size);
	}
	f->left_out[seq / 8] |= (uint8_t)(1u << seq % 8);
	if (f->doubles++ == 0)
		f->first_double = mem_strndup((const char *)s->labels, s->labels_len);
}

static void put_type_line(struct families *f, struct buf *out)
{
	const char *name = "untyped"; /* or its devices do not agree */

	for (unsigned i = 0; types[i]; i++)
		if (f->types == 1u << i)
			name = type_names[i];
	buf_puts(out, "# TYPE ");
	buf_put(out, f->family.data + 1, f->family.len - 2);
	buf_putc(out, ' ');
	buf_puts(out, name);
	buf_putc(out, '\n');
	f->begun = true;
}

static void put_sample(struct families *f, struct buf *out, const struct sample *s,
		       const struct spool_item *item)
{
	if (!f->begun)
		put_type_line(f, out);
	buf_put(out, s->family + 1, s->family_len - 2);
	buf_putc(out, '{');
	buf_put(out, s->labels, s->labels_len);
	buf_puts(out, "} ");
	buf_put(out, item->p, item->len);
	buf_putc(out, '\n');
}

/* A family's first item. */
static void begin_family(struct families *f, const uint8_t *family, size_t len)
{
	keep(&f->family, family, len);
	f->labels.len = 0;
	f->types = 0;
	f->begun = false;
}

static void take_type(struct families *f, uint8_t type)
{
	for (unsigned i = 0; types[i]; i++)
		if (types[i] == (char)type)
			f->types |= 1u << i;
}

void prometheus_item(void *state, struct buf *out, const struct spool_item *item)
{
	struct families *f = state;
	const uint8_t *nul = memchr(item->key, '\0', item->key_len);
	size_t len = (size_t)(nul - item->key) + 1;
	struct sample s;

	if (!is_same(&f->family, item->key, len))
		begin_family(f, item->key, len);
	if (nul[1] == TYPE_KEY) {
		take_type(f, nul[2]);
		return;
	}
	if (!split(&s, item->key, item->key_len))
		return; /* cannot be: what is none was not put in */
	if (is_same(&f->labels, s.labels, s.labels_len)) {
		if (s.family[0] == '0')
			leave_out(f, &s);
		return;
	}
	if (is_left_out(f, seq_of(&s)))
		return;
	keep(&f->labels, s.labels, s.labels_len);
	put_sample(f, out, &s, item);
}

void prometheus_end(void *state)
{
	struct families *f = state;

	if (f->doubles)
		log_warning(
			"prometheus: of %llu records whose host came before, such as %s, nothing "
			"is written; give them labels of their own",
			(unsigned long long)f->doubles, f->first_double);
	free(f->told);
	free(f->left_out);
	free(f->first_double);
	buf_free(&f->family);
	buf_free(&f->labels);
	free(f);
}

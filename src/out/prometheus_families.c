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
 * The trap: the lines are a worker's word, and one wrong octet makes readers refuse the whole file, with the samples
 * of all other hosts; so does a series that comes twice. So a line is what a sound worker may have sent, its labels in
 * that order, or it is dropped; and its host is the one that the master gave it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "out/prometheus.h"

#define TOLD     4096 /* hashes: more than there are columns in the tables that one polls */
#define TYPE_KEY 0x01 /* before every label */
#define SEQ      8    /* octets */
#define UP       "snmp_up"

struct families {
	uint64_t *told;    /* TOLD hashes of family and type; 0: none */
	struct buf host;   /* label of the target whose lines come */
	uint64_t seq;      /* its number */
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

/* --- a worker's word ---------------------------------------------------------------------- */

/* Where the name at p ends; p: there is none. */
static const uint8_t *name_end(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *start = p;

	while (p < end && (*p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			   (p > start && *p >= '0' && *p <= '9')))
		p++;
	return p;
}

/* Labels stand in this order, so that no series can come in two orders; 0: not for a worker to give. */
static unsigned rank_of(const uint8_t *name, size_t len)
{
	static const struct {
		const char *name;
		unsigned rank;
	} ours[] = {{"host", 0}, {"host_escaped", 0}, {"host_hex", 0},  {"index", 1},
		    {"oid", 1},  {"value", 3},        {"value_hex", 3}, {"value_escaped", 3}};

	if (len == 0 || *name == '_') /* as in __name__ */
		return 0;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (len == strlen(ours[i].name) && !memcmp(name, ours[i].name, len))
			return ours[i].rank;
	return 2;
}

/* Where the text at p, from quote to quote, ends; NULL: nowhere, or it has an escape that is none. */
static const uint8_t *quoted_end(const uint8_t *p, const uint8_t *end)
{
	if (p == end || *p++ != '"')
		return NULL;
	for (; p < end && *p != '"'; p++)
		if (*p == '\\' && (++p == end || !strchr("\\\"n", *p)))
			return NULL;
	return p < end ? p + 1 : NULL;
}

static bool labels_are_sound(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	unsigned last = 0;

	if (!value_is_text(p, len) || memchr(p, '\r', len))
		return false;
	while (p < end) {
		const uint8_t *behind = name_end(p, end);
		unsigned rank = rank_of(p, (size_t)(behind - p));

		if (rank <= last || behind == end || *behind != '=')
			return false;
		last = rank;
		p = quoted_end(behind + 1, end);
		if (!p || (p < end && (*p++ != ',' || p == end)))
			return false;
	}
	return true;
}

static bool value_is_sound(const uint8_t *p, size_t len)
{
	char text[VALUE_MAX + 1] = "", *end;

	if (len == 0 || len > VALUE_MAX)
		return false;
	memcpy(text, p, len);
	if (!strcmp(text, "NaN") || !strcmp(text, "+Inf") || !strcmp(text, "-Inf"))
		return true;
	return strspn(text, "+-.0123456789e") == len && isfinite(strtod(text, &end)) && !*end;
}

static bool is_sound(const struct sample *s)
{
	const uint8_t *name = s->family + 1, *nul = s->family + s->family_len - 1;
	bool is_up = s->family_len == sizeof(UP) + 1 && !memcmp(name, UP, sizeof(UP) - 1);

	if (s->family_len < 3 || s->family[0] != (is_up ? '0' : '1') || name_end(name, nul) != nul)
		return false;
	if (is_up ? s->labels_len > 0 : !labels_are_sound(s->labels, s->labels_len))
		return false;
	return s->rest_len > 0 && s->rest[0] && strchr(types, s->rest[0]) &&
	       value_is_sound(s->rest + 1, s->rest_len - 1);
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

void prometheus_target(void *state, uint64_t seq, const struct record *r)
{
	struct families *f = state;

	f->seq = seq;
	f->host.len = 0;
	buf_room(&f->host, 1);
	prometheus_label(&f->host, 0, "host", value_put_host(&f->host, r));
}

bool prometheus_put(void *state, struct spool_sort *sort, const void *line, size_t len)
{
	struct families *f = state;
	struct sample s;
	struct buf key = {0};
	bool put;

	if (!split(&s, line, len) || !is_sound(&s))
		return true;
	if (!put_type(f, sort, &s))
		return false;
	buf_put(&key, s.family, s.family_len);
	buf_put(&key, f->host.data, f->host.len);
	if (s.labels_len)
		buf_putc(&key, ',');
	buf_put(&key, s.labels, s.labels_len + 1);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_putc(&key, (char)(uint8_t)(f->seq >> shift));
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
	buf_free(&f->host);
	buf_free(&f->family);
	buf_free(&f->labels);
	free(f);
}

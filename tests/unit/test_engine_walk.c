/* engine, its walks: a scripted device on a socket of this process, with a MIB that is arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "snmp/engine_internal.h"
#include "snmp/peek.h"

#define ROWS_MAX 20000
#define LATE_MAX 64
#define WAIT_MS  20000 /* that nothing here takes, unless it hangs */
#define ENTRY    8     /* sub-identifiers of the entry */

static const uint32_t entry[ENTRY] = {1, 3, 6, 1, 2, 1, 50, 1};
static const uint32_t beyond[] = {1, 3, 6, 1, 2, 1, 99, 1, 0};

struct request_in { /* as a device sees it */
	uint8_t type;
	size_t repetitions;
	struct vars names;
};

struct late {
	int64_t due_us;
	uint8_t data[4096];
	size_t len;
	struct sockaddr_storage to;
	socklen_t to_len;
};

struct lab;

/* entry.COLUMN.ROW, all integers; behind them `beyond`, or the end of the MIB. */
struct device {
	struct lab *lab;
	int fd;
	struct addr addr;
	uint32_t columns, rows;
	bool last; /* nothing is beyond */
	/* what it does wrong; 0: nothing */
	size_t too_big;    /* tooBig for an answer of more varbinds … */
	bool nothing_fits; /* … and even for one */
	size_t drop_over;  /* sends no answer of more varbinds */
	size_t at_most;    /* repetitions, whatever one asks */
	size_t surplus;    /* repetitions more than one asks */
	uint32_t loop_at;  /* the next of this row is row 1 */
	uint32_t none_at;  /* an answer without varbinds to a question for what follows this row */
	uint32_t fail_at;  /* genErr likewise */
	uint32_t fail_in;  /* only in this column; 0: in all */
	unsigned silent_after; /* requests */
	bool silent;
	uint32_t silent_in;  /* this column */
	size_t value_octets; /* its values are strings of so many */
	int64_t late_us;
	/* what it saw */
	unsigned requests, gets, nexts, bulks;
	size_t most_asked; /* varbinds */
	unsigned pending, most_pending;
	unsigned in_silence,
		at_second; /* requests for what it is silent in; all, at the second one */
	struct late late[LATE_MAX];
};

struct lab {
	uint64_t octets_max; /* of a record; 0: as in the program */
	struct loop *loop;
	struct engine *engine;
	struct profile profile;
	struct oid objects[250];
	struct oid walks[10];
	struct table_object table[4];
	struct device device, other;
	_Atomic uint64_t at_work;
	unsigned n; /* records */
	enum record_status status;
	uint32_t tries;
	uint64_t ahead;
	char message[600];
	uint64_t nrows; /* all that came, ahead and in the record */
	uint32_t column[ROWS_MAX], row[ROWS_MAX];
	size_t pieces, longest_piece;
	bool hold_at_rows;
	bool many; /* records: rows are counted for each */
	struct stats stats;
};

/* ---- the device: BER back to front into a buffer's end */

struct writer {
	uint8_t octets[4096];
	size_t at; /* first octet used */
};

static void put(struct writer *w, const void *p, size_t len)
{
	assert_true(w->at >= len);
	w->at -= len;
	memcpy(w->octets + w->at, p, len);
}

/* Closes what was written since `end`. */
static void wrap(struct writer *w, uint8_t tag, size_t end)
{
	size_t len = end - w->at;
	uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	put(w, head, 4);
}

static void put_integer(struct writer *w, int64_t v)
{
	size_t end = w->at;
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	put(w, b, 4);
	wrap(w, 0x02, end);
}

static void put_oid(struct writer *w, const uint32_t *id, size_t len)
{
	size_t end = w->at;

	for (size_t i = len; i > 2; i--) {
		uint32_t v = id[i - 1];
		uint8_t b = v & 0x7f;

		put(w, &b, 1);
		for (v >>= 7; v; v >>= 7) {
			b = (uint8_t)(v | 0x80);
			put(w, &b, 1);
		}
	}
	put(w, &(uint8_t){(uint8_t)(id[0] * 40 + id[1])}, 1);
	wrap(w, 0x06, end);
}

static void put_string(struct writer *w, size_t len)
{
	size_t end = w->at;

	assert_true(w->at >= len);
	w->at -= len;
	memset(w->octets + w->at, 'x', len);
	wrap(w, 0x04, end);
}

struct answer {
	struct varbind list[400];
	uint32_t ids[400][ENTRY + 2];
	size_t n;
	int64_t error, index;
};

static void write_answer(struct writer *w, const struct peek *head, const struct answer *a,
			 size_t value_octets)
{
	size_t end;

	w->at = sizeof(w->octets);
	for (size_t i = a->n; i > 0; i--) {
		const struct varbind *v = &a->list[i - 1];
		size_t start = w->at;

		if (v->type == VAR_INTEGER && value_octets)
			put_string(w, value_octets);
		else if (v->type == VAR_INTEGER)
			put_integer(w, v->value.i);
		else
			put(w, v->type == VAR_END_OF_MIB_VIEW ? "\x82" : "\x81", 2);
		put_oid(w, v->oid, v->noid);
		wrap(w, 0x30, start);
	}
	end = sizeof(w->octets);
	wrap(w, 0x30, end);
	put_integer(w, a->index);
	put_integer(w, a->error);
	put_integer(w, head->request_id);
	wrap(w, PDU_RESPONSE, end);
	end = w->at;
	put(w, head->community, head->community_len);
	wrap(w, 0x04, end);
	put_integer(w, head->version);
	wrap(w, 0x30, sizeof(w->octets));
}

static void add(struct answer *a, const uint32_t *id, size_t len, enum var_type type,
		uint32_t value)
{
	assert_true(a->n < 400 && len <= ENTRY + 2);
	memcpy(a->ids[a->n], id, len * sizeof(*id));
	a->list[a->n] = (struct varbind){
		.oid = a->ids[a->n], .noid = (uint8_t)len, .type = (uint8_t)type, .value.i = value};
	a->n++;
}

/* What follows this OID, appended. */
static void add_next(const struct device *d, struct answer *a, const uint32_t *id, size_t len)
{
	uint32_t next[ENTRY + 2], c = 1, r = 1;
	size_t below = len < ENTRY ? len : ENTRY;
	int order = memcmp(id, entry, below * sizeof(*id)) == 0
			    ? 0
			    : oid_compare(id, below, entry, ENTRY);

	if (order == 0 && len > ENTRY) {
		c = id[ENTRY];
		r = len > ENTRY + 1 ? id[ENTRY + 1] + 1 : 1;
		if (d->loop_at && r == d->loop_at + 1)
			r = 1;
		if (r > d->rows) {
			c++;
			r = 1;
		}
		if (!c)
			c = 1;
	}
	if (order > 0 || c > d->columns || !d->rows) {
		if (d->last || oid_compare(id, len, beyond, 9) >= 0)
			add(a, id, len, VAR_END_OF_MIB_VIEW, 0);
		else
			add(a, beyond, 9, VAR_INTEGER, 7);
		return;
	}
	memcpy(next, entry, sizeof(entry));
	next[ENTRY] = c;
	next[ENTRY + 1] = r;
	add(a, next, ENTRY + 2, VAR_INTEGER, c * 1000 + r);
}

static void get(const struct device *d, struct answer *a, const struct varbind *v)
{
	bool known = v->noid == ENTRY + 2 && v->oid[ENTRY] <= d->columns &&
		     v->oid[ENTRY + 1] <= d->rows;

	known = known || oid_compare(v->oid, v->noid, beyond, 9) == 0;
	add(a, v->oid, v->noid, known ? VAR_INTEGER : VAR_NO_SUCH_INSTANCE, 5);
}

/* v1 has no exceptions: the first one becomes noSuchName. */
static void answer_v1(struct answer *a, const struct vars *names)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->list[i].type == VAR_INTEGER)
			continue;
		a->error = PDU_NO_SUCH_NAME;
		a->index = (int64_t)i + 1;
		a->n = 0;
		for (size_t k = 0; k < names->count; k++)
			add(a, names->list[k].oid, names->list[k].noid, VAR_INTEGER, 0);
		return;
	}
}

static bool is_at(const struct device *d, const struct vars *names, uint32_t row)
{
	for (size_t i = 0; row && i < names->count; i++) {
		const struct varbind *v = &names->list[i];

		if (v->noid == ENTRY + 2 && v->oid[ENTRY + 1] >= row &&
		    (!d->fail_in || v->oid[ENTRY] == d->fail_in))
			return true;
	}
	return false;
}

static void make_answer(struct device *d, const struct request_in *in, struct answer *a)
{
	size_t reps = in->type == PDU_GET_BULK ? in->repetitions : 1, n = in->names.count;

	reps += d->surplus;
	if (d->at_most && reps > d->at_most)
		reps = d->at_most;
	for (size_t k = 0; k < reps; k++) {
		for (size_t i = 0; i < n; i++) {
			const struct varbind *v = k ? &a->list[(k - 1) * n + i]
						    : &in->names.list[i];

			if (in->type == PDU_GET)
				get(d, a, v);
			else
				add_next(d, a, v->oid, v->noid);
		}
	}
	if (is_at(d, &in->names, d->none_at) && in->type != PDU_GET)
		a->n = 0;
	if (is_at(d, &in->names, d->fail_at)) {
		a->n = 0;
		a->error = 5;
		a->index = 1;
	}
	if (d->nothing_fits || (d->too_big && a->n > d->too_big)) {
		a->n = 0;
		a->error = PDU_TOO_BIG;
	}
}

static void read_request(const uint8_t *data, size_t len, const struct peek *head,
			 struct request_in *in)
{
	struct pdu_codec *c = pdu_codec_new();
	struct pdu_answer a;
	uint8_t copy[2048];

	memcpy(copy, data, len);
	copy[(size_t)(head->community - data) + head->community_len] = PDU_RESPONSE;
	assert_true(pdu_decode(c, copy, len, &a, &in->names));
	in->type = head->type;
	in->repetitions = (size_t)a.error_index;
	pdu_codec_free(c);
}

static bool is_silent_in(const struct device *d, const struct vars *names)
{
	const struct varbind *v = &names->list[0];

	return d->silent_in && v->noid > ENTRY && v->oid[ENTRY] == d->silent_in;
}

static void see(struct device *d, const struct request_in *in)
{
	size_t n = in->names.count * (in->type == PDU_GET_BULK ? in->repetitions : 1);

	d->requests++;
	d->gets += in->type == PDU_GET;
	d->nexts += in->type == PDU_GET_NEXT;
	d->bulks += in->type == PDU_GET_BULK;
	if (n > d->most_asked)
		d->most_asked = n;
	if (is_silent_in(d, &in->names) && ++d->in_silence == 2)
		d->at_second = d->requests;
}

static void send_later(struct device *d, const struct writer *w, const struct sockaddr_storage *to,
		       socklen_t to_len)
{
	struct late *l = d->late;

	while (l->len)
		l++;
	assert_true(l < d->late + LATE_MAX);
	*l = (struct late){.due_us = loop_clock_us() + d->late_us, .to = *to, .to_len = to_len};
	l->len = sizeof(w->octets) - w->at;
	memcpy(l->data, w->octets + w->at, l->len);
	if (++d->pending > d->most_pending)
		d->most_pending = d->pending;
}

static void send_due(struct device *d)
{
	for (size_t i = 0; i < LATE_MAX; i++) {
		struct late *l = &d->late[i];

		if (!l->len || l->due_us > loop_clock_us())
			continue;
		d->pending--;
		sendto(d->fd, l->data, l->len, 0, (struct sockaddr *)&l->to, l->to_len);
		l->len = 0;
	}
}

static void serve(struct device *d, const uint8_t *data, size_t len,
		  const struct sockaddr_storage *from, socklen_t from_len)
{
	static struct answer a;
	static struct writer w;
	struct request_in in = {0};
	struct peek head;
	const char *words;
	bool silent;

	assert_true(peek_message(data, len, &head, &words));
	read_request(data, len, &head, &in);
	see(d, &in);
	a.n = 0;
	a.error = a.index = 0;
	make_answer(d, &in, &a);
	if (head.version == SNMP_V1)
		answer_v1(&a, &in.names);
	silent = d->silent || is_silent_in(d, &in.names);
	vars_free(&in.names);
	if (silent || (d->silent_after && d->requests > d->silent_after) ||
	    (d->drop_over && a.n > d->drop_over))
		return;
	write_answer(&w, &head, &a, d->value_octets);
	if (d->late_us)
		send_later(d, &w, from, from_len);
	else
		sendto(d->fd, w.octets + w.at, sizeof(w.octets) - w.at, 0,
		       (const struct sockaddr *)from, from_len);
}

static void on_request(void *arg, unsigned ready)
{
	struct device *d = arg;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t data[2048];
	ssize_t len;

	(void)ready;
	while ((len = recvfrom(d->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_len)) >= 0)
		serve(d, data, (size_t)len, &from, from_len);
}

static void start_device(struct lab *lab, struct device *d)
{
	struct sockaddr_storage sa;
	struct addr any_port = {.family = 4, .ip = {127, 0, 0, 1}};
	socklen_t len = addr_to_sockaddr(&any_port, &sa);

	d->lab = lab;
	d->columns = 3;
	d->rows = 20;
	d->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&sa, len), 0);
	len = sizeof(sa);
	getsockname(d->fd, (struct sockaddr *)&sa, &len);
	addr_from_sockaddr((struct sockaddr *)&sa, &d->addr);
	loop_watch(lab->loop, d->fd, LOOP_READ, on_request, d);
}

/* ---- the engine's side */

static void take(struct lab *lab, const struct record *r)
{
	if (!lab->many)
		assert_int_equal(r->ahead, lab->nrows);
	for (size_t i = 0; i < r->nvars; i++) {
		const struct varbind *v = &r->vars[i];
		uint64_t at = lab->nrows++;

		if (at >= ROWS_MAX)
			continue;
		lab->column[at] = v->noid > ENTRY ? v->oid[ENTRY] : 0;
		lab->row[at] = v->noid > ENTRY + 1 ? v->oid[ENTRY + 1] : 0;
	}
}

static void on_rows(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;

	assert_int_equal(task->seq, 41);
	assert_string_equal(r->host, "device");
	assert_int_equal(lab->at_work, 42);
	assert_true(r->nvars > 0);
	take(lab, r);
	lab->pieces++;
	if (r->nvars > lab->longest_piece)
		lab->longest_piece = r->nvars;
	if (lab->hold_at_rows)
		engine_hold(lab->engine, true);
}

static void on_record(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;

	(void)task;
	lab->n++;
	take(lab, r);
	lab->status = r->status;
	lab->tries = r->tries;
	lab->ahead = r->ahead;
	assert_int_equal(r->message == NULL, r->status == RECORD_OK);
	snprintf(lab->message, sizeof(lab->message), "%s", r->message ? r->message : "");
	if (lab->many)
		lab->nrows = 0;
}

static void set_oid(struct oid *o, const char *text)
{
	assert_true(oid_parse(text, strlen(text), o));
}

static struct lab *open_lab(enum snmp_version version)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	lab->loop = loop_new();
	start_device(lab, &lab->device);
	start_device(lab, &lab->other);
	lab->profile = (struct profile){
		.version = version,
		.community = (char *)(uintptr_t) "public",
		.get = lab->objects,
		.walk = lab->walks,
		.table = lab->table,
		.per_host = 1,
		.max_vars = 1000000000,
		.timeout_us = 500000,
		.retries = 2,
	};
	return lab;
}

static void add_get(struct lab *lab, const char *oid)
{
	set_oid(&lab->objects[lab->profile.nget++], oid);
}

static void add_walk(struct lab *lab, const char *oid)
{
	set_oid(&lab->walks[lab->profile.nwalk++], oid);
}

/* A lab that walks the whole entry. */
static struct lab *open_walk(enum snmp_version version)
{
	struct lab *lab = open_lab(version);

	add_walk(lab, "1.3.6.1.2.1.50.1");
	return lab;
}

static void open_engine(struct lab *lab, unsigned window, bool stream)
{
	struct engine_config config = {
		.profiles = &lab->profile,
		.nprofiles = 1,
		.window = window,
		.at_work = &lab->at_work,
		.done = on_record,
		.rows = stream ? on_rows : NULL,
		.arg = lab,
		.octets_max = lab->octets_max,
	};
	char error[200];

	lab->engine = engine_new(&config, error, sizeof(error));
	assert_non_null(lab->engine);
	engine_attach(lab->engine, lab->loop);
}

static void start(struct lab *lab, const struct device *d)
{
	struct task task = {.seq = 41, .host = "device", .addrs = &d->addr, .naddrs = 1};

	engine_start(lab->engine, &task);
}

static void turn(struct lab *lab)
{
	int64_t next_us = engine_next_us(lab->engine), soon_us = loop_clock_us() + 1000;
	int64_t late_us = loop_turn(lab->loop, next_us < soon_us ? next_us : soon_us);

	if (late_us)
		engine_renew(lab->engine, late_us);
	send_due(&lab->device);
	send_due(&lab->other);
	engine_work(lab->engine);
}

static void run(struct lab *lab, unsigned n)
{
	int64_t until_us = loop_clock_us() + WAIT_MS * INT64_C(1000);

	while (lab->n < n) {
		assert_true(loop_clock_us() < until_us);
		turn(lab);
	}
}

static void run_ms(struct lab *lab, int64_t ms)
{
	int64_t until_us = loop_clock_us() + ms * 1000;

	while (loop_clock_us() < until_us)
		turn(lab);
}

static uint64_t counted(struct lab *lab, enum stats_counter c)
{
	struct stats delta;

	engine_take_stats(lab->engine, &delta);
	stats_add(&lab->stats, &delta);
	return lab->stats.count[c];
}

static void assert_balanced(struct lab *lab)
{
	const uint64_t *n = lab->stats.count;

	counted(lab, STATS_SENT);
	assert_int_equal(engine_tasks(lab->engine), 0);
	assert_int_equal(engine_room(lab->engine), lab->engine->config.window);
	assert_int_equal(n[STATS_SENT], n[STATS_ANSWERED] + n[STATS_REFUSED] + n[STATS_SUPERSEDED] +
						n[STATS_UNANSWERED]);
}

static void ask(struct lab *lab, bool stream)
{
	open_engine(lab, 8, stream);
	start(lab, &lab->device);
	run(lab, 1);
	assert_balanced(lab);
}

static void close_lab(struct lab *lab)
{
	assert_int_equal(lab->at_work, 0);
	engine_free(lab->engine);
	close(lab->device.fd);
	close(lab->other.fd);
	loop_free(lab->loop);
	free(lab);
}

/* Rows at..: all of these columns, one after the other. */
static void assert_columns(const struct lab *lab, size_t at, uint32_t first, uint32_t last,
			   uint32_t rows)
{
	for (uint32_t c = first; c <= last; c++) {
		for (uint32_t r = 1; r <= rows; r++, at++) {
			assert_int_equal(lab->column[at], c);
			assert_int_equal(lab->row[at], r);
		}
	}
}

static void assert_whole(const struct lab *lab)
{
	const struct device *d = &lab->device;

	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, (uint64_t)d->columns * d->rows);
	assert_columns(lab, 0, 1, d->columns, d->rows);
}

/* ---- a walk that goes well */

static void test_bulk(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	ask(lab, false);
	assert_whole(lab);
	assert_true(lab->device.bulks > 1);
	assert_int_equal(lab->device.gets, 0);
	assert_true(lab->device.requests < 10); /* its questions grow */
	assert_int_equal(lab->tries, 1);
	assert_int_equal(lab->device.most_pending, 0);
	close_lab(lab);
}

static void test_v1(void **state)
{
	struct lab *lab = open_walk(SNMP_V1);

	(void)state;
	lab->device.last = true;
	ask(lab, false);
	assert_whole(lab);
	assert_int_equal(lab->device.nexts, 61); /* rows, and noSuchName */
	assert_int_equal(lab->device.requests, 61);
	close_lab(lab);
}

static void test_end_of_mib_view(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->device.last = true;
	ask(lab, false);
	assert_whole(lab);
	close_lab(lab);
}

/* A column, not what comes behind it. */
static void test_end_of_subtree(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 20);
	assert_columns(lab, 0, 2, 2, 20);
	close_lab(lab);
}

static void check_empty(enum snmp_version version, const char *root, uint64_t rows)
{
	struct lab *lab = open_lab(version);

	add_walk(lab, root);
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, rows);
	assert_int_equal(lab->device.gets, 1);
	close_lab(lab);
}

static void test_empty_subtree(void **state)
{
	(void)state;
	check_empty(SNMP_V2C, "1.3.6.1.2.1.99.1.0", 1); /* the object itself */
	check_empty(SNMP_V2C, "1.3.6.1.2.1.60", 0);
	check_empty(SNMP_V1, "1.3.6.1.2.1.99.1.0", 1);
	check_empty(SNMP_V1, "1.3.6.1.2.1.100", 0);
}

static void check_order(unsigned per_host)
{
	struct lab *lab = open_lab(SNMP_V2C);

	lab->profile.per_host = per_host;
	lab->device.rows = 300;
	lab->device.late_us = 2000;
	add_get(lab, "1.3.6.1.2.1.50.1.3.7");
	add_get(lab, "1.3.6.1.2.1.50.1.1.8");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 2 + 3 * 300);
	assert_int_equal(lab->row[0], 7);
	assert_int_equal(lab->row[1], 8);
	assert_columns(lab, 2, 3, 3, 300);
	assert_columns(lab, 2 + 300, 1, 1, 300);
	assert_columns(lab, 2 + 600, 2, 2, 300);
	assert_int_equal(lab->device.most_pending, per_host);
	close_lab(lab);
}

/* get, then walks in order, whatever comes first; and never more in flight than asked for. */
static void test_order(void **state)
{
	(void)state;
	check_order(1);
	check_order(2);
	check_order(3);
}

/* A long list of objects goes side by side too. */
static void test_gets_side_by_side(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->device.rows = 250;
	lab->device.late_us = 2000;
	lab->profile.per_host = 5;
	for (int i = 1; i <= 250; i++) {
		char text[64];

		snprintf(text, sizeof(text), "1.3.6.1.2.1.50.1.1.%d", i);
		add_get(lab, text);
	}
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 250);
	assert_columns(lab, 0, 1, 1, 250);
	assert_int_equal(lab->device.most_pending,
			 lab->device.requests - 1); /* the first one alone */
	assert_in_range(lab->device.requests, 4, 6);
	close_lab(lab);
}

/* ---- answers of the wrong size */

static void check_too_big(enum snmp_version version, size_t limit)
{
	struct lab *lab = open_walk(version);

	lab->device.too_big = limit;
	ask(lab, false);
	assert_whole(lab);
	assert_true(lab->device.requests < 60 / limit + 40);
	assert_int_equal(lab->tries, 1);
	close_lab(lab);
}

static void test_too_big(void **state)
{
	(void)state;
	check_too_big(SNMP_V2C, 7);
	check_too_big(SNMP_V2C, 1);
}

static size_t count_in(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* tooBig for a single varbind is an error, and says where. */
static void check_too_big_for_one(enum snmp_version version)
{
	struct lab *lab = open_walk(version);

	open_engine(lab, 8, false);
	lab->device.at_most = 4;
	start(lab, &lab->device);
	while (lab->device.requests < 3)
		turn(lab);
	lab->device.nothing_fits = true;
	run(lab, 1);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message,
			    "error: tooBig, asked for what follows 1.3.6.1.2.1.50.1.1.", 57);
	assert_non_null(strstr(lab->message, " (walk of 1.3.6.1.2.1.50.1)"));
	assert_balanced(lab);
	close_lab(lab);
}

static void test_too_big_for_one(void **state)
{
	(void)state;
	check_too_big_for_one(SNMP_V1);
	check_too_big_for_one(SNMP_V2C);
}

static void test_short_answers(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->device.at_most = 3;
	ask(lab, false);
	assert_whole(lab);
	assert_in_range(lab->device.requests, 20, 22);
	close_lab(lab);
}

static void test_answer_without_varbinds(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->device.none_at = 1;
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "malformed: ", 11);
	assert_non_null(strstr(lab->message, "(walk of 1.3.6.1.2.1.50.1)"));
	assert_in_range(lab->nrows, 1, 20);
	assert_int_equal(counted(lab, STATS_MALFORMED), 1);
	close_lab(lab);
}

static void check_loop(bool allow, enum record_status status)
{
	struct lab *lab = open_walk(SNMP_V2C);

	lab->profile.nonincreasing = allow;
	lab->device.loop_at = 12;
	ask(lab, false);
	assert_int_equal(lab->status, status);
	assert_memory_equal(lab->message, "malformed: ", 11);
	assert_non_null(strstr(lab->message, "1.3.6.1.2.1.50.1.1.1 "));
	assert_int_equal(lab->nrows, 12);
	assert_columns(lab, 0, 1, 1, 12);
	close_lab(lab);
}

static void test_nonincreasing(void **state)
{
	(void)state;
	check_loop(false, RECORD_PARTIAL);
	check_loop(true, RECORD_PARTIAL); /* what comes twice is a loop even then */
}

/* Large answers are dropped without a word: by one that has answered before, and by one that has not. */
static void check_dropped(size_t limit, bool known, unsigned retries)
{
	struct lab *lab = open_walk(SNMP_V2C);

	lab->profile.retries = retries;
	lab->profile.timeout_us = 10000;
	lab->device.drop_over = limit;
	if (known)
		add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 60 + known);
	assert_columns(lab, known, 1, 3, 20);
	close_lab(lab);
}

static void test_large_answers_are_dropped(void **state)
{
	(void)state;
	check_dropped(4, true, 2);
	check_dropped(1, true, 2);
	check_dropped(1, true, 0); /* each size has one try */
	check_dropped(4, false, 2);
	check_dropped(1, false, 1); /* the last try is small */
}

/* What was learnt of a size holds: few tries are lost to it, and not for ever when it was chance. */
static void check_remembered(unsigned retries)
{
	struct lab *lab = open_walk(SNMP_V2C);
	uint64_t lost;

	lab->profile.timeout_us = 5000;
	lab->profile.retries = retries;
	lab->device.rows = 400;
	lab->device.drop_over = 12;
	add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 1 + 1200);
	lost = counted(lab, STATS_SUPERSEDED) + counted(lab, STATS_UNANSWERED);
	assert_in_range(lost, 1, 16);
	assert_in_range(lab->device.requests, 100, 220);
	close_lab(lab);
}

static void test_sizes_are_remembered(void **state)
{
	(void)state;
	check_remembered(2);
	check_remembered(0); /* what is smaller is another question */
}

static void test_small_for_a_while(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->device.rows = 400;
	lab->device.too_big = 1;
	open_engine(lab, 8, false);
	start(lab, &lab->device);
	while (lab->device.requests < 10)
		turn(lab);
	lab->device.too_big = 0;
	run(lab, 1);
	assert_whole(lab);
	assert_in_range(lab->device.requests, 20, 120);
	close_lab(lab);
}

/* ---- silence */

static void test_silent_from_the_start(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->profile.timeout_us = 10000;
	lab->profile.per_host = 4;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	lab->device.silent = true;
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_TIMEOUT);
	assert_memory_equal(lab->message, "no answer after 3 tries (is UDP ", 32);
	assert_int_equal(lab->device.requests, 3); /* its first question, and no other */
	assert_int_equal(lab->tries, 3);
	close_lab(lab);
}

/* Who never answered is not asked for less, either: that was the last try's. */
static void test_silent_to_one_try(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->profile.timeout_us = 10000;
	lab->profile.retries = 0;
	lab->device.silent = true;
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_TIMEOUT);
	assert_int_equal(lab->device.requests, 1);
	close_lab(lab);
}

static void test_silent_in_a_walk(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);
	unsigned asked;

	(void)state;
	lab->profile.timeout_us = 5000;
	lab->profile.retries = 1;
	lab->device.at_most = 4;
	lab->device.silent_after = 3;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_int_equal(lab->nrows, 12);
	assert_memory_equal(lab->message, "timeout: no answer after ", 25);
	assert_non_null(strstr(lab->message, ", asked for what follows 1.3.6.1.2.1.50.1.1.12 "
					     "(walk of 1.3.6.1.2.1.50.1)"));
	assert_null(strstr(lab->message, "is UDP"));
	asked = lab->device.requests - 3; /* in halves, down to one varbind, and not for ever */
	assert_in_range(asked, 2, 12);
	assert_int_equal(lab->tries, asked);
	close_lab(lab);
}

/* While a question is tried again no other is begun. */
static void check_no_more(unsigned retries)
{
	struct lab *lab = open_lab(SNMP_V2C);
	const struct device *d = &lab->device;

	lab->profile.per_host = 2;
	lab->profile.timeout_us = 50000;
	lab->profile.retries = retries;
	lab->device.at_most = 1;
	lab->device.rows = 15000;
	lab->device.silent_in = 1;
	add_get(lab, "1.3.6.1.2.1.50.1.2.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2"); /* the first: nothing but the silence stops it */
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "timeout: ", 9);
	assert_true(d->at_second > 4); /* the other walk went well meanwhile */
	/* then there are the further tries, and what was under way */
	assert_in_range(d->requests - d->at_second, d->in_silence - 2, d->in_silence);
	assert_int_equal(lab->tries, d->in_silence); /* all of them of one question */
	close_lab(lab);
}

static void test_no_more_for_who_is_late(void **state)
{
	(void)state;
	check_no_more(2);
	check_no_more(0); /* each size has one try, and all are of one question */
}

/* When the question has been answered after all, the others are begun. */
static void test_all_for_who_answers_again(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.per_host = 3;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 5;
	lab->device.silent = true;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	open_engine(lab, 8, false);
	start(lab, &lab->device);
	while (lab->device.requests < 3) /* two tries are lost, perhaps more */
		turn(lab);
	lab->device.silent = false;
	lab->device.late_us = 2000;
	run(lab, 1);
	assert_whole(lab);
	assert_int_equal(lab->device.most_pending, 3);
	close_lab(lab);
}

/* ---- faults end a strand, not the job */

static void test_other_walks_go_on(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->device.fail_at = 5;
	lab->device.fail_in = 2;
	lab->device.at_most = 4;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	ask(lab, false);
	assert_memory_equal(lab->message,
			    "error: genErr, asked for what follows 1.3.6.1.2.1.50.1.2.", 57);
	assert_int_equal(count_in(lab->message, "genErr"), 1);
	assert_non_null(strstr(lab->message, "(walk of 1.3.6.1.2.1.50.1.2)"));
	assert_int_equal(lab->nrows, 20 + 8 + 20);
	assert_columns(lab, 0, 1, 1, 20);
	assert_columns(lab, 20, 2, 2, 8);
	assert_columns(lab, 28, 3, 3, 20);
	close_lab(lab);
}

/* Of several faults the first one decides. */
static void test_the_first_fault(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->device.at_most = 4;
	lab->device.loop_at = 8;
	lab->device.fail_at = 6;
	lab->device.fail_in = 2;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->nrows, 8 + 8);
	assert_memory_equal(lab->message, "malformed: ", 11);
	assert_null(strstr(lab->message, "genErr"));
	close_lab(lab);
}

static void test_walks_go_on_after_a_failed_get(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	add_get(lab, "1.3.6.1.2.1.50.1.1.9");
	lab->device.fail_at = 9;
	lab->device.at_most = 4;
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_string_equal(lab->message, "error: genErr at 1.3.6.1.2.1.50.1.1.9: the agent could "
					  "not read it; its own log may say why");
	assert_in_range(lab->nrows, 8, 12);
	close_lab(lab);
}

static void test_a_timeout_after_a_fault(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.timeout_us = 5000;
	lab->profile.retries = 0;
	lab->device.fail_at = 5;
	lab->device.fail_in = 1;
	lab->device.at_most = 5;
	lab->device.silent_after = 8;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "timeout: no answer after ", 25);
	assert_non_null(strstr(lab->message, "; before that, error: genErr, asked for"));
	close_lab(lab);
}

/* ---- many rows */

static void test_rows_go_ahead(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);
	struct rusage before, after;

	(void)state;
	lab->device.columns = 2;
	lab->device.rows = 100000;
	getrusage(RUSAGE_SELF, &before);
	ask(lab, true);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 200000);
	assert_columns(lab, 0, 1, 1, ROWS_MAX);
	assert_in_range(lab->longest_piece, 4000, 4100);
	assert_true(lab->pieces > 40);
	assert_true(lab->ahead > 190000 && lab->ahead < 200000);
#ifndef __SANITIZE_ADDRESS__                                    /* keeps what was freed */
	assert_true(after.ru_maxrss - before.ru_maxrss < 8192); /* KiB; all of them are 20 MiB */
#endif
	close_lab(lab);
}

/* Long values make fewer of them, and so do those that waited for their turn. */
static void test_octets_go_ahead(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->device.rows = 1000;
	lab->device.value_octets = 300;
	lab->profile.per_host = 2;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, true);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 2000);
	assert_columns(lab, 0, 1, 2, 1000);
	assert_in_range(lab->longest_piece, 300, 450);
	assert_in_range(lab->pieces, 4, 7);
	close_lab(lab);
}

/* None of them is large, but all of them together are: each gives its rows away sooner. */
static void test_many_walks_share_the_memory(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->many = true;
	lab->device.columns = 2;
	lab->device.rows = 300; /* 75 KB of answers */
	lab->device.value_octets = 100;
	open_engine(lab, 200, true);
	for (unsigned i = 0; i < 200; i++)
		start(lab, &lab->device);
	run(lab, 200);
	assert_int_equal(lab->status, RECORD_OK);
	assert_in_range(lab->longest_piece, 100, 220);
	assert_in_range(lab->ahead, 400, 600);
	assert_balanced(lab);
	close_lab(lab);
}

static void test_rows_are_kept_without_a_taker(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->device.columns = 1;
	lab->device.rows = 10000;
	ask(lab, false);
	assert_whole(lab);
	assert_int_equal(lab->ahead, 0);
	close_lab(lab);
}

/* Rows of a later walk wait, and do not grow. */
static void test_ahead_of_turn_is_bounded(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);
	struct job *job;
	size_t most = 0;

	(void)state;
	lab->profile.per_host = 2;
	lab->device.rows = 9000;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	open_engine(lab, 8, true);
	start(lab, &lab->device);
	job = &lab->engine->jobs[0];
	while (!lab->n) {
		turn(lab);
		if (job->at_work && job->buffered > most)
			most = job->buffered;
		if (job->at_work && TAILQ_FIRST(&job->strands)->number == 1)
			assert_int_equal(job->buffered, 0); /* its turn */
	}
	assert_in_range(most, 10000, (64 << 10) + 4096);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->nrows, 18000);
	assert_columns(lab, 0, 1, 2, 9000);
	assert_balanced(lab);
	close_lab(lab);
}

static void check_cap(uint64_t cap, bool stream, uint32_t rows)
{
	struct lab *lab = open_walk(SNMP_V2C);
	char words[160];

	lab->profile.max_vars = cap;
	lab->device.columns = 1;
	lab->device.rows = rows;
	add_walk(lab, "1.3.6.1.2.1.60"); /* asks for nothing when it is over */
	ask(lab, stream);
	assert_int_equal(lab->nrows, cap < rows ? cap : rows);
	assert_columns(lab, 0, 1, 1, (uint32_t)lab->nrows);
	assert_int_equal(lab->status, cap < rows ? RECORD_PARTIAL : RECORD_OK);
	if (cap < rows) {
		snprintf(words, sizeof(words),
			 "cancelled: more than %u rows (max_vars), the next "
			 "is 1.3.6.1.2.1.50.1.1.%u (walk of 1.3",
			 (unsigned)cap, (unsigned)cap + 1);
		assert_memory_equal(lab->message, words, strlen(words));
	}
	close_lab(lab);
}

static void test_cap(void **state)
{
	(void)state;
	check_cap(20, false, 20);
	check_cap(19, false, 20);
	check_cap(1, false, 20);
	check_cap(9000, true, 9000);
	check_cap(8999, true, 9000);
	check_cap(4000, true, 9000);
}

static void test_cap_of_gets(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.max_vars = 2;
	add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	add_get(lab, "1.3.6.1.2.1.50.1.1.2");
	add_get(lab, "1.3.6.1.2.1.50.1.1.3");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_int_equal(lab->nrows, 2);
	assert_string_equal(lab->message, "cancelled: more than 2 rows (max_vars), the next is "
					  "1.3.6.1.2.1.50.1.1.3");
	close_lab(lab);
}

/* Rows that waited for their turn count when the job ends before it. */
static void test_cap_at_an_early_end(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.max_vars = 30;
	lab->profile.per_host = 2;
	lab->profile.timeout_us = 60000;
	lab->device.rows = 1000;
	lab->device.silent_in = 1;
	add_get(lab, "1.3.6.1.2.1.50.1.2.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "timeout: ", 9);
	assert_int_equal(lab->nrows, 30);
	close_lab(lab);
}

/* A device of long rows: some of them are had, in two runs the bound holds for each anew. */
static void check_octets(uint64_t most, bool ends)
{
	struct lab *lab = open_walk(SNMP_V2C);

	lab->octets_max = most;
	lab->device.columns = 1;
	lab->device.rows = 18000;
	lab->device.value_octets = 100;
	lab->profile.max_repetitions = 20;
	open_engine(lab, 8, true);
	for (unsigned run_number = 1; run_number <= 2; run_number++) {
		lab->nrows = 0;
		start(lab, &lab->device);
		run(lab, run_number);
		assert_balanced(lab);
		assert_int_equal(lab->status, ends ? RECORD_PARTIAL : RECORD_OK);
		assert_columns(lab, 0, 1, 1, (uint32_t)lab->nrows);
		if (!ends) {
			assert_int_equal(lab->nrows, 18000);
			continue;
		}
		assert_in_range(lab->nrows, (most - 200000) / 130, (most + 200000) / 100);
		assert_string_equal(lab->message,
				    "cancelled: more than 1 MiB of answers for one record");
	}
	close_lab(lab);
}

static void test_octets_of_a_record(void **state)
{
	(void)state;
	check_octets(1 << 20, true);
	check_octets(4 << 20, false);
	check_octets(0, false);
}

/* ---- the end comes early */

static void test_deadline(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);
	int64_t begin_us = loop_clock_us();

	(void)state;
	lab->profile.deadline_us = 60000;
	lab->profile.per_host = 2;
	lab->device.rows = 15000;
	lab->device.late_us = 3000;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, true);
	assert_in_range(loop_clock_us() - begin_us, 60000, 450000);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message,
			    "cancelled: the deadline of the host came first, asked "
			    "for what follows 1.3.6.1.2.1.50.1.",
			    88);
	assert_in_range(lab->nrows, 100, 14000);
	close_lab(lab);
}

static void test_cancel(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->profile.per_host = 3;
	lab->device.rows = 15000;
	lab->device.late_us = 3000;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	open_engine(lab, 8, true);
	start(lab, &lab->device);
	run_ms(lab, 40);
	assert_int_equal(lab->device.most_pending, 3);
	engine_cancel(lab->engine);
	engine_work(lab->engine);
	assert_int_equal(lab->n, 1);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "cancelled: stopped before there was an answer", 45);
	assert_true(lab->nrows > 10);
	assert_balanced(lab);
	close_lab(lab);
}

static void test_hold(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);
	unsigned requests;
	int64_t until_us = loop_clock_us() + WAIT_MS * INT64_C(1000);

	(void)state;
	lab->hold_at_rows = true;
	lab->device.rows = 5000;
	open_engine(lab, 8, true);
	start(lab, &lab->device);
	while (!lab->n && loop_clock_us() < until_us) {
		turn(lab);
		if (!lab->engine->held)
			continue;
		requests = lab->device.requests;
		run_ms(lab, 50); /* longer than it would wait for an answer */
		assert_int_equal(lab->device.requests, requests);
		engine_hold(lab->engine, false);
	}
	assert_whole(lab);
	assert_int_equal(lab->tries, 1);
	assert_true(lab->pieces >= 3);
	close_lab(lab);
}

static void test_freed_in_a_walk(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);

	(void)state;
	lab->profile.per_host = 3;
	lab->device.late_us = 3000;
	lab->device.rows = 5000;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	open_engine(lab, 8, true);
	start(lab, &lab->device);
	run_ms(lab, 30);
	assert_true(engine_tasks(lab->engine) == 1);
	close_lab(lab); /* no record, no leak */
}

/* ---- slots */

/* Every job gets its first slot, whatever the others would like to have. */
static void test_slots_are_shared(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);
	unsigned started = 0;

	(void)state;
	lab->many = true;
	lab->profile.per_host = 4;
	lab->device.late_us = 500;
	lab->other.late_us = 700;
	add_walk(lab, "1.3.6.1.2.1.50.1.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.50.1.3");
	open_engine(lab, 3, false);
	while (lab->n < 30) {
		while (started < 30 && engine_room(lab->engine)) {
			start(lab, started % 2 ? &lab->device : &lab->other);
			started++;
		}
		assert_true(lab->engine->njobs + lab->engine->extra <= 3);
		turn(lab);
	}
	assert_int_equal(lab->status, RECORD_OK);
	assert_balanced(lab);
	assert_in_range(lab->device.most_pending, 1, 3);
	close_lab(lab);
}

static void test_nothing_to_get(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	ask(lab, false);
	assert_int_equal(lab->device.gets, 0);
	assert_int_equal(lab->nrows, 20);
	close_lab(lab);
}

/* The device behind the first address is silent: the walk is of the second. */
static void test_next_address(void **state)
{
	struct lab *lab = open_walk(SNMP_V2C);
	struct addr addrs[2] = {lab->other.addr, lab->device.addr};
	struct task task = {.seq = 41, .host = "device", .addrs = addrs, .naddrs = 2};

	(void)state;
	lab->other.silent = true;
	lab->profile.timeout_us = 5000;
	open_engine(lab, 4, true);
	engine_start(lab->engine, &task);
	run(lab, 1);
	assert_whole(lab);
	assert_int_equal(lab->other.requests, 3);
	assert_int_equal(lab->tries, 4);
	assert_balanced(lab);
	close_lab(lab);
}

/* ---- tables */

static void add_column(struct lab *lab, const char *oid, bool column)
{
	struct table_object *t = &lab->table[lab->profile.ntable++];

	t->column = column;
	set_oid(&t->oid, oid);
}

/* Row by row, all columns of it. */
static void assert_joined(const struct lab *lab, size_t at, uint32_t columns, uint32_t rows)
{
	assert_int_equal(lab->nrows, at + columns * rows);
	for (uint32_t r = 1; r <= rows; r++) {
		for (uint32_t c = 1; c <= columns; c++, at++) {
			assert_int_equal(lab->column[at], c);
			assert_int_equal(lab->row[at], r);
		}
	}
}

static void check_table(enum snmp_version version, unsigned per_host)
{
	struct lab *lab = open_lab(version);

	lab->profile.per_host = per_host;
	lab->device.columns = 9;
	lab->device.rows = 70;
	lab->device.late_us = 1000;
	add_column(lab, "1.3.6.1.2.1.50.1", false);
	add_get(lab, "1.3.6.1.2.1.50.1.3.7");
	add_walk(lab, "1.3.6.1.2.1.99");
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->row[0], 7);
	assert_joined(lab, 2, 9, 70); /* behind what was got and walked */
	assert_true(lab->device.most_pending <= per_host);
	assert_true(per_host == 1 || lab->device.most_pending > 1); /* side by side */
	close_lab(lab);
}

static void test_table(void **state)
{
	(void)state;
	check_table(SNMP_V2C, 1);
	check_table(SNMP_V2C, 4);
	check_table(SNMP_V1, 1);
	check_table(SNMP_V1, 3);
}

static void check_table_of_a_small_device(size_t too_big, size_t drop_over, unsigned per_host)
{
	struct lab *lab = open_lab(SNMP_V2C);

	lab->profile.timeout_us = 10000;
	lab->profile.per_host = per_host;
	lab->device.columns = 9;
	lab->device.rows = 10;
	lab->device.too_big = too_big;
	lab->device.drop_over = drop_over;
	add_column(lab, "1.3.6.1.2.1.50.1", false);
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_joined(lab, 0, 9, 10);
	close_lab(lab);
}

/* Repetitions first, then columns. */
static void test_table_of_a_small_device(void **state)
{
	(void)state;
	check_table_of_a_small_device(5, 0, 1);
	check_table_of_a_small_device(1, 0, 3);
	check_table_of_a_small_device(0, 5, 1);
	check_table_of_a_small_device(0, 5, 3);
}

/* A row of all columns is too much, whatever its repetitions: fewer columns are tried soon. */
static void test_rows_that_are_dropped(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.timeout_us = 50000;
	lab->profile.retries = 5;
	lab->device.columns = 9;
	lab->device.drop_over = 4;
	add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	add_column(lab, "1.3.6.1.2.1.50.1", false);
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_joined(lab, 1, 9, 20);
	assert_in_range(lab->tries, 2, 8); /* two of each size */
	close_lab(lab);
}

/* The same of one that gives two repetitions where one was asked for: the second is not of other columns. */
static void test_too_much_of_fewer_columns(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.timeout_us = 10000;
	lab->profile.retries = 5;
	lab->device.columns = 9;
	lab->device.drop_over = 9;
	lab->device.surplus = 1;
	add_column(lab, "1.3.6.1.2.1.50.1", false);
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_OK);
	assert_joined(lab, 0, 9, 20);
	close_lab(lab);
}

static size_t cells(const struct lab *lab, uint32_t column)
{
	size_t n = 0;

	for (size_t i = 0; i < lab->nrows; i++)
		n += lab->column[i] == column;
	return n;
}

static void add_columns(struct lab *lab)
{
	add_column(lab, "1.3.6.1.2.1.50.1.1", true);
	add_column(lab, "1.3.6.1.2.1.50.1.2", true);
	add_column(lab, "1.3.6.1.2.1.50.1.3", true);
}

/* What was joined is kept, and what was not comes behind it. */
static void test_half_a_table(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->device.rows = 50;
	lab->device.at_most = 5;
	lab->device.fail_at = 20;
	lab->device.fail_in = 2;
	lab->profile.per_host = 3;
	add_columns(lab);
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "error: genErr, asked for what follows ", 38);
	assert_int_equal(lab->column[1], 2);
	assert_int_equal(cells(lab, 2), 20);
	assert_true(cells(lab, 1) > 20);
	assert_int_equal(lab->nrows, cells(lab, 1) + cells(lab, 2) + cells(lab, 3));
	close_lab(lab);
}

/* A table's fault ends all of its questions. */
static void test_a_fault_beside_silence(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->profile.timeout_us = 50000;
	lab->device.fail_at = 1;
	lab->device.fail_in = 2;
	lab->device.at_most = 1;
	lab->device.silent_in = 3;
	lab->profile.per_host = 3;
	add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	add_columns(lab);
	ask(lab, false);
	assert_int_equal(lab->status, RECORD_PARTIAL);
	assert_memory_equal(lab->message, "error: genErr", 13);
	assert_int_equal(lab->device.in_silence, 1);
	assert_int_equal(lab->tries, 1);
	close_lab(lab);
}

static void test_a_large_table_goes_ahead(void **state)
{
	struct lab *lab = open_lab(SNMP_V2C);

	(void)state;
	lab->device.columns = 4;
	lab->device.rows = 4500;
	lab->profile.per_host = 2;
	add_column(lab, "1.3.6.1.2.1.50.1", false);
	ask(lab, true);
	assert_int_equal(lab->status, RECORD_OK);
	assert_joined(lab, 0, 4, 4500);
	assert_true(lab->pieces >= 3);
	close_lab(lab);
}

/* ---- everything at once */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Another device, in one respect or two, about every fifth turn. */
static void change(struct device *d, uint32_t *seed)
{
	uint32_t what = next_random(seed) % 60, n = next_random(seed) % 12;

	if (what > 11)
		return;
	if (what > 8)
		d->too_big = d->drop_over = d->at_most = d->loop_at = d->none_at = d->fail_at = 0;
	d->silent = what == 0;
	d->too_big = what == 1 ? n + 1 : d->too_big;
	d->drop_over = what == 2 ? n + 1 : d->drop_over;
	d->at_most = what == 3 ? n : d->at_most;
	d->loop_at = what == 4 ? 90 : d->loop_at;
	d->none_at = what == 5 ? 95 : d->none_at;
	d->fail_at = what == 6 ? 96 : d->fail_at;
	d->last = what == 7;
	d->rows = what == 8 ? 60 + n : d->rows;
}

static void check_mix(enum snmp_version version, unsigned per_host, uint32_t seed)
{
	struct lab *lab = open_walk(version);
	unsigned started = 0, ok = 0, seen = 0;
	int64_t until_us = loop_clock_us() + WAIT_MS * INT64_C(1000);

	lab->many = true;
	lab->profile.per_host = per_host;
	lab->profile.timeout_us = 3000;
	lab->profile.deadline_us = 150000;
	lab->profile.max_vars = 1100;
	lab->device.rows = lab->other.rows = 100;
	add_get(lab, "1.3.6.1.2.1.50.1.1.1");
	add_get(lab, "1.3.6.1.2.1.50.1.7.1");
	add_walk(lab, "1.3.6.1.2.1.50.1.2");
	add_walk(lab, "1.3.6.1.2.1.51");
	add_column(lab, "1.3.6.1.2.1.50.1", false);
	open_engine(lab, 6, true);
	while (lab->n < 150) {
		assert_true(loop_clock_us() < until_us);
		while (started < 150 && engine_room(lab->engine) && next_random(&seed) % 4)
			start(lab, started++ % 2 ? &lab->device : &lab->other);
		assert_true(lab->engine->njobs + lab->engine->extra <= 6);
		change(&lab->device, &seed);
		change(&lab->other, &seed);
		turn(lab);
		ok += lab->n > seen && lab->status == RECORD_OK;
		seen = lab->n;
		if (lab->n > 140)
			engine_cancel(lab->engine);
	}
	assert_int_equal(lab->n, 150);
	assert_in_range(ok, 1, 149);
	assert_balanced(lab);
	close_lab(lab);
}

static void test_any_mix_is_counted_to_the_packet(void **state)
{
	(void)state;
	check_mix(SNMP_V2C, 1, 5);
	check_mix(SNMP_V2C, 4, 6);
	check_mix(SNMP_V1, 2, 7);
}

static int start_library(void **state)
{
	(void)state;
	pdu_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_end_of_mib_view),
		cmocka_unit_test(test_end_of_subtree),
		cmocka_unit_test(test_empty_subtree),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_gets_side_by_side),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_too_big_for_one),
		cmocka_unit_test(test_short_answers),
		cmocka_unit_test(test_answer_without_varbinds),
		cmocka_unit_test(test_nonincreasing),
		cmocka_unit_test(test_large_answers_are_dropped),
		cmocka_unit_test(test_sizes_are_remembered),
		cmocka_unit_test(test_small_for_a_while),
		cmocka_unit_test(test_silent_from_the_start),
		cmocka_unit_test(test_silent_to_one_try),
		cmocka_unit_test(test_silent_in_a_walk),
		cmocka_unit_test(test_no_more_for_who_is_late),
		cmocka_unit_test(test_all_for_who_answers_again),
		cmocka_unit_test(test_other_walks_go_on),
		cmocka_unit_test(test_the_first_fault),
		cmocka_unit_test(test_walks_go_on_after_a_failed_get),
		cmocka_unit_test(test_a_timeout_after_a_fault),
		cmocka_unit_test(test_rows_go_ahead),
		cmocka_unit_test(test_octets_go_ahead),
		cmocka_unit_test(test_many_walks_share_the_memory),
		cmocka_unit_test(test_rows_are_kept_without_a_taker),
		cmocka_unit_test(test_ahead_of_turn_is_bounded),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_cap_of_gets),
		cmocka_unit_test(test_octets_of_a_record),
		cmocka_unit_test(test_cap_at_an_early_end),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_freed_in_a_walk),
		cmocka_unit_test(test_slots_are_shared),
		cmocka_unit_test(test_nothing_to_get),
		cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_of_a_small_device),
		cmocka_unit_test(test_rows_that_are_dropped),
		cmocka_unit_test(test_too_much_of_fewer_columns),
		cmocka_unit_test(test_half_a_table),
		cmocka_unit_test(test_a_fault_beside_silence),
		cmocka_unit_test(test_a_large_table_goes_ahead),
		cmocka_unit_test(test_any_mix_is_counted_to_the_packet),
	};

	return cmocka_run_group_tests(tests, start_library, NULL);
}

/*
 * The engine's world. What is checked after each step: no task has two records, none is forgotten, no more requests
 * are in flight than the window and `per_host` allow. At the end: every task has its record, and every packet sent
 * became one thing.
 */
#include "lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "double_loop.h"
#include "double_random.h"
#include "double_session.h"
#include "fuzz.h"

#define TURNS_MAX  20000 /* until all ends */
#define MAX_VARS   400
#define PIECES_MAX 24

/* ---- profiles: each state of the engine that differs by what is asked */

enum flavour {
	GET = 1,
	LONG_GET = 2, /* more than a request holds */
	WALK = 4,
	TABLE = 8
};
struct row {
	enum snmp_version version;
	int flavour;
	const char *auth, *priv;
	unsigned per_host;
	bool pinned, any_source, nonincreasing;
};
static const struct row rows[LAB_PROFILES] = {
	{SNMP_V2C, GET, NULL, NULL, 1, false, false, false},
	{SNMP_V1, GET | WALK, NULL, NULL, 1, false, false, false},
	{SNMP_V2C, WALK, NULL, NULL, 3, false, false, false},
	{SNMP_V2C, TABLE, NULL, NULL, 2, false, true, false},
	{SNMP_V2C, LONG_GET | WALK, NULL, NULL, 2, false, false, true},
	{SNMP_V1, TABLE | GET, NULL, NULL, 1, false, false, true},
	{SNMP_V3, GET, NULL, NULL, 1, false, false, false},
	{SNMP_V3, GET, "SHA", NULL, 1, false, false, false},
	{SNMP_V3, GET | WALK, "SHA-256", "AES", 2, false, false, false},
	{SNMP_V3, GET | TABLE, "MD5", "DES", 1, true, false, false},
	{SNMP_V3, WALK | LONG_GET, "SHA-512", NULL, 3, false, true, false},
};

static struct oid oid_of(const char *text)
{
	struct oid o;

	FUZZ_CHECK(oid_parse(text, strlen(text), &o));
	return o;
}

static void set_objects(struct profile *p, int flavour)
{
	static struct oid get[60], walk[2], label;
	static struct table_object table[2];

	if (!label.len) {
		label = oid_of("1.3.6.1.2.1.31.1.1.1.1");
		walk[0] = oid_of("1.3.6.1.2.1.2.2.1");
		walk[1] = oid_of("1.3.6.1.4.1.99999");
		table[0].oid = oid_of("1.3.6.1.2.1.2.2.1");
		table[1] = (struct table_object){.oid = oid_of("1.3.6.1.2.1.31.1.1.1.6"),
						 .column = true};
		for (uint32_t i = 0; i < 60; i++) {
			get[i] = oid_of("1.3.6.1.2.1.1.1.0");
			get[i].id[7] = i + 1;
		}
	}
	p->get = get;
	p->nget = flavour & LONG_GET ? 60 : flavour & GET ? 3 : 0;
	p->walk = walk;
	p->nwalk = flavour & WALK ? 2 : 0;
	p->table = table;
	p->ntable = flavour & TABLE ? 2 : 0;
	p->index_label = flavour & TABLE ? &label : NULL;
}

static const struct usm_credential *credential_of(const struct row *r)
{
	struct usm_words w = {.user = "fuzz", .auth = r->auth, .priv = r->priv};
	char error[USM_ERROR_MAX];

	if (r->version != SNMP_V3)
		return NULL;
	w.auth_pass = r->auth ? "authpass1" : NULL;
	w.priv_pass = r->priv ? "privpass1" : NULL;
	const struct usm_credential *c = usm_credential_new(&w, error);
	FUZZ_CHECK(c != NULL);
	return c;
}

/* All of them once: keys take milliseconds. */
static struct profile *profiles(struct agent **agents)
{
	static struct profile all[LAB_PROFILES];
	static struct agent their[LAB_PROFILES];
	static char none[1], public[] = "public";

	*agents = their;
	for (size_t i = 0; i < LAB_PROFILES && !all[i].per_host; i++) {
		struct profile *p = &all[i];

		*p = (struct profile){.version = rows[i].version,
				      .community = rows[i].version == SNMP_V3 ? none : public,
				      .credential = credential_of(&rows[i]),
				      .context = none,
				      .per_host = rows[i].per_host,
				      .max_vars = MAX_VARS,
				      .timeout_us = 1000000,
				      .retries = 1,
				      .deadline_us = i % 3 == 2 ? 60000000 : 0,
				      .any_source = rows[i].any_source,
				      .nonincreasing = rows[i].nonincreasing};
		set_objects(p, rows[i].flavour);
		agent_init(&their[i], p);
		if (rows[i].pinned) {
			p->engine_id_len = their[i].peer[0].engine_id_len;
			memcpy(p->engine_id, their[i].peer[0].engine_id, p->engine_id_len);
		}
	}
	return all;
}

/* ---- a carrier of datagrams */

static unsigned carrier_lanes(const void *c)
{
	(void)c;
	return 2;
}

static int carrier_fd(const void *c, unsigned lane)
{
	(void)c;
	return DOUBLE_FD_MIN + (int)lane;
}

static uint8_t carrier_family(const void *c, unsigned lane)
{
	(void)c;
	return lane ? 6 : 4;
}

static unsigned carrier_burst(const void *c, unsigned lane)
{
	(void)c;
	return lane ? 1 : 64;
}

static void remember(struct lab *lab, const struct udp_out *m)
{
	struct sent *s = &lab->sent[lab->nsent++ % LAB_SENT];

	FUZZ_CHECK(m->len <= sizeof(s->data) && m->len > 0);
	memcpy(s->data, m->data, m->len);
	s->len = m->len;
	s->to = m->to;
}

static size_t carrier_send(void *c, unsigned lane, const struct udp_out *list, size_t n, int *error)
{
	struct lab *lab = c;

	*error = lab->send_error;
	lab->send_error = 0;
	if (*error)
		return 0;
	for (size_t i = 0; i < n; i++) {
		FUZZ_CHECK(list[i].to.family == (lane ? 6 : 4));
		remember(lab, &list[i]);
	}
	return n;
}

static size_t carrier_receive(void *c, unsigned lane, struct udp_in **list, bool *more)
{
	struct lab *lab = c;
	size_t n = lane == lab->lane && lab->in.len != SIZE_MAX;

	*more = false;
	*list = &lab->in;
	if (!n)
		lab->in.len = SIZE_MAX;
	lab->lane = UINT32_MAX;
	return n;
}

static size_t carrier_refusals(void *c, const struct udp_refusal **list)
{
	struct lab *lab = c;
	size_t n = lab->refused;

	lab->refused = false;
	*list = &lab->refusal;
	return n;
}

static uint64_t carrier_dropped(void *c)
{
	(void)c;
	return 0;
}

static const struct carrier carrier = {
	.lanes = carrier_lanes,
	.fd = carrier_fd,
	.family = carrier_family,
	.burst = carrier_burst,
	.send = carrier_send,
	.receive = carrier_receive,
	.refusals = carrier_refusals,
	.dropped = carrier_dropped,
};

/* ---- what comes of it */

static void on_rows(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;

	FUZZ_CHECK(task->seq < lab->ntasks && !lab->recorded[task->seq]);
	FUZZ_CHECK(r->ahead == lab->ahead[task->seq]);
	lab->ahead[task->seq] += r->nvars;
	pieces_rows(&lab->pieces[task->seq], r);
}

static void on_record(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;

	FUZZ_CHECK(task->seq < lab->ntasks && !lab->recorded[task->seq]);
	FUZZ_CHECK(r->ahead == lab->ahead[task->seq]);
	FUZZ_CHECK(r->ahead + r->nvars <= MAX_VARS);
	FUZZ_CHECK(r->engine_id_len <= ENGINE_ID_MAX);
	FUZZ_CHECK((r->learnt != NULL) == task->learns);
	if (r->learnt)
		lab->learnt = *r->learnt;
	lab->recorded[task->seq] = true;
	lab->nrecords++;
	pieces_done(&lab->pieces[task->seq], r);
	if (lab->session)
		session_end(lab->session);
}

static void check_engine(struct lab *lab)
{
	const struct engine *e = lab->engine;
	unsigned in_flight = 0;

	FUZZ_CHECK(engine_tasks(e) == lab->ntasks - lab->nrecords);
	FUZZ_CHECK(lab->at_work == 0);
	for (unsigned i = 0; i < LAB_WINDOW; i++)
		in_flight += e->requests[i].job != NULL;
	FUZZ_CHECK(in_flight <= LAB_WINDOW);
	for (unsigned i = 0; i < e->fresh_jobs; i++)
		FUZZ_CHECK(!e->jobs[i].at_work || e->jobs[i].nrequests <= lab->profile->per_host);
}

static void check_end(struct lab *lab)
{
	const uint64_t *n = lab->stats.count;
	struct stats delta;

	engine_take_stats(lab->engine, &delta);
	stats_add(&lab->stats, &delta);
	FUZZ_CHECK(lab->nrecords == lab->ntasks);
	FUZZ_CHECK(n[STATS_SENT] == n[STATS_ANSWERED] + n[STATS_REFUSED] + n[STATS_SUPERSEDED] +
					    n[STATS_UNANSWERED]);
}

/* ---- a lab's life */

void lab_open(struct lab *lab, unsigned profile, bool stream)
{
	struct addr any = {0};
	struct engine_config config = {.nprofiles = 1,
				       .window = LAB_WINDOW,
				       .carrier = &carrier,
				       .carried = lab,
				       .at_work = &lab->at_work,
				       .done = on_record,
				       .rows = on_rows,
				       .arg = lab};
	char error[200];

	*lab = (struct lab){.in = {.len = SIZE_MAX}, .lane = UINT32_MAX};
	double_clock_start(NULL, NULL);
	double_random_start();
	double_stream_start();
	lab->profile = &profiles(&lab->agent)[profile % LAB_PROFILES];
	lab->agent += profile % LAB_PROFILES;
	config.profiles = lab->profile;
	if (stream) {
		lab->session = session_new(&any, &any);
		config.carrier = &carrier_session;
		config.carried = lab->session;
	}
	lab->engine = engine_new(&config, error, sizeof(error));
	lab->loop = loop_new();
	engine_attach(lab->engine, lab->loop);
}

static void take_stream(struct lab *lab)
{
	struct double_stream *t = double_stream();

	while (t->out.len > 0) {
		ptrdiff_t len = session_frame(t->out.data, t->out.len);

		FUZZ_CHECK(len >= 0); /* requests are ours */
		if (len == 0 || (size_t)len > t->out.len)
			return;
		remember(lab, &(struct udp_out){.data = t->out.data, .len = (size_t)len});
		buf_consume(&t->out, (size_t)len);
	}
}

void lab_turn(struct lab *lab)
{
	int64_t late_us = loop_turn(lab->loop, loop_clock_us());

	if (late_us)
		engine_renew(lab->engine, late_us);
	engine_work(lab->engine);
	if (lab->session)
		take_stream(lab);
	check_engine(lab);
}

void lab_close(struct lab *lab)
{
	if (lab->held)
		engine_hold(lab->engine, false);
	for (int i = 0; i < TURNS_MAX && engine_tasks(lab->engine) > 0; i++) {
		int64_t next_us = engine_next_us(lab->engine), late_us;

		FUZZ_CHECK(next_us != LOOP_NEVER);
		late_us = loop_turn(lab->loop, next_us);
		if (late_us)
			engine_renew(lab->engine, late_us);
		engine_work(lab->engine);
		check_engine(lab);
	}
	check_end(lab);
	engine_free(lab->engine);
	session_free(lab->session);
	loop_free(lab->loop);
	double_stream_free();
	for (unsigned i = 0; i < LAB_TASKS; i++)
		pieces_free(&lab->pieces[i]);
}

/* What was learnt travels, and is within bounds, whatever the agents were. */
static void recall(const struct lab *lab, struct task *task, uint8_t how)
{
	uint8_t octets[LEARNT_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets};

	task->learns = how & 8;
	if (!task->learns)
		return;
	learnt_pack(&lab->learnt, &w);
	r.end = w.at;
	FUZZ_CHECK(!w.full && learnt_unpack(&task->learnt, &r) && r.at == r.end);
	if (!(how & 16))
		return;
	task->learnt.boots ^= 1;
	task->learnt.engine_id[4] ^= how & 32;
	task->learnt.silent = how & 64 ? 9 : 0;
	task->learnt.address ^= how & 128 ? 7 : 0;
}

void lab_task(struct lab *lab, uint8_t how)
{
	struct addr addrs[2] = {{.family = how & 1 ? 6 : 4, .port = 161, .ip = {192, 0, 2}},
				{.family = 4, .port = 161, .ip = {198, 51, 100, 1}}};
	struct task task = {.seq = lab->ntasks, .addrs = addrs, .naddrs = how & 2 ? 2 : 1};

	if (lab->ntasks == LAB_TASKS || engine_room(lab->engine) == 0 ||
	    (lab->session && engine_tasks(lab->engine) > 0))
		return;
	addrs[0].ip[3] = (uint8_t)(lab->ntasks + 1);
	task.host = how & 4 ? "host" : NULL;
	recall(lab, &task, how);
	if (lab->session) {
		task.transport = TRANSPORT_TCP;
		session_begin(lab->session, &task, lab->profile);
	}
	lab->ntasks++;
	engine_start(lab->engine, &task);
}

const struct sent *lab_sent(const struct lab *lab, unsigned n)
{
	unsigned kept = lab->nsent < LAB_SENT ? lab->nsent : LAB_SENT;

	return kept ? &lab->sent[(lab->nsent - 1 - n % kept) % LAB_SENT] : NULL;
}

static void receive_stream(struct lab *lab, const uint8_t *p, size_t len)
{
	struct double_stream *t = double_stream();

	if (!lab->session->transport)
		return;
	buf_put(&t->in, p, len);
	for (size_t i = 0; i <= len && t->in.len > 0 && lab->session->transport; i++) {
		if (i == PIECES_MAX)
			t->piece = 0; /* the rest in one go: a turn takes its time */
		double_ready(lab->loop, lab->session->fd, LOOP_READ);
		lab_turn(lab);
		if (lab->held)
			return;
	}
}

void lab_receive(struct lab *lab, const uint8_t *p, size_t len, uint8_t source)
{
	const struct sent *s = lab_sent(lab, 0);
	uint8_t *data;

	if (lab->session) {
		receive_stream(lab, p, len);
		return;
	}
	if (!s)
		return;
	data = mem_alloc(len + !len); /* not an octet more: what reads behind it is seen */
	memcpy(data, p, len);
	lab->in = (struct udp_in){.from = s->to, .data = data, .len = len};
	if (source & 0x80 && lab->nsent > 1)
		lab->in.from = lab_sent(lab, source)->to;
	else if (source & 1)
		lab->in.from.ip[2] ^= 1;
	else if (source & 2)
		lab->in.from.port ^= 1;
	lab->lane = s->to.family == 6;
	double_ready(lab->loop, carrier_fd(lab, lab->lane), LOOP_READ);
	lab_turn(lab);
	lab->in = (struct udp_in){.len = SIZE_MAX};
	lab->lane = UINT32_MAX;
	free(data);
}

void lab_refuse(struct lab *lab, const struct sent *s, int error, uint16_t quoted)
{
	if (lab->session) {
		double_stream()->end = true;
		double_stream()->error = error == EAGAIN ? 0 : error;
		double_ready(lab->loop, lab->session->fd, LOOP_READ);
		lab_turn(lab);
		return;
	}
	lab->refusal = (struct udp_refusal){.to = s->to, .error = error};
	lab->refusal.size = quoted < s->len ? quoted : (uint16_t)s->len;
	if (lab->refusal.size > UDP_QUOTE_MAX)
		lab->refusal.size = UDP_QUOTE_MAX;
	memcpy(lab->refusal.quoted, s->data, lab->refusal.size);
	lab->refused = true;
	double_ready(lab->loop, carrier_fd(lab, 0), LOOP_READ);
	lab_turn(lab);
}

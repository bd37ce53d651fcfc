/*
 * engine, SNMPv3: what is asked when, what is asked again, and what is said when it is no use. The device signs with
 * OpenSSL; what its messages may look like is test_pdu_v3's to try.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "snmp/engine_internal.h"
#include "snmp/peek.h"
#include "snmp/usm.h"

#define WAIT_MS  10000 /* that nothing here takes, unless it hangs */
#define DIGEST   12
#define RECORDS  200
#define LATE_MAX 16

enum stats_report { /* usmStats 1 to 6 (RFC 3414 §5) */
	UNSUPPORTED_LEVEL = 1,
	NOT_IN_WINDOW,
	UNKNOWN_USER,
	UNKNOWN_ENGINE,
	WRONG_DIGEST,
	DECRYPTION,
	UNKNOWN_CONTEXT = 100,
	SOMETHING_ELSE
};

struct lab;

struct device {
	struct lab *lab;
	int fd;
	struct addr addr;
	uint8_t engine_id[12];
	uint32_t boots, time_s;
	uint32_t told_boots; /* in the discovery's answer; 0: boots */
	uint8_t key[20];
	/* what it does wrong */
	bool silent; /* to everything, or to all but the discovery: */
	bool silent_later;
	bool silent_to_others;    /* to whoever names another engine */
	enum stats_report report; /* to everything but the discovery */
	bool unsigned_reports;    /* that one without a digest */
	bool unsigned_answers;
	bool from_other;       /* answers through the other device's socket … */
	bool reports_from_it;  /* … Reports, too */
	bool moving;           /* another engine ID after each Report of an unknown one */
	unsigned cut;          /* octets left of an answer; 0: all */
	unsigned deaf_at;      /* this request is lost; 0: none */
	unsigned reboot_at;    /* this request finds it rebooted … */
	unsigned reboot_again; /* … and again after so many; 0: not */
	bool forgets;          /* how often it booted */
	bool stale;            /* of the Reports after a reboot the first one only says so */
	bool swap;             /* the first answer comes after the second request */
	bool hurry;            /* its clock is 1,000 s ahead of what it tells in the discovery */
	int64_t late_us;
	/* what it saw */
	unsigned requests, discoveries, windows;
	uint8_t kept[1500];
	size_t kept_len;
	struct late {
		int64_t due_us;
		uint8_t data[1500];
		size_t len;
		struct sockaddr_storage to;
		socklen_t to_len;
	} late[LATE_MAX];
};

struct got {
	enum record_status status;
	size_t nvars;
	uint64_t seq;
	int64_t rtt_us, at_us;
	uint32_t tries;
	char message[500], note[100];
	uint8_t engine_id[ENGINE_ID_MAX], engine_id_len;
	uint32_t last; /* sub-identifier of the last row */
	struct learnt learnt;
};

struct lab {
	struct loop *loop;
	struct engine *engine;
	struct profile profile;
	struct usm_credential *credential;
	struct oid objects[120];
	struct oid walks[6];
	struct device device, other;
	_Atomic uint64_t at_work;
	struct got got[RECORDS];
	unsigned n;
	bool learns; /* the tasks to come, which know: */
	struct learnt learnt;
	struct stats stats;
};

/* ---- messages, back to front into a buffer's end */

struct writer {
	uint8_t octets[1500];
	size_t at; /* first octet used */
};

static void put(struct writer *w, const void *p, size_t len)
{
	assert_true(w->at >= len);
	w->at -= len;
	if (len)
		memcpy(w->octets + w->at, p, len);
}

static void wrap(struct writer *w, uint8_t tag, size_t end)
{
	size_t len = end - w->at;
	uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	put(w, head, 4);
}

static void put_integer(struct writer *w, uint32_t v)
{
	size_t end = w->at;
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	put(w, b, 4);
	wrap(w, 0x02, end);
}

static void put_octets(struct writer *w, const void *p, size_t len)
{
	size_t end = w->at;

	put(w, p, len);
	wrap(w, 0x04, end);
}

static void make_key(struct device *d, const char *pass)
{
	uint8_t *all = malloc(1048576), buffer[20 + 12 + 20];
	unsigned n;

	for (size_t i = 0; i < 1048576; i++)
		all[i] = (uint8_t)pass[i % strlen(pass)];
	assert_true(EVP_Digest(all, 1048576, buffer, &n, EVP_sha1(), NULL));
	free(all);
	memcpy(buffer + 20, d->engine_id, 12);
	memcpy(buffer + 32, buffer, 20);
	assert_true(EVP_Digest(buffer, sizeof(buffer), d->key, &n, EVP_sha1(), NULL));
}

struct reply_of { /* a message of the device */
	uint32_t msg_id;
	bool sign;
	uint32_t boots, time_s;
	uint8_t type;
	const uint8_t *rest; /* of the PDU, behind its request-id … */
	size_t rest_len;
	const uint8_t *context; /* … and what stands before the PDU */
	size_t context_len;
};

static void write_message(const struct device *d, struct writer *w, const struct reply_of *r)
{
	size_t end = sizeof(w->octets), digest_at = 0;
	unsigned n;
	uint8_t digest[EVP_MAX_MD_SIZE], flags = r->sign;

	w->at = end;
	put(w, r->rest, r->rest_len);
	put_integer(w, r->msg_id);
	wrap(w, r->type, end);
	put(w, r->context, r->context_len);
	wrap(w, 0x30, end);
	end = w->at; /* security parameters */
	put_octets(w, "", 0);
	put_octets(w, "\0\0\0\0\0\0\0\0\0\0\0\0", r->sign ? DIGEST : 0);
	digest_at = w->at + 4;
	put_octets(w, "poller", r->sign ? 6 : 0);
	put_integer(w, r->time_s);
	put_integer(w, r->boots);
	put_octets(w, d->engine_id, 12);
	wrap(w, 0x30, end);
	wrap(w, 0x04, end);
	end = w->at; /* header */
	put_integer(w, 3);
	put_octets(w, &flags, 1);
	put_integer(w, 1500);
	put_integer(w, r->msg_id);
	wrap(w, 0x30, end);
	put_integer(w, 3);
	wrap(w, 0x30, sizeof(w->octets));
	if (!r->sign)
		return;
	assert_non_null(HMAC(EVP_sha1(), d->key, 20, w->octets + w->at, sizeof(w->octets) - w->at,
			     digest, &n));
	memcpy(w->octets + digest_at, digest, DIGEST);
}

static void write_report(const struct device *d, struct writer *w, uint32_t msg_id,
			 enum stats_report report, bool sign)
{
	/* error-status and -index 0, one Counter32 */
	uint8_t rest[] = {0x02, 1, 0, 0x02, 1,  0, 0x30, 17, 0x30, 15,   0x06, 10, 0x2b,
			  6,    1, 6, 3,    15, 1, 1,    0,  0,    0x41, 1,    7};
	uint8_t context[] = {0x04, 0, 0x04, 0};
	struct reply_of r = {
		.msg_id = msg_id,
		.sign = sign,
		.boots = d->boots,
		.time_s = d->time_s,
		.type = PDU_REPORT,
		.rest = rest,
		.rest_len = sizeof(rest),
		.context = context,
		.context_len = sizeof(context),
	};

	if (report == UNKNOWN_CONTEXT) /* snmpUnknownContexts */
		memcpy(rest + 17, "\x0c\x01\x05\x00", 4);
	else
		rest[20] = report == SOMETHING_ELSE ? 77 : (uint8_t)report;
	if (!sign && d->told_boots)
		r.boots = d->told_boots;
	write_message(d, w, &r);
}

/* ---- the device */

static size_t header_of(const uint8_t *p)
{
	return p[1] < 0x80 ? 2 : 2 + (p[1] & 0x7f);
}

static size_t content_of(const uint8_t *p)
{
	size_t len = p[1] & 0x7f;

	if (p[1] < 0x80)
		return p[1];
	for (size_t n = len, i = len = 0; i < n; i++)
		len = len << 8 | p[2 + i];
	return len;
}

static size_t octets_of(const uint8_t *p)
{
	return header_of(p) + content_of(p);
}

/* 1.3.6.1.2.1.50.R.I, I from 1 to 100, for the R that was asked about. */
static size_t write_next(const uint8_t *rest, size_t rest_len, uint8_t out[40])
{
	const uint8_t *oid = rest + rest_len - 2; /* before the NULL */
	uint8_t name[10] = {0x2b, 6, 1, 2, 1, 50};
	size_t len;

	for (len = 7; len < 10; len++) {
		if (oid[-(int)len - 2] == 0x06 && oid[-(int)len - 1] == len)
			break;
	}
	memcpy(name, oid - len, len);
	if (len == 7) {
		name[len++] = 1;
	} else if (++name[7] > 100) {
		name[6]++;
		name[7] = 1;
	}
	memcpy(out, "\x02\x01\x00\x02\x01\x00\x30", 7);
	out[7] = (uint8_t)(len + 7);
	out[8] = 0x30;
	out[9] = (uint8_t)(len + 5);
	out[10] = 0x06;
	out[11] = (uint8_t)len;
	memcpy(out + 12, name, len);
	memcpy(out + 12 + len, "\x02\x01\x05", 3);
	return 12 + len + 3;
}

/* The request becomes its own answer; of a GETNEXT or GETBULK, what follows its one name. */
static void write_answer(const struct device *d, struct writer *w, const struct peek_v3 *head)
{
	const uint8_t *engine = head->data, *context = engine + octets_of(engine),
		      *pdu = context + octets_of(context), *id = pdu + header_of(pdu);
	uint8_t next[40];
	struct reply_of r = {
		.msg_id = head->msg_id,
		.sign = !d->unsigned_answers,
		.boots = d->boots,
		.time_s = d->time_s,
		.type = PDU_RESPONSE,
		.rest = id + octets_of(id),
		.context = engine,
		.context_len = (size_t)(pdu - engine),
	};

	r.rest_len = (size_t)(pdu + octets_of(pdu) - r.rest);
	if (pdu[0] != PDU_GET) {
		r.rest_len = write_next(r.rest, r.rest_len, next);
		r.rest = next;
	}
	write_message(d, w, &r);
}

static bool in_window(const struct device *d, const struct peek_v3 *head)
{
	return head->boots == d->boots && llabs(head->time_s - (int64_t)d->time_s) <= 150;
}

/* The next engine ID, and its key: another device, which booted less often. */
static void move(struct device *d)
{
	d->boots--;
	d->engine_id[11]++;
	make_key(d, "authpass1");
}

/* The Report that another request, sent as early, was on its way with: of the device as it was before. */
static void write_stale(struct device *d, struct writer *w, const struct peek_v3 *head)
{
	uint32_t boots = d->boots, time_s = d->time_s;

	d->boots = (uint32_t)head->boots;
	d->time_s = (uint32_t)head->time_s;
	write_report(d, w, head->msg_id, NOT_IN_WINDOW, true);
	d->boots = boots;
	d->time_s = time_s;
}

/* What a device checks, in its order. False: nothing is sent. */
static bool judge(struct device *d, struct writer *w, const struct peek_v3 *head)
{
	bool known = head->engine_id_len == 12 && memcmp(head->engine_id, d->engine_id, 12) == 0;

	if (!known) {
		if (head->engine_id_len && d->silent_to_others)
			return false;
		d->discoveries += head->engine_id_len == 0;
		write_report(d, w, head->msg_id, UNKNOWN_ENGINE, false);
		if (d->hurry) {
			d->time_s += 1000;
			d->hurry = false;
		}
		if (d->moving)
			move(d);
		return true;
	}
	if (d->silent_later)
		return false;
	if (d->report)
		write_report(d, w, head->msg_id, d->report, !d->unsigned_reports);
	else if (head->flags & PEEK_AUTH && !in_window(d, head) && d->stale && d->windows++)
		write_stale(d, w, head);
	else if (head->flags & PEEK_AUTH && !in_window(d, head))
		write_report(d, w, head->msg_id, NOT_IN_WINDOW, !d->unsigned_reports);
	else
		write_answer(d, w, head);
	return true;
}

static void emit(struct device *d, const uint8_t *data, size_t len,
		 const struct sockaddr_storage *to, socklen_t to_len)
{
	const struct device *other = d == &d->lab->device ? &d->lab->other : &d->lab->device;
	struct peek_v3 head;
	const char *words;
	bool elsewhere = d->from_other && peek_v3(data, len, &head, &words) &&
			 (head.flags & PEEK_AUTH || d->reports_from_it);
	struct late *l = d->late;

	if (!d->late_us) {
		sendto(elsewhere ? other->fd : d->fd, data, d->cut && d->cut < len ? d->cut : len,
		       0, (const struct sockaddr *)to, to_len);
		return;
	}
	while (l->len)
		l++;
	assert_true(l < d->late + LATE_MAX);
	*l = (struct late){.due_us = loop_clock_us() + d->late_us, .len = len};
	memcpy(l->data, data, len);
	l->to = *to;
	l->to_len = to_len;
}

static void send_due(struct device *d)
{
	for (size_t i = 0; i < LATE_MAX; i++) {
		struct late *l = &d->late[i];

		if (!l->len || l->due_us > loop_clock_us())
			continue;
		sendto(d->fd, l->data, l->len, 0, (struct sockaddr *)&l->to, l->to_len);
		l->len = 0;
	}
}

static void serve(struct device *d, const uint8_t *data, size_t len,
		  const struct sockaddr_storage *from, socklen_t from_len)
{
	struct writer w;
	struct peek_v3 head;
	const char *words;

	if (++d->requests == d->reboot_at) {
		d->reboot_at += d->reboot_again;
		d->boots = d->forgets ? 2 : d->boots + 1;
		d->time_s = 1;
	}
	if (d->silent || d->requests == d->deaf_at)
		return;
	assert_true(peek_v3(data, len, &head, &words) && head.whole);
	if (!judge(d, &w, &head))
		return;
	if (d->swap && head.engine_id_len) {
		if (d->kept_len)
			emit(d, d->kept, d->kept_len, from, from_len);
		else
			d->kept_len = sizeof(w.octets) - w.at;
		memcpy(d->kept, w.octets + w.at, d->kept_len);
		return;
	}
	emit(d, w.octets + w.at, sizeof(w.octets) - w.at, from, from_len);
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

static void start_device(struct lab *lab, struct device *d, const char *engine_id)
{
	struct sockaddr_storage sa;
	struct addr any_port = {.family = 4, .ip = {127, 0, 0, 1}};
	socklen_t len = addr_to_sockaddr(&any_port, &sa);

	d->lab = lab;
	memcpy(d->engine_id, engine_id, 12);
	d->boots = 9;
	d->time_s = 5000;
	make_key(d, "authpass1");
	d->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&sa, len), 0);
	len = sizeof(sa);
	getsockname(d->fd, (struct sockaddr *)&sa, &len);
	addr_from_sockaddr((struct sockaddr *)&sa, &d->addr);
	loop_watch(lab->loop, d->fd, LOOP_READ, on_request, d);
}

/* ---- the engine's side */

static void on_record(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;
	struct got *g = &lab->got[lab->n++];

	assert_true(lab->n <= RECORDS);
	*g = (struct got){.status = r->status, .nvars = r->nvars, .seq = task->seq};
	g->rtt_us = r->rtt_us;
	g->at_us = loop_clock_us();
	g->tries = r->tries;
	assert_int_equal(r->message == NULL, r->status == RECORD_OK);
	snprintf(g->message, sizeof(g->message), "%s", r->message ? r->message : "");
	snprintf(g->note, sizeof(g->note), "%s", r->note ? r->note : "");
	g->engine_id_len = r->engine_id_len;
	if (r->engine_id_len)
		memcpy(g->engine_id, r->engine_id, r->engine_id_len);
	assert_int_equal(r->learnt != NULL, lab->learns);
	if (r->learnt)
		g->learnt = *r->learnt;
	if (r->nvars)
		g->last = r->vars[r->nvars - 1].oid[r->vars[r->nvars - 1].noid - 1];
}

static void set_credential(struct lab *lab, const struct usm_words *w)
{
	char error[USM_ERROR_MAX];

	usm_credential_free(lab->credential);
	lab->credential = usm_credential_new(w, error);
	assert_non_null(lab->credential);
	lab->profile.credential = lab->credential;
}

static void set_oid(struct oid *o, const char *text)
{
	assert_true(oid_parse(text, strlen(text), o));
}

/* A device that does as it should, and a profile that GETs one object of it, authNoPriv. */
static struct lab *open_lab(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	lab->loop = loop_new();
	start_device(lab, &lab->device, "\x80\x00\x1f\x88\x04tester1");
	start_device(lab, &lab->other, "\x80\x00\x1f\x88\x04tester2");
	set_oid(&lab->objects[0], "1.3.6.1.2.1.1.5.0");
	lab->profile = (struct profile){
		.version = SNMP_V3,
		.community = (char *)(uintptr_t) "",
		.context = (char *)(uintptr_t) "",
		.get = lab->objects,
		.nget = 1,
		.walk = lab->walks,
		.per_host = 1,
		.max_vars = 1000000,
		.timeout_us = 500000,
		.retries = 1,
	};
	set_credential(lab, &(struct usm_words){
				    .user = "poller", .auth = "SHA", .auth_pass = "authpass1"});
	return lab;
}

static void open_engine(struct lab *lab, unsigned window)
{
	struct engine_config config = {
		.profiles = &lab->profile,
		.nprofiles = 1,
		.window = window,
		.at_work = &lab->at_work,
		.done = on_record,
		.arg = lab,
	};
	char error[200];

	lab->engine = engine_new(&config, error, sizeof(error));
	assert_non_null(lab->engine);
	engine_attach(lab->engine, lab->loop);
}

static void start(struct lab *lab, uint64_t seq, const struct addr *addrs, size_t n)
{
	engine_start(lab->engine, &(struct task){.seq = seq,
						 .addrs = addrs,
						 .naddrs = (uint8_t)n,
						 .learns = lab->learns,
						 .learnt = lab->learnt});
}

static void turn(struct lab *lab)
{
	int64_t next_us = engine_next_us(lab->engine), soon_us = loop_clock_us() + 1000;
	int64_t late_us = loop_turn(lab->loop, next_us < soon_us ? next_us : soon_us);

	if (late_us)
		engine_renew(lab->engine, late_us);
	send_due(&lab->device);
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

static uint64_t counted(struct lab *lab, enum stats_counter c)
{
	struct stats delta;

	engine_take_stats(lab->engine, &delta);
	stats_add(&lab->stats, &delta);
	return lab->stats.count[c];
}

/* Nothing in flight, every packet has become one thing, and no key is left. */
static void assert_at_rest(struct lab *lab)
{
	const uint64_t *n = lab->stats.count;
	static const struct usm_peer nobody;

	counted(lab, STATS_SENT);
	assert_int_equal(engine_tasks(lab->engine), 0);
	assert_int_equal(n[STATS_SENT], n[STATS_ANSWERED] + n[STATS_REFUSED] + n[STATS_SUPERSEDED] +
						n[STATS_UNANSWERED]);
	for (unsigned i = 0; i < lab->engine->fresh_jobs; i++) /* the peer is the first in it */
		assert_memory_equal(lab->engine->jobs[i].v3, &nobody, sizeof(nobody));
}

static const struct got *ask(struct lab *lab)
{
	open_engine(lab, 8);
	start(lab, 41, &lab->device.addr, 1);
	run(lab, 1);
	assert_at_rest(lab);
	return &lab->got[0];
}

static void close_lab(struct lab *lab)
{
	assert_int_equal(lab->at_work, 0);
	engine_free(lab->engine);
	usm_credential_free(lab->credential);
	close(lab->device.fd);
	close(lab->other.fd);
	loop_free(lab->loop);
	free(lab);
}

/* ---- discovery */

static void test_discovery(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g = ask(lab);

	(void)state;
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 1);
	assert_int_equal(lab->device.discoveries, 1);
	assert_int_equal(lab->device.requests, 2);
	assert_int_equal(g->tries, 1); /* the discovery is a question of its own */
	assert_true(g->rtt_us >= 0);
	assert_string_equal(g->note, "");
	assert_int_equal(g->engine_id_len, 12);
	assert_memory_equal(g->engine_id, lab->device.engine_id, 12);
	assert_int_equal(counted(lab, STATS_ANSWERED), 2);
	close_lab(lab);
}

static void test_engine_ids_are_the_targets(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	open_engine(lab, 1); /* one after the other, in the same job */
	start(lab, 0, &lab->device.addr, 1);
	run(lab, 1);
	start(lab, 1, &lab->other.addr, 1);
	run(lab, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(lab->got[i].status, RECORD_OK);
	assert_memory_equal(lab->got[1].engine_id, lab->other.engine_id, 12);
	assert_int_equal(lab->other.discoveries, 1);
	assert_at_rest(lab);
	close_lab(lab);
}

static void test_silence(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;
	char words[120];

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->device.silent = true;
	lab->profile.per_host = 4;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	snprintf(words, sizeof(words),
		 "no answer after 2 tries (is UDP %u open, does it speak SNMPv3?)",
		 lab->device.addr.port);
	assert_string_equal(g->message, words);
	assert_int_equal(lab->device.requests, 2);
	assert_int_equal(g->tries, 2);
	assert_int_equal(g->engine_id_len, 0);
	close_lab(lab);
}

static void test_pinned(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->profile.engine_id_len = 12;
	memcpy(lab->profile.engine_id, lab->device.engine_id, 12);
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.discoveries, 0);
	assert_int_equal(lab->device.requests, 2); /* its clock comes with a Report */
	assert_string_equal(g->note, "");
	close_lab(lab);
}

static void test_pinned_wrongly(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->profile.engine_id_len = 12;
	memcpy(lab->profile.engine_id, lab->other.engine_id, 12);
	g = ask(lab);
	assert_int_equal(g->status, RECORD_AUTH);
	assert_string_equal(g->message, "unknown engine ID (usmStatsUnknownEngineIDs): the "
					"device's is not the engine_id that was given");
	assert_int_equal(lab->device.requests, 1);
	close_lab(lab);
}

static void test_next_address(void **state)
{
	struct lab *lab = open_lab();
	struct addr addrs[2] = {lab->device.addr, lab->other.addr};

	(void)state;
	lab->profile.timeout_us = 50000;
	lab->device.silent_later = true;
	open_engine(lab, 2);
	start(lab, 0, addrs, 2);
	run(lab, 1);
	assert_int_equal(lab->got[0].status, RECORD_OK);
	assert_memory_equal(lab->got[0].engine_id, lab->other.engine_id, 12);
	assert_int_equal(lab->device.requests, 3);
	assert_int_equal(lab->other.requests, 2);
	assert_int_equal(lab->other.discoveries, 1); /* the first one's keys do not go there */
	assert_at_rest(lab);
	close_lab(lab);
}

/* ---- discovered, then silent */

static void check_silent_later(const struct usm_words *w, const char *context, const char *message)
{
	struct lab *lab = open_lab();
	const struct got *g;

	set_credential(lab, w);
	lab->profile.context = (char *)(uintptr_t)context;
	lab->device.silent_later = true;
	lab->profile.timeout_us = 50000;
	lab->profile.per_host = 5;
	set_oid(&lab->walks[0], "1.3.6.1.2.1.2");
	lab->profile.nwalk = 1;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_string_equal(g->message, message);
	assert_int_equal(lab->device.requests, 1 + 2); /* one question, all its tries */
	assert_int_equal(g->engine_id_len, 12);
	close_lab(lab);
}

static void test_discovered_then_silent(void **state)
{
	struct usm_words w = {.user = "poller"};

	(void)state;
	check_silent_later(&w, "",
			   "no answer after 2 tries; the discovery of its engine was answered, the "
			   "request is not: unknown user, or one who may not read");
	w.auth = "SHA";
	w.auth_pass = "authpass1";
	check_silent_later(
		&w, "ctx",
		"no answer after 2 tries; the discovery of its engine was answered, the "
		"authenticated request is not: unknown user, or one who may not read, or "
		"unknown context 'ctx'");
	w.priv = "AES";
	w.priv_pass = "privpass1";
	check_silent_later(&w, "",
			   "no answer after 2 tries; the discovery of its engine was answered, the "
			   "encrypted request is not: wrong passphrase or protocol of privacy, "
			   "or unknown user");
	w.priv = "AES-256";
	check_silent_later(
		&w, "ctx",
		"no answer after 2 tries; the discovery of its engine was answered, the "
		"encrypted request is not: wrong passphrase or protocol of privacy "
		"(AES-256 is set: some devices mean AES-256-C), unknown user, or unknown context "
		"'ctx'");
	w.priv = "AES-192-C";
	check_silent_later(&w, "",
			   "no answer after 2 tries; the discovery of its engine was answered, the "
			   "encrypted request is not: wrong passphrase or protocol of privacy "
			   "(AES-192-C is set: some devices mean AES-192), or unknown user");
}

/* ---- Reports */

static void check_report(enum stats_report report, bool sign, enum record_status status,
			 const char *message)
{
	struct lab *lab = open_lab();
	const struct got *g;

	lab->device.report = report;
	lab->device.unsigned_reports = !sign;
	g = ask(lab);
	assert_int_equal(g->status, status);
	assert_string_equal(g->message, message);
	assert_int_equal(lab->device.requests, 2); /* at once */
	assert_int_equal(counted(lab, STATS_ANSWERED), 2);
	close_lab(lab);
}

static void test_reports(void **state)
{
	(void)state;
	check_report(UNSUPPORTED_LEVEL, false, RECORD_AUTH,
		     "the security level is not supported for this user "
		     "(usmStatsUnsupportedSecLevels): has it passphrases for authentication and "
		     "privacy there?");
	check_report(UNKNOWN_USER, false, RECORD_AUTH,
		     "unknown user name (usmStatsUnknownUserNames): does the agent have this user, "
		     "spelled so?");
	check_report(WRONG_DIGEST, false, RECORD_AUTH,
		     "wrong digest: the passphrase or protocol of authentication "
		     "(usmStatsWrongDigests)");
	check_report(DECRYPTION, true, RECORD_AUTH,
		     "decryption error: the passphrase or protocol of privacy "
		     "(usmStatsDecryptionErrors)");
	check_report(UNKNOWN_CONTEXT, true, RECORD_ERROR,
		     "unknown context (snmpUnknownContexts): the agent wants one to be named (-n, "
		     "context)");
	check_report(SOMETHING_ELSE, true, RECORD_ERROR,
		     "a Report came instead of an answer: 1.3.6.1.6.3.15.1.1.77.0");
}

/* Its clock is not the one it told, or has jumped: one Report more. */
static void test_resynchronised(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->device.hurry = true;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 3);
	assert_string_equal(g->note, "");
	close_lab(lab);
}

/* Whoever told of more was not signed, and may have been anybody: there is nothing to note. */
static void test_boots_guessed_too_high(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->device.told_boots = 9;
	lab->device.boots = 2;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 3);
	assert_string_equal(g->note, "");
	close_lab(lab);
}

static void check_never_in_window(bool sign, unsigned requests)
{
	struct lab *lab = open_lab();
	const struct got *g;

	lab->device.report = NOT_IN_WINDOW;
	lab->device.unsigned_reports = !sign;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_AUTH);
	assert_string_equal(g->message,
			    "not in time window after resynchronisation "
			    "(usmStatsNotInTimeWindows): does its clock jump, or do two "
			    "devices share its engine ID?");
	assert_int_equal(lab->device.requests, requests);
	close_lab(lab);
}

static void test_never_in_window(void **state)
{
	(void)state;
	check_never_in_window(true, 1 + 3);
	check_never_in_window(false, 1 + 2);
}

static void test_engine_changes_for_ever(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->device.moving = true;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_AUTH);
	assert_string_equal(
		g->message,
		"unknown engine ID (usmStatsUnknownEngineIDs): it names another one each time");
	assert_string_equal(g->note, "");
	assert_int_equal(lab->device.requests, 1 + 4);
	close_lab(lab);
}

/* ---- who answers */

static void test_signed_from_anywhere(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->device.from_other = true; /* but its Reports of the discovery */
	assert_int_equal(ask(lab)->status, RECORD_OK);
	close_lab(lab);
}

/* What only names the engine is proved by the next exchange; nothing else that is not signed is. */
static void test_discovery_from_elsewhere(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->device.from_other = lab->device.reports_from_it = true;
	assert_int_equal(ask(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 2);
	close_lab(lab);

	lab = open_lab();
	lab->profile.timeout_us = 20000;
	lab->device.from_other = lab->device.reports_from_it = true;
	lab->device.report = WRONG_DIGEST;
	lab->device.unsigned_reports = true;
	assert_int_equal(ask(lab)->status, RECORD_TIMEOUT);
	close_lab(lab);
}

static void test_unsigned_from_elsewhere(void **state)
{
	struct usm_words nobody = {.user = "poller"};
	struct lab *lab = open_lab();
	char from[ADDR_TEXT_MAX];
	const struct got *g;

	(void)state;
	set_credential(lab, &nobody);
	lab->profile.timeout_us = 20000;
	lab->device.from_other = lab->device.reports_from_it = true;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	addr_text_port(&lab->other.addr, from);
	assert_non_null(strstr(g->message, from));
	assert_int_equal(g->engine_id_len, 0); /* it was not looked at */
	assert_int_equal(counted(lab, STATS_FOREIGN), 2);
	close_lab(lab);

	lab = open_lab();
	lab->device.from_other = lab->device.reports_from_it = true;
	lab->profile.any_source = true;
	assert_int_equal(ask(lab)->status, RECORD_OK);
	close_lab(lab);
}

/* A RESPONSE below the level that was asked for is none. */
static void test_downgrade(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 50000;
	lab->device.unsigned_answers = true;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_memory_equal(
		g->message,
		"no answer after 2 tries; an answer came that is not to be believed: ", 68);
	assert_int_equal(g->nvars, 0);
	assert_int_equal(counted(lab, STATS_FOREIGN), 2);
	close_lab(lab);
}

static void test_wrong_key(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->profile.timeout_us = 50000;
	make_key(&lab->device, "otherpass");
	assert_int_equal(ask(lab)->status, RECORD_TIMEOUT);
	assert_int_equal(counted(lab, STATS_FOREIGN), 2);
	close_lab(lab);
}

static void test_cut_short(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->device.cut = 60;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_MALFORMED);
	assert_memory_equal(g->message, "the answer does not decode: ", 28);
	assert_int_equal(lab->device.requests, 1); /* at once: its msgID could be read */
	assert_int_equal(counted(lab, STATS_MALFORMED), 1);
	close_lab(lab);

	lab = open_lab();
	lab->profile.timeout_us = 20000;
	lab->device.cut = 14; /* its version is there */
	g = ask(lab);
	assert_int_equal(g->status, RECORD_MALFORMED);
	assert_memory_equal(g->message,
			    "no answer after 2 tries, but an unreadable datagram: ", 53);
	close_lab(lab);
}

/* net-snmp#194: the ids of all tries stay valid. */
static void test_late_answer(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 100000;
	lab->device.swap = true;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->tries, 2);
	assert_int_equal(counted(lab, STATS_LATE), 1);
	close_lab(lab);
}

static void test_unreachable(void **state)
{
	struct lab *lab = open_lab();
	const char *extras = getenv("WITH_LINUX_EXTRAS");

	(void)state;
	if (extras && strcmp(extras, "no") == 0)
		lab->profile.retries = 0;
	else
		lab->profile.timeout_us = 5000000;
	loop_forget(lab->loop, lab->device.fd);
	close(lab->device.fd);
	lab->device.fd = -1;
	assert_int_equal(ask(lab)->status,
			 extras && strcmp(extras, "no") == 0 ? RECORD_TIMEOUT : RECORD_UNREACHABLE);
	close_lab(lab);
}

/* ---- long jobs */

/* So many subtrees of 100 rows. */
static void walk(struct lab *lab, unsigned n)
{
	char root[32];

	lab->profile.nget = 0;
	while (lab->profile.nwalk < n) {
		snprintf(root, sizeof(root), "1.3.6.1.2.1.50.%u", (unsigned)lab->profile.nwalk + 1);
		set_oid(&lab->walks[lab->profile.nwalk++], root);
	}
}

static void test_walk(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	walk(lab, 1);
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 100);
	assert_int_equal(g->last, 100);
	close_lab(lab);
}

/* With several requests in flight each gets a Report, and that is one reboot. */
static void check_reboot(unsigned per_host)
{
	struct lab *lab = open_lab();
	const struct got *g;

	walk(lab, 6);
	lab->profile.per_host = per_host;
	lab->device.reboot_at = 40;
	lab->device.late_us = 500;
	lab->profile.timeout_us = 500000;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 600);
	assert_int_equal(g->tries, 1);
	assert_string_equal(g->note, "");
	assert_in_range(lab->device.requests, 1 + 606 + (per_host + 1) / 2, 1 + 606 + per_host);
	close_lab(lab);
}

static void test_reboot_in_a_walk(void **state)
{
	(void)state;
	check_reboot(1);
	check_reboot(6);
}

/* What such a Report says is older than what is known by then: nothing is learnt of it. */
static void test_an_old_report_teaches_nothing(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	walk(lab, 6);
	lab->profile.per_host = 6;
	lab->profile.timeout_us = 500000;
	lab->device.reboot_at = 40;
	lab->device.stale = true;
	lab->device.late_us = 500;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 600);
	assert_string_equal(g->note, "");
	assert_in_range(lab->device.windows, 2, 6); /* once for each that was under way */
	close_lab(lab);
}

static void test_boots_fell_back(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	walk(lab, 1);
	lab->device.reboot_at = 10;
	lab->device.forgets = true;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 100);
	assert_string_equal(g->note, "snmpEngineBoots fell back from 9 to 2");
	close_lab(lab);
}

/* Any number of times, with answers in between. */
static void test_reboots(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	walk(lab, 1);
	lab->device.reboot_at = 10;
	lab->device.reboot_again = 10;
	assert_int_equal(ask(lab)->status, RECORD_OK);
	assert_int_equal(lab->got[0].nvars, 100);
	assert_true(lab->device.boots > 9 + 8);
	close_lab(lab);
}

static void test_a_report_ends_a_walk(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	walk(lab, 1);
	open_engine(lab, 8);
	start(lab, 41, &lab->device.addr, 1);
	while (lab->device.requests < 30)
		turn(lab);
	lab->device.report = UNKNOWN_USER;
	run(lab, 1);
	assert_int_equal(lab->got[0].status, RECORD_PARTIAL);
	assert_string_equal(lab->got[0].message,
			    "auth: unknown user name (usmStatsUnknownUserNames): does the agent "
			    "have this user, spelled so?");
	assert_in_range(lab->got[0].nvars, 25, 40);
	assert_at_rest(lab);
	close_lab(lab);
}

/* Objects that do not fit one request. */
static void test_long_get(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	for (size_t i = 0; i < 120; i++) {
		char text[64];

		snprintf(text, sizeof(text), "1.3.6.1.2.1.31.1.1.1.10.%zu", i + 1);
		set_oid(&lab->objects[i], text);
	}
	lab->profile.nget = 120;
	lab->profile.per_host = 2;
	g = ask(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 120);
	assert_int_equal(g->last, 120);
	close_lab(lab);
}

/* 100 that do not answer beside 100 that do: these do not wait for them. */
static void test_silent_ones_delay_nobody(void **state)
{
	struct lab *lab = open_lab();
	int64_t begin_us;

	(void)state;
	lab->profile.timeout_us = 1000000;
	lab->profile.retries = 0;
	lab->other.silent = true;
	open_engine(lab, RECORDS);
	begin_us = loop_clock_us();
	for (uint64_t i = 0; i < RECORDS; i++)
		start(lab, i, i % 2 ? &lab->other.addr : &lab->device.addr, 1);
	run(lab, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++) {
		const struct got *g = &lab->got[i];

		assert_int_equal(g->status, g->seq % 2 ? RECORD_TIMEOUT : RECORD_OK);
		assert_true(g->seq % 2 || g->at_us - begin_us < 900000);
	}
	assert_at_rest(lab);
	close_lab(lab);
}

/* The codec refuses what conf would have: the job is over, not forgotten, and so are those behind it. */
static void test_what_cannot_be_built(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->objects[0] = (struct oid){.id = {5, 50, 1}, .len = 3}; /* no OID begins so */
	open_engine(lab, 8);
	for (unsigned i = 0; i < 5; i++)
		start(lab, i, &lab->device.addr, 1);
	run(lab, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(lab->got[i].status, RECORD_AUTH);
		assert_true(lab->got[i].message[0]);
	}
	assert_int_equal(lab->device.requests, lab->device.discoveries);
	assert_at_rest(lab); /* what was not sent is not counted */
	close_lab(lab);
}

static void test_freed_with_tasks_in_hand(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->device.silent_later = true;
	open_engine(lab, 8);
	start(lab, 41, &lab->device.addr, 1);
	while (lab->device.requests < 2)
		turn(lab);
	close_lab(lab); /* no record, no leak */
}

static int start_library(void **state)
{
	(void)state;
	pdu_init();
	return 0;
}

/* ---- what is known of a round before */

/* A round: one poll, which knows what the one before has learnt. */
static const struct got *round_of(struct lab *lab)
{
	lab->device.requests = lab->device.discoveries = 0;
	if (!lab->engine)
		open_engine(lab, 8);
	lab->learns = true;
	lab->n = 0;
	start(lab, 41, &lab->device.addr, 1);
	run(lab, 1);
	assert_at_rest(lab);
	lab->learnt = lab->got[0].learnt;
	return &lab->got[0];
}

static void test_one_exchange(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g = round_of(lab);

	(void)state;
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 2);
	assert_int_equal(g->learnt.engine_id_len, 12);
	assert_memory_equal(g->learnt.engine_id, lab->device.engine_id, 12);
	assert_true(g->learnt.clocked && g->learnt.timed);
	assert_int_equal(g->learnt.boots, lab->device.boots);
	for (int i = 0; i < 3; i++) {
		g = round_of(lab);
		assert_int_equal(g->status, RECORD_OK);
		assert_int_equal(g->nvars, 1);
		assert_int_equal(lab->device.requests, 1);
		assert_int_equal(lab->device.discoveries, 0);
		assert_int_equal(g->tries, 1);
		assert_int_equal(g->engine_id_len, 12);
		assert_string_equal(g->note, "");
	}
	close_lab(lab);
}

/* Its clock runs between the rounds, and ours knows by how much. */
static void test_the_clock_runs_on(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	round_of(lab);
	lab->learnt.stamp_us -= INT64_C(86400000000); /* a day ago */
	lab->device.time_s += 86400;
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 1);
	lab->device.time_s += 86400; /* and a day that we did not see */
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.discoveries, 0);
	assert_int_equal(lab->device.requests, 2);
	close_lab(lab);
}

static void test_rebooted_between_rounds(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	round_of(lab);
	lab->device.boots++;
	lab->device.time_s = 3;
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 2);
	assert_int_equal(lab->device.discoveries, 0);
	assert_int_equal(g->learnt.boots, lab->device.boots);
	assert_string_equal(g->note, "");
	round_of(lab);
	assert_int_equal(lab->device.requests, 1);
	lab->device.boots -= 2; /* it has lost its memory: believed as it is signed, and told */
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_non_null(strstr(g->note, "snmpEngineBoots fell back"));
	close_lab(lab);
}

/* Boots that nobody signed set no clock, whoever asks for it. */
static void test_a_forged_report_sets_no_clock(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	round_of(lab);
	lab->device.report = NOT_IN_WINDOW;
	lab->device.unsigned_reports = true;
	lab->device.boots += 5;
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_AUTH);
	assert_int_equal(g->learnt.engine_id_len, 0); /* what did not serve is not learnt */
	assert_false(g->learnt.clocked);
	close_lab(lab);
}

static void test_swapped_between_rounds(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	round_of(lab);
	move(&lab->device);
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 2); /* a Report, and the answer */
	assert_memory_equal(g->engine_id, lab->device.engine_id, 12);
	assert_memory_equal(g->learnt.engine_id, lab->device.engine_id, 12);
	round_of(lab);
	assert_int_equal(lab->device.requests, 1);
	close_lab(lab);
}

/* Who is silent to another engine's ID is discovered by the last try, and then has all of them. */
static void test_swapped_and_silent(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->profile.retries = 2;
	lab->profile.timeout_us = 50000;
	round_of(lab);
	move(&lab->device);
	lab->device.silent_to_others = true;
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(lab->device.discoveries, 1);
	assert_int_equal(lab->device.requests, 4);
	assert_memory_equal(g->learnt.engine_id, lab->device.engine_id, 12);
	lab->profile.retries = 0; /* then there is no such try: the round after it finds it */
	move(&lab->device);
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_int_equal(g->engine_id_len, 0); /* hearsay */
	assert_int_equal(lab->device.requests, 1);
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	close_lab(lab);
}

/* Whatever is made up costs exchanges and not the result. */
static void test_lies(void **state)
{
	struct lab *lab = open_lab();
	struct learnt right;

	(void)state;
	lab->profile.retries = 0;
	round_of(lab);
	right = lab->learnt;
	for (unsigned lie = 0; lie < 7; lie++) {
		struct learnt *l = &lab->learnt;

		*l = right;
		if (lie == 0)
			l->boots = LEARNT_CLOCK_MAX;
		if (lie == 1)
			l->boots = l->time_s = 0;
		if (lie == 2)
			l->time_s = LEARNT_CLOCK_MAX;
		if (lie == 3)
			l->stamp_us = 0;
		if (lie == 4)
			l->engine_id[3] ^= 1;
		if (lie == 5)
			l->engine_id_len = 5;
		if (lie == 6) {
			l->address = 7;
			l->srtt_us = l->rttvar_us = LEARNT_RTT_MAX;
			l->clocked = false;
		}
		assert_int_equal(round_of(lab)->status, RECORD_OK);
		assert_in_range(lab->device.requests, 1, 3);
		round_of(lab);
		assert_int_equal(lab->device.requests, 1);
	}
	close_lab(lab);
}

/* What the person gave stands above what was learnt. */
static void test_pinned_and_learnt(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	memcpy(lab->profile.engine_id, lab->device.engine_id, 12);
	lab->profile.engine_id_len = 12;
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 2); /* the clock */
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 1);
	lab->learnt.engine_id[5] ^= 1;
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 2);
	close_lab(lab);
}

/* What leads to no answer begins anew each time, and costs no more each time. */
static void test_never_served(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->device.silent_later = true;
	for (int i = 0; i < 3; i++) {
		const struct got *g = round_of(lab);

		assert_int_equal(g->status, RECORD_TIMEOUT);
		assert_int_equal(lab->device.requests, 3); /* one discovery, two tries */
		assert_int_equal(g->learnt.engine_id_len, 0);
		assert_int_equal(g->learnt.silent, 0); /* it is there */
	}
	close_lab(lab);
}

/* The engine is that of the address which answered. */
static void test_learnt_of_another_address(void **state)
{
	struct lab *lab = open_lab();
	struct addr addrs[2];

	(void)state;
	round_of(lab);
	lab->device.silent = true;
	lab->profile.timeout_us = 20000;
	addrs[0] = lab->device.addr;
	addrs[1] = lab->other.addr;
	lab->n = 0;
	start(lab, 1, addrs, 2);
	run(lab, 1);
	assert_int_equal(lab->got[0].status, RECORD_OK);
	assert_int_equal(lab->other.discoveries, 1);
	assert_int_equal(lab->got[0].learnt.address, 1);
	assert_memory_equal(lab->got[0].learnt.engine_id, lab->other.engine_id, 12);
	lab->learnt = lab->got[0].learnt;
	lab->n = lab->device.requests = lab->other.requests = 0;
	start(lab, 2, addrs, 2);
	run(lab, 1);
	assert_int_equal(lab->got[0].status, RECORD_OK);
	assert_int_equal(lab->other.requests, 1);
	assert_int_equal(lab->device.requests, 0);
	close_lab(lab);
}

/* A device that has answered in this poll is not discovered again, however late the try. */
static void test_a_loss_later_on(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	lab->profile.timeout_us = 50000;
	set_oid(&lab->walks[0], "1.3.6.1.2.1.50.1");
	lab->profile.nwalk = 1;
	round_of(lab);
	lab->device.deaf_at = 9;
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->got[0].tries, 2);
	assert_int_equal(lab->device.discoveries, 0);
	close_lab(lab);
}

/* What is said of one that was swapped is what would be said without a memory. */
static void test_swapped_and_of_no_use(void **state)
{
	struct lab *lab = open_lab();
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 20000;
	round_of(lab);
	move(&lab->device);
	lab->device.report = UNKNOWN_USER;
	lab->device.unsigned_reports = true;
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_AUTH);
	assert_int_equal(g->engine_id_len, 12);
	assert_memory_equal(g->engine_id, lab->device.engine_id, 12);
	lab->device.report = 0;
	round_of(lab);
	move(&lab->device);
	lab->device.silent_later = true;
	g = round_of(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_non_null(strstr(g->message, "the discovery of its engine was answered"));
	close_lab(lab);
}

static void test_silent_one_is_discovered_again(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	round_of(lab);
	lab->profile.timeout_us = 20000;
	lab->profile.silent_after = 2;
	lab->device.silent = true;
	round_of(lab);
	assert_int_equal(round_of(lab)->learnt.silent, 2);
	assert_int_equal(lab->device.requests, 2);
	assert_int_equal(round_of(lab)->learnt.engine_id_len, 0);
	assert_int_equal(lab->device.requests, 1);
	lab->device.silent = false;
	lab->device.deaf_at = 2; /* from its first answer on it has all its tries */
	assert_int_equal(round_of(lab)->status, RECORD_OK);
	assert_int_equal(lab->device.requests, 3);
	assert_int_equal(lab->got[0].learnt.silent, 0);
	lab->device.deaf_at = 0;
	round_of(lab);
	assert_int_equal(lab->device.requests, 1);
	close_lab(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_engine_ids_are_the_targets),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_pinned_wrongly),
		cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_discovered_then_silent),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_resynchronised),
		cmocka_unit_test(test_boots_guessed_too_high),
		cmocka_unit_test(test_an_old_report_teaches_nothing),
		cmocka_unit_test(test_boots_fell_back),
		cmocka_unit_test(test_never_in_window),
		cmocka_unit_test(test_engine_changes_for_ever),
		cmocka_unit_test(test_signed_from_anywhere),
		cmocka_unit_test(test_discovery_from_elsewhere),
		cmocka_unit_test(test_unsigned_from_elsewhere),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_reboot_in_a_walk),
		cmocka_unit_test(test_reboots),
		cmocka_unit_test(test_a_report_ends_a_walk),
		cmocka_unit_test(test_long_get),
		cmocka_unit_test(test_silent_ones_delay_nobody),
		cmocka_unit_test(test_what_cannot_be_built),
		cmocka_unit_test(test_one_exchange),
		cmocka_unit_test(test_the_clock_runs_on),
		cmocka_unit_test(test_rebooted_between_rounds),
		cmocka_unit_test(test_a_forged_report_sets_no_clock),
		cmocka_unit_test(test_swapped_between_rounds),
		cmocka_unit_test(test_swapped_and_silent),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_pinned_and_learnt),
		cmocka_unit_test(test_never_served),
		cmocka_unit_test(test_learnt_of_another_address),
		cmocka_unit_test(test_a_loss_later_on),
		cmocka_unit_test(test_swapped_and_of_no_use),
		cmocka_unit_test(test_silent_one_is_discovered_again),
		cmocka_unit_test(test_freed_with_tasks_in_hand),
	};

	return cmocka_run_group_tests(tests, start_library, NULL);
}

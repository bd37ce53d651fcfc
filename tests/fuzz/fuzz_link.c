/*
 * What comes over a broker, and to the courier: the first octet says which.
 *
 * 0: the courier between an owner and a broker (link_fake) that both do as the rest says, a step a turn of its loop: octets and
 *    frames of the owner, messages of the broker, faults, time. After its end the owner goes. What must hold: the courier leaves
 *    then; it says only what a courier says, confirms only what the broker keeps, and calls nothing of a side that is gone.
 * 1: a message's body, tasks or results. What is taken apart and put together again is taken apart to the same.
 * 2: a run's description; 3: pieces of one. The same; and no piece is taken that does not fit.
 * 4: the profiles in a description, as an agent takes them, which has some credentials. It makes a plan of them or says why not; each
 *    profile is one that could have stood in a file, or there is a reason why its targets cannot be asked.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/link_fake.h"
#include "base/mem.h"
#include "double_loop.h"
#include "frames.h"
#include "link/batch.h"
#include "link/courier_internal.h"
#include "link/run.h"
#include "plan/who.h"
#include "plan/fed.h"
#include "plan/plan.h"
#include "profiles.h"

#define STEPS_MAX 300
#define SHARED    48 /* octets that the owner may lend */
#define TURNS_MAX 20000

const struct link_calls link_amqp; /* nothing of AMQP is wanted here */

/* ---- the courier */

struct play {
	struct input in;
	struct frames owner;
	struct link_fake *fake;
	unsigned steps;
	bool over;
};

/* Of a body that is lent: of one of the first UPs, and of all that is shared more or less. */
static void place_puts(struct wire_out *w, uint8_t body)
{
	wire_put_u32(w, body % 4);
	wire_put_u32(w, body % (SHARED + 2));
	wire_put_u32(w, body / 4);
}

static void owner_puts(struct play *p, uint8_t kind)
{
	uint8_t octets[300], body = input_u8(&p->in);
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	const uint8_t *rest;
	size_t len = input_octets(&p->in, &rest);

	if (kind == COURIER_PUT || kind == COURIER_PUT_LENT) {
		wire_put_u64(&w, body);
		wire_put_u8(&w, body % 3);
		wire_put_str(&w, "north", body % 3 == COURIER_CONTROL ? 0 : 5);
		if (kind == COURIER_PUT_LENT)
			place_puts(&w, body);
	} else if (kind == COURIER_SITE) {
		wire_put_str(&w, "north", 5);
		len = 0;
	} else if (kind >= COURIER_ACK && kind <= COURIER_BURY) {
		wire_put_u64(&w, (uint64_t)p->fake->side[LINK_TAKES].epoch << 32 | body);
		len = 0;
	} else if (kind == COURIER_STOP) {
		wire_put_u8(&w, body % 2);
		len = 0;
	}
	if (kind >= COURIER_REOPEN && kind != COURIER_STOP)
		len = 0;
	wire_put_bytes(&w, rest, len);
	frames_put(&p->owner, kind, octets, (size_t)(w.at - octets));
}

static void broker_acts(struct play *p, uint8_t what)
{
	struct link_fake *f = p->fake;
	uint8_t n = input_u8(&p->in);
	enum link_side side = n % 2 ? LINK_PUTS : LINK_TAKES;

	switch (what % 9) {
	case 0:
		fake_give(f, n % 4, "a body", n);
		break;
	case 1:
		fake_hang_up(f, side, n & 2);
		break;
	case 2:
		f->gone_at = n;
		break;
	case 3:
		f->answer[side] = LINK_OPEN + (n >> 1) % 4;
		f->answers[side] = (n >> 3) % 8;
		break;
	case 4:
		fake_say(f, LINK_PUTS, n % 2 ? LINK_BLOCKED : LINK_UNBLOCKED);
		break;
	case 5:
		f->room = n - 1;
		break;
	case 6:
		f->confirms = n % 4;
		f->buffered = n & 4;
		f->late = n & 8;
		break;
	case 7:
		fake_answer_all(f);
		break;
	default:
		fake_say(f, LINK_TAKES, n % 2 ? LINK_WAITING : LINK_READY);
	}
}

static void owner_hears(struct play *p)
{
	struct queue_frame f;

	while (frames_next(&p->owner, &f)) {
		struct wire_in r = {.at = f.data, .end = f.data + f.len};

		FUZZ_CHECK(f.kind >= COURIER_UP && f.kind <= COURIER_STOPPED);
		if (f.kind == COURIER_CONFIRMED)
			FUZZ_CHECK(fake_keeps(p->fake, wire_get_u64(&r)));
		FUZZ_CHECK(!r.bad && (f.kind != COURIER_UP || (f.len == 1 && f.data[0] <= 2)));
	}
}

/* At the start of each turn of the courier's loop. */
static void play_step(void *arg)
{
	struct play *p = arg;
	const uint8_t *octets;
	uint8_t what;
	size_t len;

	owner_hears(p);
	if (p->over)
		return;
	if (input_left(&p->in) == 0 || p->steps++ == STEPS_MAX) {
		shutdown(p->owner.fd, SHUT_RDWR);
		p->over = true;
		return;
	}
	what = input_u8(&p->in);
	if (what < 0x20) {
		owner_puts(p, what % (COURIER_PUT_LENT + 1));
	} else if (what < 0x40) {
		len = input_octets(&p->in, &octets);
		frames_put_raw(&p->owner, octets, len);
	} else if (what < 0xc0) {
		broker_acts(p, what);
	} else {
		double_clock_step((int64_t)(what & 0x3f) * 100000);
	}
	frames_flush(&p->owner);
}

static void play(struct input *in)
{
	struct play p = {.in = *in, .fake = fake_new()};
	struct broker broker = {.nnodes = 1};
	uint8_t *shared = mem_zero(1, SHARED); /* of its own, so that a sanitizer sees its ends */
	struct courier_config config = {.broker = &broker,
					.name = "m",
					.shared = shared,
					.shared_len = SHARED,
					.calls = &link_fake,
					.calls_arg = p.fake};
	struct courier c;
	int fd[2], turns = 0;

	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	p.owner.fd = fd[0];
	double_clock_start(play_step, &p);
	courier_open(&c, &config, fd[1]);
	while (!c.done) {
		p.fake->heartbeat_us = loop_clock_us() + 5000000;
		courier_turn(&c);
		FUZZ_CHECK(++turns < TURNS_MAX);
	}
	FUZZ_CHECK(p.fake->wrong == 0);
	courier_close(&c);
	free(shared);
	FUZZ_CHECK(p.fake->frees == 1);
	close(fd[1]);
	frames_drop(&p.owner);
	fake_free(p.fake);
}

/* ---- bodies */

struct packed {
	uint8_t octets[2 * BATCH_BODY_MAX];
	size_t len;
};

static struct wire_in reads(const struct packed *p)
{
	return (struct wire_in){.at = p->octets, .end = p->octets + p->len};
}

static struct wire_out writes(struct packed *p)
{
	return (struct wire_out){.at = p->octets, .end = p->octets + sizeof(p->octets)};
}

static bool target_again(struct wire_in *r, struct packed *out)
{
	struct plan_target t;
	struct batch_store store;
	struct learnt known;
	struct wire_out w = writes(out);
	bool learns = false;

	if (!batch_target_unpack(&t, &store, &learns, &known, r))
		return false;
	batch_target_pack(&t, learns ? &known : NULL, &w);
	FUZZ_CHECK(!w.full);
	out->len = (size_t)(w.at - out->octets);
	return true;
}

static bool result_again(struct wire_in *r, struct packed *out)
{
	struct batch_result b;
	struct record_head head;
	struct wire_out w = writes(out);

	if (!batch_result_unpack(&b, &head, r))
		return false;
	batch_result_pack(&b, &w);
	FUZZ_CHECK(!w.full);
	out->len = (size_t)(w.at - out->octets);
	return true;
}

static bool tasks_again(struct wire_in *r, struct packed *out)
{
	struct batch_tasks t;
	struct wire_out w = writes(out);

	if (!batch_tasks_unpack(&t, r))
		return false;
	FUZZ_CHECK(broker_name_ok(t.master));
	batch_tasks_pack(&t, &w);
	out->len = (size_t)(w.at - out->octets);
	return true;
}

static bool results_again(struct wire_in *r, struct packed *out)
{
	struct batch_results b;
	struct wire_out w = writes(out);

	if (!batch_results_unpack(&b, r))
		return false;
	FUZZ_CHECK(broker_name_ok(b.agent) && broker_name_ok(b.site));
	batch_results_pack(&b, &w);
	out->len = (size_t)(w.at - out->octets);
	return true;
}

/* What is taken apart once is so ever after, and comes to the same octets. */
static bool again(struct wire_in *r, bool (*one)(struct wire_in *r, struct packed *out))
{
	static struct packed first, second;
	struct wire_in in;

	if (!one(r, &first))
		return false;
	in = reads(&first);
	FUZZ_CHECK(one(&in, &second));
	FUZZ_CHECK(first.len == second.len && memcmp(first.octets, second.octets, first.len) == 0);
	return true;
}

static void body(struct input *in)
{
	struct wire_in r = {.at = in->at, .end = in->end};
	struct batch_head h;
	bool other, more = true;

	if (!batch_head_unpack(&h, &r, &other))
		return;
	FUZZ_CHECK(!other && h.kind >= BATCH_OF_TASKS && h.kind <= BATCH_DRAIN);
	if (h.kind == BATCH_OF_TASKS)
		more = again(&r, tasks_again);
	else if (h.kind == BATCH_OF_RESULTS)
		more = again(&r, results_again);
	for (int i = 0; more && i < 100; i++)
		more = again(&r, h.kind == BATCH_OF_TASKS ? target_again : result_again);
}

/* ---- a run */

static void description(const uint8_t *p, size_t len)
{
	struct run run, same;
	struct buf octets = {0};
	const char *error = NULL;

	if (!run_unpack(&run, p, len, &error)) {
		FUZZ_CHECK(error);
		return;
	}
	FUZZ_CHECK(broker_name_ok(run.master) && run.format);
	run_pack(&run, &octets);
	FUZZ_CHECK(run_unpack(&same, octets.data, octets.len, &error));
	FUZZ_CHECK(same.number == run.number && same.profiles_len == run.profiles_len &&
		   strcmp(same.format, run.format) == 0);
	buf_free(&octets);
}

static void pieces(struct input *in)
{
	struct run_pieces *p = run_pieces_new();
	size_t taken = 0;

	while (input_left(in) > 0) {
		const uint8_t *octets, *whole = NULL;
		size_t len = input_octets(in, &octets), whole_len = 0;
		struct wire_in r = {.at = octets, .end = octets + len};

		taken = run_pieces_take(p, &r, &whole, &whole_len) ? taken + len : 0;
		FUZZ_CHECK(!whole || whole_len <= taken);
		if (whole)
			description(whole, whole_len);
	}
	run_pieces_free(p);
}

/* ---- its profiles */

/* An agent's, made once: keys cost milliseconds. */
static const struct plan_keys *agent_keys(void)
{
	static const char yaml[] =
		"credentials:\n"
		"  c: {version: 2c, community: word}\n"
		"  n: {version: 3, user: someone}\n"
		"  a: {version: 3, user: poller, auth: SHA-256, auth_pass: authority1}\n"
		"  p: {version: 3, user: poller, auth: SHA-256, auth_pass: authority1, "
		"priv: AES, priv_pass: secrecy123}\n";
	static struct plan_keys *keys;
	char path[] = "/tmp/fuzz-link.XXXXXX";
	static struct conf *conf;
	int fd;

	if (keys)
		return keys;
	fd = mkstemp(path);
	FUZZ_CHECK(fd >= 0 && write(fd, yaml, sizeof(yaml) - 1) == (ssize_t)sizeof(yaml) - 1);
	close(fd);
	conf = conf_new();
	conf_hold_secrets(conf);
	conf_read(conf, path);
	unlink(path);
	keys = plan_keys_new(conf);
	FUZZ_CHECK(keys);
	return keys;
}

static void profiles(const uint8_t *octets, size_t len)
{
	const char *error = NULL;
	struct plan *plan;
	size_t n;
	const struct profile *p;

	fuzz_library();
	plan = plan_fed(agent_keys(), octets, len, &error);
	if (!plan) {
		FUZZ_CHECK(error);
		return;
	}
	p = plan_profiles(plan, &n);
	for (size_t i = 0; i < n; i++)
		if (!plan_fault(plan, (uint32_t)i))
			check_profile(&p[i]);
	FUZZ_CHECK(plan_fault(plan, (uint32_t)n));
	plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.at = data, .end = data + size};

	double_clock_start(NULL, NULL);
	switch (input_u8(&in) % 5) {
	case 0:
		play(&in);
		break;
	case 1:
		body(&in);
		break;
	case 2:
		description(in.at, input_left(&in));
		break;
	case 4:
		profiles(in.at, input_left(&in));
		break;
	default:
		pieces(&in);
	}
	return 0;
}

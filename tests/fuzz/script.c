/*
 * The steps of an input for the engine.
 *
 * An input is: the profile's number, how the first task is started, then steps of an octet and its arguments. Most
 * steps are messages to a request that was sent (WHICH: 0 the last one, 1 the one before …), so the four octets
 * 7f 'I' 'D' '?' in a message stand for its id, and lengths, digests and encryption are made here: bytes that a
 * fuzzer would never guess. Next to them stands RAW, which leaves everything to the fuzzer.
 */
#include "script.h"

#include <errno.h>
#include <string.h>

#include "double_loop.h"
#include "double_session.h"
#include "fuzz.h"
#include "lab.h"

#define STEPS_MAX 64

static const uint8_t placeholder[] = {0x7f, 'I', 'D', '?'};

struct script {
	struct lab lab;
	struct input in;
	struct question q; /* of the step at hand */
	uint8_t rest[AGENT_OCTETS], octets[AGENT_OCTETS], last[AGENT_OCTETS];
	size_t last_len;
};

/* The request that the next octet chooses, read. NULL: none was sent yet. */
static const struct sent *choose(struct script *s)
{
	const struct sent *sent = lab_sent(&s->lab, input_u8(&s->in));

	if (sent)
		agent_read(s->lab.agent, sent->data, sent->len, &s->q);
	return sent;
}

static void deliver(struct script *s, const uint8_t *p, size_t len, uint8_t source)
{
	if (p != s->last)
		memcpy(s->last, p, len);
	s->last_len = len;
	lab_receive(&s->lab, p, len, source);
}

/* Octets of the input with the id of the question in them. */
static size_t filled(struct script *s, uint8_t out[AGENT_OCTETS])
{
	const uint8_t *p;
	size_t len = input_long_octets(&s->in, &p);

	len = len < AGENT_OCTETS ? len : AGENT_OCTETS;
	memcpy(out, p, len);
	for (size_t i = 0; i + 4 <= len; i++)
		if (memcmp(out + i, placeholder, 4) == 0)
			pdu_patch_id(out + i, s->q.id);
	return len;
}

static void send_message(struct script *s, struct message *m, uint8_t source)
{
	m->id = s->q.id;
	deliver(s, s->octets, agent_write(s->lab.agent, m, s->octets), source);
}

/* WHICH SOURCE LENGTH OCTETS: a message, as it is */
static void step_raw(struct script *s)
{
	uint8_t source;

	choose(s);
	source = input_u8(&s->in);
	deliver(s, s->octets, filled(s, s->octets), source);
}

/* WHICH SOURCE TWIST LENGTH OCTETS: a message with these octets behind its request-id, or (whole) as scopedPDU */
static void wrapped(struct script *s, bool whole)
{
	struct message m = {.rest = s->rest, .whole = whole};
	uint8_t source;

	choose(s);
	source = input_u8(&s->in);
	m.twist = input_u8(&s->in);
	m.rest_len = filled(s, s->rest);
	send_message(s, &m, source);
}

/* WHICH TWIST COUNT STEP LENGTH VALUE: the answer, of names that make sense; to a discovery, its Report */
static void step_answer(struct script *s)
{
	struct message m = {.rest = s->rest};
	struct rows r;

	if (!choose(s))
		return;
	m.twist = input_u8(&s->in);
	r = (struct rows){.repetitions = input_u8(&s->in) % 48u + 1, .step = input_u8(&s->in)};
	r.value_len = input_octets(&s->in, &r.value);
	if (s->q.discovery) {
		m.twist |= TWIST_REPORT | TWIST_UNSIGNED;
		m.rest_len = agent_report(4, s->rest);
	} else {
		m.rest_len = agent_rows(&s->q, &r, s->rest);
	}
	send_message(s, &m, 0);
}

/* WHICH STATUS INDEX */
static void step_error(struct script *s)
{
	struct message m = {.rest = s->rest};
	struct rows r = {.repetitions = 1};

	if (!choose(s))
		return;
	r.status = input_u8(&s->in);
	r.index = input_u8(&s->in);
	m.rest_len = agent_rows(&s->q, &r, s->rest);
	send_message(s, &m, 0);
}

/* WHICH TWIST NUMBER */
static void step_report(struct script *s)
{
	struct message m = {.rest = s->rest};

	if (!choose(s))
		return;
	m.twist = input_u8(&s->in) | TWIST_REPORT;
	m.rest_len = agent_report(input_u8(&s->in), s->rest);
	send_message(s, &m, 0);
}

/* WHICH COUNT STEP PLACE MASK CUT: an answer with one octet changed, and octets missing at its end */
static void step_dent(struct script *s)
{
	struct message m = {.rest = s->rest, .id = 0};
	struct rows r = {0};
	size_t place, cut, len;
	uint8_t mask;

	if (!choose(s))
		return;
	r.repetitions = input_u8(&s->in) % 48u + 1;
	r.step = input_u8(&s->in);
	place = input_u16(&s->in);
	mask = input_u8(&s->in);
	cut = input_u8(&s->in);
	m.rest_len = agent_rows(&s->q, &r, s->rest);
	m.id = s->q.id;
	len = agent_write(s->lab.agent, &m, s->octets);
	if (len > 0)
		s->octets[place % len] ^= mask;
	deliver(s, s->octets, len - cut % (len + 1), 0);
}

static int error_of(uint8_t which)
{
	static const int errors[] = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EACCES,     EMSGSIZE,
				     ENOBUFS,      EAGAIN,       ETIMEDOUT,   ECONNRESET, EPIPE};

	return errors[which % (sizeof(errors) / sizeof(errors[0]))];
}

/* WHICH ERROR SIZE: the network quotes so many octets of the request; a stream hangs up */
static void step_refuse(struct script *s)
{
	const struct sent *sent = choose(s);
	int error = error_of(input_u8(&s->in));

	if (sent)
		lab_refuse(&s->lab, sent, error, input_u16(&s->in));
}

/* ERROR SIZE: what the next send meets; how a stream is cut */
static void step_send_error(struct script *s)
{
	uint8_t which = input_u8(&s->in), size = input_u8(&s->in);

	if (!s->lab.session) {
		s->lab.send_error = which & 0x80 ? 0 : error_of(which);
		return;
	}
	double_stream()->open_error = which & 0x80 ? 0 : error_of(which);
	double_stream()->piece = size & 0x0f;
	double_stream()->full = size >> 4;
	double_stream()->pending = which & 0x40;
}

/* MILLISECONDS: time passes; HOW below 16: held, above: the process was stopped, or the rate is another */
static void step_time(struct script *s)
{
	double_clock_step(INT64_C(1000) * input_u16(&s->in));
	lab_turn(&s->lab);
}

static void step_order(struct script *s)
{
	uint8_t how = input_u8(&s->in);

	switch (how & 7) {
	case 0:
	case 1:
		s->lab.held = how & 1;
		engine_hold(s->lab.engine, s->lab.held);
		break;
	case 2:
		double_late(INT64_C(2000000) * (how >> 3));
		break;
	case 3:
		engine_set_rate(s->lab.engine, (how >> 3) * 5.0);
		break;
	case 4:
		if (how == 0xfc)
			engine_cancel(s->lab.engine);
		break;
	default:
		lab_task(&s->lab, how >> 3);
		break;
	}
	lab_turn(&s->lab);
}

static void step(struct script *s)
{
	uint8_t op = input_u8(&s->in);

	switch (op % 12) {
	case 0:
		step_raw(s);
		break;
	case 1:
	case 2:
		wrapped(s, op % 12 == 2);
		break;
	case 3:
	case 4:
		step_answer(s);
		break;
	case 5:
		step_error(s);
		break;
	case 6:
		step_report(s);
		break;
	case 7:
		step_dent(s);
		break;
	case 8:
		step_refuse(s);
		break;
	case 9:
		step_send_error(s);
		break;
	case 10:
		step_time(s);
		break;
	default:
		if (op & 0x80)
			deliver(s, s->last, s->last_len, 0); /* again */
		else
			step_order(s);
		break;
	}
}

void script_play(const uint8_t *data, size_t size, bool stream)
{
	static struct script s; /* large; all of it that is read is set below */

	s.in = (struct input){data, data + size};
	s.q = (struct question){0};
	s.last_len = 0;
	lab_open(&s.lab, input_u8(&s.in), stream);
	lab_task(&s.lab, input_u8(&s.in));
	lab_turn(&s.lab);
	for (int i = 0; i < STEPS_MAX && input_left(&s.in) > 0; i++)
		step(&s);
	lab_close(&s.lab);
}

/*
 * --drain: tells an agent to finish what it has, and to end.
 *
 * One word to all agents, which each of them compares with its name: the broker keeps no list of them. So that it was
 * told is all that can be known here; that nobody listens at all is known, too. The agent's own end is where it runs.
 *
 * It goes through the same process as a run's messages do, which alone knows the broker's library. There is nothing else
 * to wait for, so a plain poll(2) does.
 */
#include "main_drain.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "link/batch.h"
#include "link/courier.h"
#include "pool/proc.h"
#include "pool/queue.h"
#include "pool/sandbox.h"

#define PATIENCE_US INT64_C(30000000) /* for all of it: connecting, telling, closing */
#define PUTS        1 /* of COURIER_UP and COURIER_DOWN: the side that takes messages */

struct drain {
	const struct options *o;
	struct courier_config courier;
	struct queue *queue;
	bool told;    /* it was put */
	bool settled; /* the broker has it, or nobody wants it */
	bool nobody;
	bool over;
	bool failed; /* told */
};

static int run_courier(void *arg, int fd)
{
	const struct drain *d = arg;

	conf_forget_secrets(d->o->conf);
	return courier_main(&d->courier, fd);
}

static void put_word(struct drain *d)
{
	uint8_t octets[64 + BROKER_NAME_MAX];
	struct wire_out w = {octets, octets + sizeof(octets), false};

	wire_put_u64(&w, 1); /* id */
	wire_put_u8(&w, COURIER_CONTROL);
	wire_put_str(&w, "", 0);
	batch_head_pack(&(struct batch_head){.kind = BATCH_DRAIN}, &w);
	wire_put_str(&w, d->o->drain, (uint16_t)strlen(d->o->drain));
	queue_put(d->queue, COURIER_PUT, octets, (size_t)(w.at - octets));
	d->told = true;
}

static void settle(struct drain *d, bool nobody)
{
	static const uint8_t forget = 1;

	if (d->settled)
		return;
	d->settled = true;
	d->nobody = nobody;
	queue_put(d->queue, COURIER_STOP, &forget, 1);
}

static void fail(struct drain *d, const char *why, size_t len)
{
	if (!d->failed)
		log_error("the broker cannot be had: %.*s", (int)len, why);
	d->failed = d->over = true;
}

static void take(struct drain *d, const struct queue_frame *f)
{
	struct wire_in r = {f->data, f->data + f->len, false};

	switch (f->kind) {
	case COURIER_UP:
		if (wire_get_u8(&r) & PUTS && !d->told)
			put_word(d);
		break;
	case COURIER_DOWN:
		wire_get_u8(&r);
		wire_get_u8(&r);
		if (!d->settled)
			fail(d, (const char *)r.at, (size_t)(r.end - r.at));
		break;
	case COURIER_CONFIRMED:
		settle(d, false);
		break;
	case COURIER_RETURNED:
		settle(d, true);
		break;
	case COURIER_STOPPED:
		d->over = true;
		break;
	default:
		break; /* of a queue that nobody writes to */
	}
}

/* One turn. False: the time is up, or nobody is at the other end. */
static bool turn(struct drain *d, int64_t until_us)
{
	int64_t left_us = until_us - loop_clock_us();
	struct pollfd p = {.fd = queue_fd(d->queue), .events = POLLIN};
	enum queue_state state;
	struct queue_frame f;

	if (queue_backlog(d->queue) > 0)
		p.events |= POLLOUT;
	if (left_us <= 0 || poll(&p, 1, (int)(left_us / 1000) + 1) < 0)
		return false;
	state = queue_read(d->queue);
	while (!d->over && queue_next(d->queue, &f))
		take(d, &f);
	return queue_flush(d->queue) && state == QUEUE_OPEN;
}

static int tell(struct drain *d)
{
	int64_t until_us = loop_clock_us() + PATIENCE_US;
	struct proc courier;

	if (!proc_spawn(&courier, run_courier, d)) {
		log_error("no process can be started");
		return EXIT_SYSTEM;
	}
	d->queue = queue_new(courier.fd);
	while (!d->over && turn(d, until_us))
		;
	queue_free(d->queue);
	proc_end(&courier);
	if (!d->settled && !d->failed)
		log_error("the broker has not answered in time");
	if (!d->settled)
		return EXIT_SYSTEM;
	if (d->nobody)
		log_error("no agent is connected, so there is none to be told");
	return d->nobody ? EXIT_NOT_ALL : EXIT_ALL_OK;
}

int main_drain(const struct options *o)
{
	struct sandbox sandbox = {0};
	char name[BROKER_NAME_MAX + 1];
	struct drain d = {.o = o};

	main_tell_conf(o);
	if (conf_error_count(o->conf) > 0)
		return EXIT_WRONG;
	if (!main_sandbox(&sandbox, o->conf))
		return EXIT_SYSTEM;
	snprintf(name, sizeof(name), "drain-%" PRIdMAX "-%" PRId64, (intmax_t)getpid(),
		 loop_wall_ms());
	d.courier = (struct courier_config){.role = COURIER_MASTER,
					    .broker = o->broker,
					    .name = name,
					    .prefetch = 1,
					    .expires_us = PATIENCE_US,
					    .sandbox = &sandbox};
	return tell(&d);
}

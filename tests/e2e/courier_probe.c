/*
 * courier_probe - a courier with an owner that does as it is told: for tests of the link alone, with a real broker.
 *
 * usage: courier_probe master NAME URL | agent NAME SITE URL
 *
 * Words on standard input, a line each: "put SITE COUNT OCTETS" (numbered messages, as fast as the window wants them),
 * "hold" (what is taken is not acknowledged), "release" (what was held is, and what comes), "site SITE", "stop FORGET". At the end of
 * the input the owner goes, as if it were killed. What it hears is a line each on standard output.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/wire.h"
#include "link/window.h"
#include "pool/proc.h"
#include "pool/sandbox.h"

#define TAGS_MAX 4096

struct probe {
	struct loop *loop;
	struct queue *queue;
	struct window *window;
	char site[BROKER_NAME_MAX + 1]; /* where messages go */
	uint64_t left, number;          /* messages to put; the last one's number */
	size_t octets;                  /* of each */
	bool hold, done;
	uint64_t tags[TAGS_MAX]; /* held */
	size_t ntags;
	char line[256]; /* of the input, as far as it is here */
	size_t line_len;
};

static void number_send(struct probe *p, uint8_t kind, uint64_t n)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_u64(&w, n);
	queue_put(p->queue, kind, octets, sizeof(octets));
}

/* --- what the courier says ---------------------------------------------------------------------- */

static void heard_up(struct probe *p, uint8_t what)
{
	printf("up %u\n", what);
	if (what & 1)
		window_up(p->window, loop_now_us(p->loop));
	if (what & 2)
		p->ntags = 0;
}

static void heard_down(struct probe *p, const struct queue_frame *f)
{
	printf("down %u %u %.*s\n", f->data[0], f->data[1], (int)f->len - 2,
	       (const char *)f->data + 2);
	if (f->data[0] & 1)
		window_down(p->window);
	if (f->data[0] & 2)
		p->ntags = 0;
}

static void heard_answer(struct probe *p, uint8_t kind, uint64_t id)
{
	uint64_t mark = 0;

	if (kind == COURIER_CONFIRMED &&
	    window_confirmed(p->window, id, &mark, loop_now_us(p->loop)))
		printf("confirmed %" PRIu64 "\n", mark);
	else if (kind == COURIER_RETURNED &&
		 window_returned(p->window, id, &mark, loop_now_us(p->loop)))
		printf("returned %" PRIu64 "\n", mark);
	else if (kind == COURIER_NACKED && window_nacked(p->window, id, loop_now_us(p->loop)))
		printf("nacked %" PRIu64 "\n", id);
}

static void heard_taken(struct probe *p, struct wire_in *r)
{
	uint64_t tag = wire_get_u64(r);
	unsigned from = wire_get_u8(r), deliveries = wire_get_u32(r);
	const char *number = (const char *)wire_get_bytes(r, 16);

	printf("taken %llu %u %u\n", number ? strtoull(number, NULL, 16) : 0, deliveries, from);
	if (from == COURIER_FROM_CONTROL)
		return;
	if (!p->hold)
		number_send(p, COURIER_ACK, tag);
	else if (p->ntags < TAGS_MAX)
		p->tags[p->ntags++] = tag;
}

static void heard_site(struct wire_in *r)
{
	uint16_t len;
	const char *site = (const char *)wire_get_str(r, &len);
	unsigned known = wire_get_u8(r), ready = wire_get_u32(r), consumers = wire_get_u32(r);

	printf("site %.*s %u %u %u\n", len, site ? site : "", known, ready, consumers);
}

static void heard(struct probe *p, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	switch (f->kind) {
	case COURIER_UP:
		heard_up(p, f->data[0]);
		break;
	case COURIER_DOWN:
		heard_down(p, f);
		break;
	case COURIER_CONFIRMED:
	case COURIER_NACKED:
	case COURIER_RETURNED:
		heard_answer(p, f->kind, wire_get_u64(&r));
		break;
	case COURIER_BLOCKED:
		printf("blocked %u\n", f->data[0]);
		window_block(p->window, f->data[0], loop_now_us(p->loop));
		break;
	case COURIER_TAKEN:
		heard_taken(p, &r);
		break;
	case COURIER_SITE_IS:
		heard_site(&r);
		break;
	case COURIER_STOPPED:
		printf("stopped\n");
		break;
	default:
		printf("frame %u\n", f->kind);
	}
}

static void queue_ready(void *arg, unsigned ready)
{
	struct probe *p = arg;
	struct queue_frame f;
	enum queue_state state = ready & LOOP_READ ? queue_read(p->queue) : QUEUE_OPEN;

	while (queue_next(p->queue, &f))
		heard(p, &f);
	p->done = p->done || state != QUEUE_OPEN;
}

/* --- what the test says ---------------------------------------------------------------------------- */

static void release(struct probe *p)
{
	p->hold = false;
	while (p->ntags > 0)
		number_send(p, COURIER_ACK, p->tags[--p->ntags]);
}

static void site_ask(struct probe *p, const char *site)
{
	uint8_t octets[2 + BROKER_NAME_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_str(&w, site, (uint16_t)strlen(site));
	queue_put(p->queue, COURIER_SITE, octets, (size_t)(w.at - octets));
}

static void told(struct probe *p, const char *line)
{
	char site[BROKER_NAME_MAX + 1] = "";
	unsigned long long count = 0;
	uint8_t forget;

	if (sscanf(line, "put %64s %llu %zu", site, &count, &p->octets) == 3) {
		strcpy(p->site, site);
		p->left += count;
	} else if (sscanf(line, "site %64s", site) == 1) {
		site_ask(p, site);
	} else if (strcmp(line, "hold") == 0) {
		p->hold = true;
	} else if (strcmp(line, "release") == 0) {
		release(p);
	} else if (sscanf(line, "stop %hhu", &forget) == 1) {
		queue_put(p->queue, COURIER_STOP, &forget, 1);
	} else {
		fprintf(stderr, "courier_probe: what is \"%s\"?\n", line);
		exit(2);
	}
}

static void input_ready(void *arg, unsigned ready)
{
	struct probe *p = arg;
	char octet;
	ssize_t n = read(STDIN_FILENO, &octet, 1);

	(void)ready;
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		p->done = true;
	} else if (octet != '\n' && p->line_len < sizeof(p->line) - 1) {
		p->line[p->line_len++] = octet;
	} else {
		p->line[p->line_len] = '\0';
		p->line_len = 0;
		told(p, p->line);
	}
}

static void put_more(struct probe *p)
{
	static char body[WINDOW_BODY_MAX];
	char number[17];
	struct queue_part parts[2] = {{number, 16}, {body, p->octets}};

	while (p->left > 0 && window_wants(p->window, COURIER_TASKS, p->site)) {
		struct window_to to = {COURIER_TASKS, p->site, ++p->number};

		snprintf(number, sizeof(number), "%016" PRIx64, p->number);
		window_put(p->window, &to, parts, 2, loop_now_us(p->loop));
		p->left--;
	}
}

static void probe_run(struct probe *p)
{
	loop_watch(p->loop, queue_fd(p->queue), LOOP_READ, queue_ready, p);
	loop_watch(p->loop, STDIN_FILENO, LOOP_READ, input_ready, p);
	while (!p->done) {
		put_more(p);
		window_turn(p->window, loop_now_us(p->loop));
		fflush(stdout);
		if (!queue_flush(p->queue))
			break;
		loop_want(p->loop, queue_fd(p->queue),
			  LOOP_READ | (queue_backlog(p->queue) > 0 ? LOOP_WRITE : 0));
		loop_turn(p->loop, window_next_us(p->window));
	}
}

static int courier_life(void *config, int fd)
{
	return courier_main(config, fd);
}

int main(int argc, char **argv)
{
	bool agent = argc == 5 && strcmp(argv[1], "agent") == 0;
	char error[BROKER_ERROR_MAX], words[100];
	struct broker broker;
	struct sandbox sandbox = {0};
	struct courier_config config = {.role = agent ? COURIER_AGENT : COURIER_MASTER,
					.broker = &broker,
					.name = argv[2],
					.site = agent ? argv[3] : NULL,
					.prefetch = 64,
					.expires_us = INT64_C(600000000),
					.sandbox = &sandbox};
	struct probe p = {0};
	struct proc courier;
	int status = 0;

	if (argc < 4 || !broker_parse(argv[argc - 1], &broker, error)) {
		fprintf(stderr, "courier_probe: %s\n", argc < 4 ? "who, name, where?" : error);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!sandbox_prepare(&sandbox) || !proc_spawn(&courier, courier_life, &config))
		return 4;
	p.loop = loop_new();
	p.queue = queue_new(courier.fd);
	p.window = window_new();
	window_attach(p.window, p.queue);
	printf("courier %d\n", (int)courier.pid);
	probe_run(&p);
	queue_free(p.queue);
	close(courier.fd);
	while (waitpid(courier.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	proc_status_text(status, words, sizeof(words));
	printf("ended %s\n", words);
	window_free(p.window);
	loop_free(p.loop);
	broker_free(&broker);
	return 0;
}

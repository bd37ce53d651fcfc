/*
 * resolver - names to addresses in a process of its own.
 *
 * The problem: a name server may be slow, silent or hostile. Resolving in the master would make it
 * parse bytes of the network and wait; getaddrinfo(3) in threads would bring threads; resolving in
 * the workers would ask for one name as many times as there are workers.
 *
 * The design: one forked process around a c-ares channel, which is asynchronous: hundreds of names
 * are open at a time, each answer leaves in the order in which it came. The channel tells us its
 * sockets (sock_state_cb, since ares_getsock() knows 16 at most) and its next timeout.
 *
 * Hundreds of questions at once are more than a name server's stock receive buffer holds (some 270),
 * and what it loses twice is a good name without an address. So only BURST names are started beyond the
 * youngest that was answered: its answer proves that all before it have left that buffer, answered or
 * not. A quick server is asked as fast as it answers, and names that it never answers hold up nobody.
 * Rejected: a bound on all open names (silent ones would fill it), so many per 10 ms (too many for a
 * slow server, too few for a quick one). Where nothing at all is answered the next burst starts after
 * QUIET_US, and a name that has waited in vain holds up nobody: where no server lives, a list is soon through.
 *
 * Two traps. A lookup that c-ares can answer by itself (/etc/hosts, "localhost") calls back inside
 * ares_getaddrinfo(), so the request is complete before that call and the callback only queues
 * bytes. And ares_process_fd() may close the very socket for which the loop just called us: the
 * loop forgets it in the state callback, not here.
 */
#include "pool/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "pool/lookup.h"
#include "pool/message.h"
#include "pool/proc.h"
#include "pool/queue.h"

#define TIMEOUT_MS 2000 /* of a name server's first try: apart from SNMP's timeouts */
#define TRIES      2
#define BURST      64     /* names, of two questions each: half of a stock receive buffer */
#define QUIET_US   250000 /* a server that is busy, or not scheduled, is not gone */

struct resolver {
	struct loop *loop;
	struct queue *queue;
	ares_channel channel;
	struct watch
		*watches; /* the channel's sockets in the loop; a handful, as many as servers */
	unsigned open;    /* names started and not answered */
	struct open_name *waiting; /* to be started, a list; the asker bounds it */
	struct open_name **waiting_end;
	uint64_t started; /* names that went to a server, so far */
	uint64_t heard;   /* the youngest of them that was answered, or was given up as lost */
	int64_t quiet_since_us; /* when `heard` moved last, or the first beyond it started */
	bool stopping;          /* STOP was read */
	bool done;              /* leave the loop */
	int exit_status;
};

struct open_name { /* waiting, then asked of the channel */
	struct resolver *resolver;
	struct open_name *next;
	uint64_t number; /* by `started`; 0: not gone to a server */
	struct lookup_question question;
};

struct watch { /* a socket of the channel in the loop */
	struct resolver *resolver;
	struct watch *next;
	int fd;
};

/* --- answers ------------------------------------------------------------------------------ */

static void answer_send(struct resolver *r, const struct lookup_answer *a)
{
	uint8_t bytes[LOOKUP_ANSWER_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	lookup_answer_pack(a, &w);
	queue_put(r->queue, MESSAGE_ADDRESSES, bytes, (size_t)(w.at - bytes));
}

/* Adds the addresses of one family, each once. */
static void answer_add(struct lookup_answer *a, const struct ares_addrinfo *info, int family)
{
	for (const struct ares_addrinfo_node *n = info->nodes; n != NULL; n = n->ai_next) {
		struct addr addr = {0};
		if (n->ai_family != family || a->count == TASK_ADDRS_MAX ||
		    !addr_from_sockaddr(n->ai_addr, &addr))
			continue;
		addr.port = 0;
		unsigned i = 0;
		while (i < a->count && !addr_same_host(&a->addrs[i], &addr))
			i++;
		if (i == a->count)
			a->addrs[a->count++] = addr;
	}
}

/* The record's words for a c-ares status; family as in the question. */
static void answer_explain(struct lookup_answer *a, int status, unsigned family)
{
	const char *what = ares_strerror(status);
	if (status == ARES_ENOTFOUND)
		what = "no such name: is it spelled right, with its domain?";
	else if (status == ARES_ENODATA || status == ARES_SUCCESS)
		what = family == 4
			       ? "the name has no IPv4 address, and no other is wanted (family: 4)"
		       : family == 6
			       ? "the name has no IPv6 address, and no other is wanted (family: 6)"
			       : "the name has no address";
	else if (status == ARES_ETIMEOUT)
		what = "no answer from the name servers: can they be reached from here?";
	else if (status == ARES_ECONNREFUSED) /* c-ares 1.18 tells SERVFAIL and REFUSED so, too */
		what = "no name server can be reached, or all fail (SERVFAIL, REFUSED)";
	else if (status == ARES_ESERVFAIL)
		what = "the name servers failed (SERVFAIL)";
	snprintf(a->message, sizeof(a->message), "%s", what);
}

/* What this one was asked, and all before it, has left the server's buffer: it was answered, or waited for in vain. */
static void burst_heard(struct resolver *r, uint64_t number)
{
	if (number <= r->heard)
		return;
	r->heard = number;
	r->quiet_since_us = loop_now_us(r->loop);
}

static void name_done(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	struct open_name *l = arg;
	struct resolver *r = l->resolver;
	struct lookup_answer a = {.ticket = l->question.ticket};
	if (info != NULL) {
		answer_add(&a, info, AF_INET);
		answer_add(&a, info, AF_INET6);
		ares_freeaddrinfo(info);
	}
	if (a.count == 0)
		answer_explain(&a, status, l->question.family);
	burst_heard(r, l->number);
	free(l);
	r->open--;
	if (status != ARES_EDESTRUCTION)
		answer_send(r, &a);
}

static void name_start(struct resolver *r, struct open_name *l)
{
	struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT, /* sorting would open sockets; we put IPv4 first */
		.ai_family = l->question.family == 4   ? AF_INET
			     : l->question.family == 6 ? AF_INET6
						       : AF_UNSPEC,
	};
	unsigned open = r->open++;
	ares_getaddrinfo(r->channel, l->question.name, NULL, &hints, name_done, l);
	if (r->open == open)
		return; /* known here: it is answered and gone */
	if (r->started == r->heard)
		r->quiet_since_us = loop_now_us(r->loop);
	l->number = ++r->started;
}

static bool burst_full(const struct resolver *r)
{
	return r->started - r->heard >= BURST;
}

/* When the burst that is out counts as lost; LOOP_NEVER where it holds up nothing. */
static int64_t burst_next_us(const struct resolver *r)
{
	return r->waiting != NULL && burst_full(r) ? r->quiet_since_us + QUIET_US : LOOP_NEVER;
}

/* Starts as many of the waiting names as may be. */
static void names_start(struct resolver *r)
{
	if (burst_next_us(r) <= loop_now_us(r->loop))
		burst_heard(r, r->started);
	while (r->waiting != NULL && !burst_full(r)) {
		struct open_name *l = r->waiting;
		r->waiting = l->next;
		name_start(r, l);
	}
	if (r->waiting == NULL)
		r->waiting_end = &r->waiting;
}

static void name_wait(struct resolver *r, const struct lookup_question *q)
{
	struct open_name *l = mem_alloc(sizeof(*l));
	*l = (struct open_name){.resolver = r, .question = *q};
	*r->waiting_end = l;
	r->waiting_end = &l->next;
}

static void waiting_free(struct resolver *r)
{
	while (r->waiting != NULL) {
		struct open_name *l = r->waiting;
		r->waiting = l->next;
		free(l);
	}
}

/* --- questions ---------------------------------------------------------------------------- */

static void leave(struct resolver *r, int exit_status)
{
	r->done = true;
	r->exit_status = exit_status;
}

static bool frame_take(struct resolver *r, const struct queue_frame *f)
{
	if (f->kind == MESSAGE_STOP) {
		r->stopping = true;
		return true;
	}
	if (f->kind == MESSAGE_PING) {
		queue_put(r->queue, MESSAGE_PONG, NULL, 0);
		return true;
	}
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct lookup_question q;
	if (f->kind != MESSAGE_NAME || !lookup_question_unpack(&q, &in))
		return false;
	name_wait(r, &q);
	return true;
}

static void queue_ready(void *arg, unsigned ready)
{
	(void)ready;
	struct resolver *r = arg;
	enum queue_state state = queue_read(r->queue);
	struct queue_frame f;
	while (queue_next(r->queue, &f))
		if (!frame_take(r, &f)) {
			log_error("resolver: the master sent what is not a question");
			leave(r, 1);
			return;
		}
	if (state != QUEUE_OPEN)
		leave(r, state == QUEUE_END ? 0 : 1);
}

/* --- the channel's sockets ---------------------------------------------------------------- */

static void socket_ready(void *arg, unsigned ready)
{
	struct watch *w = arg;
	ares_process_fd(w->resolver->channel, ready & LOOP_READ ? w->fd : ARES_SOCKET_BAD,
			ready & LOOP_WRITE ? w->fd : ARES_SOCKET_BAD);
}

static void socket_closed(struct resolver *r, int fd)
{
	for (struct watch **at = &r->watches; *at != NULL; at = &(*at)->next) {
		struct watch *w = *at;
		if (w->fd != fd)
			continue;
		loop_forget(r->loop, fd);
		*at = w->next;
		free(w);
		return;
	}
}

static void socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = arg;
	if (!readable && !writable) {
		socket_closed(r, fd);
		return;
	}
	struct watch *w = r->watches;
	while (w != NULL && w->fd != fd)
		w = w->next;
	unsigned want = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
	if (w != NULL) {
		loop_want(r->loop, fd, want);
		return;
	}
	w = mem_alloc(sizeof(*w));
	*w = (struct watch){.resolver = r, .next = r->watches, .fd = fd};
	r->watches = w;
	loop_watch(r->loop, fd, want, socket_ready, w);
}

static bool channel_open(struct resolver *r, const struct resolver_options *o)
{
	struct ares_options options = {
		.timeout = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS,
		.tries = o->tries > 0 ? o->tries : TRIES,
		.sock_state_cb = socket_state,
		.sock_state_cb_data = r,
	};
	int status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&r->channel, &options,
					   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
						   ARES_OPT_SOCK_STATE_CB);
	if (status == ARES_SUCCESS && o->servers != NULL)
		status = ares_set_servers_ports_csv(r->channel, o->servers);
	if (status != ARES_SUCCESS)
		log_error("resolver: cannot start c-ares: %s", ares_strerror(status));
	return status == ARES_SUCCESS;
}

/* --- the process -------------------------------------------------------------------------- */

static int64_t channel_next_us(const struct resolver *r)
{
	struct timeval tv;
	if (ares_timeout(r->channel, NULL, &tv) == NULL)
		return LOOP_NEVER;
	return loop_clock_us() + (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void resolver_turn(struct resolver *r)
{
	names_start(r);
	if (r->stopping && r->open == 0 && r->waiting == NULL) {
		queue_put(r->queue, MESSAGE_STOPPED, NULL, 0);
		r->stopping = false; /* answered; now the master closes its end */
	}
	if (!queue_flush(r->queue)) {
		leave(r, 1);
		return;
	}
	loop_want(r->loop, queue_fd(r->queue),
		  LOOP_READ | (queue_backlog(r->queue) > 0 ? LOOP_WRITE : 0));
	int64_t channel_us = channel_next_us(r), burst_us = burst_next_us(r);
	loop_turn(r->loop, burst_us < channel_us ? burst_us : channel_us);
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its timeouts */
}

int resolver_main(const struct resolver_options *options, int fd)
{
	struct resolver r = {.loop = loop_new(), .queue = queue_new(fd)};
	r.waiting_end = &r.waiting;
	/* c-ares gives every name up whose file of aliases it may not read */
	unsetenv("HOSTALIASES");
	if (!channel_open(&r, options))
		return PROC_NOT_BEGUN;
	if (options->sandbox != NULL && !sandbox_enter(options->sandbox, SANDBOX_RESOLVER))
		return PROC_NOT_BEGUN;
	loop_watch(r.loop, fd, LOOP_READ, queue_ready, &r);
	while (!r.done)
		resolver_turn(&r);
	ares_destroy(r.channel);
	waiting_free(&r);
	ares_library_cleanup();
	queue_free(r.queue);
	loop_free(r.loop);
	return r.exit_status;
}

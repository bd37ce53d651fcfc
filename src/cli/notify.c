/*
 * The words of sd_notify(3), a datagram each, to the socket that the manager named.
 *
 * The problem: Type=notify has systemd wait for READY=1, WatchdogSec= has it kill who falls silent, and both must be
 * said by the process that does the work, from its loop: a thread that says "I live" on its own proves nothing.
 *
 * The design: a watcher of the run. READY=1 goes out in the first turn, when the configuration has been found good and
 * the children are forked; WATCHDOG=1 at half of the time allowed, the only tick of an idle service and only where one
 * was asked for; the status when a round begins and ends and every few seconds between. What the manager must
 * not miss is kept until it was taken.
 *
 * Rejected: libsystemd's sd_notify(). Its sendmsg(2) waits for a reader: a manager that is busy, or a container
 * runtime that gives a socket and reads nothing from it, would hold the loop, and after ten status lines it does. It also
 * brings liblzma, libzstd, liblz4 and libgcrypt into processes that parse what devices send. The protocol is
 * some words in a datagram, and promised to stay so.
 *
 * The trap: children inherit the environment, and a word of theirs would be ours. So the variables go before the first
 * fork, and the socket is opened for each message, so that no child has it even for an instant.
 */
#include "cli/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/utc.h"
#include "pool/master.h"

#define STATUS_US 5000000 /* a status is no older while a round runs */
#define RETRY_US  500000  /* after a message that the manager had no room for */
#define WATCHDOG_MIN_US \
	10000 /* whatever is asked for: a loop with more ticks than work serves nobody */
#define STATUS_MAX  200
#define MESSAGE_MAX 512

struct message {
	char text[MESSAGE_MAX];
	size_t len;
};

struct notify {
	char *path;               /* of the socket; '@': abstract; NULL: no manager */
	int64_t watchdog_us;      /* WATCHDOG=1 so often; 0: never */
	int64_t watchdog_next_us; /* when it is due */
	int64_t status_next_us;   /* when a new status is due */
	uint64_t round;           /* the status is of this one */
	bool over;                /* and that is over */
	bool ready_due;           /* READY=1 was not taken yet */
	bool stopping;            /* STOPPING=1 was */
	struct message status;    /* as it was told last */
};

static void __attribute__((format(printf, 2, 3)))
message_add(struct message *m, const char *format, ...)
{
	size_t room = sizeof(m->text) - m->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(m->text + m->len, room, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < room)
		m->len += (size_t)len;
}

/* --- the socket ---------------------------------------------------------------------------- */

static bool send_to(int fd, const char *path, const struct message *m)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));

	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return sendto(fd, m->text, m->len, MSG_DONTWAIT, (const struct sockaddr *)&to, len) >= 0;
}

/* False: there was no room for it now, so try again. A manager that is not there hears nothing, ever. */
static bool message_send(const struct notify *n, const struct message *m)
{
	bool sent, later;
	int fd;

	if (n->path == NULL || m->len == 0)
		return true;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	sent = fd >= 0 && send_to(fd, n->path, m);
	later = fd < 0 || errno == EAGAIN || errno == ENOBUFS || errno == EINTR;
	if (fd >= 0)
		close(fd);
	return sent || !later;
}

/* --- the status ---------------------------------------------------------------------------- */

/* "round 12: ", nothing where there are no rounds. */
static void put_round(struct message *m, uint64_t round)
{
	if (round > 0)
		message_add(m, "round %" PRIu64 ": ", round);
}

static uint64_t sum_of(const uint64_t *status)
{
	uint64_t sum = 0;

	for (int s = 0; s < RECORD_STATUS_COUNT; s++)
		sum += status[s];
	return sum;
}

static void status_running(struct message *m, const struct watcher_view *v)
{
	uint64_t done = sum_of(v->status);

	if (v->signal != 0)
		message_add(m, "stopping; ");
	put_round(m, v->round);
	if (v->waits != NULL)
		message_add(m, "waiting: %.100s; ", v->waits);
	message_add(m, "%" PRIu64 " of %" PRIu64 " done, %" PRIu64 " ok, %" PRIu64 " failed", done,
		    v->targets, v->status[RECORD_OK], done - v->status[RECORD_OK]);
}

/* "; next round at 2026-11-21T03:11:00Z": the manager shows a status for as long as there is no other, so no
 * "in 48 s". */
static void put_next_round(struct message *m, int64_t round_us)
{
	int64_t in_ms = (round_us - loop_clock_us()) / 1000;
	char at[UTC_MAX];

	if (round_us == LOOP_NEVER)
		return;
	utc_put(at, loop_wall_ms() + (in_ms > 0 ? in_ms : 0));
	message_add(m, "; next round at %.19sZ", at);
}

static void status_over(struct message *m, const struct master_result *r)
{
	uint64_t done = sum_of(r->status);

	put_round(m, r->round);
	message_add(m, "%" PRIu64 " ok, %" PRIu64 " failed in %.1f s", r->status[RECORD_OK],
		    done - r->status[RECORD_OK], (double)r->elapsed_us / 1e6);
	if (r->written != WRITER_OK)
		message_add(m, "; could not be written");
	if (r->round > 0)
		put_next_round(m, r->next_round_us);
}

/* Adds the status, unless it is what the manager shows. */
static void put_status(struct notify *n, struct message *m, const struct message *status)
{
	if (strcmp(n->status.text, status->text) == 0)
		return;
	n->status = *status;
	message_add(m, "STATUS=%s\n", status->text);
}

/* --- the watcher --------------------------------------------------------------------------- */

static bool status_due(const struct notify *n, const struct watcher_view *v, int64_t now_us)
{
	if (v->round != n->round || (v->signal != 0 && !n->stopping))
		return true;
	return !n->over && now_us >= n->status_next_us;
}

static int64_t next_us(const struct notify *n)
{
	int64_t status_us = n->over ? LOOP_NEVER : n->status_next_us;

	return n->watchdog_us > 0 && n->watchdog_next_us < status_us ? n->watchdog_next_us
								     : status_us;
}

static int64_t notify_tick(void *arg, const struct watcher_view *v, int64_t now_us)
{
	struct notify *n = arg;
	struct message m = {0}, status = {0};
	bool watchdog = n->watchdog_us > 0 && now_us >= n->watchdog_next_us;

	if (n->path == NULL)
		return LOOP_NEVER;
	if (n->ready_due)
		message_add(&m, "READY=1\n");
	if (v->signal != 0 && !n->stopping)
		message_add(&m, "STOPPING=1\n");
	if (watchdog)
		message_add(&m, "WATCHDOG=1\n");
	if (status_due(n, v, now_us)) {
		n->over = false;
		n->round = v->round;
		n->status_next_us = now_us + STATUS_US;
		status_running(&status, v);
		put_status(n, &m, &status);
	}
	if (!message_send(n, &m)) {
		n->status = (struct message){0}; /* to be told again */
		n->status_next_us = now_us + RETRY_US;
		n->over = false;
		return n->status_next_us;
	}
	n->ready_due = false;
	n->stopping = v->signal != 0;
	if (watchdog)
		n->watchdog_next_us = now_us + n->watchdog_us;
	return next_us(n);
}

static void notify_ended(void *arg, const struct master_result *r)
{
	struct notify *n = arg;
	struct message m = {0}, status = {0};

	status_over(&status, r);
	put_status(n, &m, &status);
	n->over = true;
	message_send(n, &m); /* if there is no room: it is the old one until the next */
}

struct watcher notify_watcher(struct notify *n)
{
	return (struct watcher){.arg = n, .tick = notify_tick, .ended = notify_ended};
}

/* --- a reload ------------------------------------------------------------------------------ */

void notify_reloading(struct notify *n)
{
	struct message m = {0};

	message_add(&m, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading\n",
		    loop_clock_us());
	message_send(n, &m);
	n->status = (struct message){0};
}

void notify_reloaded(struct notify *n, const char *status)
{
	struct message m = {0}, words = {0};

	message_add(&words, "%s", status);
	message_add(&m, "READY=1\n");
	put_status(n, &m, &words);
	n->ready_due = !message_send(n, &m);
}

/* --- the environment ----------------------------------------------------------------------- */

/* A socket that we can name, or NULL. */
static char *socket_path(const char *path)
{
	struct sockaddr_un un;

	if (path == NULL || (path[0] != '/' && path[0] != '@') || path[1] == '\0' ||
	    strlen(path) >= sizeof(un.sun_path))
		return NULL;
	return mem_strdup(path);
}

/* A whole number above 0 and nothing else; 0: is none. */
static int64_t number_of(const char *text)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (digits == 0 || digits > 18 || text[digits] != '\0')
		return 0;
	return strtoll(text, NULL, 10);
}

/* Half of what the manager waits for, if it waits for this process. */
static int64_t watchdog_period(const char *usec, const char *pid)
{
	int64_t period = number_of(usec) / 2;

	if (period == 0 || (pid != NULL && number_of(pid) != (int64_t)getpid()))
		return 0;
	return period < WATCHDOG_MIN_US ? WATCHDOG_MIN_US : period;
}

struct notify *notify_open(void)
{
	struct notify *n = mem_zero(1, sizeof(*n));

	n->path = socket_path(getenv("NOTIFY_SOCKET"));
	n->watchdog_us = watchdog_period(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	n->ready_due = true;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return n;
}

void notify_free(struct notify *n)
{
	free(n->path);
	free(n);
}

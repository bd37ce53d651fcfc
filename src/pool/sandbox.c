/*
 * What a process that meets the network gives up.
 *
 * The problem: devices are hostile, and Net-SNMP, OpenSSL and c-ares parse what they send. Some day one of
 * them will be made to run somebody else's code. Then the process must hold nothing worth having: no
 * file, no other socket, no other process, no way to become more.
 *
 * The design: all that needs a right is done first (sockets, a receive buffer that only root gets),
 * then the process becomes another user if it may, then what the system offers is closed behind it. What
 * it offers is found out by the master before the first fork, so that a kernel without it is told once and
 * not by every worker; and the master tries all of it in a child, so that a refusal is told once, too, and ends the
 * run before it has begun, instead of workers that die again and again. A role whose calls are all among those of
 * others need not be tried (Linux: one child is enough; the platform's file tells): what is refused is a call. What is in
 * a role's list is ours, not the kernel's, and the unit tests enter by each.
 *
 * Rejected: a switch to run without. Who cannot have it builds without (configure --disable-sandbox), and
 * `--version` says so.
 *
 * The traps: a change of the user makes a process dumpable again and takes back that it dies with its parent;
 * both are asked for once more, and then the parent is looked for, which may have died meanwhile.
 */
#include "pool/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core.h"
#include "base/log.h"
#include "base/loop.h"
#include "pool/proc.h"
#include "pool/sandbox_internal.h"

static bool become(const struct sandbox *s)
{
	if (!s->becomes)
		return true;
	if (!user_become(&s->user)) {
		log_error("cannot become the user of run_as (uid %ld): %s", (long)s->user.uid,
			  strerror(errno));
		return false;
	}
	core_forbid();
	return proc_follow(s->master);
}

bool sandbox_enter(const struct sandbox *s, enum sandbox_role role)
{
	return become(s) && sandbox_platform_enter(s, role);
}

#define REHEARSAL_MS 5000 /* of a child that is stopped; one that runs needs one or two */

struct rehearsal {
	const struct sandbox *sandbox;
	enum sandbox_role role;
};

static int enter_and_leave(void *arg, int queue_fd)
{
	const struct rehearsal *r = arg;

	(void)queue_fd;
	return !sandbox_enter(r->sandbox, r->role);
}

/* Until it has ended, or for too long. A signal that comes meanwhile is somebody else's. */
static void wait_for(const struct proc *child)
{
	struct pollfd end = {.fd = child->fd, .events = POLLIN};
	int64_t until_us = loop_clock_us() + REHEARSAL_MS * INT64_C(1000);
	int64_t rest_us;

	do
		rest_us = until_us - loop_clock_us();
	while (rest_us > 0 && poll(&end, 1, (int)(rest_us / 1000) + 1) < 0 && errno == EINTR);
}

/* Whether a child can enter, which says why it cannot. One that was killed or that cannot be made tells nothing:
 * workers will, and what is owed then has its records. */
static bool rehearse(const struct sandbox *s, enum sandbox_role role)
{
	struct rehearsal r = {.sandbox = s, .role = role};
	struct proc child;
	int status;

	if (!sandbox_platform_rehearses(role) || !proc_spawn(&child, enter_and_leave, &r))
		return true;
	wait_for(&child);
	status = proc_end(&child);
	return !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

bool sandbox_prepare(struct sandbox *s)
{
	const char *lacks;

	s->master = getpid();
	if (!sandbox_platform_probe(s, &lacks))
		return false;
	if (*lacks && !s->told)
		log_warning("this kernel has no %s, which would fence workers in", lacks);
	s->told = true;
	return rehearse(s, SANDBOX_WORKER) && rehearse(s, SANDBOX_SESSION) &&
	       rehearse(s, SANDBOX_RESOLVER) && rehearse(s, SANDBOX_COURIER);
}

void sandbox_adopt(struct sandbox *s)
{
	s->master = getpid();
}

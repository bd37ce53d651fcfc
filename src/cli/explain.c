/*
 * --explain: one host, step by step.
 *
 * The problem: a poller says "timeout", and a person tries a dozen things in a dozen tools until it does not. What they
 * try is always the same, and each of these is a poll of the same host with one setting changed. So that is what this
 * does: ask as configured; if that is not answered, look at why (struct cause), try what the table of remedies
 * (explain_remedies.c) has for it, and ask again with what helped, until all is answered or nothing known helps. What
 * it ends with is the entry that was answered, or an honest word.
 *
 * Rejected: an SNMP client of its own, which would be lenient where the poller is not and mend what is not broken.
 *
 * Here are the steps that need no device: the name, the route, and the words at the end. The route is the
 * kernel's to know: a socket is connected, which sends nothing, and asked for its own address.
 *
 * Total time is bounded: see TOTAL_US, and explain_ask.c for each question.
 */
#include "cli/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/utf8.h"
#include "cli/explain_internal.h"
#include "snmp/exchange.h"

#define TOTAL_S    120
#define TOTAL_US   (INT64_C(1000000) * TOTAL_S)
#define ROUNDS_MAX 8 /* things that may be wrong at once */

/* ---- where it is */

static void show_route(struct explain *x, const struct addr *to)
{
	const struct addr *from = to->family == 6 ? &x->config->source6 : &x->config->source4;
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	char there[ADDR_TEXT_MAX], here[ADDR_TEXT_MAX];
	int fd = socket(to->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_storage mine;
	struct addr own = {0};
	bool good;

	addr_text(to, there);
	good = fd >= 0;
	if (good && from->family)
		good = bind(fd, (struct sockaddr *)&mine, addr_to_sockaddr(from, &mine)) == 0;
	good = good && connect(fd, (struct sockaddr *)&sa, len) == 0;
	len = sizeof(mine);
	if (good && getsockname(fd, (struct sockaddr *)&mine, &len) == 0 &&
	    addr_from_sockaddr((struct sockaddr *)&mine, &own)) {
		addr_text(&own, here);
		explain_step(x, true, "route to %s: the kernel has one, and sends from %s", there,
			     here);
	} else {
		explain_step(x, false, "route to %s: none (%s)", there, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
}

static void show_names(struct explain *x)
{
	const struct finding *f = &x->found;
	const char *name = x->sole.target.name;
	char address[ADDR_TEXT_MAX];

	if (f->status == RECORD_RESOLVE) {
		explain_step(x, false, "name %s: %s", name, f->message);
		return;
	}
	explain_step(x, f->naddrs > 0, "name %s: %u address%s", name, f->naddrs,
		     f->naddrs == 1 ? "" : "es, asked in this order until one answers");
	for (unsigned i = 0; i < f->naddrs; i++) {
		addr_text_port(&f->addrs[i], address);
		explain_note(x, "%s: %s", address,
			     i < f->asked ? record_status_name((enum record_status)f->verdicts[i])
					  : "not asked");
	}
}

/* The address that is looked at: the first that is not plainly unreachable, or else the last that was asked. */
static void choose_address(struct explain *x)
{
	const struct finding *f = &x->found;
	unsigned chosen = f->asked ? f->asked - 1u : 0;

	if (!f->naddrs)
		return;
	for (unsigned i = f->asked; i > 0 && f->status != RECORD_OK; i--)
		if (f->verdicts[i - 1] != RECORD_UNREACHABLE)
			chosen = i - 1;
	x->target.addr = f->addrs[chosen];
	x->target.name = NULL;
	show_route(x, &x->target.addr);
}

/* ---- asking */

static bool is_over(const struct finding *f)
{
	bool cut = f->cause.kind == CAUSE_NONE && f->nvars > f->missing; /* by our own deadline */

	return f->status == RECORD_OK || cut;
}

static bool ask_all(struct explain *x)
{
	struct question q = {.whole = true, .configured = true};

	return explain_ask(x, &q, &x->found);
}

static void show_answer(struct explain *x, const char *how)
{
	char words[FINDING_TEXT_MAX];
	const char *meaning;

	explain_step(x, is_over(&x->found), "%s: %s", how, finding_words(&x->found, words));
	if (x->found.nvars)
		explain_rows(x, &x->found);
	if (x->found.status == RECORD_OK && x->found.rtt_us > x->now.value[SET_TIMEOUT].number)
		explain_note(x,
			     "slower than its timeout, so it was asked again: timeout: %" PRId64
			     "s would spare that",
			     x->found.rtt_us / 1000000 + 1);
	meaning = is_over(&x->found) ? NULL : explain_meaning(&x->found);
	if (meaning)
		explain_note(x, "%s", meaning);
}

static bool first_question(struct explain *x)
{
	struct buf asked = {0};
	bool named = x->sole.target.name != NULL;
	struct addr last;

	if (!named && x->target.addr.family)
		show_route(x, &x->target.addr);
	if (!ask_all(x))
		return false;
	if (named) {
		show_names(x);
		choose_address(x);
	}
	last = x->found.addr;
	if (named && x->target.addr.family && !is_over(&x->found) && x->found.naddrs > 1 &&
	    !addr_equal(&last, &x->target.addr) && !ask_all(x))
		return false;
	explain_asked(x, &asked);
	buf_putc(&asked, '\0');
	show_answer(x, (const char *)asked.data);
	buf_free(&asked);
	return true;
}

/* True: something was mended, and is to be asked. */
static bool next_remedy(struct explain *x)
{
	if (explain_mend(x))
		return true;
	return !x->status && x->known & KNOWN_SMALL && x->found.cause.kind == CAUSE_SILENCE &&
	       explain_size(x);
}

static void find_remedies(struct explain *x)
{
	for (unsigned i = 0; i < ROUNDS_MAX && !is_over(&x->found) && next_remedy(x); i++) {
		x->tried = 0;
		if (x->split_by) {
			x->found.status = RECORD_OK; /* each of its parts was */
			return;
		}
		if (!ask_all(x))
			return;
		show_answer(x, "with that, and all else as configured");
	}
}

/* ---- the end */

static void put_mend(struct explain *x)
{
	struct buf out = {0}, typed = {0};

	if (x->mended || x->moved || x->split_by) {
		buf_puts(&out, is_over(&x->found) ? "\nThis would mend it:\n"
						  : "\nThis is part of what would mend it:\n");
		explain_yaml(x, &out);
	}
	if (x->sole.place.line == 0 && !x->split_by)
		explain_options(x, &typed);
	if (typed.len) {
		buf_puts(&out, "or on the command line:");
		buf_put(&out, typed.data, typed.len);
		buf_putc(&out, '\n');
	}
	if (out.len)
		fwrite(out.data, 1, out.len, x->config->out);
	buf_free(&out);
	buf_free(&typed);
}

/* What the network said, and nothing that was tried got round. */
static const char *refused_words(int64_t error)
{
	switch (error) {
	case ECONNREFUSED:
		return "Start the agent, or name the port and the address at which it listens.";
	case ENETUNREACH:
		return "There must be a route to that network first, here or on a router on the "
		       "way.";
	case EHOSTUNREACH:
		return "The host is down, or has another address.";
	default:
		return "Who forbids it must allow it, or the address must be another.";
	}
}

/* Which of user, keys, clock and context it is, as far as the Report says. */
static const char *report_words(int64_t report)
{
	switch (report) {
	case PDU_REPORT_UNKNOWN_CONTEXT:
		return "User and keys are right. Which contexts there are, only the agent's "
		       "configuration tells; an empty one is the usual.";
	case PDU_REPORT_NOT_IN_WINDOW:
		return "User and keys are right. The agent must keep its boots and its time, and "
		       "no "
		       "other one may answer at its address.";
	case PDU_REPORT_DECRYPTION:
		return "No other protocol helps: the passphrase of privacy is another on the "
		       "agent.";
	case PDU_REPORT_UNKNOWN_ENGINE:
		return "It refuses the very engine ID that it tells: several agents may share the "
		       "address, or it is broken. Only its configuration, or its log, tells.";
	case PDU_REPORT_UNKNOWN_USER:
		return "The user must be made on the agent, or be named as it is there.";
	default:
		return "No other protocol helps: the user or a passphrase is another on the agent, "
		       "and which, only its configuration tells.";
	}
}

/* What no question can tell. */
static const char *unknown_words(const struct explain *x)
{
	if (x->found.status == RECORD_RESOLVE)
		return "Write the name as the name server has it, or the address itself.";
	if (x->known & KNOWN_SMALL)
		return "Part of what is asked for is not answered: leave that out, or see the "
		       "agent's log "
		       "and access control.";
	switch (x->found.cause.kind) {
	case CAUSE_SILENCE:
		if (x->known & KNOWN_ALIVE)
			return "The agent is there and ignores this community: it has another one, "
			       "or an "
			       "access list without our address. Only its configuration tells.";
		if (x->known & KNOWN_UP)
			return "The system is up. Whether a filter drops UDP to this port, or an "
			       "agent ignores "
			       "who asks, looks the same from here: see its configuration.";
		return "Nothing at all was heard. Whether the host is down, a filter drops "
		       "everything, or "
		       "an agent ignores who asks, looks the same from here.";
	case CAUSE_REFUSED:
		return refused_words(x->found.cause.number);
	case CAUSE_REPORT:
		return report_words(x->found.cause.number);
	case CAUSE_DISCOVERED:
	case CAUSE_DISBELIEVED:
		return "No other protocol helps: the user or a passphrase is another on the agent, "
		       "and "
		       "which, only its configuration tells.";
	case CAUSE_STATUS:
		return "The agent refuses; its access control, or its log, tells why.";
	default:
		return "What would mend it cannot be told from here.";
	}
}

static int conclude(struct explain *x)
{
	bool as_configured = !x->mended && !x->moved && !x->split_by;

	if (is_over(&x->found) && !x->split_by)
		explain_missing(x);
	put_mend(x);
	if (!is_over(&x->found)) {
		fprintf(x->config->out, "\n%s\n", unknown_words(x));
		return EXPLAIN_NOT;
	}
	if (!as_configured)
		return EXPLAIN_NOT;
	if (!x->mended)
		fputs("\nNothing to mend: it answers as configured.\n", x->config->out);
	return EXPLAIN_ANSWERS;
}

static void begin(struct explain *x)
{
	char *text = mem_strdup(x->sole.text);

	utf8_make_shown(text);
	fprintf(x->config->out, "%s, asked for at most %d s\n", text, TOTAL_S);
	fflush(x->config->out);
	free(text);
}

int explain(const struct explain_config *c)
{
	struct explain x = {.config = c, .until_us = loop_clock_us() + TOTAL_US};
	int status;

	if (plan_total(c->plan) != 1) {
		log_error("--explain: name one target; here are %llu",
			  (unsigned long long)plan_total(c->plan));
		return EXPLAIN_NOT_ONE;
	}
	plan_sole(c->plan, c->command, &x.sole);
	x.now = x.sole.settings;
	x.target = x.sole.target;
	begin(&x);
	if (first_question(&x))
		find_remedies(&x);
	status = x.status ? x.status : conclude(&x);
	for (size_t i = 0; i < x.nlists; i++)
		free(x.lists[i]);
	free(x.lists);
	if (fflush(c->out) || ferror(c->out))
		return EXPLAIN_NOT_WRITTEN;
	return status;
}

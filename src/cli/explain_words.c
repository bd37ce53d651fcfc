/*
 * What --explain says: a numbered line for each step, and what each answer means.
 *
 * Whatever came from a device or a file is made fit for a terminal here, in one place; the rows are so already
 * (text.h). Colour is in the mark only.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/explain_internal.h"
#include "snmp/exchange.h"
#include "snmp/pdu.h"
#include "snmp/usm.h"

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

static void say(struct explain *x, const char *before, const char *format, va_list args)
{
	struct buf line = {0};
	char text[FINDING_TEXT_MAX + FINDING_TEXT_MAX / 2];

	vsnprintf(text, sizeof(text), format, args);
	utf8_make_shown(text);
	buf_puts(&line, before);
	buf_puts(&line, text);
	buf_putc(&line, '\n');
	fwrite(line.data, 1, line.len, x->config->out);
	fflush(x->config->out);
	buf_free(&line);
}

void explain_step(struct explain *x, bool ok, const char *format, ...)
{
	bool colour = x->config->colour;
	char mark[40];
	va_list args;

	snprintf(mark, sizeof(mark), "%2u. %s%s%s  ", ++x->steps, colour ? ok ? GREEN : RED : "",
		 ok ? "ok" : "no", colour ? PLAIN : "");
	va_start(args, format);
	say(x, mark, format, args);
	va_end(args);
}

void explain_note(struct explain *x, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(x, "        ", format, args);
	va_end(args);
}

void explain_rows(struct explain *x, const struct finding *f)
{
	char rows[FINDING_ROWS_MAX];
	char *save = NULL;

	memcpy(rows, f->rows, sizeof(rows));
	for (char *line = strtok_r(rows, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		for (char *at = line; *at; at++)
			if (*at == '\t')
				*at = ' ';
		explain_note(x, "%s", line);
	}
}

/* ---- what was asked */

void explain_asked(const struct explain *x, struct buf *out)
{
	const struct settings *s = &x->now;
	const char *const *at;
	static const char *const versions[] = {[SNMP_V1] = "1", [SNMP_V2C] = "2c", [SNMP_V3] = "3"};
	const char *words[] = {s->value[SET_USER].text, s->value[SET_AUTH].text,
			       s->value[SET_PRIV].text, s->value[SET_LEVEL].text,
			       s->value[SET_CONTEXT].text};
	static const char *const names[] = {"user", "auth", "priv", "level", "context"};

	buf_printf(out, "SNMP %s", versions[s->value[SET_VERSION].number]);
	at = names;
	for (size_t i = 0; s->value[SET_VERSION].number == SNMP_V3 && i < 5; i++, at++)
		if (words[i] && *words[i])
			buf_printf(out, ", %s %s", *at, words[i]);
	if (x->target.transport != TRANSPORT_UDP)
		buf_puts(out, ", not over UDP");
}

/* ---- what came of it */

static unsigned depth_of_report(int64_t report)
{
	switch (report) { /* the order in which an agent looks: RFC 3414 §3.2, RFC 3413 §3.2 */
	case PDU_REPORT_UNKNOWN_ENGINE:
		return 6;
	case PDU_REPORT_UNKNOWN_USER:
		return 7;
	case PDU_REPORT_UNSUPPORTED_LEVEL:
		return 8;
	case PDU_REPORT_WRONG_DIGEST:
		return 9;
	case PDU_REPORT_NOT_IN_WINDOW:
		return 10;
	case PDU_REPORT_DECRYPTION:
		return 11;
	default:
		return 12;
	}
}

unsigned finding_depth(const struct finding *f)
{
	static const uint8_t depths[CAUSE_COUNT] = {
		[CAUSE_NONE] = 14,   [CAUSE_SILENCE] = 2,     [CAUSE_DISCOVERED] = 5,
		[CAUSE_ADDRESS] = 4, [CAUSE_COMMUNITY] = 4,   [CAUSE_VERSION] = 4,
		[CAUSE_TYPE] = 4,    [CAUSE_DISBELIEVED] = 9, [CAUSE_UNREADABLE] = 3,
		[CAUSE_REFUSED] = 1, [CAUSE_REPORT] = 6,      [CAUSE_STATUS] = 15,
		[CAUSE_ROWS] = 16,   [CAUSE_MALFORMED] = 14,  [CAUSE_DEADLINE] = 3,
	};

	if (f->status == RECORD_OK)
		return 20;
	if (f->status == RECORD_PARTIAL)
		return 17;
	if (f->status == RECORD_RESOLVE || f->status == RECORD_CRASHED || f->status == RECORD_LOST)
		return 0;
	if (f->status == RECORD_CANCELLED && f->cause.kind == CAUSE_NONE)
		return 0;
	if (f->cause.kind == CAUSE_REPORT)
		return depth_of_report(f->cause.number);
	return depths[f->cause.kind];
}

const char *finding_words(const struct finding *f, char out[FINDING_TEXT_MAX])
{
	if (f->status == RECORD_OK && f->missing == f->nvars && f->nvars)
		snprintf(out, FINDING_TEXT_MAX, "answered, but has no such object");
	else if (f->status == RECORD_OK)
		snprintf(out, FINDING_TEXT_MAX, "answered in %.1f ms", (double)f->rtt_us / 1e3);
	else if (f->cause.kind == CAUSE_SILENCE && !f->nvars)
		snprintf(out, FINDING_TEXT_MAX, "no answer");
	else if (f->cause.kind == CAUSE_DISCOVERED)
		snprintf(out, FINDING_TEXT_MAX,
			 "the discovery of its engine is answered, the request is not");
	else
		snprintf(out, FINDING_TEXT_MAX, "%s: %.500s", record_status_name(f->status),
			 f->message);
	return out;
}

static const char *meaning_of_report(int64_t report)
{
	static const char *const words[] = {
		[PDU_REPORT_UNSUPPORTED_LEVEL] = "unsupportedSecLevels: the agent has this user, "
						 "but without the keys for this "
						 "level",
		[PDU_REPORT_NOT_IN_WINDOW] = "notInTimeWindows: its boots and time are not what it "
					     "told a moment ago: its "
					     "clock jumps, or several agents share the address",
		[PDU_REPORT_UNKNOWN_USER] = "unknownUserNames: the agent has no user of this name, "
					    "written exactly so; its "
					    "users are bound to its engine ID: one that was made "
					    "before that changed is lost",
		[PDU_REPORT_UNKNOWN_ENGINE] =
			"unknownEngineIDs: the engine ID asked for is not the agent's",
		[PDU_REPORT_WRONG_DIGEST] = "wrongDigests: the agent has this user, with another "
					    "passphrase or protocol of "
					    "authentication",
		[PDU_REPORT_DECRYPTION] =
			"decryptionErrors: user and authentication are right, the passphrase or "
			"protocol of privacy is another",
		[PDU_REPORT_UNKNOWN_CONTEXT] =
			"unknownContexts: all of user and keys is right, there is no such context",
	};

	return report >= 0 && (size_t)report < sizeof(words) / sizeof(words[0]) ? words[report]
										: NULL;
}

static const char *meaning_of_refusal(int64_t error)
{
	switch (error) {
	case ECONNREFUSED:
		return "the system is up and says that nothing listens on this port: is the agent "
		       "running, on this port and this address?";
	case EHOSTUNREACH:
		return "a router, or our own system, says that the host is not there (ICMP host "
		       "unreachable)";
	case ENETUNREACH:
		return "there is no route to that network";
	case EACCES:
	case EPERM:
		return "a filter on the way, or here, forbids it and says so, and only who runs it "
		       "can mend that; or it is a broadcast address, which is never asked";
	default:
		return NULL;
	}
}

static const char *meaning_of_status(int64_t status)
{
	switch (status) {
	case PDU_TOO_BIG:
		return "tooBig: the agent cannot put the answer into one message";
	case PDU_GEN_ERR:
		return "genErr: the agent failed inside";
	case 6: /* RFC 3416 §3 */
		return "noAccess: the agent lets nobody read this";
	case 16:
		return "authorizationError: who asks is known, and may not read this at this level "
		       "(view-based access control)";
	default:
		return NULL;
	}
}

const char *explain_meaning(const struct finding *f)
{
	switch (f->cause.kind) {
	case CAUSE_REPORT:
		return meaning_of_report(f->cause.number);
	case CAUSE_REFUSED:
		return meaning_of_refusal(f->cause.number);
	case CAUSE_STATUS:
		return meaning_of_status(f->cause.number);
	case CAUSE_SILENCE:
		return f->nvars ? "it answered, then no more"
				: "silence: the host is down, a filter drops what is sent or "
				  "answered, or "
				  "the agent ignores who asks so";
	case CAUSE_DISCOVERED:
		return "so an agent is there, and threw the request away: it cannot check or "
		       "decrypt it, or knows no such context";
	case CAUSE_ADDRESS:
		return "the agent answers from another of its addresses; anybody could, so that is "
		       "not "
		       "taken for an answer";
	case CAUSE_COMMUNITY:
		return "something on the way, or the agent, changes the community";
	case CAUSE_DISBELIEVED:
		return "who answers has not our keys, or breaks the rules";
	default:
		return NULL;
	}
}

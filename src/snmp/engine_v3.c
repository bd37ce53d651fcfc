/*
 * The device's SNMPv3 engine, as a state of its job.
 *
 * The problem: before a device answers an SNMPv3 question it wants to hear its own engine ID, boots and time, which
 * it tells to anybody who asks (RFC 3414 §4). Pollers that wait for that block everybody else on one silent
 * device.
 *
 * The design: discovery is a question like any other, and the first one of the job when no engine ID is
 * known; time comes with its answer, or with the Report that says that ours is wrong. A Report is an answer: it
 * ends its request, and what was asked is either asked again with what was learnt, or the job is over, in
 * the Report's words. Asking again is bounded per kind, and what is learnt has an epoch: a Report to a
 * request that was built before it is old news and costs nothing, so that a device which reboots under several
 * requests uses up its bound once.
 *
 * An engine ID that the person pinned is believed to be the right one: who reports another is not the device
 * that was meant.
 *
 * What was learnt in rounds before saves discovery and clock: the first question is the real one. It is a hint: the device
 * says that its engine is another one or its clock runs otherwise, and is asked again as above. A device that
 * would rather be silent gets the discovery as its last try. And what did not lead to an answer is not learnt again.
 *
 * A device that answers the discovery and then nothing has most likely thrown our message away because it could not
 * decrypt it, or does not know the context: real agents are silent then. The timeout names what to look at.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_known.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "snmp/usm.h"

#define ENGINES_MAX 3 /* engine IDs taken in one job, the discovery's apart */
#define WINDOWS_MAX 2 /* resynchronisations in a row by a digest that is right … */
#define GUESSES_MAX 1 /* … and by Reports that anybody may have sent */

struct v3 {
	struct usm_peer peer;
	bool pinned;     /* its engine ID is the person's */
	bool discovered; /* the engine ID came from the device, in this job */
	bool recalled;   /* it is of a round before, and the device has not said another one */
	uint8_t engines;
	uint8_t windows; /* since the last answer */
	uint32_t epoch;
	char refused[PDU_WORDS_MAX];
	char note[80];
};

static bool same_id(const struct usm_peer *p, const struct learnt *l)
{
	return p->engine_id_len == l->engine_id_len &&
	       memcmp(p->engine_id, l->engine_id, l->engine_id_len) == 0;
}

/* What served in the round before, at this address. */
static void recall(struct v3 *v, const struct learnt *l)
{
	if (!v->pinned)
		v->recalled = usm_peer_is(&v->peer, l->engine_id, l->engine_id_len);
	if (!same_id(&v->peer, l) || !l->clocked)
		return;
	usm_set_clock(&v->peer, l->boots, l->time_s, l->stamp_us);
	v->peer.synchronised = true;
}

void v3_start(struct job *job)
{
	const struct profile *p = job->profile;
	struct v3 *v;

	if (!job->v3)
		job->v3 = mem_alloc(sizeof(*job->v3));
	v = job->v3;
	*v = (struct v3){0}; /* another address's keys are gone, too */
	if (p->engine_id_len)
		v->pinned = usm_peer_is(&v->peer, p->engine_id, p->engine_id_len);
	if (job->task.learnt.engine_id_len && !p->tls)
		recall(v, &job->task.learnt);
}

void v3_end(struct job *job)
{
	usm_peer_wipe(&job->v3->peer);
}

const struct usm_peer *v3_keys(const struct job *job)
{
	return &job->v3->peer;
}

bool v3_must_discover(const struct job *job)
{
	return job->profile->version == SNMP_V3 && !job->v3->peer.engine_id_len;
}

/* The last try at a device that was silent to what is known of it: perhaps that is not true any more. */
static bool asks_anew(const struct engine *e, const struct request *r)
{
	uint32_t tries = inflight_tries(e->inflight, r->slot); /* with this one */

	return r->job->v3->recalled && r->job->rtt_us < 0 && tries > 1 &&
	       tries > known_retries(r->job);
}

bool v3_build(struct engine *e, struct request *r, const struct pdu_ask *ask, uint32_t id,
	      char words[PDU_WORDS_MAX])
{
	struct v3 *v = r->job->v3;
	struct usm_peer nobody = {0};
	struct pdu_exchange x = {
		.profile = r->job->profile,
		.peer = asks_anew(e, r) ? &nobody : &v->peer,
		.id = id,
		.now_us = loop_clock_us(), /* the device's clock does not stand still with ours */
	};

	r->epoch = v->epoch;
	return pdu_build_v3(e->codec, &x, ask, &e->octets, words);
}

static bool same_engine(const struct usm_peer *a, const struct usm_peer *b)
{
	return a->engine_id_len == b->engine_id_len &&
	       memcmp(a->engine_id, b->engine_id, a->engine_id_len) == 0;
}

/* Boots never fall, but where a device lost its memory or was replaced (net-snmp#385). A guess never was. */
static void note_boots(struct v3 *v, const struct usm_peer *before)
{
	if (before->synchronised && v->peer.boots < before->boots && same_engine(&v->peer, before))
		snprintf(v->note, sizeof(v->note), "snmpEngineBoots fell back from %u to %u",
			 (unsigned)before->boots, (unsigned)v->peer.boots);
}

bool v3_proves_itself(const struct job *job)
{
	return !job->profile->tls && !job->v3->peer.engine_id_len &&
	       usm_level(job->profile->credential) > USM_NO_AUTH_NO_PRIV;
}

enum pdu_verdict v3_decode(struct engine *e, const struct request *r, uint32_t id,
			   const struct udp_in *in, struct pdu_answer *a)
{
	struct job *job = r->job;
	struct v3 *v = job->v3;
	struct pdu_exchange x = {
		.profile = job->profile,
		.peer = &v->peer,
		.id = id,
		.now_us = loop_clock_us(),
	};
	struct pdu_octets message = {.data = in->data, .len = in->len};
	struct usm_peer before = v->peer;
	enum pdu_verdict verdict = pdu_decode_v3(e->codec, &x, message, a, &e->scratch);

	if (verdict == PDU_ACCEPTED && a->report != PDU_REPORT_NONE && r->epoch != v->epoch)
		v->peer = before; /* old news: what is known is newer */
	if (verdict == PDU_ACCEPTED)
		note_boots(v, &before);
	usm_peer_wipe(&before);
	if (verdict == PDU_REFUSED && job->notice == NOTICE_NONE) {
		memcpy(v->refused, a->words, sizeof(v->refused));
		job->notice = NOTICE_REFUSED;
		job->notice_words = v->refused;
	}
	return verdict;
}

struct report_words {
	enum record_status status;
	const char *words;
	const char *remedy; /* NULL: the words say it */
};

/* Reports that end the job, and what is said of them. */
static const struct report_words reports[] = {
	[PDU_REPORT_UNSUPPORTED_LEVEL] = {RECORD_AUTH,
					  "the security level is not supported for "
					  "this user "
					  "(usmStatsUnsupportedSecLevels)",
					  "has it passphrases for authentication and privacy "
					  "there?"},
	[PDU_REPORT_NOT_IN_WINDOW] =
		{RECORD_AUTH,
		 "not in time window after resynchronisation "
		 "(usmStatsNotInTimeWindows)",
		 "does its clock jump, or do two devices share its engine ID?"},
	[PDU_REPORT_UNKNOWN_USER] = {RECORD_AUTH, "unknown user name (usmStatsUnknownUserNames)",
				     "does the agent have this user, spelled so?"},
	[PDU_REPORT_UNKNOWN_ENGINE] = {RECORD_AUTH,
				       "unknown engine ID "
				       "(usmStatsUnknownEngineIDs)",
				       NULL},
	[PDU_REPORT_WRONG_DIGEST] = {RECORD_AUTH,
				     "wrong digest: the passphrase or protocol of "
				     "authentication (usmStatsWrongDigests)",
				     NULL},
	[PDU_REPORT_DECRYPTION] = {RECORD_AUTH,
				   "decryption error: the passphrase or protocol of "
				   "privacy (usmStatsDecryptionErrors)",
				   NULL},
	[PDU_REPORT_UNKNOWN_CONTEXT] = {RECORD_ERROR, "unknown context (snmpUnknownContexts)",
					NULL},
};

/* What depends on the target. */
static void say_report_detail(struct buf *text, const struct job *job, enum pdu_report report)
{
	const char *context = job->profile->context;

	if (report == PDU_REPORT_UNKNOWN_ENGINE)
		buf_puts(text, job->v3->pinned
				       ? ": the device's is not the engine_id that was given"
				       : ": it names another one each time");
	else if (report == PDU_REPORT_UNKNOWN_CONTEXT && context && *context)
		buf_printf(text, ": the agent has no '%s'", context);
	else if (report == PDU_REPORT_UNKNOWN_CONTEXT)
		buf_puts(text, ": the agent wants one to be named (-n, context)");
}

static void end_by_report(struct engine *e, struct job *job, const struct reply *reply)
{
	const struct pdu_answer *a = reply->answer;
	struct buf *text = job_say(e);

	job->cause = (struct cause){.kind = CAUSE_REPORT, .number = a->report};
	walk_round_free(e, reply->asked.walk);
	if (a->report >= sizeof(reports) / sizeof(reports[0]) || !reports[a->report].words) {
		buf_printf(text, "a Report came instead of an answer: %s", a->words);
		job_end(e, job, RECORD_ERROR, NULL);
		return;
	}
	buf_puts(text, reports[a->report].words);
	if (reports[a->report].remedy)
		buf_printf(text, ": %s", reports[a->report].remedy);
	say_report_detail(text, job, a->report);
	job_end(e, job, reports[a->report].status, NULL);
}

/* What a Report taught is new, and may be used once more. */
static bool try_again(struct v3 *v, const struct reply *reply)
{
	switch (reply->answer->report) {
	case PDU_REPORT_UNKNOWN_ENGINE:
		v->discovered = v->discovered || v->recalled;
		v->recalled = false;
		return !v->pinned && ++v->engines <= ENGINES_MAX;
	case PDU_REPORT_NOT_IN_WINDOW:
		return ++v->windows <= (reply->answer->authenticated ? WINDOWS_MAX : GUESSES_MAX);
	default:
		return false;
	}
}

/* Whether the Report is of a request that was built before what is known now. */
static bool is_old(const struct v3 *v, const struct reply *reply)
{
	enum pdu_report report = reply->answer->report;

	return reply->epoch != v->epoch &&
	       (report == PDU_REPORT_UNKNOWN_ENGINE || report == PDU_REPORT_NOT_IN_WINDOW);
}

static void end_discovery(struct engine *e, struct job *job, const struct reply *reply)
{
	if (reply->answer->report != PDU_REPORT_NONE &&
	    reply->answer->report != PDU_REPORT_UNKNOWN_ENGINE) {
		end_by_report(e, job, reply);
		return;
	}
	e->stats.count[STATS_MALFORMED]++;
	job->cause = (struct cause){.kind = CAUSE_MALFORMED};
	buf_puts(job_say(e), "the discovery was answered without an engine ID");
	job_end(e, job, RECORD_MALFORMED, NULL);
}

bool v3_report(struct engine *e, struct job *job, const struct reply *reply)
{
	struct v3 *v = job->v3;
	bool discovery = !reply->asked.strand;

	if (!discovery && reply->answer->report == PDU_REPORT_NONE) {
		v->windows = 0;
		return false;
	}
	if (discovery && !v->peer.engine_id_len) {
		end_discovery(e, job, reply);
		return true;
	}
	if (discovery) {
		v->discovered = true;
	} else if (is_old(v, reply)) {
		strand_again(e, &reply->asked);
	} else if (try_again(v, reply)) {
		v->epoch++;
		strand_again(e, &reply->asked);
	} else {
		end_by_report(e, job, reply);
		return true;
	}
	job_go_on(e, job);
	return true;
}

/* The other of the two ways to make a long AES key of a short one (net-snmp#855). */
static void say_other_extension(struct buf *text, const struct usm_credential *c)
{
	const char *name = usm_priv_name(c);
	size_t len = strlen(name);

	if (!usm_extends_key(c))
		return;
	if (len > 2 && strcmp(name + len - 2, "-C") == 0)
		buf_printf(text, " (%s is set: some devices mean %.*s)", name, (int)len - 2, name);
	else
		buf_printf(text, " (%s is set: some devices mean %s-C)", name, name);
}

/* Over a connection that stands: an agent that maps our certificate to nobody does not say so. */
static void say_tunnel_silence(struct buf *text, const struct job *job)
{
	const char *context = job->profile->context;

	if (!job->v3->discovered) {
		buf_puts(text, "; the connection was made: does the agent map the certificate of "
			       "'identity' to a user?");
		return;
	}
	buf_puts(text, "; the discovery of its engine was answered, the request is not: ");
	if (context && *context)
		buf_printf(text, "unknown context '%s'?", context);
	else
		buf_puts(text, "is the certificate's user allowed to read?");
}

bool v3_has_met(const struct job *job)
{
	return job->v3->discovered || job->v3->windows;
}

bool v3_say_silence(struct buf *text, const struct job *job)
{
	const struct usm_credential *c = job->profile->credential;
	bool context = job->profile->context && *job->profile->context;
	enum usm_level level;

	if (job->profile->tls) {
		say_tunnel_silence(text, job);
		return true;
	}
	if (!v3_has_met(job))
		return false;
	level = usm_level(c);
	buf_printf(text, "; the discovery of its engine was answered, the %s is not",
		   level == USM_AUTH_PRIV      ? "encrypted request"
		   : level == USM_AUTH_NO_PRIV ? "authenticated request"
					       : "request");
	if (level == USM_AUTH_PRIV) {
		buf_puts(text, ": wrong passphrase or protocol of privacy");
		say_other_extension(text, c);
		buf_puts(text, context ? ", unknown user" : ", or unknown user");
	} else {
		buf_puts(text, ": unknown user, or one who may not read");
	}
	if (context)
		buf_printf(text, ", or unknown context '%s'", job->profile->context);
	return true;
}

void v3_tell(const struct job *job, struct record *record)
{
	const struct v3 *v = job->v3;

	record->note = v->note[0] ? v->note : NULL;
	record->engine_id = v->peer.engine_id;
	if (!v->recalled || job->spoke) /* else it is hearsay */
		record->engine_id_len = v->peer.engine_id_len;
}

void v3_learn(const struct job *job, struct learnt *l)
{
	const struct usm_peer *p = &job->v3->peer;

	l->engine_id_len = 0;
	l->clocked = false;
	if (job->profile->tls || !job->spoke)
		return;
	if (usm_level(job->profile->credential) > USM_NO_AUTH_NO_PRIV && !p->synchronised)
		return;
	memcpy(l->engine_id, p->engine_id, p->engine_id_len);
	l->engine_id_len = p->engine_id_len;
	l->clocked = p->synchronised;
	l->boots = p->boots;
	l->time_s = p->time_s;
	l->stamp_us = p->stamp_us;
}

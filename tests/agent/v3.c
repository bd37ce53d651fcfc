/*
 * A request goes through the checks of RFC 3414 §3.2 in their order. The first that fails names the Report; a rule can name
 * another. What the RFCs leave open is done as Net-SNMP's agent does it: contents that make no sense after deciphering, and
 * unknown contexts, are met with silence.
 */
#include "v3_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	WINDOW_S = 150,             /* RFC 3414 §2.2.3 */
	BOOTS_LATCHED = 2147483647, /* in no window ever again */
	MAX_SIZE_LEAST = 484,       /* RFC 3412 §6: of msgMaxSize */
	ROOM_LEAST = 64,
	AUTHORIZATION_ERROR = 16
};

struct v3 *v3_new(const struct v3_world *world)
{
	struct v3 *v3 = calloc(1, sizeof *v3);

	if (!v3)
		return NULL;
	v3->world = *world;
	v3->answered = visits_new();
	if (v3->answered)
		return v3;
	free(v3);
	return NULL;
}

void v3_free(struct v3 *v3)
{
	if (v3)
		visits_free(v3->answered);
	free(v3);
}

const struct v3_counters *v3_counted(const struct v3 *v3)
{
	return &v3->counters;
}

static size_t length(const struct ber_in *in)
{
	return (size_t)(in->end - in->at);
}

static bool equal(const struct ber_in *in, const void *octets, size_t len)
{
	return length(in) == len && memcmp(in->at, octets, len) == 0;
}

static enum level level_of_user(const struct usm_user *user)
{
	if (user->auth == AUTH_NONE)
		return NO_AUTH;
	return user->priv == PRIV_NONE ? AUTH_NO_PRIV : AUTH_PRIV;
}

void v3_digest(const struct v3_job *job, const uint8_t *bytes, size_t len, uint8_t digest[HASH_MAX])
{
	struct crypto_text text = {.key = job->keys->auth, .in = bytes, .len = len};

	crypto_hmac(usm_crypto(job->v3->world.usm), job->user->auth, &text, digest);
}

/* The digest is made over the message with zeros in its place. */
static bool is_authentic(const struct v3_job *job)
{
	const struct datagram *d = job->request->datagram;
	const struct ber_in *field = &job->request->message->digest;
	uint8_t *place = d->bytes + (field->at - d->bytes);
	uint8_t theirs[DIGEST_MAX], ours[HASH_MAX];
	size_t len = usm_digest_len(job->user->auth);

	if (length(field) != len)
		return false;
	memcpy(theirs, place, len);
	memset(place, 0, len);
	v3_digest(job, d->bytes, d->len, ours);
	memcpy(place, theirs, len);
	return memcmp(ours, theirs, len) == 0;
}

static bool is_in_window(const struct v3_job *job)
{
	const struct v3_message *m = job->request->message;
	int64_t late = (int64_t)job->engine.time_s - m->time_s;

	return job->engine.boots != BOOTS_LATCHED && m->boots == (int32_t)job->engine.boots &&
	       late >= -WINDOW_S && late <= WINDOW_S;
}

void v3_iv(const struct v3_job *job, struct v3_time time, const uint8_t salt[SALT_LEN],
	   uint8_t iv[IV_MAX])
{
	if (job->user->priv == PRIV_DES) {
		for (size_t i = 0; i < SALT_LEN; i++)
			iv[i] = job->keys->priv[SALT_LEN + i] ^ salt[i];
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		iv[i] = (uint8_t)(time.boots >> (24 - 8 * i));
		iv[4 + i] = (uint8_t)(time.time_s >> (24 - 8 * i));
	}
	memcpy(iv + 8, salt, SALT_LEN);
}

static bool decipher(struct v3_job *job, struct ber_in *scoped)
{
	const struct v3_message *m = job->request->message;
	struct v3_time time = {(uint32_t)m->boots, (uint32_t)m->time_s};
	struct crypto_text text = {.key = job->keys->priv, .out = job->v3->plain};
	struct ber_in data = m->data, cipher;

	if (length(&m->salt) != SALT_LEN || !ber_enter(&data, BER_OCTETS, &cipher) ||
	    (job->user->priv == PRIV_DES && length(&cipher) % 8 != 0))
		return false;
	v3_iv(job, time, m->salt.at, text.iv);
	text.in = cipher.at;
	text.len = length(&cipher);
	crypto_decrypt(usm_crypto(job->v3->world.usm), job->user->priv, &text);
	scoped->at = text.out;
	scoped->end = text.out + text.len;
	return true;
}

/* Who asks, and whether he may be believed. */
static enum report check_user(struct v3_job *job)
{
	const struct v3_message *m = job->request->message;
	struct usm *usm = job->v3->world.usm;

	job->user = usm_find(usm, m->user.at, length(&m->user));
	if (!job->user)
		return UNKNOWN_USER_NAMES;
	if (job->level > level_of_user(job->user))
		return UNSUPPORTED_SEC_LEVELS;
	if (level_of_user(job->user) > NO_AUTH)
		job->keys = usm_keys(usm, job->user, &job->engine.id);
	if (job->level == NO_AUTH)
		return REPORT_NONE;
	if (!is_authentic(job))
		return WRONG_DIGESTS;
	job->v3->counters.authenticated++;
	return REPORT_NONE;
}

static enum report check(struct v3_job *job)
{
	const struct v3_message *m = job->request->message;
	const struct behaviour *b = job->request->behaviour;
	enum report report;
	struct ber_in scoped;

	if (!equal(&m->engine_id, job->engine.id.octets, job->engine.id.len) ||
	    job->engine.id.len == 0)
		return UNKNOWN_ENGINE_IDS;
	report = check_user(job);
	if (report)
		return report;
	if (b->report)
		return (enum report)b->report;
	if (job->level > NO_AUTH && !is_in_window(job))
		return NOT_IN_TIME_WINDOWS;
	if (job->level < AUTH_PRIV)
		return REPORT_NONE;
	if (!decipher(job, &scoped))
		return DECRYPTION_ERRORS;
	job->has_pdu = v3_message_scoped(scoped, &job->pdu);
	job->v3->counters.undecipherable += !job->has_pdu;
	return REPORT_NONE;
}

static bool knows_context(const struct v3_job *job)
{
	const struct ber_in *name = &job->pdu.community;

	if (length(name) == 0)
		return true;
	for (const char *const *known = job->v3->world.contexts; *known; known++)
		if (equal(name, *known, strlen(*known)))
			return true;
	return false;
}

static size_t answer_report(struct v3_job *job, enum report report, uint8_t *bytes)
{
	const struct behaviour *b = job->request->behaviour;

	job->v3->counters.reports[report]++;
	if (!(job->request->message->flags & FLAG_REPORTABLE) ||
	    (b->no_discovery && report == UNKNOWN_ENGINE_IDS))
		return 0;
	return v3_write_report(job, report, bytes);
}

/* Octets that the ScopedPDU of the answer may have: both sides have a limit. */
static size_t room(const struct v3_job *job, size_t max_size)
{
	int32_t theirs = job->request->message->max_size;
	size_t least = theirs < MAX_SIZE_LEAST ? MAX_SIZE_LEAST : (size_t)theirs;
	size_t limit = least < max_size ? least : max_size;

	return limit > v3_overhead(job) + ROOM_LEAST ? limit - v3_overhead(job) : ROOM_LEAST;
}

static size_t answer_pdu(struct v3_job *job, struct answerer *answerer, size_t max_size,
			 uint8_t *bytes)
{
	const struct behaviour *b = job->request->behaviour;
	struct mib_view view = *job->request->view;
	enum level level = job->level;

	view.context = job->pdu.community;
	job->pdu.max_size = room(job, max_size);
	job->pdu.context_engine.at = job->engine.id.octets;
	job->pdu.context_engine.end = job->engine.id.octets + job->engine.id.len;
	job->pdu.refused = job->level < (enum level)b->needs ? AUTHORIZATION_ERROR : 0;
	size_t len = answer_write(answerer, &view, &job->pdu, b, job->v3->scoped);
	if (len == 0)
		return 0;
	if (b->downgrade && b->downgrade < (uint32_t)level)
		level = (enum level)b->downgrade;
	len = v3_write(job, level, len, bytes);
	if (job->level > NO_AUTH && engine_remembers(b))
		visits_count(job->v3->answered, job->request->view->addr);
	return len;
}

/* RFC 3412 §7.2: what is thrown away without a word. */
static bool is_invalid(struct v3 *v3, const struct v3_message *m)
{
	enum report report = REPORT_NONE;

	if (m->model != MODEL_USM)
		report = UNKNOWN_SECURITY_MODELS;
	else if ((m->flags & (FLAG_AUTH | FLAG_PRIV)) == FLAG_PRIV)
		report = INVALID_MSGS;
	v3->counters.reports[report] += report != REPORT_NONE;
	return report != REPORT_NONE;
}

static void job_start(struct v3_job *job)
{
	const struct v3_request *request = job->request;
	const struct mib_view *view = request->view;
	uint64_t uptime_us = view->now_us - view->mib->started_us;
	uint32_t answers = 0;

	if (engine_remembers(request->behaviour))
		answers = visits_so_far(job->v3->answered, view->addr);
	engine_of(&job->engine, view->addr, request->behaviour, (uint32_t)(uptime_us / 1000000),
		  answers);
	job->level = request->message->flags & FLAG_PRIV   ? AUTH_PRIV
		     : request->message->flags & FLAG_AUTH ? AUTH_NO_PRIV
							   : NO_AUTH;
	if (job->level < AUTH_PRIV)
		job->has_pdu = v3_message_scoped(request->message->data, &job->pdu);
}

size_t v3_answer(struct v3 *v3, struct answerer *answerer, const struct v3_request *request,
		 size_t max_size, uint8_t *bytes)
{
	const struct behaviour *b = request->behaviour;
	struct v3_job job;

	if (is_invalid(v3, request->message))
		return 0;
	job.v3 = v3;
	job.request = request;
	job.user = NULL;
	job.keys = NULL;
	job.has_pdu = false;
	job_start(&job);
	if (b->silent_auth && job.level > NO_AUTH)
		return 0;
	enum report report = check(&job);
	if (report)
		return answer_report(&job, report, bytes);
	if (!job.has_pdu)
		return 0;
	if (knows_context(&job))
		return answer_pdu(&job, answerer, max_size, bytes);
	if (b->context_report)
		return answer_report(&job, UNKNOWN_CONTEXTS, bytes);
	v3->counters.reports[UNKNOWN_CONTEXTS]++;
	return 0;
}

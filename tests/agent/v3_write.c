/*
 * A message is written forwards with zeros for its digest; where they came to lie is found by reading the message again,
 * since closing an outer element may have moved them.
 */
#include "v3_internal.h"

#include <string.h>

enum {
	MAX_SIZE = 65507,
	FIXED = 96,        /* octets of a message but for its names, digest and salt */
	REPORT_ROOM = 512, /* of a Report's ScopedPDU, whatever its engine ID */
	LIE_BIT = 0x10
};

/* Lies about a message are kept for those who have found the engine and are known to it. */
static const struct behaviour *rule(const struct v3_job *job)
{
	static const struct behaviour honest = {0};

	return job->user ? job->request->behaviour : &honest;
}

static void put_engine(struct ber_out *out, const struct engine_id *id, bool wrong)
{
	struct engine_id said = *id;

	if (wrong && said.len > 0)
		said.octets[said.len - 1] ^= LIE_BIT;
	ber_put_octets(out, BER_OCTETS, said.octets, said.len);
}

static void write_global(const struct v3_job *job, enum level level, struct ber_out *out)
{
	uint8_t flags = (uint8_t)((level > NO_AUTH ? FLAG_AUTH : 0) |
				  (level == AUTH_PRIV ? FLAG_PRIV : 0));
	int32_t id = job->request->message->id ^ (rule(job)->wrong_msg_id ? 0x155 : 0);
	size_t opened = ber_open(out, BER_SEQUENCE);

	ber_put_signed(out, BER_INTEGER, id);
	ber_put_signed(out, BER_INTEGER, MAX_SIZE);
	ber_put_octets(out, BER_OCTETS, &flags, 1);
	ber_put_signed(out, BER_INTEGER, MODEL_USM);
	ber_close(out, opened);
}

/* Boots and time as they are said; a discovery's Report may keep them back. */
static struct v3_time time_said(const struct v3_job *job, enum level level)
{
	const struct behaviour *b = rule(job);
	struct v3_time said = {job->engine.boots + b->wrong_boots, job->engine.time_s - b->stale};

	if (b->stale > job->engine.time_s)
		said.time_s = 0;
	if (job->request->behaviour->discovery_zero && level == NO_AUTH)
		return (struct v3_time){0, 0};
	return said;
}

static size_t digest_len(const struct v3_job *job, enum level level)
{
	if (level == NO_AUTH)
		return 0;
	if (rule(job)->short_digest)
		return rule(job)->short_digest - 1;
	return usm_digest_len(job->user->auth);
}

static void write_user(const struct v3_job *job, struct ber_out *out)
{
	const struct ber_in *user = &job->request->message->user;

	if (rule(job)->wrong_user)
		ber_put_octets(out, BER_OCTETS, "wrong", 5);
	else
		ber_put_octets(out, BER_OCTETS, user->at, (size_t)(user->end - user->at));
}

static void write_security(const struct v3_job *job, enum level level, const uint8_t *salt,
			   struct ber_out *out)
{
	static const uint8_t zeros[HASH_MAX];
	struct v3_time said = time_said(job, level);
	size_t opened = ber_open(out, BER_OCTETS);
	size_t inner = ber_open(out, BER_SEQUENCE);

	put_engine(out, &job->engine.id, rule(job)->wrong_engine);
	ber_put_unsigned(out, BER_INTEGER, said.boots);
	ber_put_unsigned(out, BER_INTEGER, said.time_s);
	write_user(job, out);
	ber_put_octets(out, BER_OCTETS, zeros, digest_len(job, level));
	ber_put_octets(out, BER_OCTETS, salt,
		       level < AUTH_PRIV       ? 0
		       : rule(job)->short_salt ? SALT_LEN / 2
					       : SALT_LEN);
	ber_close(out, inner);
	ber_close(out, opened);
}

static void write_cipher(const struct v3_job *job, size_t len, const uint8_t *salt,
			 struct ber_out *out)
{
	uint8_t *scoped = job->v3->scoped;
	struct crypto_text text = {.key = job->keys->priv, .in = scoped, .len = len};
	size_t opened = ber_open(out, BER_OCTETS);
	uint8_t *at = out->at;

	if (job->user->priv == PRIV_DES) {
		text.len = (len + 7) / 8 * 8;
		memset(scoped + len, 0, text.len - len);
	}
	v3_iv(job, time_said(job, AUTH_PRIV), salt, text.iv);
	text.out = at;
	ber_put_raw(out, scoped, text.len); /* makes room; ciphered over */
	if (!out->full)
		crypto_encrypt(usm_crypto(job->v3->world.usm), job->user->priv, &text);
	ber_close(out, opened);
}

static void sign(const struct v3_job *job, uint8_t *bytes, size_t len)
{
	struct v3_message m;
	uint8_t digest[HASH_MAX];

	if (!v3_message_read(&m, bytes, len))
		return;
	v3_digest(job, bytes, len, digest);
	if (rule(job)->wrong_digest)
		digest[0] ^= LIE_BIT;
	memcpy(bytes + (m.digest.at - bytes), digest, (size_t)(m.digest.end - m.digest.at));
}

/* The same salt is never used twice (RFC 3826 §3.1.2.1). DES wants the boots in its first half, RFC 3414 §8.1.1.1. */
static void next_salt(struct v3_job *job, uint8_t salt[SALT_LEN])
{
	uint64_t number = ++job->v3->salt;

	if (job->user->priv == PRIV_DES)
		number = (uint64_t)job->engine.boots << 32 | (uint32_t)number;
	for (size_t i = 0; i < SALT_LEN; i++)
		salt[i] = (uint8_t)(number >> (56 - 8 * i));
}

size_t v3_overhead(const struct v3_job *job)
{
	size_t user = (size_t)(job->request->message->user.end - job->request->message->user.at);

	return FIXED + job->engine.id.len + user + digest_len(job, job->level) + 2 * SALT_LEN;
}

size_t v3_write(struct v3_job *job, enum level level, size_t len, uint8_t *bytes)
{
	struct ber_out out = {bytes, bytes, bytes + DATAGRAM_MAX - BER_SPARE, false};
	uint8_t salt[SALT_LEN] = {0};
	size_t opened = ber_open(&out, BER_SEQUENCE);

	if (level == AUTH_PRIV)
		next_salt(job, salt);
	ber_put_signed(&out, BER_INTEGER, VERSION_3);
	write_global(job, level, &out);
	write_security(job, level, salt, &out);
	if (rule(job)->wrong_salt) /* what is ciphered from here on needs another one */
		salt[0] ^= LIE_BIT;
	if (level == AUTH_PRIV)
		write_cipher(job, len, salt, &out);
	else
		ber_put_raw(&out, job->v3->scoped, len);
	ber_close(&out, opened);
	if (out.full)
		return 0;
	len = (size_t)(out.at - bytes);
	if (level > NO_AUTH)
		sign(job, bytes, len);
	if (rule(job)->wrong_version)
		bytes[bytes[1] & 0x80 ? 4 + (bytes[1] & 0x7f) : 4] ^= 1;
	return len;
}

/* At which level a Report is sent: only who is known can be told anything in private. */
static enum level report_level(const struct v3_job *job, enum report report)
{
	enum level level = NO_AUTH;

	if (report == NOT_IN_TIME_WINDOWS) /* RFC 3414 §3.2, 7a */
		level = AUTH_NO_PRIV;
	if (report == UNKNOWN_CONTEXTS || report == UNAVAILABLE_CONTEXTS) /* RFC 3413 §3.2 */
		level = job->level;
	if (rule(job)->report_level)
		level = (enum level)rule(job)->report_level;
	if (!job->keys)
		return NO_AUTH;
	return level > job->level ? job->level : level;
}

static size_t write_report_pdu(const struct v3_job *job, enum report report, struct ber_out *out)
{
	struct oid counter;
	size_t opened[4] = {ber_open(out, BER_SEQUENCE)};

	put_engine(out, &job->engine.id, false);
	ber_put_octets(out, BER_OCTETS, NULL, 0);
	opened[1] = ber_open(out, BER_REPORT);
	ber_put_signed(out, BER_INTEGER, job->has_pdu ? job->pdu.request_id : 0);
	ber_put_signed(out, BER_INTEGER, 0);
	ber_put_signed(out, BER_INTEGER, 0);
	opened[2] = ber_open(out, BER_SEQUENCE);
	opened[3] = ber_open(out, BER_SEQUENCE);
	report_oid(report, &counter);
	ber_put_oid(out, &counter);
	ber_put_unsigned(out, BER_COUNTER32, job->v3->counters.reports[report] & UINT32_MAX);
	for (size_t i = 4; i-- > 0;)
		ber_close(out, opened[i]);
	return (size_t)(out->at - out->start);
}

size_t v3_write_report(struct v3_job *job, enum report report, uint8_t *bytes)
{
	uint8_t *scoped = job->v3->scoped;
	struct ber_out out = {scoped, scoped, scoped + REPORT_ROOM, false};
	size_t len = write_report_pdu(job, report, &out);

	return v3_write(job, report_level(job, report), len, bytes);
}

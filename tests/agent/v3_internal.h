/* Between v3.c (what a request deserves) and v3_write.c (how it is said). */
#ifndef AGENT_V3_INTERNAL_H
#define AGENT_V3_INTERNAL_H

#include "engine.h"
#include "v3.h"
#include "visits.h"

struct v3 {
	struct v3_world world;
	struct v3_counters counters;
	struct visits *
		answered; /* how many authenticated answers each agent has given, where that matters */
	uint64_t salt;
	uint8_t plain[DATAGRAM_MAX];  /* a request, deciphered */
	uint8_t scoped[DATAGRAM_MAX]; /* an answer, not yet ciphered */
};

struct v3_job {
	struct v3 *v3;
	const struct v3_request *request;
	enum level level; /* of the request */
	struct engine engine;
	const struct usm_user *user; /* NULL: not known */
	const struct usm_keys *keys; /* of a user at a level above noAuth */
	struct message pdu;
	bool has_pdu;
};

/* IV of a message of this salt and these boots and time (RFC 3414 §8.1.1.1, RFC 3826 §3.1.2.1). */
struct v3_time {
	uint32_t boots, time_s;
};
void v3_iv(const struct v3_job *job, struct v3_time time, const uint8_t salt[SALT_LEN],
	   uint8_t iv[IV_MAX]);
/* The digest of a message whose digest field is zeros. */
void v3_digest(const struct v3_job *job, const uint8_t *bytes, size_t len,
	       uint8_t digest[HASH_MAX]);

/* Octets of a message around its ScopedPDU, at most. */
size_t v3_overhead(const struct v3_job *job);
/* Wraps len octets of v3->scoped into a message of that level. Returns its length. */
size_t v3_write(struct v3_job *job, enum level level, size_t len, uint8_t *bytes);
/* Writes a Report. */
size_t v3_write_report(struct v3_job *job, enum report report, uint8_t *bytes);

#endif

/*
 * inflight - which request a datagram answers: slots, and the request-ids of all their tries.
 *
 * Pure: it knows neither sockets nor SNMP. A slot number is an index for the caller's own array.
 */
#ifndef SNMP_INFLIGHT_H
#define SNMP_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INFLIGHT_NONE UINT32_MAX

/* Request-ids are INTEGERs of exactly four octets (X.690 §8.3), so that a template's can be patched:
 * the least positive number that needs four, and one past the greatest there is. */
#define INFLIGHT_ID_MIN (UINT32_C(1) << 23)
#define INFLIGHT_ID_END (UINT32_C(1) << 31)

/* Fills p with len <= 256 octets that nobody can foresee. */
typedef void (*inflight_random_fn)(void *p, size_t len);
void inflight_system_random(void *p, size_t len); /* getentropy(3); exits when there is none */

struct inflight;
struct inflight *inflight_new(uint32_t slots, inflight_random_fn random);
void inflight_free(struct inflight *f);

/* The slot that has been free for longest; INFLIGHT_NONE when all are taken. */
uint32_t inflight_take(struct inflight *f);
/* Frees it and forgets the ids of its tries. Those of a completed request are remembered for a
 * while, so that a second answer can be told from a stranger's. */
void inflight_release(struct inflight *f, uint32_t number, bool completed);

/* Another try of a taken slot, sent at sent_us: returns its request-id, which no other try has. */
uint32_t inflight_add(struct inflight *f, uint32_t number, int64_t sent_us);
void inflight_drop(struct inflight *f, uint32_t number); /* its newest try was not sent after all */
uint32_t inflight_tries(const struct inflight *f, uint32_t number);

struct inflight_hit {
	uint32_t slot;
	bool newest;     /* of the slot's tries */
	int64_t sent_us; /* as given to inflight_add() */
};
bool inflight_find(const struct inflight *f, uint32_t id, struct inflight_hit *hit);
bool inflight_completed(const struct inflight *f,
			uint32_t id); /* a short memory: "no" may be wrong */

#endif

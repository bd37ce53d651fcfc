/*
 * learnt - what is known of a host from rounds before: who answered, its SNMPv3 engine, how fast it is, how long it
 * has been silent. It travels with the task, and back with the record.
 */
#ifndef BASE_LEARNT_H
#define BASE_LEARNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/profile.h"
#include "base/wire.h"

#define LEARNT_FLOOR_US \
	200000 /* least adaptive wait: what a busy device may take once in a while */
#define LEARNT_RTT_MAX   UINT32_C(3600000000) /* us; the longest timeout there is */
#define LEARNT_CLOCK_MAX 2147483647           /* of boots and time (RFC 3414 §2.2.2) */

/* {0}: nothing is known. */
struct learnt {
	int64_t stamp_us; /* loop_clock_us(), which all our processes share: time_s was right then */
	uint32_t boots;   /* snmpEngineBoots */
	uint32_t time_s;  /* snmpEngineTime */
	uint32_t srtt_us;   /* smoothed round-trip time (RFC 6298 §2); meaningless unless timed */
	uint32_t rttvar_us; /* its variation */
	uint8_t engine_id_len; /* 5 to ENGINE_ID_MAX; 0: unknown */
	uint8_t engine_id[ENGINE_ID_MAX];
	uint8_t address; /* which of the task's addresses is to be asked first */
	uint8_t silent;  /* rounds in a row without an answer; stays at 255 */
	bool clocked;    /* boots and time are known, from a signed message of this engine */
	bool timed;      /* there was a sample of the round-trip time */
};

/* A request's answer took so long, from the send of the very try that it answers (RFC 6298 §2.2, §2.3; §3 is kept
 * by the ids: no two tries have the same). */
void learnt_rtt(struct learnt *l, int64_t rtt_us);
/* How long to wait for the answer to a first try (RFC 6298 §2): between LEARNT_FLOOR_US and the timeout that was
 * configured, which it is where nothing is known. */
int64_t learnt_wait_us(const struct learnt *l, int64_t timeout_us);
/* Nothing came in a round: one more, and what was known of engine and times counts no more. */
void learnt_silence(struct learnt *l);

#define LEARNT_PACKED_MAX (3 + 8 + 1 + ENGINE_ID_MAX + 16) /* octets */
/* A pair. Unpacking is false when r is short or something is out of bounds. */
void learnt_pack(const struct learnt *l, struct wire_out *w);
bool learnt_unpack(struct learnt *l, struct wire_in *r);

#endif

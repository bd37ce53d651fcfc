/*
 * What is known of a host from rounds before.
 *
 * The problem: a service asks the same hosts every minute. What it finds out each time anew costs each of them: the
 * engine's ID and clock, a second exchange of each SNMPv3 poll; the round-trip time, a whole timeout for each packet that
 * is lost; that a host is gone, all the tries, in vain.
 *
 * The design: one small struct that goes out with the task and comes back with the record; the worker keeps nothing, so
 * any worker may have any host. All in it is a hint. What is wrong costs an exchange or a wait and never the
 * result: the engine is asked again when it says that it is another, the clock is set by what is signed, and the
 * wait is only the first one's (below).
 *
 * The round-trip time is smoothed as TCP does it (RFC 6298): each sample moves the mean by an eighth and the variation by a
 * quarter; the wait is the mean and four variations. Only the wait for the first try follows it. All later tries go
 * out when they would have gone out, and the last one waits until it would have ended: so a host is never
 * asked more often, never given up earlier, and one that was deaf for a second is heard as before. An answer to the first
 * try counts as long as the last one waits.
 *
 * Rejected: shorter waits for all tries. Three packets within a second are lost together where a link fails over,
 * and who set `timeout` and `retries` has said for how long that may last.
 *
 * The trap: the sample of an hour and the variation of a microsecond must not overflow, and a lie from the wire must
 * not reach the arithmetic: both are held at LEARNT_RTT_MAX.
 */
#include "base/learnt.h"

#include <string.h>

#define GRANULARITY_US 1000 /* of timers: RFC 6298's G */
#define ENGINE_ID_MIN  5    /* RFC 3411 §5: SnmpEngineID */

enum { /* bits of the first octet */
	HAS_TIMES = 1,
	HAS_CLOCK = 2,
	HAS_ALL = HAS_TIMES | HAS_CLOCK
};

void learnt_rtt(struct learnt *l, int64_t rtt_us)
{
	int64_t r = rtt_us < 0 ? 0 : rtt_us > LEARNT_RTT_MAX ? LEARNT_RTT_MAX : rtt_us;
	int64_t off = r > l->srtt_us ? r - l->srtt_us : l->srtt_us - r;

	if (!l->timed) {
		l->timed = true;
		l->srtt_us = (uint32_t)r;
		l->rttvar_us = (uint32_t)(r / 2);
		return;
	}
	l->rttvar_us = (uint32_t)((3 * (int64_t)l->rttvar_us + off) / 4);
	l->srtt_us = (uint32_t)((7 * (int64_t)l->srtt_us + r) / 8);
}

int64_t learnt_wait_us(const struct learnt *l, int64_t timeout_us)
{
	int64_t spread_us = 4 * (int64_t)l->rttvar_us, wait_us;

	if (!l->timed)
		return timeout_us;
	wait_us = l->srtt_us + (spread_us > GRANULARITY_US ? spread_us : GRANULARITY_US);
	if (wait_us < LEARNT_FLOOR_US)
		wait_us = LEARNT_FLOOR_US;
	return wait_us < timeout_us ? wait_us : timeout_us;
}

void learnt_silence(struct learnt *l)
{
	*l = (struct learnt){.address = l->address,
			     .silent = (uint8_t)(l->silent + (l->silent < UINT8_MAX))};
}

/* ---- the wire */

/* Counterpart: learnt_unpack. */
void learnt_pack(const struct learnt *l, struct wire_out *w)
{
	wire_put_u8(w, (uint8_t)((l->timed ? HAS_TIMES : 0) | (l->clocked ? HAS_CLOCK : 0)));
	wire_put_u8(w, l->address);
	wire_put_u8(w, l->silent);
	if (l->timed) {
		wire_put_u32(w, l->srtt_us);
		wire_put_u32(w, l->rttvar_us);
	}
	wire_put_u8(w, l->engine_id_len);
	wire_put_bytes(w, l->engine_id, l->engine_id_len);
	if (!l->clocked)
		return;
	wire_put_u32(w, l->boots);
	wire_put_u32(w, l->time_s);
	wire_put_u64(w, (uint64_t)l->stamp_us);
}

static bool engine_unpack(struct learnt *l, struct wire_in *r)
{
	const uint8_t *id;

	l->engine_id_len = wire_get_u8(r);
	if (l->engine_id_len == 0)
		return !l->clocked; /* a clock is an engine's */
	if (l->engine_id_len < ENGINE_ID_MIN || l->engine_id_len > ENGINE_ID_MAX)
		return false;
	id = wire_get_bytes(r, l->engine_id_len);
	if (id == NULL)
		return false;
	memcpy(l->engine_id, id, l->engine_id_len);
	return true;
}

static bool clock_unpack(struct learnt *l, struct wire_in *r)
{
	l->boots = wire_get_u32(r);
	l->time_s = wire_get_u32(r);
	l->stamp_us = (int64_t)wire_get_u64(r);
	return l->boots <= LEARNT_CLOCK_MAX && l->time_s <= LEARNT_CLOCK_MAX && l->stamp_us >= 0;
}

/* Counterpart: learnt_pack. */
bool learnt_unpack(struct learnt *l, struct wire_in *r)
{
	uint8_t has = wire_get_u8(r);

	*l = (struct learnt){.timed = has & HAS_TIMES, .clocked = has & HAS_CLOCK};
	l->address = wire_get_u8(r);
	l->silent = wire_get_u8(r);
	if (l->timed) {
		l->srtt_us = wire_get_u32(r);
		l->rttvar_us = wire_get_u32(r);
	}
	if (has & ~HAS_ALL || l->srtt_us > LEARNT_RTT_MAX || l->rttvar_us > LEARNT_RTT_MAX)
		return false;
	if (!engine_unpack(l, r) || (l->clocked && !clock_unpack(l, r)))
		return false;
	return !r->bad;
}

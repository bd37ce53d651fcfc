/*
 * What to ask: the arithmetic of waiting.
 *
 * The trap: waits double, and people write timeouts of hours with dozens of retries. The sums
 * are held at INT64_MAX instead of overflowing into the past.
 *
 * A silent host costs one question. One that does not want to end costs more: it answers each question at the
 * last try, a row at a time, or says that it was too large. What that comes to is days for a walk of a million
 * rows, and still an end.
 */
#include "base/profile.h"

int64_t profile_wait_us(const struct profile *p, unsigned sends)
{
	int64_t factor = sends < 3 ? INT64_C(1) << sends : PROFILE_BACKOFF_MAX;
	int64_t wait_us;

	return __builtin_mul_overflow(p->timeout_us, factor, &wait_us) ? INT64_MAX : wait_us;
}

int64_t profile_worst_us(const struct profile *p, unsigned addresses)
{
	int64_t tries = (int64_t)p->retries + 1, worst_us;
	/* 1 + 2 + 4 first waits, then the longest one again and again */
	int64_t waits = tries <= 3 ? (INT64_C(1) << tries) - 1
				   : 7 + (tries - 3) * PROFILE_BACKOFF_MAX;

	if (__builtin_mul_overflow(p->timeout_us, waits, &worst_us) ||
	    __builtin_mul_overflow(worst_us, (int64_t)addresses, &worst_us))
		worst_us = INT64_MAX;
	return p->deadline_us && p->deadline_us < worst_us ? p->deadline_us : worst_us;
}

/* Each object alone, some of them twice; each row alone; engine, boots and time learnt anew each time. */
static double questions_max(const struct profile *p)
{
	double n = 8 + 4.0 * (double)(p->nget + p->nwalk + p->ntable);

	if (p->nwalk || p->ntable)
		n += 2.0 * (double)p->max_vars;
	return p->version == SNMP_V3 ? 4 * n : n;
}

double profile_sends_max(const struct profile *p, unsigned addresses)
{
	return questions_max(p) * addresses * ((double)p->retries + 1);
}

int64_t profile_limit_us(const struct profile *p, unsigned addresses)
{
	double limit_us = questions_max(p) * (double)profile_worst_us(p, addresses);

	if (p->deadline_us)
		return p->deadline_us;
	return limit_us < 9e18 ? (int64_t)limit_us : INT64_MAX;
}

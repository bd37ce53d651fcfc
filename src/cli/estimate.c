/*
 * How fast a run is now, and when it will be over.
 *
 * The problem: hosts that answer do so in milliseconds, hosts that are silent take seconds, all the same number of
 * them. So the rate since the start is wrong after each change, and the rate of the first seconds is wrong
 * altogether: whoever has answered by then is not like the rest.
 *
 * The design: samples half a second apart; the rate is that of the last ten seconds, which is longer than a silent
 * host takes with the usual waits. Before a silent host could have been done nothing is said of the end. And when all
 * that is left is with workers, nobody new can come: then it takes at most as long as a silent host does, counted
 * from that moment, and the rate, which must fall to nothing, says nothing.
 *
 * Where that is passed (walks, --rate), it is the rate again. Who does not know says so.
 */
#include "cli/estimate.h"

#define APART_US  500000   /* two samples */
#define WINDOW_US 10000000 /* of the rate */
#define EARLY_US  10000000 /* the longest that nothing is said for want of a silent host */

void estimate_begin(struct estimate *e, int64_t now_us, int64_t silence_us)
{
	*e = (struct estimate){.silence_us = silence_us, .began_us = now_us, .still_us = -1};
	e->samples[0] = (struct estimate_sample){.at_us = now_us};
	e->count = 1;
}

static const struct estimate_sample *sample(const struct estimate *e, unsigned back)
{
	return &e->samples[(e->count - 1 - back) % ESTIMATE_SAMPLES];
}

void estimate_wait(struct estimate *e, uint64_t waiting, int64_t now_us)
{
	if (waiting > 0)
		e->still_us = -1;
	else if (e->still_us < 0)
		e->still_us = now_us;
}

void estimate_see(struct estimate *e, uint64_t done, int64_t now_us)
{
	if (now_us - sample(e, 0)->at_us < APART_US)
		return;
	e->samples[e->count % ESTIMATE_SAMPLES] = (struct estimate_sample){.at_us = now_us,
									   .done = done};
	e->count++;
}

/* The newest sample that is old enough, or the oldest that there is. */
static const struct estimate_sample *base(const struct estimate *e, int64_t now_us)
{
	unsigned kept = e->count < ESTIMATE_SAMPLES ? e->count : ESTIMATE_SAMPLES, back = 0;

	while (back + 1 < kept && now_us - sample(e, back)->at_us < WINDOW_US)
		back++;
	return sample(e, back);
}

double estimate_rate(const struct estimate *e, uint64_t done, int64_t now_us)
{
	const struct estimate_sample *from = base(e, now_us);

	if (now_us <= from->at_us || done <= from->done)
		return 0;
	return (double)(done - from->done) * 1e6 / (double)(now_us - from->at_us);
}

static bool is_early(const struct estimate *e, int64_t now_us)
{
	int64_t least_us = e->silence_us < EARLY_US ? e->silence_us : EARLY_US;

	return now_us - e->began_us < least_us || now_us - e->began_us < APART_US;
}

struct estimate_left estimate_left(const struct estimate *e, uint64_t done, uint64_t left,
				   int64_t now_us)
{
	double rate = estimate_rate(e, done, now_us), us;
	int64_t end_us = e->still_us < 0 || e->silence_us > INT64_MAX - e->still_us
				 ? 0
				 : e->still_us + e->silence_us;

	if (end_us > now_us)
		return (struct estimate_left){LEFT_AT_MOST, end_us - now_us};
	us = rate > 0 ? (double)left / rate * 1e6 : 0;
	if (is_early(e, now_us) || rate <= 0 || us > 9e18)
		return (struct estimate_left){LEFT_UNKNOWN, 0};
	return (struct estimate_left){LEFT_ABOUT, (int64_t)us};
}

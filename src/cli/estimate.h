/*
 * estimate - how fast a run is now, and when it will be over.
 */
#ifndef CLI_ESTIMATE_H
#define CLI_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#define ESTIMATE_SAMPLES 40

struct estimate {
	int64_t silence_us; /* what a silent host takes; 0: nobody knows */
	int64_t began_us;
	int64_t still_us; /* since then all that is left is with workers; -1: not yet */
	unsigned count;   /* samples taken, of which the last ESTIMATE_SAMPLES are kept */
	struct estimate_sample {
		int64_t at_us;
		uint64_t done;
	} samples[ESTIMATE_SAMPLES];
};

struct estimate_left {
	enum {
		LEFT_UNKNOWN,
		LEFT_ABOUT,  /* if it goes on like this */
		LEFT_AT_MOST /* if those who are asked do not answer, nor are they slow */
	} kind;
	int64_t us;
};

/* All times are of one monotonic clock and do not fall. */
void estimate_begin(struct estimate *e, int64_t now_us, int64_t silence_us);
void estimate_see(struct estimate *e, uint64_t done, int64_t now_us); /* so many are done */
/* So many are neither done nor with workers. */
void estimate_wait(struct estimate *e, uint64_t waiting, int64_t now_us);
double estimate_rate(const struct estimate *e, uint64_t done,
		     int64_t now_us); /* per second, of the last ten */
struct estimate_left estimate_left(const struct estimate *e, uint64_t done, uint64_t left,
				   int64_t now_us);

#endif

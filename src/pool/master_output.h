/*
 * master_output - what the master has to its writer and to its watchers; private to it.
 */
#ifndef POOL_MASTER_OUTPUT_H
#define POOL_MASTER_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"
#include "out/writer.h"

struct master;

/* Nothing more of the run, or its round, can be written. */
void output_lost(struct master *m, enum writer_result why);
void output_failed(struct master *m); /* what has to be sorted finds no room, errno: the run ends */
void output_turn(struct master *m);
void output_forget(struct master *m);           /* the loop does, before the writer goes */
bool output_may_finish(const struct master *m); /* the output's end is to be made, and may be */
bool output_blocked(const struct master *m);    /* no record may be read, or made */

/* watchers */
void watch_open(struct master *m);
void watch_close(struct master *m);
int64_t watch_next_us(const struct master *m);
void watch_tick(struct master *m);  /* whose time has come */
void watch_weigh(struct master *m); /* what workers weigh goes to the result, if it is wanted */
void watch_asked(struct master *m); /* a person wants to know */
void watch_record(const struct master *m, const struct record *r); /* was counted */

#endif

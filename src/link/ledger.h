/*
 * ledger - a bit per task of a run: whether its record was written. 1,000,000 tasks are 125 KB.
 */
#ifndef LINK_LEDGER_H
#define LINK_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct ledger;
struct ledger *ledger_new(uint64_t tasks);
void ledger_free(struct ledger *l);
void ledger_clear(struct ledger *l);                   /* a new round */
bool ledger_has(const struct ledger *l, uint64_t seq); /* seq < tasks */
bool ledger_take(struct ledger *l, uint64_t seq);      /* false: it had one already */
uint64_t ledger_count(const struct ledger *l);         /* that have one */
/* The first from seq on that has none; false: all from there have one. */
bool ledger_missing(const struct ledger *l, uint64_t seq, uint64_t *out);
/* The first from seq on that has one; false: none. And its counterpart of taking; false: it had none. */
bool ledger_next(const struct ledger *l, uint64_t seq, uint64_t *out);
bool ledger_give(struct ledger *l, uint64_t seq);

#endif

/*
 * master_feed - a run whose targets come from outside; private to the master.
 */
#ifndef POOL_MASTER_FEED_H
#define POOL_MASTER_FEED_H

#include <stdint.h>

#include "pool/feed.h"

struct master;

void feed_open(struct master *m); /* of any run; the loop is there */
/* Why targets of that profile get no more than a record that says so; NULL: they are asked. */
const char *feed_fault(const struct master *m, uint32_t profile);
void feed_give_up(struct master *m); /* no worker can live */

#endif

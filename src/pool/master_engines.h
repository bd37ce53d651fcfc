/*
 * master_engines - SNMPv3 engine IDs seen in this run, to tell of duplicates; private to the master.
 */
#ifndef POOL_MASTER_ENGINES_H
#define POOL_MASTER_ENGINES_H

#include "base/record.h"

struct engines;

/* The record of host (lent for the run; NULL: a block's address) came with an engine ID. Warns once for each
 * ID that a second address has. *engines is made with the first one. */
void engines_take(struct engines **engines, const struct record_head *h, const char *host);
void engines_free(struct engines *e); /* NULL is nothing */

#endif

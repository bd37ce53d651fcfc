/*
 * master_stage - what all tests that run a master have in common: a page that children share, the end of their queue, the
 * form of records, and that the result tells of each target once.
 *
 * plan_one_site.c beside it: a plan's answers where all targets are of one site.
 */
#ifndef UNIT_MASTER_STAGE_H
#define UNIT_MASTER_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/master.h"
#include "pool/queue.h"

/* Quiet, and with an end to what hangs: no test is timed. Returns a page of zeros, for munmap(). */
void *stage_begin(size_t page_len);
/* A child's: ends when all is sent; the process does, when nobody is there to read it. */
void stage_flush(struct queue *q, int fd);
/* "HOST STATUS MESSAGE": a master_config's format. */
void stage_format(struct buf *out, const struct record *r, const struct format_options *o);
/* One record for each, and their statuses come to as many. */
void stage_one_each(const unsigned *records, uint64_t targets, const struct master_result *r);

#endif

/*
 * record - every record in every format, whole or in pieces, and is it what the format promises?
 */
#ifndef FUZZ_RECORD_H
#define FUZZ_RECORD_H

#include "base/mem.h"
#include "base/record.h"
#include "out/format.h"

#define FORMATS_MAX 8

struct pieces { /* of a record whose rows go ahead; {0} at its start */
	struct buf rows[FORMATS_MAX];
};
void pieces_rows(struct pieces *p, const struct record *r);
/* The record is over: checks it, in pieces if some went ahead. Frees them. */
void pieces_done(struct pieces *p, const struct record *r);
void pieces_free(struct pieces *p);

/* Octets as the format writes them: not lines of it, if the check fails. */
void record_check(const struct format *f, const uint8_t *p, size_t len);

#endif

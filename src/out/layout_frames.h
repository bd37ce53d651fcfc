/*
 * layout_frames - records as pieces for another process; private to layout.
 */
#ifndef OUT_LAYOUT_FRAMES_H
#define OUT_LAYOUT_FRAMES_H

#include "out/layout.h"

struct frames;

struct frames *frames_new(const struct layout_frames *config);
void frames_free(struct frames *f); /* NULL is nothing */

/* As those of layout; r is lent for the call. False: errno, the front is too long. */
bool frames_begin(struct frames *f, uint64_t seq, const struct record *r, const void *front,
		  size_t len);
void frames_part(struct frames *f, struct writer *w, const void *p, size_t len);
bool frames_pass(struct frames *f, struct writer *w, const struct layout_piece *p);
void frames_end(struct frames *f, struct writer *w, const void *p,
		size_t len); /* its last octets */

#endif

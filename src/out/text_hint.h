/*
 * text_hint - values by their DISPLAY-HINT (RFC 2579 §3.1); private to text.
 */
#ifndef OUT_TEXT_HINT_H
#define OUT_TEXT_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Appends p as the hint says, unescaped. False, and nothing appended: the hint is none for octets,
 * breaks the rules, or wants a number of more than 64 bits. */
bool text_hint_octets(struct buf *out, const char *hint, const uint8_t *p, size_t len);

/* The same for an integer: "d", "d-N", "x", "o", "b". A negative one has its sign in front. */
bool text_hint_integer(struct buf *out, const char *hint, int64_t v);

#endif

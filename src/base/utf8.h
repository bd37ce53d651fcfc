/*
 * utf8 - what is UTF-8 (RFC 3629), and what of it may stand on a person's terminal.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length (1 to 4) of the sequence that p starts with, its character in *code; 0: not UTF-8
 * (overlong, a surrogate, above U+10FFFF, cut off). len is at least 1. */
size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *code);
bool utf8_valid(const uint8_t *p, size_t len);

/* How many octets at p are printable ASCII other than '"' and '\': what every format copies as it
 * stands. */
size_t utf8_plain(const uint8_t *p, size_t len);

/* False for what acts on a terminal or on a reader of lines instead of being shown: C0, DEL, C1,
 * U+2028 and U+2029, and what turns the direction of writing (U+061C, U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069). */
bool utf8_shown(uint32_t code);
/* Puts a '?' in place of each character that is not shown, and of each octet that is not UTF-8. */
void utf8_make_shown(char *text);

#endif

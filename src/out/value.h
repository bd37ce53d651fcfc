/*
 * value - the values that several formats write in the same words.
 *
 * Each function writes at `at`, where there must be room, no NUL, and returns the place behind. No
 * library call that opens a file or asks for the time zone: workers format.
 */
#ifndef OUT_VALUE_H
#define OUT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_MAX 32 /* room for any of these but value_hex() */

char *value_u64(char *at, uint64_t v);
char *value_i64(char *at, int64_t v);

/* Microseconds as milliseconds with three decimals: 412 is "0.412". Not negative. */
char *value_ms(char *at, int64_t us);

/* The shortest decimal that reads back as the same number; "NaN", "Infinity", "-Infinity".
 * single: v came from a 32-bit float. */
char *value_real(char *at, double v, bool single);

/* Lower-case, two digits an octet, no separators. */
char *value_hex(char *at, const uint8_t *p, size_t len);

char *value_ipv4(char *at, const uint8_t ip[4]);

/* "2026-11-21T03:10:11.123Z" (RFC 3339) of milliseconds since 1970 UTC; years 0000 to 9999, what
 * lies outside is moved to the nearest end. */
char *value_time(char *at, int64_t ms);

#endif

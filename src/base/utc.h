/*
 * utc - an instant as people and programs read it: RFC 3339, always UTC.
 */
#ifndef BASE_UTC_H
#define BASE_UTC_H

#include <stdint.h>

#define UTC_MAX 24 /* octets that utc_put() writes */

/* "2026-11-21T03:10:11.123Z" of milliseconds since 1970 UTC, at `at`, without a NUL; years 0000 to 9999, what lies outside
 * is moved to the nearest end. Returns the place behind. Opens nothing, asks for no time zone: children may call it. */
char *utc_put(char *at, int64_t ms);

#endif

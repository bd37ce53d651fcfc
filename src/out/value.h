/*
 * value - the values that several formats write in the same words.
 *
 * Each function of the first part writes at `at`, where there must be room, no NUL, and returns the place behind. No
 * library call that opens a file: workers format.
 */
#ifndef OUT_VALUE_H
#define OUT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/record.h"
#include "base/vars.h"

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

/* --- text, appended to a buffer ------------------------------------------------------------ */

/* UTF-8 without controls other than tab and line ends, which agents do use in text. */
bool value_is_text(const uint8_t *p, size_t len);
/* Appends p as it may stand in a line: an octet that is not UTF-8, and each octet of a character that
 * utf8_shown() refuses, as \xHH; so, too, a backslash before an 'x', or it could not be turned back. */
void value_put_shown(struct buf *out, const uint8_t *p, size_t len);
/* Appends p as it is, save that a control that is neither tab nor line end comes as \xHH. */
void value_put_raw(struct buf *out, const uint8_t *p, size_t len);
void value_put_escaped(struct buf *out, const uint8_t *p, size_t len); /* each octet as \xHH */

#define VALUE_MARK '\x01' /* octets that no format's text holds: it divides pieces, see layout.h; */
#define VALUE_FILL \
	'\x02' /* those behind it are left out; so many may stand for a mark that counts as octets */
#define VALUE_MARK_LEAST 8 /* octets of a row with its mark: an OID and a type are more */

enum value_form {
	VALUE_NOTHING, /* nothing was appended: no value */
	VALUE_NUMBER,  /* decimal, of up to 64 bits, with a sign */
	VALUE_REAL,    /* value_real() */
	VALUE_TEXT,    /* as value_is_text() has it; an OID; an IPv4 address */
	VALUE_HEX      /* octets that are none: value_hex() */
};
/* Appends v's value, or those octets, unquoted. */
enum value_form value_put(struct buf *out, const struct varbind *v);
enum value_form value_put_octets(struct buf *out, const uint8_t *p, size_t len);
bool value_is_hex(const struct varbind *v); /* value_put() would give VALUE_HEX */
void value_put_oid(struct buf *out, const uint32_t *id, size_t len);
enum value_form value_put_host(struct buf *out, const struct record *r);
bool value_has_label(const struct varbind *v); /* one with a value */
/* Puts `guard` before each octet of out from `start` on that is in `special`. */
void value_guard(struct buf *out, size_t start, const char *special, char guard);
/* If an octet of `special` is there: each of them, and a backslash before an 'x', becomes \xHH. */
bool value_escape(struct buf *out, size_t start, const char *special);
/* Puts text at `at`, before what stands there. */
void value_insert(struct buf *out, size_t at, const char *text);

#endif

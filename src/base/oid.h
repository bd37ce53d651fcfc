/*
 * oid - object identifiers (RFC 2578 §3.5: at most 128 sub-identifiers of 32 bits).
 */
#ifndef BASE_OID_H
#define BASE_OID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OID_MAX      128                    /* sub-identifiers */
#define OID_TEXT_MAX ((size_t)OID_MAX * 11) /* octets of dotted text with its NUL */

struct oid {
	uint32_t id[OID_MAX];
	uint8_t len; /* sub-identifiers in use */
};

/* Reads dotted decimal, with or without a leading dot. False: not an OID (a name, empty, a
 * sub-identifier above 2^32-1, fewer than 2 or more than 128 of them), or one that BER cannot carry
 * (X.690 §8.19.4: first above 2, second above 39 below 0 and 1). out is undefined then. */
bool oid_parse(const char *text, size_t len, struct oid *out);

/* Writes dotted decimal without a leading dot and a NUL; returns the length without the NUL.
 * out has room for OID_TEXT_MAX. */
size_t oid_text(const uint32_t *id, size_t len, char *out);

/* Lexicographic: <0, 0, >0 (RFC 3416 §4.2.2's order of names). */
int oid_compare(const uint32_t *a, size_t na, const uint32_t *b, size_t nb);

#endif

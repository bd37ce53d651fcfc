/*
 * Object identifiers as text and in order.
 *
 * The problem: oid_text() runs once for every varbind of every record, and with the formatting of
 * octets it is where a worker's time outside the kernel goes. printf(3) per sub-identifier cost
 * more than the rest of the row, so the digits are made by hand; small sub-identifiers, which most
 * are, take the first branch.
 *
 * oid_parse() is the gate for what people write. It is as strict as the encoding: X.690 §8.19.4
 * folds the first two sub-identifiers into one number, 40 * first + second, so 1.40 cannot be told
 * from 2.0 once it is on the wire. Asking a device for something else than what was written, silently,
 * is worse than an error in the configuration, so such OIDs are refused here.
 */
#include "base/oid.h"

#include <string.h>

#define FOLDED_SECOND_MAX 39                /* of 0.x and 1.x (X.690 §8.19.4) */
#define SECOND_MAX        (UINT32_MAX - 80) /* of 2.x: 80 + x must still fit 32 bits */

/* Reads one sub-identifier at text[*at] and moves *at behind it. */
static bool parse_one(const char *text, size_t len, size_t *at, uint32_t *out)
{
	uint64_t v = 0;
	size_t i = *at;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		v = v * 10 + (uint64_t)(text[i] - '0');
		if (v > UINT32_MAX)
			return false;
	}
	if (i == *at)
		return false;
	*at = i;
	*out = (uint32_t)v;
	return true;
}

static bool encodable(const struct oid *o)
{
	if (o->len < 2 || o->id[0] > 2)
		return false;
	return o->id[1] <= (o->id[0] < 2 ? FOLDED_SECOND_MAX : SECOND_MAX);
}

bool oid_parse(const char *text, size_t len, struct oid *out)
{
	size_t at = len && text[0] == '.' ? 1 : 0;

	out->len = 0;
	for (;;) {
		if (out->len == OID_MAX || !parse_one(text, len, &at, &out->id[out->len]))
			return false;
		out->len++;
		if (at == len)
			return encodable(out);
		if (text[at++] != '.')
			return false;
	}
}

static char *put_number(char *out, uint32_t v)
{
	char digits[10]; /* 2^32 - 1 has 10 */
	size_t at = sizeof(digits);

	if (v < 10) {
		*out = (char)('0' + v);
		return out + 1;
	}
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	memcpy(out, digits + at, sizeof(digits) - at);
	return out + sizeof(digits) - at;
}

size_t oid_text(const uint32_t *id, size_t len, char *out)
{
	char *end = out;

	for (size_t i = 0; i < len; i++) {
		if (i)
			*end++ = '.';
		end = put_number(end, id[i]);
	}
	*end = '\0';
	return (size_t)(end - out);
}

int oid_compare(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
	size_t common = na < nb ? na : nb;

	for (size_t i = 0; i < common; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return (na > nb) - (na < nb);
}

/*
 * ber - a bounded reader of BER (X.690, as RFC 3417 §8 narrows it): one cursor that never leaves what it was given.
 *
 * Everything that reads what a stranger sent before the library does goes through here.
 */
#ifndef SNMP_BER_H
#define SNMP_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ber_tag {
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_NULL = 0x05,
	BER_OID = 0x06,
	BER_SEQUENCE = 0x30,
	BER_IPADDRESS = 0x40,
	BER_COUNTER32 = 0x41,
	BER_GAUGE32 = 0x42,
	BER_TIMETICKS = 0x43,
	BER_OPAQUE = 0x44,
	BER_COUNTER64 = 0x46,
	BER_UINTEGER32 = 0x47, /* RFC 1442, as Gauge32 */
	BER_NO_SUCH_OBJECT = 0x80,
	BER_NO_SUCH_INSTANCE = 0x81,
	BER_END_OF_MIB_VIEW = 0x82
};

struct ber {
	const uint8_t *at;
	const uint8_t *end;
	const char *words; /* what went wrong; NULL: nothing yet */
};

/* All of these: false is an error, told in b->words; what was taken of it stays taken. */

bool ber_fail(struct ber *b, const char *words); /* sets them; always false */
/* Takes a tag and a length of the definite form. *len may exceed what is left. */
bool ber_header(struct ber *b, uint8_t *tag, size_t *len);
/* Takes what must have this tag, and narrows *in to its content. `missing` is said when it has not. */
bool ber_enter(struct ber *b, uint8_t tag, const char *missing, struct ber *in);
bool ber_integer(struct ber *b, int64_t *value); /* an INTEGER of one to four octets */

/* Octets left. */
static inline size_t ber_left(const struct ber *b)
{
	return (size_t)(b->end - b->at);
}

#endif

/*
 * A value of every type of SMIv2 and of some that only devices know, for agents whose rule says `types`: below
 * netSnmpPlaypen, .1.0 to .25.0. README.md has the list. Chosen to hurt: the ends of every range, octets that are no text,
 * floats that JSON has no word for.
 */
#include "mib_internal.h"

#include <string.h>

struct sample {
	const char *bytes;
	size_t len;
};

#define SAMPLE(text)                   \
	{                              \
		text, sizeof(text) - 1 \
	}

/* Contents as they are encoded; of an Opaque, Net-SNMP's tag (0x9f 0x78: float, 0x79: double, 0x7a: signed) and length too. */
static const struct sample samples[] = {
	SAMPLE("Z\xc3\xbcrich \xe2\x9c\x93 \xf0\x9f\x8c\x8d"),
	SAMPLE("\x00\xff\x80\x0a"),
	SAMPLE("caf\xe9"),
	SAMPLE("\x07\xe8\x02\x1d\x0c\x22\x38\x05+\x01\x00"), /* DateAndTime 2024-2-29,12:34:56.5,+1:0 */
	SAMPLE("\x00\x00\x5e\x00\x53\x01"),
	SAMPLE("\xa0\x01"), /* BITS: 0, 2 and 15 */
	SAMPLE(""),
	SAMPLE("a\0b\x7f\xe2\x80\xae"
	       "c"), /* NUL, DEL, a right-to-left override */
	SAMPLE("\x2b\x06\x01\x04\x01\x8f\xff\xff\xff\x7f\x00"), /* 1.3.6.1.4.1.4294967295.0 */
	SAMPLE("\x88\x37\x03"),                                 /* 2.999.3 */
	SAMPLE("\xc0\x00\x02\x01"),
	SAMPLE("\x9f\x78\x04\xc0\x20\x00\x00"),                 /* -2.5 */
	SAMPLE("\x9f\x79\x08\x40\x09\x21\xfb\x54\x44\x2d\x18"), /* pi */
	SAMPLE("\x04\x03"
	       "abc"),
	SAMPLE("\x9f\x7a\x01\xff"),                             /* -1 */
	SAMPLE("\x9f\x78\x04\x7f\xc0\x00\x00"),                 /* not a number */
	SAMPLE("\x9f\x79\x08\xff\xf0\x00\x00\x00\x00\x00\x00"), /* minus infinity */
};

static void sample(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	const struct sample *found = &samples[value->number];

	(void)view, (void)row;
	value->bytes = (const uint8_t *)found->bytes;
	value->len = found->len;
}

/* As many sub-identifiers as an OID may have. */
static void longest(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	value->scratch[0] = 0x2b;
	memset(value->scratch + 1, 1, OID_MAX - 2);
	value->bytes = value->scratch;
	value->len = OID_MAX - 1;
}

#define TYPE(n, tag, fill, number)                                                        \
	{                                                                                 \
		"1.3.6.1.4.1.8072.9999.9999." #n, ROWS_TYPE, tag, fill, (uint64_t)number, \
		{                                                                         \
			0                                                                 \
		}                                                                         \
	}

const struct mib_object mib_types[] = {
	TYPE(1, BER_INTEGER, NULL, INT32_MIN),
	TYPE(2, BER_INTEGER, NULL, INT32_MAX),
	TYPE(3, BER_OCTETS, sample, 0),
	TYPE(4, BER_OCTETS, sample, 1),
	TYPE(5, BER_OCTETS, sample, 2),
	TYPE(6, BER_OCTETS, sample, 3),
	TYPE(7, BER_OCTETS, sample, 4),
	TYPE(8, BER_OCTETS, sample, 5),
	TYPE(9, BER_OCTETS, sample, 6),
	TYPE(10, BER_OCTETS, sample, 7),
	TYPE(11, BER_OID, sample, 8),
	TYPE(12, BER_OID, sample, 9),
	TYPE(13, BER_OID, longest, 0),
	TYPE(14, BER_IPADDRESS, sample, 10),
	TYPE(15, BER_COUNTER32, NULL, UINT32_MAX),
	TYPE(16, BER_GAUGE32, NULL, 3000000000),
	TYPE(17, BER_TIMETICKS, NULL, UINT32_MAX),
	TYPE(18, BER_COUNTER64, NULL, UINT64_MAX),
	TYPE(19, BER_OPAQUE, sample, 11),
	TYPE(20, BER_OPAQUE, sample, 12),
	TYPE(21, BER_OPAQUE, sample, 13),
	TYPE(22, BER_OPAQUE, sample, 14),
	TYPE(23, BER_OPAQUE, sample, 15),
	TYPE(24, BER_OPAQUE, sample, 16),
	TYPE(25, BER_NULL, NULL, 0),
};

const size_t mib_types_len = sizeof mib_types / sizeof mib_types[0];

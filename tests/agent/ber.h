/*
 * The small part of BER (X.690) that SNMP uses: a bounded reader and a forward writer.
 *
 * Reader: every function returns false when the octets at hand do not hold what was asked for; it never reads
 * beyond `end`. Writer: nothing is written beyond `end`; `full` is set instead and stays set.
 */
#ifndef AGENT_BER_H
#define AGENT_BER_H

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
	BER_NO_SUCH_OBJECT = 0x80,
	BER_NO_SUCH_INSTANCE = 0x81,
	BER_END_OF_MIB_VIEW = 0x82,
	BER_GET = 0xa0,
	BER_GETNEXT = 0xa1,
	BER_RESPONSE = 0xa2,
	BER_SET = 0xa3,
	BER_GETBULK = 0xa5,
	BER_REPORT = 0xa8
};

enum {
	OID_MAX = 128
}; /* sub-identifiers, RFC 2578 §3.5 */

struct oid {
	size_t len;
	uint32_t sub[OID_MAX];
};

struct ber_in {
	const uint8_t *at, *end;
};

/* What comes next, whatever it is: its tag and its contents; `in` moves behind it. */
bool ber_any(struct ber_in *in, uint8_t *tag, struct ber_in *contents);
/* The same, if its tag is `tag`. */
bool ber_enter(struct ber_in *in, uint8_t tag, struct ber_in *contents);
bool ber_int(struct ber_in *in, int32_t *value);
bool ber_oid(struct ber_in *in, struct oid *oid);

/* `end` stays BER_SPARE octets below what the buffer holds: closing a long element moves its contents up. */
enum {
	BER_SPARE = 16
};

struct ber_out {
	uint8_t *start, *at, *end;
	bool full;
};

/* Opens a constructed element of one-octet length and returns where; ber_close gives it its true length. */
size_t ber_open(struct ber_out *out, uint8_t tag);
void ber_close(struct ber_out *out, size_t opened);
void ber_put_signed(struct ber_out *out, uint8_t tag, int64_t value);
void ber_put_unsigned(struct ber_out *out, uint8_t tag, uint64_t value);
void ber_put_octets(struct ber_out *out, uint8_t tag, const void *bytes, size_t len);
void ber_put_oid(struct ber_out *out, const struct oid *oid);
void ber_put_raw(struct ber_out *out, const void *bytes, size_t len);

int oid_compare(const struct oid *a, const struct oid *b);

#endif

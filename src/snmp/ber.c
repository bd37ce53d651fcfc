/*
 * The problem: every length in a message is a promise of a stranger's. The design: one function takes a tag and a
 * length, one compares the length with what is left before anything is entered, and all readers of strangers'
 * octets are made of these two. Nothing is copied, nothing allocated. Errors are words for the person, since
 * "Error parsing ASN.1" helps nobody find the octet.
 *
 * The trap: ber_header() lets a length pass that promises too much, because a message cut off on its way must
 * still tell whose it is (peek). Whoever uses the length itself compares it first.
 */
#include "snmp/ber.h"

bool ber_fail(struct ber *b, const char *words)
{
	b->words = words;
	return false;
}

bool ber_header(struct ber *b, uint8_t *tag, size_t *len)
{
	size_t more;

	if (ber_left(b) < 2)
		return ber_fail(b, "it is cut off");
	*tag = b->at[0];
	*len = b->at[1];
	b->at += 2;
	if (*len < 0x80)
		return true;
	more = *len & 0x7f;
	if (more == 0 || more > 4)
		return ber_fail(b, "a length is not of BER's definite form");
	if (ber_left(b) < more)
		return ber_fail(b, "it is cut off");
	for (*len = 0; more; more--)
		*len = *len << 8 | *b->at++;
	return true;
}

bool ber_enter(struct ber *b, uint8_t tag, const char *missing, struct ber *in)
{
	uint8_t found;
	size_t len;

	if (!ber_header(b, &found, &len))
		return false;
	if (found != tag)
		return ber_fail(b, missing);
	if (len > ber_left(b))
		return ber_fail(b, "it is cut off, or a length is wrong");
	*in = (struct ber){.at = b->at, .end = b->at + len};
	b->at = in->end;
	return true;
}

bool ber_integer(struct ber *b, int64_t *value)
{
	struct ber in;
	uint32_t v;

	if (!ber_enter(b, BER_INTEGER, "there is no INTEGER where one must be", &in))
		return false;
	if (in.at == in.end)
		return ber_fail(b, "an INTEGER has no content");
	if (ber_left(&in) > 4)
		return ber_fail(b, "an INTEGER has more than 4 octets");
	v = *in.at & 0x80 ? UINT32_MAX : 0;
	for (; in.at < in.end; in.at++)
		v = v << 8 | *in.at;
	*value = (int32_t)v;
	return true;
}

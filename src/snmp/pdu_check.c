/*
 * A bounded look at BER (X.690) before the codec's: whose message is it, and does it keep the rules?
 *
 * The problem: Net-SNMP 5.9.3 is lenient where a poller must not be. An INTEGER of eight octets is cut
 * to its low 32 bits and handed out as if it had been sent so; a message cut off in the middle gives
 * "Error parsing ASN.1" and no hint where. And a library that has run for decades inside trusted
 * networks should not be the first to touch what a stranger sends.
 *
 * The design: one cursor, one function that takes a tag and a length and compares them with what is
 * left. pdu_peek() stops at the request-id and forgives lengths that promise too much: a truncated
 * reply must still end its request at once (FIELD.md), which needs its id. pdu_check() forgives nothing
 * inside the message.
 *
 * What comes after the message in the same datagram is passed over: RFC 3417 §8 says how a message is
 * serialised, not that nothing may follow, agents with a fixed send buffer exist, and the answer itself
 * is whole.
 *
 * The trap: unsigned types in two's complement. 4,000,000,000 takes five octets, the first of them
 * zero; agents that send four (a negative number, strictly) are so common that everybody takes them
 * as unsigned, and so does the codec.
 */
#include "snmp/pdu_internal.h"

#include <stdio.h>

enum {
	TAG_INTEGER = 0x02,
	TAG_OCTETS = 0x04,
	TAG_NULL = 0x05,
	TAG_OID = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_IPADDRESS = 0x40,
	TAG_COUNTER32 = 0x41,
	TAG_GAUGE32 = 0x42,
	TAG_TIMETICKS = 0x43,
	TAG_OPAQUE = 0x44,
	TAG_COUNTER64 = 0x46,
	TAG_UINTEGER32 = 0x47, /* RFC 1442, as Gauge32 */
	TAG_NO_SUCH_OBJECT = 0x80,
	TAG_NO_SUCH_INSTANCE = 0x81,
	TAG_END_OF_MIB_VIEW = 0x82
};

struct ber {
	const uint8_t *at;
	const uint8_t *end;
	const char *words; /* what went wrong; NULL: nothing yet */
};

static bool fail(struct ber *b, const char *words)
{
	b->words = words;
	return false;
}

static const char no_message[] = "it does not start with a SEQUENCE";
static const char no_community[] = "it has no community";

/* Takes a tag and a length. *len may exceed what is left. */
static bool take_header(struct ber *b, uint8_t *tag, size_t *len)
{
	size_t more;

	if (b->end - b->at < 2)
		return fail(b, "it is cut off");
	*tag = b->at[0];
	*len = b->at[1];
	b->at += 2;
	if (*len < 0x80)
		return true;
	more = *len & 0x7f;
	if (more == 0 || more > 4)
		return fail(b, "a length is not of BER's definite form");
	if ((size_t)(b->end - b->at) < more)
		return fail(b, "it is cut off");
	for (*len = 0; more; more--)
		*len = *len << 8 | *b->at++;
	return true;
}

/* Takes what must have this tag, and narrows *in to its content. `missing` is said when it has not. */
static bool enter(struct ber *b, uint8_t tag, const char *missing, struct ber *in)
{
	uint8_t found;
	size_t len;

	if (!take_header(b, &found, &len))
		return false;
	if (found != tag)
		return fail(b, missing);
	if (len > (size_t)(b->end - b->at))
		return fail(b, "it is cut off, or a length is wrong");
	*in = (struct ber){.at = b->at, .end = b->at + len};
	b->at = in->end;
	return true;
}

/* An INTEGER of one to four octets. */
static bool take_integer(struct ber *b, int64_t *value)
{
	struct ber in;
	uint32_t v;

	if (!enter(b, TAG_INTEGER, "there is no INTEGER where one must be", &in))
		return false;
	if (in.at == in.end)
		return fail(b, "an INTEGER has no content");
	if (in.end - in.at > 4)
		return fail(b, "an INTEGER has more than 4 octets");
	v = *in.at & 0x80 ? UINT32_MAX : 0;
	for (; in.at < in.end; in.at++)
		v = v << 8 | *in.at;
	*value = (int32_t)v;
	return true;
}

static bool peek(struct ber *b, const uint8_t *data, struct pdu_head *head)
{
	struct ber community;
	uint8_t tag;
	size_t len;
	int64_t id;

	if (!take_header(b, &tag, &len))
		return false;
	if (tag != TAG_SEQUENCE)
		return fail(b, no_message);
	if (!take_integer(b, &head->version))
		return false;
	if (head->version == SNMP_V3)
		return fail(b, "it is of SNMPv3");
	if (!enter(b, TAG_OCTETS, no_community, &community) || !take_header(b, &head->type, &len))
		return false;
	head->community = community.at;
	head->community_len = (size_t)(community.end - community.at);
	len = (size_t)(b->end - b->at);
	if (!take_integer(b, &id))
		return false;
	head->request_id = (uint32_t)id;
	len -= (size_t)(b->end - b->at); /* of the request-id with its header */
	head->request_id_at = len == 6 ? (size_t)(b->at - data) - 4 : 0;
	return true;
}

bool pdu_peek(const uint8_t *data, size_t len, struct pdu_head *head, const char **words)
{
	struct ber b = {.at = data, .end = data + len};

	head->version = -1;
	if (len == 0)
		fail(&b, "it is empty");
	else if (peek(&b, data, head))
		return true;
	*words = b.words;
	return false;
}

static const char *check_unsigned(const struct ber *in, size_t octets)
{
	size_t len = (size_t)(in->end - in->at);

	if (len == 0)
		return "an unsigned number has no content";
	if (len > octets + 1 || (len == octets + 1 && *in->at != 0))
		return octets == 4 ? "an unsigned number has more than 32 bits"
				   : "a Counter64 has more than 64 bits";
	return NULL;
}

/* What is wrong with a value's content, or NULL. */
static const char *check_content(uint8_t tag, const struct ber *in)
{
	size_t len = (size_t)(in->end - in->at);

	switch (tag) {
	case TAG_INTEGER:
		if (len == 0)
			return "an INTEGER has no content";
		return len > 4 ? "an INTEGER has more than 4 octets" : NULL;
	case TAG_COUNTER32:
	case TAG_GAUGE32:
	case TAG_TIMETICKS:
	case TAG_UINTEGER32:
		return check_unsigned(in, 4);
	case TAG_COUNTER64:
		return check_unsigned(in, 8);
	case TAG_IPADDRESS:
		return len == 4 ? NULL : "an IpAddress is not of 4 octets";
	case TAG_OCTETS:
	case TAG_OID:
	case TAG_OPAQUE:
	case TAG_NULL:
	case TAG_NO_SUCH_OBJECT:
	case TAG_NO_SUCH_INSTANCE:
	case TAG_END_OF_MIB_VIEW:
		return NULL;
	default:
		return "a value is of no type that SNMP has";
	}
}

static bool check_value(struct ber *b)
{
	struct ber in;
	uint8_t tag;
	size_t len;
	const char *wrong;

	if (!take_header(b, &tag, &len))
		return false;
	if (len > (size_t)(b->end - b->at))
		return fail(b, "a value is longer than its varbind");
	in = (struct ber){.at = b->at, .end = b->at + len};
	b->at = in.end;
	wrong = check_content(tag, &in);
	return wrong ? fail(b, wrong) : true;
}

/* The next one of a list; errors are the list's. */
static bool check_varbind(struct ber *list)
{
	struct ber varbind, name;

	if (!enter(list, TAG_SEQUENCE, "it is no SEQUENCE", &varbind))
		return false;
	if (!enter(&varbind, TAG_OID, "it has no name", &name) || !check_value(&varbind))
		return fail(list, varbind.words);
	if (name.at == name.end)
		return fail(list, "its name is empty");
	return varbind.at == varbind.end ? true : fail(list, "it holds more than a value");
}

/* From the start of a message to its varbind list. */
static bool enter_list(struct ber *b, struct ber *list)
{
	struct ber message, community, pdu;
	int64_t number;

	if (!enter(b, TAG_SEQUENCE, no_message, &message))
		return false;
	if (!take_integer(&message, &number) ||
	    !enter(&message, TAG_OCTETS, no_community, &community) ||
	    !enter(&message, PDU_RESPONSE, "it is no RESPONSE", &pdu))
		return fail(b, message.words);
	if (!take_integer(&pdu, &number) || !take_integer(&pdu, &number) ||
	    !take_integer(&pdu, &number) ||
	    !enter(&pdu, TAG_SEQUENCE, "it has no list of varbinds", list))
		return fail(b, pdu.words);
	return true;
}

bool pdu_check(const uint8_t *data, size_t len, char words[PDU_WORDS_MAX])
{
	struct ber b = {.at = data, .end = data + len}, list;
	unsigned number = 0;

	if (!enter_list(&b, &list)) {
		snprintf(words, PDU_WORDS_MAX, "%s", b.words);
		return false;
	}
	while (list.at < list.end) {
		number++;
		if (!check_varbind(&list)) {
			snprintf(words, PDU_WORDS_MAX, "varbind %u: %s", number, list.words);
			return false;
		}
	}
	return true;
}

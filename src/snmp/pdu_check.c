/*
 * A bounded look at a message before the codec's: does it keep the rules of encoding?
 *
 * The problem: Net-SNMP 5.9.3 is lenient where a poller must not be. An INTEGER of eight octets is cut
 * to its low 32 bits and handed out as if it had been sent so; a message cut off in the middle gives
 * "Error parsing ASN.1" and no hint where. And a library that has run for decades inside trusted
 * networks should not be the first to touch what a stranger sends.
 *
 * The design: the message is walked once, by the bounded reader that peek uses too (ber). Peek stops at
 * the request-id and forgives lengths that promise too much; pdu_check() forgives nothing inside the
 * message.
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

#include "snmp/ber.h"

static const char no_message[] = "it does not start with a SEQUENCE";
static const char no_community[] = "it has no community";

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
	case BER_INTEGER:
		if (len == 0)
			return "an INTEGER has no content";
		return len > 4 ? "an INTEGER has more than 4 octets" : NULL;
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_TIMETICKS:
	case BER_UINTEGER32:
		return check_unsigned(in, 4);
	case BER_COUNTER64:
		return check_unsigned(in, 8);
	case BER_IPADDRESS:
		return len == 4 ? NULL : "an IpAddress is not of 4 octets";
	case BER_OCTETS:
	case BER_OID:
	case BER_OPAQUE:
	case BER_NULL:
	case BER_NO_SUCH_OBJECT:
	case BER_NO_SUCH_INSTANCE:
	case BER_END_OF_MIB_VIEW:
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

	if (!ber_header(b, &tag, &len))
		return false;
	if (len > (size_t)(b->end - b->at))
		return ber_fail(b, "a value is longer than its varbind");
	in = (struct ber){.at = b->at, .end = b->at + len};
	b->at = in.end;
	wrong = check_content(tag, &in);
	return wrong ? ber_fail(b, wrong) : true;
}

/* The next one of a list; errors are the list's. */
static bool check_varbind(struct ber *list)
{
	struct ber varbind, name;

	if (!ber_enter(list, BER_SEQUENCE, "it is no SEQUENCE", &varbind))
		return false;
	if (!ber_enter(&varbind, BER_OID, "it has no name", &name) || !check_value(&varbind))
		return ber_fail(list, varbind.words);
	if (name.at == name.end)
		return ber_fail(list, "its name is empty");
	return varbind.at == varbind.end ? true : ber_fail(list, "it holds more than a value");
}

/* From the start of a message to its varbind list. */
static bool enter_list(struct ber *b, struct ber *list)
{
	struct ber message, community, pdu;
	int64_t number;

	if (!ber_enter(b, BER_SEQUENCE, no_message, &message))
		return false;
	if (!ber_integer(&message, &number) ||
	    !ber_enter(&message, BER_OCTETS, no_community, &community) ||
	    !ber_enter(&message, PDU_RESPONSE, "it is no RESPONSE", &pdu))
		return ber_fail(b, message.words);
	if (!ber_integer(&pdu, &number) || !ber_integer(&pdu, &number) ||
	    !ber_integer(&pdu, &number) ||
	    !ber_enter(&pdu, BER_SEQUENCE, "it has no list of varbinds", list))
		return ber_fail(b, pdu.words);
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

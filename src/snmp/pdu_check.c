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

/* From the content of a PDU to its varbind list. */
static bool enter_list(struct ber *pdu, struct ber *list, int64_t *request_id)
{
	int64_t number;

	return ber_integer(pdu, request_id) && ber_integer(pdu, &number) &&
	       ber_integer(pdu, &number) &&
	       ber_enter(pdu, BER_SEQUENCE, "it has no list of varbinds", list);
}

/* The content of a PDU; number: of the varbind that is wrong, from 1, or 0. */
static bool check_pdu(struct ber *pdu, int64_t *request_id, unsigned *number)
{
	struct ber list;

	*number = 0;
	if (!enter_list(pdu, &list, request_id))
		return false;
	while (list.at < list.end) {
		(*number)++;
		if (!check_varbind(&list))
			return ber_fail(pdu, list.words);
	}
	return true;
}

static bool say(const char *what, unsigned number, char words[PDU_WORDS_MAX])
{
	if (number)
		snprintf(words, PDU_WORDS_MAX, "varbind %u: %s", number, what);
	else
		snprintf(words, PDU_WORDS_MAX, "%s", what);
	return false;
}

bool pdu_check(const uint8_t *data, size_t len, char words[PDU_WORDS_MAX])
{
	struct ber b = {.at = data, .end = data + len}, message, community, pdu;
	int64_t id;
	unsigned number;

	if (!ber_enter(&b, BER_SEQUENCE, "it does not start with a SEQUENCE", &message))
		return say(b.words, 0, words);
	if (!ber_integer(&message, &id) ||
	    !ber_enter(&message, BER_OCTETS, "it has no community", &community) ||
	    !ber_enter(&message, PDU_RESPONSE, "it is no RESPONSE", &pdu))
		return say(message.words, 0, words);
	return check_pdu(&pdu, &id, &number) ? true : say(pdu.words, number, words);
}

/* The PDU of a scopedPDU. */
static bool check_scoped_pdu(struct ber *b, struct pdu_scoped *out, unsigned *number)
{
	struct ber pdu;
	int64_t id;

	*number = 0;
	out->pdu = b->at;
	out->type = b->at < b->end ? *b->at : 0;
	if (out->type != PDU_RESPONSE && out->type != PDU_REPORT)
		return ber_fail(b, "it is neither a RESPONSE nor a Report");
	if (!ber_enter(b, out->type, "", &pdu))
		return false;
	out->pdu_len = (size_t)(pdu.end - out->pdu);
	if (!check_pdu(&pdu, &id, number))
		return ber_fail(b, pdu.words);
	out->request_id = (uint32_t)id;
	return true;
}

bool pdu_check_scoped(const uint8_t *data, size_t len, struct pdu_scoped *out,
		      char words[PDU_WORDS_MAX])
{
	struct ber b = {.at = data, .end = data + len}, engine_id, context;
	unsigned number = 0;

	if (!ber_enter(&b, BER_OCTETS, "it has no contextEngineID", &engine_id) ||
	    !ber_enter(&b, BER_OCTETS, "it has no contextName", &context) ||
	    !check_scoped_pdu(&b, out, &number))
		return say(b.words, number, words);
	out->engine_id = engine_id.at;
	out->engine_id_len = ber_left(&engine_id);
	out->context = context.at;
	out->context_len = ber_left(&context);
	return true;
}

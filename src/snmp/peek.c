/*
 * The problem: a datagram must be matched with its request before the codec sees it, and a reply that was cut off on
 * its way must still end its request at once (FIELD.md): so its id is read even when what follows is missing.
 *
 * The design: a walk over the head of the message that stops at the id. The outer lengths may promise too much; what
 * is entered must be there.
 */
#include "snmp/peek.h"

#include "base/profile.h"
#include "snmp/ber.h"

/* To what follows the version. */
static bool take_version(struct ber *b, int64_t *version)
{
	uint8_t tag;
	size_t len;

	if (b->at == b->end)
		return ber_fail(b, "it is empty");
	if (!ber_header(b, &tag, &len))
		return false;
	if (tag != BER_SEQUENCE)
		return ber_fail(b, "it does not start with a SEQUENCE");
	return ber_integer(b, version);
}

static bool take_head(struct ber *b, const uint8_t *data, struct peek *out)
{
	struct ber community;
	size_t len;
	int64_t id;

	if (!take_version(b, &out->version))
		return false;
	if (out->version == SNMP_V3)
		return ber_fail(b, "it is of SNMPv3");
	if (!ber_enter(b, BER_OCTETS, "it has no community", &community) ||
	    !ber_header(b, &out->type, &len))
		return false;
	out->community = community.at;
	out->community_len = ber_left(&community);
	len = ber_left(b);
	if (!ber_integer(b, &id))
		return false;
	out->request_id = (uint32_t)id;
	len -= ber_left(b); /* of the request-id with its header */
	out->request_id_at = len == 6 ? (size_t)(b->at - data) - 4 : 0;
	return true;
}

bool peek_message(const uint8_t *data, size_t len, struct peek *out, const char **words)
{
	struct ber b = {.at = data, .end = data + len};

	out->version = -1;
	if (take_head(&b, data, out))
		return true;
	*words = b.words;
	return false;
}

/* ---- SNMPv3 */

/* Up to the msgID, forgiving lengths: the whole of nothing need be there. */
static bool take_msg_id(struct ber *b, struct peek_v3 *out)
{
	int64_t version = -1, id;
	uint8_t tag;
	size_t len;

	if (!take_version(b, &version))
		return false;
	if (version != SNMP_V3)
		return ber_fail(b, "it is not of SNMPv3");
	if (!ber_header(b, &tag, &len))
		return false;
	if (tag != BER_SEQUENCE)
		return ber_fail(b, "it has no header");
	if (!ber_integer(b, &id))
		return false;
	out->msg_id = (uint32_t)id;
	return true;
}

static bool take_octets(struct ber *b, const uint8_t **p, size_t *len)
{
	struct ber in;

	if (!ber_enter(b, BER_OCTETS, "there is no OCTET STRING where one must be", &in))
		return false;
	*p = in.at;
	*len = ber_left(&in);
	return true;
}

/* RFC 3412 §6: HeaderData. */
static bool take_header(struct ber *message, struct peek_v3 *out)
{
	struct ber header;
	int64_t id, size;
	const uint8_t *flags;
	size_t len;

	if (!ber_enter(message, BER_SEQUENCE, "it has no header", &header))
		return false;
	if (!ber_integer(&header, &id) || !ber_integer(&header, &size) ||
	    !take_octets(&header, &flags, &len) || !ber_integer(&header, &out->model))
		return ber_fail(message, header.words);
	if (len != 1)
		return ber_fail(message, "its flags are not of 1 octet");
	out->flags = *flags;
	if ((out->flags & PEEK_PRIV) && !(out->flags & PEEK_AUTH))
		return ber_fail(message, "its flags say encrypted but not authenticated");
	if (out->model != PEEK_USM && out->model != PEEK_TSM)
		return ber_fail(message, "its security model is neither USM nor TSM");
	return true;
}

/* RFC 3414 §2.4: UsmSecurityParameters. */
static bool take_security(struct ber *message, struct peek_v3 *out)
{
	struct ber wrap, in;

	if (!ber_enter(message, BER_OCTETS, "it has no security parameters", &wrap))
		return false;
	if (out->model == PEEK_TSM) /* RFC 5591 §4.2 step 3 */
		return wrap.at == wrap.end ||
		       ber_fail(message, "its security parameters are not empty, as TSM's are");
	if (!ber_enter(&wrap, BER_SEQUENCE, "its security parameters are no SEQUENCE", &in))
		return ber_fail(message, wrap.words);
	if (!take_octets(&in, &out->engine_id, &out->engine_id_len) ||
	    !ber_integer(&in, &out->boots) || !ber_integer(&in, &out->time_s) ||
	    !take_octets(&in, &out->user, &out->user_len) ||
	    !take_octets(&in, &out->digest, &out->digest_len) ||
	    !take_octets(&in, &out->salt, &out->salt_len))
		return ber_fail(message, in.words);
	return true;
}

/* All of it, forgiving nothing. */
static bool take_message(struct ber *b, const uint8_t *start, struct peek_v3 *out)
{
	struct ber message, data;
	int64_t version;
	bool encrypted;

	if (!ber_enter(b, BER_SEQUENCE, "it does not start with a SEQUENCE", &message))
		return false;
	out->len = (size_t)(message.end - start);
	if (!ber_integer(&message, &version) || !take_header(&message, out) ||
	    !take_security(&message, out))
		return ber_fail(b, message.words);
	encrypted = out->model == PEEK_USM && out->flags & PEEK_PRIV; /* by the message itself */
	if (!ber_enter(&message, encrypted ? BER_OCTETS : BER_SEQUENCE,
		       encrypted ? "it is not encrypted, as its flags say" : "it has no scopedPDU",
		       &data))
		return ber_fail(b, message.words);
	out->data = data.at;
	out->data_len = ber_left(&data);
	return true;
}

bool peek_v3(const uint8_t *data, size_t len, struct peek_v3 *out, const char **words)
{
	struct ber id = {.at = data, .end = data + len}, all = id;

	*out = (struct peek_v3){0};
	if (!take_msg_id(&id, out)) {
		*words = id.words;
		return false;
	}
	out->whole = take_message(&all, data, out);
	if (!out->whole)
		*words = all.words;
	return true;
}

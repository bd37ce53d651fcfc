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

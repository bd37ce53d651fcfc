#include "v3_message.h"

static bool read_global(struct ber_in *in, struct v3_message *m)
{
	struct ber_in header, flags;

	if (!ber_enter(in, BER_SEQUENCE, &header) || !ber_int(&header, &m->id))
		return false;
	m->id_end = header.at;
	if (!ber_int(&header, &m->max_size) || !ber_enter(&header, BER_OCTETS, &flags) ||
	    flags.end - flags.at != 1 || !ber_int(&header, &m->model))
		return false;
	m->flags = *flags.at;
	return true;
}

static bool read_security(struct ber_in *in, struct v3_message *m)
{
	struct ber_in octets, body;

	return ber_enter(in, BER_OCTETS, &octets) && ber_enter(&octets, BER_SEQUENCE, &body) &&
	       ber_enter(&body, BER_OCTETS, &m->engine_id) && ber_int(&body, &m->boots) &&
	       ber_int(&body, &m->time_s) && ber_enter(&body, BER_OCTETS, &m->user) &&
	       ber_enter(&body, BER_OCTETS, &m->digest) && ber_enter(&body, BER_OCTETS, &m->salt);
}

bool v3_message_read(struct v3_message *m, const uint8_t *bytes, size_t len)
{
	struct ber_in in = {bytes, bytes + len}, body;
	int32_t version;

	if (!ber_enter(&in, BER_SEQUENCE, &body) || !ber_int(&body, &version) ||
	    version != VERSION_3 || !read_global(&body, m) || !read_security(&body, m))
		return false;
	m->data = body;
	return true;
}

bool v3_message_scoped(struct ber_in scoped, struct message *pdu)
{
	struct ber_in body;

	pdu->version = VERSION_3;
	return ber_enter(&scoped, BER_SEQUENCE, &body) &&
	       ber_enter(&body, BER_OCTETS, &pdu->context_engine) &&
	       ber_enter(&body, BER_OCTETS, &pdu->community) && message_read_pdu(pdu, &body);
}

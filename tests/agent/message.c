#include "message.h"

static bool read_pdu(struct message *m, struct ber_in *in)
{
	struct ber_in body;

	m->pdu_at = in->at;
	if (!ber_any(in, &m->pdu, &body) || !ber_int(&body, &m->request_id))
		return false;
	m->id_end = body.at;
	return ber_int(&body, &m->error_status) && ber_int(&body, &m->error_index) &&
	       ber_enter(&body, BER_SEQUENCE, &m->varbinds) && body.at == body.end;
}

static bool count_varbinds(struct message *m)
{
	struct ber_in list = m->varbinds, value;
	struct oid name;

	for (m->n_varbinds = 0; list.at < list.end; m->n_varbinds++)
		if (!message_varbind(&list, &name, &value))
			return false;
	return true;
}

bool message_read_pdu(struct message *m, struct ber_in *in)
{
	return read_pdu(m, in) && count_varbinds(m);
}

enum message_kind message_read(struct message *m, const uint8_t *bytes, size_t len)
{
	struct ber_in in = {bytes, bytes + len}, body;

	if (!ber_enter(&in, BER_SEQUENCE, &body) || !ber_int(&body, &m->version))
		return MESSAGE_BAD;
	if (m->version == VERSION_3)
		return MESSAGE_V3;
	if (m->version != VERSION_1 && m->version != VERSION_2C)
		return MESSAGE_BAD;
	if (!ber_enter(&body, BER_OCTETS, &m->community) || !message_read_pdu(m, &body))
		return MESSAGE_BAD;
	return MESSAGE_GOOD;
}

bool message_varbind(struct ber_in *varbinds, struct oid *name, struct ber_in *value)
{
	struct ber_in varbind, contents;
	uint8_t tag;

	if (!ber_enter(varbinds, BER_SEQUENCE, &varbind) || !ber_oid(&varbind, name))
		return false;
	value->at = varbind.at;
	value->end = varbind.end;
	return ber_any(&varbind, &tag, &contents) && varbind.at == varbind.end;
}

const char *message_pdu_name(uint8_t pdu)
{
	switch (pdu) {
	case BER_GET:
		return "get";
	case BER_GETNEXT:
		return "getnext";
	case BER_GETBULK:
		return "getbulk";
	case BER_SET:
		return "set";
	default:
		return "other";
	}
}

/*
 * lookup - a name's question and its answer as octets between master and resolver.
 *
 * The resolver parses what strangers sent, so the master checks an answer as if one of them had
 * written it: counts, families and lengths are bounded before anything is kept.
 */
#include "pool/lookup.h"

#include <string.h>

void lookup_question_pack(const struct lookup_question *q, struct wire_out *w)
{
	wire_put_u32(w, q->ticket);
	wire_put_u8(w, q->family);
	wire_put_str(w, q->name, (uint16_t)strlen(q->name));
}

bool lookup_question_unpack(struct lookup_question *q, struct wire_in *r)
{
	q->ticket = wire_get_u32(r);
	q->family = wire_get_u8(r);
	uint16_t len;
	const uint8_t *name = wire_get_str(r, &len);
	if (r->bad || len == 0 || len > LOOKUP_NAME_MAX)
		return false;
	memcpy(q->name, name, len);
	q->name[len] = '\0';
	return q->family == 0 || q->family == 4 || q->family == 6;
}

void lookup_answer_pack(const struct lookup_answer *a, struct wire_out *w)
{
	wire_put_u32(w, a->ticket);
	wire_put_u8(w, a->count);
	for (unsigned i = 0; i < a->count; i++) {
		const struct addr *addr = &a->addrs[i];
		wire_put_u8(w, addr->family);
		wire_put_bytes(w, addr->ip, addr->family == 4 ? 4 : 16);
		if (addr->family == 6)
			wire_put_u32(w, addr->zone);
	}
	wire_put_str(w, a->message, (uint16_t)strlen(a->message));
}

static bool address_unpack(struct addr *a, struct wire_in *r)
{
	memset(a, 0, sizeof(*a));
	a->family = wire_get_u8(r);
	if (a->family != 4 && a->family != 6)
		return false;
	size_t len = a->family == 4 ? 4 : 16;
	const uint8_t *ip = wire_get_bytes(r, len);
	if (ip != NULL)
		memcpy(a->ip, ip, len);
	if (a->family == 6)
		a->zone = wire_get_u32(r);
	return !r->bad;
}

bool lookup_answer_unpack(struct lookup_answer *a, struct wire_in *r)
{
	a->ticket = wire_get_u32(r);
	a->count = wire_get_u8(r);
	if (r->bad || a->count > TASK_ADDRS_MAX)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!address_unpack(&a->addrs[i], r))
			return false;
	uint16_t len;
	const uint8_t *message = wire_get_str(r, &len);
	if (r->bad || r->at < r->end || len >= LOOKUP_MESSAGE_MAX || (a->count == 0 && len == 0))
		return false;
	memcpy(a->message, message, len);
	a->message[len] = '\0';
	return true;
}

/*
 * Messages are written back to front, so that lengths are known. What does not fit becomes a message of no octets.
 */
#include "agent.h"

#include <string.h>

#include "fuzz.h"
#include "snmp/ber.h"
#include "snmp/pdu.h"
#include "snmp/peek.h"
#include "snmp/usm_internal.h"

void agent_init(struct agent *a, const struct profile *p)
{
	uint8_t id[12] = {0x80, 0, 0x1f, 0x88, 4, 'f', 'u', 'z', 'z', 0, 0, 0};

	*a = (struct agent){.profile = p, .boots = 5, .time_s = 1000};
	for (uint8_t i = 0; i < AGENT_ENGINES; i++) {
		id[11] = i;
		FUZZ_CHECK(usm_peer_is(&a->peer[i], id, sizeof(id)));
		if (p->credential)
			FUZZ_CHECK(usm_localise(p->credential, &a->peer[i]));
	}
}

/* ---- reading; the requests are ours, and right */

static bool read_oid(const struct ber *in, struct oid *o)
{
	uint32_t v = 0;

	o->len = 0;
	for (const uint8_t *p = in->at; p < in->end; p++) {
		v = v << 7 | (*p & 0x7f);
		if (*p & 0x80)
			continue;
		if (o->len == 0) {
			o->id[o->len++] = v < 80 ? v / 40 : 2;
			v = v < 80 ? v % 40 : v - 80;
		}
		if (o->len == OID_MAX)
			return false;
		o->id[o->len++] = v;
		v = 0;
	}
	return o->len > 0;
}

static bool read_pdu(struct ber *b, struct question *q)
{
	struct ber pdu, list, varbind, name;
	int64_t id, status, index;

	q->type = b->at < b->end ? *b->at : 0;
	if (!ber_enter(b, q->type, "", &pdu) || !ber_integer(&pdu, &id) ||
	    !ber_integer(&pdu, &status) || !ber_integer(&pdu, &index) ||
	    !ber_enter(&pdu, BER_SEQUENCE, "", &list))
		return false;
	q->id = (uint32_t)id;
	q->repetitions = q->type == PDU_GET_BULK ? (unsigned)index : 1;
	while (list.at < list.end && q->count < AGENT_NAMES) {
		if (!ber_enter(&list, BER_SEQUENCE, "", &varbind) ||
		    !ber_enter(&varbind, BER_OID, "", &name) ||
		    !read_oid(&name, &q->names[q->count++]))
			return false;
	}
	return true;
}

static bool read_v3(const struct agent *a, uint8_t *data, size_t len, struct question *q)
{
	struct peek_v3 h;
	const char *words;
	struct ber b, scoped, skipped;

	if (!peek_v3(data, len, &h, &words) || !h.whole)
		return false;
	q->id = h.msg_id;
	q->discovery = h.engine_id_len == 0;
	b = (struct ber){.at = h.data, .end = h.data + h.data_len};
	for (int i = 0; h.flags & PEEK_PRIV && i < AGENT_ENGINES; i++) {
		struct usm_message m = {.boots = (uint32_t)h.boots,
					.time_s = (uint32_t)h.time_s,
					.salt = data + (h.salt - data),
					.salt_len = h.salt_len,
					.data = data + (h.data - data),
					.data_len = h.data_len};

		if (h.engine_id_len == a->peer[i].engine_id_len &&
		    memcmp(h.engine_id, a->peer[i].engine_id, h.engine_id_len) == 0 &&
		    usm_decrypt(a->profile->credential, &a->peer[i], &m) &&
		    ber_enter(&b, BER_SEQUENCE, "", &scoped))
			b = scoped;
	}
	return ber_enter(&b, BER_OCTETS, "", &skipped) && ber_enter(&b, BER_OCTETS, "", &skipped) &&
	       read_pdu(&b, q);
}

bool agent_read(const struct agent *a, const uint8_t *data, size_t len, struct question *q)
{
	uint8_t copy[2048];
	struct ber b, message, community;
	int64_t version;

	*q = (struct question){0};
	FUZZ_CHECK(len <= sizeof(copy));
	memcpy(copy, data, len);
	if (a->profile->version == SNMP_V3)
		return read_v3(a, copy, len, q);
	b = (struct ber){.at = copy, .end = copy + len};
	return ber_enter(&b, BER_SEQUENCE, "", &message) && ber_integer(&message, &version) &&
	       ber_enter(&message, BER_OCTETS, "", &community) && read_pdu(&message, q);
}

/* ---- writing */

struct writer {
	uint8_t octets[AGENT_OCTETS];
	size_t at; /* first octet used */
	bool full;
};

static void put(struct writer *w, const void *p, size_t len)
{
	if (w->full || len > w->at) {
		w->full = true;
		return;
	}
	w->at -= len;
	if (len)
		memcpy(w->octets + w->at, p, len);
}

static void wrap(struct writer *w, uint8_t tag, size_t end)
{
	size_t len = end - w->at;
	uint8_t longer[] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};
	uint8_t shorter[] = {tag, (uint8_t)len};

	put(w, len < 0x80 ? shorter : longer, len < 0x80 ? sizeof(shorter) : sizeof(longer));
}

static void put_integer(struct writer *w, uint32_t v)
{
	size_t end = w->at;
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
	size_t zeros = 0;

	while (zeros < 3 && b[zeros] == 0 && b[zeros + 1] < 0x80)
		zeros++;
	put(w, b + zeros, 4 - zeros);
	wrap(w, BER_INTEGER, end);
}

static void put_octets(struct writer *w, const void *p, size_t len)
{
	size_t end = w->at;

	put(w, p, len);
	wrap(w, BER_OCTETS, end);
}

static size_t finish(const struct writer *w, uint8_t out[AGENT_OCTETS])
{
	size_t len = w->full ? 0 : AGENT_OCTETS - w->at;

	memcpy(out, w->octets + AGENT_OCTETS - len, len);
	return len;
}

static void put_pdu(struct writer *w, const struct message *m)
{
	size_t end = w->at;

	put(w, m->rest, m->rest_len);
	put_integer(w, m->id);
	wrap(w, m->twist & TWIST_REPORT ? PDU_REPORT : PDU_RESPONSE, end);
}

static void put_plain(struct writer *w, const struct agent *a, const struct message *m)
{
	const char *community = m->twist & TWIST_BOOTS ? "private" : a->profile->community;

	if (m->whole) {
		put(w, m->rest, m->rest_len);
	} else {
		put_pdu(w, m);
		put_octets(w, community, strlen(community));
	}
	put_integer(w, a->profile->version ^ (m->twist & TWIST_ENGINE ? 1u : 0));
	wrap(w, BER_SEQUENCE, AGENT_OCTETS);
}

/* A message of SNMPv3: its head's fields, and where its digest stands from the end. */
struct head {
	const struct usm_peer *peer;
	const struct usm_credential *c;
	uint8_t flags;
	uint32_t boots, time_s;
	size_t digest_from_end;
};

static void put_scoped(struct writer *w, const struct agent *a, const struct message *m,
		       const struct head *h)
{
	const char *context = m->twist & TWIST_CONTEXT ? "other" : a->profile->context;
	size_t end = w->at;

	if (m->whole) {
		put(w, m->rest, m->rest_len);
	} else {
		put_pdu(w, m);
		put_octets(w, context, strlen(context));
		put_octets(w, h->peer->engine_id, h->peer->engine_id_len);
	}
	wrap(w, BER_SEQUENCE, end);
}

static const uint8_t salt[8] = {0, 0, 0, 5, 1, 2, 3, 4};

/* What stands from w->at to end becomes an OCTET STRING that nobody can read. */
static void encrypt(struct writer *w, const struct head *h)
{
	const struct usm_protocol *p = &h->c->priv;
	uint8_t iv[16] = {(uint8_t)(h->boots >> 24),  (uint8_t)(h->boots >> 16),
			  (uint8_t)(h->boots >> 8),   (uint8_t)h->boots,
			  (uint8_t)(h->time_s >> 24), (uint8_t)(h->time_s >> 16),
			  (uint8_t)(h->time_s >> 8),  (uint8_t)h->time_s};
	bool des = (p->type & USM_PRIV_MASK_ALG) == USM_CREATE_USER_PRIV_DES;
	uint8_t plain[AGENT_OCTETS] = {0}, sealed[AGENT_OCTETS], key[USM_KEY_MAX];
	size_t len = AGENT_OCTETS - w->at, sealed_len = sizeof(sealed);

	memcpy(plain, w->octets + w->at, len);
	memcpy(key, h->peer->priv_key, h->peer->priv_key_len);
	memcpy(iv + 8, salt, sizeof(salt));
	for (size_t i = 0; des && i < sizeof(salt); i++)
		iv[i] = salt[i] ^ key[sizeof(salt) + i];
	if (des && len % 8)
		len += 8 - len % 8;
	w->full |= len > AGENT_OCTETS - 64 ||
		   sc_encrypt(p->oid, p->oid_len, key, h->peer->priv_key_len, iv, des ? 8 : 16,
			      plain, (u_int)len, sealed, &sealed_len) != SNMPERR_SUCCESS;
	w->at = AGENT_OCTETS;
	if (!w->full)
		put_octets(w, sealed, sealed_len);
}

static void put_security(struct writer *w, struct head *h)
{
	static const uint8_t blank[USM_KEY_MAX];
	size_t end = w->at, digest = h->flags & PEEK_AUTH ? h->c->auth.digest_len : 0;
	const char *user = usm_user(h->c);

	put_octets(w, salt, h->flags & PEEK_PRIV ? sizeof(salt) : 0);
	h->digest_from_end = AGENT_OCTETS - w->at + digest;
	put_octets(w, blank, digest);
	put_octets(w, user, strlen(user));
	put_integer(w, h->time_s);
	put_integer(w, h->boots);
	put_octets(w, h->peer->engine_id, h->peer->engine_id_len);
	wrap(w, BER_SEQUENCE, end);
	wrap(w, BER_OCTETS, end);
}

static void put_header(struct writer *w, const struct message *m, const struct head *h)
{
	size_t end = w->at;

	put_integer(w, PEEK_USM);
	put_octets(w, &h->flags, 1);
	put_integer(w, 65507);
	put_integer(w, m->id);
	wrap(w, BER_SEQUENCE, end);
	put_integer(w, SNMP_V3);
	wrap(w, BER_SEQUENCE, AGENT_OCTETS);
}

static void sign(struct writer *w, const struct head *h, bool wrong)
{
	uint8_t digest[USM_KEY_MAX];
	size_t len = sizeof(digest);

	if (w->full || !(h->flags & PEEK_AUTH))
		return;
	FUZZ_CHECK(sc_generate_keyed_hash(h->c->auth.oid, h->c->auth.oid_len, h->peer->auth_key,
					  h->peer->auth_key_len, w->octets + w->at,
					  (u_int)(AGENT_OCTETS - w->at), digest,
					  &len) == SNMPERR_SUCCESS);
	digest[0] ^= wrong;
	memcpy(w->octets + AGENT_OCTETS - h->digest_from_end, digest, h->c->auth.digest_len);
}

static uint8_t flags_of(const struct usm_credential *c, uint8_t twist)
{
	if (twist & TWIST_UNSIGNED || usm_level(c) == USM_NO_AUTH_NO_PRIV)
		return 0;
	if (twist & TWIST_PLAIN || usm_level(c) == USM_AUTH_NO_PRIV)
		return PEEK_AUTH;
	return PEEK_AUTH | PEEK_PRIV;
}

static void put_v3(struct writer *w, const struct agent *a, const struct message *m)
{
	struct head h = {.peer = &a->peer[m->twist & TWIST_ENGINE ? 1 : 0],
			 .c = a->profile->credential,
			 .flags = flags_of(a->profile->credential, m->twist),
			 .boots = a->boots + (m->twist & TWIST_BOOTS ? 1 : 0),
			 .time_s = a->time_s + (m->twist & TWIST_TIME ? 100000 : 0)};

	put_scoped(w, a, m, &h);
	if (h.flags & PEEK_PRIV)
		encrypt(w, &h);
	put_security(w, &h);
	put_header(w, m, &h);
	sign(w, &h, m->twist & TWIST_DIGEST);
}

size_t agent_write(const struct agent *a, const struct message *m, uint8_t out[AGENT_OCTETS])
{
	struct writer w;

	w.at = AGENT_OCTETS;
	w.full = false;
	if (a->profile->version == SNMP_V3)
		put_v3(&w, a, m);
	else
		put_plain(&w, a, m);
	return finish(&w, out);
}

/* ---- what is answered */

static void put_oid(struct writer *w, const struct oid *o)
{
	size_t end = w->at;
	uint8_t first = (uint8_t)(o->id[0] * 40 + o->id[1]);

	for (unsigned i = o->len; i-- > 2;) {
		uint32_t v = o->id[i];
		uint8_t octet = v & 0x7f;

		put(w, &octet, 1);
		while (v >>= 7) {
			octet = 0x80 | (v & 0x7f);
			put(w, &octet, 1);
		}
	}
	put(w, &first, 1);
	wrap(w, BER_OID, end);
}

static void put_varbind(struct writer *w, const struct oid *name, const struct rows *r)
{
	static const uint8_t five[] = {BER_INTEGER, 1, 5}, null[] = {BER_NULL, 0},
			     end_of_view[] = {BER_END_OF_MIB_VIEW, 0};
	size_t end = w->at;

	if (r->status)
		put(w, null, sizeof(null));
	else if (r->step & 0x40)
		put(w, end_of_view, sizeof(end_of_view));
	else if (r->value_len)
		put(w, r->value, r->value_len);
	else
		put(w, five, sizeof(five));
	put_oid(w, name);
	wrap(w, BER_SEQUENCE, end);
}

/* The name that comes `times` after this one. */
static struct oid following(const struct oid *from, const struct rows *r, unsigned times)
{
	struct oid o = *from;

	if (r->step & 0x40)
		return o;
	if (r->step & 0x80 && o.len > 7)
		o.id[--o.len - 1]++; /* behind the column */
	else if (r->step & 0x20 && o.len < OID_MAX)
		o.id[o.len++] = 0;
	o.id[o.len - 1] += (r->step & 0x1f) * times;
	return o;
}

size_t agent_rows(const struct question *q, const struct rows *r, uint8_t out[AGENT_OCTETS])
{
	unsigned times = q->type == PDU_GET_BULK ? q->repetitions : 1;
	struct writer w;

	w.at = AGENT_OCTETS;
	w.full = false;
	times = times < r->repetitions ? times : r->repetitions;
	if (r->status || q->type == PDU_GET)
		times = 1;
	for (unsigned t = times; t > 0; t--) {
		for (unsigned i = q->count; i-- > 0;) {
			bool as_asked = r->status || q->type == PDU_GET;
			struct oid name = as_asked ? q->names[i] : following(&q->names[i], r, t);

			put_varbind(&w, &name, r);
		}
	}
	wrap(&w, BER_SEQUENCE, AGENT_OCTETS);
	put_integer(&w, r->index);
	put_integer(&w, r->status);
	return finish(&w, out);
}

size_t agent_report(uint8_t which, uint8_t out[AGENT_OCTETS])
{
	struct oid o = {.id = {1, 3, 6, 1, 6, 3, 15, 1, 1, which, 0}, .len = 11};
	static const uint8_t counter[] = {BER_COUNTER32, 1, 7};
	struct rows r = {.value = counter, .value_len = sizeof(counter)};
	struct writer w;

	w.at = AGENT_OCTETS;
	w.full = false;
	if (which == 7)
		o = (struct oid){.id = {1, 3, 6, 1, 6, 3, 12, 1, 5, 0}, .len = 10};
	put_varbind(&w, &o, &r);
	wrap(&w, BER_SEQUENCE, AGENT_OCTETS);
	put_integer(&w, 0);
	put_integer(&w, 0);
	return finish(&w, out);
}

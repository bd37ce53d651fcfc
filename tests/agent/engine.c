#include "engine.h"

#include "datagram.h"

#include <string.h>

/* Engine IDs: 80 00 1f 88, then a format (RFC 3411 §5, SnmpEngineID). */
enum format {
	FORMAT_IPV4 = 1,
	FORMAT_IPV6 = 2,
	FORMAT_MAC = 3,
	FORMAT_TEXT = 4,
	FORMAT_OCTETS = 5
};

enum {
	BOOTS_USUAL = 1,
	BOOTS_HIGH = 5, /* before they fall */
	PADDING = 0xa5
};

static void append(struct engine_id *id, const void *octets, size_t len)
{
	memcpy(id->octets + id->len, octets, len);
	id->len += len;
}

static void start(struct engine_id *id, enum format format)
{
	const uint8_t head[5] = {0x80, 0, 0x1f, 0x88, (uint8_t)format};

	id->len = 0;
	append(id, head, sizeof head);
}

/* All formats are met in the field: which one follows from the address. */
static void name_v4(struct engine_id *id, const uint8_t octets[4])
{
	static const uint8_t mac[2] = {0x02, 0xff};

	switch (octets[3] % 3) {
	case 0:
		start(id, FORMAT_OCTETS);
		append(id, octets, 4);
		append(id, octets, 4);
		return;
	case 1:
		start(id, FORMAT_IPV4);
		break;
	default:
		start(id, FORMAT_MAC);
		append(id, mac, sizeof mac);
	}
	append(id, octets, 4);
}

static void name_engine(struct engine_id *id, const struct in6_addr *addr,
			const struct behaviour *behaviour, uint32_t answers)
{
	if (behaviour->same_engine) {
		start(id, FORMAT_TEXT);
		append(id, "the same", 8);
	} else if (datagram_is_v4(addr)) {
		name_v4(id, addr->s6_addr + 12);
	} else {
		start(id, FORMAT_IPV6);
		append(id, addr->s6_addr, 16);
	}
	if (behaviour->engine_change && answers > 0)
		append(id, "new", 3);
	if (!behaviour->engine_length)
		return;
	size_t wanted = behaviour->engine_length - 1;
	if (wanted > id->len)
		memset(id->octets + id->len, PADDING, wanted - id->len);
	id->len = wanted;
}

bool engine_remembers(const struct behaviour *b)
{
	return b->boots_fall || b->clock_jump || b->clock_back || b->engine_change;
}

void engine_of(struct engine *engine, const struct in6_addr *addr, const struct behaviour *b,
	       uint32_t uptime_s, uint32_t answers)
{
	name_engine(&engine->id, addr, b, answers);
	engine->boots = b->boots ? b->boots : b->boots_fall ? BOOTS_HIGH : BOOTS_USUAL;
	if (b->boots_fall && answers > 0)
		engine->boots = engine->boots > 1 ? engine->boots / 2 : 0;
	engine->time_s = uptime_s + (answers > 0 ? b->clock_jump : b->clock_back);
}

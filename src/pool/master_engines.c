/*
 * SNMPv3 engine IDs seen in this run: two devices with one are told of, once.
 *
 * The problem: an engine ID should be one device's alone (RFC 3411 §5), and copied configurations and virtual
 * machines see to it that it is not. Pollers that keep keys, boots and time by engine ID then mix up both
 * devices for ever, and nobody knows why (spine#353, cacti#5797). Ours keeps them by target and works;
 * but other software of the same person does not, so it is told, by name.
 *
 * The design: a table from the engine ID's hash to who had it first. It takes memory when the first engine
 * ID comes, ENGINES_MAX of them at most; what comes later is compared with those and not remembered.
 * What costs something is done by the master, since no worker sees another's devices.
 *
 * The same address again is the same host listed twice, and no duplicate. Two addresses may be one device's, so the
 * words leave that open.
 *
 * The trap: engine IDs are made by devices. Those that all fall on one place of the table cost PROBES_MAX
 * looks each and are then forgotten.
 */
#include "pool/master_engines.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define ENGINES_MAX 65536 /* 48 octets each: 3 MiB, when there are so many */
#define PLACES      ((size_t)2 * ENGINES_MAX)
#define PROBES_MAX  64
#define NAME_MAX    640 /* of a host and its address */

struct engine { /* who had this engine ID first */
	uint64_t hash;
	const char *host;
	struct addr addr;
	bool told; /* that another one has it */
};

struct engines {
	uint32_t count;
	struct engine list[ENGINES_MAX];
	uint32_t place[PLACES]; /* by hash: number in the list and 1; 0: free */
};

void engines_free(struct engines *e)
{
	free(e);
}

/* FNV-1a of 64 bits. */
static uint64_t hash_of(const uint8_t *id, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);

	while (len-- > 0)
		h = (h ^ *id++) * UINT64_C(1099511628211);
	return h;
}

static void name_put(char out[NAME_MAX], const char *host, const struct addr *addr)
{
	char plain[ADDR_TEXT_MAX], address[ADDR_TEXT_MAX];

	addr_text(addr, plain);
	addr_text_port(addr, address);
	if (host != NULL && strcmp(host, plain) != 0 && strcmp(host, address) != 0)
		snprintf(out, NAME_MAX, "%s (%s)", host, address);
	else
		snprintf(out, NAME_MAX, "%s", address);
}

static void tell(const struct engine *first, const struct record_head *h, const char *host)
{
	char one[NAME_MAX], other[NAME_MAX], id[2 * ENGINE_ID_MAX + 1];

	name_put(one, first->host, &first->addr);
	name_put(other, host, &h->addr);
	for (unsigned i = 0; i < h->engine_id_len; i++)
		snprintf(id + (size_t)2 * i, 3, "%02x", h->engine_id[i]);
	log_warning("%s and %s have the same SNMPv3 engine ID %s: a copied configuration, or two "
		    "addresses of one device; each is polled with its own keys",
		    one, other, id);
}

static void remember(struct engines *e, uint32_t *place, uint64_t hash, const struct engine *who)
{
	if (e->count == ENGINES_MAX)
		return;
	e->list[e->count] = *who;
	e->list[e->count].hash = hash;
	*place = ++e->count;
}

void engines_take(struct engines **engines, const struct record_head *h, const char *host)
{
	uint64_t hash = hash_of(h->engine_id, h->engine_id_len);
	struct engines *e = *engines;

	if (e == NULL)
		e = *engines = mem_zero(1, sizeof(*e));
	for (uint64_t at = hash; at < hash + PROBES_MAX; at++) {
		uint32_t *place = &e->place[at % PLACES];
		struct engine *first = &e->list[*place - (*place > 0)];

		if (*place == 0) {
			remember(e, place, hash, &(struct engine){.host = host, .addr = h->addr});
			return;
		}
		if (first->hash != hash)
			continue;
		if (!first->told && !addr_equal(&first->addr, &h->addr)) {
			first->told = true;
			tell(first, h, host);
		}
		return;
	}
}

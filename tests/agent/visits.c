#include "visits.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLOTS = 1 << 21,
	USED_MAX = SLOTS / 4 * 3
};

struct slot {
	struct in6_addr addr;
	uint32_t count; /* 0: free */
};

struct visits {
	uint32_t used;
	struct slot slots[SLOTS]; /* open addressing; calloc gives pages only to what is touched */
};

struct visits *visits_new(void)
{
	return calloc(1, sizeof(struct visits));
}

void visits_free(struct visits *visits)
{
	free(visits);
}

static uint32_t first_slot(const struct in6_addr *addr)
{
	uint64_t halves[2];

	memcpy(halves, addr, sizeof halves);
	return (uint32_t)((halves[0] * 3 + halves[1]) * 0x9e3779b97f4a7c15ull >> 43) % SLOTS;
}

static uint32_t find(const struct visits *visits, const struct in6_addr *addr)
{
	uint32_t at = first_slot(addr);

	while (visits->slots[at].count && memcmp(&visits->slots[at].addr, addr, sizeof *addr) != 0)
		at = (at + 1) % SLOTS;
	return at;
}

uint32_t visits_count(struct visits *visits, const struct in6_addr *addr)
{
	struct slot *slot = &visits->slots[find(visits, addr)];

	if (slot->count)
		return slot->count++;
	if (visits->used == USED_MAX)
		return UINT32_MAX;
	visits->used++;
	*slot = (struct slot){*addr, 1};
	return 0;
}

uint32_t visits_so_far(const struct visits *visits, const struct in6_addr *addr)
{
	return visits->slots[find(visits, addr)].count;
}

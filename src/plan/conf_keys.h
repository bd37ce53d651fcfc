/*
 * conf_keys - the settings of one mapping.
 */
#ifndef PLAN_CONF_KEYS_H
#define PLAN_CONF_KEYS_H

#include "plan/conf_doc.h"
#include "plan/conf_internal.h"

struct keys_read { /* {.level = …} to begin with */
	enum setting_level level;
	uint64_t set; /* SETTING_BIT(key): was written, right or wrong */
	struct {
		struct conf_place place;
		enum setting_source source;
	} first[SETTING_COUNT];             /* where and as what it was */
	struct conf_key key[SETTING_COUNT]; /* what was right */
	uint16_t count;
};

/* Reads the current node as the value of a key. False: there is no such key, nothing is told and the
 * node is not taken. */
bool keys_take(struct doc *d, struct keys_read *k, const struct doc_key *key);
/* Of what was right; NULL. */
const struct conf_key *keys_find(const struct keys_read *k, enum setting_key key);
/* NULL when nothing was right. In the arena. */
const struct conf_keys *keys_pack(struct conf *c, const struct keys_read *k, uint16_t file);

/* The current node is what stands under `broker:`. */
void conf_read_broker(struct doc *d);

#endif

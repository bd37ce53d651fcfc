#include "rules.h"

#include "datagram.h"
#include "rules_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_MAX = 256
};

enum match_kind {
	MATCH_PREFIX,
	MATCH_RANGE,
	MATCH_EVERY,
	MATCH_PERCENT
};

struct rule {
	enum match_kind kind;
	struct in6_addr addr;
	unsigned bits;      /* MATCH_PREFIX: of the 128 */
	uint32_t low, high; /* MATCH_RANGE; `low` alone is N, and P in hundredths of a percent */
	struct behaviour behaviour;
};

static bool read_address(const char *text, struct in6_addr *addr)
{
	char mapped[TEXT_MAX + 8];

	snprintf(mapped, sizeof mapped, strchr(text, ':') ? "%s" : "::ffff:%s", text);
	return inet_pton(AF_INET6, mapped, addr) == 1;
}

/* 127.0.0.10-20 */
static bool read_range(struct rule *rule, char *text, char *dash)
{
	*dash = '\0';
	rule->kind = MATCH_RANGE;
	if (!read_address(text, &rule->addr) || !rules_number(dash + 1, 255, &rule->high))
		return false;
	rule->low = rule->addr.s6_addr[15];
	return rule->low <= rule->high;
}

static bool read_prefix(struct rule *rule, char *text)
{
	char *slash = strchr(text, '/');
	uint32_t bits;

	if (slash)
		*slash++ = '\0';
	rule->kind = MATCH_PREFIX;
	if (!read_address(text, &rule->addr))
		return false;
	unsigned width = datagram_is_v4(&rule->addr) ? 32 : 128;
	if (!slash)
		bits = width;
	else if (!rules_number(slash, width, &bits))
		return false;
	rule->bits = 128 - width + bits;
	return true;
}

static bool read_match(struct rule *rule, char *text)
{
	char *dash = strchr(text, '-'), *end;

	if (strcmp(text, "*") == 0)
		return true; /* a prefix of no bits */
	if (strncmp(text, "every:", 6) == 0) {
		rule->kind = MATCH_EVERY;
		return rules_number(text + 6, UINT32_MAX, &rule->low) && rule->low > 0;
	}
	if (strncmp(text, "percent:", 8) == 0) {
		double percent = strtod(text + 8, &end);
		rule->kind = MATCH_PERCENT;
		rule->low = percent >= 0 && percent <= 100 ? (uint32_t)(percent * 100) : 0;
		return *end == '\0' && end > text + 8 && percent >= 0 && percent <= 100;
	}
	return dash ? read_range(rule, text, dash) : read_prefix(rule, text);
}

static bool read_rule(struct rule *rule, const char *text, char *message, size_t size)
{
	char copy[TEXT_MAX], *rest;

	snprintf(copy, sizeof copy, "%s", text);
	char *colon = strrchr(copy, ':');
	if (strlen(text) >= sizeof copy || !colon) {
		snprintf(message, size, "rule '%s': MATCH:BEHAVIOUR is wanted", text);
		return false;
	}
	*colon = '\0';
	if (!read_match(rule, copy)) {
		snprintf(message, size, "rule '%s': cannot read what it matches", text);
		return false;
	}
	for (char *word = strtok_r(colon + 1, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest)) {
		if (rules_word(&rule->behaviour, word))
			continue;
		snprintf(message, size,
			 "rule '%s': behaviour '%s' is unknown, or its argument wrong", text, word);
		return false;
	}
	return true;
}

bool rules_add(struct rules *rules, const char *text, char *message, size_t size)
{
	struct rule rule = {0};

	if (!read_rule(&rule, text, message, size))
		return false;
	struct rule *items = realloc(rules->items, (rules->n + 1) * sizeof *items);
	if (!items) {
		snprintf(message, size, "out of memory");
		return false;
	}
	items[rules->n++] = rule;
	rules->items = items;
	return true;
}

void rules_free(struct rules *rules)
{
	free(rules->items);
}

static bool same_prefix(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a->s6_addr[whole] ^ b->s6_addr[whole]) >> (8 - rest) == 0;
}

/* An even spread that is the same in every run: the finaliser of MurmurHash3. */
static uint32_t scatter(uint32_t x)
{
	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

static bool matches(const struct rule *rule, const struct in6_addr *addr)
{
	switch (rule->kind) {
	case MATCH_PREFIX:
		return same_prefix(&rule->addr, addr, rule->bits);
	case MATCH_RANGE:
		return same_prefix(&rule->addr, addr, 120) && addr->s6_addr[15] >= rule->low &&
		       addr->s6_addr[15] <= rule->high;
	case MATCH_EVERY:
		return datagram_number(addr) % rule->low == 0;
	default:
		return scatter(datagram_number(addr)) % 10000 < rule->low;
	}
}

const struct behaviour *rules_find(const struct rules *rules, const struct in6_addr *addr)
{
	for (size_t i = 0; i < rules->n; i++)
		if (matches(&rules->items[i], addr))
			return &rules->items[i].behaviour;
	return NULL;
}

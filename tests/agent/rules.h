/*
 * Which agents misbehave, and how: `MATCH:BEHAVIOUR[,BEHAVIOUR...]`, the first rule that matches an agent's address
 * decides. README.md has the table of behaviours.
 */
#ifndef AGENT_RULES_H
#define AGENT_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 is off for all fields; all times are in microseconds. */
struct behaviour {
	uint32_t silent, lose, lose_first, only_first, late, late_first, duplicate,
		reorder;                    /* when it answers */
	uint32_t other_address, other_port; /* where from */
	uint32_t wrong_id, wrong_community, wrong_version,
		wrong_pdu;                                   /* message; wrong_pdu: the tag */
	uint32_t too_big, too_big_empty, error, error_index; /* error_index: plus one */
	uint32_t no_such_name, no_such_name_v2;
	uint32_t empty_varbinds, fewer_varbinds, other_oid, bad_int, long_int, huge; /* varbinds */
	uint32_t nonincreasing, decreasing, loop_after, few_repetitions,
		more_repetitions; /* walks */
	uint32_t gen_err_row, end_gen_err, end_no_such_name;
	uint32_t rows, sparse, types, long_values;                               /* what it knows */
	uint32_t truncated, truncated_head, garbage, empty, trailing, drop_over; /* octets */
	uint32_t then_good;
	/* SNMPv3 */
	uint32_t boots, boots_fall, clock_jump, clock_back; /* the engine; the clock in seconds */
	uint32_t same_engine, engine_change, engine_length; /* engine_length: plus one */
	uint32_t no_discovery, discovery_zero, silent_auth, after_discovery; /* when it answers */
	uint32_t report, report_level, context_report; /* enum report, enum level */
	uint32_t needs, downgrade;                     /* enum level */
	uint32_t wrong_digest, short_digest, wrong_salt,
		short_salt; /* short_digest: octets plus one */
	uint32_t wrong_engine, wrong_user, wrong_msg_id, wrong_boots, stale; /* stale: seconds */
	uint32_t wrong_context, wrong_context_engine;
};

struct rule;

struct rules {
	struct rule *items;
	size_t n;
};

/* Reads one rule. On failure false, and why in message (of size octets). */
bool rules_add(struct rules *rules, const char *text, char *message, size_t size);
void rules_free(struct rules *rules);
/* What the agent at addr does; NULL: it behaves. */
const struct behaviour *rules_find(const struct rules *rules, const struct in6_addr *addr);

/* Reads a duration (`50ms`, `1.5s`, `2m`, bare seconds); false if it is none or longer than an hour. */
bool rules_duration(const char *text, uint32_t *us);
/* Prints the names of all behaviours, for --help. */
void rules_print_names(void);

#endif

/*
 * The words of a rule: what stands behind the colon. A word is a row of the table below; all of its meaning lies where its field
 * of struct behaviour is read.
 */
#include "rules_internal.h"

#include "report.h"
#include "usm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MANY = 1000000,
	VALUE_MAX = 60000 /* octets */
};

enum argument {
	NONE,
	NUMBER,
	DURATION,
	OPTIONAL,
	CHOICE
};

struct word {
	const char *name;
	enum argument argument;
	uint32_t base;  /* added to the number */
	uint32_t limit; /* the largest number */
	size_t offset;
	const char *const *choices; /* CHOICE: the words, from 0; limit is the last one's number */
};

#define IN(field) offsetof(struct behaviour, field)
#define FLAG(name, field)                         \
	{                                         \
		name, NONE, 0, 0, IN(field), NULL \
	}
#define COUNT(name, limit, field)                       \
	{                                               \
		name, NUMBER, 0, limit, IN(field), NULL \
	}

static const char *const levels[] = {"", "auth", "priv"};

static const struct word words[] = {
	FLAG("silent", silent),
	COUNT("lose", MANY, lose),
	COUNT("lose-first", MANY, lose_first),
	COUNT("only-first", MANY, only_first),
	{"late", DURATION, 0, 0, IN(late), NULL},
	{"late-first", DURATION, 0, 0, IN(late_first), NULL},
	FLAG("duplicate", duplicate),
	FLAG("reorder", reorder),
	FLAG("other-address", other_address),
	FLAG("other-port", other_port),
	FLAG("wrong-id", wrong_id),
	FLAG("wrong-community", wrong_community),
	FLAG("wrong-version", wrong_version),
	{"wrong-pdu", OPTIONAL, 0xa0, 31, IN(wrong_pdu), NULL},
	COUNT("too-big", MANY, too_big),
	COUNT("too-big-empty", MANY, too_big_empty),
	COUNT("error", MANY, error),
	{"gen-err", NONE, 4, 0, IN(error), NULL},
	{"error-index", NUMBER, 1, MANY, IN(error_index), NULL},
	FLAG("no-such-name", no_such_name),
	FLAG("no-such-name-v2", no_such_name_v2),
	FLAG("empty-varbinds", empty_varbinds),
	FLAG("fewer-varbinds", fewer_varbinds),
	FLAG("other-oid", other_oid),
	FLAG("bad-int", bad_int),
	FLAG("long-int", long_int),
	FLAG("huge", huge),
	FLAG("nonincreasing", nonincreasing),
	FLAG("decreasing", decreasing),
	COUNT("loop-after", MANY, loop_after),
	COUNT("few-repetitions", MANY, few_repetitions),
	COUNT("more-repetitions", MANY, more_repetitions),
	COUNT("rows", INT32_MAX, rows),
	FLAG("sparse", sparse),
	FLAG("types", types),
	COUNT("long-values", VALUE_MAX, long_values),
	COUNT("gen-err-row", INT32_MAX, gen_err_row),
	FLAG("end-gen-err", end_gen_err),
	FLAG("end-no-such-name", end_no_such_name),
	FLAG("truncated", truncated),
	FLAG("truncated-head", truncated_head),
	FLAG("garbage", garbage),
	FLAG("empty", empty),
	FLAG("trailing", trailing),
	COUNT("drop-over", MANY, drop_over),
	FLAG("then-good", then_good),
	COUNT("boots", INT32_MAX, boots),
	FLAG("boots-fall", boots_fall),
	COUNT("clock-jump", INT32_MAX, clock_jump),
	COUNT("clock-back", INT32_MAX, clock_back),
	FLAG("same-engine", same_engine),
	FLAG("engine-change", engine_change),
	{"engine-length", NUMBER, 1, ENGINE_ID_MAX, IN(engine_length), NULL},
	FLAG("no-discovery", no_discovery),
	FLAG("after-discovery", after_discovery),
	FLAG("discovery-zero", discovery_zero),
	FLAG("silent-auth", silent_auth),
	{"report", CHOICE, 0, REPORTS - 1, IN(report), report_names},
	{"window-always", NONE, NOT_IN_TIME_WINDOWS - 1, 0, IN(report), NULL},
	{"report-unauth", NONE, NO_AUTH - 1, 0, IN(report_level), NULL},
	{"report-auth", NONE, AUTH_NO_PRIV - 1, 0, IN(report_level), NULL},
	{"report-priv", NONE, AUTH_PRIV - 1, 0, IN(report_level), NULL},
	FLAG("context-report", context_report),
	{"needs", CHOICE, NO_AUTH, 2, IN(needs), levels},
	{"downgrade", NONE, NO_AUTH - 1, 0, IN(downgrade), NULL},
	{"downgrade-priv", NONE, AUTH_NO_PRIV - 1, 0, IN(downgrade), NULL},
	FLAG("wrong-digest", wrong_digest),
	{"short-digest", NUMBER, 1, DIGEST_MAX, IN(short_digest), NULL},
	FLAG("wrong-salt", wrong_salt),
	FLAG("short-salt", short_salt),
	FLAG("wrong-engine", wrong_engine),
	FLAG("wrong-user", wrong_user),
	FLAG("wrong-msg-id", wrong_msg_id),
	COUNT("wrong-boots", INT32_MAX, wrong_boots),
	COUNT("stale", INT32_MAX, stale),
	FLAG("wrong-context", wrong_context),
	FLAG("wrong-context-engine", wrong_context_engine),
};

enum {
	WORDS = sizeof words / sizeof words[0]
};

bool rules_duration(const char *text, uint32_t *us)
{
	static const struct {
		const char *unit;
		double us;
	} units[] = {{"", 1e6}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}};
	char *end;
	double number = strtod(text, &end);

	if (end == text || !(number >= 0))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(end, units[i].unit) != 0 || number * units[i].us > 3600e6)
			continue;
		*us = (uint32_t)(number * units[i].us);
		return true;
	}
	return false;
}

bool rules_number(const char *text, uint32_t limit, uint32_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	unsigned long value = strtoul(text, &end, 10);
	*number = (uint32_t)value;
	return *end == '\0' && value <= limit;
}

static bool read_choice(const struct word *word, const char *text, uint32_t *value)
{
	for (uint32_t i = 1; i <= word->limit; i++) {
		*value = word->base + i;
		if (strcmp(word->choices[i], text) == 0)
			return true;
	}
	return false;
}

static bool read_argument(const struct word *word, const char *text, uint32_t *value)
{
	if (!text) {
		*value = word->base + (word->argument == NONE);
		return word->argument == NONE || word->argument == OPTIONAL;
	}
	if (word->argument == NONE)
		return false;
	if (word->argument == DURATION)
		return rules_duration(text, value);
	if (word->argument == CHOICE)
		return read_choice(word, text, value);
	if (!rules_number(text, word->limit, value))
		return false;
	*value += word->base;
	return true;
}

bool rules_word(struct behaviour *behaviour, char *text)
{
	char *argument = strchr(text, '=');
	uint32_t value;

	if (strcmp(text, "ok") == 0)
		return true;
	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i].name, text) != 0)
			continue;
		if (!read_argument(&words[i], argument, &value))
			return false;
		memcpy((char *)behaviour + words[i].offset, &value, sizeof value);
		return true;
	}
	return false;
}

void rules_print_names(void)
{
	static const char *const arguments[] = {"", "=N", "=DURATION", "[=N]", "=NAME"};

	printf("  ok");
	for (size_t i = 0; i < WORDS; i++)
		printf("%s%s%s", i % 6 == 5 ? "\n  " : " ", words[i].name,
		       arguments[words[i].argument]);
	printf("\n");
}

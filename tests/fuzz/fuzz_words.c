/*
 * Words of the command line: a whole argv; targets, ranges and exclusions; OIDs, names, durations, and every key's
 * value.
 *
 * The first octet says which. What must hold: what is taken is in bounds; an OID and a target survive being written
 * and read again; the addresses of a block that are left out and those that are not make the block.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "plan/plan.h"
#include "plan/target.h"
#include "snmp/mib.h"

#define WORDS_MAX 32
#define WALK_MAX  300 /* addresses of a block that are looked at one by one */

/* ---- a command line: words with a NUL between them; the last one is what stands on standard input */

static size_t cut_words(char *text, size_t len, char *argv[WORDS_MAX + 2])
{
	size_t n = 0;

	argv[n++] = (char *)(uintptr_t) "multisnmp";
	for (char *at = text; at < text + len && n <= WORDS_MAX; at += strlen(at) + 1)
		argv[n++] = at;
	argv[n] = NULL;
	return n;
}

static void run_plan(struct options *o)
{
	struct buf text = {0};
	struct plan *plan = plan_new(&o->plan);

	FUZZ_CHECK((plan == NULL) == (conf_error_count(o->conf) > 0));
	if (plan)
		plan_describe(plan, &text);
	conf_errors(o->conf, &text);
	FUZZ_CHECK(text.len > 0);
	plan_free(plan);
	buf_free(&text);
}

static void command_line(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end ? (size_t)(end - data) : size;
	char *text = mem_strndup("", 0), *argv[WORDS_MAX + 2];
	struct options o;
	struct buf out = {0};
	enum options_action action;

	text = mem_resize(text, len + 1, 1);
	memcpy(text, data, len);
	text[len] = '\0';
	fuzz_stdin(data + len, size - len);
	action = options_parse(&o, (int)cut_words(text, len, argv), argv, &out);
	FUZZ_CHECK((action == OPTIONS_WRONG || action == OPTIONS_SHOWN) == (out.len > 0));
	if (action == OPTIONS_RUN || action == OPTIONS_CHECK) {
		FUZZ_CHECK(o.workers >= 1 && o.workers <= OPTIONS_WORKERS_MAX);
		FUZZ_CHECK(o.window >= 1 && o.window <= OPTIONS_WINDOW_MAX);
		FUZZ_CHECK(o.format != NULL);
		run_plan(&o);
	}
	buf_free(&out);
	options_free(&o);
	free(text);
}

/* ---- a target, and what is left out of it: words with line ends between them */

/* Index by index: who is handed out, and how many are not. */
static void walk(const struct target_set *set, const struct target *t)
{
	uint64_t next = 0, kept = 0;

	if (t->count > WALK_MAX)
		return;
	for (uint64_t i = 0; i < t->count; i++) {
		FUZZ_CHECK(target_set_next(set, t, i) >= i);
		kept += target_set_next(set, t, i) == i;
	}
	for (next = target_set_next(set, t, 0); next < t->count;
	     next = target_set_next(set, t, next + 1))
		kept--;
	FUZZ_CHECK(kept == 0);
}

static void check_target(const struct target_set *set, const struct target *t)
{
	uint64_t out = target_set_count(set, t), first = target_set_next(set, t, 0);

	FUZZ_CHECK(t->count >= 1 && t->count <= UINT64_C(1) << 32);
	FUZZ_CHECK(out <= t->count);
	FUZZ_CHECK((first == t->count) == (out == t->count));
	if (t->kind == TARGET_NAME || t->kind == TARGET_PATH) {
		FUZZ_CHECK(t->count == 1 && t->name_len >= 1 && t->name_len <= 254);
		return;
	}
	struct addr low, high;
	char text[ADDR_TEXT_MAX];

	target_address(t, 0, &low);
	target_address(t, t->count - 1, &high);
	FUZZ_CHECK(memcmp(low.ip, high.ip, sizeof(low.ip)) <= 0 && low.port == t->port);
	FUZZ_CHECK(addr_text_port(&high, text) < sizeof(text));
	walk(set, t);
}

/* An address that is a target by its text is the same one. */
static void read_again(const struct target *t)
{
	char text[ADDR_TEXT_MAX], error[TARGET_ERROR_MAX];
	struct target again;
	struct addr one;

	if (t->kind != TARGET_ADDRESS && t->kind != TARGET_BLOCK)
		return;
	target_address(t, 0, &one);
	one.port = t->port ? t->port : 161;
	addr_text_port(&one, text);
	FUZZ_CHECK(target_parse(text, strlen(text), &again, error));
	FUZZ_CHECK(addr_equal(&again.first, &one) && again.count == 1);
}

static void targets(const uint8_t *data, size_t size)
{
	struct target_set *set = target_set_new();
	struct target t;
	char error[TARGET_ERROR_MAX];
	const uint8_t *end = memchr(data, '\n', size), *at;
	size_t len = end ? (size_t)(end - data) : size;
	bool good = target_parse((const char *)data, len, &t, error);

	FUZZ_CHECK(good || memchr(error, '\0', sizeof(error)) > (void *)error);
	for (at = data + len; at < data + size; at += len) {
		at++;
		end = memchr(at, '\n', (size_t)(data + size - at));
		len = end ? (size_t)(end - at) : (size_t)(data + size - at);
		target_set_add(set, (const char *)at, len, error);
	}
	target_set_seal(set);
	if (good) {
		check_target(set, &t);
		read_again(&t);
	}
	target_set_free(set);
}

/* ---- one word, for whoever takes a word */

static void object(const char *text)
{
	char error[300], again[OID_TEXT_MAX];
	struct oid o, same;
	size_t used;

	if (!mib_resolve(text, &o, error, sizeof(error))) {
		FUZZ_CHECK(strnlen(error, sizeof(error)) < sizeof(error) && *error);
		return;
	}
	FUZZ_CHECK(o.len >= 2 && o.len <= OID_MAX);
	mib_kind(&o);
	FUZZ_CHECK(!mib_find(o.id, o.len, &used) || used <= o.len);
	FUZZ_CHECK(oid_text(o.id, o.len, again) < sizeof(again));
	if (oid_parse(again, strlen(again), &same))
		FUZZ_CHECK(oid_compare(o.id, o.len, same.id, same.len) == 0);
}

static void setting(const char *key, const char *value)
{
	struct conf *c = conf_new();
	struct settings s = {0};
	struct buf text = {0};

	conf_set(c, &s, key, value);
	conf_set(c, &s, key, value);
	FUZZ_CHECK(s.set != 0 || conf_error_count(c) > 0);
	conf_errors(c, &text);
	buf_free(&text);
	conf_free(c);
}

static void values(struct input *in)
{
	char *first = input_text(in), *second = input_text(in);
	int64_t us = 0;

	object(first);
	setting(first, second);
	if (settings_duration(second, &us))
		FUZZ_CHECK(us >= 0 && us <= INT64_C(3600000000000));
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};

	fuzz_library();
	double_system_start();
	switch (input_u8(&in) % 3) {
	case 0:
		command_line(in.at, input_left(&in));
		break;
	case 1:
		targets(in.at, input_left(&in));
		break;
	default:
		values(&in);
		break;
	}
	return 0;
}

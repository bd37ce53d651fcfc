/*
 * A whole document, as `-f -` reads it, to what would be polled: reader, libyaml, keys, settings, plan, --check.
 *
 * What must hold: no plan with errors, and no plan without a reason; every error line is fit for a terminal and names
 * its place; what is handed out is what was counted.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "plan/plan.h"
#include "profiles.h"

#define TARGETS_MAX 2000 /* handed out of a plan: blocks may hold 2^32 */

static void check_text(const struct buf *text)
{
	for (size_t at = 0; at < text->len;) {
		uint32_t code;
		size_t n = utf8_decode(text->data + at, text->len - at, &code);

		FUZZ_CHECK(n > 0 && (code == '\n' || (code >= 0x20 && code != 0x7f)));
		at += n;
	}
	FUZZ_CHECK(text->len == 0 || text->data[text->len - 1] == '\n');
}

static void check_profiles(const struct plan *plan)
{
	size_t n;
	const struct profile *p = plan_profiles(plan, &n);

	for (size_t i = 0; i < n; i++)
		check_profile(&p[i]);
}

/* All of it, or the beginning of it. */
static void hand_out(struct plan *plan)
{
	uint64_t total = plan_total(plan), seen = 0;
	size_t nprofiles;
	bool more = true;

	plan_profiles(plan, &nprofiles);
	for (int kind = 0; kind < PLAN_KINDS; kind++) {
		struct plan_target t;

		for (int i = 0; i < TARGETS_MAX; i++) {
			more = plan_next(plan, (enum plan_kind)kind, &t);
			if (!more)
				break;
			seen++;
			FUZZ_CHECK(t.profile < nprofiles && t.seq < total);
			FUZZ_CHECK(t.name || t.path || t.addr.family == 4 || t.addr.family == 6);
		}
		if (more)
			return; /* too many to count */
	}
	FUZZ_CHECK(seen == total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings command = {0};
	struct plan_request request = {.settings = &command};
	struct buf text = {0};
	struct plan *plan;
	size_t errors;

	fuzz_library();
	double_system_start();
	fuzz_stdin(data, size);
	request.conf = conf_new();
	conf_read(request.conf, "-");
	plan = plan_new(&request);
	conf_forget_secrets(request.conf);
	errors = conf_error_count(request.conf);
	FUZZ_CHECK((plan == NULL) == (errors > 0));
	conf_warnings(request.conf, &text);
	FUZZ_CHECK(conf_errors(request.conf, &text) == errors);
	FUZZ_CHECK((errors == 0) || text.len > 0);
	if (plan) {
		plan_describe(plan, &text);
		check_profiles(plan);
		hand_out(plan);
	}
	check_text(&text);
	buf_free(&text);
	plan_free(plan);
	conf_free(request.conf);
	return 0;
}

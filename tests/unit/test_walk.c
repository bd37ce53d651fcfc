/* walk: subtrees of a simulated agent, and of agents that break the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "walk_agent.h"

#define SEED UINT64_C(0x5eed0001)

static const char *const system_mib[] = {
	"1.3.6.1.2.1.1.1.0",     "1.3.6.1.2.1.1.2.0",     "1.3.6.1.2.1.1.3.0",
	"1.3.6.1.2.1.1.9.1.2.1", "1.3.6.1.2.1.1.9.1.2.2", "1.3.6.1.2.1.1.9.1.3.1",
	"1.3.6.1.2.1.2.1.0",     "1.3.6.1.2.1.25.1.1.0",  NULL};

/* The rows as text, one OID after the other; into a buffer of the caller. */
static const char *rows_text(const struct vars *rows, char *text, size_t size)
{
	char *at = text;

	*at = '\0';
	for (size_t i = 0; i < rows->count; i++) {
		assert_true((size_t)(at - text) + OID_TEXT_MAX < size);
		if (i)
			*at++ = ' ';
		at += oid_text(rows->list[i].oid, rows->list[i].noid, at);
	}
	return text;
}

struct run {
	bool fine;
	size_t rows;
	char words[WALK_WORDS_MAX];
	char text[20 * OID_TEXT_MAX];
};

static struct run walk_it(struct agent *a, const char *root, unsigned repetitions,
			  bool nonincreasing)
{
	struct run r = {.words = ""};
	struct oid o = agent_oid(root);
	struct vars rows = {0};
	uint64_t x = SEED;
	struct agent_engine e = {
		.agent = a,
		.walk = walk_subtree(&o, nonincreasing),
		.columns = WALK_COLUMNS_MAX,
		.per_host = 4,
		.repetitions = repetitions,
		.random = &x,
		.rows = &rows,
		.words = r.words,
	};

	memset(&o, 0xff, sizeof(o)); /* was copied */
	r.fine = agent_run(&e);
	assert_false(walk_ask(e.walk, 1, &e.asked[0]));
	assert_true(walk_over(e.walk));
	assert_true(a->outstanding <= 1);
	rows_text(&rows, r.text, sizeof(r.text));
	r.rows = rows.count;
	walk_free(e.walk);
	vars_free(&rows);
	return r;
}

/* Every subtree, by GETNEXT and by GETBULK of every size: what is strictly below, nothing else. */
static void test_what_is_below_the_root(void **state)
{
	static const struct {
		const char *root, *rows;
	} cases[] = {
		{"1.3.6.1.2.1.1.9", "1.3.6.1.2.1.1.9.1.2.1 1.3.6.1.2.1.1.9.1.2.2 "
				    "1.3.6.1.2.1.1.9.1.3.1"},
		{"1.3.6.1.2.1.1.9.1.2", "1.3.6.1.2.1.1.9.1.2.1 1.3.6.1.2.1.1.9.1.2.2"},
		{"1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.1.0"},
		{"1.3.6.1.2.1.2", "1.3.6.1.2.1.2.1.0"},
		{"1.3.6.1.2.1.25", "1.3.6.1.2.1.25.1.1.0"},       /* up to the end of the MIB */
		{"1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.3.0"},       /* an instance: by GET */
		{"1.3.6.1.2.1.25.1.1.0", "1.3.6.1.2.1.25.1.1.0"}, /* the last one */
		{"1.3.6.1.2.1.1.4", ""},
		{"1.3.6.1.2.1.26", ""}, /* beyond the end */
		{"1.2", ""},
		{"1", "1.3.6.1.2.1.1.1.0 1.3.6.1.2.1.1.2.0 1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.9.1.2.1 "
		      "1.3.6.1.2.1.1.9.1.2.2 1.3.6.1.2.1.1.9.1.3.1 1.3.6.1.2.1.2.1.0 "
		      "1.3.6.1.2.1.25.1.1.0"}, /* the top: asked for as what follows 1.0 */
		{"0", ""},
		{"2", ""},
		{"1.3.6.1.2.1.1.9.1", "1.3.6.1.2.1.1.9.1.2.1 1.3.6.1.2.1.1.9.1.2.2 "
				      "1.3.6.1.2.1.1.9.1.3.1"},
	};

	(void)state;
	for (int v1 = 0; v1 < 2; v1++) {
		for (unsigned repetitions = 1; repetitions < 12; repetitions++) {
			struct agent a = {.v1 = v1, .most = repetitions % 4};

			agent_puts(&a, system_mib);
			for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
				struct run r = walk_it(&a, cases[i].root, repetitions, v1);

				assert_string_equal(r.words, "");
				assert_string_equal(r.text, cases[i].rows);
				assert_true(r.fine);
			}
			agent_free(&a);
		}
	}
}

/* The question after an empty subtree asks for the root itself, in a GET; a row makes it needless. */
static void test_only_an_empty_subtree_is_got(void **state)
{
	struct agent a = {.never_loses = true};

	(void)state;
	agent_puts(&a, system_mib);
	walk_it(&a, "1.3.6.1.2.1.1.4", 10, false);
	assert_int_equal(a.questions, 2);
	a.questions = 0;
	walk_it(&a, "1.3.6.1.2.1.1.1", 10, false);
	assert_int_equal(a.questions, 1);
	agent_free(&a);
}

struct script { /* objects, one after the other, whatever is asked; "" the true answer */
	const char *const *texts;
	size_t next;
	uint8_t type;
	struct oid now;
};

static bool follow_script(void *arg, const struct oid *name, struct varbind *v)
{
	struct script *s = arg;
	const char *text = s->texts[s->next];

	(void)name;
	if (!text)
		return false;
	s->next++;
	if (!*text)
		return false;
	s->now = agent_oid(text);
	v->oid = s->now.id;
	v->noid = s->now.len;
	v->type = s->type;
	return true;
}

/* gosnmp#401, easysnmp#205: objects that repeat or go back end the walk, and the words name both. */
static void test_an_oid_that_does_not_increase(void **state)
{
	static const struct {
		const char *objects[5], *rows, *words;
	} cases[] = {
		{{"1.3.6.5", "1.3.6.7", "1.3.6.6"},
		 "1.3.6.5 1.3.6.7",
		 "1.3.6.6 came after 1.3.6.7"},
		{{"1.3.6.5", "1.3.6.5"}, "1.3.6.5", "1.3.6.5 came after 1.3.6.5"},
		{{"1.3.6"}, "", "1.3.6 came after 1.3.6"},
		{{"1.3.6.5.1", "1.3.6.5"}, "1.3.6.5.1", "1.3.6.5 came after 1.3.6.5.1"},
		{{"1.3.6.0", "1.3.6"}, "1.3.6.0", "1.3.6 came after 1.3.6.0"},
	};

	(void)state;
	for (unsigned repetitions = 1; repetitions < 5; repetitions++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct script s = {.texts = cases[i].objects, .type = VAR_INTEGER};
			struct agent a = {.lie = follow_script, .arg = &s, .never_loses = true};
			struct run r = walk_it(&a, "1.3.6", repetitions, false);

			assert_false(r.fine);
			assert_string_equal(r.words, cases[i].words);
			assert_string_equal(r.text, cases[i].rows);
		}
	}
}

/* nonincreasing: every object once, in the order in which it came. */
static void test_an_oid_that_comes_again(void **state)
{
	static const struct {
		const char *objects[8], *rows, *words;
	} cases[] = {
		{{"1.3.6.5", "1.3.6.7", "1.3.6.6", "1.3.7"}, "1.3.6.5 1.3.6.7 1.3.6.6", ""},
		{{"1.3.6.5", "1.3.6.7", "1.3.6.6", "1.3.6.7"},
		 "1.3.6.5 1.3.6.7 1.3.6.6",
		 "1.3.6.7 came again"},
		{{"1.3.6.5", "1.3.6.5"}, "1.3.6.5", "1.3.6.5 came again"},
		{{"1.3.6.9", "1.3.6.5", "1.3.6.5"}, "1.3.6.9 1.3.6.5", "1.3.6.5 came again"},
		{{"1.3.6.9", "1.3.6"}, "1.3.6.9", "1.3.6 came again"},
	};

	(void)state;
	for (unsigned repetitions = 1; repetitions < 5; repetitions++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct script s = {.texts = cases[i].objects, .type = VAR_INTEGER};
			struct agent a = {.lie = follow_script, .arg = &s, .never_loses = true};
			struct run r = walk_it(&a, "1.3.6", repetitions, true);

			assert_string_equal(r.words, cases[i].words);
			assert_string_equal(r.text, cases[i].rows);
			assert_int_equal(r.fine, !*cases[i].words);
		}
	}
}

/* noSuchObject and noSuchInstance in an answer to GETNEXT: under the name asked for, or outside, the
 * end; under a greater one an object without a value, and the walk goes on. */
static void test_exceptions_in_a_walk(void **state)
{
	static const struct {
		const char *objects[5], *rows;
	} cases[] = {
		{{"1.3.6"}, ""},
		{{"1.3.6.5", "1.3.6.5"}, "1.3.6.5"},
		{{"1.3.6.5", "1.3.6.4", "1.3.6.6"}, "1.3.6.5"},
		{{"1.3.6.5", "1.3.6.8", "1.3.6.8"}, "1.3.6.5 1.3.6.8"},
		{{"1.3.6.5", "1.3.7.1", "1.3.6.8"}, "1.3.6.5"},
		{{"1.3.6.5", "1.3.5", "1.3.6.8"}, "1.3.6.5"},
	};

	(void)state;
	for (unsigned repetitions = 1; repetitions < 5; repetitions++) {
		for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
			struct script s = {.texts = cases[i / 2].objects,
					   .type = VAR_NO_SUCH_OBJECT};
			struct agent a = {.lie = follow_script, .arg = &s, .never_loses = true};
			struct run r = walk_it(&a, "1.3.6", repetitions, i % 2);

			assert_string_equal(r.words, "");
			assert_string_equal(r.text, cases[i / 2].rows);
			assert_true(r.fine);
		}
	}
}

/* What comes behind endOfMibView in an answer is no row, whatever it claims. */
static void test_nothing_comes_after_the_end(void **state)
{
	struct oid root = agent_oid("1.3.6"), low = agent_oid("1.3.6.1"),
		   high = agent_oid("1.3.6.2");
	const struct varbind answers[] = {
		{.oid = low.id, .noid = low.len, .type = VAR_INTEGER},
		{.oid = low.id, .noid = low.len, .type = VAR_END_OF_MIB_VIEW},
		{.oid = high.id, .noid = high.len, .type = VAR_INTEGER},
	};
	struct walk *w = walk_subtree(&root, false);
	struct walk_question q;
	struct vars answer = {0}, rows = {0};
	char words[WALK_WORDS_MAX] = "";

	(void)state;
	for (size_t i = 0; i < 3; i++)
		vars_add(&answer, &answers[i]);
	assert_true(walk_ask(w, 1, &q));
	assert_false(q.single);
	assert_int_equal(q.count, 1);
	assert_false(walk_over(w));
	assert_true(walk_answer(w, &q, &answer, &rows, words));
	assert_int_equal(rows.count, 1);
	assert_true(walk_over(w));
	walk_free(w);
	vars_free(&answer);
	vars_free(&rows);
}

/* net-snmp#746: an answer without varbinds is no reason to ask again, for ever. */
static void test_an_answer_without_varbinds(void **state)
{
	struct oid root = agent_oid("1.3.6.1.2.1.1.4");
	struct vars nothing = {0}, answer = {0}, rows = {0};
	struct agent a = {0};

	(void)state;
	agent_puts(&a, system_mib);
	for (int get = 0; get < 2; get++) {
		struct walk *w = walk_subtree(&root, false);
		char words[WALK_WORDS_MAX] = "";
		struct walk_question q;

		assert_true(walk_ask(w, 1, &q));
		if (get) {
			agent_answer(&a, &q, 1, &answer);
			assert_true(walk_answer(w, &q, &answer, &rows, words));
			assert_true(walk_ask(w, 1, &q));
			assert_int_equal(q.kind, WALK_GET);
		}
		assert_false(walk_answer(w, &q, &nothing, &rows, words));
		assert_string_equal(words, "an answer without varbinds");
		assert_true(walk_over(w));
		assert_false(walk_ask(w, 1, &q));
		walk_free(w);
	}
	assert_int_equal(rows.count, 0);
	agent_free(&a);
	vars_free(&answer);
}

/* The GET of the root has no value to show: the walk is over, without a row. */
static void test_a_root_that_is_not_there(void **state)
{
	static const uint8_t types[] = {VAR_NO_SUCH_OBJECT, VAR_NO_SUCH_INSTANCE,
					VAR_END_OF_MIB_VIEW};
	struct oid root = agent_oid("1.3.6.1");

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		struct varbind v = {.oid = root.id, .noid = root.len, .type = VAR_END_OF_MIB_VIEW};
		struct walk *w = walk_subtree(&root, false);
		struct vars answer = {0}, rows = {0};
		char words[WALK_WORDS_MAX] = "";
		struct walk_question q;

		vars_add(&answer, &v);
		assert_true(walk_ask(w, 1, &q));
		assert_true(walk_answer(w, &q, &answer, &rows, words));
		assert_false(walk_over(w));
		answer.list[0].type = types[i];
		assert_true(walk_ask(w, 1, &q));
		assert_true(walk_answer(w, &q, &answer, &rows, words));
		assert_true(walk_over(w));
		assert_int_equal(rows.count, 0);
		walk_free(w);
		vars_free(&answer);
	}
}

/* The GET of the root is answered with another object. */
static void test_another_object_than_the_root(void **state)
{
	struct oid root = agent_oid("1.3.6.1"), other = agent_oid("1.3.6.1.5");
	const struct varbind v = {.oid = other.id, .noid = other.len, .type = VAR_INTEGER};
	const struct varbind end = {.oid = root.id, .noid = root.len, .type = VAR_END_OF_MIB_VIEW};
	struct walk *w = walk_subtree(&root, false);
	struct vars first = {0}, second = {0}, rows = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q;

	(void)state;
	vars_add(&first, &end);
	vars_add(&second, &v);
	assert_true(walk_ask(w, 1, &q));
	assert_true(walk_answer(w, &q, &first, &rows, words));
	assert_true(walk_ask(w, 1, &q));
	assert_false(walk_answer(w, &q, &second, &rows, words));
	assert_string_equal(words, "1.3.6.1.5 came for 1.3.6.1");
	assert_int_equal(rows.count, 0);
	walk_free(w);
	vars_free(&first);
	vars_free(&second);
}

/* The longest OIDs there are: the words are cut in the middle of each. */
static void test_words_about_long_oids(void **state)
{
	struct oid root = agent_oid("1.3"), long_one = {.len = OID_MAX};
	struct varbind v = {.oid = long_one.id, .noid = OID_MAX, .type = VAR_INTEGER};
	struct walk *w = walk_subtree(&root, false);
	struct vars answer = {0}, rows = {0};
	char words[WALK_WORDS_MAX];
	struct walk_question q;

	(void)state;
	for (size_t i = 0; i < OID_MAX; i++)
		long_one.id[i] = UINT32_MAX - (uint32_t)i;
	memcpy(long_one.id, root.id, 2 * sizeof(*root.id));
	for (int i = 0; i < 2; i++)
		vars_add(&answer, &v);
	assert_true(walk_ask(w, 1, &q));
	assert_false(walk_answer(w, &q, &answer, &rows, words));
	assert_int_equal(rows.count, 1);
	assert_true(strlen(words) > 300 && strlen(words) < WALK_WORDS_MAX);
	assert_memory_equal(words, "1.3.4294967293.", 15);
	assert_non_null(strstr(words, "4294967168 came after 1.3."));
	assert_non_null(strstr(words, "…"));
	walk_free(w);
	vars_free(&answer);
	vars_free(&rows);
}

/* A device whose subtree never ends, always increasing: the walk keeps nothing of its rows. With
 * nonincreasing it keeps a hash of each. */
static void test_a_million_rows(void **state)
{
	struct oid root = agent_oid("1.3.6.1.4.1"), next = agent_oid("1.3.6.1.4.1.1.1.0");
	struct varbind v = {.oid = next.id, .noid = next.len, .type = VAR_COUNTER64};
	char words[WALK_WORDS_MAX];
	struct walk_question q;

	(void)state;
	for (int nonincreasing = 0; nonincreasing < 2; nonincreasing++) {
		struct walk *w = walk_subtree(&root, nonincreasing);
		struct vars answer = {0}, rows = {0};

		next.id[8] = 0;
		for (uint32_t row = 0; row < 1000000;) {
			assert_true(walk_ask(w, 1, &q));
			for (int i = 0; i < 50; i++, row++) {
				next.id[8]++;
				vars_add(&answer, &v);
			}
			assert_true(walk_answer(w, &q, &answer, &rows, words));
			assert_int_equal(rows.count, 50);
			vars_reset(&answer);
			vars_reset(&rows);
		}
		next.id[8] = 12345; /* and the first of these again */
		assert_true(walk_ask(w, 1, &q));
		vars_add(&answer, &v);
		assert_false(walk_answer(w, &q, &answer, &rows, words));
		assert_string_equal(words, nonincreasing ? "1.3.6.1.4.1.1.1.12345 came again"
							 : "1.3.6.1.4.1.1.1.12345 came after "
							   "1.3.6.1.4.1.1.1.1000000");
		walk_free(w);
		vars_free(&answer);
		vars_free(&rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_below_the_root),
		cmocka_unit_test(test_only_an_empty_subtree_is_got),
		cmocka_unit_test(test_an_oid_that_does_not_increase),
		cmocka_unit_test(test_an_oid_that_comes_again),
		cmocka_unit_test(test_exceptions_in_a_walk),
		cmocka_unit_test(test_nothing_comes_after_the_end),
		cmocka_unit_test(test_an_answer_without_varbinds),
		cmocka_unit_test(test_a_root_that_is_not_there),
		cmocka_unit_test(test_another_object_than_the_root),
		cmocka_unit_test(test_words_about_long_oids),
		cmocka_unit_test(test_a_million_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

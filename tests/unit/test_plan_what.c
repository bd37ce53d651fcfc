/* plan_what: one number for one run, whatever the secrets are; another one for whatever would change a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/plan.h"
#include "snmp/mib.h"
#include "snmp/pdu.h"

struct words {
	const char *yaml;
	const char *key, *value; /* of the command line; NULL: none */
	const char *exclude;     /* likewise */
};

static uint64_t what(const struct words *words)
{
	struct conf *conf = conf_new();
	struct settings command = {0};
	struct plan_request request = {.conf = conf,
				       .settings = &command,
				       .excludes = &words->exclude,
				       .nexcludes = words->exclude != NULL,
				       .remote = true};
	char path[] = "/tmp/test_plan_what.XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	struct buf errors = {0};
	struct plan *plan;
	uint64_t number;

	fputs(words->yaml, file);
	fclose(file);
	conf_read(conf, path);
	unlink(path);
	if (words->key != NULL)
		conf_set(conf, &command, words->key, words->value);
	plan = plan_new(&request);
	conf_errors(conf, &errors);
	buf_putc(&errors, '\0');
	if (plan == NULL)
		fail_msg("%s: %s", words->yaml, (char *)errors.data);
	number = plan_what(plan, &request);
	plan_free(plan);
	conf_free(conf);
	buf_free(&errors);
	return number;
}

#define HOSTS "hosts: [10.0.0.0/29, {host: 10.0.1.1, label: core}, a.example]\n"
#define CREDENTIAL(secret) \
	"credentials: {c: {version: 2c, community: " secret "}}\ndefaults: {credential: c}\n"

static void test_same(void **state)
{
	static const struct words all[][2] = {
		{{HOSTS, NULL, NULL, NULL}, {HOSTS, NULL, NULL, NULL}},
		{{HOSTS, "timeout", "2s", NULL},
		 {"defaults: {timeout: 2s}\n" HOSTS, NULL, NULL, NULL}},
		/* who asks is another question: the list of a site that is gone may be moved */
		{{HOSTS, "site", "north", NULL}, {HOSTS, "site", "south", NULL}},
		{{CREDENTIAL("one") HOSTS, NULL, NULL, NULL},
		 {CREDENTIAL("other") HOSTS, NULL, NULL, NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_true(what(&all[i][0]) == what(&all[i][1]));
}

static void test_others(void **state)
{
	static const struct words all[] = {
		{HOSTS, NULL, NULL, NULL},
		{HOSTS, NULL, NULL, "10.0.0.5"},
		{HOSTS, NULL, NULL, "10.0.0.6"},
		{HOSTS, "timeout", "2s", NULL},
		{HOSTS, "get", "1.3.6.1.2.1.1.5.0", NULL},
		{HOSTS, "port", "1161", NULL},
		{CREDENTIAL("one") HOSTS, NULL, NULL, NULL},
		{"hosts: [10.0.0.0/29, {host: 10.0.1.1, label: other}, a.example]\n", NULL, NULL,
		 NULL},
		{"hosts: [10.0.0.0/29, {host: 10.0.1.2, label: core}, a.example]\n", NULL, NULL,
		 NULL},
		{"hosts: [10.0.0.8/29, {host: 10.0.1.1, label: core}, a.example]\n", NULL, NULL,
		 NULL},
		{"hosts: [a.example, 10.0.0.0/29, {host: 10.0.1.1, label: core}]\n", NULL, NULL,
		 NULL},
		{"hosts: [10.0.0.0/29, {host: 10.0.1.1, label: core, retries: 7}, a.example]\n",
		 NULL, NULL, NULL},
	};
	enum {
		N = sizeof(all) / sizeof(all[0])
	};
	uint64_t numbers[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		numbers[i] = what(&all[i]);
		for (size_t j = 0; j < i; j++)
			if (numbers[i] == numbers[j])
				fail_msg("%s and %s (%zu, %zu)", all[i].yaml, all[j].yaml, i, j);
	}
}

static int setup(void **state)
{
	(void)state;
	pdu_init();
	mib_setup(NULL, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

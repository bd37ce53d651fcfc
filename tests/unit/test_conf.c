/* conf: what is read from good files, what holds for a target in the end, and what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/conf.h"

static const struct settings no_command;

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* All errors and warnings as one string, valid until the next call. */
static const char *said(const struct conf *c, void (*what)(const struct conf *, struct buf *))
{
	static char text[8192];
	struct buf b = {0};

	what(c, &b);
	assert_true(b.len < sizeof(text));
	snprintf(text, sizeof(text), "%.*s", (int)b.len, b.data ? (const char *)b.data : "");
	buf_free(&b);
	return text;
}

static void errors(const struct conf *c, struct buf *out)
{
	assert_int_equal(conf_errors(c, out), conf_error_count(c));
}

/* A configuration of these texts (a.yaml, b.yaml …), which have no error. */
static struct conf *read_texts(const char *const *texts)
{
	struct conf *c = conf_new();
	char name[] = "a.yaml";

	for (; *texts; texts++, name[0]++) {
		write_file(name, *texts, 0600);
		conf_read(c, name);
	}
	conf_check(c, &no_command);
	assert_string_equal(said(c, errors), "");
	assert_string_equal(said(c, conf_warnings), "");
	return c;
}
#define READ(...) read_texts((const char *const[]){__VA_ARGS__, NULL})

static const struct conf_entry *entry(const struct conf *c, size_t i)
{
	size_t count;
	const struct conf_entry *entries = conf_entries(c, &count);

	assert_true(i < count);
	return &entries[i];
}

static size_t entry_count(const struct conf *c)
{
	size_t count;

	conf_entries(c, &count);
	return count;
}

static const struct settings *settled(const struct conf *c, const struct conf_entry *e,
				      const struct settings *command)
{
	static struct settings s;

	conf_settings(c, e, command ? command : &no_command, &s);
	return &s;
}
#define TEXT(c, i, key)   (settled(c, entry(c, i), NULL)->value[key].text)
#define NUMBER(c, i, key) (settled(c, entry(c, i), NULL)->value[key].number)

static void assert_list(const struct conf_list *list, const char *words)
{
	char joined[1000] = "";

	assert_non_null(list);
	for (size_t i = 0; i < list->count; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, list->item[i].text);
	}
	assert_string_equal(joined, words);
}

static void test_nothing(void **state)
{
	static const char *const texts[] = {"",
					    "---",
					    "--- # only this\n",
					    "# only this\n",
					    "hosts:",
					    "hosts: []",
					    "{}",
					    "%YAML 1.1\n---\nhosts: []\n...\n",
					    "defaults:\ngroups:\ncredentials:\n  a:\nhosts:\n",
					    "\xef\xbb\xbfhosts: []"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct conf *c = READ(texts[i]);

		assert_int_equal(entry_count(c), 0);
		conf_free(c);
	}
	conf_free(NULL);
}

static void test_design_sample(void **state)
{
	struct conf *c;

	(void)state;
	setenv("SNMP_PRIV", "private-passphrase", 1);
	write_file("auth", "auth-passphrase\n", 0600);
	c = READ("defaults:                      # every key may also stand in a group or a host\n"
		 "  version: 2c\n"
		 "  community: public\n"
		 "  timeout: 1s\n"
		 "  retries: 2\n"
		 "  get: [sysDescr.0, sysUpTime.0]\n"
		 "credentials:\n"
		 "  core-v3: {version: 3, user: poller, auth: SHA-256, auth_pass_file: auth, priv: "
		 "AES, priv_pass_env: SNMP_PRIV}\n"
		 "groups:\n"
		 "  switches: {credential: core-v3, walk: [IF-MIB::ifXTable]}\n"
		 "hosts:\n"
		 "  - localhost                  # a bare name takes everything from defaults\n"
		 "  - 192.0.2.0/28\n"
		 "  - host: example.com:1161\n"
		 "    community: mysecret\n"
		 "    get: [1.3.6.1.2.1.1.5.0]\n"
		 "  - {host: \"[2001:db8::1]\", group: switches}\n");
	assert_int_equal(entry_count(c), 4);
	assert_string_equal(entry(c, 0)->host, "localhost");
	assert_null(entry(c, 0)->keys);
	assert_string_equal(entry(c, 1)->host, "192.0.2.0/28");
	assert_string_equal(entry(c, 2)->host, "example.com:1161");
	assert_string_equal(entry(c, 3)->host, "[2001:db8::1]");
	assert_string_equal(TEXT(c, 0, SET_COMMUNITY), "public");
	assert_string_equal(TEXT(c, 2, SET_COMMUNITY), "mysecret");
	assert_list(settled(c, entry(c, 0), NULL)->value[SET_GET].list, "sysDescr.0 sysUpTime.0");
	assert_list(settled(c, entry(c, 2), NULL)->value[SET_GET].list, "1.3.6.1.2.1.1.5.0");
	assert_list(settled(c, entry(c, 3), NULL)->value[SET_WALK].list, "IF-MIB::ifXTable");
	assert_int_equal(NUMBER(c, 0, SET_VERSION), 1);
	assert_int_equal(NUMBER(c, 3, SET_VERSION), 3);
	assert_string_equal(TEXT(c, 3, SET_USER), "poller");
	assert_string_equal(TEXT(c, 3, SET_AUTH), "SHA-256");
	assert_string_equal(TEXT(c, 3, SET_AUTH_PASS), "auth-passphrase");
	assert_string_equal(TEXT(c, 3, SET_PRIV_PASS), "private-passphrase");
	conf_free(c);
	unsetenv("SNMP_PRIV");
}

static void test_as_written(void **state)
{
	struct conf *c = READ("hosts:\n"
			      "- {host: a, community: no, get: [1.10, 0777, null, ~]}\n"
			      "- {host: b, community: 0x10, context: 1e3, user: yes, version: 1}\n"
			      "- {host: c, community: '', port: \"161\"}\n"
			      "- {host: d, community: \"\\x41\\u00e9\"}\n"
			      "- {host: e, community: '#1: x'}\n"
			      "- host: f\n"
			      "  community: >-\n    two\n    lines\n");

	(void)state;
	assert_string_equal(TEXT(c, 0, SET_COMMUNITY), "no");
	assert_list(settled(c, entry(c, 0), NULL)->value[SET_GET].list, "1.10 0777 null ~");
	assert_string_equal(TEXT(c, 1, SET_COMMUNITY), "0x10");
	assert_string_equal(TEXT(c, 1, SET_CONTEXT), "1e3");
	assert_string_equal(TEXT(c, 1, SET_USER), "yes");
	assert_string_equal(TEXT(c, 2, SET_COMMUNITY), "");
	assert_int_equal(NUMBER(c, 2, SET_PORT), 161);
	assert_string_equal(TEXT(c, 3, SET_COMMUNITY), "A\xc3\xa9");
	assert_string_equal(TEXT(c, 4, SET_COMMUNITY), "#1: x");
	assert_string_equal(TEXT(c, 5, SET_COMMUNITY), "two lines");
	conf_free(c);
}

static void test_builtin(void **state)
{
	struct conf *c = READ("hosts: [a]");
	const struct settings *s = settled(c, entry(c, 0), NULL);

	(void)state;
	assert_int_equal(s->set, 0);
	assert_int_equal(s->value[SET_PORT].number, 161);
	assert_string_equal(s->value[SET_COMMUNITY].text, "public");
	assert_null(s->value[SET_GET].list);
	conf_free(c);
}

/* Each level sets one key more than the one below: who wins shows in what is left. */
static void test_precedence(void **state)
{
	struct conf *c = READ(
		"defaults: {timeout: 1s, retries: 1, port: 1, per_host: 1, family: 4, "
		"group: g}\n"
		"groups:\n"
		"  g: {timeout: 3s, retries: 3, port: 3}\n"
		"  h: {timeout: 5s}\n"
		"hosts:\n"
		"- {host: a, timeout: 4s, retries: 4}\n"
		"- {host: b, group: h}\n");
	struct settings command = {0};
	const struct settings *s;

	(void)state;
	conf_set(c, &command, "timeout", "2s");
	conf_set(c, &command, "retries", "2");
	conf_set(c, &command, "port", "2");
	conf_set(c, &command, "per_host", "2");
	s = settled(c, entry(c, 0), &command);
	assert_int_equal(s->value[SET_TIMEOUT].number, 4000000);
	assert_int_equal(s->value[SET_RETRIES].number, 4);
	assert_int_equal(s->value[SET_PORT].number, 3);
	assert_int_equal(s->value[SET_PER_HOST].number, 2);
	assert_int_equal(s->value[SET_FAMILY].number, 4);
	assert_int_equal(s->place[SET_TIMEOUT].line, 6);
	assert_int_equal(s->place[SET_TIMEOUT].column, 22);
	assert_int_equal(s->place[SET_PORT].line, 3);
	assert_int_equal(s->place[SET_PER_HOST].line, 0);
	s = settled(c, entry(c, 1), &command);
	assert_int_equal(s->value[SET_TIMEOUT].number, 5000000);
	assert_int_equal(s->value[SET_RETRIES].number, 2);
	assert_string_equal(s->value[SET_GROUP].text, "h");
	s = settled(c, NULL, &command); /* a target that no entry names */
	assert_int_equal(s->value[SET_TIMEOUT].number, 3000000);
	assert_int_equal(s->value[SET_PER_HOST].number, 2);
	conf_set(c, &command, "group", "h");
	s = settled(c, NULL, &command);
	assert_int_equal(s->value[SET_TIMEOUT].number, 5000000);
	assert_int_equal(s->value[SET_PORT].number, 2);
	conf_free(c);
}

/* A credential stands for its keys at the level where it is named, below that level's own. */
static void test_credentials(void **state)
{
	struct conf *c = READ("defaults: {community: d}\n"
			      "credentials:\n"
			      "  x: {community: x, version: 1}\n"
			      "  y: {community: y}\n"
			      "groups:\n"
			      "  g: {credential: x}\n"
			      "  h: {community: h, credential: x}\n"
			      "hosts:\n"
			      "- {host: a, credential: x}\n"
			      "- {host: b, community: b, credential: x}\n"
			      "- {host: c, group: g, credential: y}\n"
			      "- {host: d, group: h}\n"
			      "- {host: e, group: g, community: e}\n");
	struct settings command = {0};
	const struct settings *s;

	(void)state;
	assert_string_equal(TEXT(c, 0, SET_COMMUNITY), "x");
	assert_int_equal(NUMBER(c, 0, SET_VERSION), 0);
	assert_string_equal(TEXT(c, 1, SET_COMMUNITY), "b");
	assert_int_equal(NUMBER(c, 1, SET_VERSION), 0);
	assert_string_equal(TEXT(c, 2, SET_COMMUNITY), "y");
	assert_int_equal(NUMBER(c, 2, SET_VERSION), 0);
	assert_string_equal(TEXT(c, 3, SET_COMMUNITY), "h");
	assert_string_equal(TEXT(c, 4, SET_COMMUNITY), "e");
	conf_set(c, &command, "credential", "y");
	s = settled(c, NULL, &command);
	assert_string_equal(s->value[SET_COMMUNITY].text, "y");
	conf_set(c, &command, "community", "z");
	s = settled(c, NULL, &command);
	assert_string_equal(s->value[SET_COMMUNITY].text, "z");
	s = settled(c, entry(c, 0), &command);
	assert_string_equal(s->value[SET_COMMUNITY].text, "x");
	conf_free(c);
}

static void test_lists_replace(void **state)
{
	struct conf *c = READ("defaults: {get: [a, b], walk: [w]}\n"
			      "hosts:\n- {host: x, get: [c]}\n- {host: y, get: []}\n- z\n");
	struct settings command = {0};

	(void)state;
	assert_list(settled(c, entry(c, 0), NULL)->value[SET_GET].list, "c");
	assert_list(settled(c, entry(c, 0), NULL)->value[SET_WALK].list, "w");
	assert_list(settled(c, entry(c, 1), NULL)->value[SET_GET].list, "");
	assert_list(settled(c, entry(c, 2), NULL)->value[SET_GET].list, "a b");
	conf_set(c, &command, "get", "d,e"); /* on the command line they add up … */
	conf_set(c, &command, "get", "f");
	assert_list(settled(c, entry(c, 2), &command)->value[SET_GET].list, "d e f"); /* … there */
	assert_list(settled(c, entry(c, 0), &command)->value[SET_GET].list, "c");
	assert_int_equal(conf_error_count(c), 0);
	conf_free(c);
}

static void test_several_files(void **state)
{
	struct conf *c = READ("defaults: {community: one, retries: 1}\n"
			      "credentials: {x: {community: x}}\n"
			      "run_as: poller\n"
			      "mibs: [IF-MIB, ./mine, /usr/share/mibs]\n"
			      "hosts: [a]\n",
			      "hosts: [b, {host: c, group: g}]\n",
			      "defaults: {community: three}\n"
			      "groups: {g: {credential: x}}\n"
			      "mibs: [FOO-MIB]\n"
			      "hosts: [d]\n");

	(void)state;
	assert_int_equal(entry_count(c), 4);
	assert_string_equal(TEXT(c, 0, SET_COMMUNITY), "one");
	assert_string_equal(TEXT(c, 1, SET_COMMUNITY), "one"); /* of the file before */
	assert_string_equal(TEXT(c, 2, SET_COMMUNITY), "x");
	assert_string_equal(TEXT(c, 3, SET_COMMUNITY), "three");
	assert_int_equal(NUMBER(c, 3, SET_RETRIES), 1);
	assert_string_equal(settled(c, NULL, NULL)->value[SET_COMMUNITY].text, "three");
	assert_string_equal(conf_run_as(c, NULL), "poller");
	assert_string_equal(conf_mib_dirs(c), "./mine:/usr/share/mibs");
	assert_string_equal(conf_mib_modules(c), "IF-MIB:FOO-MIB");
	conf_free(c);
	c = READ("hosts: []");
	assert_null(conf_run_as(c, NULL));
	assert_null(conf_mib_dirs(c));
	assert_null(conf_mib_modules(c));
	conf_free(c);
}

static void test_find(void **state)
{
	struct conf *c = READ(
		"hosts:\n- a\n- {host: b, label: Core, port: 1}\n- {host: b, port: 2}\n");

	(void)state;
	assert_ptr_equal(conf_find(c, "a"), entry(c, 0));
	assert_ptr_equal(conf_find(c, "Core"), entry(c, 1));
	assert_ptr_equal(conf_find(c, "b"), entry(c, 1)); /* the first of the two */
	assert_null(conf_find(c, "core"));
	assert_null(conf_find(c, "a:161"));
	assert_string_equal(TEXT(c, 1, SET_LABEL), "Core");
	conf_free(c);
}

static void test_secret_sources(void **state)
{
	struct conf *c;
	size_t count;

	(void)state;
	mkdir("sub", 0700);
	write_file("sub/plain", "s3cret", 0600);
	write_file("sub/crlf", "s3cret\r\n", 0600);
	write_file("sub/two", "s3cret\n\n", 0600);
	setenv("CONF_TEST", "from environment", 1);
	write_file("sub/c.yaml",
		   "hosts:\n"
		   "- {host: a, community_file: plain}\n" /* beside the file that names it */
		   "- {host: b, community_file: crlf}\n"
		   "- {host: c, community_file: two}\n" /* one newline is the file's, not two */
		   "- {host: d, community_env: CONF_TEST}\n",
		   0644); /* no secret stands in it */
	c = conf_new();
	conf_read(c, "sub/c.yaml");
	assert_string_equal(said(c, errors), "");
	assert_string_equal(said(c, conf_warnings), "");
	conf_entries(c, &count);
	assert_int_equal(count, 4);
	assert_string_equal(TEXT(c, 0, SET_COMMUNITY), "s3cret");
	assert_string_equal(TEXT(c, 1, SET_COMMUNITY), "s3cret");
	assert_string_equal(TEXT(c, 2, SET_COMMUNITY), "s3cret\n");
	assert_string_equal(TEXT(c, 3, SET_COMMUNITY), "from environment");
	conf_free(c);
	unsetenv("CONF_TEST");
}

static void test_command_secrets(void **state)
{
	struct conf *c = conf_new();
	struct settings s = {0};

	(void)state;
	write_file("secret", "0ther\n", 0600);
	conf_set(c, &s, "community", "mine");
	assert_string_equal(s.value[SET_COMMUNITY].text, "mine");
	conf_set(c, &s, "community_file", "secret"); /* the last one counts */
	assert_string_equal(s.value[SET_COMMUNITY].text, "0ther");
	assert_int_equal(s.set, 1u << SET_COMMUNITY);
	assert_int_equal(conf_error_count(c), 0);
	conf_free(c);
}

/* Overwritten where it lies, which /proc shows, and taken out; and all that name it find it. */
static void test_variables_go(void **state)
{
	static char variable[] = "CONF_TEST=taken-once";
	static const char empty[11] = "";
	struct settings s = {0};
	struct conf *c;

	(void)state;
	putenv(variable);
	c = READ("credentials:\n"
		 "  a: {auth_pass_env: CONF_TEST}\n"
		 "  b: {priv_pass_env: CONF_TEST, community_env: CONF_TEST}\n"
		 "hosts: [{host: h, credential: a}, {host: i, credential: b}]\n",
		 "hosts: [{host: j, community_env: CONF_TEST}]\n");
	conf_set(c, &s, "community_env", "CONF_TEST");
	assert_string_equal(said(c, errors), "");
	assert_null(getenv("CONF_TEST"));
	assert_memory_equal(variable + strlen("CONF_TEST="), empty, sizeof(empty));
	assert_string_equal(TEXT(c, 0, SET_AUTH_PASS), "taken-once");
	assert_string_equal(TEXT(c, 1, SET_PRIV_PASS), "taken-once");
	assert_string_equal(TEXT(c, 1, SET_COMMUNITY), "taken-once");
	assert_string_equal(TEXT(c, 2, SET_COMMUNITY), "taken-once");
	assert_string_equal(s.value[SET_COMMUNITY].text, "taken-once");
	conf_set(c, &s, "community_env", "CONF_TEST_NONE");
	assert_string_equal(said(c, errors), "command line: community_env: the environment has no "
					     "'CONF_TEST_NONE'\n");
	conf_free(c);
}

/* systemd's folder comes first, for names that have none of their own. */
static void test_credentials_folder(void **state)
{
	static const struct {
		const char *folder, *name, *text;
	} rows[] = {
		{"given", "pass", "from the service"}, {NULL, "pass", "from beside"},
		{"", "pass", "from beside"},           {"given", "./pass", "from beside"},
		{"given", "other", "only beside"},     {"none", "pass", "from beside"},
	};

	(void)state;
	mkdir("given", 0700);
	write_file("given/pass", "from the service\n", 0400);
	write_file("pass", "from beside\n", 0600);
	write_file("other", "only beside\n", 0600);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf *c = conf_new();
		struct settings s = {0};

		if (rows[i].folder)
			setenv("CREDENTIALS_DIRECTORY", rows[i].folder, 1);
		else
			unsetenv("CREDENTIALS_DIRECTORY");
		conf_set(c, &s, "community_file", rows[i].name);
		assert_string_equal(said(c, errors), "");
		assert_string_equal(s.value[SET_COMMUNITY].text, rows[i].text);
		conf_free(c);
	}
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* Also a value that another has replaced. */
static void test_secrets_are_forgotten(void **state)
{
	const char *secrets[6];
	struct settings s = {0};
	struct conf *c;

	(void)state;
	write_file("secret", "in-a-file", 0600);
	setenv("CONF_TEST", "in-the-environment", 1);
	c = READ("defaults: {community: written, auth_pass_file: secret}\n"
		 "hosts: [{host: h, community: of-the-host, priv_pass_env: CONF_TEST}]\n");
	conf_set(c, &s, "community", "first");
	secrets[0] = s.value[SET_COMMUNITY].text;
	conf_set(c, &s, "community", "second");
	secrets[1] = s.value[SET_COMMUNITY].text;
	secrets[2] = TEXT(c, 0, SET_COMMUNITY);
	secrets[3] = TEXT(c, 0, SET_AUTH_PASS);
	secrets[4] = TEXT(c, 0, SET_PRIV_PASS);
	secrets[5] = settled(c, NULL, NULL)->value[SET_COMMUNITY].text;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_true(strlen(secrets[i]) > 4);
	conf_forget_secrets(c);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_string_equal(secrets[i], "");
	assert_string_equal(entry(c, 0)->host, "h");
	conf_free(c);
}

static void test_warnings(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		bool warned;
	} rows[] = {
		{"hosts: [{host: a, community: x}, {host: b, community: y}]", 0644, true},
		{"hosts: [{host: a, community: x}]", 0640, false},
		{"hosts: [{host: a, community: x}]", 0604, true},
		{"hosts: [{host: a, community: public}]", 0644, false},
		{"credentials: {c: {auth_pass: 12345678}}", 0644, true},
		{"credentials: {c: {priv_pass: 12345678}}", 0644, true},
		{"hosts: [a]", 0644, false},
	};
	struct conf *c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c = conf_new();
		write_file("w.yaml", rows[i].text, rows[i].mode);
		conf_read(c, "w.yaml");
		assert_string_equal(said(c, errors), "");
		assert_string_equal(said(c, conf_warnings),
				    rows[i].warned ? "w.yaml: holds a secret and is readable by "
						     "everyone: chmod o-r it\n"
						   : "");
		conf_free(c);
	}
	write_file("secret", "x", 0644);
	write_file("w.yaml",
		   "hosts: [{host: a, community_file: secret}, {host: b, community_file: secret}]",
		   0600);
	c = conf_new();
	conf_read(c, "w.yaml");
	assert_string_equal(said(c, conf_warnings),
			    "secret: holds a secret and is readable by everyone: chmod o-r it\n");
	conf_free(c);
}

static void test_targets(void **state)
{
	struct conf *c = conf_new();
	char *const *targets;
	size_t count;

	(void)state;
	write_file("t",
		   "\xef\xbb\xbf# ours\n\n192.0.2.1\r\n  core-1:1161\t# the core\n"
		   "10.0.0.0/8#no comment\n\n2001:db8::1",
		   0644);
	conf_add_target(c, "first");
	conf_read_targets(c, "t");
	conf_add_target(c, "no:port");
	targets = conf_targets(c, &count);
	assert_int_equal(count, 4);
	assert_string_equal(targets[0], "first");
	assert_string_equal(targets[1], "192.0.2.1");
	assert_string_equal(targets[2], "core-1:1161");
	assert_string_equal(targets[3], "2001:db8::1");
	assert_string_equal(said(c, errors),
			    "command line: target 'no:port': bad port 'port': 1 to 65535\n"
			    "t:5: target '10.0.0.0/8#no comment': bad prefix length '/8#no "
			    "comment': /0 to /32\n");
	conf_free(c);
}

static void test_standard_input(void **state)
{
	struct conf *c = conf_new();
	int fds[2];
	int old = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "hosts: [a, b]\nx: y\n", 19), 19);
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	conf_read(c, "-");
	conf_read_targets(c, "-");
	dup2(old, STDIN_FILENO);
	close(old);
	assert_int_equal(entry_count(c), 2);
	assert_string_equal(said(c, errors), "standard input:2:1: unknown key 'x'\n"
					     "standard input: standard input is read for two "
					     "files\n");
	conf_free(c);
}

/* What YAML counts as one character is one column, in whichever chunk of the file it lies. */
static void test_places_in_a_large_file(void **state)
{
	struct buf text = {0};
	struct conf *c = conf_new();

	(void)state;
	buf_puts(&text, "hosts:\n");
	for (int i = 0; i < 20000; i++)
		buf_printf(&text,
			   "- {host: h%d, context: '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'}\n", i);
	buf_puts(&text, "- {host: h, context: '\xc3\xa9\xe2\x82\xac', prot: 1}\n  \xff");
	buf_putc(&text, '\0');
	write_file("large.yaml", (const char *)text.data, 0600);
	conf_read(c, "large.yaml");
	assert_int_equal(entry_count(c), 20001);
	assert_string_equal(TEXT(c, 19999, SET_CONTEXT), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(entry(c, 19999)->place.line, 20001);
	assert_int_equal(entry(c, 19999)->place.column, 10);
	assert_string_equal(said(c, errors),
			    "large.yaml:20002:28: unknown key 'prot' (did you mean 'port'?)\n"
			    "large.yaml:20003:3: not UTF-8\n");
	buf_free(&text);
	conf_free(c);
}

/* Octets that this process has had in memory at most. */
static size_t peak(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
	return (size_t)usage.ru_maxrss;
#else
	return (size_t)usage.ru_maxrss * 1024;
#endif
}

#if defined(__SANITIZE_ADDRESS__)
#define OVERHEAD 10 /* what was freed stays in quarantine */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OVERHEAD 10
#endif
#endif
#ifndef OVERHEAD
#define OVERHEAD 1
#endif

/* Entries are listed by the million: each costs its text and 24 octets, in an array that may be half
 * empty. A process of its own, since a peak never falls. */
static void test_memory(void **state)
{
	enum {
		ENTRIES = 500000
	};
	struct buf text = {0};
	int status;
	pid_t child;

	(void)state;
	buf_puts(&text, "hosts:\n");
	for (int i = 0; i < ENTRIES; i++)
		buf_printf(&text, "- host-%06d.example\n", i); /* 19 octets and a NUL */
	buf_putc(&text, '\0');
	write_file("many.yaml", (const char *)text.data, 0600);
	buf_free(&text);
	child = fork();
	if (child == 0) {
		size_t before = peak();
		struct conf *c = conf_new();
		size_t cost;

		conf_read(c, "many.yaml");
		cost = (peak() - before) / ENTRIES;
		_exit(entry_count(c) != ENTRIES || cost < 20 || cost > 80 * OVERHEAD);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_sample_file(void **state)
{
	const char *top = *state;
	struct conf *c = conf_new();
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/etc/multisnmp.yaml", top);
	conf_read(c, path);
	conf_check(c, &no_command);
	assert_string_equal(said(c, errors), "");
	assert_string_equal(said(c, conf_warnings), "");
	assert_int_equal(entry_count(c), 1);
	conf_free(c);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	char folder[] = "/tmp/test_conf.XXXXXX";
	char top[PATH_MAX];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_design_sample),
		cmocka_unit_test(test_as_written),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_lists_replace),
		cmocka_unit_test(test_several_files),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_secret_sources),
		cmocka_unit_test(test_command_secrets),
		cmocka_unit_test(test_variables_go),
		cmocka_unit_test(test_credentials_folder),
		cmocka_unit_test(test_secrets_are_forgotten),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_places_in_a_large_file),
		cmocka_unit_test(test_memory),
		cmocka_unit_test_prestate(test_sample_file, top),
	};
	int failed;

	/* make check names the source tree; by hand, be in it */
	if (!realpath(getenv("ABS_SRCDIR") ? getenv("ABS_SRCDIR") : ".", top) || !mkdtemp(folder) ||
	    chdir(folder) < 0)
		return 99;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (chdir("/") < 0 || nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		return 99;
	return failed;
}

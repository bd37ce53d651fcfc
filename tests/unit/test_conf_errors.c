/* conf: every mistake that a person makes in YAML, with the exact words; and files that mean harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/conf.h"
#include "plan/conf_reader.h"

static const struct settings no_command;

static void write_octets(const char *path, const void *octets, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* What is said of a configuration, without the last newline; valid until the next call. */
static const char *said(const struct conf *c)
{
	static char text[32768];
	struct buf b = {0};

	conf_errors(c, &b);
	assert_true(b.len < sizeof(text));
	snprintf(text, sizeof(text), "%.*s", b.len ? (int)b.len - 1 : 0,
		 b.data ? (const char *)b.data : "");
	buf_free(&b);
	return text;
}

static const char *said_of(const void *octets, size_t len)
{
	struct conf *c = conf_new();
	const char *text;

	write_octets("h.yaml", octets, len);
	conf_read(c, "h.yaml");
	conf_check(c, &no_command);
	text = said(c);
	conf_free(c);
	return text;
}

struct mistake {
	const char *text;
	const char *said;
};

static void assert_mistakes(const struct mistake *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(said_of(rows[i].text, strlen(rows[i].text)), rows[i].said);
}
#define ASSERT_MISTAKES(rows) assert_mistakes(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_keys(void **state)
{
	static const struct mistake rows[] = {
		{"hosts:\n- host: a\n  comunity: x\n",
		 "h.yaml:3:3: unknown key 'comunity' (did you mean 'community'?)"},
		{"hosts: [{hots: a}]", "h.yaml:1:9: an entry without 'host'\n"
				       "h.yaml:1:10: unknown key 'hots' (did you mean 'host'?)"},
		{"defaults: {password: x}", "h.yaml:1:12: unknown key 'password'"},
		{"defaults: {host: a}", "h.yaml:1:12: 'host' stands in an entry of 'hosts:' only"},
		{"groups: {g: {time-out: 1s}}",
		 "h.yaml:1:14: unknown key 'time-out' (did you mean 'timeout'?)"},
		{"credentials: {c: {auth_pas_file: x}}",
		 "h.yaml:1:19: unknown key 'auth_pas_file' (did you mean 'auth_pass_file'?)"},
		{"host: [a]", "h.yaml:1:1: unknown key 'host' (did you mean 'hosts'?)"},
		{"Hosts: [a]", "h.yaml:1:1: unknown key 'Hosts' (did you mean 'hosts'?)"},
		{"timeout: 1s", "h.yaml:1:1: 'timeout' is a key of targets: it goes under "
				"'defaults:'"},
		{"defaults: {run_as: x}",
		 "h.yaml:1:12: 'run_as' stands at the top level of a file only"},
		{"defaults: {label: x}", "h.yaml:1:12: 'label' is not allowed in defaults"},
		{"groups: {g: {group: g}}", "h.yaml:1:14: 'group' is not allowed in a group"},
		{"credentials: {c: {get: [a]}}",
		 "h.yaml:1:19: 'get' is not allowed in a credential"},
		{"hosts: [{host: a, user_env: U}]", "h.yaml:1:19: unknown key 'user_env'"},
		{"hosts: []\ndefaults: {}\nhosts: []",
		 "h.yaml:3:1: duplicate key 'hosts' (first on line 1)"},
		{"hosts:\n- host: a\n  port: 1\n  port: 1\n",
		 "h.yaml:4:3: duplicate key 'port' (first on line 3)"},
		{"hosts: [{host: a,\nhost: b}]",
		 "h.yaml:2:1: duplicate key 'host' (first on line 1)"},
		{"defaults:\n  port: x\n  port: 1\n", /* wrong or not, it was written */
		 "h.yaml:2:9: port: 'x' is not a whole number from 1 to 65535\n"
		 "h.yaml:3:3: duplicate key 'port' (first on line 2)"},
		{"defaults:\n  community: a\n  community_env: HOME\n",
		 "h.yaml:3:3: 'community_env' beside 'community' on line 2: keep one of them"},
		{"defaults:\n  auth_pass_file: /dev/null\n  auth_pass_env: HOME\n",
		 "h.yaml:2:19: auth_pass_file: at least 8 octets\n"
		 "h.yaml:3:3: 'auth_pass_env' beside 'auth_pass_file' on line 2: keep one of them"},
		{"groups: {a: {}, b: {}, a: {}}",
		 "h.yaml:1:24: duplicate group 'a' (first at h.yaml:1:10)"},
		{"credentials:\n  a: {}\n  a: {}\n",
		 "h.yaml:3:3: duplicate credential 'a' (first at h.yaml:2:3)"},
		{"? [a]\n: b\n", "h.yaml:1:3: a key is a word, not a list or mapping"},
		{"defaults: {? {a: b} : {c: d}, port: 0}",
		 "h.yaml:1:14: a key is a word, not a list or mapping\n"
		 "h.yaml:1:37: port: '0' is not a whole number from 1 to 65535"},
		{"defaults: {'': x}", "h.yaml:1:12: unknown key ''"},
	};

	(void)state;
	ASSERT_MISTAKES(rows);
}

static void test_values(void **state)
{
	static const struct mistake rows[] = {
		{"defaults:\n  timeout: 1 s\n", "h.yaml:2:12: timeout: '1 s' is not a duration: "
						"write it as 500ms, 1s, 1.5s, 2m or "
						"1h"},
		{"defaults: {timeout: 0}", "h.yaml:1:21: timeout: '0' is out of bounds: 1ms to 1h"},
		{"defaults: {timeout: -1s}", "h.yaml:1:21: timeout: '-1s' is not a duration: write "
					     "it as 500ms, 1s, 1.5s, 2m or 1h"},
		{"defaults: {retries: two}",
		 "h.yaml:1:21: retries: 'two' is not a whole number from 0 to 100"},
		{"defaults: {port: 65536}",
		 "h.yaml:1:18: port: '65536' is not a whole number from 1 to 65535"},
		{"defaults: {any_source: yes}",
		 "h.yaml:1:24: any_source: 'yes' is none of true, false"},
		{"defaults: {family: ipv4}", "h.yaml:1:20: family: 'ipv4' is none of 4, 6, any"},
		{"defaults: {version: 2}",
		 "h.yaml:1:21: version: '2' is none of 1, 2c, 3 (did you mean '2c'?)"},
		{"defaults: {auth: SHA256}",
		 "h.yaml:1:18: auth: 'SHA256' is none of MD5, SHA, SHA-224, SHA-256, SHA-384, "
		 "SHA-512, SHA-1 (did you mean 'SHA-256'?)"},
		{"defaults: {level: authpriv, nonincreasing: go}",
		 "h.yaml:1:44: nonincreasing: 'go' is none of stop, allow"},
		{"defaults: {auth_pass: short}", "h.yaml:1:23: auth_pass: at least 8 octets"},
		{"defaults: {user: ''}", "h.yaml:1:18: user: empty"},
		{"defaults: {engine_id: 8000}", "h.yaml:1:23: engine_id: '8000' is not 5 to 32 "
						"octets in hexadecimal"},
		{"defaults:\n  community:\n", "h.yaml:2:13: community: no value"},
		{"defaults: {community: [a]}",
		 "h.yaml:1:23: community: takes one value, not a list or mapping"},
		{"defaults: {timeout: {s: 1}, port: 0}",
		 "h.yaml:1:21: timeout: takes one value, not a list or mapping\n"
		 "h.yaml:1:35: port: '0' is not a whole number from 1 to 65535"},
		{"defaults: {get: sysDescr.0}",
		 "h.yaml:1:17: get: takes a list: write [...] around it"},
		{"defaults:\n  get:\n", "h.yaml:2:7: get: takes a list: write [...] around it"},
		{"defaults: {walk: [a, [b], {c: d}, '']}",
		 "h.yaml:1:22: walk: takes words, not lists or mappings\n"
		 "h.yaml:1:27: walk: takes words, not lists or mappings\n"
		 "h.yaml:1:35: walk: empty"},
		{"defaults: {community: \"a\\0b\"}", "h.yaml:1:23: a NUL character in a value"},
		{"defaults: {community_file: /nonexistent/x}",
		 "h.yaml:1:28: community_file: '/nonexistent/x': No such file or directory"},
		{"defaults: {community_file: /}",
		 "h.yaml:1:28: community_file: '/': Is a directory"},
		{"defaults: {community_file: /dev/zero}",
		 "h.yaml:1:28: community_file: '/dev/zero' is no text of at most 4096 octets"},
		{"defaults: {community_env: NO_SUCH_NAME}",
		 "h.yaml:1:27: community_env: the environment has no 'NO_SUCH_NAME'"},
		{"mibs: [IF-MIB, 'a:b', '']",
		 "h.yaml:1:16: mibs: 'a:b' is neither a folder (with a '/') nor a module\n"
		 "h.yaml:1:23: mibs: '' is neither a folder (with a '/') nor a module"},
		{"mibs: IF-MIB", "h.yaml:1:7: mibs: takes a list: write [...] around it"},
		{"run_as:", "h.yaml:1:8: run_as: takes the name of a user"},
		{"run_as: [nobody]", "h.yaml:1:9: run_as: takes the name of a user"},
		{"defaults: [a]", "h.yaml:1:11: defaults: takes a mapping of keys to values"},
		{"groups: {g: x}", "h.yaml:1:13: g: takes a mapping of keys to values"},
		{"credentials: [c]",
		 "h.yaml:1:14: credentials: takes a mapping of names to settings"},
	};

	(void)state;
	ASSERT_MISTAKES(rows);
}

static void test_hosts(void **state)
{
	static const struct mistake rows[] = {
		{"hosts: {a: {}}",
		 "h.yaml:1:8: hosts: takes a list: write '- ' before each target"},
		{"hosts: a", "h.yaml:1:8: hosts: takes a list: write '- ' before each target"},
		{"hosts: [[a]]",
		 "h.yaml:1:9: host: takes one target, in quotes if it has brackets"},
		{"hosts: [{host: [a]}]",
		 "h.yaml:1:16: host: takes one target, in quotes if it has brackets"},
		{"hosts:\n- {port: 1}\n", "h.yaml:2:3: an entry without 'host'"},
		{"hosts:\n- \n", "h.yaml:2:2: target '': empty: a target is a name, an address, a "
				 "block or a range"},
		{"hosts:\n  - 192.0.2.20-10\n  - 192.0.2.0/33\n  - a b\n",
		 "h.yaml:2:5: target '192.0.2.20-10': bad range: 20-10 runs backwards\n"
		 "h.yaml:3:5: target '192.0.2.0/33': bad prefix length '/33': /0 to /32\n"
		 "h.yaml:4:5: target 'a b': blank or control character in a host name"},
		{"hosts: [\"a\\nb\"]",
		 "h.yaml:1:9: target 'a?b': blank or control character in a host name"},
		{"hosts:\n- host: 192.0.2.0/24\n  label: x\n",
		 "h.yaml:3:10: label: is for single hosts, not for a block or range"},
		{"hosts:\n- {host: a, group: switch}\ngroups: {switches: {}}\n",
		 "h.yaml:2:20: unknown group 'switch' (did you mean 'switches'?)"},
		{"defaults: {group: g, credential: c}",
		 "h.yaml:1:19: unknown group 'g'\nh.yaml:1:34: unknown credential 'c'"},
		{"groups: {g: {credential: core-v3}}\ncredentials: {core-v2: {}}\n",
		 "h.yaml:1:26: unknown credential 'core-v3' (did you mean 'core-v2'?)"},
		{"- a\n- b\n",
		 "h.yaml:1:1: the file: begins with keys such as 'hosts:', its targets "
		 "are a list below that"},
		{"192.0.2.1",
		 "h.yaml:1:1: the file: begins with keys such as 'hosts:', its targets "
		 "are a list below that"},
	};

	(void)state;
	ASSERT_MISTAKES(rows);
}

static void test_v3_keys(void **state)
{
	static const struct mistake rows[] = {
		{"hosts: [{host: a, version: 3}]", "h.yaml:1:28: version 3: needs 'user'"},
		{"hosts: [{host: a, user: u}]", "h.yaml:1:25: user: needs 'version: 3'"},
		{"hosts: [{host: a, user: u, version: 2c}]", ""},
		{"credentials: {c: {version: 3, user: u, auth: SHA}}\n"
		 "hosts: [{host: a, credential: c}, {host: b, credential: c}]\n", /* told once */
		 "h.yaml:1:46: auth: needs 'auth_pass'"},
		{"hosts: [{host: a, version: 3, user: u, auth_pass: 12345678}]",
		 "h.yaml:1:51: auth_pass: needs 'auth'"},
		{"hosts: [{host: a, version: 3, user: u, priv: AES}]",
		 "h.yaml:1:46: priv: needs 'priv_pass'\nh.yaml:1:46: priv: needs 'auth'"},
		{"hosts: [{host: a, version: 3, user: u, level: authPriv, auth: MD5, "
		 "auth_pass: 12345678}]",
		 "h.yaml:1:47: level authPriv: needs 'priv'"},
		{"hosts: [{host: a, version: 3, user: u, level: authNoPriv}]",
		 "h.yaml:1:47: level authNoPriv: needs 'auth'"},
		{"hosts: [{host: a, version: 3, user: u, level: noAuthNoPriv}]", ""},
		{"defaults: {version: 3}\nhosts: [a, b]\n", "h.yaml:1:21: version 3: needs 'user'"},
		/* what was written wrong is not lacking */
		{"hosts: [{host: a, version: 3, user: ''}]", "h.yaml:1:37: user: empty"},
		{"hosts: [{host: a, user: u, version: 4}]",
		 "h.yaml:1:37: version: '4' is none of 1, 2c, 3"},
		{"hosts: [{host: a, version: 3, user: u, auth: SHA, auth_pass: short}]",
		 "h.yaml:1:62: auth_pass: at least 8 octets"},
		{"hosts: [{host: a, version: 3, user: u, auth: SHA, auth_pass_file: none}]",
		 "h.yaml:1:67: auth_pass_file: 'none': No such file or directory"},
		{"hosts: [{host: a, version: 3, user: u, auth: MD4, auth_pass: 12345678}]",
		 "h.yaml:1:46: auth: 'MD4' is none of MD5, SHA, SHA-224, SHA-256, SHA-384, "
		 "SHA-512, SHA-1 (did you mean 'MD5'?)"},
	};

	(void)state;
	ASSERT_MISTAKES(rows);
}

/* Every choice of keys, held to RFC 3411 §3.4.3 and to common sense, in a host and on the command line. */
static void test_v3_combinations(void **state)
{
	static const struct {
		const char *key, *value;
	} keys[] = {{"user", "u"},
		    {"auth", "SHA"},
		    {"auth_pass", "12345678"},
		    {"priv", "AES"},
		    {"priv_pass", "12345678"}};
	static const char *const levels[] = {NULL, "noAuthNoPriv", "authNoPriv", "authPriv"};
	enum {
		USER = 1,
		AUTH = 2,
		AUTH_PASS = 4,
		PRIV = 8,
		PRIV_PASS = 16,
		ALL = 31
	};

	(void)state;
	for (unsigned set = 0; set <= ALL; set++) {
		for (unsigned level = 0; level < 4; level++) {
			bool good = (set & USER) && !(set & AUTH) == !(set & AUTH_PASS) &&
				    !(set & PRIV) == !(set & PRIV_PASS) &&
				    ((set & AUTH) || !(set & PRIV)) &&
				    (level < 2 || (set & AUTH)) && (level < 3 || (set & PRIV));
			struct conf *c = conf_new();
			struct settings s = {0};

			conf_set(c, &s, "version", "3");
			for (unsigned k = 0; k < 5; k++)
				if (set & 1u << k)
					conf_set(c, &s, keys[k].key, keys[k].value);
			if (levels[level])
				conf_set(c, &s, "level", levels[level]);
			conf_add_target(c, "h");
			assert_int_equal(conf_error_count(c), 0);
			conf_check(c, &s);
			if (good != !conf_error_count(c))
				fail_msg("set %x, level %u: %s", set, level, said(c));
			conf_free(c);
		}
	}
}

static void test_yaml(void **state)
{
	static const struct mistake rows[] = {
		{"hosts: [&x a]", "h.yaml:1:9: anchor '&x': there are no anchors and aliases here"},
		{"defaults: &d {}\nhosts: [{host: a, get: *d}]",
		 "h.yaml:1:11: anchor '&d': there are no anchors and aliases here\n"
		 "h.yaml:2:24: alias '*d': there are no anchors and aliases here, write the value "
		 "out"},
		{"hosts: [*x, b c]",
		 "h.yaml:1:9: alias '*x': there are no anchors and aliases here, write the value "
		 "out\n"
		 "h.yaml:1:13: target 'b c': blank or control character in a host name"},
		{"defaults:\n  <<: {port: 1}\n  port: 0\n",
		 "h.yaml:2:3: merge key '<<': write the keys out, or use a group\n"
		 "h.yaml:3:9: port: '0' is not a whole number from 1 to 65535"},
		{"hosts: [!!str a, !x b]",
		 "h.yaml:1:9: tag 'tag:yaml.org,2002:str': there are no tags here, values are "
		 "taken "
		 "as written\n"
		 "h.yaml:1:18: tag '!x': there are no tags here, values are taken as written"},
		{"defaults: !!map {}", "h.yaml:1:11: tag 'tag:yaml.org,2002:map': there are no "
				       "tags here, values are taken as written"},
		{"hosts: []\n---\nhosts: []\n", "h.yaml:2:1: a second document: a file holds one, "
						"without '---' after its beginning"},
		{"hosts: - a\n",
		 "h.yaml:1:8: not YAML: no '- ' here: a list begins on a line of its own"},
		{"hosts:\n\t- a\n",
		 "h.yaml:2:1: not YAML: no value begins with this character: put it in quotes (and "
		 "indent with blanks, not tabs)"},
		{"defaults: {community: @x}", "h.yaml:1:23: not YAML: no value begins with this "
					      "character: put it in quotes (and "
					      "indent with blanks, not tabs)"},
		{"defaults:\n  community: a: b\n", "h.yaml:2:15: not YAML: no 'KEY: VALUE' here: "
						   "check the indentation, or put a value "
						   "that holds ': ' in quotes"},
		{"hosts: [a\ndefaults: {}\n",
		 "h.yaml:1:8: not YAML: this '[' is not closed, or a ',' is missing\n"
		 "h.yaml:1:9: target 'a defaults': blank or control character in a host name"},
		{"defaults: {port: 1 {}}",
		 "h.yaml:1:11: not YAML: this '{' is not closed, or a ',' is missing"},
		{"defaults: {community: \"x\n",
		 "h.yaml:1:23: not YAML: this quote is never closed"},
		{"hosts:\n  - a\n - b\n",
		 "h.yaml:3:2: not YAML: the indentation fits no line above "
		 "it (or a value needs quotes)"},
		{"hosts:\n  - a\n  b: c\n", "h.yaml:3:3: not YAML: neither a '- ' nor less "
					    "indentation: check the indentation"},
		{"defaults:\n  port: 1\nhosts\nmibs: []\n",
		 "h.yaml:3:1: not YAML: no ':' after this key"},
		{"hosts:\n- [2001:db8::1]:161\n",
		 "h.yaml:2:3: host: takes one target, in quotes if it has brackets\n"
		 "h.yaml:2:16: not YAML: the indentation fits no line above it (or a value needs "
		 "quotes)"},
		{"defaults: {context: '\xc3\xa9\xe2\x82\xac', prot: 1}", /* columns are characters */
		 "h.yaml:1:27: unknown key 'prot' (did you mean 'port'?)"},
		{"defaults:\t{prot: 1}", "h.yaml:1:12: unknown key 'prot' (did you mean 'port'?)"},
		{"defaults:\r\n  prot: 1\r\n",
		 "h.yaml:2:3: unknown key 'prot' (did you mean 'port'?)"},
		{"hosts:\n- a\n- b\xff", "h.yaml:3:4: not UTF-8"},
		{"hosts:\r\n- '\xc3\xa9\xc3", /* the character is cut off by the end of the file */
		 "h.yaml:2:5: not UTF-8"},
		{"\xff\xfe", "h.yaml:1:1: not UTF-8"},
		{"hosts: [a\x01]", "h.yaml:1:10: a control character"},
		{"hosts: [a\xc2\x9b]", "h.yaml:1:10: a control character"},
	};

	(void)state;
	ASSERT_MISTAKES(rows);
	assert_string_equal(said_of("hosts:\n- a\0", 11),
			    "h.yaml:2:4: a NUL octet: this is not a text file");
}

/* All of them in one go, in the order of the file though found in another. */
static void test_order_and_cap(void **state)
{
	struct conf *c = conf_new();
	struct buf text = {0};
	const char *all;

	(void)state;
	assert_string_equal(said_of("defaults: {group: g}\nhosts:\n- {host: a, group: h, prot: 1}\n"
				    "- b c\n",
				    64),
			    "h.yaml:1:19: unknown group 'g'\n"
			    "h.yaml:3:20: unknown group 'h'\n"
			    "h.yaml:3:23: unknown key 'prot' (did you mean 'port'?)\n"
			    "h.yaml:4:3: target 'b c': blank or control character in a host name");
	assert_true(conf_error_room(c));
	buf_puts(&text, "hosts:\n");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, "- a b\n");
	write_octets("h.yaml", text.data, text.len);
	conf_read(c, "h.yaml");
	assert_int_equal(conf_error_count(c), 1000);
	assert_false(conf_error_room(c));
	all = said(c);
	assert_non_null(strstr(all, "\nh.yaml:51:3: target"));
	assert_null(strstr(all, "\nh.yaml:52:3:"));
	assert_string_equal(strrchr(all, '\n'), "\nand 950 more");
	buf_free(&text);
	conf_free(c);
}

/* Keys, and the names of files, may hold what acts on a terminal. */
static void test_errors_are_for_terminals(void **state)
{
	struct conf *c = conf_new();
	static const char yaml[] = "hosts: [{host: a, \"k\\e\\x9b\\u202e\": 1}]\n";
	static const char path[] = "h\033\xc2\x9b.yaml";
	struct buf warnings = {0};

	(void)state;
	write_octets(path, yaml, sizeof(yaml) - 1);
	conf_read(c, path);
	assert_string_equal(said(c), "h??.yaml:1:19: unknown key 'k??"
				     "?'");
	conf_free(c);
	c = conf_new();
	write_octets(path, "defaults: {community: x}\n", 25);
	assert_int_equal(chmod(path, 0644), 0);
	conf_read(c, path);
	conf_warnings(c, &warnings);
	buf_putc(&warnings, '\0');
	assert_string_equal((char *)warnings.data,
			    "h??.yaml: holds a secret and is readable by everyone: chmod o-r it\n");
	buf_free(&warnings);
	conf_free(c);
	unlink(path);
}

static void test_several_files(void **state)
{
	struct conf *c = conf_new();
	static const char one[] = "run_as: a\ngroups: {g: {}}\ncredentials: {c: {}}\n";

	(void)state;
	write_octets("h.yaml", one, sizeof(one) - 1);
	write_octets("i.yaml", one, sizeof(one) - 1);
	conf_read(c, "h.yaml");
	conf_read(c, "i.yaml");
	conf_read(c, "nosuch.yaml");
	conf_read(c, ".");
	conf_read_targets(c, "nosuch.txt");
	assert_string_equal(said(c),
			    "i.yaml:1:9: run_as: stands at h.yaml:1:9 already\n"
			    "i.yaml:2:10: duplicate group 'g' (first at h.yaml:2:10)\n"
			    "i.yaml:3:15: duplicate credential 'c' (first at h.yaml:3:15)\n"
			    "nosuch.yaml: No such file or directory\n"
			    ".: Is a directory\n"
			    "nosuch.txt: No such file or directory");
	conf_free(c);
}

static void test_command_line(void **state)
{
	struct conf *c = conf_new();
	struct settings s = {0};

	(void)state;
	conf_set(c, &s, "timeuot", "1s");
	conf_set(c, &s, "timeout", "never");
	conf_set(c, &s, "label", "x");
	conf_set(c, &s, "get", "a,,b");
	conf_set(c, &s, "community_env", "NO_SUCH_NAME");
	assert_int_equal(s.set, 0); /* what is wrong is not set */
	conf_set(c, &s, "group", "g");
	conf_set(c, &s, "credential", "c");
	conf_error(c, CONF_COMMAND_LINE, "--exclude: %s", "bad");
	conf_check(c, &s);
	assert_string_equal(
		said(c),
		"command line: unknown key 'timeuot' (did you mean 'timeout'?)\n"
		"command line: timeout: 'never' is not a duration: write it as 500ms, 1s, 1.5s, 2m "
		"or 1h\n"
		"command line: 'label' is not allowed for all targets\n"
		"command line: get: empty\n"
		"command line: community_env: the environment has no 'NO_SUCH_NAME'\n"
		"command line: --exclude: bad\n"
		"command line: unknown group 'g'\n"
		"command line: unknown credential 'c'");
	conf_free(c);
}

/* Whatever is wrong with a secret, and wherever it comes from, it stands in no message. */
static void test_no_secret_shown(void **state)
{
	static const char *const rows[] = {
		"defaults: {community: [Qsecret]}",
		"defaults: {community: {Q: Qsecret}, x: y}",
		"defaults: {auth_pass: Qs}",
		"defaults: {community: \"Qsecret\\0\"}",
		"defaults: {auth_pass_env: CONF_SECRET}",
		"defaults: {auth_pass_file: secret}",
	};

	(void)state;
	setenv("CONF_SECRET", "Qs", 1);
	write_octets("secret", "Qs\n", 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = said_of(rows[i], strlen(rows[i]));

		assert_string_not_equal(text, "");
		assert_null(strstr(text, "Qs"));
	}
	unsetenv("CONF_SECRET");
}

static void test_targets_file(void **state)
{
	struct conf *c = conf_new();
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "a\n\nb b\nc\xc3\xa9\n");
	for (int i = 0; i < 20000; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\nnever read\n");
	write_octets("t", text.data, text.len);
	conf_read_targets(c, "t");
	write_octets("u", "a\nb\0\n", 5);
	conf_read_targets(c, "u");
	assert_string_equal(
		said(c),
		"t:3: target 'b b': blank or control character in a host name\n"
		"t:4: target 'c\xc3\xa9': letters beyond ASCII: write the host name's xn-- "
		"form\n"
		"t:5: line longer than 4096 octets\n"
		"u:2:2: a NUL octet: this is not a text file");
	buf_free(&text);
	conf_free(c);
}

/* The first line said of len octets, each the next of a pattern. */
static const char *said_of_many(const char *pattern, size_t len)
{
	char *octets = mem_alloc(len);
	size_t period = strlen(pattern);
	const char *text;
	char *newline;

	for (size_t i = 0; i < len; i++)
		octets[i] = pattern[i % period];
	text = said_of(octets, len);
	free(octets);
	newline = strchr(text, '\n');
	if (newline)
		*newline = '\0';
	return text;
}

/* Files that mean harm end in an error, soon: the alarm ends the test otherwise. */
static void test_hostile(void **state)
{
	static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nhosts: *c\n";
	const size_t large = 4000000;
	uint32_t seed = 3;
	char *octets = mem_alloc(large);

	(void)state;
	alarm(300);
	assert_string_equal(said_of_many("[", large), "h.yaml:1:1: the file: begins with keys such "
						      "as 'hosts:', its targets are a list below "
						      "that");
	assert_string_equal(said_of_many("{a: ", large), "h.yaml:1:2: unknown key 'a'");
	assert_string_equal(said_of_many("- ", large), "h.yaml:1:1: the file: begins with keys "
						       "such as 'hosts:', its targets are a list "
						       "below that");
	assert_string_equal(said_of_many("x", large), "h.yaml:1:1: the file: begins with keys such "
						      "as 'hosts:', its targets are a list below "
						      "that");
	assert_string_equal(said_of_many("a: b\n", large), "h.yaml:1:1: unknown key 'a'");
	assert_string_equal(said_of_many("\xfe", large), "h.yaml:1:1: not UTF-8");
	assert_non_null(strstr(said_of(bomb, sizeof(bomb) - 1), "there are no anchors"));
	for (size_t i = 0; i < large; i++) {
		seed = seed * 1664525 + 1013904223;
		octets[i] = (char)(seed >> 24);
	}
	assert_string_not_equal(said_of(octets, large), "");
	free(octets);
	alarm(0);
}

static void test_deep(void **state)
{
	const char *text;

	(void)state;
	text = said_of_many("hosts: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 50);
	assert_string_equal(text, "h.yaml:1:9: host: takes one target, in quotes if it has "
				  "brackets");
	text = said_of("hosts: [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]", 40);
	assert_non_null(strstr(text, "h.yaml:1:23: nested deeper than 16 levels"));
}

/* A file too large is refused by its size, without being read. */
static void test_too_large(void **state)
{
	struct conf *c = conf_new();

	(void)state;
	write_octets("large", "", 0);
	assert_int_equal(truncate("large", 256 * 1024 * 1024 + 1), 0);
	conf_read(c, "large");
	conf_read(c, "/dev/zero");
	assert_string_equal(said(c), "large: larger than 256 MiB\n"
				     "/dev/zero:1:1: a NUL octet: this is not a text file");
	conf_free(c);
}

/* What has no size beforehand is read up to the same bound. */
static void test_too_much(void **state)
{
	struct conf *c = conf_new();
	struct reader *r = mem_zero(1, sizeof(*r));
	uint8_t octets[100];

	(void)state;
	write_octets("h.yaml", "a\nb\n", 4);
	assert_true(reader_open(r, c, "h.yaml"));
	r->total = 256 * 1024 * 1024 - 4; /* as if so much had come before */
	assert_int_equal(reader_read(r, octets, sizeof(octets)), 4);
	assert_int_equal(reader_read(r, octets, sizeof(octets)), 0);
	assert_false(r->failed);
	reader_close(r);
	assert_true(reader_open(r, c, "h.yaml"));
	r->total = 256 * 1024 * 1024 - 3;
	assert_int_equal(reader_read(r, octets, sizeof(octets)), 0);
	assert_true(r->failed);
	assert_string_equal(said(c), "h.yaml:1:1: larger than 256 MiB");
	reader_close(r);
	free(r);
	conf_free(c);
}

static void test_secret_too_long(void **state)
{
	static const char text[] = "defaults: {community_file: secret}";
	char secret[4098];

	(void)state;
	memset(secret, 'x', sizeof(secret));
	write_octets("secret", secret, sizeof(secret));
	assert_string_equal(
		said_of(text, sizeof(text) - 1),
		"h.yaml:1:28: community_file: 'secret' is no text of at most 4096 octets");
	write_octets("secret", secret, 256);
	assert_string_equal(said_of(text, sizeof(text) - 1),
			    "h.yaml:1:28: community_file: longer than 255 octets");
}

/* Damaged at every octet, a file is read to some end; sanitizers watch. */
static void test_damaged(void **state)
{
	static const char text[] = "defaults: {port: 1, get: [a, 'b'], community_env: HOME}\n"
				   "groups: {g: {credential: c}}\ncredentials:\n  c: {version: 1}\n"
				   "hosts:\n- a\n- {host: b, group: g, label: \"x\\ty\"}\n";
	static const char damage[] = "\n:[]{}-&*!'\"#,\t\xff\x01|>%@?<";
	char copy[sizeof(text)];

	(void)state;
	assert_string_equal(said_of(text, sizeof(text) - 1), "");
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		said_of(text, i);
		for (size_t j = 0; j < sizeof(damage) - 1; j += 1 + i % 3) {
			memcpy(copy, text, sizeof(text));
			copy[i] = damage[j];
			said_of(copy, sizeof(text) - 1);
		}
	}
}

int main(void)
{
	char folder[] = "/tmp/test_conf_errors.XXXXXX";
	static const char *const files[] = {"h.yaml", "i.yaml", "secret", "t", "u", "large"};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_v3_keys),
		cmocka_unit_test(test_v3_combinations),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_order_and_cap),
		cmocka_unit_test(test_errors_are_for_terminals),
		cmocka_unit_test(test_several_files),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_no_secret_shown),
		cmocka_unit_test(test_targets_file),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_secret_too_long),
	};
	int failed;

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 99;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	if (rmdir(folder) < 0)
		return 99;
	return failed;
}

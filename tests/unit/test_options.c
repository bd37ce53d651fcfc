/* options: what comes of the words of a command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/options_internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX    24

struct line {
	struct options o;
	enum options_action action;
	char *argv[WORDS_MAX + 1]; /* getopt_long(3) puts them into another order */
	char *words[WORDS_MAX];    /* as they were */
	int argc;
	char *text; /* said; and the errors of conf */
};

/* Blanks part the words. */
static void parse(struct line *l, const char *text)
{
	struct buf out = {0};
	char *copy = strdup(text);
	char *rest = NULL;

	*l = (struct line){0};
	l->argv[l->argc++] = strdup("multisnmp");
	for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		l->argv[l->argc++] = strdup(w);
	free(copy);
	memcpy(l->words, l->argv, sizeof(l->words));
	l->action = options_parse(&l->o, l->argc, l->argv, &out);
	if (l->action == OPTIONS_RUN || l->action == OPTIONS_CHECK)
		conf_errors(l->o.conf, &out);
	buf_putc(&out, '\0');
	l->text = (char *)out.data;
}

static void end(struct line *l)
{
	options_free(&l->o);
	for (int i = 0; i < l->argc; i++)
		free(l->words[i]);
	free(l->text);
}

static void good(struct line *l, const char *text)
{
	parse(l, text);
	if (l->action != OPTIONS_RUN || l->text[0])
		fail_msg("%s: %s", text, l->text);
}

static void test_defaults(void **state)
{
	struct line l;
	size_t count;

	(void)state;
	good(&l, "localhost");
	assert_int_equal(l.o.window, 4096);
	assert_true(l.o.workers >= 1 && l.o.workers <= (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
	assert_string_equal(l.o.format->name, "text");
	assert_null(l.o.output);
	assert_false(l.o.append || l.o.summary || l.o.quiet);
	assert_true(l.o.rate_pps == 0);
	assert_int_equal(l.o.deadline_us, 0);
	assert_int_equal(l.o.source4.family, 0);
	assert_null(l.o.mib_dirs);
	assert_null(l.o.mib_modules);
	assert_true(l.o.plan.only_targets);
	assert_ptr_equal(l.o.plan.settings, &l.o.settings);
	assert_ptr_equal(l.o.plan.conf, l.o.conf);
	assert_string_equal(conf_targets(l.o.conf, &count)[0], "localhost");
	assert_int_equal(count, 1);
	end(&l);
}

/* Options that stand for a key, in both spellings. */
static void test_settings(void **state)
{
	static const struct {
		const char *text;
		enum setting_key key;
		int64_t number;
	} rows[] = {
		{"-t 300ms h", SET_TIMEOUT, 300000},
		{"--timeout=2 h", SET_TIMEOUT, 2000000},
		{"-t2 h", SET_TIMEOUT, 2000000},
		{"--timeo 2 h", SET_TIMEOUT, 2000000}, /* getopt_long(3) takes beginnings */
		{"-r 0 h", SET_RETRIES, 0},
		{"h --retries 7", SET_RETRIES, 7},
		{"-p 1161 h", SET_PORT, 1161},
		{"--port 1161 h", SET_PORT, 1161},
		{"-v 1 h", SET_VERSION, 0},
		{"-v 2c h", SET_VERSION, 1},
		{"-4 h", SET_FAMILY, 4},
		{"-6 h", SET_FAMILY, 6},
		{"--set any_source=true h", SET_ANY_SOURCE, 1},
		{"-t 1s --set timeout=3s h", SET_TIMEOUT, 3000000},
		{"--set timeout=3s -t 1s h", SET_TIMEOUT, 1000000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line l;

		good(&l, rows[i].text);
		assert_true(SETTING_IS_SET(&l.o.settings, rows[i].key));
		assert_int_equal(l.o.settings.value[rows[i].key].number, rows[i].number);
		end(&l);
	}
}

/* Letters as Net-SNMP has them. */
static void test_v3(void **state)
{
	static const struct {
		enum setting_key key;
		const char *text;
	} rows[] = {
		{SET_USER, "poller"},     {SET_LEVEL, "authPriv"},
		{SET_AUTH, "SHA-256"},    {SET_AUTH_PASS, "auth-secret"},
		{SET_PRIV, "AES"},        {SET_PRIV_PASS, "priv-secret"},
		{SET_CONTEXT, "vlan-1"},  {SET_ENGINE_ID, "80001f8804"},
		{SET_COMMUNITY, "rests"},
	};
	struct line l;

	(void)state;
	good(&l, "-v 3 -u poller -l AuthPriv -a sha-256 -A auth-secret -x AES-128 -X priv-secret "
		 "-n vlan-1 -e 0x80001F8804 -c rests h");
	assert_int_equal(l.o.settings.value[SET_VERSION].number, 3);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(l.o.settings.value[rows[i].key].text, rows[i].text);
	end(&l);
	good(&l, "-v3 -u a -e 80001f8804 h");
	assert_string_equal(l.o.settings.value[SET_ENGINE_ID].text, "80001f8804");
	end(&l);
}

static void test_lists_add_up(void **state)
{
	struct line l;
	const struct conf_list *get;

	(void)state;
	good(&l, "-g sysDescr.0 h --get sysName.0,1.3.6 --exclude 10.0.0.1 --exclude 10.0.0.2");
	get = l.o.settings.value[SET_GET].list;
	assert_int_equal(get->count, 3);
	assert_string_equal(get->item[2].text, "1.3.6");
	assert_int_equal(l.o.plan.nexcludes, 2);
	assert_string_equal(l.o.plan.excludes[1], "10.0.0.2");
	end(&l);
	good(&l, "-w system -w1.3.6,ip --table ifTable --walk tcp --table ifXTable h");
	assert_int_equal(l.o.settings.value[SET_WALK].list->count, 4);
	assert_string_equal(l.o.settings.value[SET_WALK].list->item[2].text, "ip");
	assert_int_equal(l.o.settings.value[SET_TABLE].list->count, 2);
	assert_null(l.o.settings.value[SET_GET].list);
	end(&l);
}

static void test_the_run(void **state)
{
	struct line l;
	char text[ADDR_TEXT_MAX];

	(void)state;
	good(&l,
	     "-j 3 --window 65536 --rate 1500.5 --deadline 1.5m -o out.jsonl --append -F jsonl -s "
	     "-q h");
	assert_int_equal(l.o.workers, 3);
	assert_int_equal(l.o.window, 65536);
	assert_true(l.o.rate_pps > 1500.4 && l.o.rate_pps < 1500.6);
	assert_int_equal(l.o.deadline_us, 90000000);
	assert_string_equal(l.o.output, "out.jsonl");
	assert_string_equal(l.o.format->name, "jsonl");
	assert_true(l.o.append && l.o.summary && l.o.quiet);
	end(&l);
	good(&l, "--source 127.0.0.2 --source ::1 -M a:b -m FOO-MIB -o - h");
	addr_text(&l.o.source4, text);
	assert_string_equal(text, "127.0.0.2");
	addr_text(&l.o.source6, text);
	assert_string_equal(text, "::1");
	assert_string_equal(l.o.mib_dirs, "a:b");
	assert_string_equal(l.o.mib_modules, "FOO-MIB");
	assert_null(l.o.output); /* - is standard output */
	end(&l);
	parse(&l, "--check h");
	assert_int_equal(l.action, OPTIONS_CHECK);
	end(&l);
}

/* Anywhere among the options; after --, everything is a target. */
static void test_operands(void **state)
{
	struct line l;
	size_t count;

	(void)state;
	good(&l, "a -q b -- c");
	assert_string_equal(conf_targets(l.o.conf, &count)[2], "c");
	assert_int_equal(count, 3);
	end(&l);
	good(&l, "-- -q");
	assert_string_equal(conf_targets(l.o.conf, &count)[0], "-q");
	assert_false(l.o.quiet);
	end(&l);
}

/* ps shows argv: what is secret is gone from there, and only that. */
static void test_secrets_are_wiped(void **state)
{
	static const struct {
		const char *text;
		int word;
		const char *left;
	} rows[] = {
		{"-c hidden h", 2, ""},
		{"-chidden h", 1, "-c"},
		{"-qchidden h", 1, "-qc"},
		{"--set community=hidden h", 2, "community="},
		{"--set=community=hidden h", 1, "--set=community="},
		{"--set auth_pass=hidden-secret h", 2, "auth_pass="},
		{"--set priv_pass=hidden-secret h", 2, "priv_pass="},
		{"-A hidden", 2, ""},
		{"-X hidden", 2, ""},
		{"-Ahidden-secret -u me -v3 h", 1, "-A"},
		{"--se community=hidden h", 2, "community="},
		{"-c hidden -v 3 -X", 2, ""}, /* an error before it, behind it, or of its own */
		{"--no-such -c hidden h", 3, ""},
		{"-j none -c hidden h", 4, ""},
		{"-c hidden --no-such --set community=hidden h", 5, "community="},
		{"-c hidden -c hidden h", 4, ""},
		{"--help -c hidden", 3, ""},
		{"h -c hidden", 3, ""},
		{"--set timeout=2 h", 2, "timeout=2"},
		{"--set community_file=x h", 2, "community_file=x"},
		{"-t 2s h", 2, "2s"},
	};
	struct line l;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		parse(&l, rows[i].text);
		assert_string_equal(l.words[rows[i].word], rows[i].left);
		/* all of it, not only its first octet */
		if (strcmp(rows[i].left, "") == 0)
			assert_memory_equal(l.words[rows[i].word], "\0\0\0\0\0\0", 6);
		assert_null(strstr(l.text, "hidden"));
		end(&l);
	}
	good(&l, "-c hidden h");
	assert_string_equal(l.o.settings.value[SET_COMMUNITY].text, "hidden");
	end(&l);
	good(&l,
	     "--set community=not-this -v3 -u me -a SHA -A hidden-one -x AES -X=two=three -c= h");
	assert_string_equal(l.o.settings.value[SET_COMMUNITY].text, "=");
	assert_string_equal(l.o.settings.value[SET_AUTH_PASS].text, "hidden-one");
	assert_string_equal(l.o.settings.value[SET_PRIV_PASS].text, "=two=three");
	end(&l);
}

static void test_wrong(void **state)
{
	static const char *const rows[][2] = {
		{"--retires 3", "unknown option '--retires' (did you mean '--retries'?)"},
		{"--retires=3", "unknown option '--retires' (did you mean '--retries'?)"},
		{"--frobnicate", "unknown option '--frobnicate'"},
		{"--no", "several options begin with '--no'"},
		{"-Z", "unknown option '-Z'"},
		{"-qZ", "unknown option '-Z'"},
		{"-t", "-t needs DUR"},
		{"--timeout", "--timeout needs DUR"},
		{"--quiet=3", "--quiet takes no value"},
		{"-j 0 h", "--workers: '0' is not a whole number from 1 to 1024"},
		{"-j 1025 h", "--workers: '1025' is not a whole number from 1 to 1024"},
		{"-j 1.5 h", "--workers: '1.5' is not a whole number from 1 to 1024"},
		{"-j -1 h", "--workers: '-1' is not a whole number from 1 to 1024"},
		{"--window 65537 h", "--window: '65537' is not a whole number from 1 to 65536"},
		{"--window 1e3 h", "--window: '1e3' is not a whole number from 1 to 65536"},
		{"--rate 0 h", "--rate: '0' is not a number of packets per second"},
		{"--rate inf h", "--rate: 'inf' is not a number of packets per second"},
		{"--rate 0x10 h", "--rate: '0x10' is not a number of packets per second"},
		{"--rate 1. h", "--rate: '1.' is not a number of packets per second"},
		{"--deadline soon h",
		 "--deadline: 'soon' is not a duration: write it as 500ms, 30s or 2m"},
		{"--deadline 0 h",
		 "--deadline: '0' is not a duration: write it as 500ms, 30s or 2m"},
		{"--source example h", "--source: 'example' is not an address"},
		{"--min-ok 101% h",
		 "--min-ok: '101%' is neither a number of targets nor a share such as 95%"},
		{"--min-ok 1.5 h",
		 "--min-ok: '1.5' is neither a number of targets nor a share such as 95%"},
		{"--min-ok % h",
		 "--min-ok: '%' is neither a number of targets nor a share such as 95%"},
		{"--set timeout h", "--set 'timeout': write KEY=VALUE"},
		{"--set auth_pass:authority h", "--set 'auth_pass': write KEY=VALUE"},
		{"--append h", "--append: name the file with -o"},
		{"--check --explain h", "--check and --explain: ask for one of the two"},
		{"-F jsonk h", "--format: there is no 'jsonk' (did you mean 'jsonl'?)"},
		{"-F promteheus h",
		 "--format: there is no 'promteheus' (did you mean 'prometheus'?)"},
		{"-F prometheus -o x --append h",
		 "--append: a file of format prometheus is one whole, and replaced"},
		{"-\x1b", "unknown option '-?'"},
		{"-j none --no-such", "--workers: 'none' is not a whole number from 1 to 1024"},
		{"--no-such -j none", "unknown option '--no-such'"},
		{"-Y -Z", "unknown option '-Y'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line l;
		char expected[300];

		snprintf(expected, sizeof(expected), "multisnmp: %s; see multisnmp --help\n",
			 rows[i][1]);
		parse(&l, rows[i][0]);
		assert_string_equal(l.text, expected);
		assert_int_equal(l.action, OPTIONS_WRONG);
		end(&l);
	}
}

#define BIT(status) (1u << RECORD_##status)

/* Which records are not to be written. */
static void test_statuses(void **state)
{
	static const struct {
		const char *words;
		uint32_t unwanted;
	} all[] = {
		{"h", 0},
		{"--only-failed h", BIT(OK)},
		{"--status ok h", ~BIT(OK)},
		{"--status ok,partial h", ~(BIT(OK) | BIT(PARTIAL))},
		{"--status ok --status timeout,timeout h", ~BIT(TIMEOUT)},
		{"--status ok,cancelled --only-failed h", ~BIT(CANCELLED)},
		{"--status lost h", ~BIT(LOST)},
	};
	static const char *const wrong[][2] = {
		{"--status okay h", "--status: 'okay' is no status; see"},
		{"--status ok,tiemout h", "'tiemout' is no status (did you mean 'timeout'?)"},
		{"--status ok, h", "--status: '' is no status"},
		{"--status ok --only-failed h", "no record can be both"},
	};
	struct line l;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		good(&l, all[i].words);
		assert_int_equal(l.o.unwanted, all[i].unwanted & ((1u << RECORD_STATUS_COUNT) - 1));
		end(&l);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		parse(&l, wrong[i][0]);
		assert_int_equal(l.action, OPTIONS_WRONG);
		if (!strstr(l.text, wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], l.text);
		end(&l);
	}
}

/* The last of the two counts. */
static void test_progress(void **state)
{
	static const struct {
		const char *words;
		bool wanted, unwanted;
	} all[] = {
		{"h", false, false},
		{"--progress h", true, false},
		{"--no-progress h", false, true},
		{"--progress --no-progress h", false, true},
		{"--no-progress --progress h", true, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct line l;

		parse(&l, all[i].words);
		assert_int_equal(l.action, OPTIONS_RUN);
		assert_int_equal(l.o.progress, all[i].wanted);
		assert_int_equal(l.o.no_progress, all[i].unwanted);
		end(&l);
	}
}

/* What a format cannot do is an error, wherever -F stands; what it can becomes its layout. */
static void test_shape(void **state)
{
	static const char *const wrong[][2] = {
		{"--fields host -F influx h", "--fields: what format influx has"},
		{"-F prometheus --fields host h", "--fields: what format prometheus has"},
		{"--fields host,hots h",
		 "--fields: there is no field 'hots' (did you mean 'host'?)"},
		{"--null -F csv h", "--null: format csv has its own line ends"},
		{"--sort host -F prometheus h", "--sort: format prometheus has its own order"},
		{"--sort hots h", "--sort: there is no key 'hots' (did you mean 'host'?)"},
		{"--sort value h", "(only host,address,status,rtt_ms)"},
	};
	struct line l;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		parse(&l, wrong[i][0]);
		assert_int_equal(l.action, OPTIONS_WRONG);
		if (!strstr(l.text, wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], l.text);
		end(&l);
	}
	good(&l, "--sort rtt_ms --fields value,host -F csv h");
	assert_int_equal(l.o.layout.order, LAYOUT_BY_RTT);
	assert_true(l.o.layout.filled);
	assert_string_equal(l.o.layout.head, "value,host\r\n");
	end(&l);
	good(&l, "--fields host -F jsonl --null h");
	assert_false(l.o.layout.around || l.o.layout.head);
	assert_true(l.o.format_options.null);
	end(&l);
}

static void test_stats_file(void **state)
{
	static const char *const wrong[][2] = {
		{"--stats-file -", "is no file"},
		{"--stats-file x -o x", "is the file of -o"},
		{"--stats-file ./x -o x", "is the file of -o"},
		{"--stats-file x -o /nowhere/x", NULL},
		{"--stats-file x -o xx", NULL},
		{"--stats-file x -o -", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char words[100];
		struct line l;

		snprintf(words, sizeof(words), "%s 127.0.0.1", wrong[i][0]);
		parse(&l, words);
		assert_int_equal(l.action, wrong[i][1] ? OPTIONS_WRONG : OPTIONS_RUN);
		if (wrong[i][1])
			assert_non_null(strstr(l.text, wrong[i][1]));
		else
			assert_string_equal(l.o.stats_file, "x");
		end(&l);
	}
}

static void test_interval(void **state)
{
	static const char *const wrong[][2] = {
		{"-i 0", "--interval: '0' is not a duration"},
		{"-i soon", "is not a duration"},
		{"-i 50ms", "is shorter than 100ms"},
		{"-i 100ms", NULL},
		{"-o x%", "behind a % stands one of"},
		{"-o x%q", "behind a % stands one of"},
		{"-o x%s", "behind a % stands one of"}, /* strftime(3) takes it for local time */
	};
	struct line l;

	(void)state;
	parse(&l, "-i 1.5s --no-spread -o %Y-%m%%d 127.0.0.1");
	assert_int_equal(l.action, OPTIONS_RUN);
	assert_int_equal(l.o.interval_us, 1500000);
	assert_true(l.o.no_spread);
	assert_string_equal(l.o.output, "%Y-%m%%d");
	end(&l);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char words[100];

		snprintf(words, sizeof(words), "%s 127.0.0.1", wrong[i][0]);
		parse(&l, words);
		assert_int_equal(l.action, wrong[i][1] ? OPTIONS_WRONG : OPTIONS_RUN);
		if (wrong[i][1])
			assert_non_null(strstr(l.text, wrong[i][1]));
		end(&l);
	}
}

/* Values of settings are conf's to check: all mistakes at once. */
static void test_wrong_settings(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "-t 5x -r 1000 --set comunity=x h");
	assert_int_equal(l.action, OPTIONS_RUN);
	assert_int_equal(conf_error_count(l.o.conf), 3);
	assert_non_null(strstr(l.text, "unknown key 'comunity' (did you mean 'community'?)"));
	end(&l);
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_files(void **state)
{
	char folder[] = "/tmp/test_options.XXXXXX";
	int home = open(".", O_RDONLY);
	struct line l;
	size_t count;

	(void)state;
	assert_true(home >= 0);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	put_file("a.yaml", "hosts: [a, b]\nmibs: [./mibs, A-MIB]\n");
	put_file("b.yaml", "hosts: [c]\n");
	put_file("list", "d\ne\n");
	put_file("empty", "");

	good(&l, "-f a.yaml --file b.yaml");
	assert_false(l.o.plan.only_targets);
	conf_entries(l.o.conf, &count);
	assert_int_equal(count, 3);
	assert_int_equal(l.o.mib_dirs[0], '+'); /* beside the usual folders */
	assert_non_null(strstr(l.o.mib_dirs, "mibs"));
	assert_string_equal(l.o.mib_modules, "A-MIB");
	end(&l);

	good(&l, "-f a.yaml --targets list f -M mine -m MY-MIB");
	assert_true(l.o.plan.only_targets);
	assert_string_equal(conf_targets(l.o.conf, &count)[2], "f");
	assert_int_equal(count, 3);
	assert_string_equal(l.o.mib_dirs, "mine"); /* the command line wins */
	assert_string_equal(l.o.mib_modules, "MY-MIB");
	end(&l);

	good(&l, "-f a.yaml --targets empty"); /* nobody, and not everybody */
	assert_true(l.o.plan.only_targets);
	end(&l);

	parse(&l, "-f missing.yaml");
	assert_int_equal(conf_error_count(l.o.conf), 1);
	end(&l);

	unlink("a.yaml");
	unlink("b.yaml");
	unlink("list");
	unlink("empty");
	assert_int_equal(fchdir(home), 0);
	close(home);
	rmdir(folder);
}

/* Behind the host, as Net-SNMP's programs have them. */
static void test_objects_that_are_no_targets(void **state)
{
	static const char *const objects[] = {"sysDescr.0",          "1.3.6.1.2.1.1.1.0",
					      ".1.3.6.1.2.1.1.1.0",  "IF-MIB::ifHCInOctets.3",
					      "ifHCInOctets.10.0.1", "SNMPv2-MIB::system"};
	static const char *const targets[] = {"system",      "sysDescr",   "sysDescr.example",
					      "10.0.0.1",    "host1.5x",   "sysDesc.0.lan",
					      "2001:db8::1", "192.0.2.1-9"};
	char expected[200];
	char line[100];
	struct line l;

	(void)state;
	for (size_t i = 0; i < COUNT(objects); i++) {
		snprintf(line, sizeof(line), "host %s", objects[i]);
		snprintf(expected, sizeof(expected),
			 "command line: '%s' is an object, not a target: write -g %s\n", objects[i],
			 objects[i]);
		parse(&l, line);
		assert_string_equal(l.text, expected);
		end(&l);
	}
	for (size_t i = 0; i < COUNT(targets); i++) {
		good(&l, targets[i]);
		end(&l);
	}
}

static void test_nothing(void **state)
{
	struct line l;

	(void)state;
	if (access(SYSCONFDIR "/multisnmp/multisnmp.yaml", F_OK) == 0)
		skip(); /* installed on this machine, and would be read */
	parse(&l, "-q");
	assert_int_equal(l.action, OPTIONS_WRONG);
	assert_string_equal(
		l.text, "multisnmp: no target: name one, or a file with -f (there is no " SYSCONFDIR
			"/multisnmp/multisnmp.yaml); see multisnmp --help\n");
	end(&l);
}

static void test_enough(void **state)
{
	static const struct {
		const char *text;
		uint64_t ok, targets;
		bool enough;
	} rows[] = {
		{"h", 10, 10, true},
		{"h", 9, 10, false},
		{"h", 0, 0, true},
		{"--min-ok 9 h", 9, 10, true},
		{"--min-ok 9 h", 8, 10, false},
		{"--min-ok 0 h", 0, 10, true},
		{"--min-ok 95% h", 95, 100, true},
		{"--min-ok 95% h", 94, 100, false},
		{"--min-ok 99.5% h", 199, 200, true},
		{"--min-ok 99.5% h", 198, 200, false},
		{"--min-ok 100% h", 3, 3, true},
		{"--min-ok 95% h", 0, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line l;

		good(&l, rows[i].text);
		assert_int_equal(options_enough(&l.o, rows[i].ok, rows[i].targets), rows[i].enough);
		end(&l);
	}
}

/* As many workers as the limit of descriptors allows, and a plain word where more are asked for. */
static void test_descriptors(void **state)
{
	struct rlimit before;
	struct rlimit few;
	struct line l;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	good(&l, "-j 48 h");
	end(&l);
	parse(&l, "-j 49 h");
	assert_string_equal(l.text,
			    "multisnmp: --workers: 49 need more descriptors than 'ulimit -n' "
			    "allows: at most 48; see multisnmp --help\n");
	end(&l);
	few.rlim_cur = 17;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	good(&l, "h");
	assert_int_equal(l.o.workers, 1);
	end(&l);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* At most 50 lines of 80 columns; each option is shown. */
static void test_help(void **state)
{
	struct line l;
	unsigned lines = 0;

	(void)state;
	parse(&l, "--help --retires"); /* all after it is not looked at */
	assert_int_equal(l.action, OPTIONS_SHOWN);
	for (const struct option_row *row = options_table; row->help; row++) {
		char name[40];

		if (row->name)
			snprintf(name, sizeof(name), " --%s", row->name);
		else
			snprintf(name, sizeof(name), " -%c", row->letter);
		if (row->name && !strstr(l.text, name)) /* with its opposite */
			snprintf(name, sizeof(name), " --[no-]%s",
				 row->name + 3 * (strncmp(row->name, "no-", 3) == 0));
		if (row->take && !row->hidden && !strstr(l.text, name))
			fail_msg("%s is not shown", name);
	}
	for (char *at = l.text, *newline; (newline = strchr(at, '\n')); at = newline + 1) {
		assert_true(newline - at <= 80);
		lines++;
	}
	assert_true(lines <= 50);
	end(&l);
	parse(&l, "-h --version -j none");
	assert_int_equal(l.action, OPTIONS_SHOWN);
	assert_null(strstr(l.text, "\nbuilt with"));
	end(&l);
}

/* A page of man/, whole; the caller frees it. */
static char *read_page(const char *name)
{
	const char *top = getenv("ABS_SRCDIR");
	struct buf text = {0};
	char path[1024];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/man/%s", top ? top : ".", name);
	file = fopen(path, "r");
	assert_non_null(file);
	while ((n = fread(buf_room(&text, 4096), 1, 4096, file)) > 0)
		text.len += n;
	fclose(file);
	buf_putc(&text, '\0');
	return (char *)text.data;
}

/* Whether the word stands in the page, as a whole. */
static bool tells(const char *page, const char *word)
{
	for (const char *at = page; (at = strstr(at, word)); at++) {
		if (strchr(" \n", at[strlen(word)]))
			return true;
	}
	return false;
}

/* Each option and each key stands in its manual page. */
static void test_manuals(void **state)
{
	char *page = read_page("multisnmp.1");
	char word[64];

	(void)state;
	for (const struct option_row *row = options_table; row->help; row++) {
		snprintf(word, sizeof(word), "Fl %c", row->letter);
		if (row->letter && !tells(page, word))
			fail_msg("multisnmp.1 lacks -%c", row->letter);
		snprintf(word, sizeof(word), " -%s", row->name ? row->name : "");
		if (row->name && !tells(page, word))
			fail_msg("multisnmp.1 lacks --%s", row->name);
	}
	free(page);
	page = read_page("multisnmp.yaml.5");
	for (unsigned key = 0; key < SETTING_COUNT; key++) {
		snprintf(word, sizeof(word), "Li %s", setting_text((enum setting_key)key));
		if (!tells(page, word))
			fail_msg("multisnmp.yaml.5 lacks %s", word);
	}
	free(page);
}

static void test_version(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "--version");
	assert_int_equal(l.action, OPTIONS_SHOWN);
	assert_ptr_equal(strstr(l.text, "multisnmp "), l.text);
	assert_non_null(strstr(l.text, "\nbuilt with Net-SNMP "));
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_v3),
		cmocka_unit_test(test_lists_add_up),
		cmocka_unit_test(test_the_run),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_secrets_are_wiped),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_stats_file),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_wrong_settings),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_objects_that_are_no_targets),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_manuals),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* plan: what is handed out for what is written, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/plan_internal.h"
#include "snmp/mib.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct world {
	struct conf *conf;
	struct settings command;
	const char *excludes[4];
	size_t nexcludes;
	bool only_targets;
	struct plan *plan;
	char path[64];
	char *text; /* of errors, or of plan_describe() */
};

static void read_yaml(struct world *w, const char *yaml)
{
	FILE *file;
	int fd;

	snprintf(w->path, sizeof(w->path), "/tmp/test_plan.XXXXXX");
	fd = mkstemp(w->path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(yaml, file);
	fclose(file);
	conf_read(w->conf, w->path);
	unlink(w->path);
}

static void begin(struct world *w, const char *yaml)
{
	*w = (struct world){.conf = conf_new()};
	read_yaml(w, yaml);
}

static void set(struct world *w, const char *key, const char *value)
{
	conf_set(w->conf, &w->command, key, value);
}

static void target(struct world *w, const char *text)
{
	w->only_targets = true;
	conf_add_target(w->conf, text);
}

static bool make(struct world *w)
{
	w->plan = plan_new(&(struct plan_request){
		.conf = w->conf,
		.settings = &w->command,
		.excludes = w->excludes,
		.nexcludes = w->nexcludes,
		.only_targets = w->only_targets,
	});
	return w->plan != NULL;
}

static void must(struct world *w)
{
	struct buf errors = {0};

	if (make(w))
		return;
	conf_errors(w->conf, &errors);
	buf_putc(&errors, '\0');
	fail_msg("%s", (char *)errors.data);
}

static void end(struct world *w)
{
	plan_free(w->plan);
	conf_free(w->conf);
	free(w->text);
}

static char *take(struct buf *text)
{
	buf_putc(text, '\0');
	return (char *)text->data;
}

/* The errors, without the file's name in front of line and column. */
static const char *errors_of(struct world *w)
{
	struct buf raw = {0};
	struct buf out = {0};
	size_t len = strlen(w->path);
	const char *rest;

	assert_false(make(w));
	assert_true(conf_errors(w->conf, &raw) > 0);
	rest = take(&raw);
	for (const char *at; len && (at = strstr(rest, w->path)); rest = at + len + 1)
		buf_put(&out, rest, (size_t)(at - rest));
	buf_puts(&out, rest);
	buf_free(&raw);
	free(w->text);
	w->text = take(&out);
	return w->text;
}

static const char *description(struct world *w)
{
	struct buf out = {0};

	plan_describe(w->plan, &out);
	free(w->text);
	w->text = take(&out);
	return w->text;
}

static struct plan_target next(struct world *w)
{
	struct plan_target t;

	assert_true(plan_next(w->plan, PLAN_DATAGRAMS, &t));
	return t;
}

static const struct profile *profile(struct world *w, const struct plan_target *t)
{
	size_t count;
	const struct profile *all = plan_profiles(w->plan, &count);

	assert_true(t->profile < count);
	return &all[t->profile];
}

static void assert_address(struct world *w, const char *text)
{
	struct plan_target t = next(w);
	char shown[ADDR_TEXT_MAX];

	assert_null(t.name);
	addr_text_port(&t.addr, shown);
	assert_string_equal(shown, text);
}

static void assert_end(struct world *w)
{
	struct plan_target t;

	assert_false(plan_next(w->plan, PLAN_DATAGRAMS, &t));
	assert_false(plan_next(w->plan, PLAN_DATAGRAMS, &t));
}

static void test_a_bare_name(void **state)
{
	struct world w;
	struct plan_target t;
	const struct profile *p;
	char oid[OID_TEXT_MAX];

	(void)state;
	begin(&w, "hosts:\n  - localhost\n");
	must(&w);
	assert_int_equal(plan_total(w.plan), 1);
	t = next(&w);
	assert_int_equal(t.seq, 0);
	assert_string_equal(t.host, "localhost");
	assert_string_equal(t.name, "localhost");
	assert_int_equal(t.port, 161);
	assert_int_equal(t.family, 0);
	p = profile(&w, &t);
	assert_int_equal(p->version, SNMP_V2C);
	assert_string_equal(p->community, "public");
	assert_int_equal(p->nget, 1);
	oid_text(p->get[0].id, p->get[0].len, oid);
	assert_string_equal(oid, "1.3.6.1.2.1.1.1.0");
	assert_int_equal(p->timeout_us, 1000000);
	assert_int_equal(p->retries, 2);
	assert_int_equal(p->deadline_us, 0);
	assert_false(p->any_source);
	assert_int_equal(p->per_host, 1);
	assert_int_equal(p->max_repetitions, 0);
	assert_int_equal(p->max_vars, 1000000);
	assert_false(p->nonincreasing);
	assert_true(p->adaptive);
	assert_int_equal(p->silent_after, 3);
	assert_end(&w);
	end(&w);
}

/* built-in < defaults < command line < group < host, and a credential below its level's own keys */
static void test_precedence(void **state)
{
	static const struct {
		const char *yaml;
		const char *command; /* key, value */
		const char *value;
		const char *community;
	} rows[] = {
		{"hosts: [h]\n", NULL, NULL, "public"},
		{"hosts: [h]\ndefaults: {community: d}\n", NULL, NULL, "d"},
		{"hosts: [h]\ndefaults: {community: d}\n", "community", "c", "c"},
		{"hosts: [{host: h, group: g}]\ngroups: {g: {community: g}}\n", "community", "c",
		 "g"},
		{"hosts: [{host: h, group: g, community: h}]\ngroups: {g: {community: g}}\n",
		 "community", "c", "h"},
		{"hosts: [h]\ndefaults: {group: g}\ngroups: {g: {community: g}}\n", "community",
		 "c", "g"},
		{"hosts: [h]\ndefaults: {credential: k}\ncredentials: {k: {community: k}}\n", NULL,
		 NULL, "k"},
		{"hosts: [h]\ndefaults: {credential: k, community: d}\n"
		 "credentials: {k: {community: k}}\n",
		 NULL, NULL, "d"},
		{"hosts: [h]\ndefaults: {community: d}\ncredentials: {k: {community: k}}\n",
		 "credential", "k", "k"},
		{"hosts: [{host: h, group: g}]\ngroups: {g: {credential: k}}\n"
		 "credentials: {k: {community: k}}\n",
		 "community", "c", "k"},
		{"hosts: [{host: h, group: g, credential: k}]\ngroups: {g: {community: g}}\n"
		 "credentials: {k: {community: k}}\n",
		 "community", "c", "k"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		struct plan_target t;

		begin(&w, rows[i].yaml);
		if (rows[i].command)
			set(&w, rows[i].command, rows[i].value);
		must(&w);
		t = next(&w);
		assert_string_equal(profile(&w, &t)->community, rows[i].community);
		end(&w);
	}
}

/* Bare hosts share what was found out about one of them, but not with those of another file. */
static void test_two_files(void **state)
{
	static const char *const communities[] = {"one", "one", "two", "two", "own", "two"};
	struct world w;

	(void)state;
	begin(&w, "defaults: {community: one}\nhosts: [a, b]\n");
	read_yaml(&w, "defaults: {community: two}\nhosts: [a, b, {host: c, community: own}, d]\n");
	must(&w);
	for (size_t i = 0; i < COUNT(communities); i++) {
		struct plan_target t = next(&w);

		assert_string_equal(profile(&w, &t)->community, communities[i]);
	}
	assert_end(&w);
	end(&w);
}

static void test_lists_replace(void **state)
{
	struct world w;
	struct plan_target t;

	(void)state;
	begin(&w, "defaults: {get: [sysDescr.0, sysName.0]}\n"
		  "hosts: [a, {host: b, get: [ifNumber.0]}, {host: c, get: []}]\n");
	must(&w);
	t = next(&w);
	assert_int_equal(profile(&w, &t)->nget, 2);
	assert_int_equal(profile(&w, &t)->get[1].id[7], 5);
	t = next(&w);
	assert_int_equal(profile(&w, &t)->nget, 1);
	assert_int_equal(profile(&w, &t)->get[0].id[6], 2);
	t = next(&w); /* nothing is asked for: sysDescr.0 */
	assert_int_equal(profile(&w, &t)->nget, 1);
	assert_int_equal(profile(&w, &t)->get[0].id[7], 1);
	end(&w);
}

static void test_all_settings_arrive(void **state)
{
	struct world w;
	struct plan_target t;
	const struct profile *p;

	(void)state;
	begin(&w, "hosts:\n  - {host: h, version: 1, timeout: 300ms, retries: 0, deadline: 9s, "
		  "any_source: true, port: 1161, family: 6, per_host: 3, max_repetitions: 40, "
		  "max_vars: 1000000000, nonincreasing: allow, adaptive_timeout: false, "
		  "silent_after: 255}\n");
	must(&w);
	t = next(&w);
	p = profile(&w, &t);
	assert_int_equal(p->version, SNMP_V1);
	assert_int_equal(p->timeout_us, 300000);
	assert_int_equal(p->retries, 0);
	assert_int_equal(p->deadline_us, 9000000);
	assert_true(p->any_source);
	assert_int_equal(p->per_host, 3);
	assert_int_equal(p->max_repetitions, 40);
	assert_int_equal(p->max_vars, 1000000000);
	assert_true(p->nonincreasing);
	assert_false(p->adaptive);
	assert_int_equal(p->silent_after, 255);
	assert_int_equal(t.port, 1161);
	assert_int_equal(t.family, 6);
	end(&w);
}

/* Same effective settings, one profile, however they came about; port, family and label are not part
 * of it. */
static void test_profiles_are_shared(void **state)
{
	struct world w;
	size_t count;

	(void)state;
	begin(&w, "defaults: {get: [sysDescr.0]}\n"
		  "groups: {g: {community: x}}\n"
		  "hosts:\n"
		  "  - a\n"
		  "  - {host: b, community: x}\n"
		  "  - {host: c, group: g, port: 99, family: 4, label: see}\n"
		  "  - {host: d, get: [1.3.6.1.2.1.1.1.0], community: x}\n"
		  "  - {host: e, community: public}\n"
		  "  - {host: f, any_source: true}\n"
		  "  - {host: g, retries: 9}\n"
		  "  - {host: h, deadline: 9}\n"
		  "  - {host: i, timeout: 9}\n"
		  "  - {host: j, version: 1}\n"
		  "  - {host: k, per_host: 2}\n"
		  "  - {host: l, max_repetitions: 9}\n"
		  "  - {host: m, max_vars: 9}\n"
		  "  - {host: n, nonincreasing: allow}\n"
		  "  - {host: o, nonincreasing: stop}\n"
		  "  - {host: p, get: [sysName.0]}\n"
		  "  - {host: q, adaptive_timeout: false}\n"
		  "  - {host: r, silent_after: 0}\n");
	must(&w);
	for (uint32_t i = 0; i < 18; i++) {
		static const uint32_t expected[] = {0, 1, 1, 1, 0,  2, 3,  4,  5,
						    6, 7, 8, 9, 10, 0, 11, 12, 13};
		struct plan_target t = next(&w);

		assert_int_equal(t.profile, expected[i]);
		assert_int_equal(profile(&w, &t)->get == w.plan->profiles.list[0].get,
				 i != 15); /* the list of objects is, wherever it is the same */
	}
	plan_profiles(w.plan, &count);
	assert_int_equal(count, 14);
	end(&w);
}

/* The same for the same words in another plan; another one for other words. */
static void test_who_asks(void **state)
{
	static const char hosts[] = "hosts:\n"
				    "  - a\n"
				    "  - {host: b, community: x}\n"
				    "  - {host: c, version: 1}\n"
				    "  - {host: d, version: 3, user: me}\n"
				    "  - {host: e, version: 3, user: you}\n"
				    "  - {host: f, version: 3, user: you, context: x}\n"
				    "  - {host: g, get: [sysName.0], timeout: 9, retries: 9}\n";
	uint64_t asker[2][7];
	struct world w;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		begin(&w, hosts);
		must(&w);
		for (unsigned i = 0; i < 7; i++)
			asker[round][i] = plan_asker(w.plan, next(&w).profile);
		end(&w);
	}
	for (unsigned i = 0; i < 7; i++) {
		assert_true(asker[0][i] == asker[1][i]);
		for (unsigned j = 0; j < i; j++)
			assert_int_equal(asker[0][i] == asker[0][j], i == 6 && j == 0);
	}
}

/* A hundred thousand communities: the table grows, nothing is lost or mixed up, and it takes no minutes. */
static void test_many_profiles(void **state)
{
	enum {
		MANY = 100000
	};
	struct plan_profiles all = {0};
	struct settings s;
	char community[32];

	(void)state;
	all.conf = conf_new();
	settings_builtin(&s);
	s.value[SET_COMMUNITY].text = community;
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			snprintf(community, sizeof(community), "secret-%u", i);
			assert_int_equal(plan_profile(&all, &s, NULL), i);
		}
	}
	assert_int_equal(all.count, MANY);
	assert_int_equal(all.nobjects, 1);
	assert_string_equal(all.list[MANY - 1].community, "secret-99999");
	plan_profiles_free(&all);
	conf_free(all.conf);
}

static bool same_number(const void *array, uint32_t number, const void *wanted)
{
	return ((const int *)array)[number] == *(const int *)wanted;
}

/* What is found is what was asked for, when all hashes are the same. */
static void test_equal_hashes(void **state)
{
	struct plan_index x = {0};
	int array[200] = {0};

	(void)state;
	assert_int_equal(plan_index_get(&x, 7, same_number, array, &array[0]), PLAN_INDEX_NONE);
	for (int i = 0; i < 200; i++) {
		array[i] = i;
		plan_index_put(&x, 7, (uint32_t)i);
	}
	for (int i = 0; i < 200; i++)
		assert_int_equal(plan_index_get(&x, 7, same_number, array, &i), i);
	assert_int_equal(plan_index_get(&x, 7, same_number, array, &(int){200}), PLAN_INDEX_NONE);
	plan_index_free(&x);
}

static void test_blocks(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts:\n  - 192.0.2.5/30\n  - 192.0.2.10-11:1161\n  - '[2001:db8::/127]:9'\n"
		  "  - 2001:db8::7\n  - {host: 10.0.0.1, port: 7}\n");
	must(&w);
	assert_int_equal(plan_total(w.plan), 10);
	assert_address(&w, "192.0.2.4:161");
	assert_address(&w, "192.0.2.5:161");
	assert_address(&w, "192.0.2.6:161");
	assert_address(&w, "192.0.2.7:161");
	assert_address(&w, "192.0.2.10:1161");
	assert_address(&w, "192.0.2.11:1161");
	assert_address(&w, "[2001:db8::]:9");
	assert_address(&w, "[2001:db8::1]:9");
	assert_address(&w, "[2001:db8::7]:161");
	assert_address(&w, "10.0.0.1:7");
	assert_end(&w);
	end(&w);
}

static void test_shown_as(void **state)
{
	struct world w;
	struct plan_target t;

	(void)state;
	begin(&w, "hosts:\n  - example.com:1161\n  - 192.0.2.1:1161\n  - 192.0.2.0/31\n"
		  "  - {host: 192.0.2.9, label: core}\n  - example.com:1161\n");
	must(&w);
	t = next(&w);
	assert_string_equal(t.host, "example.com:1161");
	assert_string_equal(t.name, "example.com");
	assert_int_equal(t.port, 1161);
	t = next(&w);
	assert_string_equal(t.host, "192.0.2.1:1161");
	assert_null(t.name);
	assert_null(next(&w).host);
	assert_null(next(&w).host);
	assert_string_equal(next(&w).host, "core");
	t = next(&w); /* listed twice: two targets */
	assert_string_equal(t.name, "example.com");
	assert_int_equal(t.seq, 5);
	end(&w);
}

static void test_excludes(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: [192.0.2.0/29, 192.0.2.1, 198.51.100.0/30, Example.COM, other]\n");
	w.excludes[0] = "192.0.2.1-6";
	w.excludes[1] = "198.51.100.0/24";
	w.excludes[2] = "example.com";
	w.nexcludes = 3;
	must(&w);
	assert_int_equal(plan_total(w.plan), 3);
	assert_address(&w, "192.0.2.0:161");
	assert_address(&w, "192.0.2.7:161");
	assert_string_equal(next(&w).name, "other");
	assert_end(&w);
	end(&w);
	begin(&w, "hosts: [h]\n");
	w.excludes[0] = "192.0.2.1:161";
	w.nexcludes = 1;
	assert_non_null(strstr(errors_of(&w), "command line: --exclude '192.0.2.1:161': "));
	end(&w);
}

/* Nothing of a block is kept but where we are in it. */
static void test_a_huge_block(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: [10.0.0.0/7, 2001:db8::/96]\n");
	w.excludes[0] = "10.0.0.1-255";
	w.excludes[1] = "10.0.1.0/24";
	w.nexcludes = 2;
	must(&w);
	assert_int_equal(plan_total(w.plan), (UINT64_C(1) << 25) - 511 + (UINT64_C(1) << 32));
	assert_address(&w, "10.0.0.0:161");
	assert_address(&w, "10.0.2.0:161");
	assert_address(&w, "10.0.2.1:161");
	assert_int_equal(sizeof(struct plan_slot), 8);
	end(&w);
}

/* Targets of the command line: only these; as an entry where written like its host or label. */
struct handed { /* a target handed out */
	uint64_t seq;
	char what[100]; /* name or path or address */
	uint8_t transport;
};

/* Hands out all of a kind. */
static size_t hand_out(struct world *w, enum plan_kind kind, struct handed *list)
{
	struct plan_target t;
	size_t n = 0;

	for (; plan_next(w->plan, kind, &t); n++) {
		list[n].seq = t.seq;
		list[n].transport = t.transport;
		if (t.path)
			snprintf(list[n].what, sizeof(list[n].what), "%s", t.path);
		else if (t.name)
			snprintf(list[n].what, sizeof(list[n].what), "%s/%u", t.name, t.port);
		else
			addr_text_port(&t.addr, list[n].what);
		assert_true(!t.path == (t.transport != TRANSPORT_UNIX));
		assert_true(!t.path || !t.addr.family);
	}
	assert_false(plan_next(w->plan, kind, &t));
	assert_int_equal(n, plan_count(w->plan, kind));
	return n;
}

/* Each kind has its own cursor; numbers are those of the whole list. */
static void test_two_kinds(void **state)
{
	static const struct handed datagrams[] = {{0, "a/161", 0},
						  {1, "192.0.2.0:161", 0},
						  {2, "192.0.2.1:161", 0},
						  {3, "192.0.2.2:161", 0},
						  {10, "b/7", 0}};
	static const struct handed sessions[] = {
		{4, "c/161", TRANSPORT_TCP},           {5, "/run/agent", TRANSPORT_UNIX},
		{6, "198.51.100.0:99", TRANSPORT_TCP}, {7, "198.51.100.1:99", TRANSPORT_TCP},
		{8, "198.51.100.3:99", TRANSPORT_TCP}, {9, "[::1]:161", TRANSPORT_TCP},
		{11, "/run/b:2", TRANSPORT_UNIX}};
	static const enum plan_kind orders[2][2] = {{PLAN_DATAGRAMS, PLAN_SESSIONS},
						    {PLAN_SESSIONS, PLAN_DATAGRAMS}};
	struct handed list[20];

	(void)state;
	for (size_t order = 0; order < 2; order++) {
		struct world w;

		begin(&w, "hosts:\n  - a\n  - 192.0.2.0/30\n  - tcp:c\n  - tcp:gone:161\n"
			  "  - unix:/run/agent\n  - unix:/run/gone\n  - tcp:198.51.100.0/30:99\n"
			  "  - tcp6:::1\n  - udp:b:7\n  - {host: 'unix:/run/b:2', label: b}\n");
		w.excludes[0] = "gone";
		w.excludes[1] = "192.0.2.3";
		w.excludes[2] = "198.51.100.2";
		w.excludes[3] = "unix:/run/gone";
		w.nexcludes = 4;
		must(&w);
		assert_int_equal(plan_total(w.plan), 12);
		assert_true(plan_has_paths(w.plan));
		for (size_t i = 0; i < 2; i++) {
			bool s = orders[order][i] == PLAN_SESSIONS;
			const struct handed *wanted = s ? sessions : datagrams;
			size_t n = hand_out(&w, orders[order][i], list);

			assert_int_equal(n, s ? COUNT(sessions) : COUNT(datagrams));
			for (size_t k = 0; k < n; k++) {
				assert_int_equal(list[k].seq, wanted[k].seq);
				assert_string_equal(list[k].what, wanted[k].what);
				assert_int_equal(list[k].transport, wanted[k].transport);
			}
		}
		end(&w);
	}
}

/* By their numbers, in any order, and again from the beginning: the same ones. */
static void test_at(void **state)
{
	struct world w;
	struct plan_target all[30], t;
	size_t total, again = 0;

	(void)state;
	begin(&w, "hosts:\n  - gone\n  - a:99\n  - 192.0.2.0/28\n  - tcp:c\n  - gone:161\n"
		  "  - unix:/run/agent\n  - tcp:198.51.100.0/30:99\n  - a:99\n"
		  "  - {host: b:7, label: bee}\n  - 192.0.2.7\n  - gone\n");
	w.excludes[0] = "gone";
	w.excludes[1] = "192.0.2.2-4";
	w.excludes[2] = "192.0.2.7";
	w.excludes[3] = "192.0.2.15";
	w.nexcludes = 4;
	must(&w);
	total = (size_t)plan_total(w.plan);
	assert_int_equal(total, 11 + 1 + 1 + 1 + 4 + 1 + 1);
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		while (plan_next(w.plan, (enum plan_kind)kind, &t))
			all[t.seq] = t;
	for (size_t step = 1; step < total; step++) /* to and fro, within a block and out of it */
		for (size_t i = total * step; i-- > 0;) {
			plan_at(w.plan, i * step % total, &t);
			assert_memory_equal(&t, &all[i * step % total],
					    sizeof(t)); /* its strings, too, are there once */
		}
	plan_rewind(w.plan);
	assert_true(plan_next(w.plan, PLAN_DATAGRAMS, &t));
	plan_at(w.plan, 5, &t); /* moves nothing */
	plan_rewind(w.plan);
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		for (; plan_next(w.plan, (enum plan_kind)kind, &t); again++)
			assert_memory_equal(&t, &all[t.seq], sizeof(t));
	assert_int_equal(again, total);
	end(&w);
}

/* A socket of the file system that is excluded is none: sessions may connect to such only if one is asked. */
static void test_paths(void **state)
{
	static const struct {
		const char *hosts;
		bool has;
	} cases[] = {
		{"hosts: [a, 'tcp:b', 'tcp6:::1']\n", false},
		{"hosts: [a, 'unix:/run/gone']\n", false},
		{"hosts: ['unix:/run/agent', a]\n", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;

		begin(&w, cases[i].hosts);
		w.excludes[0] = "unix:/run/gone";
		w.nexcludes = 1;
		must(&w);
		assert_int_equal(plan_has_paths(w.plan), cases[i].has);
		end(&w);
	}
}

static void test_prefixes(void **state)
{
	struct world w;
	struct plan_target t;

	(void)state;
	begin(&w, "defaults: {family: 4, port: 1161}\nhosts:\n  - tcp6:core\n  - udp6:core:9\n"
		  "  - udp:core\n  - {host: 'tcp:192.0.2.1', label: shown}\n  - unix:/run/agent\n");
	must(&w);
	assert_true(plan_next(w.plan, PLAN_SESSIONS, &t));
	assert_int_equal(t.family, 6); /* the prefix says more than the setting */
	assert_int_equal(t.port, 1161);
	assert_string_equal(t.host, "tcp6:core");
	assert_string_equal(t.name, "core");
	t = next(&w);
	assert_int_equal(t.family, 6);
	assert_string_equal(t.name, "core");
	assert_string_equal(t.host, "udp6:core:9");
	t = next(&w);
	assert_int_equal(t.family, 4);
	assert_string_equal(t.name, "core");
	assert_true(plan_next(w.plan, PLAN_SESSIONS, &t));
	assert_string_equal(t.host, "shown");
	assert_int_equal(t.addr.port, 1161);
	assert_true(plan_next(w.plan, PLAN_SESSIONS, &t));
	assert_string_equal(t.host, "unix:/run/agent");
	assert_string_equal(t.path, "/run/agent");
	assert_null(t.name);
	assert_false(plan_next(w.plan, PLAN_SESSIONS, &t));
	assert_end(&w);
	end(&w);
}

static void test_only_targets(void **state)
{
	struct world w;
	struct plan_target t;

	(void)state;
	begin(&w, "defaults: {community: d, group: g}\n"
		  "groups: {g: {retries: 7}}\n"
		  "hosts:\n"
		  "  - {host: 192.0.2.1, community: own, port: 99}\n"
		  "  - {host: 192.0.2.2, label: core, community: core}\n"
		  "  - 192.0.2.3\n");
	set(&w, "timeout", "4s");
	target(&w, "192.0.2.1");
	target(&w, "core");
	target(&w, "192.0.2.9");
	target(&w, "192.0.2.1:99");
	must(&w);
	assert_int_equal(plan_total(w.plan), 4);
	t = next(&w);
	assert_string_equal(profile(&w, &t)->community, "own");
	assert_int_equal(t.addr.port, 99);
	t = next(&w);
	assert_string_equal(t.host, "core");
	assert_null(t.name);
	assert_int_equal(t.addr.ip[3], 2);
	assert_string_equal(profile(&w, &t)->community, "core");
	t = next(&w);
	assert_string_equal(t.host, "192.0.2.9");
	assert_string_equal(profile(&w, &t)->community, "d");
	assert_int_equal(profile(&w, &t)->retries, 7);
	assert_int_equal(profile(&w, &t)->timeout_us, 4000000);
	t = next(&w); /* another spelling: no entry's */
	assert_string_equal(profile(&w, &t)->community, "d");
	assert_end(&w);
	end(&w);
}

static void test_nobody(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: []\n");
	must(&w);
	assert_int_equal(plan_total(w.plan), 0);
	assert_end(&w);
	end(&w);
	begin(&w, "hosts: [h]\n");
	w.only_targets = true; /* an empty --targets file does not mean everybody */
	must(&w);
	assert_int_equal(plan_total(w.plan), 0);
	assert_end(&w);
	end(&w);
}

/* Each at its place, all in one go, and what is inherited once. */
static void assert_oid(const struct oid *o, const char *text)
{
	char shown[OID_TEXT_MAX];

	oid_text(o->id, o->len, shown);
	assert_string_equal(shown, text);
}

static const struct profile *only_profile(struct world *w)
{
	size_t count;
	const struct profile *p = plan_profiles(w->plan, &count);

	assert_int_equal(count, 1);
	return p;
}

/* sysDescr.0 is asked for where nothing is, and only there. */
static void test_what_is_asked(void **state)
{
	static const struct {
		const char *keys;
		size_t get, walk, table;
	} rows[] = {
		{"port: 161", 1, 0, 0},
		{"get: []", 1, 0, 0},
		{"get: [], walk: [], table: []", 1, 0, 0},
		{"get: [sysName.0, sysUpTime.0]", 2, 0, 0},
		{"walk: [system]", 0, 1, 0},
		{"walk: [system, 1.3.6.1.2.1.2, ifTable]", 0, 3, 0},
		{"walk: [.1, 0, iso]", 0, 3, 0}, /* the top of the tree */
		{"table: [ifTable]", 0, 0, 1},
		{"get: [], walk: [system]", 0, 1, 0},
		{"get: [sysName.0], walk: [ip, tcp], table: [ifDescr, ifAlias, ifXTable]", 1, 2, 3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct profile *p;
		struct world w;
		char yaml[200];

		snprintf(yaml, sizeof(yaml), "hosts: [{host: h, %s}]\n", rows[i].keys);
		begin(&w, yaml);
		must(&w);
		p = only_profile(&w);
		assert_int_equal(p->nget, rows[i].get);
		assert_int_equal(p->nwalk, rows[i].walk);
		assert_int_equal(p->ntable, rows[i].table);
		assert_true(!p->get == !p->nget && !p->walk == !p->nwalk &&
			    !p->table == !p->ntable);
		assert_null(p->index_label);
		end(&w);
	}
}

/* The command line's words add up per option, and replace those of the defaults key by key. */
static void test_asked_on_the_command_line(void **state)
{
	const struct profile *p;
	struct world w;

	(void)state;
	begin(&w, "defaults: {get: [sysUpTime.0], walk: [ip], table: [ifTable]}\n");
	set(&w, "walk", "system");
	set(&w, "walk", "tcp,udp");
	set(&w, "table", "ifXTable");
	set(&w, "index_label", "ifName");
	target(&w, "h");
	must(&w);
	p = only_profile(&w);
	assert_int_equal(p->nget, 1);
	assert_oid(&p->get[0], "1.3.6.1.2.1.1.3.0");
	assert_int_equal(p->nwalk, 3);
	assert_oid(&p->walk[0], "1.3.6.1.2.1.1");
	assert_oid(&p->walk[1], "1.3.6.1.2.1.6");
	assert_oid(&p->walk[2], "1.3.6.1.2.1.7");
	assert_int_equal(p->ntable, 1);
	assert_oid(&p->table[0].oid, "1.3.6.1.2.1.31.1.1.1");
	assert_oid(p->index_label, "1.3.6.1.2.1.31.1.1.1.1");
	end(&w);
}

/* A table's entry for a table, or for an entry; a column is one; what no MIB knows is a guess. */
static void test_table_objects(void **state)
{
	static const struct {
		const char *text, *oid;
		bool column, guessed;
	} rows[] = {
		{"ifTable", "1.3.6.1.2.1.2.2.1", false, false},
		{"1.3.6.1.2.1.2.2", "1.3.6.1.2.1.2.2.1", false, false},
		{"ifEntry", "1.3.6.1.2.1.2.2.1", false, false},
		{"ifDescr", "1.3.6.1.2.1.2.2.1.2", true, false},
		{"IF-MIB::ifAlias", "1.3.6.1.2.1.31.1.1.1.18", true, false},
		{"1.3.6.1.2.1.2.2.1.77", "1.3.6.1.2.1.2.2.1.77", true, false},
		{"1.3.6.1.4.1.9.9.48.1.1", "1.3.6.1.4.1.9.9.48.1.1", false, true},
		{"enterprises.9.2.2", "1.3.6.1.4.1.9.2.2", false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct table_object *t;
		struct world w;

		begin(&w, "hosts: []\n");
		set(&w, "table", rows[i].text);
		target(&w, "h");
		must(&w);
		t = only_profile(&w)->table;
		assert_oid(&t->oid, rows[i].oid);
		assert_int_equal(t->column, rows[i].column);
		assert_int_equal(t->guessed, rows[i].guessed);
		end(&w);
	}
}

static void test_wrong_tables(void **state)
{
	static const char *const rows[][2] = {
		{"table: [ifTable, sysDescr.0]", "31: table: 'sysDescr.0' is one object, not a "
						 "table or a column: 'walk' takes it\n"},
		{"table: [ifDescr.1]", "22: table: 'ifDescr.1' is one object, not a table or a "
				       "column: 'walk' takes it\n"},
		{"table: [sysDescr]",
		 "22: table: 'sysDescr' is a scalar, not a table or a column: 'walk' takes it\n"},
		{"table: [system]",
		 "22: table: 'system' is a group, not a table or a column: 'walk' takes it\n"},
		{"table: [ifTabel]", "22: unknown object 'ifTabel' (did you mean 'ifTable'?)\n"},
		{"index_label: ifTable", "27: index_label: 'ifTable' is a table, not a column\n"},
		{"index_label: ifEntry",
		 "27: index_label: 'ifEntry' is a table's entry, not a column\n"},
		{"index_label: ifName.1",
		 "27: index_label: 'ifName.1' is one object, not a column\n"},
		{"index_label: sysName", "27: index_label: 'sysName' is a scalar, not a column\n"},
		{"index_label: ifNmae", "27: unknown object 'ifNmae' (did you mean 'ifName'?)\n"},
		{"walk: [sytsem]", "21: unknown object 'sytsem' (did you mean 'system'?)\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		char yaml[200];
		char expected[200];

		snprintf(yaml, sizeof(yaml), "groups: {g: {%s}}\nhosts: []\n", rows[i][0]);
		snprintf(expected, sizeof(expected), "1:%s", rows[i][1]);
		begin(&w, yaml); /* nobody takes the group, and it must be right all the same */
		assert_string_equal(errors_of(&w), expected);
		end(&w);
	}
}

/* Where no table is read, the label makes no difference; what is equal is shared. */
static void test_shared_objects(void **state)
{
	static const uint32_t expected[] = {0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 6, 7, 8};
	struct world w;

	(void)state;
	begin(&w,
	      "hosts:\n"
	      "  - a\n"
	      "  - {host: b, index_label: ifName}\n"
	      "  - {host: c, walk: [ifTable]}\n"
	      "  - {host: d, table: [ifTable]}\n"
	      "  - {host: e, table: [ifEntry]}\n"
	      "  - {host: f, table: [1.3.6.1.2.1.2.2], context: rests}\n"
	      "  - {host: g, table: [ifTable], index_label: ifName}\n"
	      "  - {host: h, table: [ifTable], index_label: ifAlias}\n"
	      "  - {host: i, table: [ifDescr]}\n"
	      "  - {host: j, walk: [sysDescr.0]}\n"
	      "  - {host: k, get: [], walk: [1.3.6.1.2.1.1.1.0]}\n"
	      "  - {host: l, get: [sysDescr.0], walk: [sysDescr.0]}\n"
	      "  - {host: m, walk: [ifEntry]}\n"); /* the OID of ifTable's entry, but no table */
	must(&w);
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct plan_target t = next(&w);

		assert_int_equal(t.profile, expected[i]);
	}
	assert_ptr_equal(w.plan->profiles.list[0].get, w.plan->profiles.list[7].walk);
	end(&w);
}

static void test_unknown_objects(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "defaults:\n"
		  "  get: [sysName.0, sysDecsr.0]\n"
		  "groups:\n"
		  "  unused: {walk: [ifTabel]}\n"
		  "hosts:\n"
		  "  - a\n"
		  "  - b\n"
		  "  - {host: c, get: [1.3.6, 1.99]}\n");
	assert_string_equal(
		errors_of(&w),
		"2:20: unknown object 'sysDecsr.0' (did you mean 'sysDescr.0'?)\n"
		"4:19: unknown object 'ifTabel' (did you mean 'ifTable'?)\n"
		"8:28: '1.99' is not an OID: numbers below 2^32 with dots, 2 to 128 of them\n");
	end(&w);
	begin(&w, "hosts: []\n");
	set(&w, "get", "sysDescr.0,sysDecsr.0");
	assert_string_equal(errors_of(&w),
			    "command line: unknown object 'sysDecsr.0' (did you mean "
			    "'sysDescr.0'?)\n");
	end(&w);
}

/* A million wrong names must not take minutes: behind the last error that is shown none is looked up. */
static void test_many_unknown_objects(void **state)
{
	struct buf yaml = {0};
	struct world w;

	(void)state;
	buf_puts(&yaml, "hosts:\n");
	for (int i = 0; i < 60; i++)
		buf_puts(&yaml, "  - {host: a, get: [sysDecsr.0]}\n");
	begin(&w, take(&yaml));
	assert_non_null(strstr(errors_of(&w), "\n51:21: unknown object 'sysDecsr.0' (did you mean "
					      "'sysDescr.0'?)\nand perhaps more\n"));
	assert_int_equal(conf_error_count(w.conf), 50);
	buf_free(&yaml);
	end(&w);
}

static void test_run_as(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: []\nrun_as: nosuchuser\n");
	assert_string_equal(errors_of(&w), "2:9: run_as: there is no user 'nosuchuser'\n");
	end(&w);
	begin(&w, "hosts: []\nrun_as: root\n");
	must(&w);
	end(&w);
}

static void test_v3(void **state)
{
	static const uint8_t id[] = {0x80, 0x00, 0x1f, 0x88, 0x04, 0xab, 0xcd};
	const struct profile *p;
	struct world w;

	(void)state;
	begin(&w,
	      "credentials: {k: {version: 3, user: poller, auth: SHA-256, auth_pass: "
	      "auth-secret, priv: AES, priv_pass: priv-secret, context: vlan-7, community: x}}\n"
	      "hosts: [{host: h, credential: k, engine_id: 0x80001F8804abCD}]\n");
	must(&w);
	p = only_profile(&w);
	assert_int_equal(p->version, SNMP_V3);
	assert_string_equal(p->community, "");
	assert_string_equal(p->context, "vlan-7");
	assert_int_equal(p->engine_id_len, sizeof(id));
	assert_memory_equal(p->engine_id, id, sizeof(id));
	assert_string_equal(usm_user(p->credential), "poller");
	assert_int_equal(usm_level(p->credential), USM_AUTH_PRIV);
	assert_string_equal(usm_priv_name(p->credential), "AES");
	end(&w);
}

/* The same words, wherever they stand, are one credential; one that differs in any of them is another. */
static void test_credentials_are_shared(void **state)
{
	static const uint32_t expected[] = {0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8};
	struct world w;

	(void)state;
	begin(&w, "defaults: {version: 3, user: u, auth: SHA, auth_pass: 12345678, priv: AES, "
		  "priv_pass: 12345678}\n"
		  "credentials: {k: {user: u, auth: SHA-1, auth_pass: 12345678}}\n"
		  "hosts:\n"
		  "  - a\n"
		  "  - {host: b, credential: k}\n"
		  "  - {host: c, user: v}\n"
		  "  - {host: d, auth: MD5}\n"
		  "  - {host: e, auth_pass: 12345679}\n"
		  "  - {host: f, priv: AES-256}\n"
		  "  - {host: g, priv_pass: 12345679}\n"
		  "  - {host: h, level: authNoPriv}\n"
		  "  - {host: i, level: authnopriv, timeout: 9s}\n"
		  "  - {host: j, level: noAuthNoPriv}\n"
		  "  - {host: k, level: authPriv}\n");
	must(&w);
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct plan_target t = next(&w);

		assert_non_null(profile(&w, &t)->credential);
		assert_ptr_equal(profile(&w, &t)->credential,
				 w.plan->profiles.credentials[expected[i]].made);
	}
	assert_int_equal(w.plan->profiles.ncredentials, 9);
	end(&w);
}

/* Context and engine ID are part of what is asked; where another version is spoken, none of it is. */
static void test_v3_profiles(void **state)
{
	static const uint32_t expected[] = {0, 1, 2, 2, 3, 4, 4};
	struct world w;

	(void)state;
	begin(&w, "defaults: {version: 3, user: u}\n"
		  "hosts:\n"
		  "  - {host: a, community: rests}\n"
		  "  - {host: b, context: x}\n"
		  "  - {host: c, engine_id: 8000000001}\n"
		  "  - {host: d, engine_id: 0x8000000001, context: ''}\n"
		  "  - {host: e, engine_id: 800000000100}\n"
		  "  - {host: f, version: 2c, context: x, engine_id: 8000000001, user: v}\n"
		  "  - {host: g, version: 2c}\n");
	must(&w);
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct plan_target t = next(&w);

		assert_int_equal(t.profile, expected[i]);
	}
	assert_null(w.plan->profiles.list[4].credential);
	assert_string_equal(w.plan->profiles.list[4].context, "");
	assert_int_equal(w.plan->profiles.list[4].engine_id_len, 0);
	end(&w);
}

/* A protocol that the library lacks is told at its place, once, whether a host uses it or not. */
static void test_protocols(void **state)
{
	struct conf_place place = {3, 7, 0};
	struct conf *c = conf_new();
	struct buf errors = {0};

	(void)state;
	plan_check_protocol(c, SET_AUTH, NULL, place);
	plan_check_protocol(c, SET_AUTH, "SHA-512", place);
	plan_check_protocol(c, SET_PRIV, "AES", place);
	assert_int_equal(conf_error_count(c), 0);
	plan_check_protocol(c, SET_AUTH, "AES", place); /* that is no such protocol */
	plan_check_value(&(struct plan_profiles){.conf = c}, SET_PRIV,
			 (union setting_value){.text = "SHA-512"}, place);
	conf_errors(c, &errors);
	assert_string_equal(take(&errors),
			    "command line:3:7: auth: there is no protocol 'AES'\n"
			    "command line:3:7: priv: there is no protocol 'SHA-512'\n");
	buf_free(&errors);
	conf_free(c);
}

/* Keys take time: none is made where something is wrong, be it elsewhere. */
static void test_no_keys_beside_errors(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: [{host: h, version: 3, user: u}, {host: i, version: 3}]\n");
	assert_string_equal(errors_of(&w), "1:60: version 3: needs 'user'\n");
	end(&w);
}

static void test_conf_is_checked(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "groups: {switches: {}}\nhosts: [{host: h, group: switchs}]\n");
	assert_non_null(
		strstr(errors_of(&w), "unknown group 'switchs' (did you mean 'switches'?)"));
	end(&w);
}

static void test_description(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: [192.0.2.0/24, {host: 192.0.2.1, label: core}, h]\n");
	w.excludes[0] = "192.0.2.2-7";
	w.nexcludes = 1;
	must(&w);
	assert_string_equal(description(&w), "192.0.2.0/24: 250 targets, 6 excluded\n"
					     "core (192.0.2.1): 1 target\n"
					     "h: 1 target\n"
					     "total: 252 targets\n"
					     "get: sysDescr.0\n"
					     "SNMP 2c, silent host: 7s (1s + 2s + 4s), a name with "
					     "several addresses at most 56s\n");
	end(&w);
}

static void test_description_is_for_terminals(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts: [{host: 192.0.2.1, label: \"a\\e[2J\\x9bb\\u202ec\\n\"},"
		  "\"unix:/run/a\\e[2J\", {host: \"unix:/run/\\u202eb\", label: b}]\n");
	must(&w);
	assert_non_null(strstr(description(&w), "a?[2J?b?c? (192.0.2.1): 1 target\n"
						"unix:/run/a?[2J: 1 target\n"
						"b (unix:/run/?b): 1 target\n"));
	end(&w);
}

static void test_description_of_profiles(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "hosts:\n"
		  "  - {host: 192.0.2.0/31, community: hidden, timeout: 1.5s, retries: 0}\n"
		  "  - {host: 192.0.2.8, version: 1, get: [1.3.6.1.4.1.9.1, ifDescr], retries: 6, "
		  "timeout: 300ms, deadline: 5s}\n"
		  "  - {host: 192.0.2.9, retries: 1}\n");
	w.excludes[0] = "192.0.2.9";
	w.nexcludes = 1;
	must(&w);
	assert_string_equal(
		description(&w),
		"192.0.2.0/31: 2 targets, profile 1\n"
		"192.0.2.8: 1 target, profile 2\n"
		"192.0.2.9: 0 targets, 1 excluded, profile 3\n"
		"total: 3 targets\n"
		"profile 1, 2 targets: get: sysDescr.0\n"
		"SNMP 2c, silent host: 1.5s (1.5s)\n"
		"profile 2, 1 target: get: 1.3.6.1.4.1.9.1 ifDescr\n"
		"SNMP 1, silent host: 5s (300ms + 600ms + 1.2s + 2.4s + 2.4s + 2 more, cut "
		"at the deadline)\n");
	end(&w);
}

static void test_description_of_walks(void **state)
{
	struct world w;

	(void)state;
	begin(&w,
	      "hosts:\n"
	      "  - {host: 192.0.2.1, get: [sysName.0], walk: [system, 1.3.6.1.4.1.9.9.13],\n"
	      "     table: [ifTable, ifAlias, ifXEntry, 1.3.6.1.4.1.9.9.48], index_label: ifName,\n"
	      "     per_host: 4}\n");
	must(&w);
	assert_string_equal(
		description(&w),
		"192.0.2.1: 1 target\n"
		"total: 1 target\n"
		"get: sysName.0\n"
		"walk: system 1.3.6.1.4.1.9.9.13\n"
		"table: ifTable ifAlias ifXTable 1.3.6.1.4.1.9.9.48 (taken for a table: "
		"no MIB knows it)\n"
		"index_label: ifName\n"
		"SNMP 2c, 4 requests of a host in flight, silent host: 7s (1s + 2s + "
		"4s)\n");
	end(&w);
}

/* User and level, never a secret; a user's name may hold anything. */
static void test_description_of_v3(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "defaults: {version: 3, user: \"a\\e[2J\", auth: SHA, auth_pass: hidden-one, "
		  "timeout: 100ms, retries: 0}\n"
		  "hosts: [192.0.2.1, {host: 192.0.2.2, priv: AES, priv_pass: hidden-two}, "
		  "{host: 192.0.2.3, level: noAuthNoPriv, context: c}]\n");
	must(&w);
	assert_non_null(strstr(description(&w), "SNMP 3, user a?[2J, authNoPriv, silent host: "
						"100ms (100ms)\n"));
	assert_non_null(strstr(w.text, "SNMP 3, user a?[2J, authPriv, "));
	assert_non_null(strstr(w.text, "SNMP 3, user a?[2J, noAuthNoPriv, "));
	assert_null(strstr(w.text, "hidden"));
	end(&w);
}

static void test_description_of_many(void **state)
{
	struct buf yaml = {0};
	struct world w;
	const char *text;

	(void)state;
	buf_puts(&yaml, "hosts:\n");
	for (int i = 0; i < 100; i++)
		buf_printf(&yaml, "  - {host: 10.0.%d.0/30, community: c%d}\n", i, i);
	begin(&w, take(&yaml));
	must(&w);
	text = description(&w);
	assert_non_null(strstr(text, "10.0.38.0/30: 4 targets, profile 39\n"
				     "and 61 entries more: 244 targets\n"
				     "total: 400 targets\n"
				     "profile 1, 4 targets: get: sysDescr.0\n"));
	assert_non_null(strstr(text, "profile 20, 4 targets"));
	assert_null(strstr(text, "profile 21, "));
	assert_non_null(strstr(text, "and 80 profiles more\n"));
	buf_free(&yaml);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bare_name),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_two_files),
		cmocka_unit_test(test_lists_replace),
		cmocka_unit_test(test_equal_hashes),
		cmocka_unit_test(test_all_settings_arrive),
		cmocka_unit_test(test_profiles_are_shared),
		cmocka_unit_test(test_who_asks),
		cmocka_unit_test(test_many_profiles),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_shown_as),
		cmocka_unit_test(test_excludes),
		cmocka_unit_test(test_a_huge_block),
		cmocka_unit_test(test_two_kinds),
		cmocka_unit_test(test_at),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_only_targets),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_what_is_asked),
		cmocka_unit_test(test_asked_on_the_command_line),
		cmocka_unit_test(test_table_objects),
		cmocka_unit_test(test_wrong_tables),
		cmocka_unit_test(test_shared_objects),
		cmocka_unit_test(test_unknown_objects),
		cmocka_unit_test(test_many_unknown_objects),
		cmocka_unit_test(test_run_as),
		cmocka_unit_test(test_v3),
		cmocka_unit_test(test_credentials_are_shared),
		cmocka_unit_test(test_v3_profiles),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_no_keys_beside_errors),
		cmocka_unit_test(test_conf_is_checked),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_description_is_for_terminals),
		cmocka_unit_test(test_description_of_profiles),
		cmocka_unit_test(test_description_of_walks),
		cmocka_unit_test(test_description_of_v3),
		cmocka_unit_test(test_description_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* fed: what one machine plans, another asks as if all had stood in one file; and whatever the octets, no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/fed.h"
#include "plan/plan_internal.h"
#include "snmp/mib.h"

static const struct settings no_command;

static void read_yaml(struct conf *conf, const char *yaml)
{
	char path[] = "/tmp/test_fed.XXXXXX";
	int fd = mkstemp(path);
	FILE *file;

	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(yaml, file);
	fclose(file);
	conf_read(conf, path);
	unlink(path);
}

static void no_errors(const struct conf *conf)
{
	struct buf errors = {0};

	if (!conf_errors(conf, &errors))
		return;
	buf_putc(&errors, '\0');
	fail_msg("%s", (const char *)errors.data);
}

struct planned {
	struct conf *conf;
	struct plan *plan;
};

static struct planned plan_of(const char *yaml, const char *more, bool remote)
{
	struct planned p = {.conf = conf_new()};

	conf_hold_secrets(p.conf);
	if (more)
		read_yaml(p.conf, more);
	read_yaml(p.conf, yaml);
	p.plan = plan_new(
		&(struct plan_request){.conf = p.conf, .settings = &no_command, .remote = remote});
	no_errors(p.conf);
	assert_non_null(p.plan);
	return p;
}

static void free_planned(struct planned *p)
{
	plan_free(p->plan);
	conf_free(p->conf);
}

struct asking {
	struct conf *conf;
	struct plan_keys *keys;
	struct plan *plan;
};

static struct asking ask(const struct plan *planned, const char *credentials)
{
	struct asking a = {.conf = conf_new()};
	struct buf packed = {0};
	const char *error;

	conf_hold_secrets(a.conf);
	read_yaml(a.conf, credentials);
	a.keys = plan_keys_new(a.conf);
	no_errors(a.conf);
	assert_non_null(a.keys);
	plan_pack_profiles(planned, &packed);
	a.plan = plan_fed(a.keys, packed.data, packed.len, &error);
	if (!a.plan)
		fail_msg("%s", error);
	no_errors(a.conf);
	buf_free(&packed);
	return a;
}

static void free_asking(struct asking *a)
{
	plan_free(a->plan);
	plan_keys_free(a->keys);
	conf_free(a->conf);
}

static void check_oids(const struct oid *a, size_t na, const struct oid *b, size_t nb)
{
	assert_int_equal(na, nb);
	for (size_t i = 0; i < na; i++)
		assert_int_equal(oid_compare(a[i].id, a[i].len, b[i].id, b[i].len), 0);
}

static void check_objects(const struct profile *a, const struct profile *b)
{
	check_oids(a->get, a->nget, b->get, b->nget);
	check_oids(a->walk, a->nwalk, b->walk, b->nwalk);
	assert_int_equal(a->ntable, b->ntable);
	for (size_t i = 0; i < a->ntable; i++) {
		check_oids(&a->table[i].oid, 1, &b->table[i].oid, 1);
		assert_int_equal(a->table[i].column, b->table[i].column);
		assert_int_equal(a->table[i].guessed, b->table[i].guessed);
	}
	assert_int_equal(!a->index_label, !b->index_label);
	if (a->index_label)
		check_oids(a->index_label, 1, b->index_label, 1);
}

/* The same user with the same keys: what they come to for some engine. */
static void check_credential(const struct usm_credential *a, const struct usm_credential *b)
{
	struct usm_peer of_a = {0}, of_b = {0};

	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_string_equal(usm_user(a), usm_user(b));
	assert_int_equal(usm_level(a), usm_level(b));
	assert_string_equal(usm_priv_name(a), usm_priv_name(b));
	assert_true(usm_peer_is(&of_a, (const uint8_t *)"engine-1", 8));
	assert_true(usm_peer_is(&of_b, (const uint8_t *)"engine-1", 8));
	assert_true(usm_localise(a, &of_a) && usm_localise(b, &of_b));
	assert_int_equal(of_a.auth_key_len, of_b.auth_key_len);
	assert_int_equal(of_a.priv_key_len, of_b.priv_key_len);
	assert_memory_equal(of_a.auth_key, of_b.auth_key, sizeof(of_a.auth_key));
	assert_memory_equal(of_a.priv_key, of_b.priv_key, sizeof(of_a.priv_key));
}

static void check_profile(const struct profile *a, const struct profile *b)
{
	assert_int_equal(a->version, b->version);
	assert_string_equal(a->community, b->community);
	check_credential(a->credential, b->credential);
	assert_int_equal(!a->tls, !b->tls);
	assert_int_equal(a->peer_pinned, b->peer_pinned);
	assert_memory_equal(a->peer_pin, b->peer_pin, sizeof(a->peer_pin));
	assert_int_equal(!a->peer_name, !b->peer_name);
	if (a->peer_name)
		assert_string_equal(a->peer_name, b->peer_name);
	assert_string_equal(a->context, b->context);
	assert_int_equal(a->engine_id_len, b->engine_id_len);
	assert_memory_equal(a->engine_id, b->engine_id, sizeof(a->engine_id));
	check_objects(a, b);
	assert_int_equal(a->per_host, b->per_host);
	assert_int_equal(a->max_repetitions, b->max_repetitions);
	assert_true(a->max_vars == b->max_vars);
	assert_int_equal(a->nonincreasing, b->nonincreasing);
	assert_true(a->timeout_us == b->timeout_us);
	assert_int_equal(a->retries, b->retries);
	assert_true(a->deadline_us == b->deadline_us);
	assert_int_equal(a->any_source, b->any_source);
	assert_int_equal(a->adaptive, b->adaptive);
	assert_int_equal(a->silent_after, b->silent_after);
}

/* Each target's profile, planned by one and asked by another, is the one of a single program that reads both files. */
static void check_equal(const char *hosts, const char *credentials)
{
	struct planned local = plan_of(hosts, credentials, false);
	struct planned remote = plan_of(hosts, NULL, true);
	struct asking asking = ask(remote.plan, credentials);
	struct plan_target here, there;
	size_t n, more;
	const struct profile *a = plan_profiles(local.plan, &n);
	const struct profile *b = plan_profiles(asking.plan, &n);

	plan_profiles(remote.plan, &more);
	assert_int_equal(n, more);
	for (enum plan_kind kind = PLAN_DATAGRAMS; kind < PLAN_KINDS; kind++) {
		while (plan_next(local.plan, kind, &here)) {
			assert_true(plan_next(remote.plan, kind, &there));
			assert_string_equal(here.host, there.host);
			assert_true(here.seq == there.seq);
			assert_int_equal(here.port, there.port);
			if (plan_fault(asking.plan, there.profile))
				fail_msg("%s: %s", here.host,
					 plan_fault(asking.plan, there.profile));
			check_profile(&a[here.profile], &b[there.profile]);
		}
		assert_false(plan_next(remote.plan, kind, &there));
	}
	free_asking(&asking);
	free_planned(&local);
	free_planned(&remote);
}

static const char credentials[] =
	"credentials:\n"
	"  office: {community: office-secret}\n"
	"  old: {version: 1, community: old-secret}\n"
	"  core: {version: 3, user: poller, auth: SHA, auth_pass: core-auth-pass, priv: AES, "
	"priv_pass: core-priv-pass, context: vrf-core}\n"
	"  half: {version: 3, user: reader, auth: SHA-256, auth_pass: half-auth-pass, level: "
	"authNoPriv, "
	"engine_id: 8000000001020304}\n"
	"  open: {version: 3, user: guest}\n";

/* Each key alone; no value is the built-in one. */
static void test_keys(void **state)
{
	static const char *const keys[] = {
		"version: 1",
		"version: 2c",
		"community: public",
		"context: other",
		"engine_id: 80000000AABBCC",
		"user: somebody",
		"level: authNoPriv",
		"timeout: 1.2345678s",
		"retries: 7",
		"deadline: 90s",
		"per_host: 9",
		"max_repetitions: 33",
		"max_vars: 123456",
		"any_source: true",
		"nonincreasing: allow",
		"adaptive_timeout: false",
		"silent_after: 0",
		"get: [sysName.0, 1.3.6.1.2.1.1.5.0]",
		"walk: [.1, system]",
		"table: [ifTable, ifAlias, 1.3.6.1.4.1.99999.1]",
		"site: north",
		"port: 1161",
		"family: 6",
	};
	static const char *const names[] = {"office", "core", "half"};
	struct buf yaml = {0};

	(void)state;
	buf_puts(&yaml, "hosts:\n");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		for (size_t k = 0; k < 3; k++)
			if (i != 5 || k > 0) /* a user needs version 3 */
				buf_printf(&yaml, "  - {host: h%zu-%zu, credential: %s, %s}\n", i,
					   k, names[k], keys[i]);
	buf_puts(&yaml, "  - {host: label, table: [ifTable], index_label: ifName}\n");
	buf_putc(&yaml, '\0');
	check_equal((const char *)yaml.data, credentials);
	buf_free(&yaml);
}

/* Which of several levels wins. */
static void test_levels(void **state)
{
	(void)state;
	check_equal("defaults: {credential: office, version: 2c, context: weak}\n"
		    "groups:\n"
		    "  a: {credential: core}\n"
		    "  b: {credential: core, context: strong, priv: AES-256}\n"
		    "  c: {timeout: 3s}\n"
		    "hosts:\n"
		    "  - one\n"
		    "  - {host: two, group: a}\n"
		    "  - {host: three, group: b}\n"
		    "  - {host: four, group: b, credential: half, context: own}\n"
		    "  - {host: five, group: c, credential: open}\n"
		    "  - {host: six, group: b, credential: office, version: 2c}\n"
		    "  - {host: seven, credential: old, version: 2c}\n"
		    "  - {host: eight, group: a, user: another}\n"
		    "  - {host: nine, community: public}\n",
		    credentials);
}

/* Nobody named a credential: what needs no secret is asked all the same. */
static void test_without(void **state)
{
	(void)state;
	check_equal("hosts:\n"
		    "  - plain\n"
		    "  - {host: v1, version: 1, community: public}\n"
		    "  - {host: v3, version: 3, user: guest, level: noAuthNoPriv, context: x}\n",
		    "credentials: {}\n");
}

static const char *pick(unsigned *seed, const char *const *words, size_t n)
{
	return words[(size_t)rand_r(seed) % n];
}
#define PICK(...)                                      \
	pick(seed, (const char *const[]){__VA_ARGS__}, \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A credential, or a few keys, or both. */
static void put_level(struct buf *yaml, unsigned *seed)
{
	buf_puts(yaml, PICK("credential: core", "credential: half", "credential: core, context: c1",
			    "credential: half, user: u2", "credential: core, auth: SHA-512",
			    "timeout: 2s", "user: u3", "context: c2",
			    "credential: core, level: authNoPriv", "retries: 1",
			    "engine_id: 800000000909", "credential: half, version: 3"));
	buf_puts(yaml, PICK("", ", get: [sysName.0]", ", walk: [system]", ", site: s1",
			    ", site: s2", ", deadline: 9s", ", per_host: 3"));
}

static void test_random_levels(void **state)
{
	unsigned number = 4711;
	unsigned *seed = &number;

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct buf yaml = {0};

		buf_puts(&yaml, "defaults: {credential: core");
		buf_puts(&yaml, PICK("", ", context: c0", ", user: u0", ", site: s0"));
		buf_puts(&yaml, "}\ngroups:\n");
		for (unsigned i = 0; i < 3; i++) {
			buf_printf(&yaml, "  g%u: {", i);
			put_level(&yaml, seed);
			buf_puts(&yaml, "}\n");
		}
		buf_puts(&yaml, "hosts:\n  - bare\n");
		for (unsigned i = 0; i < 12; i++) {
			buf_printf(&yaml, "  - {host: h%u, group: g%u, ", i,
				   (unsigned)rand_r(seed) % 3);
			put_level(&yaml, seed);
			buf_puts(&yaml, "}\n");
		}
		buf_putc(&yaml, '\0');
		check_equal((const char *)yaml.data, credentials);
		buf_free(&yaml);
	}
}

static void test_sites(void **state)
{
	struct planned p = plan_of("defaults: {site: north}\n"
				   "groups: {g: {site: south}}\n"
				   "hosts:\n"
				   "  - 192.0.2.0/28\n"
				   "  - {host: a, group: g}\n"
				   "  - {host: b, site: default}\n"
				   "  - {host: c, group: g, retries: 5}\n"
				   "  - d\n",
				   NULL, true);
	struct plan_target t;

	(void)state;
	assert_int_equal(plan_sites(p.plan), 3);
	assert_string_equal(plan_site_at(p.plan, 0), "north");
	assert_string_equal(plan_site_at(p.plan, 1), "south");
	assert_string_equal(plan_site_at(p.plan, 2), "default");
	assert_true(plan_site_count(p.plan, 0) == 17);
	assert_true(plan_site_count(p.plan, 1) == 2);
	assert_true(plan_site_count(p.plan, 2) == 1);
	while (plan_next(p.plan, PLAN_DATAGRAMS, &t)) {
		const char *site = plan_site(p.plan, t.profile);

		if (!t.host || *t.host == 'd')
			assert_ptr_equal(site, plan_site_at(p.plan, 0));
		else if (*t.host == 'b')
			assert_ptr_equal(site, plan_site_at(p.plan, 2));
		else
			assert_ptr_equal(site, plan_site_at(p.plan, 1));
	}
	free_planned(&p);
}

/* Why the named target cannot be asked. */
static void check_fault(const char *keys, const char *own, const char *expected)
{
	struct planned p;
	struct asking a;
	char yaml[400];
	size_t n;

	snprintf(yaml, sizeof(yaml), "hosts:\n  - {host: x, %s}\n  - fine\n", keys);
	p = plan_of(yaml, NULL, true);
	a = ask(p.plan, own);
	if (!plan_fault(a.plan, 0))
		fail_msg("%s: no fault", keys);
	if (!strstr(plan_fault(a.plan, 0), expected))
		fail_msg("%s: %s", keys, plan_fault(a.plan, 0));
	assert_int_equal(plan_profiles(a.plan, &n)[0].version,
			 SNMP_V2C); /* workers build it all the same */
	assert_null(plan_fault(a.plan, 1));
	assert_non_null(plan_fault(a.plan, 2)); /* there is none of that number */
	free_asking(&a);
	free_planned(&p);
}

static void test_faults(void **state)
{
	(void)state;
	check_fault("credential: core-v3", credentials, "has no credential 'core-v3'");
	check_fault("credential: core-v3", "hosts: []\n", "has no credential 'core-v3'");
	check_fault("credential: office, version: 3", credentials,
		    "cannot ask by credential 'office': version 3: needs 'user'");
	check_fault("credential: open, auth: SHA", credentials,
		    "cannot ask by credential 'open': auth: needs 'auth_pass'");
	check_fault("credential: k", "credentials: {k: {version: 3, user: u, auth: SHA}}\n",
		    ":1:46: auth: needs 'auth_pass'");
}

/* Two named on the way up; the weaker one is missing: as one program would say that it does not exist. */
static void test_weaker_is_missing(void **state)
{
	struct planned p = plan_of(
		"defaults: {credential: gone}\nhosts: [{host: x, credential: office}]\n", NULL,
		true);
	struct asking a = ask(p.plan, credentials);

	(void)state;
	assert_string_equal(plan_fault(a.plan, 0), "has no credential 'gone'");
	free_asking(&a);
	free_planned(&p);
}

/* No secret of the planning side is in what it gives away, and none was read. */
static void test_no_secret(void **state)
{
	static const char *const secrets[] = {"office-secret", "core-auth-pass", "core-priv-pass"};
	struct planned p;
	struct buf packed = {0};

	(void)state;
	p = plan_of("hosts:\n"
		    "  - {host: a, credential: office}\n"
		    "  - {host: b, credential: core}\n"
		    "  - {host: c, credential: file}\n",
		    "credentials:\n"
		    "  office: {community: office-secret}\n"
		    "  core: {version: 3, user: poller, auth: SHA, auth_pass: core-auth-pass, "
		    "priv: AES, "
		    "priv_pass: core-priv-pass}\n"
		    "  file: {community_file: /nowhere/to/be/found}\n"
		    "  env: {community_env: TEST_FED_HAS_NO_SUCH}\n",
		    true);
	plan_pack_profiles(p.plan, &packed);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(memmem(packed.data, packed.len, secrets[i], strlen(secrets[i])));
	assert_non_null(memmem(packed.data, packed.len, "office", 6));
	assert_null(memmem(packed.data, packed.len, "poller", 6)); /* nor what goes with them */
	buf_free(&packed);
	free_planned(&p);
}

static void check_refused(const char *yaml, const char *expected)
{
	struct conf *conf = conf_new();
	struct buf errors = {0};
	struct plan *plan;

	conf_hold_secrets(conf);
	read_yaml(conf, yaml);
	plan = plan_new(
		&(struct plan_request){.conf = conf, .settings = &no_command, .remote = true});
	assert_null(plan);
	conf_errors(conf, &errors);
	buf_putc(&errors, '\0');
	if (!strstr((const char *)errors.data, expected))
		fail_msg("%s: %s", yaml, (const char *)errors.data);
	assert_null(strstr((const char *)errors.data, "s3cret"));
	buf_free(&errors);
	conf_free(conf);
}

static void test_refused(void **state)
{
	(void)state;
	check_refused("hosts: [{host: a, community: s3cret-1}]",
		      ":1:30: community: no secret goes");
	check_refused("defaults: {community: s3cret-1}", ":1:23: community: no secret goes");
	check_refused("groups: {g: {version: 3, user: u, auth: SHA, auth_pass: s3cret-12}}",
		      "auth_pass: no secret goes");
	check_refused("hosts: [{host: a, priv_pass: s3cret-12}]", "priv_pass: no secret goes");
	check_refused("hosts: [{host: a, community_file: /etc/s3}]", "community: no secret goes");
	check_refused("hosts: [{host: a, auth_pass_env: NOT_THERE}]", "auth_pass: no secret goes");
	check_refused("hosts: [{host: a, credential: c, community: s3cret-1}]",
		      "name a 'credential'");
	check_refused("hosts: [{host: a, version: 3, user: u, auth: SHA}]",
		      ":1:46: auth: with a broker, passphrases come with a 'credential'");
	check_refused("hosts: [{host: a, version: 3, user: u, level: authPriv}]",
		      "level: with a broker");
	check_refused("hosts: [{host: a, version: 3}]", "version 3: needs 'user'");
	check_refused("hosts: [{host: 'tlstcp:a', identity: a.pem, peer_identity: "
		      "'0000000000000000000000000000000000000000000000000000000000000000'}]",
		      "identity: a file of the agents' machines");
	check_refused("hosts: [{host: a, group: nowhere}]", "unknown group 'nowhere'");
	check_refused("hosts: [{host: a, site: 'a/b'}]", "site: 'a/b' is no name");
}

/* Keys are made once; what a host adds to a credential makes another. */
static void test_keys_are_shared(void **state)
{
	struct planned p = plan_of("hosts:\n"
				   "  - {host: a, credential: core}\n"
				   "  - {host: b, credential: core, context: x}\n"
				   "  - {host: c, credential: core, user: another}\n",
				   NULL, true);
	struct asking one = ask(p.plan, credentials);
	struct buf packed = {0};
	const char *error;
	struct plan *second;
	const struct profile *a, *b;
	size_t n;

	(void)state;
	plan_pack_profiles(p.plan, &packed);
	second = plan_fed(one.keys, packed.data, packed.len, &error);
	a = plan_profiles(one.plan, &n);
	b = plan_profiles(second, &n);
	assert_ptr_equal(a[0].credential, b[0].credential);
	assert_ptr_equal(a[0].credential, a[1].credential);
	assert_ptr_not_equal(a[0].credential, a[2].credential);
	assert_int_equal(second->profiles.ncredentials, 1);
	plan_free(second);
	buf_free(&packed);
	free_asking(&one);
	free_planned(&p);
}

/* What is wrong with an agent's own file is told, and where. */
static void test_own_file(void **state)
{
	struct conf *conf = conf_new();
	struct buf errors = {0};

	(void)state;
	conf_hold_secrets(conf);
	read_yaml(conf, "credentials: {a: {community_file: /nowhere/at/all}}\n");
	assert_null(plan_keys_new(conf));
	conf_errors(conf, &errors);
	buf_putc(&errors, '\0');
	assert_non_null(
		strstr((const char *)errors.data, ":1:35: community_file: '/nowhere/at/all'"));
	buf_free(&errors);
	conf_free(conf);
}

static struct plan *feed(const struct plan_keys *k, const uint8_t *octets, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	const char *error = NULL;
	struct plan *p;

	memcpy(copy, octets, len);
	p = plan_fed(k, copy, len, &error);
	if (!p)
		assert_non_null(error);
	free(copy); /* nothing of it is lent */
	return p;
}

/* Cut anywhere, one octet changed anywhere, and from another version. */
static void test_broken(void **state)
{
	struct planned p = plan_of(
		"hosts:\n"
		"  - {host: a, credential: core, context: x, table: [ifTable]}\n"
		"  - {host: b, walk: [system], get: [sysName.0], index_label: ifName}\n",
		NULL, true);
	struct asking a = ask(p.plan, credentials);
	struct buf packed = {0};
	unsigned seed = 4711;

	(void)state;
	plan_pack_profiles(p.plan, &packed);
	for (size_t len = 0; len < packed.len; len++)
		assert_null(feed(a.keys, packed.data, len));
	for (unsigned i = 0; i < 20000; i++) {
		size_t at = (size_t)rand_r(&seed) % packed.len;
		uint8_t was = packed.data[at];
		struct plan *fed;
		size_t n;

		packed.data[at] = (uint8_t)rand_r(&seed);
		fed = feed(a.keys, packed.data, packed.len);
		if (fed)
			plan_profiles(fed, &n);
		plan_free(fed);
		assert_int_equal(conf_error_count(a.conf), 0);
		packed.data[at] = was;
	}
	packed.data[0]++;
	assert_null(feed(a.keys, packed.data, packed.len));
	buf_free(&packed);
	free_asking(&a);
	free_planned(&p);
}

/* Who puts a secret into it all the same is not understood. */
static void test_secrets_are_not_read(void **state)
{
	struct planned p = plan_of("hosts: [{host: a, community: public}]", NULL, true);
	struct asking a = ask(p.plan, credentials);
	struct buf packed = {0};
	uint8_t *at;

	(void)state;
	plan_pack_profiles(p.plan, &packed);
	at = memmem(packed.data, packed.len, "public", 6);
	assert_non_null(at);
	at[0] = 'P';
	assert_null(feed(a.keys, packed.data, packed.len));
	at[0] = 'p';
	plan_free(feed(a.keys, packed.data, packed.len));
	buf_free(&packed);
	free_asking(&a);
	free_planned(&p);
}

static int set_up(void **state)
{
	(void)state;
	mib_setup(NULL, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_random_levels),
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_weaker_is_missing),
		cmocka_unit_test(test_no_secret),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_keys_are_shared),
		cmocka_unit_test(test_own_file),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_secrets_are_not_read),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

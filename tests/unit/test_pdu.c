/* pdu: requests octet by octet, every type, what breaks the rules, and a library that stays silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "snmp/pdu.h"
#include "snmp/peek.h"

#define OBJECTS 300

static struct oid objects[OBJECTS];

static struct profile make_profile(enum snmp_version version, const char *community, size_t nget)
{
	return (struct profile){
		.version = version,
		.community = (char *)(uintptr_t)community,
		.get = objects,
		.nget = nget,
	};
}

static void set_object(size_t i, const char *text)
{
	assert_true(oid_parse(text, strlen(text), &objects[i]));
}

/* ---- requests */

/* A GET of the profile's objects from `first` on. */
static size_t build_get(struct pdu_codec *c, const struct profile *p, size_t first, size_t count,
			struct buf *out)
{
	const struct oid *names[PDU_NAMES_MAX];
	struct pdu_ask ask = {.type = PDU_GET, .names = names, .count = count};

	for (size_t i = 0; i < count; i++)
		names[i] = &p->get[first + i];
	return pdu_build(c, p, &ask, out);
}

static void test_request_octets(void **state)
{
	static const uint8_t wanted[] =
		"\x30\x35\x02\x01\x01\x04\x06public\xa0\x28\x02\x04\x12\x34\x56\x78"
		"\x02\x01\x00\x02\x01\x00\x30\x1a"
		"\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"
		"\x30\x0a\x06\x06\x2b\x06\x81\x80\x80\x00\x05\x00";
	struct profile p = make_profile(SNMP_V2C, "public", 2);
	struct pdu_codec *c = pdu_codec_new();
	struct buf out = {0};
	size_t at;

	(void)state;
	set_object(0, "1.3.6.1.2.1.1.1.0");
	set_object(1, "1.3.6.2097152");
	buf_puts(&out, "before");
	at = build_get(c, &p, 0, 2, &out);
	pdu_patch_id(out.data + at, 0x12345678);
	assert_int_equal(out.len, 6 + sizeof(wanted) - 1);
	assert_memory_equal(out.data + 6, wanted, sizeof(wanted) - 1);
	assert_int_equal(at, 6 + 17);

	p.version = SNMP_V1;
	out.len = 0;
	build_get(c, &p, 0, 2, &out);
	assert_int_equal(out.data[4], 0);
	buf_free(&out);
	pdu_codec_free(c);
}

static void test_questions_of_a_walk(void **state)
{
	static const struct {
		uint8_t type;
		unsigned max_repetitions;
		const char *wanted;
		size_t len;
	} rows[] = {
#define TAIL                 "\x30\x12\x30\x07\x06\x03\x2b\x06\x01\x05\x00\x30\x07\x06\x03\x2b\x06\x02\x05\x00"
#define ROW(type, n, octets) {type, n, octets TAIL, sizeof(octets TAIL) - 1}
		ROW(PDU_GET, 25,
		    "\x30\x2a\x02\x01\x01\x04\x03xyz\xa0\x20\x02\x04\x12\x34\x56\x78\x02\x01\x00"
		    "\x02\x01\x00"),
		ROW(PDU_GET_NEXT, 25,
		    "\x30\x2a\x02\x01\x01\x04\x03xyz\xa1\x20\x02\x04\x12\x34\x56\x78\x02\x01\x00"
		    "\x02\x01\x00"),
		ROW(PDU_GET_BULK, 25,
		    "\x30\x2a\x02\x01\x01\x04\x03xyz\xa5\x20\x02\x04\x12\x34\x56\x78\x02\x01\x00"
		    "\x02\x01\x19"),
		ROW(PDU_GET_BULK, 300,
		    "\x30\x2b\x02\x01\x01\x04\x03xyz\xa5\x21\x02\x04\x12\x34\x56\x78\x02\x01\x00"
		    "\x02\x02\x01\x2c"),
#undef ROW
#undef TAIL
	};
	struct profile p = make_profile(SNMP_V2C, "xyz", 0);
	const struct oid *names[] = {&objects[0], &objects[1]};
	struct pdu_codec *c = pdu_codec_new();
	struct buf out = {0};

	(void)state;
	set_object(0, "1.3.6.1");
	set_object(1, "1.3.6.2");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pdu_ask ask = {rows[i].type, rows[i].max_repetitions, names, 2};
		size_t at;

		out.len = 0;
		buf_puts(&out, "before");
		at = pdu_build(c, &p, &ask, &out);
		pdu_patch_id(out.data + at, 0x12345678);
		assert_int_equal(out.len, 6 + rows[i].len);
		assert_memory_equal(out.data + 6, rows[i].wanted, rows[i].len);
	}
	buf_free(&out);
	pdu_codec_free(c);
}

/* Every chunk is as large as may be: it fits, and with one object more it would not. */
static void test_chunks_fit(void **state)
{
	struct profile p = make_profile(SNMP_V2C, "a community of some length", OBJECTS);
	struct pdu_codec *c = pdu_codec_new();
	struct buf out = {0};
	size_t first = 0, chunks = 0;

	(void)state;
	for (size_t i = 0; i < OBJECTS; i++) {
		char text[80];

		snprintf(text, sizeof(text), "1.3.6.1.2.1.31.1.1.1.%zu.4294967295.%zu", i % 20, i);
		set_object(i, text);
	}
	while (first < OBJECTS) {
		size_t count = pdu_fit(&p, first);

		out.len = 0;
		build_get(c, &p, first, count, &out);
		assert_in_range(out.len, 1, PDU_OCTETS_MAX);
		if (first + count < OBJECTS)
			assert_true(out.len > PDU_OCTETS_MAX * 3 / 4);
		first += count;
		chunks++;
	}
	assert_int_equal(first, OBJECTS);
	assert_true(chunks > 3);
	buf_free(&out);
	pdu_codec_free(c);
}

/* The longest there is: 128 sub-identifiers of five octets, with the longest community. */
static void test_one_object_always_fits(void **state)
{
	char community[256], too_long[PDU_OCTETS_MAX + 1];
	struct profile p = make_profile(SNMP_V2C, community, 2);
	struct pdu_codec *c = pdu_codec_new();
	struct buf out = {0};

	(void)state;
	memset(community, 'c', sizeof(community));
	community[255] = '\0';
	memset(too_long, 'c', sizeof(too_long));
	too_long[PDU_OCTETS_MAX] = '\0';
	for (int k = 0; k < 2; k++) {
		objects[k].len = OID_MAX;
		for (size_t i = 0; i < OID_MAX; i++)
			objects[k].id[i] = i < 2 ? 1 : UINT32_MAX;
	}
	assert_int_equal(pdu_fit(&p, 0), 1);
	build_get(c, &p, 0, 1, &out);
	assert_in_range(out.len, 255 + 126 * 5, PDU_OCTETS_MAX);
	p.community = too_long;
	assert_int_equal(pdu_fit(&p, 0), 1);
	assert_int_equal(pdu_fit(&p, 1), 1);
	buf_free(&out);
	pdu_codec_free(c);
}

static void test_empty_community(void **state)
{
	struct profile p = make_profile(SNMP_V2C, "", 1);
	struct pdu_codec *c = pdu_codec_new();
	struct buf out = {0};
	struct peek head;
	const char *words;

	(void)state;
	set_object(0, "1.3.6.1.2.1.1.1.0");
	build_get(c, &p, 0, 1, &out);
	assert_true(peek_message(out.data, out.len, &head, &words));
	assert_int_equal(head.community_len, 0);
	buf_free(&out);
	pdu_codec_free(c);
}

/* ---- answers: a varbind list is wrapped into a message whose lengths are right */

struct message {
	uint8_t *data; /* of exactly len octets, so that a read past them is seen */
	size_t len;
};

static size_t wrap(uint8_t *out, uint8_t tag, const uint8_t *content, size_t len)
{
	uint8_t copy[2048];

	assert_true(len <= sizeof(copy));
	memcpy(copy, content, len);
	out[0] = tag;
	out[1] = 0x82;
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	memcpy(out + 4, copy, len);
	return len + 4;
}

/* Around `list`, which is the content of the varbind list. */
static struct message make_message(const char *head, size_t head_len, const char *list, size_t len)
{
	uint8_t out[2048], all[2048];
	size_t n;
	struct message m;

	memcpy(all, head, head_len);
	n = head_len + wrap(all + head_len, 0x30, (const uint8_t *)list, len);
	memcpy(out, "\x02\x01\x01\x04\x06public", 11);
	n = 11 + wrap(out + 11, PDU_RESPONSE, all, n);
	m.len = wrap(all, 0x30, out, n);
	m.data = malloc(m.len);
	memcpy(m.data, all, m.len);
	return m;
}

#define HEAD "\x02\x04\x12\x34\x56\x78\x02\x01\x00\x02\x01\x00"
#define NAME "\x06\x03\x2b\x06\x01"

static bool decode(const struct message *m, struct pdu_answer *a, struct vars *vars)
{
	struct pdu_codec *c = pdu_codec_new();
	bool ok = pdu_decode(c, m->data, m->len, a, vars);

	pdu_codec_free(c);
	return ok;
}

/* Decodes one varbind of this value, given in BER. */
static const struct varbind *value(const char *ber, size_t len, struct vars *vars)
{
	uint8_t list[256];
	struct message m;
	struct pdu_answer a = {.words = ""};
	bool ok;

	list[0] = 0x30;
	list[1] = (uint8_t)(5 + len);
	memcpy(list + 2, NAME, 5);
	memcpy(list + 7, ber, len);
	m = make_message(HEAD, sizeof(HEAD) - 1, (const char *)list, 7 + len);
	vars_reset(vars);
	ok = decode(&m, &a, vars);
	free(m.data);
	if (!ok)
		fail_msg("%s", a.words);
	assert_int_equal(vars->count, 1);
	assert_int_equal(vars->list[0].noid, 4);
	assert_memory_equal(vars->list[0].oid, ((uint32_t[]){1, 3, 6, 1}), 16);
	return &vars->list[0];
}
#define VALUE(ber) value("" ber, sizeof(ber) - 1, &vars)

static void test_numbers(void **state)
{
	static const struct {
		const char *ber;
		size_t len;
		enum var_type type;
		uint64_t u;
	} rows[] = {
		{"\x41\x01\x07", 3, VAR_COUNTER32, 7},
		{"\x41\x05\x00\xff\xff\xff\xff", 7, VAR_COUNTER32, UINT32_MAX},
		{"\x42\x05\x00\xee\x6b\x28\x00", 7, VAR_GAUGE32, 4000000000},
		{"\x42\x04\xee\x6b\x28\x00", 6, VAR_GAUGE32, 4000000000},
		{"\x47\x01\x01", 3, VAR_GAUGE32, 1},
		{"\x43\x02\x01\x00", 4, VAR_TIMETICKS, 256},
		{"\x46\x01\x7f", 3, VAR_COUNTER64, 127},
		{"\x46\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", 11, VAR_COUNTER64, UINT64_MAX},
		{"\x46\x08\x01\x00\x00\x00\x00\x00\x00\x02", 10, VAR_COUNTER64,
		 UINT64_C(0x0100000000000002)},
		{"\x44\x04\x9f\x76\x01\x05", 6, VAR_COUNTER64, 5}, /* in an Opaque */
	};
	struct vars vars = {0};
	const struct varbind *v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v = value(rows[i].ber, rows[i].len, &vars);
		assert_int_equal(v->type, rows[i].type);
		assert_true(v->value.u == rows[i].u);
	}
	v = VALUE("\x02\x01\xff");
	assert_int_equal(v->type, VAR_INTEGER);
	assert_true(v->value.i == -1);
	assert_true(VALUE("\x02\x04\x80\x00\x00\x00")->value.i == INT32_MIN);
	assert_true(VALUE("\x02\x04\x7f\xff\xff\xff")->value.i == INT32_MAX);
	vars_free(&vars);
}

static void test_octets_and_names(void **state)
{
	struct vars vars = {0};
	const struct varbind *v = VALUE("\x04\x03"
					"a\0b");

	(void)state;
	assert_int_equal(v->type, VAR_OCTETS);
	assert_int_equal(v->value.octets.len, 3);
	assert_memory_equal(v->value.octets.p, "a\0b", 3);
	assert_int_equal(VALUE("\x04\x00")->value.octets.len, 0);
	v = VALUE("\x40\x04\x7f\x00\x00\x01");
	assert_int_equal(v->type, VAR_IPADDRESS);
	assert_memory_equal(v->value.octets.p, "\x7f\0\0\x01", 4);
	v = VALUE("\x44\x03\x04\x01x");
	assert_int_equal(v->type, VAR_OPAQUE);
	assert_memory_equal(v->value.octets.p, "\x04\x01x", 3);
	v = VALUE("\x06\x07\x2b\x06\x8f\xff\xff\xff\x7f");
	assert_int_equal(v->type, VAR_OID);
	assert_int_equal(v->value.oid.len, 4);
	assert_int_equal(v->value.oid.id[3], UINT32_MAX);
	v = VALUE("\x44\x07\x9f\x78\x04\x3f\x80\x00\x00");
	assert_int_equal(v->type, VAR_FLOAT);
	assert_true(v->value.d == 1.0);
	v = VALUE("\x44\x0b\x9f\x79\x08\xbf\xe0\x00\x00\x00\x00\x00\x00");
	assert_int_equal(v->type, VAR_DOUBLE);
	assert_true(v->value.d == -0.5);
	assert_int_equal(VALUE("\x05\x00")->type, VAR_NULL);
	assert_int_equal(VALUE("\x80\x00")->type, VAR_NO_SUCH_OBJECT);
	assert_int_equal(VALUE("\x81\x00")->type, VAR_NO_SUCH_INSTANCE);
	assert_int_equal(VALUE("\x82\x00")->type, VAR_END_OF_MIB_VIEW);
	vars_free(&vars);
}

static void test_error_status(void **state)
{
	static const char head[] = "\x02\x04\x12\x34\x56\x78\x02\x01\x05\x02\x01\x03";
	struct message m = make_message(head, sizeof(head) - 1, "", 0);
	struct pdu_answer a;
	struct vars vars = {0};

	(void)state;
	assert_true(decode(&m, &a, &vars));
	assert_true(a.error_status == 5 && a.error_index == 3);
	assert_int_equal(vars.count, 0);
	assert_string_equal(pdu_error_name(5), "genErr");
	assert_string_equal(pdu_error_name(PDU_TOO_BIG), "tooBig");
	assert_string_equal(pdu_error_name(PDU_NO_SUCH_NAME), "noSuchName");
	assert_string_equal(pdu_error_name(18), "inconsistentName");
	assert_null(pdu_error_name(19));
	assert_null(pdu_error_name(-1));
	free(m.data);
	vars_free(&vars);
}

static void test_what_breaks_the_rules(void **state)
{
	static const struct {
		const char *list;
		size_t len;
		const char *words;
	} rows[] = {
#define ROW(ber, words) {ber, sizeof(ber) - 1, words}
		ROW("\x30\x07" NAME "\x02\x00", "varbind 1: an INTEGER has no content"),
		ROW("\x30\x0c" NAME "\x02\x05\x00\x00\x00\x00\x01",
		    "varbind 1: an INTEGER has more than 4 octets"),
		ROW("\x30\x0f" NAME "\x02\x08\x01\x02\x03\x04\x05\x06\x07\x08",
		    "varbind 1: an INTEGER has more than 4 octets"),
		ROW("\x30\x07" NAME "\x41\x00", "varbind 1: an unsigned number has no content"),
		ROW("\x30\x0c" NAME "\x42\x05\x01\x00\x00\x00\x00",
		    "varbind 1: an unsigned number has more than 32 bits"),
		ROW("\x30\x0d" NAME "\x43\x06\x00\x00\x00\x00\x00\x00",
		    "varbind 1: an unsigned number has more than 32 bits"),
		ROW("\x30\x10" NAME "\x46\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00",
		    "varbind 1: a Counter64 has more than 64 bits"),
		ROW("\x30\x0a" NAME "\x40\x03\x01\x02\x03",
		    "varbind 1: an IpAddress is not of 4 octets"),
		ROW("\x30\x08" NAME "\x45\x01\x01",
		    "varbind 1: a value is of no type that SNMP has"),
		ROW("\x30\x07" NAME "\xa2\x00", "varbind 1: a value is of no type that SNMP has"),
		ROW("\x30\x07" NAME "\x05\x00\x31\x00", "varbind 2: it is no SEQUENCE"),
		ROW("\x30\x07" NAME "\x04\x05", "varbind 1: a value is longer than its varbind"),
		ROW("\x30\x05" NAME, "varbind 1: it is cut off"),
		ROW("\x30\x02\x05\x00", "varbind 1: it has no name"),
		ROW("\x30\x04\x06\x00\x05\x00", "varbind 1: its name is empty"),
		ROW("\x30\x09" NAME "\x05\x00\x05\x00", "varbind 1: it holds more than a value"),
		ROW("\x30\x09" NAME "\x05\x00", "varbind 1: it is cut off, or a length is wrong"),
		ROW("\x30\x80" NAME "\x05\x00",
		    "varbind 1: a length is not of BER's definite form"),
		ROW("\x30\x85\0\0\0\0\x07" NAME "\x05\x00",
		    "varbind 1: a length is not of BER's definite form"),
		ROW("\x30\x84\xff\xff\xff\xff" NAME "\x05\x00",
		    "varbind 1: it is cut off, or a length is wrong"),
#undef ROW
	};
	struct pdu_answer a;
	struct vars vars = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = make_message(HEAD, sizeof(HEAD) - 1, rows[i].list, rows[i].len);

		a.words[0] = '\0';
		vars_reset(&vars);
		assert_false(decode(&m, &a, &vars));
		assert_string_equal(a.words, rows[i].words);
		free(m.data);
	}
	vars_free(&vars);
}

/* What only the library finds is refused too, in its words. */
static void test_the_librarys_own_refusal(void **state)
{
	static const char list[] = "\x30\x08\x06\x04\x2b\x06\x01\x81\x05\x00"; /* a name cut off */
	struct message m = make_message(HEAD, sizeof(HEAD) - 1, list, sizeof(list) - 1);
	struct pdu_answer a = {.words = ""};
	struct vars vars = {0};

	(void)state;
	assert_false(decode(&m, &a, &vars));
	assert_string_not_equal(a.words, "");
	free(m.data);
	vars_free(&vars);
}

static void test_cut_anywhere(void **state)
{
	static const char list[] = "\x30\x82\x00\x07" NAME "\x05\x00";
	struct message m = make_message(HEAD, sizeof(HEAD) - 1, list, sizeof(list) - 1);
	struct vars vars = {0};

	(void)state;
	for (size_t len = 1; len < m.len; len++) {
		struct message cut = {.data = malloc(len), .len = len};
		struct pdu_answer a = {.words = ""};

		memcpy(cut.data, m.data, len);
		assert_false(decode(&cut, &a, &vars));
		assert_string_not_equal(a.words, "");
		free(cut.data);
	}
	free(m.data);
	vars_free(&vars);
}

static void test_what_follows_is_passed_over(void **state)
{
	static const char list[] = "\x30\x07" NAME "\x05\x00";
	struct message m = make_message(HEAD, sizeof(HEAD) - 1, list, sizeof(list) - 1);
	struct pdu_answer a;
	struct vars vars = {0};

	(void)state;
	m.data = realloc(m.data, m.len + 5);
	memcpy(m.data + m.len, "after", 5);
	m.len += 5;
	assert_true(decode(&m, &a, &vars));
	assert_int_equal(vars.count, 1);
	free(m.data);
	vars_free(&vars);
}

/* Octets changed at random: nothing is read outside (under the sanitizers), nothing is leaked. */
static void test_garbled_messages(void **state)
{
	static const char list[] = "\x30\x07" NAME "\x05\x00"
				   "\x30\x0c" NAME "\x41\x05\x00\xff\xff\xff\xff"
				   "\x30\x0e" NAME "\x44\x07\x9f\x78\x04\x3f\x80\x00\x00"
				   "\x30\x0e" NAME "\x06\x07\x2b\x06\x8f\xff\xff\xff\x7f"
				   "\x30\x0b" NAME "\x04\x04text";
	struct message m = make_message(HEAD, sizeof(HEAD) - 1, list, sizeof(list) - 1);
	struct pdu_codec *c = pdu_codec_new();
	struct vars vars = {0};
	uint32_t seed = 5;
	unsigned decoded = 0;

	(void)state;
	for (int n = 0; n < 30000; n++) {
		uint8_t *copy = malloc(m.len);
		struct pdu_answer a;
		struct peek head;
		const char *words;

		memcpy(copy, m.data, m.len);
		for (unsigned k = 0; k <= seed / 65536 % 3; k++) {
			seed = seed * 1664525 + 1013904223;
			copy[seed / 256 % m.len] = (uint8_t)(seed >> 24);
		}
		vars_reset(&vars);
		if (peek_message(copy, m.len, &head, &words))
			decoded += pdu_decode(c, copy, m.len, &a, &vars);
		free(copy);
	}
	assert_in_range(decoded, 1000, 29000);
	free(m.data);
	vars_free(&vars);
	pdu_codec_free(c);
}

/* ---- the library */

static void empty_folder(const char *home, const char *folder, const char *file)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s/%s", home, folder, file);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/%s", home, folder);
	assert_int_equal(rmdir(path), 0); /* fails when there was more */
}

static unsigned files_below(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.' || entry->d_name[1] > '.';
	closedir(d);
	return n;
}

/* In a process of its own: the configuration in its way is not read, its home stays empty. */
static void write_file(const char *folder, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	mkdir(folder, 0700);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static int init_in_home(const char *home)
{
	char path[200];

	setenv("HOME", home, 1);
	snprintf(path, sizeof(path), "%s/conf", home);
	write_file(path, "snmp.conf", "defVersion 3\n");
	setenv("SNMPCONFPATH", path, 1);
	snprintf(path, sizeof(path), "%s/mibs", home);
	write_file(path, "A-MIB.txt",
		   "A-MIB DEFINITIONS ::= BEGIN a OBJECT IDENTIFIER ::= { iso 3 } END\n");
	setenv("MIBDIRS", path, 1);
	setenv("MIBS", "ALL", 1);
	unsetenv("LC_ALL");
	snprintf(path, sizeof(path), "%s/state", home);
	setenv("SNMP_PERSISTENT_DIR", path, 1);
	pdu_init();
	if (netsnmp_ds_get_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_SNMPVERSION) != 0)
		return 1; /* it has read the file */
	if (get_tree_head() && get_tree_head()->child_list)
		return 2; /* it has read MIBs */
	if (strcmp(getenv("MIBS"), "ALL") != 0 || getenv("LC_ALL") ||
	    strcmp(getenv("SNMP_PERSISTENT_DIR"), path) != 0)
		return 3;
	snmp_log(LOG_ERR, "this must not be seen\n");
	snmp_shutdown("multisnmp");
	return 0;
}

static void test_init_reads_and_writes_nothing(void **state)
{
	char home[] = "/tmp/test_pdu.XXXXXX", shown[64];
	int output[2], status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(pipe(output), 0);
	pid = fork();
	if (pid == 0) {
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		_exit(init_in_home(home));
	}
	close(output[1]);
	assert_int_equal(read(output[0], shown, sizeof(shown)), 0); /* silent */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(files_below(home), 2); /* what was put there, and nothing else */
	empty_folder(home, "conf", "snmp.conf");
	empty_folder(home, "mibs", "A-MIB.txt");
	assert_int_equal(rmdir(home), 0);
	close(output[0]);
}

static int start_library(void **state)
{
	(void)state;
	pdu_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest before[] = {
		cmocka_unit_test(test_init_reads_and_writes_nothing),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_octets),
		cmocka_unit_test(test_questions_of_a_walk),
		cmocka_unit_test(test_chunks_fit),
		cmocka_unit_test(test_one_object_always_fits),
		cmocka_unit_test(test_empty_community),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_octets_and_names),
		cmocka_unit_test(test_error_status),
		cmocka_unit_test(test_what_breaks_the_rules),
		cmocka_unit_test(test_the_librarys_own_refusal),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_what_follows_is_passed_over),
		cmocka_unit_test(test_garbled_messages),
	};
	int failed = cmocka_run_group_tests(before, NULL, NULL);

	return failed + cmocka_run_group_tests(tests, start_library, NULL);
}

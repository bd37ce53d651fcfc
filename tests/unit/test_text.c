/* text: columns, enumerations, hints of RFC 2579, and that nothing a device sends leaves its column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "out/text.h"
#include "snmp/mib.h"

static const struct format_options plain;

/* The test's own MIB: whatever lies below 1.3.6.1.2 is "thing", with this hint and these labels. */
static const struct mib_label up_down[] = {{1, "up"}, {2, "down"}, {0, NULL}};
static struct mib_object thing;
static const uint32_t known[] = {1, 3, 6, 1, 2, 7, 4294967295u};
static const uint32_t unknown[] = {1, 3, 6, 1, 4, 1, 9};

const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	if (n < 5 || id[4] != 2)
		return NULL;
	*used = 5;
	return &thing;
}

static void know(const char *hint, const struct mib_label *labels)
{
	thing = (struct mib_object){.name = "thing", .module = "T", .hint = hint, .labels = labels};
}

static void check_record(const struct record *r, const char *wanted)
{
	struct buf out = {0};

	text_record(&out, r, &plain);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
}

static void check_value(const struct varbind *v, const char *wanted)
{
	struct record r = {.host = "h", .vars = v, .nvars = 1};
	struct buf out = {0};
	char *value;

	text_record(&out, &r, &plain);
	out.data[out.len - 1] = '\0';
	value = strrchr((char *)out.data, '\t') + 1;
	assert_string_equal(value, wanted);
	buf_free(&out);
}

static void check_octets(const char *octets, size_t len, const char *wanted)
{
	struct varbind v = {.oid = unknown, .noid = 7, .type = VAR_OCTETS};

	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	check_value(&v, wanted);
}

static void check_hint(const char *hint, const char *octets, size_t len, const char *wanted)
{
	struct varbind v = {.oid = known, .noid = 7, .type = VAR_OCTETS};

	know(hint, NULL);
	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	check_value(&v, wanted);
}

static void check_integer(const char *hint, int64_t i, const char *wanted)
{
	struct varbind v = {.oid = known, .noid = 7, .type = VAR_INTEGER, .value.i = i};

	know(hint, NULL);
	check_value(&v, wanted);
}

static void test_columns(void **state)
{
	struct varbind vars[] = {
		{.oid = known, .noid = 7, .type = VAR_INTEGER, .value.i = 1},
		{.oid = known, .noid = 5, .type = VAR_NO_SUCH_OBJECT},
		{.oid = unknown, .noid = 7, .type = VAR_COUNTER64, .value.u = UINT64_MAX},
	};
	struct record r = {.host = "sw\t1", .vars = vars, .nvars = 3};

	(void)state;
	know(NULL, up_down);
	check_record(&r, "sw\\x091\tthing.7.4294967295\tINTEGER\tup(1)\n"
			 "sw\\x091\tthing\tnoSuchObject\t-\n"
			 "sw\\x091\t1.3.6.1.4.1.9\tCounter64\t18446744073709551615\n");
	r.status = RECORD_PARTIAL;
	r.message = "timeout: no\nanswer";
	r.nvars = 1;
	check_record(&r, "sw\\x091\tthing.7.4294967295\tINTEGER\tup(1)\n"
			 "sw\\x091\t-\tpartial\ttimeout: no\\x0aanswer\n");
}

static void test_records_without_rows(void **state)
{
	struct record r = {.status = RECORD_TIMEOUT, .message = "no answer"};

	(void)state;
	assert_true(addr_parse("192.0.2.7", 9, &r.addr));
	r.addr.port = 161;
	check_record(&r, "192.0.2.7\t-\ttimeout\tno answer\n");
	r.message = "";
	check_record(&r, "192.0.2.7\t-\ttimeout\t-\n");
	r.status = RECORD_OK;
	r.message = NULL;
	check_record(&r, "192.0.2.7\t-\tok\t-\n");
}

static void test_notes(void **state)
{
	struct varbind v = {.oid = unknown, .noid = 7, .type = VAR_NULL};
	struct record r = {.host = "h", .vars = &v, .nvars = 1, .note = "boots\tfell back"};

	(void)state;
	check_record(&r, "h\t1.3.6.1.4.1.9\tNULL\t-\nh\t-\tok\tboots\\x09fell back\n");
	r.status = RECORD_PARTIAL;
	r.message = "partial: timeout";
	r.nvars = 0;
	check_record(&r, "h\t-\tpartial\tpartial: timeout; boots\\x09fell back\n");
	r.message = "";
	check_record(&r, "h\t-\tpartial\tboots\\x09fell back\n");
}

static void check_label(const struct varbind *label, const char *wanted)
{
	struct varbind v = {.oid = unknown, .noid = 7, .type = VAR_NULL, .label = label};
	struct record r = {.host = "h", .vars = &v, .nvars = 1};

	check_record(&r, wanted);
}

/* As a value of its own object would be written. */
static void test_labels(void **state)
{
	struct varbind l = {.oid = unknown, .noid = 7, .type = VAR_OCTETS};

	(void)state;
	l.value.octets.p = (const uint8_t *)"e\tth0";
	l.value.octets.len = 5;
	check_label(&l, "h\t1.3.6.1.4.1.9 [e\\x09th0]\tNULL\t-\n");
	l.oid = known;
	know("1x-", NULL);
	check_label(&l, "h\t1.3.6.1.4.1.9 [65-09-74-68-30]\tNULL\t-\n");
	l.type = VAR_INTEGER;
	l.value.i = 2;
	know(NULL, up_down);
	check_label(&l, "h\t1.3.6.1.4.1.9 [down(2)]\tNULL\t-\n");
	l.type = VAR_NO_SUCH_INSTANCE;
	check_label(&l, "h\t1.3.6.1.4.1.9\tNULL\t-\n");
}

/* Rows are lines of their own; the ending knows of those that are ahead. */
static void test_pieces(void **state)
{
	struct varbind v = {.oid = unknown, .noid = 7, .type = VAR_NULL};
	struct record r = {.host = "h", .vars = &v, .nvars = 1};
	struct buf out = {0};

	(void)state;
	text_rows(&out, &r, &plain);
	r.ahead = 1;
	r.nvars = 0;
	text_rows(&out, &r, &plain);
	text_rest(&out, &r, &plain);
	assert_int_equal(out.len, strlen("h\t1.3.6.1.4.1.9\tNULL\t-\n"));
	buf_free(&out);
}

static void check_bits(const char *octets, size_t len, const char *wanted)
{
	static const struct mib_label bits[] = {
		{0, "first"}, {2, "third"}, {9, "tenth"}, {0, NULL}};
	struct varbind v = {.oid = known, .noid = 7, .type = VAR_OCTETS};

	know("1x:", NULL);
	thing.bits = bits;
	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	check_value(&v, wanted);
}

static void test_bits(void **state)
{
	struct varbind v = {.oid = known, .noid = 7, .type = VAR_INTEGER, .value.i = 2};

	(void)state;
	check_bits("\xa0\x40", 2, "{first(0),third(2),tenth(9)}");
	check_bits("\x01\x80\x01", 3, "{7,8,23}");
	check_bits("\0", 1, "{}");
	check_bits("", 0, "{}");
	check_value(&v, "2"); /* not what the syntax says */
}

static void test_plain_octets(void **state)
{
	(void)state;
	check_octets("", 0, "");
	check_octets("Cisco IOS\r\n\tbuilt by", 20, "Cisco IOS\\x0d\\x0a\\x09built by");
	check_octets("Z\xc3\xbcrich \"1\"", 11, "Z\xc3\xbcrich \"1\"");
	check_octets("C:\\Windows", 10, "C:\\Windows");
	check_octets("C:\\x41", 6, "C:\\x5cx41");
	check_octets("end\\", 4, "end\\");
	check_octets("\x00\x1b\x2c", 3, "0x001b2c");
	check_octets("abc\x1b[2J", 7, "0x6162631b5b324a");
	check_octets("abc\xff", 4, "0x616263ff");
	check_octets("abc\xe2\x80\xae", 6, "0x616263e280ae");
	check_octets("0x41", 4, "\\x30x41");
	check_octets("0", 1, "0");
}

static void test_known_text_is_escaped(void **state)
{
	(void)state;
	check_hint("255a", "a\x1b[2Jb\0", 7, "a\\x1b[2Jb\\x00");
	check_hint("255t", "\xff\xfe", 2, "\\xff\\xfe");
	check_hint("255t", "a\xe2\x80\xae\xc2\x85z", 7, "a\\xe2\\x80\\xae\\xc2\\x85z");
	check_hint("255a", "0x41", 4, "\\x30x41");
	check_hint("1t", "\xe2\x82\xac", 3, "\xe2\x82\xac"); /* cut by the hint, whole again */
	check_hint("255a", "", 0, "");
}

static void test_octet_hints(void **state)
{
	static const char v6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x8d";
	static const char tick[] = "\x07\xea\x0b\x15\x03\x0a\x0b\x01+\x02\x1e";

	(void)state;
	check_hint("1x:", "\x00\x1b\x2c\x03\xff\xa0", 6, "00:1b:2c:03:ff:a0");
	check_hint("1d.1d.1d.1d", "\xc0\x00\x02\x01", 4, "192.0.2.1");
	check_hint("1d.1d.1d.1d:2d", "\xc0\x00\x02\x01\x00\xa1", 6, "192.0.2.1:161");
	check_hint("2d-1d-1d,1d:1d:1d.1d,1a1d:1d", tick, 8, "2026-11-21,3:10:11.1");
	check_hint("2d-1d-1d,1d:1d:1d.1d,1a1d:1d", tick, 11, "2026-11-21,3:10:11.1,+2:30");
	check_hint("0a[2x:2x:2x:2x:2x:2x:2x:2x0a]0a:2d", v6, 18,
		   "[2001:0db8:0000:0000:0000:0000:0000:0001]:1165");
	check_hint("1o ", "\x08\xff", 2, "10 377");
	check_hint("4d", "\xff\xff\xff\xff\x01", 5, "42949672951");
	check_hint("8x", "\x01\x02\x03", 3, "010203"); /* shorter than asked */
}

static void test_repeating_hints(void **state)
{
	(void)state;
	check_hint("*1x:/1x:", "\x02\xaa\xbb\xcc\xdd", 5, "aa:bb/cc:dd");
	check_hint("*1x:/1x:", "\x00\xcc\xdd", 3, "/cc:dd");
	check_hint("*1x:/1x:", "\x05\xaa\xbb", 3, "aa:bb"); /* fewer than promised */
	check_hint("*1x:/1x:", "\x02", 1, "");
	check_hint("*1d.", "\x02\x01\x02\x01\x07", 5, "1.2.7");
	check_hint("*0a,1d", "\xff\x07", 2, ",7"); /* 255 times nothing is once nothing */
}

static void test_refused_hints(void **state)
{
	static const char *const bad[] = {"",
					  "x",
					  "1",
					  "1q",
					  "*",
					  "1x:1",
					  "a255",
					  "9x",
					  "0a",
					  "1x0a:",
					  "70000a",
					  "*a:/",
					  "99999999999999999999a"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_hint(bad[i], "\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9,
			   "0x010203040506070809");
	check_hint("1d.q", "\x05", 1,
		   "0x05"); /* refused as a whole, not only where it is reached */
}

static void test_integers(void **state)
{
	struct varbind v = {.oid = known, .noid = 7, .type = VAR_INTEGER};

	(void)state;
	know(NULL, up_down);
	v.value.i = 2;
	check_value(&v, "down(2)");
	v.value.i = 0; /* the terminator's number */
	check_value(&v, "0");
	v.value.i = 7;
	check_value(&v, "7");
	check_integer("d", -5, "-5");
	check_integer("d-2", 1234, "12.34");
	check_integer("d-2", 5, "0.05");
	check_integer("d-2", -5, "-0.05");
	check_integer("d-3", 0, "0.000");
	check_integer("x", 255, "ff");
	check_integer("o", -8, "-10");
	check_integer("b", 5, "101");
	check_integer("d-1", INT64_MIN, "-922337203685477580.8");
	check_integer("d-", 5, "5");
	check_integer("d-99999999999", 5, "5");
	check_integer("d-2x", 5, "5");
	check_integer("xx", 255, "255");
	check_integer("", 255, "255");
	check_integer("1x:", 255, "255");
}

static void check_ticks(uint64_t ticks, const char *wanted)
{
	struct varbind v = {.oid = unknown, .noid = 7, .type = VAR_TIMETICKS, .value.u = ticks};

	check_value(&v, wanted);
}

static void test_other_types(void **state)
{
	struct varbind v = {.oid = known, .noid = 7, .type = VAR_GAUGE32, .value.u = UINT32_MAX};
	const uint8_t four[4] = {192, 0, 2, 1};

	(void)state;
	know("d-1", NULL);
	check_value(&v, "429496729.5");
	check_ticks(12345, "12345 (0:02:03.45)");
	check_ticks(0, "0 (0:00:00.00)");
	check_ticks(8640001, "8640001 (1 day, 0:00:00.01)");
	check_ticks(UINT32_MAX, "4294967295 (497 days, 2:27:52.95)");
	v.type = VAR_OID;
	v.value.oid.id = unknown;
	v.value.oid.len = 7;
	check_value(&v, "1.3.6.1.4.1.9");
	v.type = VAR_IPADDRESS;
	v.value.octets.p = four;
	v.value.octets.len = 4;
	check_value(&v, "192.0.2.1");
	v.value.octets.len = 2;
	check_value(&v, "0xc000");
	v.type = VAR_OPAQUE;
	v.value.octets.p = (const uint8_t *)"AB";
	check_value(&v, "0x4142");
	v.type = VAR_FLOAT;
	v.value.d = (double)0.1f;
	check_value(&v, "0.1");
	v.type = VAR_NULL;
	check_value(&v, "-");
}

static const char *random_hint(char hint[13])
{
	size_t len = (size_t)rand() % 12;

	for (size_t i = 0; i < len; i++)
		hint[i] = "0123*xdoat:.,-"[rand() % 14];
	hint[len] = '\0';
	return hint;
}

/* Whatever hint, host and octets: one line, three tabs, all of it to be shown. */
static void test_nothing_leaves_its_column(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < 50000; i++) {
		char hint[13], host[9] = {0};
		uint8_t octets[40];
		struct varbind v = {.oid = known, .noid = 7, .type = VAR_OCTETS};
		struct record r = {.host = host, .vars = &v, .nvars = 1};
		struct buf out = {0};
		unsigned tabs = 0;

		for (size_t o = 0; o < sizeof(octets); o++)
			octets[o] = (uint8_t)(rand() % 3 ? rand() % 4 : rand());
		for (size_t o = 0; o < 8; o++)
			host[o] = (char)(1 + rand() % 255);
		know(rand() % 4 ? random_hint(hint) : NULL, NULL);
		v.value.octets.p = octets;
		v.value.octets.len = (size_t)rand() % sizeof(octets);
		text_record(&out, &r, &plain);
		assert_int_equal(out.data[--out.len], '\n');
		for (size_t at = 0; at < out.len;) {
			uint32_t code = 0;
			size_t n = utf8_decode(out.data + at, out.len - at, &code);

			assert_true(n > 0);
			tabs += code == '\t';
			assert_true(code == '\t' || utf8_shown(code));
			at += n;
		}
		assert_int_equal(tabs, 3);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_records_without_rows),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_plain_octets),
		cmocka_unit_test(test_known_text_is_escaped),
		cmocka_unit_test(test_octet_hints),
		cmocka_unit_test(test_repeating_hints),
		cmocka_unit_test(test_refused_hints),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_nothing_leaves_its_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

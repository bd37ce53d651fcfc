/* settings: the table of keys, and how the text of each kind of value is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "plan/settings.h"

static char error[SETTING_ERROR_MAX];

/* Values point into this. */
static char text_of_value[2048];

static union setting_value parse(enum setting_key key, const char *text)
{
	union setting_value value = {0};

	snprintf(text_of_value, sizeof(text_of_value), "%s", text);
	if (!setting_parse(key, text_of_value, &value, error))
		fail_msg("%s: '%s': %s", setting_text(key), text, error);
	return value;
}

static void assert_bad(enum setting_key key, const char *text, const char *message)
{
	union setting_value value;

	snprintf(text_of_value, sizeof(text_of_value), "%s", text);
	if (setting_parse(key, text_of_value, &value, error))
		fail_msg("%s: '%s' was taken", setting_text(key), text);
	assert_string_equal(error, message);
}

static void test_find(void **state)
{
	enum setting_source source;
	enum setting_key key;

	(void)state;
	for (unsigned k = 0; k < SETTING_COUNT; k++) {
		assert_non_null(setting_text((enum setting_key)k));
		assert_true(setting_find(setting_text((enum setting_key)k), &key, &source));
		assert_int_equal(key, k);
		assert_int_equal(source, SOURCE_LITERAL);
	}
	assert_true(setting_find("community_file", &key, &source));
	assert_int_equal(key, SET_COMMUNITY);
	assert_int_equal(source, SOURCE_FILE);
	assert_true(setting_find("priv_pass_env", &key, &source));
	assert_int_equal(key, SET_PRIV_PASS);
	assert_int_equal(source, SOURCE_ENV);
	assert_true(setting_find("auth_pass", &key, &source)); /* not 'auth' and something */
	assert_int_equal(key, SET_AUTH_PASS);
	assert_false(setting_find("user_file", &key, &source)); /* no secret */
	assert_false(setting_find("communit", &key, &source));
	assert_false(setting_find("Community", &key, &source));
	assert_false(setting_find("", &key, &source));
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(parse(SET_PORT, "1").number, 1);
	assert_int_equal(parse(SET_PORT, "65535").number, 65535);
	assert_int_equal(parse(SET_RETRIES, "0").number, 0);
	assert_int_equal(parse(SET_MAX_VARS, "1000000000").number, 1000000000);
	assert_bad(SET_PORT, "0", "'0' is not a whole number from 1 to 65535");
	assert_bad(SET_PORT, "65536", "'65536' is not a whole number from 1 to 65535");
	assert_bad(SET_PORT, "18446744073709551777",
		   "'18446744073709551777' is not a whole number from 1 to 65535");
	assert_bad(SET_RETRIES, "-1", "'-1' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, "+1", "'+1' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, "010", "'010' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, "0x1", "'0x1' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, "1_0", "'1_0' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, "1.0", "'1.0' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, " 1", "' 1' is not a whole number from 0 to 100");
	assert_bad(SET_RETRIES, "", "'' is not a whole number from 0 to 100");
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{"500ms", 500000},
		{"1s", 1000000},
		{"1.5s", 1500000},
		{"2m", 120000000},
		{"1h", 3600000000},
		{"3", 3000000},
		{"0.25", 250000},
		{"1.5m", 90000000},
		{"0.000001s", 1},
		{"1.2345678s", 1234567},
		{"0", 0},
		{"1000h", 3600000000000},
		{"3600000s", 3600000000000},
		{"00.5s", 500000},
	};
	static const char *const bad[] = {"",
					  "s",
					  "1 s",
					  "-1s",
					  "1.s",
					  ".5s",
					  "1d",
					  "1S",
					  "1sec",
					  "1e3",
					  "1001h",
					  "1000.1h",
					  "1..5",
					  "1.5.5s",
					  "3601000s",
					  "inf",
					  "99999999999999999999s",
					  "5124095577h" /* 2^64 us and an hour */};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(settings_duration(good[i].text, &us));
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (settings_duration(bad[i], &us))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(parse(SET_TIMEOUT, "1ms").number, 1000);
	assert_int_equal(parse(SET_TIMEOUT, "1h").number, 3600000000);
	assert_int_equal(parse(SET_DEADLINE, "0").number, 0);
	assert_bad(SET_TIMEOUT, "0", "'0' is out of bounds: 1ms to 1h");
	assert_bad(SET_TIMEOUT, "0.0009s", "'0.0009s' is out of bounds: 1ms to 1h");
	assert_bad(SET_TIMEOUT, "61m", "'61m' is out of bounds: 1ms to 1h");
	assert_bad(SET_TIMEOUT, "1 s",
		   "'1 s' is not a duration: write it as 500ms, 1s, 1.5s, 2m or 1h");
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(parse(SET_VERSION, "1").number, 0); /* the numbers on the wire */
	assert_int_equal(parse(SET_VERSION, "2c").number, 1);
	assert_int_equal(parse(SET_VERSION, "3").number, 3);
	assert_int_equal(parse(SET_FAMILY, "any").number, 0);
	assert_int_equal(parse(SET_FAMILY, "6").number, 6);
	assert_int_equal(parse(SET_ANY_SOURCE, "true").number, 1);
	assert_int_equal(parse(SET_ANY_SOURCE, "false").number, 0);
	assert_string_equal(parse(SET_AUTH, "sha").text, "SHA");
	assert_string_equal(parse(SET_AUTH, "SHA-1").text, "SHA");
	assert_string_equal(parse(SET_AUTH, "SHA-512").text, "SHA-512");
	assert_string_equal(parse(SET_PRIV, "AES-128").text, "AES");
	assert_string_equal(parse(SET_PRIV, "aes-256-c").text, "AES-256-C");
	assert_string_equal(parse(SET_LEVEL, "authPriv").text, "authPriv");
	assert_string_equal(parse(SET_NONINCREASING, "allow").text, "allow");
	assert_bad(SET_VERSION, "2", "'2' is none of 1, 2c, 3 (did you mean '2c'?)");
	assert_bad(SET_VERSION, "SNMPv2c", "'SNMPv2c' is none of 1, 2c, 3");
	assert_bad(SET_ANY_SOURCE, "yes", "'yes' is none of true, false");
	assert_bad(SET_ANY_SOURCE, "", "'' is none of true, false");
	assert_bad(SET_AUTH, "SHA256",
		   "'SHA256' is none of MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512, SHA-1 (did "
		   "you mean 'SHA-256'?)");
	assert_bad(SET_LEVEL, "priv", "'priv' is none of noAuthNoPriv, authNoPriv, authPriv");
}

static void test_words_one_by_one(void **state)
{
	(void)state;
	assert_string_equal(setting_word(SET_VERSION, 0), "1");
	assert_string_equal(setting_word(SET_VERSION, 2), "3");
	assert_null(setting_word(SET_VERSION, 3));
	assert_null(setting_word(SET_VERSION, 30));
	assert_null(setting_word(SET_TIMEOUT, 0));
}

static void test_texts(void **state)
{
	char longest[1502];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_string_equal(parse(SET_COMMUNITY, "").text, "");
	assert_string_equal(parse(SET_COMMUNITY, "no").text, "no");
	assert_string_equal(parse(SET_GET, "1.10").text, "1.10");
	assert_string_equal(parse(SET_AUTH_PASS, "12345678").text, "12345678");
	assert_bad(SET_AUTH_PASS, "1234567", "at least 8 octets");
	assert_bad(SET_USER, "", "empty");
	assert_bad(SET_GET, "", "empty");
	assert_bad(SET_USER, "123456789012345678901234567890123", "longer than 32 octets");
	longest[256] = '\0';
	assert_bad(SET_COMMUNITY, longest, "longer than 255 octets");
	longest[255] = '\0';
	assert_int_equal(strlen(parse(SET_COMMUNITY, longest).text), 255);
	longest[255] = longest[256] = 'x';
	longest[1501] = '\0';
	assert_bad(SET_WALK, longest, "longer than 1500 octets");
}

static void test_hex(void **state)
{
	(void)state;
	assert_string_equal(parse(SET_ENGINE_ID, "80001F8880").text, "80001f8880");
	assert_string_equal(parse(SET_ENGINE_ID, "0x80001f8880").text, "80001f8880");
	assert_bad(SET_ENGINE_ID, "80001f88", "'80001f88' is not 5 to 32 octets in hexadecimal");
	assert_bad(SET_ENGINE_ID, "80001f88801",
		   "'80001f88801' is not 5 to 32 octets in hexadecimal");
	assert_bad(SET_ENGINE_ID, "80001g8880",
		   "'80001g8880' is not 5 to 32 octets in hexadecimal");
	assert_bad(SET_ENGINE_ID, "", "'' is not 5 to 32 octets in hexadecimal");
	assert_int_equal(strlen(parse(SET_ENGINE_ID, "00000000000000000000000000000000"
						     "00000000000000000000000000000000")
					.text),
			 64);
	assert_bad(SET_ENGINE_ID,
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "00",
		   "'000000000000000000000000000000000000000000000000000000000000000000' is not 5 "
		   "to 32 octets in hexadecimal");
}

/* A secret is in no error, whatever is wrong with it. */
static void test_no_secret_shown(void **state)
{
	static const enum setting_key secrets[] = {SET_COMMUNITY, SET_AUTH_PASS, SET_PRIV_PASS};
	char text[2000];
	union setting_value value;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		memset(text, 'Q', sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		assert_false(setting_parse(secrets[i], text, &value, error));
		assert_null(strstr(error, "QQ"));
	}
	snprintf(text, sizeof(text), "QQ");
	assert_false(setting_parse(SET_AUTH_PASS, text, &value, error));
	assert_null(strstr(error, "QQ"));
}

static void test_levels(void **state)
{
	(void)state;
	assert_true(setting_allowed(SET_LABEL, LEVEL_HOST));
	assert_false(setting_allowed(SET_LABEL, LEVEL_DEFAULTS));
	assert_false(setting_allowed(SET_LABEL, LEVEL_COMMAND));
	assert_false(setting_allowed(SET_GROUP, LEVEL_GROUP));
	assert_true(setting_allowed(SET_GROUP, LEVEL_COMMAND));
	assert_false(setting_allowed(SET_CREDENTIAL, LEVEL_CREDENTIAL));
	assert_false(setting_allowed(SET_TIMEOUT, LEVEL_CREDENTIAL));
	assert_true(setting_allowed(SET_COMMUNITY, LEVEL_CREDENTIAL));
	assert_true(setting_is_list(SET_GET));
	assert_false(setting_is_list(SET_INDEX_LABEL));
}

static void test_nearest_key(void **state)
{
	struct nearest n = {.written = "priv_pas_file"};

	(void)state;
	settings_nearest(&n, LEVEL_CREDENTIAL);
	assert_string_equal(n.word, "priv_pass_file");
	n = (struct nearest){.written = "timeuot"};
	settings_nearest(&n, LEVEL_CREDENTIAL); /* not allowed there, so not suggested */
	assert_string_equal(n.word, "");
	settings_nearest(&n, LEVEL_GROUP);
	assert_string_equal(n.word, "timeout");
}

static void test_builtin(void **state)
{
	struct settings s;

	(void)state;
	settings_builtin(&s);
	assert_int_equal(s.set, 0);
	assert_int_equal(s.value[SET_PORT].number, 161);
	assert_int_equal(s.value[SET_VERSION].number, 1);
	assert_string_equal(s.value[SET_COMMUNITY].text, "public");
	assert_int_equal(s.value[SET_TIMEOUT].number, 1000000);
	assert_int_equal(s.value[SET_RETRIES].number, 2);
	assert_int_equal(s.value[SET_PER_HOST].number, 1);
	assert_int_equal(s.value[SET_MAX_VARS].number, 1000000);
	assert_string_equal(s.value[SET_NONINCREASING].text, "stop");
	assert_null(s.value[SET_GET].list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_no_secret_shown),
		cmocka_unit_test(test_words_one_by_one),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_nearest_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

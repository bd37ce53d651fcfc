/* broker: what a URL says, what is wrong with it, and that no secret of it is ever shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "link/broker.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct good {
	const char *url;
	const char *text;     /* what broker_text() makes of it */
	const char *user;     /* NULL: none */
	const char *password; /* NULL: none */
	const char *vhost;
};

static const struct good good[] = {
	{"amqp://h", "amqp://h:5672/", NULL, NULL, "/"},
	{"amqps://h", "amqps://h:5671/", NULL, NULL, "/"},
	{"AMQPS://h/", "amqps://h:5671/", NULL, NULL, "/"},
	{"amqp://h:1/v", "amqp://h:1/v", NULL, NULL, "v"},
	{"amqp://u@h:65535/v", "amqp://u@h:65535/v", "u", NULL, "v"},
	{"amqp://u:p@h/%2F", "amqp://u@h:5672/", "u", "p", "/"},
	{"amqp://u:@h", "amqp://u@h:5672/", "u", "", "/"},
	{"amqp://u:a:b@h", "amqp://u@h:5672/", "u", "a:b", "/"},
	{"amqp://u:a@b@h", "amqp://u@h:5672/", "u", "a@b", "/"},
	{"amqp://a%40b:%2f%25%c3%a4@h/x%2Fy", "amqp://a%40b@h:5672/x%2Fy", "a@b", "/%\xc3\xa4",
	 "x/y"},
	{"amqp://[2001:db8::1]", "amqp://[2001:db8::1]:5672/", NULL, NULL, "/"},
	{"amqps://u:p@[::1]:5/v", "amqps://u@[::1]:5/v", "u", "p", "v"},
	{"amqp://[fe80::1%eth0]:5/v", "amqp://[fe80::1%eth0]:5/v", NULL, NULL, "v"},
	{"amqp://u:p@a,b:7,[::1]:8,192.0.2.1/v", "amqp://u@a:5672,b:7,[::1]:8,192.0.2.1:5672/v",
	 "u", "p", "v"},
	{"amqps://u:p@a/v,amqps://u:p@b:9/v", "amqps://u@a:5671,b:9/v", "u", "p", "v"},
	{"amqp://amqp,amqp2", "amqp://amqp:5672,amqp2:5672/", NULL, NULL, "/"},
};

static void parts_of_a_url(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct broker b;
		char error[BROKER_ERROR_MAX] = "", text[300];

		if (!broker_parse(good[i].url, &b, error))
			fail_msg("%s: %s", good[i].url, error);
		broker_text(&b, text, sizeof(text));
		assert_string_equal(text, good[i].text);
		assert_string_equal(b.vhost, good[i].vhost);
		assert_string_equal(b.user ? b.user : "-", good[i].user ? good[i].user : "-");
		assert_string_equal(b.password ? b.password : "-",
				    good[i].password ? good[i].password : "-");
		broker_free(&b);
		assert_true(b.nnodes == 0 && !b.user && !b.password && !b.vhost);
	}
}

struct bad {
	const char *url;
	const char *words; /* in the error */
};

static const struct bad bad[] = {
	{"", "amqps://user@host/vhost"},
	{"host", "amqps://user@host/vhost"},
	{"http://host", "amqps://user@host/vhost"},
	{"amqp:/host", "amqps://user@host/vhost"},
	{"amqp://", "no host"},
	{"amqp:///v", "no host"},
	{"amqp://u:p@", "no host"},
	{"amqp://u:p@/v", "no host"},
	{"amqp://a,,b", "no host"},
	{"amqp://a,b,", "no host"},
	{"amqp://@h", "no user"},
	{"amqp://:p@h", "no user"},
	{"amqp://h:", "from 1 to 65535"},
	{"amqp://h:0", "from 1 to 65535"},
	{"amqp://h:65536", "from 1 to 65535"},
	{"amqp://h:99999999999999999999", "from 1 to 65535"},
	{"amqp://h:5a", "from 1 to 65535"},
	{"amqp://h:-5", "from 1 to 65535"},
	{"amqp://2001:db8::1", "in brackets"},
	{"amqp://[::1", "[2001:db8::1]"},
	{"amqp://[::1]5", "[2001:db8::1]"},
	{"amqp://[::1]:", "from 1 to 65535"},
	{"amqp://a b", "letters"},
	{"amqp://-a", "letters"},
	{"amqp://a%41", "letters"},
	{"amqp://h/a/b", "%2F"},
	{"amqp://h/%", "hexadecimal"},
	{"amqp://h/%4", "hexadecimal"},
	{"amqp://h/%4g", "hexadecimal"},
	{"amqp://h/%00", "not 00"},
	{"amqp://u%zz@h", "hexadecimal"},
	{"amqp://u:%zz@h", "hexadecimal"},
	{"amqp://h/v?heartbeat=5", "parameters"},
	{"amqp://h/v#x", "parameters"},
	{"amqp://u:sesame/x@h/v", "%2F"},
	{"amqp://u:sesame,x@h:y/v", "65535"},
	{"amqp://a:sesame@h/v,amqp://a:sesame2@h/v", "the same"},
	{"amqp://a/v,amqps://b/v", "the same"},
	{"amqp://a/v,amqp://b/w", "the same"},
	{"amqp://a/v,amqp://u@b/v", "the same"},
	{"amqp://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "16"},
	{"amqp://a,b,c,d,e,f,g,h/,amqp://i,j,k,l,m,n,o,p,q/", "16"},
};

static void what_is_wrong_with_a_url(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct broker b;
		char error[BROKER_ERROR_MAX] = "";

		if (broker_parse(bad[i].url, &b, error))
			fail_msg("%s is taken", bad[i].url);
		if (!strstr(error, bad[i].words))
			fail_msg("%s: %s", bad[i].url, error);
		assert_null(strstr(error, "sesame"));
		assert_true(b.nnodes == 0 && !b.user && !b.password && !b.vhost);
	}
}

/* A part of 255 octets is the longest that AMQP can say. */
static void long_words(void **state)
{
	char url[700] = "amqp://h/", error[BROKER_ERROR_MAX], short_text[9];
	size_t start = strlen(url);
	struct broker b;

	(void)state;
	memset(url + start, 'v', 255);
	assert_true(broker_parse(url, &b, error));
	assert_int_equal(strlen(b.vhost), 255);
	broker_text(&b, short_text, sizeof(short_text));
	assert_string_equal(short_text, "amqp://h");
	broker_free(&b);
	url[start + 255] = 'v';
	assert_false(broker_parse(url, &b, error));
	assert_non_null(strstr(error, "255"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_a_url),
		cmocka_unit_test(what_is_wrong_with_a_url),
		cmocka_unit_test(long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

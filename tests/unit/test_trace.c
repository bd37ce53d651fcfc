/*
 * trace: whatever a datagram holds, its line is one, bounded, fit for a terminal, and without what is masked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "snmp/trace.h"

/* A v2c RESPONSE, community "sesame", sysDescr.0 = "hello". */
static const uint8_t answer[] = {0x30, 0x2f, 0x02, 0x01, 0x01, 0x04, 0x06, 's',  'e',  's',
				 'a',  'm',  'e',  0xa2, 0x22, 0x02, 0x04, 0x01, 0x02, 0x03,
				 0x04, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x14, 0x30,
				 0x12, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x01,
				 0x00, 0x04, 0x06, 'h',  'e',  'l',  'l',  'o',  '\n'};

struct lab {
	FILE *file;
	int err; /* stderr as it was */
	struct trace *trace;
	char line[8192];
};

static void open_lab(struct lab *lab)
{
	lab->file = tmpfile();
	assert_non_null(lab->file);
	lab->err = dup(STDERR_FILENO);
	dup2(fileno(lab->file), STDERR_FILENO);
	lab->trace = trace_new();
}

static void close_lab(struct lab *lab)
{
	dup2(lab->err, STDERR_FILENO);
	close(lab->err);
	fclose(lab->file);
	trace_free(lab->trace);
}

/* The line of these octets, which is in lab->line too. */
static const char *line_of(struct lab *lab, const uint8_t *data, size_t len, const char *host)
{
	struct addr peer = {.family = 4, .ip = {127, 0, 0, 1}, .port = 161};
	struct trace_datagram d = {
		.way = TRACE_RECEIVED, .peer = &peer, .host = host, .data = data, .len = len};
	ssize_t n;

	assert_int_equal(ftruncate(fileno(lab->file), 0), 0);
	lseek(fileno(lab->file), 0, SEEK_SET);
	trace_begin(lab->trace, &d);
	trace_fate(lab->trace, "dropped", "");
	trace_end(lab->trace);
	n = pread(fileno(lab->file), lab->line, sizeof(lab->line) - 1, 0);
	assert_true(n > 0 && n < 4096);
	lab->line[n] = '\0';
	assert_ptr_equal(strchr(lab->line, '\n'), lab->line + n - 1);
	assert_null(strstr(lab->line, "sesame"));
	for (ssize_t i = 0; i < n - 1; i++)
		assert_true((unsigned char)lab->line[i] >= ' ' && lab->line[i] != 0x7f);
	return lab->line;
}

static void test_answer(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	assert_non_null(strstr(line_of(&lab, answer, sizeof(answer), "core\n1"),
			       " <- 127.0.0.1:161 [core\\x0a1] 49 octets: SNMPv2c community *** "
			       "RESPONSE id 16909060 error-status 0 error-index 0 "
			       "{sysDescr.0 = OCTET STRING \"hello\\x0a\"} | dropped\n"));
	close_lab(&lab);
}

/* Each length, and each octet changed to each of several others: also what reads beyond its end would show. */
static void test_any(void **state)
{
	static const uint8_t others[] = {0x00, 0x1b, 0x30, 0x7f, 0x80, 0x84, 0xa2, 0xff};
	struct lab lab;

	(void)state;
	open_lab(&lab);
	for (size_t len = 0; len <= sizeof(answer); len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, answer, len);
		line_of(&lab, copy, len, NULL);
		for (size_t i = 0; i < len; i++) {
			if (i >= 5 && i < 13) /* a community of another length is another field */
				continue;
			for (size_t k = 0; k < sizeof(others); k++) {
				copy[i] = others[k];
				line_of(&lab, copy, len, NULL);
			}
			copy[i] = answer[i];
		}
		free(copy);
	}
	close_lab(&lab);
}

/* Why it counted for nothing may quote a device. */
static void test_fate(void **state)
{
	struct addr peer = {.family = 4, .ip = {127, 0, 0, 1}, .port = 161};
	struct trace_datagram d = {
		.way = TRACE_RECEIVED, .peer = &peer, .data = answer, .len = sizeof(answer)};
	struct lab lab;
	ssize_t n;

	(void)state;
	open_lab(&lab);
	trace_begin(lab.trace, &d);
	trace_fate(lab.trace, "refused", "a\x1b[31m\nb");
	trace_end(lab.trace);
	n = pread(fileno(lab.file), lab.line, sizeof(lab.line) - 1, 0);
	lab.line[n > 0 ? n : 0] = '\0';
	close_lab(&lab);
	assert_null(strchr(lab.line, 0x1b));
	assert_non_null(strstr(lab.line, " | refused: a"));
	assert_ptr_equal(strchr(lab.line, '\n'), lab.line + n - 1);
}

static void test_large(void **state)
{
	static uint8_t many[60000];
	struct lab lab;

	(void)state;
	open_lab(&lab);
	memset(many, 'x', sizeof(many));
	memcpy(many, (const uint8_t[]){0x30, 0x82, 0xea, 0x5c, 0x02, 0x01, 0x01, 0x04, 0x00,
				       0xa2, 0x82, 0xea, 0x53, 0x02, 0x01, 0x01, 0x02, 0x01,
				       0x00, 0x02, 0x01, 0x00, 0x30, 0x82, 0xea, 0x46},
	       26);
	for (size_t at = 26; at + 7 <= sizeof(many); at += 7)
		memcpy(many + at, (const uint8_t[]){0x30, 0x05, 0x06, 0x01, 0x2b, 0x05, 0x00}, 7);
	assert_non_null(strstr(line_of(&lab, many, sizeof(many), NULL), "... | dropped"));
	close_lab(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_fate),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

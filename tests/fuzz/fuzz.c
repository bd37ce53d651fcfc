/*
 * What the targets share: reading an input, standard input that is the fuzzer's, the library once.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "snmp/mib.h"
#include "snmp/pdu.h"

void fuzz_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

uint8_t input_u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

uint16_t input_u16(struct input *in)
{
	unsigned high = input_u8(in);

	return (uint16_t)(high << 8 | input_u8(in));
}

uint32_t input_u32(struct input *in)
{
	uint32_t high = input_u16(in);

	return high << 16 | input_u16(in);
}

static size_t take(struct input *in, size_t len, const uint8_t **p)
{
	if (len > input_left(in))
		len = input_left(in);
	*p = in->at;
	in->at += len;
	return len;
}

size_t input_octets(struct input *in, const uint8_t **p)
{
	return take(in, input_u8(in), p);
}

size_t input_long_octets(struct input *in, const uint8_t **p)
{
	return take(in, input_u16(in), p);
}

char *input_text(struct input *in)
{
	const uint8_t *p;
	size_t len = input_octets(in, &p);

	return mem_strndup((const char *)p, strnlen((const char *)p, len));
}

/* An unlinked file, made with the first input; it stays standard input for ever. */
void fuzz_stdin(const uint8_t *data, size_t len)
{
	static bool made;

	if (!made) {
		FILE *file = tmpfile();

		FUZZ_CHECK(file != NULL && dup2(fileno(file), STDIN_FILENO) == STDIN_FILENO);
		fclose(file);
		made = true;
	}
	FUZZ_CHECK(ftruncate(STDIN_FILENO, 0) == 0);
	FUZZ_CHECK(lseek(STDIN_FILENO, 0, SEEK_SET) == 0);
	FUZZ_CHECK(pwrite(STDIN_FILENO, data, len, 0) == (ssize_t)len);
}

void fuzz_library(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	pdu_init();
	mib_setup("/nonexistent", NULL);
}

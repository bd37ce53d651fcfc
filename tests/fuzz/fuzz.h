/*
 * fuzz - what the targets share. A target is LLVMFuzzerTestOneInput() and nothing else: libFuzzer calls it in a
 * build with --enable-fuzz, replay.c on the files of the corpus in every build.
 *
 * An input is a script. Whatever stands in it means something, and what is missing at its end reads as zero: so
 * every mutation is a test. The same input does the same thing twice: clock and randomness are the doubles'.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever comes; not assert(), which NDEBUG takes away. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #condition))
void fuzz_failed(const char *file, int line, const char *condition) __attribute__((noreturn));

struct input {
	const uint8_t *at, *end;
};
static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}
uint8_t input_u8(struct input *in);
uint16_t input_u16(struct input *in);
uint32_t input_u32(struct input *in);
/* Octets with their length in one octet before them, as far as they are there; *p is never NULL. */
size_t input_octets(struct input *in, const uint8_t **p);
size_t input_long_octets(struct input *in, const uint8_t **p); /* the length in two octets */
/* The same as text: what follows a NUL is left out. The caller frees it. */
char *input_text(struct input *in);

/* What standard input gives from here on: a file that is open already. */
void fuzz_stdin(const uint8_t *data, size_t len);

/* Once: the library as main() starts it, without a MIB file that could be read. */
void fuzz_library(void);

/* What the program must not get of the machine while it runs: files, users, variables (double_system.c). */
void double_system_start(void);

/* log.h writes nowhere; how many lines it would have written. */
unsigned double_log_lines(void);

#endif

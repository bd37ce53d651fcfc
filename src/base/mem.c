/*
 * Memory that is there or the process is not.
 *
 * The problem: nearly every function allocates, and a caller that could do something useful about a
 * failed malloc(3) is rare. Handled piecemeal, each of those branches is a path that no test walks.
 * Here there is one: say so on stderr and leave with MEM_EXIT. In a worker that is a death like any
 * other, and the master gives what it owed to somebody else.
 *
 * Rejected: abort(3), which may leave a core file with communities and passphrases in it, and
 * exit(3), which would run the handlers that a forked child has inherited. The farewell goes through log,
 * which wants none, as stdio might.
 *
 * The trap: malloc(0) and realloc(p, 0) may give NULL for "fine, nothing". They are never asked for
 * zero octets, so NULL always means failure. And memcpy(3) with NULL is undefined even for zero
 * octets: an empty buffer has no data at all, so each copy of nothing returns first.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/quit.h"

#define MEM_CHECKED ((size_t)256 << 10) /* octets: more than what is left over between others */

#define BUF_FIRST 256 /* octets of a buffer's first allocation: a text line or a small record */

static _Noreturn void mem_exhausted(void)
{
	log_error("out of memory"); /* which takes none */
	quit_now(MEM_EXIT);
}

static size_t mem_product(size_t count, size_t size)
{
	size_t product;

	if (__builtin_mul_overflow(count, size, &product))
		mem_exhausted();
	return product ? product : 1;
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		mem_exhausted();
	return p;
}

void mem_check(void)
{
	volatile uint8_t *p = mem_alloc(MEM_CHECKED);

	*p = 0; /* or a compiler sees that nobody wants it */
	free((void *)p);
}

void *mem_zero(size_t count, size_t size)
{
	void *p = calloc(1, mem_product(count, size));

	if (!p)
		mem_exhausted();
	return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *p = realloc(old, mem_product(count, size));

	if (!p)
		mem_exhausted();
	return p;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void mem_wipe(void *p, size_t len)
{
	if (!len)
		return;
	memset(p, 0, len);
	__asm__ volatile("" : : "r"(p) : "memory"); /* for the compiler: somebody will look */
}

uint8_t *buf_room(struct buf *b, size_t more)
{
	size_t need, cap = b->cap ? b->cap : BUF_FIRST;

	if (__builtin_add_overflow(b->len, more, &need))
		mem_exhausted();
	if (need > b->cap || !b->data) {
		while (cap < need)
			cap = mem_product(cap, 2);
		b->data = mem_resize(b->data, cap, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_put(struct buf *b, const void *p, size_t len)
{
	if (!len)
		return;
	memcpy(buf_room(b, len), p, len);
	b->len += len;
}

void buf_puts(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
	*buf_room(b, 1) = (uint8_t)c;
	b->len++;
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	char digits[20]; /* 2^64 - 1 has 20 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_put_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return; /* an encoding error of %ls, which nobody here uses */

	buf_room(b, (size_t)len + 1); /* vsnprintf wants room for its NUL */
	va_start(args, format);
	vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
}

void buf_consume(struct buf *b, size_t len)
{
	if (!len)
		return;
	b->len -= len;
	memmove(b->data, b->data + len, b->len);
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

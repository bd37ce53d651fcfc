/*
 * mem - memory that is there or the process is not, and the growing octet buffer.
 *
 * Running out of memory inside a process is not handled piecemeal: the process says so on
 * stderr and leaves with status 4. A worker's death is seen, and mended, by the master.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#define MEM_EXIT 4 /* exit status when memory runs out (DESIGN.md: the system failed us) */

void *mem_alloc(size_t size);              /* uninitialised; never NULL */
void *mem_zero(size_t count, size_t size); /* zeroed; overflow of the product is fatal */
void *mem_resize(void *old, size_t count, size_t size); /* realloc; overflow is fatal */
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len); /* copies len octets, adds NUL */
void mem_wipe(void *p, size_t len);              /* overwrites secrets; not optimised away */
/* After a library that gave up without saying whether for want of memory: returns if there is some. */
void mem_check(void);

/* A growing buffer of octets. {0} is a valid empty one; data is not NUL-terminated. */
struct buf {
	uint8_t *data;
	size_t len; /* octets in use */
	size_t cap; /* octets allocated, >= len */
};

uint8_t *buf_room(
	struct buf *b,
	size_t more); /* at least `more` octets writable at data+len; returns that place */
void buf_put(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v); /* decimal */
void buf_put_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_consume(struct buf *b, size_t len); /* drops len octets from the front (moves the rest) */
void buf_free(struct buf *b);                /* leaves {0} */

#endif

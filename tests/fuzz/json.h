/*
 * json - is it one line of JSON (RFC 8259)? A judge of what jsonl writes that knows nothing of jsonl.
 */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the octets are one object and a line end, with no control in between and nothing behind. */
bool json_is_line(const uint8_t *p, size_t len);

#endif

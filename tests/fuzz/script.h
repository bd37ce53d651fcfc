/*
 * script - an input for the engine: a profile, then steps; script.c has their table.
 */
#ifndef FUZZ_SCRIPT_H
#define FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void script_play(const uint8_t *data, size_t size, bool stream);

#endif

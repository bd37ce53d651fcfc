/*
 * What nobody can foresee, foreseen: getentropy(3) of a counter that starts anew with each input.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "double_random.h"

static uint64_t state;

void double_random_start(void)
{
	state = 0x6d756c7469736e6d;
}

int getentropy(void *p, size_t len)
{
	uint8_t *at = p;

	while (len > 0) { /* xorshift64 */
		size_t n = len < sizeof(state) ? len : sizeof(state);

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(at, &state, n);
		at += n;
		len -= n;
	}
	return 0;
}

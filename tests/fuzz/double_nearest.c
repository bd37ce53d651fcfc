/*
 * "Did you mean …?" with one candidate in sixteen: comparing a wrong word with all names of all MIBs takes longer
 * than everything else that a target does. The comparison is the program's own, so it is tried here as well.
 */
#include <string.h>

#include "base/nearest.h"

void nearest_compare(struct nearest *n, const char *word);

#define nearest_try nearest_compare
#include "base/nearest.c"
#undef nearest_try

void nearest_try(struct nearest *n, const char *word)
{
	size_t len = strlen(word);

	if (((unsigned char)word[len / 2] + len) % 16 == 0)
		nearest_compare(n, word);
}

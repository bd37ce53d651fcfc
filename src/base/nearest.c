/*
 * The word that a person most likely meant.
 *
 * The problem: 'comunity' is found by a machine at once and by its author after ten minutes. The
 * distance is the number of letters put in, left out, exchanged or swapped with their neighbour
 * (optimal string alignment); beyond a third of the word's length a suggestion would be a guess, and
 * there is none. The letter case costs nothing, but only the right one is shown.
 *
 * Words from NEAREST_MAX octets on are not looked at: nobody's memory slips that far, and the table below
 * has a fixed size.
 */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Row i of the table holds the distances of a's first i letters to the first 0..nb of b; three
 * rows are enough. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][NEAREST_MAX];
	size_t *before = rows[0];
	size_t *above = rows[1];
	size_t *row = rows[2];

	for (size_t j = 0; j <= nb; j++)
		before[j] = above[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *unused = before;

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t exchange = above[j - 1] + !same(a[i - 1], b[j - 1]);

			row[j] = least(exchange, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = unused;
	}
	return above[nb];
}

void nearest_try(struct nearest *n, const char *word)
{
	size_t written = strnlen(n->written, NEAREST_MAX);
	size_t len = strnlen(word, NEAREST_MAX);
	size_t d;

	if (!written || written == NEAREST_MAX || len == NEAREST_MAX)
		return;
	d = distance(n->written, written, word, len);
	if (d > 1 + written / 3 || d >= len || (n->word[0] && d >= n->distance))
		return;
	memcpy(n->word, word, len + 1);
	n->distance = d;
}

const char *nearest_hint(const struct nearest *n, char out[NEAREST_HINT_MAX])
{
	out[0] = '\0';
	if (n->word[0])
		snprintf(out, NEAREST_HINT_MAX, " (did you mean '%s'?)", n->word);
	return out;
}

/*
 * Everything read again, for a service that was sent SIGHUP.
 *
 * The problem: a person edits a file and sends the signal; the file may be wrong, and polling must go on. So all of it
 * is read, checked and built as at the start, the same words of the command line, the files as they are now, beside
 * what is being polled; only what has no error takes its place, and what is wrong is told as at the start.
 *
 * It is done by the master while a round is under way: workers poll on meanwhile. MIB files that were read stay as they
 * were: a name once known keeps its meaning for as long as the program lives.
 *
 * The trap: what cannot be read again (reread.c).
 */
#include "main_internal.h"

#include <stdlib.h>

struct generation *main_words_again(struct reread *words)
{
	struct generation *g = mem_zero(1, sizeof(*g));
	struct buf text = {0};
	bool good;
	int argc = 0;

	g->words = reread_words(words);
	while (g->words[argc] != NULL)
		argc++;
	good = options_parse_with(&g->options, argc, g->words, &text, words) == OPTIONS_RUN;
	main_tell(LOG_LEVEL_ERROR, &text);
	if (good)
		return g;
	main_generation_free(g);
	return NULL;
}

struct generation *main_generation(struct reread *words)
{
	struct generation *g = main_words_again(words);

	if (g != NULL)
		g->plan = main_plan(&g->options, OPTIONS_RUN);
	if (g == NULL || g->plan != NULL)
		return g;
	main_generation_free(g);
	return NULL;
}

void main_generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	plan_free(g->plan);
	options_free(&g->options);
	reread_words_free(g->words);
	free(g);
}

/* Between rules.c (whom a rule means) and rules_words.c (what its words are). */
#ifndef AGENT_RULES_INTERNAL_H
#define AGENT_RULES_INTERNAL_H

#include "rules.h"

/* Reads one word, which is changed, into behaviour; false if it is unknown or its argument is wrong. */
bool rules_word(struct behaviour *behaviour, char *text);
/* A number of digits alone, not above limit. */
bool rules_number(const char *text, uint32_t limit, uint32_t *number);

#endif

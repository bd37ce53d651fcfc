/*
 * place - where a word was written, so that whoever finds it wrong later can say where.
 */
#ifndef PLAN_PLACE_H
#define PLAN_PLACE_H

#include <stddef.h>
#include <stdint.h>

struct conf_place {
	uint32_t line;   /* from 1; 0: the command line */
	uint16_t column; /* in characters, from 1 (a tab is one); 65535 and above is 65535 */
	uint16_t file;   /* conf's number of it */
};
#define CONF_COMMAND_LINE ((struct conf_place){0, 0, 0})

struct conf_item { /* a word of a list */
	const char *text;
	struct conf_place place;
};
struct conf_list {
	size_t count;
	struct conf_item item[];
};

#endif

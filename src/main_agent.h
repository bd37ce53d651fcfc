/*
 * main_agent - what the two files of the agent share: main_agent.c, its life; main_cell.c, who polls for it.
 */
#ifndef MAIN_AGENT_H
#define MAIN_AGENT_H

#include "link/agent.h"
#include "link/courier.h"
#include "main_internal.h"
#include "pool/sandbox.h"

struct agency {
	const struct options *o; /* as they were read last */
	struct reread *words;
	struct plan_keys *keys;     /* of o's files */
	struct generation *changed; /* what o is of, after a reload; NULL: the first ones */
	struct followers followers;
	struct sandbox sandbox; /* of children that are born from now on */
	struct courier_config courier;
	char who[64 + BROKER_NAME_MAX * 2]; /* "the agent NAME of site SITE" */
	bool alone;                         /* of a cell: few tasks at a time */
};

/* struct agent_config's cell; arg is an agency. */
int main_cell(const void *arg, const struct run *run, bool alone, uint8_t *slots, int queue_fd);

#endif

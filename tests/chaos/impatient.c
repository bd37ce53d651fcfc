/*
 * The program, but its master waits 0.3 s for a word of who owes one, where it waits 5 s otherwise: rounds in which a
 * process hangs are over in a second. All else is the program itself; no switch of it is needed for this.
 */
#include "pool/master.h"

#define SILENCE_US 300000

static void impatient_run(const struct master_config *config, struct master_result *result)
{
	struct master_config hurried = *config;

	hurried.silence_us = SILENCE_US;
	master_run(&hurried, result);
}

#define master_run impatient_run
#include "../../src/main_run.c"

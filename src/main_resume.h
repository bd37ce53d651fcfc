/*
 * main_resume - what is left of a run over a broker that dies, and --resume; private to main.
 */
#ifndef MAIN_RESUME_H
#define MAIN_RESUME_H

#include <stdbool.h>

#include "cli/options.h"
#include "link/journal.h"
#include "link/ledger.h"

struct job;
struct master_result;

/* What a run over a broker would leave behind. */
struct remains {
	struct journal_head
		head; /* the run's number and the master's name, whether it leaves anything or not */
	struct journal *journal;  /* NULL: it leaves nothing */
	struct journal_sums sums; /* --resume: what came of the run before */
	struct ledger *taken;     /* likewise: whose records are there; NULL: it is no such run */
};

/* Its output may be taken up by another run, if it is a file. */
bool main_resumable(const struct options *o);
/* Of others' remains, if there were any, when the output is open. */
void main_remains_told(const struct job *job);
/* With a broker, when the output is open: an exit status; not 0: what is wrong was told. */
int main_remains_open(struct job *job);
/* When the output is committed, or was not. r: NULL: nothing was begun. */
void main_remains_close(struct job *job, const struct master_result *r);

#endif

/*
 * main_internal - what the files of main share; private to it.
 *
 * main.c: what is wrong, before anything is polled. main_run.c: the run. main_rounds.c: its rounds. main_reload.c: all of
 * it anew. main_output.c: where records go. main_follow.c: who follows it. main_remote.c,
 * main_resume.c: over a broker.
 */
#ifndef MAIN_INTERNAL_H
#define MAIN_INTERNAL_H

#include "base/log.h"
#include "base/mem.h"
#include "cli/options.h"
#include "main_follow.h"
#include "main_resume.h"
#include "out/writer.h"
#include "plan/plan.h"
#include "pool/master.h"

enum exit_status { /* DESIGN.md, "Exit status and signals"; 128 + n: ended by signal n */
	EXIT_ALL_OK = 0,
	EXIT_NOT_ALL = 1,
	EXIT_WRONG = 2,
	EXIT_NOT_WRITTEN = 3,
	EXIT_SYSTEM = 4,
	EXIT_CLOSED = 141,
};

void main_tell(enum log_level level, struct buf *text); /* no result, on stderr; frees it */
void main_tell_conf(const struct options *o);           /* warnings and errors of what was read */

/* The output, opened; of a name with conversions that of this moment. Always gives a writer, as writer_open(). */
struct writer *main_output(const struct options *o, enum writer_result *result);
/* The exit status for what has become of it, which is told. */
int main_writer_status(struct writer *w, enum writer_result result);
/* What children give up, found out. `paths` and `told` are set before. False: it cannot be had; why was told, and what comes of
 * it is the caller's to tell. */
struct sandbox;
bool main_sandbox(struct sandbox *s, const struct conf *conf);

/* A configuration that was read after the first one. */
struct generation {
	char **words; /* what options point to */
	struct options options;
	struct plan *plan;
};
struct generation *main_generation(struct reread *words); /* NULL: there were errors, told */
struct generation *main_words_again(
	struct reread *words);                   /* likewise, without a plan: an agent's */
void main_generation_free(struct generation *g); /* NULL is nothing */

/* What is being polled. */
struct job {
	const struct options *o;
	struct plan *plan;
	struct writer *writer;              /* of the run, or its round; NULL: none is open */
	struct reread *words;               /* NULL: nothing is read again */
	struct memory *learnt;              /* of hosts; NULL: a run keeps nothing */
	const struct master_rounds *rounds; /* NULL: one run */
	struct generation *next;            /* what is to be polled then; NULL */
	struct plan **first; /* the caller's: freed and NULL once another plan is polled */
	struct followers followers;
	struct remains remains;
	bool told;     /* what this kernel lacks to fence workers in */
	uint64_t runs; /* over a broker, so far */
};
/* In a child: what only the master needs goes, secrets first. */
void main_forget(const struct job *job);

/* All of a run with its children, or of its rounds until they end or what is polled changes. False: there is no
 * result, what is wrong was told. */
bool main_master(struct job *job, struct master_result *r);
/* A run, or a round, is over and its output is as it will be: tells who wants to know. */
void main_ended(struct job *job, const struct master_result *r);

/* Polls in rounds; an exit status. */
int main_rounds(struct job *job);

/* Options and files become what is to be polled; NULL: there were errors. All is told. */
struct plan *main_plan(const struct options *o, enum options_action action);
/* Polls what the plan says; an exit status. words are lent, NULL if what was read is not read again. The plan stays
 * the caller's but where it is read again: then it may be gone, and NULL. */
int main_poll(const struct options *o, struct plan **plan, struct reread *words);

/* --agent: takes targets from a broker until a signal ends it; an exit status. */
int main_agent(const struct options *o, struct reread *words);

/* --explain: asks the plan's one target again and again. */
int main_explain(const struct options *o, struct plan *plan);

#endif

/*
 * remote_stage - a broker, its agents and a plan of two sites for tests of the master: a courier that is all of them.
 *
 * What it holds is in a page that outlives the courier, as a broker's queues do. It loses, repeats, reorders and delays as
 * a test wants it (`play`), in percent where that is a chance.
 */
#ifndef UNIT_REMOTE_STAGE_H
#define UNIT_REMOTE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "link/batch.h"
#include "link/courier.h"
#include "link/window.h"
#include "pool/master.h"

#define MAX      6000                                 /* targets of a test */
#define MOST     ((WINDOW_MAX / 2 + 2) * BATCH_TASKS) /* more than a site takes that confirms nothing */
#define HELD     400                                  /* messages that a queue of the page holds */
#define BODY_MAX 12000
#define PIECE    9000 /* octets of a large record's piece */
#define PIECES   6

enum site_number {
	NORTH,
	SOUTH,
	SITES
};

struct plan {
	uint64_t total, next;
	struct profile profiles[SITES];
	char hosts[MOST][16];
};

struct held {
	bool used, out; /* `out`: this courier has given it to the master */
	unsigned site;
	uint64_t tag;
	size_t len;
	uint8_t body[BODY_MAX];
};

struct world {
	struct held tasks[HELD], results[HELD], dead[HELD], aside[HELD];
	unsigned births, batches, polled, acked, number, tag;
	unsigned told[16]; /* control messages, by kind */
	unsigned highest;  /* attempt */
	bool forgot, swallowed, known[SITES];
	unsigned early, reopened, asked_of[SITES]; /* early: PUTs for queues that were not there */
	uint64_t late[HELD];                       /* ids to be confirmed */
	unsigned nlate;
	unsigned rate, asked;
	unsigned examined[SITES];
	unsigned crowded; /* examinations that were asked for while there was one */
	int64_t begun_us;
};
extern struct world *world;

/* What happens, in percent where it is a chance. */
struct part {
	unsigned lose, nack, no_confirm, repeat, late, die, dead;
	int64_t busy_us; /* agents of the south get to no new task before */
	bool repeats;    /* what they bring before has come already */
	bool ahead;      /* they take other masters' tasks before */
	bool unheard;    /* every other answer about a queue comes from no leader */
	bool apart;      /* one side is up before the other */
	bool other_run;  /* what they bring is of a run that is none of ours */
	bool gap_late;   /* the piece before the last one is missing */
	bool says_lost;  /* they use a status that is the master's own */
	bool dies_late; /* first batches are given up when others have their tasks; then those go on */
	bool alarm;     /* the broker takes nothing, and goes with that */
	bool alarm_stays; /* it takes nothing */
	bool dies_loaded; /* the courier, when the first records are with the master; no other one finds the broker */
	bool hangs;      /* the courier, when the first records are with the master */
	bool unheard_of; /* sites' queues are not there the first times that the broker is asked */
	bool two_polls; /* of a large record, whose pieces come mixed, each of letters of its own */
	bool beside;    /* its last piece comes with a repeat of it */
	bool wide;      /* each record is as large as a piece */
	bool confirms_late; /* behind the records that it brings */
	bool babbles;       /* the first courier says what it may not say, with tasks in hand */
	bool mute;          /* it says nothing any more then */
	unsigned pieces, prefetch; /* 0: PIECES, 16 */
	bool goes_last;   /* the broker, when it is told that the run is over; and stays away */
	bool stuck;       /* the queue of the south confirms nothing before it was examined */
	bool both_stuck;  /* that of the north likewise */
	bool slow_cure;   /* an examination takes a second */
	bool stays_stuck; /* nor after */
	bool alone;       /* there is the south only */
	bool deserted, swallow_once, refuses, down_later, needs, large, gap, old_round, garbage,
		silent;
};
extern struct part play;

struct trial {
	struct master_config config;
	struct remote_config remote;
	struct run run;
	struct master_result result;
	struct plan plan;
	char folder[64], path[80];
	unsigned records[MOST];
	unsigned lost, crashed, cancelled, ok;
	size_t longest;
};

int set_up(void **state); /* a trial, in *state; all of `play` is 0 */
int tear_down(void **state);
/* Before a run: a message that waits for the master, of records of `count` targets from `seq` on, and their counters; or
 * a batch of them, the number-th of the run that was, that was given up. */
void bring_records(uint64_t seq, unsigned count);
void bring_dead(uint64_t seq, unsigned count, uint64_t number);
void go(struct trial *t, uint64_t total); /* a run, its output committed */
/* And each target has exactly one record, as the result has it. */
void run_all(struct trial *t, uint64_t total);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

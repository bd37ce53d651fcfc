/*
 * master_recall - what is remembered of targets from round to round; private to the master.
 */
#ifndef POOL_MASTER_RECALL_H
#define POOL_MASTER_RECALL_H

#include "base/record.h"
#include "base/task.h"
#include "pool/dispatch.h"

struct master;

/* What is known of a target goes with its task. */
void recall_lend(const struct master *m, const struct dispatch_task *t, struct task *task);
/* Whether a worker may say that it has learnt this of its target. */
bool recall_believes(const struct master *m, const struct dispatch_task *t, const struct learnt *l);
/* What came back with its record. */
void recall_take(const struct master *m, const struct dispatch_task *t,
		 const struct record_head *h);

/* The same of targets that agents ask. False: nothing is kept. */
bool recall_known(const struct master *m, const struct plan_target *p, struct learnt *l);
void recall_learn(const struct master *m, const struct plan_target *p, const struct record_head *h);

#endif

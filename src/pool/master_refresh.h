/*
 * master_refresh - names that are known are asked again, of a resolver that knows what holds now; in rounds only; private
 * to master.
 */
#ifndef POOL_MASTER_REFRESH_H
#define POOL_MASTER_REFRESH_H

#include <stdbool.h>

struct dispatch_task;
struct lookup_answer;
struct master;
struct name;

void refresh_doubt(struct master *m, const struct dispatch_task *t, unsigned status);
void refresh_ask(struct master *m);
bool refresh_take(struct master *m, struct name *n, const struct lookup_answer *a);
void refresh_lost(struct master *m);                  /* whom they were put to has gone */
void refresh_begin(struct master *m, struct name *n); /* a round */
void refresh_born(struct master *m);                  /* the resolver */
/* Between rounds: it ends, if the files that it has read are not as they were. */
void refresh_renew(struct master *m);

#endif

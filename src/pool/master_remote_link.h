/*
 * master_remote_link - the child that holds the link to the broker; private to the master.
 */
#ifndef POOL_MASTER_REMOTE_LINK_H
#define POOL_MASTER_REMOTE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/proc.h"
#include "pool/queue.h"

struct master;
struct site;

#define LINK_TOLD_MAX 300

struct remote_link {
	struct proc proc;
	struct queue *queue; /* NULL: it does not live */
	enum queue_state state;
	bool watched, pinged, killed;
	bool puts, takes;             /* the side is up */
	bool was_up;                  /* both have been, once */
	unsigned barren;              /* deaths in a row without an UP */
	int64_t heard_us;             /* its last word, or when it came to owe us one */
	int64_t silence_us;           /* after so much it is asked, after twice as much killed */
	int64_t respawn_us;           /* LOOP_NEVER */
	int64_t pause_us;             /* before the next one */
	bool leaving, left;           /* STOP was sent, STOPPED came */
	int64_t leave_us;             /* STOP was wanted then; LOOP_NEVER */
	char told[LINK_TOLD_MAX + 1]; /* why it is down; empty: it is up, or nothing was told */
};

void remote_link_start(struct master *m);
void remote_link_free(struct master *m);
void remote_link_times(struct master *m);
void remote_link_watch(struct master *m);
void remote_link_serve(struct master *m);
void remote_link_renew(struct master *m);
int64_t remote_link_next_us(const struct master *m);
/* Declares its queue, asks how it is; in doubt whether it hangs, too. */
void remote_link_site(struct master *m, const struct site *s, bool doubt);
void remote_link_ack(void *master, uint64_t tag);

#endif

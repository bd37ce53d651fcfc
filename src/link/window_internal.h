/*
 * window_internal - what the files of the window share; private to it.
 */
#ifndef LINK_WINDOW_INTERNAL_H
#define LINK_WINDOW_INTERNAL_H

#include "link/broker.h"
#include "link/window.h"

struct key { /* where messages go */
	struct key *next;
	enum courier_to to;
	char name[BROKER_NAME_MAX + 1];
	size_t open, octets; /* of its messages here */
	size_t out;          /* messages that the courier has */
	size_t allow;        /* so many of them may be out; WINDOW_MAX: as many as there are */
	int64_t pause_us;    /* the last one's length; 0: none since a confirm */
	int64_t until_us;    /* it pauses until then; 0: it does not */
};

struct message {
	struct message *prev, *next; /* in the order of ids */
	struct key *key;
	uint64_t id, mark;
	bool out; /* the courier has it, and has not answered */
	size_t len;
	uint8_t *
		body; /* behind this; the head of a COURIER_PUT is made anew each time. NULL: it is lent */
	size_t at; /* and lies here */
};

struct window {
	struct queue *queue; /* NULL: there is no courier */
	bool up;             /* and no REOPEN is under way */
	bool blocked;
	uint32_t epoch;      /* UPs of this courier */
	struct message ends; /* next: the oldest; prev: the youngest; itself: none */
	struct key *keys;    /* a handful: at most one a message, and KEYS_KEPT */
	size_t nkeys;
	size_t open, octets; /* of all messages */
	uint64_t last;       /* id given */
	int64_t progress_us; /* the last one; or since when some could be made */
	int64_t stall_us;    /* so long without, and another channel is asked for */
};

/* --- window_keys.c */

struct key *key_find(const struct window *w, enum courier_to to, const char *name); /* NULL */
struct key *key_get(struct window *w, enum courier_to to, const char *name);
bool key_may(const struct key *k); /* one more of its messages may go now */
void key_pause(struct key *k, int64_t now_us);
void key_confirmed(struct key *k); /* one of its messages was */
void keys_free(struct window *w);

#endif

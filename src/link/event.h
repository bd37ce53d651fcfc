/*
 * event - what happens at a broker's side of a link: what link/link.h's next() says, and a site's state.
 */
#ifndef LINK_EVENT_H
#define LINK_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_side {
	LINK_ASIDE, /* a backend's own, for a moment */
	LINK_PUTS,  /* as in COURIER_UP */
	LINK_TAKES
};

enum link_event_kind {
	LINK_CONFIRMED, /* id */
	LINK_NACKED,    /* id */
	LINK_RETURNED,  /* id; neither of the two follows */
	LINK_BLOCKED,   /* an alarm of the broker: LATER from now on */
	LINK_UNBLOCKED,
	LINK_TAKEN,   /* tag, from, deliveries, body */
	LINK_WAITING, /* its queue went away: as LINK_WAITS. why */
	LINK_READY,   /* it is there (again) */
	LINK_GONE     /* the side; why, final. Its tags, or unanswered ids, are void */
};

#define LINK_PIECES 4

struct link_piece {
	const void *at;
	size_t len;
};

struct link_event { /* all pointers are lent until the next call of any kind */
	enum link_event_kind kind;
	enum link_side side;
	uint64_t id;  /* of a message put; or the tag of one taken, which knows its epoch */
	uint8_t from; /* enum courier_from; what is from control needs no verdict, its tag is 0 */
	uint32_t deliveries;           /* before this one */
	const struct link_piece *body; /* of taken: at most LINK_PIECES */
	size_t npieces;
	size_t len; /* of all of them */
	const char *why;
	bool final;
};

enum link_health {
	LINK_WELL,  /* nothing was found, or it could not be judged now */
	LINK_CURED, /* it hung, and was made anew */
	LINK_AWAY,  /* it does not answer, but the broker cannot make others: it may come back */
	LINK_HANGS  /* for ever, and we may not delete it */
};

struct link_site {
	bool known;
	bool hangs;         /* and nobody mends it */
	uint32_t ready;     /* messages */
	uint32_t consumers; /* agents */
};

#endif

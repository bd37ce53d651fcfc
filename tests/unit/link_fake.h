/*
 * link_fake - a broker behind the table of calls (link/link.h) that makes every fault on demand.
 *
 * It remembers what it was given. The clock is the test's: next_us() says until when the courier may sleep. An event is shown by a
 * descriptor (a pipe with an octet in it), or, if `buffered`, by nothing but pending().
 */
#ifndef UNIT_LINK_FAKE_H
#define UNIT_LINK_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/courier.h"
#include "link/link.h"

#define FAKE_MAX 4096 /* messages put, events under way, tags settled: of each */

enum fake_confirms { /* what becomes of a PUT */
	FAKE_AT_ONCE,
	FAKE_LATER, /* fake_answer_all(), or the test by itself */
	FAKE_NACKS,
	FAKE_RETURNS
};

enum fake_call { /* that finds its side gone; each once */
	FAKE_PUT = 1,
	FAKE_SETTLE = 2,
	FAKE_SITE = 4,
	FAKE_REOPEN = 8,
	FAKE_LEAVE = 16,
	FAKE_FLUSH = 32
};

struct fake_put {
	uint64_t id;
	uint8_t to;
	char key[BROKER_NAME_MAX + 1], name[64];
	char body[64]; /* its front, with a NUL */
	size_t len;
	unsigned epoch; /* of the channel that it came on */
	bool kept;      /* the broker has it */
	bool answered;
};

struct fake_event {
	struct link_event event;
	struct link_piece piece[2]; /* its body, as of two frames */
	char body[64], why[64];
	unsigned epoch; /* of its side: not given out in another */
};

struct fake_settled {
	uint64_t tag;
	enum link_verdict verdict;
};

struct fake_side {
	bool open;
	unsigned epoch; /* of the connection; puts: of the channel */
	unsigned opens;
	int pipe[2];
};

struct link_fake {
	/* the script */
	enum fake_confirms confirms;
	int room;                  /* messages that put() takes before it says LATER; -1: all */
	bool blocked;              /* as with room 0 */
	unsigned gone_at;          /* bits of enum fake_call */
	bool buffered;             /* events without a readable descriptor */
	enum link_state answer[3]; /* of the next open() of a side (by enum link_side), */
	unsigned answers[3];       /* so many times */
	const char *why;           /* of what fails, and of GONE */
	bool start_fails, site_fails;
	bool late;             /* events of a side that is gone come all the same */
	void (*opening)(void); /* while open() takes its time; NULL */
	void (*curing)(void *arg), *curing_arg; /* while cure() does; NULL */
	int64_t heartbeat_us;                   /* when next() must be called; INT64_MAX: never */
	struct link_site site;
	enum link_health health; /* what cure() finds */
	/* what happened */
	struct fake_side side[3]; /* by enum link_side */
	struct fake_put put[FAKE_MAX];
	size_t nput;
	struct fake_settled settled[FAKE_MAX];
	size_t nsettled, stale;             /* stale: tags of another epoch, or settled twice */
	struct fake_event events[FAKE_MAX]; /* a ring */
	size_t first, nevents;
	uint64_t tags; /* given, in this epoch of takes */
	unsigned char tag_done[FAKE_MAX];
	unsigned heard[LINK_TAKES + 1];
	size_t flushed;                  /* so many of settled were, before a sleep */
	char cured[BROKER_NAME_MAX + 1]; /* the site that it was last called for */
	unsigned cures;
	unsigned visits, reopens, leaves, sites, closes, frees;
	bool forgot;
	unsigned wrong; /* calls of a side that is not open */
	unsigned twice; /* tags settled twice, or never given */
};

extern const struct link_calls link_fake;
struct link_fake *fake_new(void);
void fake_free(struct link_fake *f); /* closes its descriptors */

void fake_answer(struct link_fake *f, uint64_t id, enum link_event_kind kind);
void fake_answer_all(struct link_fake *f); /* what this channel has brought: confirmed */
/* A message for us; its tag. */
uint64_t fake_give(struct link_fake *f, enum courier_from from, const char *body,
		   uint32_t deliveries);
void fake_say(struct link_fake *f, enum link_side side, enum link_event_kind kind);
void fake_hang_up(struct link_fake *f, enum link_side side, bool final); /* GONE */
bool fake_keeps(const struct link_fake *f, uint64_t id);
const struct fake_put *fake_last(const struct link_fake *f);

#endif

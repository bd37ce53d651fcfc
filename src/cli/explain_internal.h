/*
 * explain_internal - what the files of explain share.
 */
#ifndef CLI_EXPLAIN_INTERNAL_H
#define CLI_EXPLAIN_INTERNAL_H

#include "cli/explain.h"
#include "cli/explain_finding.h"
#include "plan/settings.h"

enum known {              /* what was found out, apart from what mends */
	KNOWN_ALIVE = 1,  /* an SNMP agent is there */
	KNOWN_UP = 2,     /* a system is there */
	KNOWN_SMALL = 4,  /* small questions are answered */
	KNOWN_DIGEST = 8, /* user and authentication are right */
};

struct change { /* of one key */
	enum setting_key key;
	const char *text; /* the value, or … */
	int64_t number;   /* … this one */
	bool unset;       /* … or none */
	bool only_to_ask; /* and no part of what mends */
};
#define CHANGES_MAX 3

struct explain {
	const struct explain_config *config;
	struct plan_sole sole;
	struct settings now;       /* the host's, with all that was found to mend */
	struct plan_target target; /* who is asked: with its address, once that is known */
	uint64_t mended;           /* bit key: is changed in `now` */
	bool moved;                /* the target itself is another */
	size_t split_by; /* its objects must be asked in several entries, of at most so many; 0: in one */
	unsigned known; /* enum known */
	uint64_t tried; /* bit each: remedies tried since the last that mended */
	unsigned steps;
	int64_t took_us;          /* the last poll */
	int64_t until_us;         /* when it gives up, in loop_clock_us() */
	int status;               /* of the run: 0, or what ended it */
	struct finding found;     /* of `now`, asked for everything */
	struct finding probe;     /* of the last probe */
	struct conf_list **lists; /* made for questions of our own */
	size_t nlists;
	char engine_id[2 * ENGINE_ID_MAX + 1];
};

/* explain_ask.c. Each: false, the run has ended (x->status). */
struct question { /* how `now` is asked */
	const struct change *changes;
	size_t nchanges;
	bool whole; /* for all its objects; else for `get`, copies times, or `walk` … */
	const struct conf_list *list; /* … or for these objects */
	const char *get;              /* NULL, and no walk: sysDescr.0 */
	const char *walk;             /* … up to its first row */
	unsigned copies;              /* 0: 1 */
	bool configured;              /* with its own timeout, retries and deadline */
	bool other_transport;
	uint8_t transport; /* if it is another; enum transport */
	uint16_t port;     /* 0: its own */
};
bool explain_ask(struct explain *x, const struct question *q, struct finding *out);
void explain_keep(struct explain *x, struct conf_list *list); /* frees it at the end */
void settings_change(struct settings *s, const struct change *c);

/* explain_words.c */
void explain_step(struct explain *x, bool ok, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void explain_note(struct explain *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
void explain_rows(struct explain *x, const struct finding *f);
const char *explain_meaning(const struct finding *f);         /* of its cause, for a person; NULL */
void explain_asked(const struct explain *x, struct buf *out); /* "SNMP 3, user poller, …" */
/* explain_remedies.c: finds out what would mend x->found, and applies it to `now`. False: nothing known
 * does, or the run has ended. */
bool explain_mend(struct explain *x);

/* explain_objects.c */
void explain_missing(struct explain *x); /* objects that are not there, or not to be seen */
bool explain_size(struct explain *x);    /* what is small is answered; true: mended */

/* explain_yaml.c: the entry that would be answered, and what to type instead. */
void explain_yaml(const struct explain *x, struct buf *out);
void explain_options(const struct explain *x, struct buf *out);

#endif

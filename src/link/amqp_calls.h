/*
 * amqp_calls - what the files of amqp do for each other.
 */
#ifndef LINK_AMQP_CALLS_H
#define LINK_AMQP_CALLS_H

#include "link/amqp_internal.h"

struct rabbit_side *rabbit_side(struct rabbit *r, enum link_side which);
/* It is told by next() then. format NULL: keeps what stands there. */
void rabbit_gone(struct rabbit *r, struct rabbit_side *s, bool final, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void rabbit_drop(struct rabbit *r, struct rabbit_side *s); /* closes it, tells nothing */

enum rabbit_answer {
	RABBIT_YES,
	RABBIT_MISSING, /* 404 */
	RABBIT_REFUSED, /* 403 */
	RABBIT_DIFFERS, /* 406, 405: it is there, made otherwise, or somebody's own */
	RABBIT_LOST     /* the side is gone, or broken: why */
};

/* amqp_connect.c: TCP, TLS, login. */
enum link_state rabbit_connect(struct rabbit *r, struct rabbit_side *s, char why[LINK_WHY_MAX]);

/* amqp_declare.c: what there must be. Each: LINK_OPEN, LINK_WAITS, LINK_FAILED, LINK_FINAL and why. */
enum link_state rabbit_declare_puts(struct rabbit *r, char why[LINK_WHY_MAX]);
enum link_state rabbit_declare_takes(struct rabbit *r, char why[LINK_WHY_MAX]);
bool rabbit_declare_site(struct rabbit *r, const char *site, struct link_site *out,
			 char why[LINK_WHY_MAX]);
/* A site's queue, or (NULL) a master's own, and that of what is lost, over another connection. */
enum rabbit_answer rabbit_declare_again(struct rabbit *r, struct rabbit_side *s, const char *site,
					char why[LINK_WHY_MAX]);
void rabbit_forget(struct rabbit *r); /* deletes a master's queue */
const char *rabbit_queue_name(struct rabbit *r,
			      char out[RABBIT_QUEUE_NAME]); /* what it takes from */
enum rabbit_answer rabbit_look(struct rabbit *r,
			       char why[LINK_WHY_MAX]); /* whether that is there */
const char *rabbit_site_name(const char *site, char out[RABBIT_QUEUE_NAME]);
#define RABBIT_LOST_QUEUE  "multisnmp.dead"
#define RABBIT_TASKS_TAG   "tasks"
#define RABBIT_CONTROL_TAG "control"

/* amqp_ask.c: entries of a table, whose texts are lent; one question and its answer. */
amqp_table_entry_t rabbit_entry(const char *key, uint8_t kind); /* without a value */
amqp_table_entry_t rabbit_text(const char *key, const char *value);
amqp_table_entry_t rabbit_number(const char *key, int64_t value);
bool rabbit_channel_open(struct rabbit *r, struct rabbit_side *s, amqp_channel_t channel,
			 char why[LINK_WHY_MAX]);
/* Of the last call of the library that waited for an answer on that channel, which is open again after a refusal. */
enum rabbit_answer rabbit_answered(struct rabbit *r, struct rabbit_side *s, amqp_channel_t channel,
				   char why[LINK_WHY_MAX]);

/* amqp_inbound.c: a message on its way in. Pieces of its body are lent until rabbit_inbound_frees() after it was whole. */
void rabbit_inbound_begin(struct rabbit_inbound *in, enum rabbit_kind kind, uint64_t tag,
			  bool again);
void rabbit_inbound_header(struct rabbit_inbound *in, const amqp_frame_t *f);
bool rabbit_inbound_body(struct rabbit_inbound *in, const amqp_frame_t *f); /* false: too much */
/* Nothing more is to come. False: it is nobody's event. */
bool rabbit_inbound_whole(struct rabbit *r, amqp_channel_t channel, struct link_event *e);
/* The library may forget the frames that it handed out, but those of a message that is open. */
void rabbit_inbound_frees(const struct rabbit *r, amqp_connection_state_t state);
/* amqp_take.c */
bool rabbit_next_event(struct rabbit *r, struct link_event *e);
/* amqp_put.c */
enum link_put rabbit_put(struct rabbit *r, const struct link_message *m);
bool rabbit_puts_open(struct rabbit *r, char why[LINK_WHY_MAX]); /* a channel, with confirms */
void rabbit_confirm(struct rabbit *r, uint64_t number, bool multiple, bool nacked);
void rabbit_return(struct rabbit *r, uint64_t number);
bool rabbit_next_answer(struct rabbit *r, struct link_event *e);

/* amqp_write.c: publishes (mandatory), unless it is for the library: false. *status: as of the library; OK, or all is over. */
struct rabbit_publish {
	amqp_channel_t channel;
	amqp_bytes_t exchange, key, body;
	amqp_basic_properties_t *properties;
	int64_t limit_us; /* for all of it */
};
bool rabbit_write(int fd, size_t frame_max, const struct rabbit_publish *p, int *status);

/* amqp_cure.c: as link_calls.cure; site NULL: a master's own queue. */
enum link_health rabbit_cure(struct rabbit *r, const char *site, char why[LINK_WHY_MAX]);

/* amqp_settle.c */
void rabbit_tags_clear(struct rabbit_tags *t);
void rabbit_tags_taken(struct rabbit_tags *t, uint64_t number);  /* higher than all before */
bool rabbit_tags_settle(struct rabbit_tags *t, uint64_t number); /* false: it is not open */
void rabbit_tags_ack(struct rabbit_tags *t, uint64_t number);    /* and it is to be told */
/* What is to be told next, of all up to it or of it alone; 0: nothing. */
uint64_t rabbit_tags_next(struct rabbit_tags *t, bool *multiple);

/* amqp_words.c */
bool rabbit_is(amqp_bytes_t b, const char *text);
void rabbit_library_words(int status, const struct rabbit *r, const char *where,
			  char why[LINK_WHY_MAX]);
void rabbit_close_words(uint16_t code, amqp_bytes_t text, char why[LINK_WHY_MAX]);

#endif

/*
 * conf_doc - one YAML document as a sequence of keys and values, without what we refuse.
 *
 * There is always a current node. Who is handed one leaves with it taken: for a mapping or list,
 * that is with all in it read by doc_key() or doc_item(), or passed over by doc_skip().
 */
#ifndef PLAN_CONF_DOC_H
#define PLAN_CONF_DOC_H

#include <yaml.h>

#include "plan/conf_reader.h"

#define DOC_KEY_MAX 256 /* octets of a key with its NUL */

enum doc_kind {
	DOC_WORD,
	DOC_LIST,
	DOC_MAPPING,
	DOC_NOTHING /* an alias (told), or the end */
};

struct doc {
	struct conf *conf;
	struct reader *reader;
	yaml_parser_t parser;
	yaml_event_t event; /* the current node's */
	bool ended;         /* the file is at its end, or cannot be read further (told) */
	unsigned depth;     /* mappings and lists that are open */
	bool holds_secret;  /* for who reads: a secret was written in it */
};

struct doc_key {
	char text[DOC_KEY_MAX];
	struct conf_place place;
};

/* True: there is a document, its root is the current node. Then doc_end() in any case. */
bool doc_begin(struct doc *d, struct reader *r);
void doc_end(struct doc *d); /* also tells what follows the document */

enum doc_kind doc_kind(const struct doc *d);
bool doc_is_empty(const struct doc *d); /* nothing was written: 'hosts:' and no more */
struct conf_place doc_place(const struct doc *d);
void doc_skip(struct doc *d);

/* The current word, lent until the next call; it may be changed in place. NULL: it holds a NUL (told). */
char *doc_word(struct doc *d);

/* In a mapping or list: go on to the next value. False: that was the last. */
bool doc_key(struct doc *d, struct doc_key *key);
bool doc_item(struct doc *d);

/* False: the current node is of another kind, which is told as "WHAT: MESSAGE"; it is skipped. */
bool doc_expect(struct doc *d, enum doc_kind kind, const char *what, const char *message);

/* The words of the current node, a list, as struct conf_item at the end of items, their text in the
 * configuration's memory. What is wrong with it is told. */
void doc_words(struct doc *d, const char *what, struct buf *items);

#endif

/*
 * options_internal - what the files of options share: the table, a row an option.
 */
#ifndef CLI_OPTIONS_INTERNAL_H
#define CLI_OPTIONS_INTERNAL_H

#include "cli/options.h"

struct words { /* of argv, in their order */
	const char **list;
	size_t count;
};

struct parse { /* while argv is read */
	struct options *o;
	struct buf *out;     /* what is wrong, help, version */
	struct taken *taken; /* options of argv, in their order */
	size_t ntaken;
	struct words files;
	struct words target_files;
	bool check;   /* --check */
	bool explain; /* --explain */
	char *url;    /* --broker; NULL */
	bool ended;   /* there is nothing more to do than to show what is in `out` */
};

enum option_where {      /* it is for, beside a machine that does all alone: */
	WHERE_AGENT = 1, /* --agent takes it, too; else it does not */
	WHERE_DRAIN = 2, /* so does --drain */
	WHERE_POLLS = 4, /* who asks, so it is not for a master with a broker */
};

struct option_row {
	char letter;      /* 0: none */
	const char *name; /* without the dashes; NULL: none */
	const char *arg;  /* as --help shows it; NULL: takes none */
	/* Takes the option; value is the argument, NULL: has none. False: is wrong, and said. */
	bool (*take)(struct parse *p, const struct option_row *row, char *value);
	const char *
		help; /* "": it shares the line of the row before; of one that is to come: what it needs */
	const char *key; /* the setting that it stands for */
	size_t flag;     /* of struct options */
	bool secret;     /* the value is one */
	unsigned where;  /* enum option_where */
	bool hidden;     /* of --help */
};

struct taken {
	const struct option_row *row;
	char *value;  /* where getopt_long(3) found it, or the copy; NULL: has none */
	char *copied; /* of a secret; else NULL */
};

/* Ends with a row that has no `take`. A row without letter and name is a heading of --help. */
extern const struct option_row options_table[];

/* The part of an option's value that nobody else may see, NULL: there is none. */
char *options_secret(const struct option_row *row, char *value);
void options_name(const struct option_row *row, struct buf *out); /* "--file", "-c" */
void options_help(struct buf *out);
void options_version(struct buf *out);

/* "multisnmp: …; see multisnmp --help". False, always. */
bool options_wrong(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

void words_add(struct words *w, const char *word);

/* Of options_complete.c */
bool options_take_complete(struct parse *p, const struct option_row *row, char *value);

/* Of options_values.c */
unsigned options_default_workers(void);
bool options_take_number(struct parse *p, const struct option_row *row, char *value);
bool options_take_rate(struct parse *p, const struct option_row *row, char *value);
bool options_stats_file(struct parse *p); /* whether it can be what it is */
bool options_take_deadline(struct parse *p, const struct option_row *row, char *value);
bool options_take_interval(struct parse *p, const struct option_row *row, char *value);
bool options_take_output(struct parse *p, const struct option_row *row, char *value);
bool options_take_min_ok(struct parse *p, const struct option_row *row, char *value);
bool options_take_source(struct parse *p, const struct option_row *row, char *value);
bool options_take_format(struct parse *p, const struct option_row *row, char *value);

/* Of options_broker.c: before, and after files are read */
char *options_url_secret(char *url);
bool options_take_broker(struct parse *p, const struct option_row *row, char *value);
bool options_take_name(struct parse *p, const struct option_row *row, char *value);
bool options_role(struct parse *p, bool targets);
bool options_broker(struct parse *p);

/* Of options_shape.c */
bool options_take_status(struct parse *p, const struct option_row *row, char *value);
bool options_take_sort(struct parse *p, const struct option_row *row, char *value);
const char *options_sort_key(size_t i); /* NULL: past the last one */
bool options_shape(struct parse *p);    /* what follows from all that is said of the output */

#endif

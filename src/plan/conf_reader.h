/*
 * conf_reader - the octets of a file, as far as they are text.
 */
#ifndef PLAN_CONF_READER_H
#define PLAN_CONF_READER_H

#include "plan/conf.h"

#define READER_BUFFER 32768

struct reader {
	struct conf *conf;
	struct conf_place at; /* of the next octet to be checked */
	int fd;
	bool everyone; /* a regular file that everyone may read */
	bool ended;    /* of the file, or by an error (told) */
	bool failed;   /* the latter */
	bool after_cr;
	uint64_t total; /* octets read */
	size_t from;    /* buffer[from..checked) is text not handed out yet */
	size_t checked;
	size_t len;
	uint8_t buffer[READER_BUFFER];
};

/* Opens path ("-": standard input) as a new file of the configuration. False: error told. */
bool reader_open(struct reader *r, struct conf *c, const char *path);
void reader_close(struct reader *r);

/* Up to max octets of UTF-8 without NUL and controls (a byte order mark in front is taken off); may
 * end in the middle of a character. 0: the end, or an error (r->failed). */
size_t reader_read(struct reader *r, uint8_t *out, size_t max);

#endif

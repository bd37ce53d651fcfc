/*
 * writer - bytes become a file that appears whole or not at all, or go to a stream.
 *
 * Knows no engine and no format. Never blocks the master on a stream: what stdout does not take
 * stays here, writer_full() tells the master to stop reading its workers until it has drained.
 * SIGPIPE must be ignored, and descriptors 0 to 2 be open, if only on /dev/null: with standard output
 * closed, the next file to be opened would be taken for it.
 */
#ifndef OUT_WRITER_H
#define OUT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum writer_result {
	WRITER_OK,
	WRITER_FAILED, /* results cannot be written (exit 3); writer_error() says why and what to do */
	WRITER_LOCKED,  /* another run holds the output (exit 4); writer_error() names its pid */
	WRITER_NOTHING, /* there is no dead run to be resumed (exit 2) */
	WRITER_CLOSED   /* the reader of a pipe has gone (exit 141) */
};

struct writer_options {
	const char *path; /* NULL or "/dev/stdout": standard output */
	bool append;
	bool whole; /* can only be replaced: --append is no advice */
	int fd; /* above 2, and path is NULL: a file, or a socket, that is open; written as it comes; stays open */
	bool again; /* it is written anew as soon as it is committed: see there */
	/* Of a file that is replaced: when writing fails, what was written of the new one stays beside it, for a run with
	 * `resume`, which takes it up as it is (writer_keep() is to be called before anything else). */
	bool resumable, resume;
};

#define WRITER_BUFFER 1048576 /* octets buffered from which writer_full() says so */

struct writer;

/* Always gives a writer, for its error text; only after WRITER_OK may anything else be called. A
 * FIFO is waited for until somebody reads it, as the shell does. */
struct writer *writer_open(const struct writer_options *o, enum writer_result *result);
const char *writer_error(const struct writer *w);

/* Of an output that can be resumed: where its journal is to lie (link/journal.h), in FILE's folder; NULL: of others. Whoever
 * opens the output without `resume` removes what is there under this name. */
const char *writer_journal(const struct writer *w);
bool writer_found_remains(const struct writer *w); /* so it did, and emptied what was written */
/* Keeps so many octets of a dead run's file; WRITER_NOTHING: it is shorter. */
enum writer_result writer_keep(struct writer *w, uint64_t octets);
/* What stands at the beginning of the output; in a file that is added to, only if it is empty. Before all
 * records; of a writer that serves several rounds only the first one is put. */
void writer_put_head(struct writer *w, const void *p, size_t len);
/* Copies a record, or the end of one whose beginning came by writer_put_part(). */
void writer_put(struct writer *w, const void *p, size_t len);
/* Copies octets of a record that is not whole yet; writer_flush() may be called between its pieces, no other
 * record may come. An output that others write to as well is held until its end. */
void writer_put_part(struct writer *w, const void *p, size_t len);
/* Likewise, of many octets; but an `fd` opened as a non-blocking socket gets at once what it takes, the rest is copied. */
void writer_give(struct writer *w, const void *p, size_t len);
/* It is a stream, or standard output, and serves one round after the other. What is not has a file for each of
 * them, and is committed and opened anew. */
bool writer_lasts(const struct writer *w);
bool writer_full(const struct writer *w);
/* Something that is not output was, or is about to be, written where the reader's cursor stands (a progress
 * line): `eraser` goes out before the next octets, once. True also where the output is no terminal, and nothing
 * is to be erased. False: a line of the output stands there, unfinished; nothing may be written. The octets are
 * kept, not copied; NULL: nothing stands there any more. */
bool writer_interrupt(struct writer *w, const char *eraser);
bool writer_pending(const struct writer *w); /* writer_flush() has something to do */

/* The descriptor to watch for LOOP_WRITE while something is buffered; -1: writer_flush() need not
 * wait for anything, or waits for writer_next_us(). */
int writer_fd(const struct writer *w);
/* When to call writer_flush() again (a lock held by another run), in loop_clock_us(); INT64_MAX: never. */
int64_t writer_next_us(const struct writer *w);

/* Writes what can be written without waiting. `all`: even a buffer that is not worth a call yet (for
 * files; a stream gets at once what it takes). What is not WRITER_OK is final: the temporary file is
 * gone, every later call gives the same, what is put is dropped. */
enum writer_result writer_flush(struct writer *w, bool all);

/* Octets put since it was opened, and those kept; how many of these, from the first one on, file or stream have. */
uint64_t writer_octets(const struct writer *w);
uint64_t writer_through(const struct writer *w);
/* What was written is on disk afterwards, which waits for it; of a stream it does nothing. What is not WRITER_OK is final. */
enum writer_result writer_sync(struct writer *w);
bool writer_syncs(const struct writer *w); /* it is something to be asked for */

/* The end of a good run: everything must be out (writer_pending() is false) and the last record whole.
 * fsync, rename, close; each checked. Only writer_error() and writer_free() may follow, unless it goes on: with `again`
 * it is open as if new then, and nobody else could take FILE. Else open it again at once; the folder is synced then. */
enum writer_result writer_commit(struct writer *w);
bool writer_goes_on(const struct writer *w);
/* The end of a bad one: the temporary file goes, the old one stays. */
void writer_abort(struct writer *w);
void writer_leave(
	struct writer *w);          /* likewise; but what was written is to be resumed, and stays */
void writer_free(struct writer *w); /* without writer_commit() before: writer_abort() */

#endif

/*
 * writer_internal - what the files of the writer share; private to it and its test.
 */
#ifndef OUT_WRITER_INTERNAL_H
#define OUT_WRITER_INTERNAL_H

#include <fcntl.h>
#include <sys/types.h>

#include "base/mem.h"
#include "out/writer.h"

#define WRITER_CHUNK     65536 /* octets from which a write to a file is worth its system call */
#define WRITER_ERROR_MAX 1024

/* The system calls that fail on full and broken disks, or between which others may come, so that a
 * test can do both. */
struct writer_system {
	ssize_t (*write)(int fd, const void *p, size_t len);
	int (*fsync)(int fd);
	int (*close)(int fd);
	int (*renameat)(int from_dir, const char *from, int to_dir, const char *to);
	int (*ftruncate)(int fd, off_t len);
	int (*set_lock)(int fd, struct flock *lock);       /* F_SETLK */
	int (*open)(int dir, const char *name, int flags); /* openat(2), mode 0600 */
};

/* What an output is; one row each. */
struct writer_kind {
	bool waits;   /* fd is a stream, to be watched while something is buffered */
	size_t worth; /* octets from which a flush is worth its system calls */
	size_t (*give)(struct writer *w, const void *p, size_t len); /* what it took now; or NULL */
	enum writer_result (*flush)(struct writer *w);
	enum writer_result (*sync)(struct writer *w); /* NULL: there is nothing to sync */
	enum writer_result (*commit)(struct writer *w);
	void (*drop)(
		struct writer *w); /* closes, removes what is temporary; harmless when repeated */
};
extern const struct writer_kind writer_stream; /* pipe, terminal, socket, FIFO, device */
extern const struct writer_kind writer_plain;  /* standard output that is a file */
extern const struct writer_kind writer_file;   /* replaced as a whole */
extern const struct writer_kind writer_append;

struct writer {
	const struct writer_system *sys;
	const struct writer_kind *kind; /* NULL: not open */
	struct buf buffer;
	size_t head;              /* octets of the buffer that are written */
	bool in_record;           /* the end of the last record is still to come */
	bool again, whole;        /* as in its options */
	bool goes_on;             /* committed, and open again */
	bool topped;              /* what stands at its beginning has come */
	uint64_t octets, through; /* put; of these written. Both with what was kept of a dead run */
	char *path;               /* as the user named it */
	int fd;                   /* -1: closed */
	enum writer_result failed; /* not WRITER_OK: how it ended */
	char error[WRITER_ERROR_MAX];

	/* stream */
	bool shared; /* the open file is not ours alone (standard output): never close or change it */
	bool socket, eager; /* eager: non-blocking by itself, so not asked first */
	size_t piece;       /* octets that a flush gives at a time at most */
	bool terminal;
	bool mid_line;      /* the last octet that a terminal was given ended no line */
	const char *eraser; /* to be given to it before anything else; NULL: nothing */

	/* file */
	int dir;        /* its folder; -1: closed */
	char *name;     /* in dir, links followed */
	char *temp;     /* in dir; NULL: none of ours is there */
	char *journal;  /* its path; NULL: it has none */
	bool resumable; /* as in its options */
	bool resume; /* likewise, and writer_keep() was not called yet, or it is to be resumed: it stays */
	bool remains; /* of a dead run were emptied */

	/* append */
	struct buf top;  /* octets with which FILE begins */
	int64_t next_us; /* when to try for the lock again; INT64_MAX: not waiting */
	bool held;       /* fd is open and locked, in the middle of a record */
	off_t batch;     /* while held: where in FILE what is taken back on failure begins */
};

struct writer *writer_open_with(const struct writer_options *o, const struct writer_system *sys,
				enum writer_result *result);

/* Ends the writer: keeps the first reason, drops what is temporary; returns result. */
enum writer_result writer_fail(struct writer *w, enum writer_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum writer_result writer_write_all(
	struct writer *w); /* blocks; on failure errno, and WRITER_FAILED */
void writer_consume(struct writer *w, size_t len);
size_t writer_left(const struct writer *w);
const uint8_t *writer_next(const struct writer *w);

enum writer_result writer_stream_stdout(struct writer *w);
enum writer_result writer_stream_open(struct writer *w);
enum writer_result writer_file_open(struct writer *w);
enum writer_result writer_append_open(struct writer *w);

#endif

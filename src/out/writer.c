/*
 * Bytes become a file that appears whole or not at all, or go to a stream.
 *
 * The problem: three kinds of reader stand behind an output, and each is let down in its own way. A
 * script that reads the file of the last run must never see half of the next one. A person behind a
 * pipe wants each record now, and may stop reading for an hour. Two runs started by the same timer must
 * not mix their lines.
 *
 * So what an output is, is decided once, at opening, and is a row of functions from then on:
 * writer_stream.c (never waits), writer_file.c (replaces), writer_append.c (adds whole batches). Here are
 * the buffer that they share, the choice, and the end: the first failure closes and removes what is
 * temporary, is kept, and is the answer to everything afterwards, so that no caller can go on by mistake.
 *
 * The buffer is a run of octets with a head. Moving the rest to the front after each write to a slow
 * pipe, 4 KiB of 1 MiB at a time, would copy everything 256 times; it is moved when the head is past
 * the middle.
 */
#include "out/writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_lock(int fd, struct flock *lock)
{
	return fcntl(fd, F_SETLK, lock);
}

static int open_private(int dir, const char *name, int flags)
{
	return openat(dir, name, flags, 0600);
}

static const struct writer_system real_system = {write,     fsync,    close,       renameat,
						 ftruncate, set_lock, open_private};

size_t writer_left(const struct writer *w)
{
	return w->buffer.len - w->head;
}

const uint8_t *writer_next(const struct writer *w)
{
	return w->buffer.data + w->head;
}

void writer_consume(struct writer *w, size_t len)
{
	w->head += len;
	if (w->head > w->buffer.len / 2) {
		buf_consume(&w->buffer, w->head);
		w->head = 0;
	}
}

enum writer_result writer_fail(struct writer *w, enum writer_result result, const char *format, ...)
{
	va_list args;

	if (w->failed != WRITER_OK)
		return w->failed;
	va_start(args, format);
	vsnprintf(w->error, sizeof(w->error), format, args);
	va_end(args);
	w->failed = result;
	writer_abort(w);
	return result;
}

enum writer_result writer_write_all(struct writer *w)
{
	while (writer_left(w)) {
		ssize_t n = w->sys->write(w->fd, writer_next(w), writer_left(w));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return WRITER_FAILED;
		writer_consume(w, (size_t)n);
	}
	return WRITER_OK;
}

/* Standard output that is a file: its owner is who redirected it, it is written as it comes. */
static enum writer_result plain_flush(struct writer *w)
{
	if (writer_write_all(w) == WRITER_OK)
		return WRITER_OK;
	return writer_fail(w, WRITER_FAILED, "cannot write %s: %s", w->path, strerror(errno));
}

/* Descriptor 1 stays open, but what close(2) has to say of it (a full NFS server) is heard. */
static enum writer_result plain_commit(struct writer *w)
{
	int copy = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || w->sys->close(copy) < 0)
		return writer_fail(w, WRITER_FAILED, "cannot close %s: %s", w->path,
				   strerror(errno));
	return WRITER_OK;
}

static void plain_drop(struct writer *w)
{
	w->fd = -1;
}

/* EINVAL: a device that keeps nothing. */
static enum writer_result plain_sync(struct writer *w)
{
	if (w->sys->fsync(w->fd) == 0 || errno == EINVAL || errno == ENOTSUP)
		return WRITER_OK;
	return writer_fail(w, WRITER_FAILED, "cannot write %s: %s", w->path, strerror(errno));
}

const struct writer_kind writer_plain = {
	.worth = WRITER_CHUNK,
	.flush = plain_flush,
	.sync = plain_sync,
	.commit = plain_commit,
	.drop = plain_drop,
};

/* What is open already, and not ours. */
static enum writer_result open_given(struct writer *w, int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	w->fd = fd;
	w->shared = true;
	w->socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	w->eager = w->socket && flags >= 0 && (flags & O_NONBLOCK);
	w->piece = w->eager ? WRITER_BUFFER : w->socket ? PIPE_BUF : WRITER_CHUNK;
	w->kind = w->socket ? &writer_stream : &writer_plain;
	return WRITER_OK;
}

static enum writer_result open_kind(struct writer *w, const struct writer_options *o)
{
	struct stat st;

	if (!o->path && o->fd > STDERR_FILENO)
		return open_given(w, o->fd);
	if (!o->path || !strcmp(o->path, "/dev/stdout"))
		return writer_stream_stdout(w);
	if (stat(o->path, &st) == 0 && S_ISDIR(st.st_mode))
		return writer_fail(w, WRITER_FAILED, "output '%s' is a folder; name a file in it",
				   w->path);
	if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode))
		return o->resume ? writer_fail(w, WRITER_NOTHING, "--resume: '%s' is no file",
					       w->path)
				 : writer_stream_open(w);
	return o->append ? writer_append_open(w) : writer_file_open(w);
}

struct writer *writer_open_with(const struct writer_options *o, const struct writer_system *sys,
				enum writer_result *result)
{
	struct writer *w = mem_zero(1, sizeof(*w));

	w->sys = sys;
	w->fd = -1;
	w->dir = -1;
	w->next_us = INT64_MAX;
	w->again = o->again;
	w->whole = o->whole;
	w->resumable = o->resumable;
	w->resume = o->resume;
	w->path = mem_strdup(o->path ? o->path : "standard output");
	*result = open_kind(w, o);
	return w;
}

struct writer *writer_open(const struct writer_options *o, enum writer_result *result)
{
	return writer_open_with(o, &real_system, result);
}

const char *writer_error(const struct writer *w)
{
	return w->error;
}

void writer_put_head(struct writer *w, const void *p, size_t len)
{
	if (w->topped)
		return;
	w->topped = true;
	if (w->kind == &writer_append)
		buf_put(&w->top, p, len);
	else
		writer_put(w, p, len);
}

bool writer_lasts(const struct writer *w)
{
	return w->kind == &writer_stream || w->kind == &writer_plain;
}

void writer_put(struct writer *w, const void *p, size_t len)
{
	writer_put_part(w, p, len);
	w->in_record = false;
}

void writer_put_part(struct writer *w, const void *p, size_t len)
{
	if (w->kind) {
		buf_put(&w->buffer, p, len);
		w->octets += len;
	}
	w->in_record = true;
}

void writer_give(struct writer *w, const void *p, size_t len)
{
	size_t taken = w->kind && w->kind->give ? w->kind->give(w, p, len) : 0;

	w->octets += taken;
	writer_put(w, (const uint8_t *)p + taken, len - taken);
	if (w->kind)
		w->through = w->octets - writer_left(w);
}

bool writer_full(const struct writer *w)
{
	return writer_left(w) >= WRITER_BUFFER;
}

bool writer_pending(const struct writer *w)
{
	return writer_left(w) > 0 || (w->held && !w->in_record);
}

uint64_t writer_octets(const struct writer *w)
{
	return w->octets;
}

uint64_t writer_through(const struct writer *w)
{
	return w->through;
}

int writer_fd(const struct writer *w)
{
	return w->kind && w->kind->waits ? w->fd : -1;
}

int64_t writer_next_us(const struct writer *w)
{
	return w->next_us;
}

/* What stands at the beginning of a file that is added to was not put; it is in the buffer only while that is written. */
static enum writer_result note_through(struct writer *w, enum writer_result result)
{
	if (result == WRITER_OK)
		w->through = w->octets - writer_left(w);
	return result;
}

enum writer_result writer_flush(struct writer *w, bool all)
{
	if (w->failed != WRITER_OK)
		return w->failed;
	if (!writer_pending(w) || (!all && !w->held && writer_left(w) < w->kind->worth))
		return WRITER_OK;
	return note_through(w, w->kind->flush(w));
}

bool writer_syncs(const struct writer *w)
{
	return w->kind != NULL && w->kind->sync != NULL;
}

enum writer_result writer_sync(struct writer *w)
{
	if (w->failed != WRITER_OK || !writer_syncs(w))
		return w->failed;
	return w->kind->sync(w);
}

enum writer_result writer_commit(struct writer *w)
{
	enum writer_result result = w->failed;

	if (result == WRITER_OK && (writer_pending(w) || w->in_record))
		return writer_fail(w, WRITER_FAILED, "%s was not written to its end", w->path);
	w->goes_on = false;
	if (result == WRITER_OK)
		result = w->kind->commit(w);
	if (w->goes_on)
		w->octets = w->through = 0;
	else
		writer_abort(w);
	w->topped = false;
	return result;
}

bool writer_goes_on(const struct writer *w)
{
	return w->goes_on;
}

void writer_abort(struct writer *w)
{
	w->goes_on = false;
	if (w->kind)
		w->kind->drop(w);
	w->kind = NULL;
	w->next_us = INT64_MAX;
	buf_free(&w->buffer);
	w->head = 0;
}

void writer_leave(struct writer *w)
{
	w->resume = w->resumable;
	writer_abort(w);
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	writer_abort(w);
	buf_free(&w->top);
	free(w->path);
	free(w->name);
	free(w->temp);
	free(w->journal);
	free(w);
}

/*
 * The writer's other file: whole batches of whole records are added to it, by several runs at once.
 *
 * For each batch FILE is opened, locked, written at its end and closed. It is not kept open: log
 * rotation renames it, another run may replace it, and what is then added to the old one is read by
 * nobody. For that reason the name must still lead to what was locked.
 *
 * What stands at the beginning of a file (a header of columns) is put there under the lock, by whoever
 * finds the file empty: so it is there once, whoever comes first and whoever rotates the file.
 *
 * The lock is waited for without waiting: a try that fails sets the time of the next one, and the loop
 * sleeps until then (F_SETLKW would hold up the master, and with it every worker).
 *
 * The trap: a disk that is full in the middle of a batch. What was written of it is cut off again while
 * the lock is held, else the next run's first line would continue our half one. A record that comes
 * in parts over several flushes keeps the batch open, and FILE locked, until it is whole.
 */
#include "out/writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denied.h"
#include "base/loop.h"

#define LOCK_WAIT_US 20000 /* a batch of another run takes a millisecond or two */

static enum writer_result append_failed(struct writer *w)
{
	char why[DENIED_MAX];

	return writer_fail(w, WRITER_FAILED, "cannot append to '%s': %s", w->path,
			   denied_words(w->path, why));
}

static int open_file(struct writer *w)
{
	w->fd = open(w->path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
	return w->fd;
}

static int close_file(struct writer *w)
{
	int fd = w->fd;

	w->fd = -1;
	return w->sys->close(fd);
}

/* FILE is empty, and the batch is the first that it gets. */
static void put_top(struct writer *w)
{
	struct buf all = {0};

	buf_put(&all, w->top.data, w->top.len);
	buf_put(&all, writer_next(w), writer_left(w));
	buf_free(&w->buffer);
	w->buffer = all;
	w->head = 0;
}

/* Opens and locks FILE: w->held. WRITER_OK without: not now, w->next_us says when. */
static enum writer_result take_file(struct writer *w)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat locked, named;
	bool got;

	if (open_file(w) < 0)
		return append_failed(w);
	got = w->sys->set_lock(w->fd, &lock) == 0;
	if (!got && errno != EACCES && errno != EAGAIN)
		return append_failed(w);
	if (got && fstat(w->fd, &locked) == 0 && stat(w->path, &named) == 0 &&
	    locked.st_dev == named.st_dev && locked.st_ino == named.st_ino) {
		w->next_us = INT64_MAX;
		w->held = true;
		w->batch = locked.st_size;
		if (w->batch == 0 && w->top.len)
			put_top(w);
		return WRITER_OK;
	}
	close_file(w);
	w->next_us = loop_clock_us() + (got ? 0 : LOCK_WAIT_US);
	return WRITER_OK;
}

/* Cuts off what FILE has of the batch. */
static bool take_back(struct writer *w)
{
	w->held = false;
	return w->sys->ftruncate(w->fd, w->batch) == 0;
}

static enum writer_result append_flush(struct writer *w)
{
	enum writer_result result = WRITER_OK;
	int why;

	if (w->next_us != INT64_MAX && loop_clock_us() < w->next_us)
		return WRITER_OK;
	if (!w->held)
		result = take_file(w);
	if (!w->held)
		return result;
	if (writer_write_all(w) == WRITER_OK) {
		if (w->in_record)
			return WRITER_OK;
		w->held = false;
		return close_file(w) < 0 ? append_failed(w) : WRITER_OK;
	}
	why = errno;
	if (!take_back(w))
		return writer_fail(w, WRITER_FAILED,
				   "cannot append to '%s': %s; it now ends in half a record",
				   w->path, strerror(why));
	errno = why;
	return append_failed(w);
}

static enum writer_result append_commit(struct writer *w)
{
	if (open_file(w) < 0 || w->sys->fsync(w->fd) < 0 || close_file(w) < 0)
		return append_failed(w);
	return WRITER_OK;
}

/* Between two batches; in the middle of one it is open, and its end will be synced. */
static enum writer_result append_sync(struct writer *w)
{
	if (w->held)
		return w->sys->fsync(w->fd) < 0 ? append_failed(w) : WRITER_OK;
	return append_commit(w);
}

/* Nobody is left to be told when it cannot be taken back. */
static void append_drop(struct writer *w)
{
	if (w->held)
		take_back(w);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

const struct writer_kind writer_append = {
	.worth = WRITER_CHUNK,
	.flush = append_flush,
	.sync = append_sync,
	.commit = append_commit,
	.drop = append_drop,
};

/* FILE is made now, so that one that cannot be written is found before anything is polled. */
enum writer_result writer_append_open(struct writer *w)
{
	w->kind = &writer_append;
	if (open_file(w) < 0 || close_file(w) < 0)
		return append_failed(w);
	return WRITER_OK;
}

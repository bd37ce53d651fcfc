/*
 * The writer's streams: pipes, terminals, sockets, FIFOs, devices. None of them may stop the master.
 *
 * The obvious way, O_NONBLOCK on descriptor 1, is wrong: that flag belongs to the open file, which the
 * shell, the reader's end of a terminal and all that runs beside us share; the shell's next command
 * would find its terminal non-blocking, and cat(1) would end with EAGAIN. So, by what it is:
 * - A pipe that poll(2) calls writable takes PIPE_BUF octets without waiting (POSIX, write(2)), so
 *   it gets no more than that at a time.
 * - A terminal makes no such promise. It is opened once more under its own name: a new open file, on
 *   which O_NONBLOCK is ours to set.
 * - A socket is told per call, MSG_DONTWAIT, and asked and given little like a pipe all the same: on macOS a send(2) to a
 *   blocking one waits for room whatever it is told.
 * - A socket that was non-blocking when it was given to us is ours (a queue of pool/proc). It gets all there is and is
 *   not asked first: poll(2) calls a local one writable only while three quarters of its room are free.
 * - What -o names, a FIFO or a device, we have opened ourselves.
 *
 * On a terminal something else may stand for a moment: whoever draws it says so (writer_interrupt), and is told
 * not to where our line is not at its end.
 *
 * The trap: EAGAIN can come all the same, when somebody else has made standard output non-blocking or
 * was faster than we between poll and write. It means "later", never a failure.
 */
#include "out/writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/denied.h"
#include "base/terminal.h"

static bool is_ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1; /* an error or a hang-up too: the write then says which */
}

bool writer_interrupt(struct writer *w, const char *eraser)
{
	if (!w->terminal)
		return true;
	if (w->mid_line)
		return false;
	w->eraser = eraser;
	return true;
}

/* It is a few octets: a terminal takes all of them or none. */
static ssize_t erase(struct writer *w)
{
	ssize_t n = w->sys->write(w->fd, w->eraser, strlen(w->eraser));

	if (n >= 0)
		w->eraser = NULL;
	return n < 0 ? n : 0;
}

static ssize_t give_terminal(struct writer *w, size_t len)
{
	ssize_t n = w->eraser ? erase(w) : w->sys->write(w->fd, writer_next(w), len);

	if (n > 0)
		w->mid_line = writer_next(w)[n - 1] != '\n';
	return n;
}

static ssize_t give(struct writer *w)
{
	size_t len = writer_left(w) < w->piece ? writer_left(w) : w->piece;

	if (w->terminal)
		return give_terminal(w, len);

	if (w->socket)
		return send(w->fd, writer_next(w), len, MSG_DONTWAIT);
	return w->sys->write(w->fd, writer_next(w), len);
}

static enum writer_result stream_failed(struct writer *w)
{
	int why = errno;

	if (why == EPIPE || why == ECONNRESET)
		return writer_fail(w, WRITER_CLOSED, "the reader of %s has gone", w->path);
	return writer_fail(w, WRITER_FAILED, "cannot write %s: %s", w->path, strerror(why));
}

static enum writer_result stream_flush(struct writer *w)
{
	while (writer_left(w) && (w->eager || is_ready(w->fd))) {
		ssize_t n = give(w);

		if (n >= 0)
			writer_consume(w, (size_t)n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			return stream_failed(w);
	}
	return WRITER_OK;
}

static enum writer_result stream_commit(struct writer *w)
{
	int fd = w->fd;

	if (w->shared)
		return writer_plain.commit(w);
	w->fd = -1;
	if (w->sys->close(fd) < 0)
		return writer_fail(w, WRITER_FAILED, "cannot close %s: %s", w->path,
				   strerror(errno));
	return WRITER_OK;
}

static void stream_drop(struct writer *w)
{
	if (w->fd >= 0 && !w->shared)
		close(w->fd);
	w->fd = -1;
}

/* Behind what waits already, in one call. */
static size_t stream_give(struct writer *w, const void *p, size_t len)
{
	size_t left = writer_left(w), n;
	struct iovec io[2] = {{left > 0 ? (void *)(uintptr_t)writer_next(w) : NULL, left},
			      {(void *)(uintptr_t)p, len}};
	struct msghdr message = {.msg_iov = io, .msg_iovlen = 2};
	ssize_t went;

	if (!w->eager)
		return 0;
	went = sendmsg(w->fd, &message, MSG_DONTWAIT);
	n = went > 0 ? (size_t)went : 0;
	writer_consume(w, n < left ? n : left);
	return n < left ? 0 : n - left;
}

const struct writer_kind writer_stream = {
	.waits = true,
	.worth = 1,
	.give = stream_give,
	.flush = stream_flush,
	.commit = stream_commit,
	.drop = stream_drop,
};

static void choose_stdout(struct writer *w, mode_t mode)
{
	int own = terminal_reopen(STDOUT_FILENO);
	bool plain = S_ISREG(mode) || S_ISBLK(mode);

	w->kind = plain ? &writer_plain : &writer_stream;
	w->shared = own < 0;
	w->fd = own < 0 ? STDOUT_FILENO : own;
	w->socket = S_ISSOCK(mode);
	w->terminal = isatty(STDOUT_FILENO);
	w->piece = own >= 0 ? WRITER_CHUNK : PIPE_BUF;
	if (S_ISCHR(mode) && !isatty(STDOUT_FILENO)) /* /dev/null, /dev/full: they never wait */
		w->piece = WRITER_CHUNK;
}

enum writer_result writer_stream_stdout(struct writer *w)
{
	struct stat st;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags < 0 || fstat(STDOUT_FILENO, &st) < 0)
		return writer_fail(w, WRITER_FAILED,
				   "standard output is closed; redirect it or name a file with -o");
	if ((flags & O_ACCMODE) == O_RDONLY)
		return writer_fail(w, WRITER_FAILED,
				   "standard output is closed, or open for reading only; "
				   "redirect it or name a file with -o");
	choose_stdout(w, st.st_mode);
	return WRITER_OK;
}

enum writer_result writer_stream_open(struct writer *w)
{
	char why[DENIED_MAX];

	w->fd = open(w->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (w->fd < 0)
		return writer_fail(w, WRITER_FAILED, "cannot write to '%s': %s", w->path,
				   denied_words(w->path, why));
	fcntl(w->fd, F_SETFL, O_NONBLOCK);
	w->terminal = isatty(w->fd);
	w->kind = &writer_stream;
	w->piece = WRITER_CHUNK;
	return WRITER_OK;
}

/*
 * Octets that have to wait.
 *
 * The problem: a walk of a million rows is one record, it arrives in frames, and it may be written only as a
 * whole, since the worker that sends it may die in the middle. Thousands of such records may be under
 * way while the master's memory stays bounded (DESIGN.md, invariant 2).
 *
 * What is put is one run of octets: its older part lies in the file, its newer part, up to the bound,
 * in memory. When the memory is full all of it moves to the end of the file. Most spools never come to
 * that and cost no system call. The file has no name from the moment it is made: whatever happens
 * to the process, nothing stays behind. It is closed on exec and seen by nobody.
 *
 * The trap: a disk that is full in the middle of a write. The file is written by place (pwrite), and its
 * length counts only when all is there; a failed put changes nothing and may be tried again.
 */
#include "out/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct spool {
	struct buf memory; /* the newer part; at most memory_max octets */
	size_t memory_max;
	int fd;           /* -1: no file yet */
	uint64_t in_file; /* octets in the file, all older than those in memory */
	uint64_t read;    /* octets handed out */
};

struct spool *spool_new(size_t memory_max)
{
	struct spool *s = mem_zero(1, sizeof(*s));

	s->memory_max = memory_max;
	s->fd = -1;
	return s;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->memory);
	free(s);
}

/* A file without a name; -1: errno. */
static int open_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	struct buf path = {0};
	int fd, saved;

	buf_puts(&path, folder && *folder ? folder : "/tmp");
	buf_put(&path, "/multisnmp-XXXXXX", sizeof("/multisnmp-XXXXXX")); /* and its NUL */
	fd = mkstemp((char *)path.data);
	saved = errno;
	if (fd >= 0) {
		unlink((char *)path.data);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	buf_free(&path);
	errno = saved;
	return fd;
}

static bool append(struct spool *s, const uint8_t *p, size_t len)
{
	uint64_t at = s->in_file;

	if (s->fd < 0)
		s->fd = open_nameless();
	if (s->fd < 0)
		return false;
	while (len) {
		ssize_t n = pwrite(s->fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	s->in_file = at;
	return true;
}

bool spool_put(struct spool *s, const void *p, size_t len)
{
	if (len <= s->memory_max - s->memory.len) {
		buf_put(&s->memory, p, len);
		return true;
	}
	if (!append(s, s->memory.data, s->memory.len))
		return false;
	s->memory.len = 0;
	if (len > s->memory_max)
		return append(s, p, len);
	buf_put(&s->memory, p, len);
	return true;
}

uint64_t spool_size(const struct spool *s)
{
	return s->in_file + s->memory.len;
}

static ptrdiff_t read_file(struct spool *s, void *p, size_t len)
{
	uint64_t left = s->in_file - s->read;
	ssize_t n;

	if (len > left)
		len = (size_t)left;
	do {
		n = pread(s->fd, p, len, (off_t)s->read);
	} while (n < 0 && errno == EINTR);
	if (n == 0) { /* somebody has cut it: never an end, which would make half a record whole */
		errno = EIO;
		return -1;
	}
	if (n > 0)
		s->read += (uint64_t)n;
	return n;
}

ptrdiff_t spool_read(struct spool *s, void *p, size_t len)
{
	size_t left;

	if (s->read < s->in_file && len)
		return read_file(s, p, len);
	left = (size_t)(spool_size(s) - s->read);
	if (len > left)
		len = left;
	if (!len)
		return 0;
	memcpy(p, s->memory.data + (s->read - s->in_file), len);
	s->read += len;
	return (ptrdiff_t)len;
}

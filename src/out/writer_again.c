/*
 * The writer's file, round after round: put in its place, and begun anew, without a moment in which it is nobody's.
 *
 * The problem: the lock lies on the temporary file, whose name goes when it is renamed to FILE. Until the next one is
 * made and locked another run may come first, take FILE, and the service has lost a round; on a busy machine, or
 * while metrics are written to a slow disk, that is long.
 *
 * The design: what was written gets a second name, the next file is made and locked under a third one, and is renamed
 * over the temporary name; only then what was written becomes FILE. So the temporary name leads to a file with our
 * lock all the time, first this, then that.
 *
 * Rejected: a file for the lock alone, which would lie about for ever; a lock on FILE, which its readers may lock, too;
 * exchanging two names (renameat2), which few systems have.
 *
 * The traps: who is killed in between leaves those names, so whoever has the lock next removes them. There are file
 * systems without a second name of a file; and FILE may meanwhile be another one, its folder have been moved away or its
 * link be bent. Then all is as without this: renamed here, and opened by the caller.
 */
#include "out/writer_again.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT ".next" /* behind the temporary name: what will have it */
#define DONE ".done" /* what had it */

static char *name_beside(const char *temp, const char *what)
{
	struct buf name = {0};

	buf_printf(&name, "%s%s", temp, what);
	buf_putc(&name, '\0');
	return (char *)name.data;
}

static void remove_beside(int dir, const char *temp, const char *what)
{
	char *name = name_beside(temp, what);

	unlinkat(dir, name, 0);
	free(name);
}

void writer_again_clean(const struct writer *w)
{
	remove_beside(w->dir, w->temp, NEXT);
	remove_beside(w->dir, w->temp, DONE);
}

/* FILE's name leads where it led when it was opened. */
static bool same_place(const struct writer *w)
{
	char *path = writer_file_target(w->path);
	char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;
	const char *folder = slash == NULL ? "." : slash == path ? "/" : path;
	struct stat now, then;
	bool same = path != NULL && strcmp(name, w->name) == 0;

	if (slash != NULL)
		*slash = '\0';
	same = same && stat(folder, &now) == 0 && fstat(w->dir, &then) == 0 &&
	       now.st_dev == then.st_dev && now.st_ino == then.st_ino;
	free(path);
	return same;
}

/* The next file, locked, under the temporary name; -1: there is none, and the name leads where it did. */
static int next_open(struct writer *w)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *next = name_beside(w->temp, NEXT);
	int fd = w->sys->open(w->dir, next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);

	if (fd >= 0 && (w->sys->set_lock(fd, &lock) < 0 ||
			w->sys->renameat(w->dir, next, w->dir, w->temp) < 0)) {
		unlinkat(w->dir, next, 0);
		close(fd);
		fd = -1;
	}
	free(next);
	return fd;
}

/* From here on there is no way back: what was written has no other name than `done`. */
static void done_commit(struct writer *w, int next, const char *done)
{
	int fd = w->fd, error;

	w->fd = next;
	if (w->sys->renameat(w->dir, done, w->dir, w->name) < 0) {
		error = errno;
		unlinkat(w->dir, done, 0);
		close(fd);
		writer_fail(w, WRITER_FAILED,
			    "cannot rename the new '%s': %s; the old file is as it was", w->path,
			    strerror(error));
	} else if (w->sys->close(fd) < 0) {
		writer_fail(w, WRITER_FAILED, "cannot close '%s': %s", w->path, strerror(errno));
	} else if (w->sys->fsync(w->dir) < 0 && errno != EINVAL) { /* as in writer_file.c */
		writer_fail(w, WRITER_FAILED, "cannot sync the folder of '%s': %s", w->path,
			    strerror(errno));
	}
	w->goes_on = w->failed == WRITER_OK;
}

bool writer_again(struct writer *w)
{
	char *done;
	int next = -1;

	if (w->resumable || !same_place(w))
		return false;
	done = name_beside(w->temp, DONE);
	if (linkat(w->dir, w->temp, w->dir, done, 0) == 0) {
		next = next_open(w);
		if (next < 0)
			unlinkat(w->dir, done, 0);
	}
	if (next >= 0)
		done_commit(w, next, done);
	free(done);
	return next >= 0;
}

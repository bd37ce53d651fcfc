/*
 * The writer's file: replaced as a whole or left as it was.
 *
 * Everything goes to `.NAME.multisnmp` beside FILE, is fsynced and renamed over it. The temporary file's
 * name is fixed, so that it is the lock against a second run as well, and what a killed run leaves
 * behind is found and used again instead of piling up.
 *
 * The lock is fcntl(F_SETLK), which names its holder and is not inherited: a flock(2) would be kept by
 * forked workers after the master's death. It has two traps. Any close of the file in this process
 * drops it. And it is on the file, not on the name: between our open and our lock the holder may have
 * renamed what we opened to FILE; we would then truncate the result of its run. So after locking the name
 * must still lead to what is locked, else again.
 *
 * For the same reason the rename comes before the close, not after it: with the close the lock goes, and
 * another run could open the temporary file and empty it before it is renamed. Nothing is lost by that: fsync has
 * reported what a close could.
 *
 * A file found under the temporary name that is not plainly ours (another owner, a second link to it: both
 * can be set up by others in a shared folder) is not written to; the name is taken off it. What we have
 * made ourselves is ours whatever its owner looks like: shared file systems map owners as they please.
 *
 * What a run over a broker left behind can be taken up (--resume): beside it lies a journal of what is good of it.
 * The temporary file's lock is the lock of both, so the journal is read only under it, and goes before the file that it
 * speaks of is emptied, whoever does that: a journal must never lie beside another run's file.
 */
#include "out/writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denied.h"
#include "out/writer_again.h"

#define LINKS_MAX 40  /* symbolic links followed, as the kernel does */
#define TAKES_MAX 100 /* times that the temporary file may change under our hands */

static enum writer_result file_failed(struct writer *w, const char *what)
{
	return writer_fail(w, WRITER_FAILED,
			   "cannot %s the new '%s': %s; the old file is as it was", what, w->path,
			   strerror(errno));
}

static enum writer_result file_flush(struct writer *w)
{
	return writer_write_all(w) == WRITER_OK ? WRITER_OK : file_failed(w, "write");
}

/* The mode of the file that is replaced, and for root its owner; else what open(2) would give. */
static int take_mode(struct writer *w)
{
	struct stat old;
	mode_t mask;

	if (fstatat(w->dir, w->name, &old, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(old.st_mode)) {
		mask = umask(0);
		umask(mask);
		return fchmod(w->fd, 0666 & ~mask);
	}
	if (geteuid() == 0 && fchown(w->fd, old.st_uid, old.st_gid) < 0)
		return -1;
	return fchmod(w->fd, old.st_mode & 0777);
}

static enum writer_result file_commit(struct writer *w)
{
	int fd = w->fd;

	if (take_mode(w) < 0)
		return file_failed(w, "set the mode of");
	if (w->sys->fsync(w->fd) < 0)
		return file_failed(w, "write");
	if (w->again && writer_again(w))
		return w->failed;
	if (w->sys->renameat(w->dir, w->temp, w->dir, w->name) < 0)
		return file_failed(w, "rename");
	free(w->temp); /* from here on that name may be another run's */
	w->temp = NULL;
	w->fd = -1;
	if (w->sys->close(fd) < 0)
		return writer_fail(w, WRITER_FAILED, "cannot close '%s': %s", w->path,
				   strerror(errno));
	if (!w->again && w->sys->fsync(w->dir) < 0 &&
	    errno != EINVAL) /* EINVAL: not for folders of this kind */
		return writer_fail(w, WRITER_FAILED, "cannot sync the folder of '%s': %s", w->path,
				   strerror(errno));
	return WRITER_OK;
}

static enum writer_result file_sync(struct writer *w)
{
	return w->sys->fsync(w->fd) < 0 ? file_failed(w, "write") : WRITER_OK;
}

static void file_drop(struct writer *w)
{
	bool stays = w->resume || (w->resumable && w->failed == WRITER_FAILED);

	if (w->temp && !stays)
		unlinkat(w->dir, w->temp, 0); /* while it is locked */
	free(w->temp);
	w->temp = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	if (w->dir >= 0)
		close(w->dir);
	w->dir = -1;
}

const struct writer_kind writer_file = {
	.worth = WRITER_CHUNK,
	.flush = file_flush,
	.sync = file_sync,
	.commit = file_commit,
	.drop = file_drop,
};

/* Where the symbolic link `path` leads, one step; NULL: it is none (or cannot be read). */
static char *follow(const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));
	const char *slash = strrchr(path, '/');
	struct buf joined = {0};

	if (len <= 0 || len == (ssize_t)sizeof(target))
		return NULL;
	if (target[0] != '/' && slash)
		buf_put(&joined, path, (size_t)(slash - path) + 1);
	buf_put(&joined, target, (size_t)len);
	buf_putc(&joined, '\0');
	return (char *)joined.data;
}

char *writer_file_target(const char *path)
{
	char *at = mem_strdup(path);

	for (int links = 0; links < LINKS_MAX; links++) {
		char *next = follow(at);

		if (!next)
			return at;
		free(at);
		at = next;
	}
	free(at);
	return NULL;
}

static enum writer_result folder_failed(struct writer *w, const char *folder)
{
	char why[DENIED_MAX];
	const char *append = w->whole ? "" : ", or use --append if the file itself is writable";
	bool missing = errno == ENOENT;

	return writer_fail(w, WRITER_FAILED,
			   "cannot write in folder '%s': %s; '%s' is made there under another name "
			   "first: %s%s",
			   folder, denied_words(folder, why), w->path,
			   missing ? "create the folder first"
				   : "make the folder writable, or name another file",
			   missing ? "" : append);
}

/* The process that holds the lock on fd; 0: nobody any more; -1: one of another machine. */
static pid_t holder(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -1;
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

/* WRITER_OK with the lock, or with w->fd closed when it is worth another try. */
static enum writer_result lock_temp(struct writer *w)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t pid;

	if (w->sys->set_lock(w->fd, &lock) == 0)
		return WRITER_OK;
	if (errno != EACCES && errno != EAGAIN)
		return writer_fail(w, WRITER_FAILED, "cannot lock '%s': %s", w->path,
				   strerror(errno));
	pid = holder(w->fd);
	close(w->fd);
	w->fd = -1;
	if (pid > 0)
		return writer_fail(w, WRITER_LOCKED, "output '%s' is being written by process %ld",
				   w->path, (long)pid);
	if (pid < 0)
		return writer_fail(w, WRITER_LOCKED, "output '%s' is being written by another run",
				   w->path);
	return WRITER_OK;
}

/* Whether what is locked still has its name, and is a file of ours alone. One that is not ours loses
 * the name. False: w->fd is closed, again. */
static bool is_ours(struct writer *w, const char *temp, bool made)
{
	struct stat locked = {0}, named;
	bool there = fstat(w->fd, &locked) == 0 &&
		     fstatat(w->dir, temp, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		     locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
	bool ours = made ||
		    (S_ISREG(locked.st_mode) && locked.st_nlink == 1 && locked.st_uid == geteuid());

	if (there && ours)
		return true;
	if (there)
		unlinkat(w->dir, temp, 0);
	close(w->fd);
	w->fd = -1;
	return false;
}

/* Makes the temporary file, or opens the one that is there. False: errno, ENOENT is worth another try. */
static bool open_temp(struct writer *w, const char *temp, bool *made)
{
	errno = EEXIST;
	if (!w->resume)
		w->fd = w->sys->open(w->dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
	*made = w->fd >= 0;
	if (w->fd < 0 && errno == EEXIST)
		w->fd = w->sys->open(w->dir, temp, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return w->fd >= 0;
}

static enum writer_result temp_failed(struct writer *w, const char *folder, const char *temp)
{
	struct stat st;
	int why = errno;
	bool there = fstatat(w->dir, temp, &st, AT_SYMLINK_NOFOLLOW) == 0;

	errno = why;
	if (!there)
		return folder_failed(w, folder);
	return writer_fail(
		w, WRITER_FAILED,
		"cannot use '%s' in folder '%s' for the new '%s': %s; remove it if no other user's "
		"run is at work on it",
		temp, folder, w->path, strerror(why));
}

static enum writer_result nothing_to_resume(struct writer *w)
{
	return writer_fail(w, WRITER_NOTHING,
			   "--resume: there is nothing to resume: no run over a broker died "
			   "while it wrote '%s'; leave --resume out",
			   w->path);
}

static const char *journal_name(const struct writer *w)
{
	return strrchr(w->journal, '/') + 1;
}

/* The temporary file is ours now. A dead run's is as good as a new one, once its journal is gone. */
static enum writer_result empty_temp(struct writer *w, bool made)
{
	if (w->resume)
		return WRITER_OK;
	writer_again_clean(w);
	if (unlinkat(w->dir, journal_name(w), 0) == 0)
		w->remains = !made;
	else if (errno != ENOENT)
		return file_failed(w, "remove the journal beside");
	return w->sys->ftruncate(w->fd, 0) < 0 ? file_failed(w, "empty") : WRITER_OK;
}

/* Opens, locks and empties the temporary file. */
static enum writer_result take_temp(struct writer *w, const char *folder, const char *temp)
{
	for (int takes = 0; takes < TAKES_MAX; takes++) {
		enum writer_result result;
		bool made;

		if (!open_temp(w, temp, &made) && errno == ENOENT && w->resume)
			return nothing_to_resume(w);
		if (w->fd < 0 && errno == ENOENT)
			continue; /* the holder has just renamed it */
		if (w->fd < 0)
			return temp_failed(w, folder, temp);
		result = lock_temp(w);
		if (result != WRITER_OK)
			return result;
		if (w->fd < 0 || !is_ours(w, temp, made))
			continue;
		w->temp = mem_strdup(temp);
		return empty_temp(w, made);
	}
	return writer_fail(w, WRITER_FAILED, "'%s' in folder '%s' keeps changing hands", temp,
			   folder);
}

/* Opens the folder of `path`, which it takes apart, and the temporary file in it. */
static enum writer_result open_beside(struct writer *w, char *path, struct buf *temp)
{
	char *slash = strrchr(path, '/');
	const char *folder = !slash ? "." : slash == path ? "/" : path;
	struct buf journal = {0};

	if (slash)
		*slash = '\0';
	w->name = mem_strdup(slash ? slash + 1 : path);
	if (!*w->name)
		return writer_fail(w, WRITER_FAILED, "output '%s' names no file", w->path);
	w->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir < 0)
		return folder_failed(w, folder);
	buf_printf(temp, ".%s.multisnmp", w->name);
	buf_putc(temp, '\0');
	buf_printf(&journal, "%s/%s.run", folder, (const char *)temp->data);
	buf_putc(&journal, '\0');
	w->journal = (char *)journal.data;
	return take_temp(w, folder, (const char *)temp->data);
}

enum writer_result writer_file_open(struct writer *w)
{
	char *path = writer_file_target(w->path);
	struct buf temp = {0};
	enum writer_result result;

	if (!path)
		return writer_fail(w, WRITER_FAILED, "output '%s': %s", w->path, strerror(ELOOP));
	w->kind = &writer_file;
	result = open_beside(w, path, &temp);
	if (result == WRITER_OK && w->again && w->sys->fsync(w->dir) < 0 && errno != EINVAL)
		result = writer_fail(w, WRITER_FAILED, "cannot sync the folder of '%s': %s",
				     w->path, strerror(errno));
	buf_free(&temp);
	free(path);
	return result;
}

const char *writer_journal(const struct writer *w)
{
	return w->resumable ? w->journal : NULL;
}

bool writer_found_remains(const struct writer *w)
{
	return w->remains;
}

enum writer_result writer_keep(struct writer *w, uint64_t octets)
{
	struct stat st;

	if (w->failed != WRITER_OK)
		return w->failed;
	if (fstat(w->fd, &st) < 0)
		return file_failed(w, "read");
	if ((uint64_t)st.st_size < octets) {
		writer_fail(w, WRITER_NOTHING,
			    "--resume: the file of the run that died is shorter than its journal "
			    "says; leave --resume out to begin anew ('%s')",
			    w->path);
		return w->failed;
	}
	w->resume = false;
	if (w->sys->ftruncate(w->fd, (off_t)octets) < 0 ||
	    lseek(w->fd, (off_t)octets, SEEK_SET) < 0)
		return file_failed(w, "cut");
	w->octets = w->through = octets;
	w->topped = octets > 0;
	return WRITER_OK;
}

/*
 * How far a run over a broker has come, on disk.
 *
 * The problem: a master that dies after it has acknowledged results must not ask for them again, for nobody has them but
 * its temporary file; and must not believe in octets of that file that never reached the disk. So there is a second file that
 * says how much of the first one is good and whose records these are. It is written when the first one is synced, and
 * only then are the results acknowledged: whatever dies in between leaves octets that nobody vouches for, which are cut
 * off, and results that come again.
 *
 * It only grows, an entry for each group, so an entry costs one write and one sync. What a crash leaves at its end is told
 * from an entry by length and checksum, and is written over. Rejected: a map of all tasks that is written anew each time (125 KB
 * for a million, at each group); and reading the run's own output for who has a record, which has no form of its own.
 *
 * The trap: the file is read by the next run, which may be asked for something else. The head has a hash of what matters;
 * an old entry behind the end of a new journal does not fit, for each checksum begins with the one before.
 */
#include "link/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denied.h"

struct journal {
	const struct journal_system *sys;
	char *path;
	int fd;
	uint64_t size;     /* octets of whole entries */
	uint64_t checksum; /* of the last one */
	bool broken;       /* an entry could not be written: there may be half of it */
	struct buf entry;  /* the one that is being made, with its frame */
	uint64_t *room;    /* twice JOURNAL_SEQS: to put an entry's in order */
};

static const struct journal_system real_system = {write, fsync};

static struct journal *journal_make(const char *path, const struct journal_system *sys)
{
	struct journal *j = mem_zero(1, sizeof(*j));

	j->sys = sys;
	j->path = mem_strdup(path);
	j->fd = -1;
	j->checksum = JOURNAL_SEED;
	j->room = mem_alloc((size_t)2 * JOURNAL_SEQS * sizeof(*j->room));
	return j;
}

void journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	buf_free(&j->entry);
	free(j->room);
	free(j->path);
	free(j);
}

void journal_end(struct journal *j)
{
	unlink(j->path);
	journal_free(j);
}

uint64_t journal_size(const struct journal *j)
{
	return j->size;
}

/* --- writing ------------------------------------------------------------------------------- */

static bool write_all(struct journal *j, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = j->sys->write(j->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void entry_begin(struct journal *j)
{
	j->entry.len = 0;
	buf_room(&j->entry, JOURNAL_FRAME);
	j->entry.len = JOURNAL_FRAME;
}

static bool entry_write(struct journal *j)
{
	struct wire_out w = {.at = j->entry.data, .end = j->entry.data + JOURNAL_FRAME};
	size_t len = j->entry.len - JOURNAL_FRAME;
	uint64_t checksum = journal_checksum(j->checksum, j->entry.data + JOURNAL_FRAME, len);

	wire_put_u32(&w, (uint32_t)len);
	wire_put_u64(&w, checksum);
	if (!write_all(j, j->entry.data, j->entry.len)) {
		j->broken = true;
		return false;
	}
	j->checksum = checksum;
	j->size += j->entry.len;
	return true;
}

static bool journal_sync(struct journal *j)
{
	j->broken |= j->sys->fsync(j->fd) < 0;
	return !j->broken;
}

bool journal_put(struct journal *j, const struct journal_sums *sums, const uint64_t *seqs, size_t n)
{
	if (j->broken) {
		errno = EIO;
		return false;
	}
	do {
		size_t some = n < JOURNAL_SEQS ? n : JOURNAL_SEQS;

		entry_begin(j);
		journal_entry_pack(sums, journal_sort(seqs, some, j->room), some, &j->entry);
		if (!entry_write(j))
			return false;
		seqs += some;
		n -= some;
	} while (n > 0);
	return journal_sync(j);
}

/* --- a new one ----------------------------------------------------------------------------- */

/* Its name is on disk, too. */
static bool sync_folder(const struct journal *j)
{
	char *folder = mem_strdup(j->path), *slash = strrchr(folder, '/');
	int fd, result;

	if (slash != NULL)
		slash[slash == folder] = '\0';
	fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = fd < 0 ? -1 : j->sys->fsync(fd);
	if (result < 0 && fd >= 0 && errno == EINVAL) /* not for folders of this kind */
		result = 0;
	if (fd >= 0)
		close(fd);
	free(folder);
	return result == 0;
}

static bool journal_create(struct journal *j, const struct journal_head *h)
{
	if (unlink(j->path) < 0 && errno != ENOENT)
		return false;
	j->fd = open(j->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->fd < 0)
		return false;
	entry_begin(j);
	journal_head_pack(h, &j->entry);
	return entry_write(j) && journal_sync(j) && sync_folder(j);
}

struct journal *journal_new_with(const char *path, const struct journal_head *h,
				 const struct journal_system *sys, char error[JOURNAL_ERROR_MAX])
{
	struct journal *j = journal_make(path, sys);
	char why[DENIED_MAX];

	if (journal_create(j, h))
		return j;
	snprintf(error, JOURNAL_ERROR_MAX, "cannot keep the run's journal '%s': %s", path,
		 denied_words(path, why));
	if (j->fd >= 0)
		unlink(path);
	journal_free(j);
	return NULL;
}

struct journal *journal_new(const char *path, const struct journal_head *h,
			    char error[JOURNAL_ERROR_MAX])
{
	return journal_new_with(path, h, &real_system, error);
}

/* --- a dead run's -------------------------------------------------------------------------- */

/* What others have put there is none. False: errno. */
static bool journal_find(struct journal *j)
{
	struct stat st;

	j->fd = open(j->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (j->fd < 0 || fstat(j->fd, &st) < 0)
		return false;
	errno = EPERM;
	return S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == geteuid();
}

static bool read_all(struct journal *j, uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = read(j->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* The next entry, without its frame. False: there is no whole one. */
static bool entry_read(struct journal *j)
{
	uint8_t frame[JOURNAL_FRAME];
	struct wire_in r = {.at = frame, .end = frame + sizeof(frame)};
	uint64_t checksum;
	uint32_t len;

	j->entry.len = 0;
	if (!read_all(j, frame, sizeof(frame)))
		return false;
	len = wire_get_u32(&r);
	checksum = wire_get_u64(&r);
	if (len > JOURNAL_ENTRY_MAX || !read_all(j, buf_room(&j->entry, len), len) ||
	    journal_checksum(j->checksum, j->entry.data, len) != checksum)
		return false;
	j->entry.len = len;
	return true;
}

static void entry_taken(struct journal *j)
{
	j->checksum = journal_checksum(j->checksum, j->entry.data, j->entry.len);
	j->size += JOURNAL_FRAME + j->entry.len;
}

static bool journal_read(struct journal *j, struct journal_head *h, struct journal_sums *sums,
			 const struct journal_reader *r, char error[JOURNAL_ERROR_MAX])
{
	*sums = (struct journal_sums){0};
	if (!entry_read(j))
		j->entry.len = 0; /* it died before it had begun */
	if (!journal_head_take(h, j->entry.data, j->entry.len, error))
		return false;
	entry_taken(j);
	while (entry_read(j) && journal_entry_take(j->entry.data, j->entry.len, h->tasks, sums, r))
		entry_taken(j);
	if (ftruncate(j->fd, (off_t)j->size) == 0 && lseek(j->fd, (off_t)j->size, SEEK_SET) >= 0)
		return true;
	snprintf(error, JOURNAL_ERROR_MAX, "cannot cut the journal '%s': %s", j->path,
		 strerror(errno));
	return false;
}

struct journal *journal_resume(const char *path, struct journal_head *h, struct journal_sums *sums,
			       const struct journal_reader *r, char error[JOURNAL_ERROR_MAX])
{
	struct journal *j = journal_make(path, &real_system);
	char why[DENIED_MAX];

	if (!journal_find(j))
		snprintf(error, JOURNAL_ERROR_MAX,
			 "--resume: cannot read the journal '%s' of the run that died: %s; leave "
			 "--resume out to begin anew",
			 path, denied_words(path, why));
	else if (journal_read(j, h, sums, r, error))
		return j;
	journal_free(j);
	return NULL;
}

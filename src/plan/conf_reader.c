/*
 * The octets of a file, as far as they are text.
 *
 * The problem: what is not UTF-8, a NUL or a control character has a place in the file, and libyaml
 * gives only an offset in octets for it. So all is checked here, where lines and columns are counted,
 * before libyaml sees it: it then meets text only, and its own errors all have a line and a column.
 *
 * What was right before the first wrong octet is still handed out, so that the mistakes in it are
 * told together with it.
 *
 * A file is never held as a whole: memory is one buffer. READER_MAX bounds what a mistaken path (a
 * disk image, a device) can cost in time.
 */
#include "plan/conf_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denied.h"
#include "base/utf8.h"
#include "plan/conf_internal.h"

#define READER_MAX ((uint64_t)256 * 1024 * 1024) /* octets: some ten million entries */
#define FILES_MAX  1000                          /* a number of 16 bits, and nobody's intent */

static bool fail(struct reader *r, const char *what)
{
	conf_error(r->conf, r->at, "%s", what);
	r->ended = r->failed = true;
	return false;
}

static bool fail_whole(struct reader *r, const char *what)
{
	r->at.line = 0;
	return fail(r, what);
}

static uint16_t add_file(struct conf *c, const char *path)
{
	struct conf_file *file;

	c->files = mem_resize(c->files, c->nfiles + 1, sizeof(*c->files));
	file = &c->files[c->nfiles];
	*file = (struct conf_file){.path = arena_text(&c->arena, path, strlen(path))};
	return (uint16_t)c->nfiles++;
}

static bool open_stdin(struct reader *r)
{
	if (r->conf->stdin_used)
		return fail_whole(r, "standard input is read for two files");
	r->conf->stdin_used = true;
	if (!reread_stdin(r->conf->reread))
		return fail_whole(r, "standard input cannot be read again: name a file");
	r->fd = dup(STDIN_FILENO);
	return true;
}

bool reader_open(struct reader *r, struct conf *c, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	char why[DENIED_MAX];
	struct stat st;

	*r = (struct reader){.conf = c, .fd = -1};
	if (c->nfiles == FILES_MAX) {
		conf_error(c, CONF_COMMAND_LINE, "more than %d files", FILES_MAX);
		return false;
	}
	r->at = (struct conf_place){1, 1, add_file(c, standard ? "standard input" : path)};
	if (standard && !open_stdin(r))
		return false;
	if (!standard && reread_is_spent(c->reread, path))
		return fail_whole(r, "a pipe cannot be read again: name a file");
	if (!standard)
		r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &st) < 0)
		return fail_whole(r, denied_words(path, why));
	r->everyone = S_ISREG(st.st_mode) && (st.st_mode & S_IROTH);
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > READER_MAX)
		return fail_whole(r, "larger than 256 MiB");
	return true;
}

void reader_close(struct reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	mem_wipe(r->buffer, sizeof(r->buffer));
}

/* YAML 1.1 §5.1.1, less what only UTF-16 has. */
static bool is_text(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return code < 0x7f || code == 0x85 || (code >= 0xa0 && (code & 0xfffe) != 0xfffe);
}

/* Counts the character that was just found good. */
static void advance(struct reader *r, uint32_t code)
{
	bool second = code == '\n' && r->after_cr;

	r->after_cr = code == '\r';
	if (second)
		return;
	if (code == '\n' || code == '\r') {
		r->at.line++;
		r->at.column = 1;
	} else if (r->at.column < UINT16_MAX) {
		r->at.column++;
	}
}

/* Moves r->checked over what is good; a character cut off at the end of the buffer waits. */
static void check(struct reader *r, bool at_end)
{
	while (r->checked < r->len) {
		size_t left = r->len - r->checked;
		uint32_t code;
		size_t n = utf8_decode(r->buffer + r->checked, left, &code);

		if (!n && left < 4 && !at_end)
			return;
		if (!n)
			fail(r, "not UTF-8");
		else if (!code)
			fail(r, "a NUL octet: this is not a text file");
		else if (!is_text(code))
			fail(r, "a control character");
		if (r->failed)
			return;
		advance(r, code);
		r->checked += n;
	}
}

static void take_off_mark(struct reader *r)
{
	if (r->len >= 3 && memcmp(r->buffer, "\xef\xbb\xbf", 3) == 0)
		r->from = r->checked = 3;
}

static void fill(struct reader *r)
{
	bool first = r->total == 0;
	ssize_t n;

	r->len -= r->checked;
	memmove(r->buffer, r->buffer + r->checked, r->len);
	r->from = r->checked = 0;
	do {
		n = read(r->fd, r->buffer + r->len, sizeof(r->buffer) - r->len);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		fail_whole(r, strerror(errno));
		return;
	}
	r->total += (uint64_t)n;
	if (r->total > READER_MAX) {
		fail(r, "larger than 256 MiB");
		return;
	}
	r->len += (size_t)n;
	r->ended = n == 0;
	if (first)
		take_off_mark(r);
	check(r, r->ended);
}

size_t reader_read(struct reader *r, uint8_t *out, size_t max)
{
	size_t n;

	while (r->from == r->checked && !r->ended)
		fill(r);
	n = r->checked - r->from;
	if (n > max)
		n = max;
	memcpy(out, r->buffer + r->from, n);
	r->from += n;
	return n;
}

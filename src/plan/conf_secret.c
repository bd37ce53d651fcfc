/*
 * Secrets: where they come from, and how they go.
 *
 * The problem: a community or a passphrase stands in a file, in the environment or in argv; all of these can be
 * read by others while the program runs (/proc/PID/environ, ps), and what was read stays in the memory of
 * each process that is forked. So each secret is copied once, to memory that holds nothing else and is
 * wiped as a whole before the first fork; and a variable of the environment is overwritten where the system
 * shows it, and taken out, as soon as it was read. The next key that names it finds the copy.
 *
 * A path is relative to the folder of the file that it stands in: a configuration can be moved, and a
 * service started from elsewhere reads the same. A name without a folder is looked for in systemd's
 * $CREDENTIALS_DIRECTORY first (systemd.exec(5), LoadCredential=), which only the service can read, and whose
 * path no configuration can know.
 *
 * Rejected: reading a secret when it is needed. It would be read by workers, long after the errors were
 * told, and from a file that may have changed.
 *
 * Who reads the configuration again finds what is gone by then in reread.c.
 *
 * The trap: what is read from a secret's file or environment must never stand in an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denied.h"
#include "plan/conf_internal.h"
#include "plan/who.h"

#define SECRET_MAX 4096 /* octets of a secret's file; more is a mistaken path */

static const char *name_of(const struct conf_word *w)
{
	return w->name ? w->name : setting_text(w->key);
}

/* Reads all of fd into out, which has room for SECRET_MAX + 1. -1: errno says why. */
static ssize_t read_all(int fd, char *out)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, out + len, SECRET_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		len += (size_t)n;
	} while (n && len <= SECRET_MAX);
	return (ssize_t)len;
}

static void warn_if_everyone_reads(struct conf *c, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH))
		conf_warning(c, "%s: holds a secret and is readable by everyone: chmod o-r it",
			     path);
}

/* Where one of systemd's credentials would be, for free(3); NULL: it can be none. */
static char *credential_path(const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	struct buf path = {0};

	if (!folder || !*folder || strchr(name, '/'))
		return NULL;
	buf_printf(&path, "%s/%s", folder, name);
	buf_putc(&path, '\0');
	return (char *)path.data;
}

/* -1: there is none of that name. */
static int open_credential(const char *name)
{
	char *path = credential_path(name);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	free(path);
	return fd;
}

const char *conf_secret_path(struct conf *c, uint16_t file, const char *path)
{
	char *credential = credential_path(path);
	const char *found = path;
	uint16_t from = file;

	if (credential && access(credential, F_OK) == 0) {
		found = credential;
		from = 0;
	}
	found = conf_path(c, from, found);
	free(credential);
	return found;
}

/* The content of a file less its last newline. NULL: told. */
static char *from_file(struct conf *c, const struct conf_word *w)
{
	const char *path = conf_path(c, w->place.file, w->text);
	char content[SECRET_MAX + 1];
	char why[DENIED_MAX];
	char *text = NULL;
	int fd = open_credential(w->text);
	ssize_t len;

	if (fd < 0 && reread_is_spent(c->reread, path)) {
		conf_error(c, w->place, "%s_file: '%.200s' is a pipe, which cannot be read again",
			   name_of(w), path);
		return NULL;
	}
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read_all(fd, content);
	if (len < 0) {
		conf_error(c, w->place, "%s_file: '%.200s': %s", name_of(w), path,
			   denied_words(path, why));
	} else if (len > SECRET_MAX || memchr(content, '\0', (size_t)len)) {
		conf_error(c, w->place, "%s_file: '%.200s' is no text of at most %d octets",
			   name_of(w), path, SECRET_MAX);
	} else {
		warn_if_everyone_reads(c, fd, path);
		len -= len && content[len - 1] == '\n';
		len -= len && content[len - 1] == '\r';
		text = arena_text(&c->secrets, content, (size_t)len);
	}
	mem_wipe(content, sizeof(content));
	if (fd >= 0)
		close(fd);
	return text;
}

/* A copy of what was in the variable, which is empty and gone afterwards; NULL. */
static const char *take_variable(struct conf *c, const char *name)
{
	uint32_t known = table_get(&c->variables, name);
	char *value = getenv(name);

	if (known != TABLE_NONE)
		return c->variable[known];
	if (!value)
		return reread_variable(c->reread, name);
	reread_keep(c->reread, name, value);
	c->variable = conf_grow(c->variable, c->nvariables, &c->cap_variables, sizeof(char *));
	c->variable[c->nvariables] = arena_text(&c->secrets, value, strlen(value));
	table_put(&c->variables, arena_text(&c->arena, name, strlen(name)),
		  (uint32_t)c->nvariables);
	mem_wipe(value, strlen(value));
	unsetenv(name);
	return c->variable[c->nvariables++];
}

static char *from_env(struct conf *c, const struct conf_word *w)
{
	const char *text = take_variable(c, w->text);

	if (text)
		return arena_text(&c->secrets, text, strlen(text));
	conf_error(c, w->place, "%s_env: the environment has no '%.100s'", name_of(w), w->text);
	return NULL;
}

char *conf_secret(struct conf *c, const struct conf_word *w)
{
	if (c->leave_secrets && w->source != SOURCE_LITERAL)
		return NULL;
	switch (w->source) {
	case SOURCE_FILE:
		return from_file(c, w);
	case SOURCE_ENV:
		return from_env(c, w);
	case SOURCE_LITERAL:
		break;
	}
	return arena_text(&c->secrets, w->text, strlen(w->text));
}

void conf_hold_secrets(struct conf *c)
{
	c->hold_secrets = true;
}

static void take(struct conf *c, const struct conf_held *held)
{
	struct conf_key *at = held->at;
	struct conf_word w = {(enum setting_key)at->key,
			      (enum setting_source)held->source,
			      at->value.text,
			      {at->line, at->column, held->file},
			      NULL};
	union setting_value value;

	at->value.text = conf_value(c, &w, &value) ? value.text : "";
}

void conf_take_secrets(struct conf *c)
{
	for (size_t i = 0; i < c->nheld; i++)
		take(c, &c->held[i]);
	c->nheld = 0;
}

void conf_forget_secrets(struct conf *c)
{
	arena_wipe(&c->secrets);
}

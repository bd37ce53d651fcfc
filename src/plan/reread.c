/*
 * What was read and cannot be read again.
 *
 * The problem: a service reads its configuration again at SIGHUP, and by then argv has blanks where its communities
 * were, and the environment lacks the variables that were passphrases: both were overwritten because others can
 * read them (conf_secret.c). What is kept instead is here, in memory of our own that nobody else reads, and that is
 * wiped in every child before it meets the network: it holds passphrases, of which a child has only the keys.
 *
 * A pipe is empty when it was read, and one with a name makes who opens it wait, with all of the polling. So neither
 * standard input nor a pipe is read twice: an empty list instead of what was polled is not what anybody meant.
 *
 * The trap: getopt_long(3) puts the words of argv into another order, and the secrets among them are overwritten; so
 * whoever reads them gets a copy of the copy.
 */
#include "plan/reread.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

struct variable {
	char *name;
	char *value;
};

struct reread {
	char **words; /* ends with NULL */
	struct variable *variables;
	size_t count;
	bool stdin_read;
	bool again; /* the words were asked for: what is read from now on was read before */
};

static char **copy_words(char *const *words, size_t count)
{
	char **copy = mem_alloc((count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = mem_strdup(words[i]);
	copy[count] = NULL;
	return copy;
}

static void wipe_text(char *text)
{
	mem_wipe(text, strlen(text));
}

void reread_words_free(char **words)
{
	for (char **word = words; word && *word; word++) {
		wipe_text(*word);
		free(*word);
	}
	free(words);
}

struct reread *reread_new(int argc, char *const *argv)
{
	struct reread *m = mem_zero(1, sizeof(*m));

	m->words = copy_words(argv, (size_t)argc);
	return m;
}

char **reread_words(struct reread *m)
{
	size_t count = 0;

	m->again = true;
	while (m->words[count])
		count++;
	return copy_words(m->words, count);
}

void reread_wipe(struct reread *m)
{
	for (char **word = m->words; *word; word++)
		wipe_text(*word);
	for (size_t i = 0; i < m->count; i++)
		wipe_text(m->variables[i].value);
}

void reread_free(struct reread *m)
{
	if (!m)
		return;
	reread_wipe(m);
	reread_words_free(m->words);
	for (size_t i = 0; i < m->count; i++) {
		free(m->variables[i].name);
		free(m->variables[i].value);
	}
	free(m->variables);
	free(m);
}

const char *reread_variable(const struct reread *m, const char *name)
{
	for (size_t i = 0; m && i < m->count; i++)
		if (!strcmp(m->variables[i].name, name))
			return m->variables[i].value;
	return NULL;
}

void reread_keep(struct reread *m, const char *name, const char *value)
{
	if (!m || reread_variable(m, name))
		return;
	m->variables = mem_resize(m->variables, m->count + 1, sizeof(*m->variables));
	m->variables[m->count++] = (struct variable){mem_strdup(name), mem_strdup(value)};
}

bool reread_stdin(struct reread *m)
{
	bool first = !m || !m->stdin_read;

	if (m)
		m->stdin_read = true;
	return first;
}

bool reread_is_spent(const struct reread *m, const char *path)
{
	struct stat st;

	return m && m->again && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* An empty folder of a test's own, in which it runs, and what stands in its files. For programs that need one in each test. */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_TEXT 4096 /* octets of a file that is looked at, and a NUL */

/* For a setup: goes there. `name` begins the folder's. */
static inline int folder_enter(void **state, const char *name)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "/tmp/%s-XXXXXX", name);
	if (!mkdtemp(folder))
		return -1;
	*state = strdup(folder);
	return chdir(folder);
}

/* A teardown: it goes, with all that is in it. */
static inline int folder_leave(void **state)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	free(*state);
	return chdir("/") || system(command);
}

static inline void make(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void read_text(const char *path, char text[FOLDER_TEXT])
{
	FILE *f = fopen(path, "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, FOLDER_TEXT - 1, f);
	fclose(f);
	text[len] = '\0';
}

static inline void check_file(const char *path, const char *wanted)
{
	char text[FOLDER_TEXT];

	read_text(path, text);
	assert_string_equal(text, wanted);
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

#endif

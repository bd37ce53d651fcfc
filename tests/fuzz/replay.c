/*
 * Gives a target the inputs that are kept, one after the other: `make check` in every build, with any compiler.
 *
 * usage: replay_TARGET [FILE | FOLDER ...]
 *
 * Without a word: the folders corpus/TARGET and regress/TARGET beside this file, which must hold something. An
 * input that breaks the target ends the process; its name is on standard error then, since it is written before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)

struct replay {
	unsigned files;
	bool failed; /* to read something */
};

static void replay_file(struct replay *r, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = mem_alloc(INPUT_MAX), *exact;
	size_t len = file ? fread(data, 1, INPUT_MAX, file) : 0;

	if (!file || ferror(file)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		r->failed = true;
	} else {
		fprintf(stderr, "%s\n", path);
		exact = mem_alloc(len + !len); /* an octet too far is out of bounds */
		if (len)
			memcpy(exact, data, len);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
		r->files++;
	}
	if (file)
		fclose(file);
	free(data);
}

static void replay_path(struct replay *r, const char *path)
{
	struct dirent **list;
	struct stat st;
	int n;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		replay_file(r, path);
		return;
	}
	n = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		struct buf name = {0};

		buf_printf(&name, "%s/%s", path, list[i]->d_name);
		buf_putc(&name, '\0');
		if (list[i]->d_name[0] != '.')
			replay_path(r, (const char *)name.data);
		buf_free(&name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* What is kept for this target, by the name of the program. */
static void replay_kept(struct replay *r, const char *program)
{
	static const char *const kinds[] = {"corpus", "regress"};
	const char *top = getenv("srcdir"), *name = strstr(program, "replay_");
	char path[4096];
	struct stat st;

	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "%s/tests/fuzz/%s/%s", top ? top : ".", kinds[i],
			 name + strlen("replay_"));
		if (stat(path, &st) == 0)
			replay_path(r, path);
	}
}

int main(int argc, char **argv)
{
	struct replay r = {0};

	for (int i = 1; i < argc; i++)
		replay_path(&r, argv[i]);
	if (argc == 1)
		replay_kept(&r, argv[0]);
	fprintf(stderr, "%u inputs\n", r.files);
	return r.failed || r.files == 0;
}

/*
 * Why a file may not be opened.
 *
 * "Permission denied" has three reasons that are mended in different places: the file's own mode, a folder above it, or
 * something that neither shows (an ACL, a read-only mount, a security module). So whoever is told gets what ls(1)
 * would have told them: owner, group, mode, and as whom we tried; a service seldom runs as who wrote its file.
 */
#include "base/denied.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_SHOWN 40

static const char *user_name(uid_t id, char out[NAME_MAX_SHOWN])
{
	const struct passwd *entry = getpwuid(id);

	if (entry)
		snprintf(out, NAME_MAX_SHOWN, "%s", entry->pw_name);
	else
		snprintf(out, NAME_MAX_SHOWN, "user %lu", (unsigned long)id);
	return out;
}

static const char *group_name(gid_t id, char out[NAME_MAX_SHOWN])
{
	const struct group *entry = getgrgid(id);

	if (entry)
		snprintf(out, NAME_MAX_SHOWN, "%s", entry->gr_name);
	else
		snprintf(out, NAME_MAX_SHOWN, "%lu", (unsigned long)id);
	return out;
}

/* The first folder of path that may not be entered; false: there is none. */
static bool closed_folder(const char *path, char folder[PATH_MAX])
{
	size_t len = strlen(path);

	for (size_t i = 1; i < len && i < PATH_MAX; i++) {
		if (path[i] != '/')
			continue;
		memcpy(folder, path, i);
		folder[i] = '\0';
		if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) < 0)
			return errno == EACCES;
	}
	return false;
}

/* The folder in which path would be made. */
static bool stat_folder(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash)
		return stat(".", st) == 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
	return stat(folder, st) == 0;
}

static void say_owner(const struct stat *st, const char *whose, char *out, size_t size)
{
	char owner[NAME_MAX_SHOWN], group[NAME_MAX_SHOWN], me[NAME_MAX_SHOWN];

	snprintf(out, size, " (%sowner %s, group %s, mode %04o; we are %s)", whose,
		 user_name(st->st_uid, owner), group_name(st->st_gid, group),
		 (unsigned)(st->st_mode & 07777), user_name(geteuid(), me));
}

const char *denied_words(const char *path, char out[DENIED_MAX])
{
	int why = errno;
	char folder[PATH_MAX], me[NAME_MAX_SHOWN];
	struct stat st;
	size_t len;

	snprintf(out, DENIED_MAX, "%s", strerror(why));
	len = strlen(out);
	if (why == EACCES && closed_folder(path, folder))
		snprintf(out + len, DENIED_MAX - len, " (we are %s and may not enter '%.60s')",
			 user_name(geteuid(), me), folder);
	else if ((why == EACCES || why == EPERM) && stat(path, &st) == 0)
		say_owner(&st, "", out + len, DENIED_MAX - len);
	else if (why == EACCES && stat_folder(path, &st))
		say_owner(&st, "folder's ", out + len, DENIED_MAX - len);
	errno = why;
	return out;
}

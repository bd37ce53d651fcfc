/* user: who exists is found; who becomes another cannot come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/user.h"

static void test_find(void **state)
{
	struct user user = {.uid = 4711};

	(void)state;
	assert_true(user_find("root", &user));
	assert_int_equal(user.uid, 0);
	assert_int_equal(user.gid, getpwnam("root")->pw_gid);
	assert_false(user_find("no such user here", &user));
	assert_false(user_find("", &user));
}

/* Exit status of a child that becomes `u`: 0 as it should be, 1 not become, else what is left. */
static int become(struct user u)
{
	gid_t groups[64];
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (!user_become(&u))
			_exit(1);
		if (getuid() != u.uid || geteuid() != u.uid || getgid() != u.gid ||
		    getegid() != u.gid)
			_exit(2);
		if (getgroups(64, groups) != 1 || groups[0] != u.gid)
			_exit(3);
		if (u.uid != 0 && (seteuid(0) == 0 || setuid(0) == 0 || setgid(0) == 0))
			_exit(4);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_become(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(become((struct user){.uid = 4711, .gid = 4712}), 0);
	assert_int_equal(become((struct user){.uid = 0, .gid = 0}), 0);
	assert_int_equal(become((struct user){.uid = (uid_t)-1, .gid = 4712}), 1);
	assert_int_equal(become((struct user){.uid = 4711, .gid = (gid_t)-1}), 1);
}

static void test_only_root_may(void **state)
{
	struct user u = {.uid = 4711, .gid = 4712};
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		_exit(user_become(&u) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_become),
		cmocka_unit_test(test_only_root_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

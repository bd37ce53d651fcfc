/* notify: what a manager hears, when, and that one which reads nothing holds up nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "cli/notify.h"
#include "pool/master.h"

struct manager {
	char folder[32], path[64];
	int fd;
};

static int set_up(void **state)
{
	static struct manager m;
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	strcpy(m.folder, "/tmp/notify-XXXXXX");
	assert_non_null(mkdtemp(m.folder));
	snprintf(m.path, sizeof(m.path), "%s/socket", m.folder);
	strcpy(un.sun_path, m.path);
	m.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(m.fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	setenv("NOTIFY_SOCKET", m.path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*state = &m;
	return 0;
}

static int tear_down(void **state)
{
	struct manager *m = *state;

	close(m->fd);
	unlink(m->path);
	rmdir(m->folder);
	return 0;
}

/* All words that came, a space between datagrams. */
static const char *heard(const struct manager *m)
{
	static char text[4096];
	size_t at = 0;
	ssize_t len;

	while ((len = recv(m->fd, text + at, 600, MSG_DONTWAIT)) > 0 && at < 3000)
		at += (size_t)len;
	text[at] = '\0';
	return text;
}

static struct watcher_view view(uint64_t round, uint64_t ok, uint64_t timeouts)
{
	struct watcher_view v = {.round = round, .targets = 100};

	v.status[RECORD_OK] = ok;
	v.status[RECORD_TIMEOUT] = timeouts;
	return v;
}

static void test_a_run(void **state)
{
	struct manager *m = *state;
	struct notify *n = notify_open();
	struct watcher w = notify_watcher(n);
	struct master_result r = {.targets = 100, .elapsed_us = 1234567};
	struct watcher_view v = view(0, 0, 0);

	assert_null(getenv("NOTIFY_SOCKET")); /* children have none */
	assert_int_equal(w.tick(w.arg, &v, 1000000), 6000000);
	assert_string_equal(heard(m), "READY=1\nSTATUS=0 of 100 done, 0 ok, 0 failed\n");
	assert_int_equal(w.tick(w.arg, &v, 2000000), 6000000); /* somebody else's time */
	assert_int_equal(w.tick(w.arg, &v, 6000000), 11000000);
	assert_string_equal(heard(m), ""); /* nothing is new */
	v = view(0, 3, 1);
	w.tick(w.arg, &v, 11000000);
	assert_string_equal(heard(m), "STATUS=4 of 100 done, 3 ok, 1 failed\n");
	v.signal = 15;
	w.tick(w.arg, &v, 11000001);
	w.tick(w.arg, &v, 11000002);
	assert_string_equal(heard(m),
			    "STOPPING=1\nSTATUS=stopping; 4 of 100 done, 3 ok, 1 failed\n");
	r.status[RECORD_OK] = 3;
	r.status[RECORD_CANCELLED] = 97;
	r.written = WRITER_FAILED;
	w.ended(w.arg, &r);
	assert_string_equal(heard(m), "STATUS=3 ok, 97 failed in 1.2 s; could not be written\n");
	notify_free(n);
}

static void test_rounds(void **state)
{
	struct manager *m = *state;
	struct notify *n = notify_open();
	struct watcher w = notify_watcher(n);
	struct master_result r = {.targets = 100, .elapsed_us = 500000};
	struct watcher_view v = view(1, 0, 0);
	char at[64];

	w.tick(w.arg, &v, 0);
	assert_string_equal(heard(m), "READY=1\nSTATUS=round 1: 0 of 100 done, 0 ok, 0 failed\n");
	r.status[RECORD_OK] = 100;
	r.round = 1;
	r.next_round_us = loop_clock_us() + 60000000;
	w.ended(w.arg, &r);
	assert_int_equal(sscanf(heard(m),
				"STATUS=round 1: 100 ok, 0 failed in 0.5 s; next round at %63s\n",
				at),
			 1);
	assert_int_equal(strlen(at), strlen("2026-11-21T03:11:00Z"));
	v = view(1, 100, 0);
	assert_int_equal(w.tick(w.arg, &v, 9000000), LOOP_NEVER); /* it rests, and so do we */
	assert_string_equal(heard(m), "");
	v = view(2, 0, 0);
	assert_int_equal(w.tick(w.arg, &v, 60000000), 65000000);
	assert_string_equal(heard(m), "STATUS=round 2: 0 of 100 done, 0 ok, 0 failed\n");
	notify_free(n);
}

static void test_watchdog(void **state)
{
	struct manager *m = *state;
	struct watcher_view v = view(1, 0, 0);
	struct master_result r = {.targets = 100};
	struct notify *n;
	struct watcher w;
	char pid[16];

	setenv("WATCHDOG_USEC", "2000000", 1);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	n = notify_open();
	w = notify_watcher(n);
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	assert_int_equal(w.tick(w.arg, &v, 500), 1000500);
	assert_non_null(strstr(heard(m), "WATCHDOG=1\n"));
	assert_int_equal(w.tick(w.arg, &v, 1000500), 2000500);
	assert_string_equal(heard(m), "WATCHDOG=1\n");
	w.ended(w.arg, &r);
	heard(m);
	assert_int_equal(w.tick(w.arg, &v, 2000500), 3000500); /* between rounds, too */
	assert_int_equal(w.tick(w.arg, &v, 2100000), 3000500);
	assert_string_equal(heard(m), "WATCHDOG=1\n");
	notify_free(n);
}

/* Whatever is asked for, it is not all that we do. */
static void test_hasty_watchdog(void **state)
{
	struct manager *m = *state;
	struct watcher_view v = view(1, 0, 0);
	struct notify *n;
	struct watcher w;

	setenv("WATCHDOG_USEC", "2", 1);
	n = notify_open();
	w = notify_watcher(n);
	assert_int_equal(w.tick(w.arg, &v, 0), 10000);
	assert_non_null(strstr(heard(m), "WATCHDOG=1\n"));
	notify_free(n);
}

/* Not asked for, asked of somebody else, or nonsense: no tick of an idle service. */
static void test_no_watchdog(void **state)
{
	static const char *const not [][2] = {{NULL, NULL}, {"2000000", "1"}, {"", NULL},
					      {"0", NULL},  {"2 s", NULL},    {"-5", NULL}};
	struct manager *m = *state;
	struct watcher_view v = view(1, 0, 0);

	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
		struct notify *n;
		struct watcher w;

		setenv("NOTIFY_SOCKET", m->path, 1);
		if (not [i][0])
			setenv("WATCHDOG_USEC", not [i][0], 1);
		if (not [i][1])
			setenv("WATCHDOG_PID", not [i][1], 1);
		n = notify_open();
		w = notify_watcher(n);
		assert_int_equal(w.tick(w.arg, &v, 0), 5000000);
		assert_null(strstr(heard(m), "WATCHDOG"));
		notify_free(n);
	}
}

/* A reader that never comes; when one does, what must be known is told. */
static void test_full(void **state)
{
	struct manager *m = *state;
	struct notify *n = notify_open();
	struct watcher w = notify_watcher(n);
	struct watcher_view v = view(0, 0, 0);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(un.sun_path, m->path);
	while (sendto(fd, "x\n", 2, MSG_DONTWAIT, (const struct sockaddr *)&un, sizeof(un)) > 0)
		;
	assert_int_equal(w.tick(w.arg, &v, 0), 500000);
	v.signal = 2;
	assert_int_equal(w.tick(w.arg, &v, 500000), 1000000);
	while (recv(m->fd, un.sun_path, 8, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(w.tick(w.arg, &v, 1000000), 6000000);
	assert_string_equal(
		heard(m), "READY=1\nSTOPPING=1\nSTATUS=stopping; 0 of 100 done, 0 ok, 0 failed\n");
	close(fd);
	notify_free(n);
}

static int fill(const struct manager *m)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(un.sun_path, m->path);
	while (sendto(fd, "x\n", 2, MSG_DONTWAIT, (const struct sockaddr *)&un, sizeof(un)) > 0)
		;
	return fd;
}

static void drain(const struct manager *m, int fd)
{
	char octets[8];

	while (recv(m->fd, octets, sizeof(octets), MSG_DONTWAIT) > 0)
		;
	close(fd);
}

/* The end of a reload, and that we are alive, are told as soon as there is room: who did not hear it would kill us. */
static void test_full_later(void **state)
{
	struct manager *m = *state;
	struct watcher_view v = view(1, 0, 0);
	struct notify *n;
	struct watcher w;
	int fd;

	setenv("WATCHDOG_USEC", "2000000", 1);
	n = notify_open();
	w = notify_watcher(n);
	assert_int_equal(w.tick(w.arg, &v, 0), 1000000);
	notify_reloading(n);
	fd = fill(m);
	notify_reloaded(n, "x");
	assert_int_equal(w.tick(w.arg, &v, 1000000), 1500000);
	drain(m, fd);
	assert_int_equal(w.tick(w.arg, &v, 1500000), 2500000);
	assert_string_equal(heard(m),
			    "READY=1\nWATCHDOG=1\nSTATUS=round 1: 0 of 100 done, 0 ok, 0 failed\n");
	notify_free(n);
}

static void test_nobody_there(void **state)
{
	static const char *const nowhere[] = {NULL,
					      "",
					      "/",
					      "@",
					      "relative",
					      "vsock:2:1",
					      "/nowhere/at/all",
					      "@multisnmp-nobody-listens-here"};
	struct watcher_view v = view(0, 0, 0);
	struct master_result r = {.targets = 100};

	(void)state;
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		struct notify *n;
		struct watcher w;

		unsetenv("NOTIFY_SOCKET");
		if (nowhere[i])
			setenv("NOTIFY_SOCKET", nowhere[i], 1);
		n = notify_open();
		w = notify_watcher(n);
		w.tick(w.arg, &v, 0);
		w.ended(w.arg, &r);
		notify_reloading(n);
		notify_reloaded(n, "x");
		notify_free(n);
	}
}

static void test_reload(void **state)
{
	struct manager *m = *state;
	struct notify *n = notify_open();
	struct watcher w = notify_watcher(n);
	struct watcher_view v = view(7, 0, 0);
	int64_t us, before = loop_clock_us();
	const char *words;

	w.tick(w.arg, &v, 0);
	heard(m);
	notify_reloading(n);
	words = heard(m);
	assert_int_equal(sscanf(words, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &us), 1);
	assert_in_range(us, before, loop_clock_us());
	assert_non_null(strstr(words, "\nSTATUS=reloading\n"));
	notify_reloaded(n, "reload failed: the configuration is as it was");
	assert_string_equal(heard(m),
			    "READY=1\nSTATUS=reload failed: the configuration is as it was\n");
	w.tick(w.arg, &v, 2);
	assert_null(strstr(heard(m), "READY=1\n"));
	for (int i = 0; i < 2; i++) { /* the manager shows "reloading" in between */
		notify_reloading(n);
		heard(m);
		notify_reloaded(n, "as before");
		assert_string_equal(heard(m), "READY=1\nSTATUS=as before\n");
	}
	notify_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watchdog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_watchdog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hasty_watchdog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_later, set_up, tear_down),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

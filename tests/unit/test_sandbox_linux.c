/*
 * sandbox: a child that somebody else has taken over, on Linux.
 *
 * Each deed is done in a child as the program forks it, in each role: with the queue as descriptor 3, a
 * UDP socket as 4, and the real lists. It is refused (an error), or the death of the child (SIGSYS), or it goes
 * on. Then Landlock and the user alone, for each must hold where the others are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pool/proc.h"
#include "pool/sandbox.h"

#define LANE 4 /* the UDP socket that a worker has */

enum end {
	GOES = 0,     /* exit status of a child whose deed went well */
	REFUSED = 1,  /* and of one that was told an error */
	DIES = 0x100, /* SIGSYS */
	NOT_IN = 99
};

static char folder[] = "/tmp/test_sandbox.XXXXXX";
static struct sockaddr_un hearing = {.sun_family = AF_UNIX}; /* a socket that takes what it gets */
static char made_file[64], made_folder[64];
static pid_t other; /* the test itself */
static void *code;  /* a page of our own */

/* What a deed comes to, as its exit status. */
static int went(long result)
{
	return result < 0 ? REFUSED : GOES;
}

/* --- files --------------------------------------------------------------------------------- */

static int reads_a_file(void)
{
	return went(open("/etc/passwd", O_RDONLY));
}
static int reads_hosts(void)
{
	return went(syscall(SYS_openat, AT_FDCWD, "/etc/hosts", O_RDONLY | O_LARGEFILE, 0));
}
static int makes_a_file(void)
{
	return went(open(made_file, O_WRONLY | O_CREAT, 0600));
}
static int writes_hosts(void)
{
	return went(open("/etc/hosts", O_WRONLY));
}
static int lists_a_folder(void)
{
	return went(open("/etc", O_RDONLY | O_DIRECTORY));
}
/* What is not there: how it was refused tells. */
static int unlinks(void)
{
	return went(unlink("/tmp/test_sandbox.none")) == REFUSED && errno == ENOENT ? GOES
										    : REFUSED;
}
static int makes_a_folder(void)
{
	return went(mkdir(made_folder, 0700));
}
static int changes_the_root(void)
{
	return went(chroot("/"));
}
static int memfd(void)
{
	return went(memfd_create("x", 0));
}

/* --- programs and memory ------------------------------------------------------------------- */

static int runs_a_program(void)
{
	char *const argv[] = {(char *)"/bin/true", NULL};

	return went(execv(argv[0], argv));
}
static int forks(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return went(child);
}
static int makes_a_thread(void)
{
	return went(syscall(SYS_clone3, NULL, 0));
}
static int maps_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? REFUSED
		       : GOES;
}
static int makes_code(void)
{
	return went(mprotect(code, 4096, PROT_READ | PROT_EXEC));
}
static int changes_namespace(void)
{
	int done = unshare(CLONE_NEWUSER);

	if (done < 0 && errno == EPERM) /* a chroot gives nobody one of users */
		done = unshare(CLONE_NEWUTS);
	return went(done);
}
static int is_dumpable_again(void)
{
	return went(prctl(PR_SET_DUMPABLE, 1));
}

/* --- others -------------------------------------------------------------------------------- */

static int looks_into_another(void)
{
	return went(ptrace(PTRACE_SEIZE, other, NULL, NULL));
}
static int reads_anothers_memory(void)
{
	struct iovec here = {&here, 1}, there = {&here, 1};

	return went(process_vm_readv(other, &here, 1, &there, 1, 0));
}
static int kills(void)
{
	return went(kill(other, 0));
}
static int kills_a_thread_of_another(void)
{
	return went(syscall(SYS_tgkill, other, other, 0));
}
static int kills_all(void)
{
	return went(kill(-1, 0));
}
static int signals_by_queue(void)
{
	union sigval none = {0};

	return went(sigqueue(other, 0, none));
}

/* --- sockets ------------------------------------------------------------------------------- */

static int opens_netlink(void)
{
	return went(socket(AF_NETLINK, SOCK_RAW, 0));
}
static int opens_packet(void)
{
	return went(socket(AF_PACKET, SOCK_RAW, 0));
}
static int opens_udp(void)
{
	return went(socket(AF_INET, SOCK_DGRAM, 0));
}
static int opens_tcp(void)
{
	return went(socket(AF_INET6, SOCK_STREAM, 0));
}
static int opens_raw(void)
{
	return went(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}
static int opens_unix_stream(void)
{
	return went(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int opens_unix_datagram(void)
{
	return went(socket(AF_UNIX, SOCK_DGRAM, 0));
}
static int opens_a_pair(void)
{
	int pair[2];

	return went(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}
static int connects(void)
{
	struct sockaddr_in any = {.sin_family = AF_UNSPEC};

	return went(connect(LANE, (struct sockaddr *)&any, sizeof(any)));
}
static int listens(void)
{
	return went(listen(LANE, 1));
}

/* The one socket that may be opened, to tell somebody something. */
static int sends_by_what_is_opened(void)
{
	struct iovec iov = {(void *)"out", 3};
	struct mmsghdr m = {.msg_hdr = {.msg_name = &hearing,
					.msg_namelen = sizeof(hearing),
					.msg_iov = &iov,
					.msg_iovlen = 1}};
	int fd;

	close(LANE);                           /* whose number it could have */
	syscall(SYS_close, LANE + (1L << 32)); /* the same number, to the kernel */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return REFUSED;
	if (sendmmsg(fd, &m, 1, 0) == 1 ||
	    sendto(fd, "out", 3, 0, (struct sockaddr *)&hearing, sizeof(hearing)) == 3)
		return GOES;
	return sendmsg(fd, &m.msg_hdr, 0) == 3 ? GOES : REFUSED;
}

/* --- what is needed ------------------------------------------------------------------------- */

static int names_an_interface(void)
{
	char name[IF_NAMESIZE];

	for (int i = 0; i < 100; i++) /* each time a descriptor, which must be given back */
		if (!if_indextoname(1, name))
			return REFUSED;
	return GOES;
}
static int asks_what_is_unsent(void)
{
	int octets;

	return went(ioctl(LANE, SIOCOUTQ, &octets));
}
static int asks_the_kernel_for_the_time(void)
{
	struct timespec ts;
	struct timeval tv;

	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) < 0 ||
	    syscall(SYS_gettimeofday, &tv, NULL) < 0)
		return REFUSED;
#ifdef SYS_time
	if (syscall(SYS_time, NULL) < 0)
		return REFUSED;
#endif
	return GOES;
}
static int sends_by_its_lane(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct iovec iov = {(void *)"out", 3};
	struct mmsghdr m = {.msg_hdr = {.msg_name = &to,
					.msg_namelen = sizeof(to),
					.msg_iov = &iov,
					.msg_iovlen = 1}};
	int discover = IP_PMTUDISC_WANT;

	if (setsockopt(LANE, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover)) < 0)
		return REFUSED;
	return sendmmsg(LANE, &m, 1, MSG_DONTWAIT) == 1 ? GOES : REFUSED;
}
static int connects_a_stream(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		return REFUSED;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno != ECONNREFUSED)
		return REFUSED; /* by the sandbox */
	return went(close(fd));
}
static int smashes_its_stack(void)
{
	extern void __stack_chk_fail(void);

	__stack_chk_fail();
	return GOES;
}
static int fails_an_assertion(void)
{
	assert(folder[0] != '/');
	return GOES;
}
static int crashes(void)
{
	raise(SIGSEGV);
	return GOES;
}

static const struct deed {
	const char *name;
	int (*fn)(void);
	int worker, session, resolver; /* enum end, or the signal that it dies of */
} deeds[] = {
	{"reads a file", reads_a_file, REFUSED, REFUSED, REFUSED},
	{"reads hosts", reads_hosts, REFUSED, REFUSED, GOES},
	{"makes a file", makes_a_file, REFUSED, REFUSED, REFUSED},
	{"writes hosts", writes_hosts, REFUSED, REFUSED, REFUSED},
	{"lists a folder", lists_a_folder, REFUSED, REFUSED, REFUSED},
	{"unlinks", unlinks, REFUSED, REFUSED, REFUSED},
	{"makes a folder", makes_a_folder, REFUSED, REFUSED, REFUSED},
	{"changes the root", changes_the_root, REFUSED, REFUSED, REFUSED},
	{"makes a file of memory", memfd, REFUSED, REFUSED, REFUSED},
	{"runs a program", runs_a_program, DIES, DIES, DIES},
	{"forks", forks, DIES, DIES, DIES},
	{"makes a thread", makes_a_thread, DIES, DIES, DIES},
	{"maps code", maps_code, DIES, DIES, DIES},
	{"makes code", makes_code, DIES, DIES, DIES},
	{"changes its namespace", changes_namespace, REFUSED, REFUSED, REFUSED},
	{"is dumpable again", is_dumpable_again, REFUSED, REFUSED, REFUSED},
	{"looks into another", looks_into_another, DIES, DIES, DIES},
	{"reads another's memory", reads_anothers_memory, DIES, DIES, DIES},
	{"kills", kills, DIES, DIES, DIES},
	{"kills a thread of another", kills_a_thread_of_another, DIES, DIES, DIES},
	{"kills all", kills_all, DIES, DIES, DIES},
	{"signals by a queue", signals_by_queue, DIES, DIES, DIES},
	{"opens netlink", opens_netlink, DIES, DIES, DIES},
	{"opens packets", opens_packet, DIES, DIES, DIES},
	{"opens UDP", opens_udp, REFUSED, GOES, GOES},
	{"opens TCP", opens_tcp, REFUSED, GOES, GOES},
	{"opens raw", opens_raw, REFUSED, REFUSED, REFUSED},
	{"opens a unix stream", opens_unix_stream, REFUSED, GOES, REFUSED},
	{"opens a unix datagram socket", opens_unix_datagram, REFUSED, REFUSED, REFUSED},
	{"opens a pair", opens_a_pair, REFUSED, REFUSED, REFUSED},
	{"connects", connects, DIES, GOES, GOES},
	{"listens", listens, DIES, DIES, DIES},
	{"sends by what is opened", sends_by_what_is_opened, REFUSED, REFUSED, REFUSED},
	{"names an interface", names_an_interface, GOES, GOES, REFUSED},
	{"asks what is unsent", asks_what_is_unsent, REFUSED, REFUSED, REFUSED},
	{"asks the kernel for the time", asks_the_kernel_for_the_time, GOES, GOES, GOES},
	{"sends by its lane", sends_by_its_lane, GOES, REFUSED, REFUSED},
	{"connects a stream", connects_a_stream, REFUSED, GOES, GOES},
	{"smashes its stack", smashes_its_stack, SIGABRT << 16, SIGABRT << 16, SIGABRT << 16},
	{"fails an assertion", fails_an_assertion, SIGABRT << 16, SIGABRT << 16, SIGABRT << 16},
	{"crashes", crashes, SIGSEGV << 16, SIGSEGV << 16, SIGSEGV << 16},
};

/* --- children ------------------------------------------------------------------------------ */

struct child {
	const struct sandbox *sandbox;
	enum sandbox_role role;
	int (*fn)(void);
};

static int child_run(void *arg, int queue_fd)
{
	const struct child *c = arg;

	(void)queue_fd;
	if (socket(AF_INET, SOCK_DGRAM, 0) != LANE)
		return NOT_IN;
	if (c->sandbox && !sandbox_enter(c->sandbox, c->role))
		return NOT_IN;
	return c->fn();
}

static int end_of(const struct sandbox *s, enum sandbox_role role, int (*fn)(void))
{
	struct child c = {s, role, fn};
	struct proc p;
	int status;

	assert_true(proc_spawn(&p, child_run, &c));
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	close(p.fd);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return WTERMSIG(status) == SIGSYS ? DIES : WTERMSIG(status) << 16;
}

/* The deeds that are refused can be done by who has entered nothing, or they would prove nothing. */
static void test_deeds_outside(void **state)
{
	static const char *const never[] = {"makes a thread", "listens", "smashes its stack",
					    "fails an assertion", "crashes"};
	unsigned wrong = 0;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		size_t n = 0;

		while (n < 5 && strcmp(never[n], deeds[i].name) != 0)
			n++;
		if (n < 5 || end_of(NULL, SANDBOX_WORKER, deeds[i].fn) == GOES)
			continue;
		print_error("%s: cannot be done at all\n", deeds[i].name);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(unlink(made_file), 0);
	assert_int_equal(rmdir(made_folder), 0);
}

/* A courier does what a resolver does, and asks its connection how it is. */
static int expected(const struct deed *d, enum sandbox_role role)
{
	if (role == SANDBOX_COURIER && d->fn == asks_what_is_unsent)
		return GOES;
	return role == SANDBOX_WORKER    ? d->worker
	       : role == SANDBOX_SESSION ? d->session
					 : d->resolver;
}

static void do_all(struct sandbox *s)
{
	unsigned wrong = 0;

	assert_true(sandbox_prepare(s));
	assert_true(s->calls);
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		for (int role = SANDBOX_WORKER; role <= SANDBOX_COURIER; role++) {
			int end = end_of(s, (enum sandbox_role)role, deeds[i].fn);

			if (end == expected(&deeds[i], (enum sandbox_role)role))
				continue;
			print_error("role %d %s: %#x, not %#x\n", role, deeds[i].name,
				    (unsigned)end,
				    (unsigned)expected(&deeds[i], (enum sandbox_role)role));
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

static void test_deeds(void **state)
{
	struct sandbox s = {.paths = true};

	(void)state;
	do_all(&s);
}

static void test_deeds_of_another_user(void **state)
{
	struct sandbox s = {.becomes = true, .user = {.uid = 65534, .gid = 65534}, .paths = true};

	(void)state;
	if (geteuid() != 0)
		skip();
	do_all(&s);
}

/* Behind sockets of the file system wait those who would do more for us: only who asks one may open one. */
static void test_no_paths(void **state)
{
	struct sandbox s = {.paths = false};

	(void)state;
	assert_true(sandbox_prepare(&s));
	assert_int_equal(end_of(&s, SANDBOX_SESSION, opens_unix_stream), REFUSED);
	assert_int_equal(end_of(&s, SANDBOX_SESSION, opens_a_pair), REFUSED);
	assert_int_equal(end_of(&s, SANDBOX_SESSION, connects_a_stream), GOES);
	assert_int_equal(end_of(&s, SANDBOX_SESSION, names_an_interface), GOES);
}

/* --- each by itself ------------------------------------------------------------------------ */

/* Landlock must hold where there is no seccomp. */
static void test_landlock(void **state)
{
	struct sandbox s = {.becomes = false};

	(void)state;
	assert_true(sandbox_prepare(&s));
	if (s.files_abi == 0)
		skip();
	s.calls = false;
	for (int role = SANDBOX_WORKER; role <= SANDBOX_COURIER; role++) {
		assert_int_equal(end_of(&s, (enum sandbox_role)role, reads_a_file), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, makes_a_file), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, makes_a_folder), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, writes_hosts), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, reads_hosts),
				 role >= SANDBOX_RESOLVER ? GOES : REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, looks_into_another), REFUSED);
		if (s.files_abi >= 6)
			assert_int_equal(end_of(&s, (enum sandbox_role)role, kills), REFUSED);
	}
	if (s.files_abi >= 4)
		assert_int_equal(end_of(&s, SANDBOX_WORKER, connects_a_stream), REFUSED);
	assert_int_equal(end_of(&s, SANDBOX_COURIER, connects_a_stream), GOES);
	assert_int_equal(end_of(&s, SANDBOX_SESSION, connects_a_stream), GOES);
}

/* And seccomp where there is no Landlock: the resolver could read all files then, and write none. */
static void test_seccomp(void **state)
{
	struct sandbox s = {.becomes = false};

	(void)state;
	assert_true(sandbox_prepare(&s));
	s.files_abi = 0;
	for (int role = SANDBOX_WORKER; role <= SANDBOX_COURIER; role++) {
		assert_int_equal(end_of(&s, (enum sandbox_role)role, makes_a_file), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, writes_hosts), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, makes_a_folder), REFUSED);
		assert_int_equal(end_of(&s, (enum sandbox_role)role, reads_a_file),
				 role >= SANDBOX_RESOLVER ? GOES : REFUSED);
	}
}

/* A line of /proc/PID/status, behind its name. */
static void status_line(pid_t pid, const char *name, char line[200])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, 200, f))
		if (strncmp(line, name, strlen(name)) == 0)
			break;
	fclose(f);
	memmove(line, line + strlen(name), strlen(line + strlen(name)) + 1);
	line[strcspn(line, "\n")] = '\0';
}

static void assert_status(pid_t pid, const char *name, const char *value)
{
	char line[200];

	status_line(pid, name, line);
	if (strcmp(line, value) != 0)
		print_error("%s\n", name);
	assert_string_equal(line, value);
}

static int tells_and_waits(void)
{
	char c;

	send(3, "in", 2, 0);
	return (int)recv(3, &c, 1, 0);
}

/* What the kernel says about a child of each role. */
static void test_status(void **state)
{
	struct sandbox s = {.becomes = geteuid() == 0, .user = {.uid = 4711, .gid = 4712}};
	char in[2];

	(void)state;
	assert_true(sandbox_prepare(&s));
	for (int role = SANDBOX_WORKER; role <= SANDBOX_COURIER; role++) {
		struct child c = {&s, (enum sandbox_role)role, tells_and_waits};
		struct proc p;

		assert_true(proc_spawn(&p, child_run, &c));
		assert_int_equal(recv(p.fd, in, 2, MSG_WAITALL), 2);
		assert_status(p.pid, "Seccomp:\t", "2");
		assert_status(p.pid, "NoNewPrivs:\t", "1");
		assert_status(p.pid, "CapPrm:\t", "0000000000000000");
		assert_status(p.pid, "CapEff:\t", "0000000000000000");
		if (s.becomes) {
			assert_status(p.pid, "Uid:\t", "4711\t4711\t4711\t4711");
			assert_status(p.pid, "Gid:\t", "4712\t4712\t4712\t4712");
			assert_status(p.pid, "Groups:\t", "4712 ");
		}
		proc_end(&p);
	}
}

/* The capabilities of a root that stays root go, too. */
static void test_root_without_rights(void **state)
{
	struct sandbox s = {.becomes = false};
	struct child c = {&s, SANDBOX_WORKER, tells_and_waits};
	struct proc p;
	char in[2];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(sandbox_prepare(&s));
	assert_true(proc_spawn(&p, child_run, &c));
	assert_int_equal(recv(p.fd, in, 2, MSG_WAITALL), 2);
	assert_status(p.pid, "Uid:\t", "0\t0\t0\t0");
	assert_status(p.pid, "CapPrm:\t", "0000000000000000");
	proc_end(&p);
}

/* --- life ---------------------------------------------------------------------------------- */

static int sleeps(void)
{
	return poll(NULL, 0, 300) == 0 ? GOES : REFUSED;
}

/* A poll(2) that was stopped goes on by a system call of its own. */
static void test_suspended(void **state)
{
	struct sandbox s = {.becomes = false};
	struct child c = {&s, SANDBOX_WORKER, sleeps};
	struct timespec pause = {.tv_nsec = 100000000};
	struct proc p;
	int status;

	(void)state;
	assert_true(sandbox_prepare(&s));
	assert_true(proc_spawn(&p, child_run, &c));
	nanosleep(&pause, NULL);
	assert_int_equal(kill(p.pid, SIGSTOP), 0);
	nanosleep(&pause, NULL);
	assert_int_equal(kill(p.pid, SIGCONT), 0);
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	assert_int_equal(status, 0);
	close(p.fd);
}

static int waits_for_ever(void)
{
	send(3, "in", 2, 0);
	return poll(NULL, 0, -1);
}

/* Dies with its master, whoever it has become. Its end of the queue closes. */
static void test_dies_with_the_master(void **state)
{
	struct sandbox s = {.becomes = geteuid() == 0, .user = {.uid = 4711, .gid = 4712}};
	int ends[2];
	char c;
	pid_t master;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	master = fork();
	if (master == 0) {
		struct child child = {&s, SANDBOX_WORKER, waits_for_ever};
		struct proc p;
		char in[2];

		if (!sandbox_prepare(&s) || !proc_spawn(&p, child_run, &child))
			_exit(1);
		if (recv(p.fd, in, 2, MSG_WAITALL) != 2)
			_exit(2);
		dup2(p.fd, ends[1]); /* so the test sees its end when the child has gone */
		raise(SIGKILL);
	}
	close(ends[1]);
	assert_int_equal(waitpid(master, NULL, 0), master);
	assert_int_equal(recv(ends[0], &c, 1, 0), 0);
	close(ends[0]);
}

/* A master that died while the child changed its user: no signal will come. */
static void test_master_is_gone(void **state)
{
	struct sandbox s = {.becomes = true, .user = {.uid = 4711, .gid = 4712}};

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(sandbox_prepare(&s));
	s.master = 1;
	assert_int_equal(end_of(&s, SANDBOX_WORKER, sleeps), NOT_IN);
}

static int set_up(void **state)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0777) < 0)
		return -1;
	other = getpid();
	snprintf(made_file, sizeof(made_file), "%s/file", folder);
	snprintf(made_folder, sizeof(made_folder), "%s/folder", folder);
	snprintf(hearing.sun_path, sizeof(hearing.sun_path), "%s/socket", folder);
	if (bind(fd, (struct sockaddr *)&hearing, sizeof(hearing)) < 0 ||
	    chmod(hearing.sun_path, 0777) < 0)
		return -1;
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return code == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(hearing.sun_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deeds_outside),
		cmocka_unit_test(test_deeds),
		cmocka_unit_test(test_deeds_of_another_user),
		cmocka_unit_test(test_no_paths),
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_root_without_rights),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_dies_with_the_master),
		cmocka_unit_test(test_master_is_gone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

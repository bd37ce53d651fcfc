/*
 * The system calls that a child makes once it has started, and no others.
 *
 * The list is what strace(1) saw under all tests, and what the C library may do at other times: the clocks where
 * the kernel has no fast way to them (vdso), a poll(2) that goes on after SIGCONT (restart_syscall), the last words
 * of abort(3), assert(3) and the stack protector.
 *
 * What is in no list fails as if this kernel did not have it: ENOSYS. The C library knows what to do then, and
 * a version that begins to use something new costs a try, not every record. Rejected: the death of the process
 * for every such call. It would be charged to a target that has done nothing, and an update of a library
 * would be an outage. But what nobody calls except an intruder is death (KILL): to run a program, to make
 * memory executable, to look into others or to signal them. That leaves a line in the kernel's log and
 * names the target that the worker was at work on.
 *
 * Descriptors that are open when a worker enters are the only ones that it ever sends by, since it cannot
 * close them: so the one socket that it may open, to ask for the name of an interface (if_indextoname(3)), is good
 * for nothing else. And nobody reads what lies below the queue: standard error is a terminal at times, where
 * somebody types.
 *
 * Sockets of the file system are for sessions of a run that asks one, and of no other: behind such wait the session bus and
 * the agents of the person who started us, and Landlock does not look at connect(2).
 *
 * The traps: arguments are compared as 64 bits, of which the kernel may look at 32 only, so "all numbers from
 * N" would let in others than it says. And a call that a machine does not have is passed over by libseccomp in
 * silence: aarch64 has no poll, dup2, time, and takes ppoll and dup3 for them.
 */
#include "pool/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARGS_MAX 3

/* who has a rule */
#define W   (1u << SANDBOX_WORKER)
#define S   (1u << SANDBOX_SESSION)
#define R   (1u << SANDBOX_RESOLVER)
#define C   (1u << SANDBOX_COURIER)
#define ALL (W | S | R | C)
#define P   (1u << 4) /* sessions that connect to sockets of the file system */

/* clang-format off */
#define CALL(name, who)      {.call = SCMP_SYS(name), .roles = (who)}
#define CALL_IF(name, who, n, ...) \
	{.call = SCMP_SYS(name), .roles = (who), .nargs = (n), .args = {__VA_ARGS__}}
/* the argument of that number, from 0 */
#define IS(number, value)     {.arg = (number), .op = SCMP_CMP_EQ, .datum_a = (value)}
#define IS_NOT(number, value) {.arg = (number), .op = SCMP_CMP_NE, .datum_a = (value)}
#define BELOW(number, value)  {.arg = (number), .op = SCMP_CMP_LT, .datum_a = (value)}
#define ABOVE(number, value)  {.arg = (number), .op = SCMP_CMP_GT, .datum_a = (value)}
#define BITS(number, mask, value) \
	{.arg = (number), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (value)}
/* clang-format on */

#define OPEN_BITS    (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | O_TMPFILE)
#define TYPE_BITS    0xf  /* of a socket's type: without SOCK_CLOEXEC and the like */
#define FUTEX_BITS   0x7f /* without FUTEX_PRIVATE_FLAG and the like */
#define INDEX_TO     (SOCK_DGRAM | SOCK_CLOEXEC) /* the socket of if_indextoname() */
#define READ_FIRST   4    /* descriptors: what was opened after the queue; a power of two */
#define READ_END     1024 /* the least free number is taken, so few are needed */
#define NUMBER_OF(a) (sizeof(a) / sizeof((a)[0]))

struct rule {
	int call;
	unsigned roles;
	unsigned nargs;
	struct scmp_arg_cmp args[ARGS_MAX];
};

static const struct rule allowed[] = {
	/* waiting, the queue, the log */
	CALL(poll, ALL),
	CALL(ppoll, ALL),
	CALL(ppoll_time64, ALL),
	CALL(restart_syscall, ALL),
	CALL(recvfrom, ALL),
	CALL_IF(sendto, ALL, 1, IS(4, 0)), /* to the other end, whoever that is */
	CALL_IF(write, ALL, 1, IS(0, STDERR_FILENO)),
	CALL_IF(writev, ALL, 1, IS(0, STDERR_FILENO)),

	/* memory, time, chance */
	CALL(brk, ALL),
	CALL_IF(mmap, ALL, 1, BITS(2, PROT_EXEC, 0)),
	CALL(munmap, ALL),
	CALL(mremap, ALL),
	CALL_IF(futex, ALL, 1, BITS(1, FUTEX_BITS, FUTEX_WAKE)), /* of pthread_once(3) */
	CALL(clock_gettime, ALL),
	CALL(clock_gettime64, ALL),
	CALL(gettimeofday, ALL),
	CALL(time, ALL),
	CALL(getrandom, ALL),

	/* the end; for tgkill, and sendmmsg and close of a worker, see own_rules() */
	CALL(exit_group, ALL),
	CALL(exit, ALL),
	CALL(getpid, ALL),
	CALL(gettid, ALL),
	CALL(rt_sigprocmask, ALL),

	/* datagrams */
	CALL(recvmmsg, W),
	CALL(recvmmsg_time64, W),
	CALL_IF(setsockopt, W, 2, IS(1, IPPROTO_IP), IS(2, IP_MTU_DISCOVER)),

	/* the name of an interface, for the text of an address */
	CALL_IF(socket, W | S, 3, IS(0, AF_UNIX), IS(1, INDEX_TO), IS(2, 0)),
	CALL_IF(ioctl, W | S, 1, IS(1, SIOCGIFNAME)),

	/* streams */
	CALL_IF(socket, P, 2, IS(0, AF_UNIX), IS(1, SOCK_STREAM)),
	CALL_IF(socket, S | R | C, 2, IS(0, AF_INET), BITS(1, TYPE_BITS, SOCK_STREAM)),
	CALL_IF(socket, S | R | C, 2, IS(0, AF_INET6), BITS(1, TYPE_BITS, SOCK_STREAM)),
	CALL_IF(setsockopt, S | R | C, 2, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
	CALL_IF(getsockopt, S | C, 1, IS(1, SOL_SOCKET)),
	CALL(bind, S),
	CALL(connect, S | R | C),
	CALL(getsockname, S | R | C),
	CALL_IF(fcntl, S | R | C, 1, IS(1, F_GETFL)),
	CALL_IF(fcntl, S | R | C, 1, IS(1, F_SETFL)),
	CALL(dup2, S),
	CALL(dup3, S),
	CALL(close, S | R | C),
	CALL(setitimer, S),    /* ends a connect() that takes too long, */
	CALL(rt_sigreturn, S), /* by a signal */

	/* TLS and DTLS */
	CALL_IF(socket, S, 2, IS(0, AF_INET), IS(1, SOCK_DGRAM)),
	CALL_IF(socket, S, 2, IS(0, AF_INET6), IS(1, SOCK_DGRAM)),
	CALL_IF(setsockopt, S, 2, IS(1, SOL_SOCKET), IS(2, SO_RCVTIMEO)),
	CALL(write, S),

	/* DNS, and the files that say how */
	CALL_IF(socket, R | C, 2, IS(0, AF_INET), BITS(1, TYPE_BITS, SOCK_DGRAM)),
	CALL_IF(socket, R | C, 2, IS(0, AF_INET6), BITS(1, TYPE_BITS, SOCK_DGRAM)),
	CALL_IF(fcntl, R | C, 1, IS(1, F_GETFD)),
	CALL_IF(fcntl, R | C, 1, IS(1, F_SETFD)),
	CALL(sendto, R | C),
	CALL(writev, R | C),
	CALL_IF(openat, R | C, 1, BITS(2, OPEN_BITS, O_RDONLY)),
	CALL(newfstatat, R | C),
	CALL(fstat, R | C),
	CALL(lseek, R | C),

	/* a broker: messages go to the owner from where they lie; how much of what was sent is on its way; the last frames of the
	 * owner's queue are waited for */
	CALL(sendmsg, C),
	CALL_IF(setsockopt, C, 2, IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE)),
	CALL_IF(setsockopt, C, 2, IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)),
	CALL_IF(ioctl, C, 1, IS(1, SIOCOUTQ)),
	CALL(clock_nanosleep, C),
	CALL(clock_nanosleep_time64, C),

	/* what machines of 32 bits call some of these */
	CALL_IF(mmap2, ALL, 1, BITS(2, PROT_EXEC, 0)),
	CALL(sigreturn, S),
	CALL_IF(futex_time64, ALL, 1, BITS(1, FUTEX_BITS, FUTEX_WAKE)),
	CALL_IF(fcntl64, S | R | C, 1, IS(1, F_GETFL)),
	CALL_IF(fcntl64, S | R | C, 1, IS(1, F_SETFL)),
	CALL_IF(fcntl64, R | C, 1, IS(1, F_GETFD)),
	CALL_IF(fcntl64, R | C, 1, IS(1, F_SETFD)),
	CALL(fstatat64, R | C),
	CALL(fstat64, R | C),
	CALL(_llseek, R | C),
};

static const struct rule deadly[] = {
	CALL(execve, ALL),
	CALL(execveat, ALL),
	CALL(fork, ALL),
	CALL(vfork, ALL),
	CALL(clone, ALL),
	CALL(clone3, ALL),
	CALL_IF(mmap, ALL, 1, BITS(2, PROT_EXEC, PROT_EXEC)),
	CALL_IF(mmap2, ALL, 1, BITS(2, PROT_EXEC, PROT_EXEC)),
	CALL_IF(mprotect, ALL, 1, BITS(2, PROT_EXEC, PROT_EXEC)),
	CALL(ptrace, ALL),
	CALL(process_vm_readv, ALL),
	CALL(process_vm_writev, ALL),
	CALL(kill, ALL),
	CALL(tkill, ALL),
	CALL(rt_sigqueueinfo, ALL),
	CALL(rt_tgsigqueueinfo, ALL),
	CALL(pidfd_send_signal, ALL),
	CALL_IF(socket, ALL, 1, ABOVE(0, AF_INET6)), /* AF_NETLINK, AF_PACKET, AF_VSOCK, ... */
	CALL(connect, W),
	CALL(bind, W),
	CALL(listen, ALL),
	CALL(accept, ALL),
	CALL(accept4, ALL),
};

/* A filter at an address where there is none: EFAULT by a kernel that has filters. Any other error but EINVAL is of
 * somebody who refuses, and loading will tell. */
bool sandbox_seccomp_probe(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) >= 0 || errno != EINVAL;
}

/* 0, or an error's negative number, as all of libseccomp's functions have it. */
static int add_rules(scmp_filter_ctx c, unsigned roles, const struct rule *rules, size_t n,
		     uint32_t action)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		if (rules[i].roles & roles)
			error = seccomp_rule_add_array(c, action, rules[i].call, rules[i].nargs,
						       rules[i].args);
	return error;
}

/* The first descriptor that is free. If there is none, there will never be one: those that are open stay. */
static scmp_datum_t first_free(void)
{
	int next = dup(STDERR_FILENO);

	if (next >= 0)
		close(next);
	return next >= 0 ? (scmp_datum_t)next : INT_MAX;
}

/* What depends on this very process: abort(3) signals it and nobody else; a worker sends by what is open now,
 * and closes what comes after, which is one at most. */
static int own_rules(scmp_filter_ctx c, unsigned roles)
{
	scmp_datum_t self = (scmp_datum_t)getpid(), first = first_free();
	const struct rule own[] = {
		CALL_IF(tgkill, ALL, 1, IS(0, self)),
		CALL_IF(sendmmsg, W, 1, BELOW(0, first)),
		CALL_IF(close, W, 1, IS(0, first)),
	};
	const struct rule others[] = {CALL_IF(tgkill, ALL, 1, IS_NOT(0, self))};
	int error = add_rules(c, roles, own, NUMBER_OF(own), SCMP_ACT_ALLOW);

	return error ? error
		     : add_rules(c, roles, others, NUMBER_OF(others), SCMP_ACT_KILL_PROCESS);
}

/* Reading from READ_FIRST to READ_END, by masks: from a power of two to the next. */
static int read_rules(scmp_filter_ctx c, unsigned roles)
{
	int error = 0;

	for (scmp_datum_t from = READ_FIRST; from < READ_END && !error; from *= 2) {
		const struct rule reads = CALL_IF(read, S | R | C, 1, BITS(0, ~(from - 1), from));

		error = add_rules(c, roles, &reads, 1, SCMP_ACT_ALLOW);
	}
	return error;
}

static int fill(scmp_filter_ctx c, unsigned roles)
{
	int error = add_rules(c, roles, allowed, NUMBER_OF(allowed), SCMP_ACT_ALLOW);

	if (!error)
		error = add_rules(c, roles, deadly, NUMBER_OF(deadly), SCMP_ACT_KILL_PROCESS);
	if (!error)
		error = own_rules(c, roles);
	return error ? error : read_rules(c, roles);
}

bool sandbox_seccomp_enter(enum sandbox_role role, bool paths)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	unsigned roles = 1u << role | (role == SANDBOX_SESSION && paths ? P : 0);
	int error;

	if (!c) {
		errno = ENOMEM;
		return false;
	}
	error = fill(c, roles);
	if (!error)
		error = seccomp_load(c);
	seccomp_release(c);
	errno = -error;
	return !error;
}

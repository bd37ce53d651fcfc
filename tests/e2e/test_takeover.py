#!/usr/bin/env python3
"""A worker, a session and the resolver of the real program, with somebody else in them: what can they still do? And
when did they give up what they cannot: before the first octet from outside.

tests/unit/test_sandbox_linux.c tries the same lists in children of its own, by the C library's functions. Here the system
calls are made in the processes of a running poll (takeover.py), all that there are: what is in no list below must be
refused, so a list that grows by mistake is seen."""
import os
import re
import signal
import socket
import struct
import unittest

import poller
import processes
import takeover

ROLES = 'worker', 'session', 'resolver'
HERE = -100 & 0xffffffff  # AT_FDCWD
QUEUE, LANE = 3, 4
STREAM, DGRAM, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW
CLOEXEC = os.O_CLOEXEC
INET, INET6, UNIX, NETLINK, PACKET, VSOCK = 2, 10, 1, 16, 17, 40
LOOPBACK = struct.pack('!2sH4s8x', struct.pack('=H', INET), 9, bytes([127, 0, 0, 1]))
READ_EXEC = 5
OF_THE_KERNEL = {335, 336}  # uretprobe, uprobe: a trampoline's, which the kernel keeps from filters and others from itself
SECRET_FILES = b'/etc/passwd\0', b'/etc/shadow\0', b'/proc/self/mem\0', b'/proc/self/environ\0', b'/dev/tty\0'
NAME_FILES = b'/etc/hosts\0', b'/etc/resolv.conf\0', b'/etc/nsswitch.conf\0', b'/etc/gai.conf\0'

ALL = set('''poll ppoll restart_syscall recvfrom sendto write writev brk mmap munmap mremap futex clock_gettime gettimeofday
             time getrandom exit_group exit getpid gettid rt_sigprocmask tgkill socket close'''.split())
MAY = {  # calls that may go well with the right arguments
    'worker': ALL | set('recvmmsg sendmmsg setsockopt ioctl'.split()),
    'session': ALL | set('''setsockopt getsockopt ioctl bind connect getsockname fcntl dup2 dup3 setitimer rt_sigreturn
                            read'''.split()),
    'resolver': ALL | set('setsockopt connect getsockname fcntl openat newfstatat fstat lseek read'.split()),
}
KILLS = set('''execve execveat fork vfork clone clone3 ptrace process_vm_readv process_vm_writev kill tkill rt_sigqueueinfo
               rt_tgsigqueueinfo pidfd_send_signal listen accept accept4'''.split())


@unittest.skipUnless('sandbox: linux' in poller.version(), 'built without')
@unittest.skipUnless(takeover.KNOWN, 'needs root on x86-64')
class TakenOver(poller.Poll):
    def start(self):
        """A poll with one child of each role; all of them wait. Records are in the file that is returned."""
        park = self.agents('*:silent')
        output = open(self.path('out'), 'w+b')
        self.addCleanup(output.close)
        process = self.start_poller('-F', 'jsonl', '-t', '30s', '-j', '1', '-p', park.port, '127.0.0.1',
                                    f'tcp:127.0.0.1:{park.port}', 'localhost', stdout=output)
        self.wait_until(lambda: park.counters()['received'] >= 2 and
                        os.path.getsize(self.path('out')))  # the session's record: nothing listens there
        return process, dict(zip(ROLES, processes.children(process.pid)))

    def wait_for_death(self, process, *pids):
        """Until the master knows of it."""
        self.wait_until(lambda: not set(pids) & set(processes.children(process.pid)))

    def finish(self, process):
        """The poll is as able as it was: every target has its record."""
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 128 + signal.SIGTERM)
        self.assertEqual(len(self.read('out').splitlines()), 3)
        return self.stderr

    def test_all_calls(self):
        """Each system call that is in no list fails as if the kernel had none; and the process lives on."""
        process, children = self.start()
        names = takeover.names()
        for role, pid in children.items():
            taken = takeover.Taken(pid)
            wrong = {}
            for number in sorted(set(range(480)) - OF_THE_KERNEL):
                name = names.get(number, str(number))
                if name in MAY[role] | KILLS | ({'connect', 'bind'} if role == 'worker' else set()):
                    continue
                result = taken.refuses(number)
                if result != 'refused':
                    wrong[name] = result
            self.assertEqual(wrong, {}, role)
            taken.release()
        self.assertEqual(self.finish(process), '')

    def test_security_md(self):
        """The document counts the calls as this file does."""
        with open(os.path.join(os.environ['ABS_SRCDIR'], 'SECURITY.md'), encoding='utf-8') as f:
            row = next(line for line in f if line.startswith('| system calls'))
        self.assertEqual([int(word) for word in re.findall(r'\d+', row)], [len(MAY[role]) for role in ROLES])

    def assert_refused(self, role, taken, *call):
        self.assertEqual(taken.refuses(*call), 'refused', (role, *call))

    def test_files(self):
        """No file, but for the resolver its four, to read."""
        process, children = self.start()
        for role, pid in children.items():
            taken = takeover.Taken(pid)
            for path in SECRET_FILES:
                self.assert_refused(role, taken, 'openat', HERE, path, os.O_RDONLY, 0)
                self.assert_refused(role, taken, 'open', path, os.O_RDONLY, 0)
            for path in NAME_FILES:
                if role == 'resolver' and os.path.exists(path[:-1]):
                    fd = taken.call('openat', HERE, path, os.O_RDONLY, 0)
                    self.assertGreater(fd, QUEUE, path)
                    self.assertEqual(taken.call('close', fd), 0)
                elif role != 'resolver':
                    self.assert_refused(role, taken, 'openat', HERE, path, os.O_RDONLY, 0)
                for flags in os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_PATH:
                    self.assert_refused(role, taken, 'openat', HERE, path, flags, 0)
            made = self.path('made').encode() + b'\0'
            self.assert_refused(role, taken, 'openat', HERE, made, os.O_WRONLY | os.O_CREAT, 0o600)
            self.assert_refused(role, taken, 'openat', HERE, b'/tmp\0', os.O_RDWR | os.O_TMPFILE, 0o600)
            self.assert_refused(role, taken, 'openat', HERE, b'/etc\0', os.O_RDONLY | os.O_DIRECTORY, 0)
            taken.release()
        self.assertEqual(self.finish(process), '')

    def test_sockets(self):
        process, children = self.start()
        for role, pid in children.items():
            taken = takeover.Taken(pid)
            for family in INET, INET6:
                self.assert_refused(role, taken, 'socket', family, RAW, socket.IPPROTO_ICMP)
                if role == 'worker':
                    self.assert_refused(role, taken, 'socket', family, DGRAM, 0)
                    self.assert_refused(role, taken, 'socket', family, STREAM, 0)
            self.assert_refused(role, taken, 'socket', UNIX, DGRAM, 0)
            self.assert_refused(role, taken, 'socket', UNIX, STREAM, 0)  # no target is unix:
            if role != 'resolver':  # sendto() is for the queue, which has one other end
                self.assert_refused(role, taken, 'sendto', LANE, b'x', 1, 0, LOOPBACK, len(LOOPBACK))
            self.assert_refused(role, taken, 'setsockopt', LANE, socket.SOL_SOCKET, 25, b'lo\0', 3)  # SO_BINDTODEVICE
            taken.release()
        self.assertEqual(self.finish(process), '')

    def test_worker_sends_by_its_sockets_only(self):
        process, children = self.start()
        taken = takeover.Taken(children['worker'])
        fd = taken.call('socket', UNIX, DGRAM | CLOEXEC, 0)  # the one that names an interface
        self.assertGreater(fd, LANE)
        self.assert_refused('worker', taken, 'sendmmsg', fd, b'\0' * 64, 1, 0)
        self.assert_refused('worker', taken, 'close', LANE)  # its number could be had for another
        self.assert_refused('worker', taken, 'close', LANE + (1 << 32))
        self.assertEqual(taken.call('close', fd), 0)
        taken.release()
        self.assertEqual(self.finish(process), '')

    def test_terminal(self):
        """Nobody reads what is typed where standard error is a terminal, or types there."""
        process, children = self.start()
        for role, pid in children.items():
            taken = takeover.Taken(pid)
            for fd in 0, 1, 2, 2 + (1 << 32):
                self.assert_refused(role, taken, 'read', fd, b'\0' * 16, 16)
            for request in 0x5412, 0x5401, 0x5412 + (1 << 32):  # TIOCSTI, TCGETS
                self.assert_refused(role, taken, 'ioctl', 2, request, b'x')
            taken.release()
        self.assertEqual(self.finish(process), '')

    def test_what_kills(self):
        """Who runs a program, makes code, looks into others, signals them or opens what nobody here opens is dead, and the
        poll goes on without him."""
        program = b'/bin/true\0'
        for call in (('execve', program, 0, 0), ('clone', signal.SIGCHLD), ('fork',),
                     ('ptrace', 16, 'master'), ('process_vm_writev', 'master', 0, 0, 0, 0),
                     ('process_vm_readv', 'master', 0, 0, 0, 0), ('kill', 'master', 0), ('kill', -1, 0),
                     ('tgkill', 'master', 'master', 0), ('tkill', 'master', 0), ('mmap', 0, 4096, READ_EXEC, 0x22, -1, 0),
                     ('mprotect', 0, 4096, READ_EXEC), ('socket', NETLINK, RAW, 0), ('socket', PACKET, RAW, 0),
                     ('socket', VSOCK, STREAM, 0), ('listen', LANE, 1), (0x40000000 + 39,)):
            with self.subTest(call=call):
                process, children = self.start()
                words = [process.pid if word == 'master' else word for word in call]
                for role, pid in children.items():
                    self.assertEqual(takeover.Taken(pid).refuses(*words), 'killed', role)
                self.wait_for_death(process, *children.values())
                self.assertIn('was killed by signal 31 (Bad system call)', self.finish(process))

    def test_worker_connects_nowhere(self):
        for call in ('connect', LANE, LOOPBACK, len(LOOPBACK)), ('bind', LANE, LOOPBACK, len(LOOPBACK)):
            with self.subTest(call=call[0]):
                process, children = self.start()
                self.assertEqual(takeover.Taken(children['worker']).refuses(*call), 'killed')
                self.wait_for_death(process, children['worker'])
                self.finish(process)

    def test_own_signal(self):
        """A crash stays a crash: abort(3) of a child is seen as what it is."""
        for role in ROLES:
            with self.subTest(role=role):
                process, children = self.start()
                pid = children[role]
                taken = takeover.Taken(pid)
                self.assertEqual(taken.call('tgkill', pid, pid, signal.SIGABRT), 0)
                taken.release()
                self.wait_for_death(process, pid)
                self.assertIn('was killed by signal 6 (Aborted)', self.finish(process))


@unittest.skipUnless('sandbox: linux' in poller.version(), 'built without')
@unittest.skipUnless(takeover.KNOWN, 'needs root on x86-64')
class Order(poller.Poll):
    """What each process did, from its first system call to its last."""

    def setUp(self):
        super().setUp()
        park = self.agents()
        status, self.master, self.calls = takeover.trace(
            [poller.MULTISNMP, '-q', '-j', '2', '-p', str(park.port), '127.0.0.1', '127.0.0.2', 'localhost',
             f'tcp:127.0.0.1:{park.port}'])
        self.assertEqual(status, 1)
        self.assertGreaterEqual(park.counters()['received'], 3)

    def of(self, pid):
        return [(name, args, result) for caller, name, args, result in self.calls if caller == pid]

    def test_master_has_no_socket_of_the_network(self):
        families = [args[0] for name, args, _ in self.of(self.master) if name in ('socket', 'socketpair')]
        self.assertEqual(set(families), {UNIX})
        self.assertFalse([name for name, _, _ in self.of(self.master) if name in ('recvmmsg', 'recvmsg', 'bind')])

    def test_children(self):
        """Groups, then the user, then what a change of the user takes back, then the fences; and only then the first word from
        outside, be it the master's."""
        steps = ('setgroups', 'setgid', 'setuid', 'dumpable', 'follow', 'getppid', 'no new privileges', 'capset',
                 'landlock_restrict_self', 'seccomp', 'outside')
        prctls = {4: 'dumpable', 1: 'follow', 38: 'no new privileges'}
        outside = 'recvfrom', 'recvmmsg', 'recvmsg', 'connect', 'sendmmsg', 'sendto', 'sendmsg'
        begun = 0
        for pid in {caller for caller, *_ in self.calls} - {self.master}:
            at, ended = {}, self.of(pid)
            for i, (name, args, result) in enumerate(ended):
                name = prctls.get(args[0], 'prctl') if name == 'prctl' else name
                name = 'outside' if name in outside else name
                if name == 'seccomp' and (args[0] != 1 or result != 0):  # it asks what there is
                    continue
                if name in steps and (name == 'outside' and name in at or name == 'setuid' and args[0] == 0):
                    continue
                at[name] = i  # the last of its kind, of `outside` the first
            if 'outside' not in at:  # one that only tried whether it may
                self.assertEqual(ended[-1][0], 'seccomp')
                continue
            begun += 1
            places = [at.get(step, -1) for step in steps if step != 'no new privileges']  # libseccomp asks again
            self.assertEqual(places, sorted(places), dict(zip(steps, places)))
            self.assertNotIn(-1, places)
        self.assertEqual(begun, 4)  # two workers, a session, the resolver


if __name__ == '__main__':
    unittest.main()

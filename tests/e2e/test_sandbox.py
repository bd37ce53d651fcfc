#!/usr/bin/env python3
"""What the processes that meet the network may still do, as the kernel tells it of a running poll; whom
they are; and what happens where the kernel cannot or may not fence them in.

What a child that was taken over tries in vain is in test_takeover.py."""
import ctypes
import ctypes.util
import errno
import os
import pwd
import signal
import socket
import subprocess
import unittest

import poller
import processes

NOBODY = pwd.getpwnam('nobody')
LINUX = 'sandbox: linux' in poller.version()
NO_CAPABILITIES = '0' * 16
ALLOW = 0x7fff0000  # of libseccomp
EPERM_ACTION = 0x00050000 | errno.EPERM


def expand(words):
    """The names of system calls in a list of systemd's."""
    calls = set()
    for word in words:
        if not word.startswith('@'):
            calls.add(word)
            continue
        run = subprocess.run(['systemd-analyze', 'syscall-filter', word], capture_output=True, text=True, check=True)
        lines = (line.strip() for line in run.stdout.splitlines()[1:])
        calls |= expand(line for line in lines if line and not line.startswith('#'))
    return calls


def refusing(error, *calls):
    """A preexec_fn: a filter around the program, as a container's, in which these calls fail with this error.
    A call is its name, or that and a list of its first argument's value."""
    return filtering(ALLOW, 0x00050000 | error, calls)


def filtering(default, action, calls):
    lib = ctypes.CDLL(ctypes.util.find_library('seccomp') or 'libseccomp.so.2', use_errno=True)

    class Compare(ctypes.Structure):
        _fields_ = [('arg', ctypes.c_uint), ('op', ctypes.c_int), ('a', ctypes.c_uint64), ('b', ctypes.c_uint64)]

    lib.seccomp_init.restype = ctypes.c_void_p
    equal = 4

    def apply():
        context = ctypes.c_void_p(lib.seccomp_init(default))
        for call in calls:
            name, compares = call if isinstance(call, tuple) else (call, [])
            array = (Compare * 1)(*[Compare(0, equal, value, 0) for value in compares])
            number = lib.seccomp_syscall_resolve_name(name.encode())
            if number != -1 and lib.seccomp_rule_add_array(context, action, number, len(compares), array):
                os._exit(97)
        if lib.seccomp_load(context):
            os._exit(98)
    return apply


class Sandbox(poller.Poll):
    def poll_for_a_while(self, *words):
        """A running poll of a silent host with a worker, of a stream with a session, of a name with a
        resolver; the pids of the children."""
        self.park = self.agents('*:silent')
        process = self.start_poller('-t', '60s', '-j', '1', '-p', self.park.port, *words, '127.0.0.1',
                                    f'tcp:127.0.0.1:{self.park.port}', 'localhost')
        self.wait_until(lambda: self.park.counters()['received'] >= 2)  # the name is looked up, too
        self.wait_for_output(process)  # the session's record: nothing listens there
        pids = processes.children(process.pid)
        self.assertEqual(len(pids), 3)
        return process, pids

    def yaml(self, text):
        return '-f', self.write('hosts.yaml', f'hosts: []\n{text}\n')


@unittest.skipUnless(os.path.exists('/proc/self/status'), 'needs /proc')
class Processes(Sandbox):
    @unittest.skipUnless(LINUX, 'built without')
    def test_children_are_fenced_in(self):
        process, pids = self.poll_for_a_while()
        for pid in pids:
            status = processes.status_of(pid)
            self.assertEqual((status['Seccomp'], status['NoNewPrivs']), ('2', '1'), status)
            self.assertEqual((status['CapPrm'], status['CapEff'], status['CapInh']), (NO_CAPABILITIES,) * 3)
        master, here = processes.status_of(process.pid), processes.status_of('self')
        for key in ('Seccomp', 'NoNewPrivs', 'CapPrm', 'Uid', 'Gid'):
            self.assertEqual(master[key], here[key], key)

    def assert_user(self, pid, entry):
        status = processes.status_of(pid)
        self.assertEqual(status['Uid'].split(), [str(entry.pw_uid)] * 4)
        self.assertEqual(status['Gid'].split(), [str(entry.pw_gid)] * 4)
        self.assertEqual(status['Groups'].split(), [str(entry.pw_gid)])

    @unittest.skipUnless(poller.ROOT, 'needs root')
    def test_nobody(self):
        process, pids = self.poll_for_a_while()
        for pid in pids:
            self.assert_user(pid, NOBODY)
            self.assertEqual(os.stat(f'/proc/{pid}/status').st_uid, 0)  # and nobody else of that name looks in
        self.assertEqual(processes.status_of(process.pid)['Uid'].split(), ['0'] * 4)

    @unittest.skipUnless(poller.ROOT, 'needs root')
    def test_run_as(self):
        _, pids = self.poll_for_a_while(*self.yaml('run_as: daemon'))
        for pid in pids:
            self.assert_user(pid, pwd.getpwnam('daemon'))

    @unittest.skipUnless(poller.ROOT, 'needs root')
    def test_run_as_root(self):
        _, pids = self.poll_for_a_while(*self.yaml('run_as: root'))
        for pid in pids:
            status = processes.status_of(pid)
            self.assertEqual(status['Uid'].split(), ['0'] * 4)
            if LINUX:
                self.assertEqual(status['CapPrm'], NO_CAPABILITIES)

    def test_next_generation(self):
        """A worker that takes another's place is as fenced in as that one was."""
        process, pids = self.poll_for_a_while()
        os.kill(pids[0], signal.SIGKILL)
        def replaced():
            now = processes.children(process.pid)
            return len(now) == 3 and pids[0] not in now and self.park.counters()['received'] >= 4
        self.wait_until(replaced)
        fresh, = set(processes.children(process.pid)) - set(pids)
        self.assertEqual(processes.status_of(fresh)['Uid'], processes.status_of(pids[1])['Uid'])
        self.assertEqual(processes.status_of(fresh)['Seccomp'], processes.status_of(pids[1])['Seccomp'])


class RunAs(Sandbox):
    def test_unknown_user(self):
        for words in (), ('--check',):
            run = self.run_poller(*self.yaml('run_as: nosuchuser'), *words, '127.0.0.1')
            self.assertEqual((run.returncode, run.stdout), (2, ''))
            self.assertIn("hosts.yaml:2:9: run_as: there is no user 'nosuchuser'\n", run.stderr)

    def as_nobody(self, *words):
        os.chmod(self.folder, 0o755)
        how = {'user': NOBODY.pw_uid, 'group': NOBODY.pw_gid, 'extra_groups': []} if poller.ROOT else {}
        park = self.agents()
        run = self.run_poller('-p', park.port, *words, '127.0.0.1', **how)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('\tsysDescr.0\t', run.stdout)
        return run.stderr

    def test_not_root(self):
        """Who cannot become another user is told so, if another one was asked for."""
        config = self.write('hosts.yaml', 'hosts: []\nrun_as: daemon\n', mode=0o644)
        self.assertEqual(self.as_nobody(), '')
        self.assertEqual(self.as_nobody('-f', config),
                         "multisnmp: warning: run_as: only root can become 'daemon'; workers stay who they are\n")
        self.assertEqual(self.as_nobody('-q', '-f', config), '')
        if poller.ROOT:
            config = self.write('own.yaml', 'hosts: []\nrun_as: nobody\n', mode=0o644)
            self.assertEqual(self.as_nobody('-f', config), '')

    @unittest.skipUnless(poller.ROOT and poller.have('setpriv'), 'needs root and setpriv')
    def test_root_that_may_not(self):
        """A container's root without CAP_SETUID: nothing is sent, and the way out is to say so."""
        park = self.agents()
        def run(*words):
            return subprocess.run(['setpriv', '--bounding-set', '-setuid', poller.MULTISNMP, *words, '-p',
                                   str(park.port), '127.0.0.1'], capture_output=True, text=True,
                                  timeout=poller.LONG, check=False, stdin=subprocess.DEVNULL)
        refused = run()
        self.assertEqual((refused.returncode, refused.stdout), (4, ''))
        self.assertEqual(refused.stderr,
                         f'multisnmp: cannot become the user of run_as (uid {NOBODY.pw_uid}): Operation not permitted\n'
                         'multisnmp: workers cannot give up their rights, so none is started\n')
        self.assertEqual(park.counters()['received'], 0)
        self.assertEqual(run(*self.yaml('run_as: root')).returncode, 0)

    @unittest.skipUnless(poller.ROOT, 'needs root')
    def test_socket_that_only_root_may_use(self):
        """Workers connect to a socket of the file system as who they are by then."""
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path('agent'))
            s.listen()
            record = self.one(f'unix:{self.path("agent")}', status=1)
        self.assertEqual((record['status'], record['message']),
                         ('unreachable', 'connecting there is not allowed'))


@unittest.skipUnless(LINUX, 'built without')
class Kernels(Sandbox):
    NO_SECCOMP = (('prctl', [22]),)  # PR_SET_SECCOMP; a kernel that was built without says EINVAL
    LANDLOCK = ('landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self')

    def run_on(self, action, calls, *words):
        park = self.agents()
        run = self.run_poller(*words, '-j', '2', '-p', park.port, '127.0.0.1', '127.0.0.2', 'localhost',
                              preexec_fn=refusing(action, *calls))
        return run, park.counters()['received']

    def assert_warns(self, calls, lacks):
        run, received = self.run_on(errno.ENOSYS, calls)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertGreaterEqual(received, 3)
        self.assertEqual(run.stderr, f'multisnmp: warning: this kernel has no {lacks}, '
                                     'which would fence workers in\n')
        self.assertEqual(self.run_on(errno.ENOSYS, calls, '-q')[0].stderr, '')

    def test_without_landlock(self):
        self.assert_warns(self.LANDLOCK, 'Landlock')

    def test_landlock_switched_off(self):
        run, _ = self.run_on(errno.EOPNOTSUPP, self.LANDLOCK)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('no Landlock', run.stderr)

    def test_refused(self):
        """It is there, and somebody does not let us: no poll, and the file of before stays."""
        for call, words in (('landlock_create_ruleset', 'Landlock is refused: Operation not permitted'),
                            ('landlock_add_rule', 'Landlock is refused: Operation not permitted'),
                            ('landlock_restrict_self', 'Landlock is refused: Operation not permitted'),
                            ('capset', 'cannot drop capabilities: Operation not permitted')):
            with self.subTest(call=call):
                self.write('out', 'before')
                run, received = self.run_on(errno.EPERM, [call], '-o', self.path('out'))
                self.assertEqual((run.returncode, received), (4, 0), run.stderr)
                self.assertIn(words, run.stderr)
                self.assertLessEqual(len(run.stderr.splitlines()), 2)
                self.assertEqual(self.read('out'), 'before')
                self.assertEqual(sorted(os.listdir(self.folder)), ['out'])

    @unittest.skipUnless(poller.have('systemd-analyze'), 'needs systemd-analyze')
    def test_filter_of_the_unit(self):
        """Its list lets workers do what they do before they enter: all that it does not name is refused."""
        with open(os.path.join(os.environ['ABS_SRCDIR'], 'contrib/systemd/multisnmp.service'), encoding='utf-8') as f:
            words = [line.split('=', 1)[1].split() for line in f if line.startswith('SystemCallFilter=')][0]
        run = self.run_within(expand(words))
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        run = self.run_within(expand(w for w in words if 'landlock' not in w))  # that it is one that refuses
        self.assertEqual(run.returncode, 4, run.stderr)

    def run_within(self, calls):
        park = self.agents()
        return self.run_poller('-j', '2', '-p', park.port, '127.0.0.1', 'localhost',
                               preexec_fn=filtering(EPERM_ACTION, ALLOW, calls))

    def test_seccomp_refused(self):
        run, received = self.run_on(errno.EPERM, ['seccomp', ('prctl', [22])])  # PR_SET_SECCOMP
        self.assertEqual((run.returncode, received), (4, 0), run.stderr)
        self.assertIn('seccomp is refused: ', run.stderr)

    def test_without_seccomp(self):
        park = self.agents()
        run = self.run_poller('-p', park.port, '127.0.0.1', preexec_fn=refusing(errno.EINVAL, *self.NO_SECCOMP))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('this kernel has no seccomp, which', run.stderr)

    def test_without_both(self):
        park = self.agents()
        def both():
            refusing(errno.ENOSYS, *self.LANDLOCK)()
            refusing(errno.EINVAL, *self.NO_SECCOMP)()
        run = self.run_poller('-p', park.port, '127.0.0.1', preexec_fn=both)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('this kernel has no seccomp and no Landlock, which', run.stderr)


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""Processes that are killed, hang, cannot start or kill each other: one record per target, whatever happens.

Faults of workers that need no help from inside are in test_workers.py as well; signals to a run in test_output.py."""
import fcntl
import json
import os
import pwd
import signal
import socket
import subprocess
import time
import unittest

import killers
import poller
import processes
import summary
import together

SANITIZER = 'looks for leaks in a process of its own, and may have none'
MARK = 'xxxxxxxx'  # in the answers of agents with `long-values=40`, and of no other


class Faults(poller.Poll):
    def assert_each_once(self, records, count):
        self.assertEqual(len(records), count)
        self.assertEqual(len({r['host'] for r in records}), count)

    def assert_deaths(self, number):
        self.assertEqual(summary.Summary(self.stderr).deaths, number)


@killers.needs_poison
class DeadlyAnswers(Faults):
    """Answers that kill the worker that reads them, as a fault of a codec would."""

    def run_timed(self, agents, env, status):
        start = time.monotonic()
        records = self.poll('-s', '-j', '2', '-t', '1s', '-r', '1', '-p', agents.port, '127.20.0.0/20',
                            status=status, env=env)
        return records, time.monotonic() - start

    def one_among_silent_ones(self, address):
        agents = self.agents(f'{address}:long-values=40', '*:silent')
        records, without = self.run_timed(agents, None, 1)
        self.assertEqual([r['host'] for r in records if r['status'] == 'ok'], [address])

        def attempt():
            records, seconds = self.run_timed(agents, killers.poisoned(MARK), 1)
            self.assert_each_once(records, 4096)
            self.assertEqual([r['host'] for r in records if r['status'] == 'crashed'], [address])
            self.assertEqual(sum(r['status'] == 'timeout' for r in records), 4095)
            self.assert_deaths(3)
            return seconds
        # 3 s without; each death is an answer's way, a pause of 100 ms and the waits of its worker's targets anew
        self.assert_once_below(without + 2, attempt)

    def test_first_of_4096(self):
        self.one_among_silent_ones('127.20.0.0')

    def test_last_of_4096(self):
        self.one_among_silent_ones('127.20.15.255')

    def test_several(self):
        """Each kills three times and is `crashed`; nobody else is, whatever the manner of death."""
        agents = self.agents('every:16:long-values=40')
        for deed in 'segv', 'abort', 'exit':
            with self.subTest(deed=deed):
                records = self.poll('-s', '-j', '2', '-p', agents.port, '127.20.0.0/25', status=1,
                                    env=killers.poisoned(MARK, deed))
                self.assert_each_once(records, 128)
                crashed = sorted(int(r['host'].rsplit('.', 1)[1]) for r in records if r['status'] == 'crashed')
                self.assertEqual(crashed, list(range(0, 128, 16)))
                self.assertEqual(sum(r['status'] == 'ok' for r in records), 120)
                self.assert_deaths(24)

    def test_no_other_than_those(self):
        """They are all that there is: nobody brings a record, and still the run has not failed."""
        agents = self.agents('*:long-values=40')
        records = self.poll('-j', '1', '-p', agents.port, '127.20.0.0/28', status=1,
                            env=killers.poisoned(MARK))
        self.assert_each_once(records, 16)
        self.assertEqual({r['status'] for r in records}, {'crashed'})
        self.assertEqual({r['message'] for r in records}, {'three workers died while at work on it'})

    def test_v3(self):
        agents = self.agents('127.20.0.3:long-values=40', options=('--user', poller.USER))
        if os.environ.get('WITH_TLS') != 'yes':
            self.skipTest('the agents have no cryptography')
        records = self.poll(*poller.V3, '-p', agents.port, '127.20.0.0/29', status=1, env=killers.poisoned(MARK))
        self.assert_each_once(records, 8)
        self.assertEqual([r['host'] for r in records if r['status'] == 'crashed'], ['127.20.0.3'])


class Killed(Faults):
    """Signals from outside, at the very moment at which a worker has sent something, too."""

    def strike_back(self, number, *words, status, most=None):
        """A run with a target that sends `number` to whatever worker asks it."""
        killer = killers.Killer('127.0.0.1', number, most)
        self.addCleanup(killer.stop)
        start = time.monotonic()
        process = self.start_poller('-F', 'jsonl', '-s', *words, f'127.0.0.1:{killer.port}')
        killer.parent = process.pid
        records = self.finish(process, status)
        self.seconds = time.monotonic() - start
        return records, killer

    @unittest.skipUnless(poller.ROOT, "finds a worker by its descriptors, which are root's")
    def test_a_target_strikes_back(self):
        """The first four workers that ask it are killed; all is asked again, nothing is told twice."""
        agents = self.agents('every:2:silent')
        for number in signal.SIGKILL, signal.SIGSEGV:
            with self.subTest(number=number):
                records, killer = self.strike_back(number, '-t', '400ms', '-r', '1', '-j', '2', '-p', agents.port,
                                                   '127.21.0.0/24', status=1, most=4)
                self.assert_each_once(records, 257)
                self.assertEqual(len(killer.killed), 4)
                self.assert_deaths(4)
                self.assertIn(f'was killed by signal {int(number)} (', self.stderr)
                for r in records:
                    silent = r['host'].startswith('127.0') or int(r['host'].rsplit('.', 1)[1]) % 2 == 0
                    self.assertEqual(r['status'], 'timeout' if silent else 'ok', r)

    def test_no_worker_can_live(self):
        """What is known is written, what is open is cancelled, exit status 4; the pauses between double."""
        agents = self.agents('127.21.0.16/28:silent')
        times = []
        killer = killers.Killer(most=0)
        self.addCleanup(killer.stop)
        process = self.start_poller('-F', 'jsonl', '-t', '30s', '-j', '1', '-p', agents.port, '127.21.0.0/27',
                                    f'127.0.0.1:{killer.port}')
        known = [json.loads(process.stdout.readline()) for _ in range(16)]
        # each, as soon as it lives; the first has brought records, five that bring nothing are the end. No more than
        # those: what a sanitizer forks at the master's own end is not to be killed
        while len(times) < 6 and process.poll() is None:
            for pid in processes.children_or_none(process.pid):
                if processes.state_of(pid) not in (None, 'Z'):
                    os.kill(pid, signal.SIGKILL)
                    times.append(time.monotonic())
                    processes.wait_gone([pid], 10)
            time.sleep(0.001)
        records = known + self.finish(process, 4)
        self.assert_each_once(records, 33)
        self.assertEqual({r['status'] for r in known}, {'ok'})
        self.assertEqual({(r['status'], r['message']) for r in records[16:]}, {('cancelled', 'no worker could live')})
        self.assertIn('the workers die again and again without a record; giving up', self.stderr)
        pauses = [b - a for a, b in zip(times, times[1:])]
        self.assertEqual(len(pauses), 5, pauses)
        for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.8, 1.6)):
            self.assertGreaterEqual(pause, least * 0.9)
        self.assertLess(pauses[0], 2)

    def test_pause_begins_anew(self):
        """A worker that has brought a record is replaced at once, however many died before it."""
        agents = self.agents('*:late=300ms')
        process = self.start_poller('-F', 'jsonl', '-t', '5s', '-j', '1', '--window', '1', '-p', agents.port,
                                    '127.21.0.0/28')
        gaps = []
        for _ in range(8):
            process.stdout.readline()
            pid, = processes.children(process.pid)
            os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()
            self.wait_until(lambda pid=pid: any(p != pid and processes.state_of(p) != 'Z'
                                                for p in processes.children_or_none(process.pid)))
            gaps.append(time.monotonic() - killed)
        self.assertEqual(len(self.finish(process)), 16 - 8)
        self.assertLess(min(gaps[-3:]), 1.0, gaps)  # doubling, the eighth would be 5 s, and the sixth 3.2 s

    def test_counters_of_a_killed_worker(self):
        """It tells of its packets with its records: what it had told before counts."""
        agents = self.agents('127.21.1.0/24:silent')
        process = self.start_poller('-F', 'jsonl', '-s', '-t', '1s', '-r', '0', '-j', '1', '-p', agents.port,
                                    '127.21.0.0-255', '127.21.1.0')
        known = [process.stdout.readline() for _ in range(256)]
        self.wait_until(lambda: agents.counters()['received'] == 257)
        os.kill(processes.children(process.pid)[0], signal.SIGKILL)
        records = [json.loads(line) for line in known] + self.finish(process, 1)
        self.assert_each_once(records, 257)
        self.assert_deaths(1)
        count = summary.Summary(self.stderr).count
        self.assertEqual((count['answered'], count['received']), (256, 256))
        # its last packet, to the silent one, may have gone unreported: one less than the agents saw, at most
        self.assertIn(agents.counters()['received'] - count['sent'], (0, 1))


class Resources(Faults):
    """A process that the system does not give, or gives too little."""

    @staticmethod
    def as_nobody(processes):
        """A preexec_fn: a user of its own (no other run of these tests counts as his) with so many processes."""
        import resource
        user = 100000 + os.getpid()
        def limit():
            if poller.ROOT:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        return limit

    @unittest.skipIf(poller.WITH_ASAN, SANITIZER)
    def test_no_process_at_all(self):
        """Not even the one in which the sandbox is tried: every target has its record all the same."""
        agents = self.agents()
        self.write('out', 'old\n', mode=0o666)
        os.chmod(self.folder, 0o777)
        run = self.run_poller('-F', 'jsonl', '-j', '2', '-o', self.path('out'), '-p', agents.port, '127.22.0.0/28',
                              preexec_fn=self.as_nobody(1 if poller.ROOT else 0))
        self.assertEqual((run.returncode, run.stdout), (4, ''), run.stderr)
        self.assertIn('cannot start a ', run.stderr)
        self.assertEqual(agents.counters()['received'], 0)
        self.assertEqual(os.listdir(self.folder), ['out'])
        with open(self.path('out')) as file:
            records = [json.loads(line) for line in file]
        self.assert_each_once(records, 16)
        self.assertEqual({r['status'] for r in records}, {'cancelled'})

    @unittest.skipUnless(poller.ROOT, 'another user has other processes')
    @unittest.skipIf(poller.WITH_ASAN, SANITIZER)
    def test_no_process_any_more(self):
        """A worker dies, and there is none to replace it: what is known is written, the rest is cancelled."""
        agents = self.agents('127.22.0.16/28:silent')
        process = self.start_poller('-F', 'jsonl', '-t', '30s', '-j', '1', '-p', agents.port, '127.22.0.0/27',
                                    preexec_fn=self.as_nobody(2))
        known = [json.loads(process.stdout.readline()) for _ in range(16)]
        other = subprocess.Popen(['sleep', '100'], preexec_fn=self.as_nobody(100))
        self.addCleanup(self.end, other)
        self.wait_until(lambda: agents.counters()['received'] == 32)
        os.kill(processes.children(process.pid)[0], signal.SIGKILL)
        records = known + self.finish(process, 4)
        self.assert_each_once(records, 32)
        self.assertEqual({r['status'] for r in known}, {'ok'})
        self.assertEqual({r['status'] for r in records[16:]}, {'cancelled'})
        self.assertIn('cannot start a worker: ', self.stderr)

    @unittest.skipUnless(poller.ROOT, 'another user has other processes')
    @unittest.skipIf(poller.WITH_ASAN, SANITIZER)
    def test_one_worker_of_four(self):
        """The others cannot start; it does the work of all."""
        agents = self.agents()
        records = self.poll('-j', '4', '--window', '16', '-p', agents.port, '127.22.0.0/22',
                            preexec_fn=self.as_nobody(2))
        self.assert_each_once(records, 1024)
        self.assertEqual({r['status'] for r in records}, {'ok'})
        self.assertIn('cannot start a worker: ', self.stderr)

    @unittest.skipUnless(poller.ROOT, 'another user has other processes')
    @unittest.skipIf(poller.WITH_ASAN, SANITIZER)
    def test_one_worker_of_two_and_long_waits(self):
        """One lives and waits, the other one is tried for: the run has not failed while somebody lives."""
        agents = self.agents('*:late=25s')
        records = self.poll('-j', '2', '-t', '40s', '-p', agents.port, '127.22.0.0/30',
                            preexec_fn=self.as_nobody(2))
        self.assertEqual([r['status'] for r in records], ['ok'] * 4)

    @unittest.skipUnless(poller.ROOT, 'another user has other processes')
    @unittest.skipIf(poller.WITH_ASAN, SANITIZER)
    def test_no_resolver(self):
        """Names are given up, addresses are polled; the system failed us, and the exit status says so."""
        agents = self.agents()
        records = self.poll('-j', '1', '-4', '-p', agents.port, '127.22.0.0/28', 'localhost', 'localhost', status=4,
                            preexec_fn=self.as_nobody(2))
        self.assertEqual(len(records), 18)
        self.assertEqual(sum(r['status'] == 'ok' for r in records), 16)
        self.assertEqual({(r['status'], r['message']) for r in records if r['host'] == 'localhost'},
                         {('resolve', 'the resolver does not live')})

    @unittest.skipIf(poller.WITH_ASAN, 'its address space is large')
    def test_memory_for_no_worker(self):
        """A limit that the run inherits: exit status 4, and records or none, but no half of them."""
        import resource
        agents = self.agents()
        ends = set()
        for most in range(9 << 20, 25 << 20, 2 << 20):
            run = self.run_poller('-F', 'jsonl', '-j', '1', '-p', agents.port, '127.22.0.0/30',
                                  preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_AS, (most, most)))
            if run.returncode == 127 or run.returncode == -signal.SIGSEGV and not run.stderr:
                continue  # the program itself could not be loaded
            records = [json.loads(line) for line in run.stdout.splitlines()]
            ends.add(run.returncode)
            self.assertIn(run.returncode, (0, 4), run.stderr)
            statuses = {0: {'ok'}, 4: {'cancelled'}}[run.returncode]
            if records or run.returncode == 0:
                self.assert_each_once(records, 4)
                self.assertEqual({r['status'] for r in records}, statuses, run.stderr)
        self.assertIn(4, ends)

    @unittest.skipUnless(hasattr(__import__('resource'), 'prlimit'), 'Linux')
    @unittest.skipIf(poller.WITH_ASAN, 'its address space is large')
    def test_memory_runs_out(self):
        """A living worker may have no more than it has: it leaves, the next one does the work. It is the user
        of this test, or a root without all rights could not set its limit."""
        agents = self.agents('*:late-first=1s,rows=20000')
        who = pwd.getpwuid(os.geteuid()).pw_name
        process = self.start_poller('-F', 'jsonl', '-t', '5s', '-j', '1', '-p', agents.port, '-w', 'ifDescr', '-f',
                                    self.write('yaml', f'run_as: {who}\nhosts: [127.22.0.1]\n'))
        self.wait_until(lambda: agents.counters()['received'] > 0)
        worker, = processes.children(process.pid)
        processes.limit_memory(worker)
        record, = self.finish(process, 0)
        self.assertEqual(len(record['vars']), 20000)
        self.assertIn('multisnmp: out of memory\n', self.stderr)
        self.assertRegex(self.stderr, 'a worker exited with status 4.*; what it had in hand is asked again')


class Resolver(Faults):
    def names(self, *names):
        return '--targets', self.write('targets', ''.join(f'{name}\n' for name in names))

    @killers.needs_poison
    def test_a_deadly_name(self):
        """It kills the resolver three times; the other names, asked together with it, are found."""
        agents = self.agents()
        names = self.names(*['localhost'] * 3, 'deadly.invalid', *['localhost'] * 3, 'deadly.invalid')
        records = self.poll('-s', '-4', '-p', agents.port, *names, '127.23.0.1', status=1,
                            env=killers.poisoned('deadly'))
        self.assertEqual(len(records), 9)
        for r in records:
            self.assertEqual(r['status'], 'resolve' if r['host'] == 'deadly.invalid' else 'ok', r)
        self.assertEqual({r['message'] for r in records if r['status'] == 'resolve'},
                         {'the resolver died three times over this name'})
        self.assert_deaths(3)

    @killers.needs_poison
    def test_a_resolver_that_hangs(self):
        """Over one name, and is stopped besides: after 10 s it is killed, and again two times by this test."""
        agents = self.agents()
        process = self.start_poller('-F', 'jsonl', '-s', '-4', '-j', '1', '-p', agents.port,
                                    *self.names('hanging.invalid', 'localhost'), '127.23.0.1',
                                    env=killers.poisoned('hanging', 'hang'))
        first = json.loads(process.stdout.readline())
        self.assertEqual((first['host'], first['status']), ('127.23.0.1', 'ok'))  # nobody waits for it
        worker, resolver = processes.children(process.pid)
        os.kill(resolver, signal.SIGSTOP)
        for _ in range(2):
            last = resolver
            self.wait_until(lambda last=last: len(processes.children_or_none(process.pid)) == 2 and
                            last not in processes.children_or_none(process.pid))
            resolver, = set(processes.children(process.pid)) - {worker}
            self.wait_until(lambda pid=resolver: processes.ticks_of(pid) > 20)  # it hangs, and does nothing else
            os.kill(resolver, signal.SIGKILL)
        records = self.finish(process, 1)
        self.assertEqual({r['host']: r['status'] for r in records}, {'hanging.invalid': 'resolve', 'localhost': 'ok'})
        self.assertEqual(len(records), 2)
        self.assertIn('the resolver does not answer; it is killed', self.stderr)
        self.assert_deaths(3)


class Master(Faults):
    def polling(self, *words, silent='127.24.0.0/28', **how):
        """A run that has asked silent hosts, and its children."""
        agents = self.agents('*:silent')
        process = self.start_poller('-F', 'jsonl', '-t', '60s', '-j', '2', '-p', agents.port, *words, silent, **how)
        self.wait_until(lambda: agents.counters()['received'] >= 16)
        return process, processes.children(process.pid)

    @staticmethod
    def end_those_left(pids):
        for pid in pids:
            if processes.state_of(pid):
                os.kill(pid, signal.SIGKILL)

    def assert_gone(self, pids):
        seconds = processes.wait_gone(pids, 10)
        self.assertIsNotNone(seconds, 'a child outlived its master')
        self.assertLess(seconds, 3)  # "within a second", and a busy machine

    def test_killed(self):
        """Children leave: workers, the resolver, a session; those that are stopped, and those of another user, too."""
        words = [f'tcp:127.0.0.1:{self.listener()}', 'localhost']
        for run_as in ('nobody', 'root') if poller.ROOT else ('',):
            # only Linux kills children with their parent; elsewhere they must run to see the end of their queue
            for stopped in (False, True) if poller.WITH_EXTRAS else (False,):
                with self.subTest(run_as=run_as, stopped=stopped):
                    more = ['-f', self.write('yaml', f'run_as: {run_as}\nhosts: []\n')] if run_as else []
                    process, _ = self.polling(*more, *words)
                    self.wait_until(lambda process=process: len(processes.children(process.pid)) == 4)
                    pids = processes.children(process.pid)
                    self.addCleanup(self.end_those_left, pids)
                    for pid in pids if stopped else []:
                        os.kill(pid, signal.SIGSTOP)
                    process.kill()
                    process.wait()
                    self.assert_gone(pids)

    def listener(self):
        """A TCP port on which nobody answers."""
        s = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(s.close)
        return s.getsockname()[1]

    def test_killed_with_a_file(self):
        """Its temporary file may stay, its lock does not: the next run takes it over, and has nothing of the old one."""
        live = self.agents()
        out = self.write('out', 'old\n')
        process, pids = self.polling('-o', out, f'127.24.1.0/24:{live.port}', f'127.24.2.0/24:{live.port}')
        self.wait_until(lambda: os.path.getsize(self.path('.out.multisnmp')) > 0)
        process.kill()
        process.wait()
        self.assertEqual(self.read('out'), 'old\n')
        run = self.run_poller('-F', 'jsonl', '-o', out, '-p', live.port, '127.24.3.1')  # at once: nobody waits
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        record, = [json.loads(line) for line in self.read('out').splitlines()]
        self.assertEqual((record['host'], record['status']), ('127.24.3.1', 'ok'))
        self.assertEqual(os.listdir(self.folder), ['out'])
        self.assert_gone(pids)

    def test_one_signal_while_a_worker_hangs(self):
        """Everything known is written, and it does not take the 10 s for which a silent worker may hope else."""
        live = self.agents()
        for number in signal.SIGTERM, signal.SIGINT:
            with self.subTest(number=number):
                process, pids = self.polling('-s', '-j', '1', f'127.24.1.0/28:{live.port}')
                known = [json.loads(process.stdout.readline()) for _ in range(16)]
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                process.send_signal(number)
                start = time.monotonic()
                records = known + self.finish(process, 128 + number)
                self.assertLess(time.monotonic() - start, 6)
                self.assert_each_once(records, 32)
                self.assertEqual({r['status'] for r in known}, {'ok'})
                self.assertEqual({r['status'] for r in records[16:]}, {'cancelled'})
                self.assertRegex(self.stderr, '(?m)^multisnmp: warning: a worker .*; it is killed$')
                self.assert_gone(pids)

    def test_second_signal_with_a_file(self):
        """At once, though a worker hangs; the old file is whole, the temporary one gone, and so is everybody."""
        out = self.write('out', 'old\n')
        for number in signal.SIGTERM, signal.SIGINT:
            with self.subTest(number=number):
                self.assert_once_below(1, lambda n=number: self.second_signal(n, out))  # workers would be waited for 2 s at least

    def second_signal(self, number, out):
        """Seconds until the end."""
        process, pids = self.polling('-o', out)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        process.send_signal(number)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.send_signal(number)
        start = time.monotonic()
        self.assertEqual(process.wait(poller.LONG), 128 + number)
        seconds = time.monotonic() - start
        self.assertEqual(self.read('out'), 'old\n')
        self.assertEqual(os.listdir(self.folder), ['out'])
        self.assert_gone(pids)
        return seconds


class Overlap(Faults):
    def holder(self, out):
        """A run that is at work on this file."""
        silent = self.agents('*:silent')
        process = self.start_poller('-t', '60s', '-o', out, '-p', silent.port, '127.25.0.1')
        self.wait_until(lambda: silent.counters()['received'] > 0)
        return process

    def assert_refused(self, run, holder):
        self.assertEqual((run.returncode, run.stdout), (4, ''), run.stderr)
        self.assertRegex(run.stderr, rf"output '.*' is being written by process {holder.pid}\n\Z")

    def test_through_links(self):
        """It is the file that is locked, by whatever name it is called."""
        agents = self.agents()
        real = self.write('real', 'old\n')
        os.symlink('real', self.path('link'))
        os.symlink(self.path('link'), self.path('second'))
        for first, then in ('link', 'real'), ('real', 'second'):
            holder = self.holder(self.path(first))
            self.assert_refused(self.run_poller('-o', self.path(then), '-p', agents.port, '127.25.0.1'), holder)
            self.assertEqual(agents.counters()['received'], 0)
            self.assertEqual(self.read('real'), 'old\n')
            holder.kill()
            holder.wait()
        run = self.run_poller('-o', self.path('second'), '-p', agents.port, '127.25.0.1')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        with open(real, encoding='utf-8') as f:
            self.assertIn('Simulated agent', f.read())

    def test_three_at_once(self):
        """One of them has it, the others name that one and leave; its file is whole. Ten times."""
        agents = self.agents('*:late=300ms')
        for _ in range(10):
            runs = [self.start_poller('-F', 'jsonl', '-o', self.path('out'), '-p', agents.port, f'127.25.{n}.0/25')
                    for n in range(3)]
            ends = [(run.communicate(timeout=poller.LONG)[1].decode(), run) for run in runs]
            winners = [run for _, run in ends if run.returncode == 0]
            losers = [(err, run) for err, run in ends if run.returncode == 4]
            if len(winners) > 1:  # on a busy machine one was through before the other began
                continue
            self.assertEqual((len(winners), len(losers)), (1, 2), ends)
            for err, run in losers:
                self.assertIn(f'is being written by process {winners[0].pid}\n', err)
            hosts = {json.loads(line)['host'] for line in self.read('out').splitlines()}
            third = runs.index(winners[0])
            self.assertEqual(hosts, {f'127.25.{third}.{n}' for n in range(128)})
            self.assertEqual(os.listdir(self.folder), ['out'])
            return
        self.fail('they never met')

    def test_append_waits(self):
        """While another process holds the file: nothing is written; when it lets go, all is."""
        agents = self.agents()
        out = self.write('all', 'first\n')
        with open(out, 'r+', encoding='utf-8') as held:
            fcntl.lockf(held, fcntl.LOCK_EX)
            process = self.start_poller('-F', 'jsonl', '--append', '-o', out, '-p', agents.port, '127.25.0.0/28')
            self.wait_until(lambda: agents.counters()['received'] == 16)
            time.sleep(1)
            self.assertIsNone(process.poll())
            self.assertEqual(self.read('all'), 'first\n')
        records = self.finish(process, 0)
        self.assertEqual(records, [])
        lines = self.read('all').splitlines()
        self.assertEqual(lines[0], 'first')
        self.assert_each_once([json.loads(line) for line in lines[1:]], 16)


if __name__ == '__main__':
    together.main()

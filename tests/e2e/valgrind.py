#!/usr/bin/env python3
"""The end-to-end poll under valgrind's memcheck: no process of it reads what was never written, loses memory, or keeps
a descriptor. `make valgrind`, in a build of --disable-sandbox (valgrind fails under seccomp).

AddressSanitizer runs all tests, but sees only code that was compiled for it: what Net-SNMP, OpenSSL, c-ares and libyaml
do with what we hand them is seen here, and memory that was never written is seen only here.

A worker's errors change neither its master's output nor its exit status, so each process has a log of its own, and each
log is looked at: its errors and leaks, counted by valgrind, and its descriptors, which it lists (`--track-fds`) and does
not count. The master may keep the standard ones; a child 3 as well, its queue's end, by which the master sees it end.
The third kind, the child in which the sandbox is tried before the run, ends with what it was forked with.
"""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import poller
import processes
import rabbit

LONG = 300  # seconds: 20 to 50 times slower than without
OPEN_AT_END = re.compile(r'==\d+== *(Open (?:AF_\S+ socket|file descriptor) (\d+).*)\n==\d+== +(.*)')
COUNTED = re.compile(r'ERROR SUMMARY: (\d+) errors')
OPTIONS = ('--leak-check=full', '--show-leak-kinds=definite,indirect,possible',
           '--errors-for-leak-kinds=definite,indirect,possible', '--track-fds=yes', '--trace-children=yes',
           '--error-exitcode=99', '--vgdb=no')


def kept(log):
    """The descriptors that a process had open at its end and that were not its parent's before valgrind."""
    return [(int(number), what, where) for what, number, where in OPEN_AT_END.findall(log)
            if 'inherited from parent' not in where]


class Watched(poller.Poll):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.tops = set()  # those that we started; all others are their children
        self.killed = set()
        self.cancelled = False  # then the master ends its children, who say no more
        self.valgrind = ('valgrind', *OPTIONS, f'--log-file={self.path("log.%p")}')

    def start(self, *words):
        process = subprocess.Popen([*self.valgrind, poller.MULTISNMP, *map(str, words)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        self.tops.add(process.pid)
        return process

    def finish(self, process, status):
        out, err = process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, status, err.decode() + self.logs_text())
        self.stderr = err.decode()
        return [json.loads(line) for line in out.splitlines()]

    def poll(self, *words, status=0):
        records = self.finish(self.start('-F', 'jsonl', '-t', '5s', *words), status)
        self.check_logs()
        return records

    def may_be_killed(self, pid, log):
        return (pid in self.killed or self.cancelled) and not COUNTED.search(log)

    def logs(self):
        for name in sorted(os.listdir(self.folder)):
            if name.startswith('log.'):
                yield int(name[4:]), self.read(name)

    def logs_text(self):
        return ''.join(text for _, text in self.logs())

    def check_logs(self, processes=2):
        """All that valgrind had to say of a run's processes, so many at least; then it is forgotten."""
        seen = 0
        for pid, log in self.logs():
            seen += 1
            if pid in self.tops or not self.may_be_killed(pid, log):
                self.assertEqual(COUNTED.findall(log), ['0'], log)
            if pid in self.tops:
                self.assertEqual(kept(log), [], log)
            elif 'child_descriptors' in log:
                own = {3, 4} if ' cell_poll ' in log else {3}  # a cell's writer has a descriptor of its own
                self.assertEqual([fd for fd in kept(log) if fd[0] not in own], [], log)
            os.unlink(self.path(f'log.{pid}'))
        self.assertGreaterEqual(seen, processes)


class Valgrind(Watched):
    def test_get(self):
        agents = self.agents('127.1.0.9:silent', '127.1.0.5:wrong-id')
        records = self.poll('-p', agents.port, '-t', '1s', '-r', '1', '-g', 'sysName.0', '-g', '1.3.6.1.2.1.99.0',
                            '--summary', '127.1.0.0/28', status=1)
        self.assertEqual(sorted(r['status'] for r in records), ['ok'] * 14 + ['timeout'] * 2)

    def test_v1_and_text(self):
        agents = self.agents()
        process = self.start('-v', '1', '-p', agents.port, '-t', '5s', '-g', 'ifDescr.1', '-g', 'ifDescr.77',
                             '127.0.0.1')
        out, err = process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(len(out.splitlines()), 2)
        self.check_logs()

    def test_walk_and_table(self):
        agents = self.agents('*:rows=40')
        record, = self.poll('-p', agents.port, '-w', 'system', '--table', 'ifTable', '--set', 'index_label=ifName',
                            '--set', 'per_host=3', '127.0.0.1')
        self.assertGreater(len(record['vars']), 800)
        self.poll('-p', agents.port, '-w', '1.3.6.1.2.1', '-o', self.path('walk.jsonl'), '127.0.0.2')
        self.assertEqual(json.loads(self.read('walk.jsonl'))['status'], 'ok')

    def test_v3(self):
        agents = self.agents(options=('--user', poller.USER))
        records = self.poll('-p', agents.port, *poller.V3, '-g', 'sysName.0', '-w', 'ifTable', '127.1.0.1-4')
        self.assertEqual([r['status'] for r in records], ['ok'] * 4)
        wrong, = self.poll('-p', agents.port, *poller.V3[:-1], 'mistaken1', '-t', '1s', '-r', '0', '127.1.0.1', status=1)
        self.assertNotEqual(wrong['status'], 'ok')

    def test_stream(self):
        agents = self.agents()
        records = self.poll('-r', '0', f'udp:127.0.0.1:{agents.port}', 'tcp:127.0.0.1:1', status=1)
        self.assertEqual(sorted(r['status'] for r in records), ['ok', 'unreachable'])

    def test_file(self):
        agents = self.agents()
        targets = self.write('hosts.yaml', 'defaults: {version: 2c, port: %d}\n'
                             'groups: {g: {get: [sysDescr.0], walk: [system]}}\n'
                             'hosts: [127.0.0.1, {host: 127.0.0.2, group: g, label: second}]\n' % agents.port)
        for _ in range(2):
            self.assertEqual(self.poll('-f', targets, '-o', self.path('now.jsonl')), [])
        self.assertEqual(len(self.read('now.jsonl').splitlines()), 2)
        self.poll('-f', targets, '--append', '-o', self.path('now.jsonl'))
        self.assertEqual(len(self.read('now.jsonl').splitlines()), 4)

    def test_mistakes(self):
        """What is refused before anything is polled: one process."""
        targets = self.write('hosts.yaml', 'defaults: {comunity: x, get: [nothing.0]}\nhosts: [1.2.3.4/99, {hst: b}]\n')
        process = self.start('-f', targets)
        self.finish(process, 2)
        self.assertIn('comunity', self.stderr)
        self.check_logs(1)

    def test_resolver(self):
        agents = self.agents()
        records = self.poll('-p', agents.port, '-4', 'localhost', 'localhost', 'nothing.invalid', status=1)
        self.assertEqual(sorted(r['status'] for r in records), ['ok', 'ok', 'resolve'])

    def test_killed_worker(self):
        agents = self.agents('*:silent')
        process = self.start('-F', 'jsonl', '-j', '2', '-t', '8s', '-r', '0', '-p', agents.port, '127.0.0.1-8')
        deadline = time.monotonic() + LONG
        while agents.counters()['received'] < 8 and time.monotonic() < deadline:
            time.sleep(0.2)
        self.killed.add(processes.children(process.pid)[0])
        os.kill(list(self.killed)[0], signal.SIGKILL)
        records = self.finish(process, 1)
        self.assertEqual([r['status'] for r in records], ['timeout'] * 8)
        self.assertIn('was killed by signal 9', self.stderr)
        self.check_logs(4)

    def test_signal(self):
        agents = self.agents('*:silent')
        process = self.start('-F', 'jsonl', '-t', '60s', '-p', agents.port, '127.0.0.1-8', 'localhost')
        deadline = time.monotonic() + LONG
        while agents.counters()['received'] < 8 and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        self.cancelled = True
        self.assertEqual({r['status'] for r in self.finish(process, 128 + signal.SIGTERM)}, {'cancelled'})
        self.check_logs()


@rabbit.needs_broker
class OverABroker(Watched):
    """Master and courier; an agent, its courier, its cell with a resolver and workers; what librabbitmq does with what it is handed."""

    @classmethod
    def setUpClass(cls):
        cls.broker = rabbit.Broker()
        cls.addClassCleanup(cls.broker.remove)

    def poll_and_drain(self, *words, agent='{}\n', status=0):
        """A poll with one agent, which is ended then; nobody may leave anything behind."""
        url = self.broker.url(self.broker.vhost(self._testMethodName))
        worker = self.start('--agent', '--broker', url, '-f', self.write('agent.yaml', agent), '--name', 'a1', '-j', '2')
        records = self.finish(self.start('--broker', url, '-F', 'jsonl', '-t', '5s', *words), status)
        worker.terminate()
        self.finish(worker, 0)
        self.check_logs(8)
        return records

    def test_poll(self):
        agents = self.agents('127.1.0.9:silent', '127.1.0.1:rows=2000')
        records = self.poll_and_drain('-p', agents.port, '-t', '1s', '-r', '1', '-g', 'sysName.0', '-w', '1.3.6.1.2.1.2.2.1.2',
                                      '--summary', '127.1.0.0/25', 'localhost', 'nothing.invalid', status=1)
        count = collections.Counter(r['status'] for r in records)
        self.assertEqual(count, {'ok': 128, 'timeout': 1, 'resolve': 1})

    def test_file(self):
        """Into a file, with its journal; a credential that the agent has, and one that it lacks."""
        agents = self.agents(options=('--community', 'ours'))
        hosts = self.write('hosts.yaml', f'defaults: {{port: {agents.port}}}\n'
                           'credentials: {old: {version: 2c, community: x}, new: {version: 2c, community: y}}\n'
                           'hosts: [{host: 127.1.0.0/28, credential: old}, {host: 127.1.0.32, credential: new}]\n')
        self.poll_and_drain('-f', hosts, '-o', self.path('out.jsonl'), status=1,
                            agent='credentials: {old: {version: 2c, community: ours}}\n')
        count = collections.Counter(json.loads(line)['status'] for line in self.read('out.jsonl').splitlines())
        self.assertEqual(count, {'ok': 16, 'error': 1})


if __name__ == '__main__':
    if not shutil.which('valgrind'):
        sys.exit('make valgrind needs valgrind (Debian: valgrind)')
    unittest.main(verbosity=2)

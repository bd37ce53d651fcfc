#!/usr/bin/env python3
"""SIGHUP to a service: the configuration is read again, whole or not at all, and takes effect between two rounds."""
import os
import re
import signal
import subprocess
import threading
import time

import poller
import together
from poller import USER
from processes import children, has_taken, state_of, status_of, writable_memory
from test_interval import Rounds, later

OLD = [f'127.0.0.{i}' for i in range(1, 6)]
NEW = [f'127.0.0.{i}' for i in range(3, 11)]


def listed(hosts, more=''):
    return more + 'hosts:\n' + ''.join(f'  - {host}\n' for host in hosts)


class Reload(Rounds):
    def setUp(self):
        super().setUp()
        self.err = self.path('err')

    def serve(self, agents, *words, config=None, interval='0.5', **how):
        """A service of hosts.yaml; what it says goes to a file."""
        self.write('hosts.yaml', config or listed(OLD))
        with open(self.err, 'wb') as err:
            return self.start_poller('-F', 'jsonl', '-i', interval, '-p', agents.port, '--no-spread', *words,
                                     '-f', self.path('hosts.yaml'), stderr=err, **how)

    def said(self):
        return self.read('err')

    def said_of_reloads(self):
        """Not that the machine is too slow for the rounds."""
        return re.sub(r'.*: warning: (round \d+ took|stopped, or without a processor).* left out\n', '', self.said())

    def reload(self, process, config):
        self.write('hosts.yaml', config)
        process.send_signal(signal.SIGHUP)

    def until_reloaded(self, process):
        """What it was told to read is read, and it sleeps again."""
        self.wait_until(lambda: has_taken(process.pid, signal.SIGHUP) and state_of(process.pid) == 'S')

    def until_round_of(self, process, old, new):
        """Reads whole rounds of `old` until the first one of `new`; how many rounds of `old` came later than this was called."""
        count = 0
        called = time.time()
        while True:
            records = self.records(process, min(len(old), len(new)))
            hosts = [r['host'] for r in records]
            if set(hosts) <= set(new) and not set(hosts) <= set(old):
                rest = self.records(process, len(new) - len(records))
                self.assertEqual(sorted(hosts + [r['host'] for r in rest]), sorted(new))
                return count
            rest = self.records(process, len(old) - len(records))
            self.assertEqual(sorted(hosts + [r['host'] for r in rest]), sorted(old))
            count += max(later(r, called) for r in records + rest) > 0


class Good(Reload):
    def test_added_and_removed(self):
        """The next round is of the new list, and the rounds keep their rate."""
        process = self.serve(self.agents())
        self.in_rounds(self.records(process, len(OLD)), OLD)
        before = children(process.pid)
        self.reload(process, listed(NEW[::-1]))
        self.assertLess(self.until_round_of(process, NEW[:0] or OLD, NEW), 3)
        self.assertTrue(before and not set(before) & set(children(process.pid)))
        self.in_rounds(self.records(process, 2 * len(NEW)), NEW)
        self.end_by(process)
        self.assertEqual(self.said_of_reloads(), '')

    def test_in_the_middle_of_a_round(self):
        """Which is finished as it was begun, with all of its records."""
        agents = self.agents('127.0.0.5:late=1s')
        process = self.serve(agents, '-t', '10', interval='3')
        self.assertNotIn('127.0.0.5', [r['host'] for r in self.records(process, len(OLD) - 1)])
        self.reload(process, listed(NEW[-1:]))
        self.assertEqual([(r['host'], r['status']) for r in self.records(process, 1)], [('127.0.0.5', 'ok')])
        self.in_rounds(self.records(process, 1), NEW[-1:])
        self.assertEqual(self.end_by(process), [])

    def test_a_secret_in_a_file(self):
        agents = self.agents(options=('--community', 'second'))
        self.write('secret', 'first\n')
        process = self.serve(agents, '-t', '0.1', '-r', '0', config=listed(OLD[:1], 'defaults: {community_file: secret}\n'))
        self.assertEqual(self.records(process, 1)[0]['status'], 'timeout')
        self.write('secret', 'second\n')
        process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.records(process, 1)[0]['status'] == 'ok')
        self.end_by(process)

    def are_kept(self, secret, pids):
        return any(secret in piece for pid in pids for piece in writable_memory(pid) or ())

    def test_secrets_of_the_command_line_and_the_environment(self):
        """They are used again, and nobody else sees them again."""
        agents = self.agents(options=('--community', 'command-line', '--user', USER))
        entry = '{host: 127.0.0.2, version: 3, user: poller, auth: SHA-256, auth_pass_env: AUTH, priv: AES, priv_pass_env: PRIV}'
        environ = dict(os.environ, AUTH='authority1', PRIV='secrecy123')
        process = self.serve(agents, '-c', 'command-line', config=listed(['127.0.0.1', entry]), env=environ)
        hosts = ['127.0.0.1', '127.0.0.2']
        for _ in range(3):
            for r in self.records(process, 2):
                self.assertEqual(r['status'], 'ok', r)
            process.send_signal(signal.SIGHUP)
        self.reload(process, listed(['127.0.0.3', entry]))
        self.until_round_of(process, hosts, ['127.0.0.3', '127.0.0.2'])
        for pid in [process.pid, *children(process.pid)]:
            for name in ('cmdline', 'environ'):
                try:
                    with open(f'/proc/{pid}/{name}', 'rb') as f:
                        shown = f.read()
                except PermissionError:
                    continue
                for secret in (b'command-line', b'authority1', b'secrecy123'):
                    self.assertNotIn(secret, shown, name)
        kept = None if poller.WITH_ASAN else writable_memory(process.pid)
        if kept is not None:  # what the master keeps for the next time, its children do not have
            for secret in (b'authority1', b'secrecy123'):
                self.assertTrue(any(secret in piece for piece in kept))
                self.wait_until(lambda: not self.are_kept(secret, children(process.pid)),
                                f'a child keeps {secret}, and not only until it has wiped it after the fork')
        self.end_by(process)
        self.assertEqual(self.said_of_reloads(), '')

    def test_output_stays_locked(self):
        process = self.serve(self.agents(), '-o', self.path('now'))
        self.wait_until(lambda: os.path.exists(self.path('now')))
        self.reload(process, listed(NEW))
        self.wait_until(lambda: NEW[-1] in self.read('now'))
        other = self.run_poller('-o', self.path('now'), '-r', '0', '-t', '0.1', '127.0.0.1')
        self.assertEqual(other.returncode, 4, other.stderr)
        self.assertIn(f'process {process.pid}', other.stderr)
        process.terminate()
        self.output_of(process, 143)
        self.assertEqual(sorted(os.listdir(self.folder)), ['err', 'hosts.yaml', 'now'])

    def test_csv_has_one_head(self):
        self.write('hosts.yaml', listed(OLD))
        process = self.start_poller('-F', 'csv', '-i', '0.3', '-p', self.agents().port, '-f', self.path('hosts.yaml'))
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGHUP)
        lines += [process.stdout.readline() for _ in range(15)]
        process.terminate()
        lines += self.output_of(process, 143).splitlines()
        self.assertEqual([line.startswith(b'host,') for line in lines].count(True), 1)
        self.assertTrue(lines[0].startswith(b'host,'))


class Bad(Reload):
    def test_all_that_is_wrong_is_told(self):
        process = self.serve(self.agents())
        self.in_rounds(self.records(process, len(OLD)), OLD)
        self.reload(process, 'defaults: {comunity: x}\nhosts:\n  - 127.0.0.9\n  - {host: 127.0.0.1, timeout: soon}\n')
        self.wait_until(lambda: 'nothing was reloaded' in self.said())
        self.assertIn("hosts.yaml:1:12: unknown key 'comunity' (did you mean 'community'?)", self.said())
        self.assertIn('hosts.yaml:4:', self.said())
        self.in_rounds(self.records(process, 3 * len(OLD)), OLD)
        self.reload(process, listed(NEW))
        self.until_round_of(process, OLD, NEW)
        self.end_by(process)

    def test_a_file_that_has_gone(self):
        process = self.serve(self.agents())
        self.records(process, len(OLD))
        os.remove(self.path('hosts.yaml'))
        process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: 'nothing was reloaded' in self.said())
        self.assertIn('hosts.yaml: No such file', self.said())
        self.in_rounds(self.records(process, 2 * len(OLD)), OLD)
        self.end_by(process)

    def test_standard_input(self):
        process = self.start_poller('-F', 'jsonl', '-i', '0.5', '-p', self.agents().port, '-f', '-',
                                    stdin=subprocess.PIPE)
        process.stdin.write(listed(OLD).encode())
        process.stdin.close()
        process.stdin = None
        self.in_rounds(self.records(process, len(OLD)), OLD)
        process.send_signal(signal.SIGHUP)
        self.in_rounds(self.records(process, 3 * len(OLD)), OLD)
        self.end_by(process)
        self.assertIn('standard input cannot be read again', self.stderr)
        self.assertIn('nothing was reloaded', self.stderr)

    def test_a_pipe(self):
        """It was emptied by the first reading, and one with a name would make the master wait for a writer."""
        agents = self.agents()
        for how in ('list', 'secret'):
            with self.subTest(how):
                pipe = self.path(how)
                os.mkfifo(pipe)
                entry = f'{{host: 127.0.0.1, community_file: {pipe}}}'
                content, words = ('127.0.0.1\n', ['--targets', pipe]) if how == 'list' else ('public', ['-f', self.path('one')])
                self.write('one', listed([entry]))
                process = self.start_poller('-F', 'jsonl', '-i', '0.3', '-p', agents.port, *words)
                with open(pipe, 'w', encoding='utf-8') as f:
                    f.write(content)
                self.in_rounds(self.records(process, 1), ['127.0.0.1'])
                process.send_signal(signal.SIGHUP)
                self.in_rounds(self.records(process, 4), ['127.0.0.1'])
                self.end_by(process)
                self.assertIn('cannot be read again', self.stderr)
                self.assertIn('nothing was reloaded', self.stderr)

    def test_what_the_shell_makes_a_pipe_of(self):
        """`--targets <(…)`: an open descriptor, which gives nothing any more: not a list without targets."""
        out, into = os.pipe()
        os.write(into, b'127.0.0.1\n')
        os.close(into)
        process = self.start_poller('-F', 'jsonl', '-i', '0.3', '-p', self.agents().port, '--targets', f'/dev/fd/{out}',
                                    pass_fds=[out])
        os.close(out)
        self.in_rounds(self.records(process, 1), ['127.0.0.1'])
        process.send_signal(signal.SIGHUP)
        self.in_rounds(self.records(process, 4), ['127.0.0.1'])
        self.end_by(process)
        self.assertIn('a pipe cannot be read again', self.stderr)

    def test_a_good_one_and_then_a_bad_one(self):
        """The good one takes effect: it was whole when it was read."""
        process = self.serve(self.agents('127.0.0.5:late=1s'), '-t', '10', interval='2')
        self.records(process, len(OLD) - 1)
        self.reload(process, listed(NEW))
        self.until_reloaded(process)
        self.reload(process, 'hosts: 7\n')
        self.wait_until(lambda: 'nothing was reloaded' in self.said())
        self.records(process, 1)
        self.in_rounds(self.records(process, len(NEW)), NEW)
        self.end_by(process)


class Storm(Reload):
    def test_many_under_load(self):
        """Each round is of exactly one list, whatever comes when."""
        lists = [OLD, NEW]
        agents = self.agents('every:3:late=50ms')
        process = self.serve(agents, '-j', 2, interval='0.2')
        records = self.records(process, len(OLD))
        stop = threading.Event()

        def storm():
            number = 0
            while not stop.is_set():
                number += 1
                with open(self.path('hosts.new'), 'w', encoding='utf-8') as f:
                    f.write(listed(lists[number % 2]))
                os.replace(self.path('hosts.new'), self.path('hosts.yaml'))
                process.send_signal(signal.SIGHUP)
                stop.wait(0.013 * (number % 7))

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            records += self.records(process, 150)
        finally:
            stop.set()
            thread.join()
        records += self.end_by(process)
        rounds, one = {'old': 0, 'new': 0}, []
        for r in records:
            self.assertEqual(r['status'] in ('ok', 'cancelled'), True, r)
            self.assertNotIn(r['host'], one, 'twice in a round')
            one.append(r['host'])
            if sorted(one) == sorted(OLD):
                rounds['old'] += 1
                one = []
            elif sorted(one) == sorted(NEW):
                rounds['new'] += 1
                one = []
        self.assertEqual(one, [])
        self.assertTrue(all(rounds.values()), rounds)

    def test_before_it_has_begun(self):
        """It is still reading its files: they are read again, and nothing dies of it."""
        many = [f'127.0.{i // 250}.{i % 250 + 1}' for i in range(20000)]
        process = self.serve(self.agents(), '-t', '5', '-q', '-o', self.path('out'), config=listed(many), interval='1h')
        self.wait_until(lambda: int(status_of(process.pid)['SigBlk'], 16) & 1, pause=0.001)  # of SIGHUP
        process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: os.path.exists(self.path('out')))
        process.terminate()
        self.output_of(process, 143)
        self.assertEqual(self.read('out').count('\n'), len(many))

    def test_the_end_while_one_is_pending(self):
        """SIGTERM ends it, whatever else was asked for."""
        for pause in (0, 0.001, 0.003, 0.01, 0.05):
            process = self.serve(self.agents(), interval='0.2')
            self.records(process, len(OLD))
            process.send_signal(signal.SIGHUP)
            time.sleep(pause)
            process.terminate()
            self.in_rounds(self.finish(process, 143), OLD)


class Never(Reload):
    def test_without_rounds_it_ends_the_run(self):
        agents = self.agents('*:silent')
        process = self.start_poller('-t', '30', '-p', agents.port, '127.0.0.1')
        self.wait_until(lambda: agents.counters()['received'] > 0)
        process.send_signal(signal.SIGHUP)
        self.output_of(process, 128 + signal.SIGHUP)

    def test_ignored_it_stays(self):
        """As nohup(1) has it."""
        process = self.serve(self.agents(), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.records(process, len(OLD))
        self.reload(process, listed(NEW))
        self.in_rounds(self.records(process, 2 * len(OLD)), OLD)
        self.end_by(process)


if __name__ == '__main__':
    together.main()

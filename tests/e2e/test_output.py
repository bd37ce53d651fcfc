#!/usr/bin/env python3
"""Results appear whole or not at all: files, locks, pipes, full disks, signals."""
import itertools
import json
import os
import signal
import socket
import stat
import subprocess
import time
import unittest

import poller
import processes

SLOW = ('-t', '60s')  # a silent host keeps such a run open until a signal ends it


class Files(poller.Poll):
    def test_file_appears_whole(self):
        agents = self.agents()
        out = self.path('now.jsonl')
        run = self.run_poller('-F', 'jsonl', '-o', out, '-p', agents.port, '127.8.0.0/24')
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, '', ''))
        self.assertEqual(len(self.read('now.jsonl').splitlines()), 256)
        self.assertEqual(os.listdir(self.folder), ['now.jsonl'])

    def test_mode_is_kept_and_links_are_followed(self):
        agents = self.agents()
        self.write('real', 'old\n', mode=0o640)
        os.symlink('real', self.path('link'))
        run = self.run_poller('-o', self.path('link'), '-p', agents.port, '127.8.0.1')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue(os.path.islink(self.path('link')))
        self.assertEqual(stat.S_IMODE(os.stat(self.path('real')).st_mode), 0o640)
        self.assertIn('Simulated agent', self.read('real'))

    def test_full_device(self):
        agents = self.agents()
        run = self.run_poller('-o', '/dev/full', '-p', agents.port, '127.8.0.0/24')
        self.assertEqual(run.returncode, 3)
        self.assertIn('/dev/full', run.stderr)
        with open('/dev/full', 'wb') as full:
            run = subprocess.run([poller.MULTISNMP, '-p', str(agents.port), '127.8.0.0/24'], stdout=full,
                                 stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(run.returncode, 3)

    def test_full_disk_leaves_the_old_file(self):
        """A file size limit stands for the full disk: the write fails in the middle."""
        agents = self.agents()
        out = self.write('now.jsonl', 'old\n')
        import resource
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
        run = self.run_poller('-F', 'jsonl', '-o', out, '-p', agents.port, '127.8.0.0/20',
                              preexec_fn=limit)
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual(self.read('now.jsonl'), 'old\n')
        self.assertEqual(os.listdir(self.folder), ['now.jsonl'])

    def test_full_disk_leaves_no_half_record(self):
        agents = self.agents()
        out = self.write('all.jsonl', 'first\n')
        import resource
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
        run = self.run_poller('-F', 'jsonl', '--append', '-o', out, '-p', agents.port, '127.8.0.0/20',
                              preexec_fn=limit)
        self.assertEqual(run.returncode, 3, run.stderr)
        text = self.read('all.jsonl')
        self.assertTrue(text.startswith('first\n') and text.endswith('\n'))
        for line in text.splitlines()[1:]:
            json.loads(line)

    def test_full_output_of_a_check(self):
        with open('/dev/full', 'wb') as full:
            run = subprocess.run([poller.MULTISNMP, '--check', '127.0.0.1'], stdout=full,
                                 stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(run.returncode, 3)
        self.assertIn(b'standard output', run.stderr)

    def test_unwritable_folder_is_found_first(self):
        agents = self.agents()
        run = self.run_poller('-o', self.path('no/such/folder/out'), '-p', agents.port, '127.8.0.1')
        self.assertEqual(run.returncode, 3)
        self.assertIn('no/such/folder', run.stderr)
        self.assertEqual(agents.counters()['received'], 0)

    def test_second_run_names_the_first(self):
        agents = self.agents('*:silent')
        out = self.write('now.jsonl', 'old\n')
        first = self.start_poller(*SLOW, '-o', out, '-p', agents.port, '127.8.0.1')
        self.wait_until(lambda: agents.counters()['received'] > 0)
        second = self.run_poller(*SLOW, '-o', out, '-p', agents.port, '127.8.0.1')
        self.assertEqual(second.returncode, 4, second.stderr)
        self.assertIn(str(first.pid), second.stderr)
        first.kill()
        first.wait()
        live = self.agents()  # a dead holder blocks nobody; its temporary file is taken over
        third = self.run_poller('-o', out, '-p', live.port, '127.8.0.1')
        self.assertEqual(third.returncode, 0, third.stderr)
        self.assertEqual(os.listdir(self.folder), ['now.jsonl'])

    def test_append(self):
        agents = self.agents()
        out = self.write('all.jsonl', 'first\n')
        runs = [self.start_poller('-F', 'jsonl', '--append', '-o', out, '-p', agents.port,
                                  f'127.8.{n}.0/24') for n in range(4)]
        for run in runs:
            self.assertEqual(run.wait(poller.LONG), 0)
        lines = self.read('all.jsonl').splitlines()
        self.assertEqual(lines[0], 'first')
        self.assertEqual(len({json.loads(line)['host'] for line in lines[1:]}), 1024)

    def test_append_of_large_records(self):
        """Two runs append records that are larger than the writer's buffer: each stands together."""
        agents = self.agents(options=('--interfaces', '5000'))
        gets = ', '.join(f'ifDescr.{n}' for n in range(1, 5001))
        output = self.path('out')
        runs = []
        for run in 'AB':
            hosts = ''.join(f'  - {{host: 127.11.0.{n}, label: {run * 500}{n}}}\n'
                            for n in range(1, 31))
            name = self.write(run, f'defaults: {{port: {agents.port}, get: [{gets}]}}\n'
                                   f'hosts:\n{hosts}')
            runs.append(self.start_poller('-f', name, '--append', '-o', output))
        for run in runs:
            self.assertEqual(run.wait(poller.LONG), 0)
        hosts = [line.split('\t')[0] for line in self.read('out').splitlines()]
        groups = [len(list(lines)) for _, lines in itertools.groupby(hosts)]
        self.assertEqual(groups, [5000] * 60)


class Streams(poller.Poll):
    def test_closed_pipe_is_quiet(self):
        agents = self.agents()
        process = self.start_poller('-p', agents.port, '127.16.0.0/12')
        self.wait_for_output(process)
        process.stdout.close()
        self.assertEqual(process.wait(poller.LONG), 141)
        self.assertEqual(process.stderr.read(), b'')
        self.assertLess(agents.counters()['received'], 1 << 20)
        process.stdout = None

    def test_slow_reader_slows_the_polling(self):
        """Nothing is read for a while: sending stops, memory does not grow; then all is there."""
        agents = self.agents()
        process = self.start_poller('-F', 'jsonl', '-p', agents.port, '127.16.0.0/14')
        self.wait_for_output(process)
        seen, asked = -1, agents.counters()['received']
        while asked != seen:  # until the poller stands still
            time.sleep(0.3)
            seen, asked = asked, agents.counters()['received']
        self.assertLess(asked, 1 << 17, 'the reader did not slow the poller down')
        if not poller.WITH_ASAN:
            self.assertTrue(0 < processes.peak_kib(process.pid) < 16384)
        out, err = process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(out.count(b'\n'), 1 << 18)
        self.assertEqual(out.count(b'"status":"ok"'), 1 << 18)

    def test_socket_as_stdout(self):
        agents = self.agents()
        here, there = socket.socketpair()
        process = self.start_poller('-p', agents.port, '127.8.0.0/24', stdout=there)
        there.close()
        with here.makefile('rb') as lines:
            self.assertEqual(len(lines.readlines()), 256)
        here.close()
        self.assertEqual(process.wait(poller.LONG), 0)

    def test_standard_output_stays_blocking(self):
        agents = self.agents()
        read, write = os.pipe()
        subprocess.run([poller.MULTISNMP, '-p', str(agents.port), '127.8.0.1'], stdout=write,
                       stdin=subprocess.DEVNULL, check=True)
        self.assertTrue(os.get_blocking(write))
        os.close(read)
        os.close(write)


class Signals(poller.Poll):
    def started(self, *words, rules=('every:2:silent',), target='127.9.0.0/24'):
        agents = self.agents(*rules)
        process = self.start_poller('-F', 'jsonl', *SLOW, '-p', agents.port, *words, target)
        return process, agents

    def ends_with(self, number):
        process, _ = self.started()
        first = self.wait_for_output(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, 128 + number, err)
        records = [json.loads(line) for line in (first + out).decode().splitlines()]
        self.assertEqual(len(records), 256)
        self.assertEqual(len({r['host'] for r in records}), 256)
        self.assertEqual({r['status'] for r in records}, {'ok', 'cancelled'})
        self.assertGreaterEqual(sum(r['status'] == 'cancelled' for r in records), 128)

    def test_interrupt(self):
        self.ends_with(signal.SIGINT)

    def test_terminate(self):
        self.ends_with(signal.SIGTERM)

    def test_terminate_to_a_file(self):
        process, agents = self.started('-o', self.path('out'))
        self.wait_until(lambda: agents.counters()['received'] >= 256)
        process.terminate()
        self.assertEqual(process.wait(poller.LONG), 128 + signal.SIGTERM)
        self.assertEqual(len(self.read('out').splitlines()), 256)

    def test_early_signal_leaves_nothing(self):
        """It comes when there is a temporary file and no worker yet: a good end all the same."""
        agents = self.agents('*:silent')  # a port that refuses would be through before the signal, on a busy machine
        output, temporary = self.path('out'), self.path('.out.multisnmp')
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = self.start_poller('-o', output, '-F', 'jsonl', *SLOW, '-p', agents.port, '127.9.0.0/24')
            while not os.path.exists(temporary) and process.poll() is None:
                pass
            process.send_signal(number)
            _, err = process.communicate(timeout=poller.LONG)
            self.assertEqual(process.returncode, 128 + number, err)
            self.assertEqual(os.listdir(self.folder), ['out'])
            self.assertEqual(len(self.read('out').splitlines()), 256)
            os.unlink(output)

    def test_signal_while_nobody_reads(self):
        """Who waits for the reader of a FIFO can give up."""
        fifo = self.path('fifo')
        os.mkfifo(fifo)
        process = self.start_poller('-o', fifo, '127.9.0.1')
        self.wait_until(lambda: 'wait_for_partner' in self.where(process))
        process.terminate()
        self.assertEqual(process.wait(poller.LONG), -signal.SIGTERM)

    @staticmethod
    def where(process):
        """What it waits for in the kernel, if that is told here; else there has been time enough."""
        told = processes.place_of(process.pid)
        if not told:
            time.sleep(0.5)
        return told or 'wait_for_partner'

    def test_second_signal_keeps_the_old_file(self):
        """The first finds a reader that does not read, so the run cannot end; the second ends it."""
        agents = self.agents()
        fifo = self.path('fifo')
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        process = self.start_poller('-o', fifo, '-p', agents.port, '127.16.0.0/12')
        self.wait_until(lambda: agents.counters()['received'] >= 1000)
        process.terminate()
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(process.wait(poller.LONG), 128 + signal.SIGTERM)
        os.close(reader)

    def test_children_of_a_killed_master_leave(self):
        process, agents = self.started(target='127.9.0.0/28')
        self.wait_until(lambda: agents.counters()['received'] >= 16)
        workers = processes.children(process.pid)
        self.assertTrue(workers)
        process.kill()
        process.wait()
        self.assertIsNotNone(processes.wait_gone(workers, 10), 'a worker outlived its master')

    def test_deadline_of_the_run(self):
        agents = self.agents('every:2:silent')
        records = self.poll(*SLOW, '--deadline', '500ms', '-p', agents.port, '127.9.0.0/24', status=1)
        self.assertEqual(len(records), 256)
        self.assertEqual({r['status'] for r in records}, {'ok', 'cancelled'})

    def test_deadline_with_a_pipe_to_fill(self):
        """Most records are the master's own, and fill the output while nobody else wakes it."""
        agents = self.agents('*:silent')
        records = self.poll(*SLOW, '--deadline', '300ms', '-p', agents.port, '127.9.0.0/16', status=1)
        self.assertEqual(len(records), 65536)
        self.assertEqual({r['status'] for r in records}, {'cancelled'})

    def test_names_that_fill_the_output(self):
        """20,000 entries of one name that is unknown: each has its record, and the run ends."""
        label = 'x' * 400
        hosts = ''.join(f'- {{host: nobody.invalid, label: {label}{i}}}\n' for i in range(20000))
        records = self.poll('-f', self.write('hosts.yaml', 'hosts:\n' + hosts), status=1)
        self.assertEqual(len({r['host'] for r in records}), 20000)
        self.assertEqual({r['status'] for r in records}, {'resolve'})


if __name__ == '__main__':
    unittest.main()

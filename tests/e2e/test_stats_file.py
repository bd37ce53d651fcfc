#!/usr/bin/env python3
"""--stats-file: metrics of the program itself, as Prometheus's own readers take them."""
import os
import resource
import signal
import subprocess
import time
import unittest

import poller
import readers

NAME = 'multisnmp_'


class StatsFile(poller.Poll):
    def setUp(self):
        super().setUp()
        self.file = self.path('self.prom')

    def samples(self):
        """The file, whole: {name or name{label="value"}: number}, without the prefix."""
        text = self.read('self.prom')
        self.parse(text)
        if poller.have('promtool'):
            run = subprocess.run([poller.have('promtool'), 'check', 'metrics'], input=text, capture_output=True,
                                 text=True, timeout=poller.LONG, check=False)
            self.assertEqual((run.returncode, run.stdout + run.stderr), (0, ''))
        lines = [line.rpartition(' ') for line in text.splitlines() if not line.startswith('#')]
        self.assertEqual({name[:len(NAME)] for name, _, _ in lines}, {NAME})
        return {name[len(NAME):]: float(value) for name, _, value in lines}

    def parse(self, text):
        """By Prometheus's own client: a type, help and samples of each family, once, in one place."""
        if readers.prometheus_parser is None:
            return
        families = list(readers.prometheus_parser.text_string_to_metric_families(text))
        self.assertEqual(len({family.name for family in families}), len(families))
        for family in families:
            self.assertNotEqual(family.documentation, '')
            self.assertNotIn(family.type, ('unknown', 'untyped'))
            self.assertTrue(family.samples, family.name)

    def wait_for_round(self, number):
        """Samples of that round or a later one."""
        self.wait_until(lambda: os.path.exists(self.file) and
                        f'{NAME}rounds_total ' in self.read('self.prom') and
                        self.samples()['rounds_total'] >= number)
        return self.samples()

    def assert_records(self, s, kind, **wanted):
        records = {name.split('"')[1]: n for name, n in s.items() if name.startswith(kind + '{')}
        self.assertEqual(len(records), 11)
        self.assertEqual({status: n for status, n in records.items() if n}, wanted)

    def test_once(self):
        """A run without rounds: of what became of hosts and packets, and within its time."""
        agents = self.agents('127.12.0.1:silent', '127.12.0.2:duplicate')
        before = time.time()
        self.poll('-p', agents.port, '-t', '200ms', '-r', '1', '--stats-file', self.file, '127.12.0.0/29', status=1)
        s = self.samples()
        self.assert_records(s, 'last_round_records', ok=7, timeout=1)
        self.assert_records(s, 'records_total', ok=7, timeout=1)
        wanted = {'rounds_total': 1, 'rounds_skipped_total': 0, 'rounds_unwritten_total': 0, 'last_round_written': 1,
                  'targets': 8, 'packets_sent_total': 9, 'retries_total': 1, 'packets_answered_total': 7,
                  'packets_unanswered_total': 2, 'latency_seconds_count': 7, 'worker_restarts_total': 0,
                  'round_duration_seconds_count': 1, 'round_duration_seconds_bucket{le="+Inf"}': 1,
                  'round_duration_seconds_bucket{le="0.1"}': 0, 'config_reloads_total{result="ok"}': 0}
        self.assertEqual({name: s[name] for name in wanted}, wanted)
        self.assertEqual(s['packets_received_total'], 7 + s['replies_duplicate_total'])
        self.assertNotIn('interval_seconds', s)
        self.assertGreaterEqual(s['last_round_duration_seconds'], 0.6)  # 200 ms and 400 ms
        self.assertEqual(s['last_round_duration_seconds'], s['round_duration_seconds_sum'])
        self.assertGreater(s['latency_seconds{quantile="0.5"}'], 0)
        self.assertLessEqual(s['latency_seconds{quantile="0.5"}'], s['latency_seconds{quantile="1"}'])
        self.assertLessEqual(before - 1, s['start_time_seconds'])
        self.assertLess(s['start_time_seconds'], s['last_round_end_timestamp_seconds'])
        self.assertLessEqual(s['last_round_end_timestamp_seconds'], time.time() + 1)

    @unittest.skipUnless(poller.WITH_EXTRAS, 'of what Linux tells')
    def test_memory(self):
        agents = self.agents()
        self.poll('-p', agents.port, '-j', '3', '--stats-file', self.file, '127.12.0.0/24')
        s = self.samples()
        master, workers = (s[f'resident_memory_bytes{{process="{name}"}}'] for name in ('master', 'workers'))
        self.assertTrue(1e6 < master < 1e9, master)
        self.assertTrue(1e6 < workers < 3e9, workers)

    def test_no_targets(self):
        self.poll('-f', self.write('none.yaml', 'hosts: []\n'), '--stats-file', self.file)
        s = self.samples()
        self.assert_records(s, 'records_total')
        self.assertEqual((s['targets'], s['latency_seconds_count']), (0, 0))
        self.assertNotEqual(s['latency_seconds{quantile="0.5"}'], s['latency_seconds{quantile="0.5"}'])  # NaN

    def test_counters_grow(self):
        """Over rounds; what is of the last round does not; and no reader ever finds half a file."""
        agents = self.agents('127.12.0.1:silent')
        process = self.start_poller('-q', '-p', agents.port, '-t', '50ms', '-r', '0', '--interval', '300ms', '-o',
                                    self.path('out'), '--stats-file', self.file, '127.12.0.0/30')
        first = self.wait_for_round(1)
        later = self.wait_for_round(first['rounds_total'] + 3)
        rounds = later['rounds_total']
        self.assert_records(later, 'last_round_records', ok=3, timeout=1)
        self.assert_records(later, 'records_total', ok=3 * rounds, timeout=rounds)
        self.assertEqual(later['packets_sent_total'], 4 * rounds)
        self.assertEqual(later['latency_seconds_count'], 3 * rounds)
        self.assertEqual(later['round_duration_seconds_count'], rounds)
        self.assertGreater(later['round_duration_seconds_sum'], later['last_round_duration_seconds'])
        self.assertEqual(later['interval_seconds'], 0.3)
        self.assertEqual(later['start_time_seconds'], first['start_time_seconds'])
        self.assertGreater(later['last_round_end_timestamp_seconds'], first['last_round_end_timestamp_seconds'])
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 143)
        self.assertEqual(os.listdir(self.folder).count('.self.prom.multisnmp'), 0)

    def test_skipped(self):
        """A round that takes longer than the interval: those that fell out are in the file of the one that did it."""
        agents = self.agents('*:silent')
        process = self.start_poller('-q', '-p', agents.port, '-t', '700ms', '-r', '0', '--interval', '300ms',
                                    '--stats-file', self.file, '127.12.0.1')
        s = self.wait_for_round(1)
        self.assertGreaterEqual(s['rounds_skipped_total'], 2 * s['rounds_total'])
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 143)

    def test_deaths(self):
        """A worker killed between two rounds is counted, as one in a round is."""
        agents = self.agents()
        process = self.start_poller('-q', '-j', '2', '-p', agents.port, '--interval', '1s', '--stats-file', self.file,
                                    '127.12.0.1')
        self.wait_for_round(1)
        children = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(process.pid)], capture_output=True, text=True,
                                  check=True).stdout.split()
        for pid in children[:2]:
            os.kill(int(pid), signal.SIGKILL)
        self.wait_until(lambda: self.samples()['worker_restarts_total'] >= 2)
        time.sleep(1.5)  # and only once each, whichever round it is counted in
        self.assertEqual(self.samples()['worker_restarts_total'], 2)
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 143)

    def test_output_that_fails(self):
        """Rounds whose output cannot be written are counted as that; the small file still can."""
        agents = self.agents()
        process = self.start_poller('-q', '-F', 'jsonl', '-p', agents.port, '--interval', '2s', '--no-spread', '-o',
                                    self.path('out'), '--stats-file', self.file, '127.12.0.0/24',
                                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384)))
        s = self.wait_for_round(2)
        self.assertEqual((s['last_round_written'], s['rounds_unwritten_total']), (0, s['rounds_total']))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, 143)  # the signal came between two rounds: none failed by it

    # ---- where it cannot be written

    def test_wrong_places(self):
        """Found before anything is polled, with the status of -o; the output is as it was."""
        agents = self.agents()
        out = self.write('out', 'old\n')
        os.mkfifo(self.path('fifo'))
        os.symlink('out', self.path('link'))
        for path, status, words in ((self.path('no/such/folder'), 3, 'no/such'), (self.folder, 3, 'is a folder'),
                                    (self.path('fifo'), 3, 'no regular file'), ('/dev/stdout', 3, 'no regular file'),
                                    ('-', 2, "'-' is no file"), ('', 2, "'' is no file"), (out, 2, 'the file of -o'),
                                    (self.path('../' + os.path.basename(self.folder) + '/out'), 2, 'the file of -o'),
                                    (self.path('link'), 2, 'the file of -o')):
            run = self.run_poller('-p', agents.port, '-o', out, '--stats-file', path, '127.12.0.1')
            self.assertEqual(run.returncode, status, (path, run.stderr))
            self.assertIn('--stats-file', run.stderr)
            self.assertIn(words, run.stderr)
            self.assertEqual(self.read('out'), 'old\n')
        for new in ('new', './new'):
            run = self.run_poller('-p', agents.port, '-o', 'new', '--stats-file', new, '127.12.0.1', cwd=self.folder)
            self.assertEqual(run.returncode, 2)
        self.assertEqual(agents.counters()['received'], 0)
        self.assertFalse(os.path.exists(self.path('new')))

    def test_later(self):
        """A folder that goes away is told once, polling goes on, and the file is back when its folder is."""
        agents = self.agents()
        os.mkdir(self.path('d'))
        with open(self.path('err'), 'wb') as err:
            process = self.start_poller('-F', 'jsonl', '-p', agents.port, '--interval', '200ms', '--stats-file',
                                        self.path('d/self.prom'), '127.12.0.1', stderr=err)
        self.wait_until(lambda: os.path.exists(self.path('d/self.prom')))
        os.rename(self.path('d'), self.path('e'))
        for _ in range(4):
            process.stdout.readline()
        os.rename(self.path('e'), self.path('d'))
        os.unlink(self.path('d/self.prom'))
        self.wait_until(lambda: os.path.exists(self.path('d/self.prom')))
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 143)
        self.assertEqual(self.read('err').count('--stats-file'), 1, self.read('err'))

    def test_later_no_file(self):
        """A FIFO in its place would be waited for: it is left alone, that is told once, and polling goes on."""
        with open(self.path('err'), 'wb') as err:
            process = self.start_poller('-F', 'jsonl', '-p', self.agents().port, '--interval', '200ms', '--stats-file',
                                        self.path('self.prom'), '127.12.0.1', stderr=err, bufsize=0)
        self.wait_until(lambda: os.path.exists(self.path('self.prom')))

        def replaced():
            if os.path.isfile(self.path('self.prom')):
                os.mkfifo(self.path('fifo'))
                os.replace(self.path('fifo'), self.path('self.prom'))
            return 'no regular file' in self.read('err')
        self.wait_until(replaced)
        for _ in range(4):
            process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 143)
        self.assertEqual(self.read('err').count('--stats-file'), 1, self.read('err'))


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""Records too large to be held: whole or not there, in bounded memory, however they come.

A walk of a million rows is one record. Its rows leave the worker while the walk goes on, wait in the
master's spool, and are written when it is over; neither process may grow with it.
"""
import json
import os
import resource
import signal
import time
import unittest

import poller
import processes

COLUMN = '1.3.6.1.2.1.2.2.1.2'  # ifDescr
MANY = 200_000
PEAK = 32 << 10  # KiB, of the master and of each worker
CHUNK = 1 << 20


class Line:
    """A record of jsonl that is read piece by piece: head, rows (checked, counted), tail."""

    def __init__(self, stream, check):
        text = b''
        while b'"vars":[' not in text:
            more = stream.read(CHUNK)
            assert more, text[:200]
            text += more
        head, _, rest = text.partition(b'"vars":[')
        self.head = json.loads(head + b'"vars":[]}')
        self.rows = 0
        while True:
            end = rest.find(b']')  # no value of these agents holds one
            cut = end + 1 if end >= 0 else rest.rfind(b'},{') + 1
            self.take(rest[:cut - 1] if end >= 0 else rest[:cut], check)
            if end >= 0:
                break
            more = stream.read(CHUNK)
            assert more, 'the record has no end'
            rest = rest[cut + 1 if cut else 0:] + more
        newline = rest.index(b'\n', end)
        self.tail = json.loads(b'{"vars":[' + rest[end:newline])
        self.behind = rest[newline + 1:]

    def take(self, text, check):
        for row in json.loads(b'[' + text + b']'):
            self.rows += 1
            check(self.rows, row)


class Behind:
    """A stream whose first octets were read already."""

    def __init__(self, octets, stream):
        self.octets, self.stream = octets, stream

    def read(self, size):
        octets, self.octets = self.octets, b''
        return octets or self.stream.read(size)


def check_row(number, row):
    """The rows of one column, from 1, none missing, none twice."""
    if row['index'] != str(number) or row['oid'] != f'{COLUMN}.{number}':
        raise AssertionError(f'row {number} is {row}')


class Large(poller.Poll):
    def start(self, agents, *words, **how):
        process = self.start_poller('-p', agents.port, '-t', '5s', '-w', COLUMN, *words, **how)
        self.peaks = processes.Peaks(process)
        return process

    def assert_bounded(self, peak=PEAK):
        self.peaks.join(poller.LONG)
        self.assertGreaterEqual(len(self.peaks.most), 2, 'no worker was seen')
        if not poller.WITH_ASAN:
            self.assertLess(max(self.peaks.most.values()), peak, self.peaks.most)

    def finish(self, process, status=0):
        _, said = process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, status, said)
        return said

    def assert_record(self, line, rows):
        self.assertEqual(line.head['status'], 'ok')
        self.assertEqual(line.rows, rows)
        self.assertEqual(line.tail, {'vars': []})

    def read_records(self, stream, count):
        """The records of `count` targets, as their hosts came, each with all rows."""
        hosts = []
        for _ in range(count):
            line = Line(stream, check_row)
            self.assert_record(line, MANY)
            hosts.append(line.head['host'])
            stream = Behind(line.behind, stream)
        self.assertEqual(stream.read(1), b'')
        return hosts

    def test_a_million_rows(self):
        agents = self.agents('*:rows=1000000')
        out = self.path('out.jsonl')
        process = self.start(agents, '-j', 1, '-F', 'jsonl', '-o', out, '127.0.0.2')
        self.finish(process)
        self.assert_bounded()
        with open(out, 'rb') as f:
            line = Line(f, check_row)
            self.assertEqual(line.behind + f.read(1), b'')
        self.assert_record(line, 1000000)
        self.assertEqual(os.listdir(self.folder), ['out.jsonl'])

    def test_slow_reader_of_text(self):
        """Standard output is a pipe that nobody reads for a while, and then slowly."""
        agents = self.agents(f'*:rows={MANY}')
        process = self.start(agents, '-j', 1, '127.0.0.2')
        time.sleep(1)
        lines = bytearray()
        for number, piece in enumerate(iter(lambda: process.stdout.read(CHUNK), b'')):
            lines += piece
            time.sleep(0.1 if number < 5 else 0)
        self.finish(process)
        self.assert_bounded()
        lines = lines.splitlines()
        self.assertEqual(len(lines), MANY)
        for number, line in enumerate(lines, 1):
            self.assertTrue(line.startswith(b'127.0.0.2\tifDescr.%d\tOCTET STRING\t' % number), line)

    def test_two_at_once_in_one_worker(self):
        """Their parts come mixed, and few descriptors suffice for many."""
        agents = self.agents(f'*:rows={MANY}')
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        targets = [f'127.0.0.{n}' for n in range(2, 6)]
        process = self.start(agents, '-j', 1, '-F', 'jsonl', *targets, preexec_fn=limit)
        hosts = self.read_records(process.stdout, len(targets))
        self.finish(process)
        self.assert_bounded()
        self.assertEqual(sorted(hosts), targets)

    def test_many_middling_walks(self):
        """None of them is large, but 2,000 at once would be 300 MiB."""
        agents = self.agents('*:rows=48')
        process = self.start_poller('-p', agents.port, '-t', '5s', '-j', 1, '-w', '1.3.6.1.2.1.2.2',
                                    '127.1.0.0-249', *(f'127.1.{n}.0-249' for n in range(1, 8)))
        self.peaks = processes.Peaks(process)
        lines = sum(piece.count(b'\n') for piece in iter(lambda: process.stdout.read(CHUNK), b''))
        self.finish(process)
        self.assertEqual(lines, 2000 * 22 * 48)
        self.assert_bounded(160 << 10)

    def test_many_workers_under_a_low_limit(self):
        agents = self.agents(f'*:rows={MANY // 10}')
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        targets = [f'127.0.0.{n}' for n in range(2, 42)]
        process = self.start(agents, '-j', 40, *targets, preexec_fn=limit)
        text, said = process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(text.count(b'\n'), len(targets) * (MANY // 10))

    def wait_until_asked(self, agents, requests):
        self.wait_until(lambda: agents.counters()['received'] >= requests, 'the walk does not come to its middle')

    def test_worker_killed_in_the_middle(self):
        """Nothing of what it had brought is seen; the record comes once, from another."""
        agents = self.agents(f'*:rows={MANY},late=1ms')
        process = self.start(agents, '-j', 1, '-F', 'jsonl', '127.0.0.2')
        for asked in (500, 1000):
            self.wait_until_asked(agents, asked)
            before = processes.children(process.pid)
            self.assertEqual(len(before), 1)
            os.kill(before[0], signal.SIGKILL)
        hosts = self.read_records(process.stdout, 1)
        said = self.finish(process)
        self.assertEqual(hosts, ['127.0.0.2'])
        self.assertEqual(said.count(b'a worker was killed by signal 9'), 2, said)
        self.assert_bounded()

    def test_cut_off_in_the_middle(self):
        """A walk that ends early is one record too, with all rows so far and why."""
        agents = self.agents(f'*:rows={MANY},gen-err-row={MANY // 2 + 1}')
        process = self.start(agents, '-j', 1, '-F', 'jsonl', '127.0.0.2')
        line = Line(process.stdout, check_row)
        self.assertEqual(line.behind + process.stdout.read(), b'')
        self.finish(process, status=1)
        self.assertEqual(line.head['status'], 'partial')
        self.assertEqual(line.rows, MANY // 2)
        self.assertIn('genErr', line.tail['message'])

    def test_stopped_in_the_middle(self):
        """By SIGTERM: what came so far is written, as one whole record; the old file goes."""
        agents = self.agents(f'*:rows={MANY},late=1ms')
        out = self.write('out.jsonl', 'the old one\n')
        process = self.start(agents, '-j', 1, '-F', 'jsonl', '-o', out, '127.0.0.2')
        self.wait_until_asked(agents, 1000)
        self.assertEqual(self.read('out.jsonl'), 'the old one\n')
        process.terminate()
        self.finish(process, status=128 + signal.SIGTERM)
        with open(out, 'rb') as f:
            line = Line(f, check_row)
            self.assertEqual(line.behind + f.read(1), b'')
        self.assertIn(line.head['status'], ('partial', 'cancelled'))
        self.assertGreater(line.rows, 1000)
        self.assertLess(line.rows, MANY)

    def test_no_room_for_the_spool(self):
        """One record has lost its rows, and says so; so does the exit status. The others are there."""
        agents = self.agents(f'127.0.0.2:rows={MANY}', '*:rows=2')
        out = self.write('out.jsonl', 'the old one\n')
        process = self.start(agents, '-j', 1, '-F', 'jsonl', '-o', out, '127.0.0.2-9',
                             env={**os.environ, 'TMPDIR': self.path('none')})
        said = self.finish(process, status=3)
        self.assertEqual(said.count(b'TMPDIR names another folder'), 1, said)
        records = {r['host']: r for r in map(json.loads, self.read('out.jsonl').splitlines())}
        lost = records.pop('127.0.0.2')
        self.assertEqual((lost['status'], lost['vars']), ('cancelled', []))
        self.assertIn('no room to keep so large a record', lost['message'])
        self.assertEqual(sorted(records), [f'127.0.0.{n}' for n in range(3, 10)])
        for record in records.values():
            self.assertEqual((record['status'], len(record['vars'])), ('ok', 2))


if __name__ == '__main__':
    unittest.main()

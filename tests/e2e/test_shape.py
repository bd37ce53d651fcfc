#!/usr/bin/env python3
"""The shape of the output: which records are written."""
import json
import subprocess
import unittest

import line_protocol
import poller
import readers

DESCR, UPTIME = '1.3.6.1.2.1.1.1.0', '1.3.6.1.2.1.1.3.0'
COLUMN = '1.3.6.1.2.1.2.2.1.2'
FORMATS = ('text', 'jsonl', 'csv', 'prometheus', 'influx')


class Shape(poller.Poll):
    def octets(self, *words, status=0, **how):
        run = subprocess.run([poller.MULTISNMP, *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL,
                             timeout=poller.LONG, check=False, **how)
        self.assertEqual(run.returncode, status, run.stderr)
        self.stderr = run.stderr.decode()
        return run.stdout

    def wrong(self, *words):
        """What is said of words that are wrong, and nothing is polled."""
        run = self.run_poller(*words, '127.0.0.1')
        self.assertEqual((run.returncode, run.stdout), (2, ''), run.stderr)
        self.assertEqual(run.stderr.count('\n'), 1)
        return run.stderr

    def mixed(self):
        """Hosts with every end that needs no help, and the words to poll them."""
        agents = self.agents('127.0.0.3:silent', '127.0.0.4:no-such-name,gen-err', '127.0.0.5:bad-int',
                             '127.0.0.6:rows=9,gen-err-row=5')
        hosts = {'127.0.0.2': 'ok', '127.0.0.3': 'timeout', '127.0.0.4': 'error', '127.0.0.5': 'malformed',
                 '127.0.0.6': 'partial', 'no.such.host.invalid': 'resolve'}
        return hosts, ['-p', agents.port, '-t', '200ms', '-r', 0, '-w', COLUMN, *hosts]


def hosts_of(form, octets):
    """Whose records are there: {host: status}, status None where the format has none."""
    if form == 'jsonl':
        return {record['host']: record['status'] for record in map(json.loads, octets.splitlines())}
    if form == 'csv':
        return {row['host']: row['status'] for row in readers.csv_records(octets)}
    if form == 'influx':
        return {tags['host']: fields['status'] for _, tags, fields, _ in line_protocol.parse(octets) if 'status' in fields}
    if form == 'prometheus':
        return {sample.labels['host']: None for family in readers.prometheus_families(octets)
                for sample in family.samples if family.name == 'snmp_up'}
    return {line.split('\t')[0]: None for line in octets.decode().splitlines()}


class Statuses(Shape):
    """--status and --only-failed choose what is written; all is counted."""

    def test_each_in_each_format(self):
        hosts, words = self.mixed()
        chosen = [('--only-failed',)] + [('--status', status) for status in set(hosts.values())] + \
            [('--status', 'partial,timeout'), ('--status', 'ok,partial', '--only-failed')]
        for form in FORMATS:
            if form == 'prometheus' and not readers.prometheus_parser:
                continue
            for option in chosen:
                with self.subTest(form=form, option=option):
                    octets = self.octets('-F', form, '-s', *option, *words, status=1)
                    wanted = {host: status for host, status in hosts.items()
                              if (option[0] == '--only-failed' or status in option[1].split(','))
                              and ('--only-failed' not in option or status != 'ok')}
                    got = hosts_of(form, octets)
                    self.assertEqual(set(got), set(wanted))
                    for host, status in got.items():
                        self.assertIn(status, (None, wanted[host]))

    def test_exit_status_and_summary_are_of_all(self):
        hosts, words = self.mixed()
        self.assertEqual(self.octets('--status', 'crashed', *words, status=1), b'')
        self.octets('--status', 'ok', '--min-ok', '1', *words)
        self.octets('--status', 'timeout', '--min-ok', '1', *words)
        self.octets('--only-failed', '-s', '-F', 'jsonl', *words, status=1)
        for status in hosts.values():
            self.assertRegex(self.stderr, rf'\b{status}\b')

    def test_all_ok_and_nothing_to_show(self):
        agents = self.agents()
        self.assertEqual(self.octets('--only-failed', '-p', agents.port, '127.0.0.0/24'), b'')
        out = self.path('out.csv')
        self.octets('--only-failed', '-F', 'csv', '-o', out, '-p', agents.port, '127.0.0.0/24')
        self.assertEqual(self.read('out.csv').split(','), readers.CSV_HEAD[:-1] + ['message\n'])

    def test_large(self):
        """Rows that came ahead go with a record that turns out not to be wanted, or stay whole."""
        agents = self.agents('127.0.0.3:rows=30000,gen-err-row=20000', '*:rows=30000')
        words = ['-F', 'jsonl', '-p', agents.port, '-t', '5s', '-w', COLUMN, '127.0.0.2', '127.0.0.3']
        for option, host, rows in (('ok', '127.0.0.2', 30000), ('partial', '127.0.0.3', 19999)):
            record, = map(json.loads, self.octets('--status', option, *words, status=1).splitlines())
            self.assertEqual((record['host'], record['status'], len(record['vars'])), (host, option, rows))
        self.assertEqual(self.octets('--status', 'timeout', *words, status=1), b'')

    def test_appended(self):
        hosts, words = self.mixed()
        out = self.path('failed.jsonl')
        for _ in range(2):
            self.octets('-F', 'jsonl', '--status', 'timeout,error', '--append', '-o', out, *words, status=1)
        self.assertEqual(sorted(json.loads(line)['host'] for line in self.read('failed.jsonl').splitlines()),
                         ['127.0.0.3', '127.0.0.3', '127.0.0.4', '127.0.0.4'])

    def test_wrong(self):
        self.assertIn("'parital' is no status (did you mean 'partial'?)", self.wrong('--status', 'ok,parital'))
        self.assertIn('no record can be both', self.wrong('--status', 'ok', '--only-failed'))


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""csv, prometheus and influx as scripts use them: whole files, large records, failed targets, appending.

What a value may hold is in test_hostile_values.py.
"""
import json
import os
import signal
import subprocess
import time
import unittest

import line_protocol
import poller
import processes
import readers
import test_large

MANY = 60_000
DESCR, UPTIME = '1.3.6.1.2.1.1.1.0', '1.3.6.1.2.1.1.3.0'
COLUMN = test_large.COLUMN


class Formats(poller.Poll):
    def octets(self, form, *words, status=0):
        run = subprocess.run([poller.MULTISNMP, '-F', form, *map(str, words)], capture_output=True,
                             stdin=subprocess.DEVNULL, timeout=poller.LONG, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        self.stderr = run.stderr.decode()
        return run.stdout

    def mixed(self):
        """Hosts with every end that needs no help, and the words to poll them."""
        agents = self.agents('127.0.0.3:silent', '127.0.0.4:no-such-name,gen-err', '127.0.0.5:bad-int')
        hosts = {'127.0.0.2': 'ok', '127.0.0.3': 'timeout', '127.0.0.4': 'error', '127.0.0.5': 'malformed',
                 '255.255.255.255': 'unreachable'}
        return hosts, ['-p', agents.port, '-t', '200ms', '-r', 0, '-g', DESCR, '-g', UPTIME, *hosts]

    # ---- csv

    def test_csv_of_failed_targets(self):
        """One row each, and whatever they say."""
        hosts, words = self.mixed()
        rows = readers.csv_records(self.octets('csv', *words, status=1))
        self.assertEqual({row['host']: row['status'] for row in rows}, hosts)
        self.assertEqual(len(rows), len(hosts) + 1)
        for row in rows:
            with self.subTest(host=row['host']):
                self.assertEqual(row['message'] == '', row['status'] == 'ok')
                self.assertEqual(row['oid'] == '', row['status'] != 'ok')
                self.assertRegex(row['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
                self.assertTrue(row['tries'].isdigit())

    def test_csv_as_jsonl(self):
        """The same record: what both have is the same, but for the times."""
        agents = self.agents()
        words = ['-p', agents.port, '-w', '1.3.6.1.2.1.1', '127.0.0.2']
        record = json.loads(self.octets('jsonl', *words))
        rows = readers.csv_records(self.octets('csv', *words))
        self.assertEqual([row['oid'] for row in rows], [var['oid'] for var in record['vars']])
        for row in rows:
            self.assertEqual([row['host'], row['address'], row['status']],
                             [record['host'], record['address'], record['status']])
            self.assertGreater(float(row['rtt_ms']), 0)

    def test_csv_head_of_an_empty_run(self):
        head = ','.join(readers.CSV_HEAD).encode() + b'\r\n'
        self.assertEqual(self.octets('csv', '-f', self.write('none.yaml', 'hosts: []\n')), head)

    def test_csv_appended(self):
        """The head comes once, whoever is first; and again after a rotation."""
        agents = self.agents()
        out = self.path('log.csv')
        words = ['-p', agents.port, '-g', DESCR, '--append', '-o', out, '127.0.0.2-4']
        running = [self.start_poller('-F', 'csv', *words) for _ in range(4)]
        for process in running:
            self.output_of(process)
        with open(out, 'rb') as f:
            octets = f.read()
        self.assertEqual(octets.count(b'host,address'), 1)
        self.assertEqual(len(readers.csv_records(octets)), 12)
        os.rename(out, out + '.1')
        self.octets('csv', *words)
        with open(out, 'rb') as f:
            self.assertEqual(len(readers.csv_records(f.read())), 3)

    def test_csv_into_sqlite(self):
        if not readers.SQLITE:
            self.skipTest('no sqlite3')
        agents = self.agents()
        out = self.path('out.csv')
        self.octets('csv', '-p', agents.port, '-w', '1.3.6.1.2.1.1', '-o', out, '127.0.0.2')
        run = subprocess.run(['sqlite3', '-bail', ':memory:', f'.import --csv {out} t',
                              'select count(*), count(distinct oid), max(message) from t'],
                             capture_output=True, text=True, check=True)
        with open(out, 'rb') as f:
            rows = len(readers.csv_records(f.read()))
        self.assertEqual(run.stdout, f'{rows}|{rows}|\n')

    # ---- influx

    def test_influx_of_failed_targets(self):
        """A point of its own for each record."""
        hosts, words = self.mixed()
        points = line_protocol.parse(self.octets('influx', *words, status=1))
        ends = {tags['host']: fields for _, tags, fields, _ in points if 'status' in fields}
        self.assertEqual({host: fields['status'] for host, fields in ends.items()}, hosts)
        for host, fields in ends.items():
            self.assertEqual('message' in fields, hosts[host] != 'ok')
            self.assertIsInstance(fields['tries'], int)
        now = time.time_ns()
        for _, _, _, at in points:
            self.assertLess(abs(now - at), 3600 * 10**9)

    def test_influx_one_time_a_record(self):
        """So that the cells of a row are one point of the data base."""
        agents = self.agents()
        octets = self.octets('influx', '-p', agents.port, '-w', '1.3.6.1.2.1.2.2', '-w', '1.3.6.1.2.1.1', '127.0.0.2')
        points = line_protocol.parse(octets)
        self.assertGreater(len(points), 20)
        self.assertEqual(len({at for _, _, _, at in points}), 1)

    def test_influx_of_an_empty_run(self):
        self.assertEqual(self.octets('influx', '-f', self.write('none.yaml', 'hosts: []\n')), b'')

    # ---- prometheus

    def families(self, octets):
        if not readers.prometheus_parser:
            self.skipTest('no python3-prometheus-client')
        self.assertEqual(readers.promtool(octets), [])
        return {family.name: family for family in readers.prometheus_families(octets)}

    def test_prometheus_of_many_hosts(self):
        """They come in any order, from two workers: each family stands together once, with all its hosts."""
        agents = self.agents('*:late=20ms')
        octets = self.octets('prometheus', '-p', agents.port, '-j', 2, '-g', UPTIME, '-w', '1.3.6.1.2.1.2.2.1.10',
                             '127.1.0.0/22')
        families = self.families(octets)
        self.assertEqual(set(families), {'snmp_up', 'snmp_rtt_seconds', 'sysUpTime', 'ifInOctets'})
        self.assertEqual(families['ifInOctets'].type, 'counter')
        self.assertEqual(families['sysUpTime'].type, 'gauge')
        hosts = {f'127.1.{n // 256}.{n % 256}' for n in range(1024)}
        for name in ('snmp_up', 'snmp_rtt_seconds', 'sysUpTime'):
            self.assertEqual({sample.labels['host'] for sample in families[name].samples}, hosts)
        self.assertEqual(len(families['ifInOctets'].samples), 2048)

    def test_prometheus_of_failed_targets(self):
        hosts, words = self.mixed()
        families = self.families(self.octets('prometheus', *words, status=1))
        self.assertEqual({sample.labels['host']: sample.value for sample in families['snmp_up'].samples},
                         {host: float(status == 'ok') for host, status in hosts.items()})
        self.assertIn('127.0.0.2', {sample.labels['host'] for sample in families['snmp_rtt_seconds'].samples})

    def test_prometheus_of_an_empty_run(self):
        self.assertEqual(self.octets('prometheus', '-f', self.write('none.yaml', 'hosts: []\n')), b'')

    def test_prometheus_of_a_host_listed_twice(self):
        """Its later record is left out as a whole, with a warning, also where blocks overlap."""
        agents = self.agents()
        path = self.write('hosts.yaml', f'''
defaults: {{port: {agents.port}}}
hosts:
  - {{host: 127.0.0.0/29, get: [sysUpTime.0]}}
  - {{host: 127.0.0.3, get: [sysUpTime.0, sysDescr.0]}}
  - {{host: 127.0.0.9, label: a, get: [sysName.0]}}
  - {{host: 127.0.0.9, label: b, get: [sysName.0]}}
''')
        families = self.families(self.octets('prometheus', '-f', path))
        self.assertEqual(len(families['snmp_up'].samples), 10)
        self.assertEqual(len(families['sysUpTime'].samples), 8)
        self.assertNotIn('sysDescr_info', families)
        self.assertEqual(len(families['sysName_info'].samples), 2)
        self.assertIn('of 1 records', self.stderr)
        self.assertIn('127.0.0.3', self.stderr)

    def test_prometheus_appears_at_the_end(self):
        """On stdout nothing comes before all is there; a first SIGTERM ends the run with a whole file."""
        agents = self.agents('127.0.0.3:silent')
        out = self.path('m.prom')
        process = self.start_poller('-F', 'prometheus', '-p', agents.port, '-t', '60s', '-o', out, '-g', UPTIME,
                                    '127.0.0.2', '127.0.0.3')
        self.wait_until(lambda: agents.counters()['received'] >= 2)
        self.assertFalse(os.path.exists(out))
        process.terminate()
        self.output_of(process, 128 + signal.SIGTERM)
        with open(out, 'rb') as f:
            families = self.families(f.read())
        self.assertEqual(sorted(sample.labels['host'] for sample in families['snmp_up'].samples),
                         ['127.0.0.2', '127.0.0.3'])
        self.assertEqual(os.listdir(self.folder), ['m.prom'])

    def test_prometheus_is_not_appended_to(self):
        run = self.run_poller('-F', 'prometheus', '--append', '-o', self.path('x'), '127.0.0.2')
        self.assertEqual(run.returncode, 2)
        self.assertIn('--append', run.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_prometheus_without_room(self):
        """What has to wait finds no folder: it is told, exit 3, and the old file stays."""
        agents = self.agents('*:rows=30')
        out = self.path('m.prom')
        self.write('m.prom', 'old\n')
        run = self.run_poller('-F', 'prometheus', '-p', agents.port, '-t', '5s', '-w', '1.3.6.1.2.1.2.2', '-o', out,
                              '127.1.0.0/24', env={**os.environ, 'TMPDIR': '/nowhere/at/all'})
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertIn('TMPDIR', run.stderr)
        self.assertEqual(self.read('m.prom'), 'old\n')

    # ---- large records: their rows leave the worker before it is known how they end

    def start_large(self, form, *words, hosts=('127.0.0.2', '127.0.0.3'), rules=()):
        agents = self.agents(*rules, f'*:rows={MANY}')
        out = self.path('out')
        process = self.start_poller('-F', form, '-p', agents.port, '-t', '5s', '-j', 1, '-w', COLUMN, '-o', out, *words,
                                    *hosts)
        return agents, process, processes.Peaks(process)

    def finish_large(self, process, peaks, status=0):
        self.output_of(process, status)
        peaks.join(poller.LONG)
        if not poller.WITH_ASAN:
            self.assertLess(max(peaks.most.values()), test_large.PEAK, peaks.most)
        with open(self.path('out'), 'rb') as f:
            return f.read()

    def test_large_csv(self):
        """Each row says how the record ended, though the rows came first."""
        _, process, peaks = self.start_large('csv', rules=[f'127.0.0.3:rows={MANY},gen-err-row={MANY // 2}'])
        rows = readers.csv_records(self.finish_large(process, peaks, status=1))
        for host, count, status in (('127.0.0.2', MANY, 'ok'), ('127.0.0.3', MANY // 2 - 1, 'partial')):
            mine = [row for row in rows if row['host'] == host]
            self.assertEqual([row['index'] for row in mine], [str(n) for n in range(1, count + 1)])
            self.assertEqual({row['status'] for row in mine}, {status})
            self.assertEqual(len({(row['time'], row['tries'], row['rtt_ms'], row['message']) for row in mine}), 1)
            self.assertEqual(mine[0]['message'] != '', status == 'partial')

    def test_large_influx(self):
        _, process, peaks = self.start_large('influx')
        points = line_protocol.parse(self.finish_large(process, peaks))
        for host in ('127.0.0.2', '127.0.0.3'):
            mine = [(tags, fields, at) for _, tags, fields, at in points if tags['host'] == host]
            self.assertEqual([tags['index'] for tags, _, _ in mine[:-1]], [str(n) for n in range(1, MANY + 1)])
            self.assertEqual(mine[-1][1]['status'], 'ok')
            self.assertEqual(len({at for _, _, at in mine}), 1)

    def assert_large_prometheus(self, octets, hosts):
        samples = {}
        for line in octets.decode().split('\n'):
            if line.startswith('ifDescr_info{'):
                host, index = line.split('"')[1], line.split('"')[3]
                samples.setdefault(host, []).append(int(index))
        self.assertEqual(set(samples), set(hosts))
        for host in hosts:
            self.assertEqual(sorted(samples[host]), list(range(1, MANY + 1)))
        self.assertEqual(octets.count(b'# TYPE ifDescr_info '), 1)

    def test_large_prometheus(self):
        """More than the memory holds, sorted through the temporary file, which is gone afterwards."""
        os.mkdir(self.path('tmp'))
        agents = self.agents(f'*:rows={MANY}')
        hosts = [f'127.0.0.{n}' for n in range(2, 8)]
        process = self.start_poller('-F', 'prometheus', '-p', agents.port, '-t', '5s', '-w', COLUMN, '-o', self.path('out'),
                                    *hosts, env={**os.environ, 'TMPDIR': self.path('tmp')})
        octets = self.finish_large(process, processes.Peaks(process))
        self.assertGreater(len(octets), 16 << 20)
        self.assert_large_prometheus(octets, hosts)
        self.assertEqual(os.listdir(self.path('tmp')), [])

    def test_prometheus_when_a_worker_dies(self):
        """What it had brought of a record is not seen; its records come once, from another."""
        agents, process, peaks = self.start_large('prometheus', '-r', 5)
        self.wait_until(lambda: agents.counters()['received'] >= 500)
        worker = processes.children(process.pid)[0]
        os.kill(worker, signal.SIGKILL)
        self.assert_large_prometheus(self.finish_large(process, peaks), ['127.0.0.2', '127.0.0.3'])


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""Programs of others that read what we write: jq, sqlite3, promtool and InfluxDB itself, each with every kind of end and value."""
import csv
import http.client
import io
import json
import subprocess
import time
import unittest
import urllib.parse

import line_protocol
import poller
import readers

INFLUXD = poller.have('influxd')
EXAMPLES = '1.3.6.1.4.1.8072.9999.9999'
IFX = '1.3.6.1.2.1.31.1.1.1'
CONFIG = '''reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
'''


class Influxd:
    """A data base of its own on a free port; another program's port first is no fault."""

    def __init__(self, test):
        for _ in range(5):
            self.port = poller.free_port()
            config = test.write('influxd.conf', CONFIG.format(folder=test.folder, port=self.port))
            self.process = subprocess.Popen([INFLUXD, '-config', config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            test.addCleanup(test.end, self.process)
            if self.answers():
                break
        self.ask('POST', '/query', q='CREATE DATABASE snmp')

    def answers(self):
        end = time.monotonic() + poller.LONG
        while self.process.poll() is None and time.monotonic() < end:
            try:
                return self.ask('GET', '/ping')[0] == 204
            except OSError:
                time.sleep(0.1)
        return False

    def ask(self, method, path, body=None, **words):
        """Status and body of the answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=poller.LONG)
        connection.request(method, path + '?' + urllib.parse.urlencode(words), body)
        answer = connection.getresponse()
        octets = answer.read()
        connection.close()
        return answer.status, octets.decode()

    def points(self):
        """{(tags, field): (value, time)} of all that it has. Tags are strings here, and so fields of strings are."""
        text = self.ask('GET', '/query', db='snmp', q='select * from snmp group by *', epoch='ns')[1]
        found = {}
        for series in json.loads(text)['results'][0].get('series', []):
            tags = tuple(sorted((key, value) for key, value in series['tags'].items() if value))
            for row in series['values']:
                for column, value in zip(series['columns'][1:], row[1:]):
                    if value is not None:
                        found[tags, column] = value, row[0]
        return found


class Consumers(poller.Poll):
    def octets(self, *words, status=0):
        run = subprocess.run([poller.MULTISNMP, *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL,
                             timeout=poller.LONG, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        return run.stdout

    def all_kinds(self):
        """Every end that needs no help, every type, labels; and the words to poll them."""
        agents = self.agents('127.0.0.3:silent', '127.0.0.4:gen-err', '127.0.0.5:bad-int', '127.0.0.6:rows=9,gen-err-row=5',
                             '*:types')
        return ['-p', agents.port, '-t', '200ms', '-r', 0, '-w', '1.3.6.1.2.1.2.2.1.2', '-w', EXAMPLES, '-w', IFX + '.6',
                '127.0.0.2-6', 'no.such.host.invalid']

    # ---- InfluxDB

    @unittest.skipUnless(INFLUXD, 'no influxd')
    def test_influxdb(self):
        """It has what our own reader has, value by value; of version 1 only the unsigned ones are refused, as the manual says."""
        database = Influxd(self)
        octets = self.octets('-F', 'influx', *self.all_kinds(), status=1)
        points = line_protocol.parse(octets)
        lines = octets.decode().split('\n')[:-1]
        unsigned = [line for line, (_, _, fields, _) in zip(lines, points)
                    if any(f'{key}={value}u' in line for key, value in fields.items() if isinstance(value, int))]
        status, said = database.ask('POST', '/write', octets, db='snmp')
        self.assertEqual(status, 400 if unsigned else 204, said)
        refused = json.loads(said)['error'].removeprefix('partial write: ').removesuffix(' dropped=0').split('\n')
        self.assertTrue(all(line.startswith('unable to parse') and line.endswith('invalid number') for line in refused), refused)
        self.assertEqual([line.split("'")[1] for line in refused], unsigned)
        wanted = {}
        for line, (_, tags, fields, at) in zip(lines, points):
            if line in unsigned:
                continue
            for key, value in fields.items():
                wanted[tuple(sorted(tags.items())), key] = value, at
        self.assertGreater(len(wanted), 40)
        self.assertEqual(database.points(), wanted)

    # ---- jq, whose numbers end at 2^53

    @unittest.skipUnless(readers.JQ, 'no jq')
    def test_jq(self):
        octets = self.octets('-F', 'jsonl', *self.all_kinds(), status=1)
        records = [json.loads(line) for line in octets.splitlines()]
        got = [json.loads(line) for line in readers.jq(octets, '[.host, .status, (.vars | length), (.message != null)]').splitlines()]
        self.assertEqual(got, [[record['host'], record['status'], len(record['vars']), 'message' in record] for record in records])
        strings = [json.loads(line) for line in
                   readers.jq(octets, '.vars[] | select(.type == "OCTET STRING") | .value').splitlines()]
        self.assertEqual(strings, [var['value'] for record in records for var in record['vars'] if var['type'] == 'OCTET STRING'])
        exact = [var['value'] for record in records for var in record['vars'] if var['type'] == 'Counter64']
        rounded = [json.loads(line) for line in readers.jq(octets, '.vars[] | select(.type == "Counter64") | .value').splitlines()]
        self.assertIn(2**64 - 1, exact)
        self.assertEqual([float(value) for value in rounded], [float(value) for value in exact])

    # ---- csv, and sqlite3

    @unittest.skipUnless(readers.SQLITE, 'no sqlite3')
    def test_sqlite(self):
        """The same cells as Python's reader has, quotes, line ends and large numbers too."""
        out = self.path('out.csv')
        self.octets('-F', 'csv', '-o', out, *self.all_kinds(), status=1)
        with open(out, 'rb') as f:
            rows = list(csv.reader(io.StringIO(f.read().decode(), newline=''), strict=True))
        run = subprocess.run(['sqlite3', '-bail', '-json', ':memory:', f'.import --csv {out} t', 'select * from t'],
                             capture_output=True, text=True, check=True)
        self.assertEqual([list(row.values()) for row in json.loads(run.stdout)], rows[1:])
        self.assertEqual(list(json.loads(run.stdout)[0]), rows[0])
        self.assertIn(str(2**64 - 1), [row[11] for row in rows])

    # ---- promtool

    @unittest.skipUnless(readers.PROMTOOL and readers.prometheus_parser, 'no promtool, or no python3-prometheus-client')
    def test_promtool(self):
        """Its status 3 stands for ungrouped and double samples alike, so those are looked for by readers.py, too; and a file with
        each of those faults is seen by one or the other."""
        octets = self.octets('-F', 'prometheus', *self.all_kinds(), status=1)
        self.assertEqual(readers.promtool(octets), [])
        families = {family.name: family for family in readers.prometheus_families(octets)}
        self.assertEqual(len(families['snmp_up'].samples), 6)
        lines = octets.decode().splitlines(keepends=True)
        for broken in (lines + lines[-1:], lines[1:2] + lines, ['# TYPE snmp_up counter\n'] + lines):
            with self.assertRaises((AssertionError, ValueError)):
                text = ''.join(broken).encode()
                self.assertEqual(readers.promtool(text), [])
                readers.prometheus_families(text)


if __name__ == '__main__':
    unittest.main()

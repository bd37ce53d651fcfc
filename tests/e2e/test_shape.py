#!/usr/bin/env python3
"""The shape of the output: which records, what of them, in which order, with which line ends; in every format."""
import csv
import io
import ipaddress
import itertools
import json
import os
import signal
import subprocess
import sys

import line_protocol
import poller
import processes
import readers
import test_large
import together

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


def csv_rows(octets):
    return list(csv.reader(io.StringIO(octets.decode(), newline=''), strict=True))


class MinOk(Shape):
    """--min-ok: how many have to be ok for exit status 0; partial ones are not."""

    def test_numbers_and_shares(self):
        _, words = self.mixed()
        for bar, status in (('0', 0), ('1', 0), ('2', 1), ('6', 1), ('0%', 0), ('16%', 0), ('16.6%', 0), ('17%', 1), ('100%', 1)):
            with self.subTest(bar=bar):
                self.octets('--min-ok', bar, *words, status=status)

    def test_all_and_none(self):
        agents = self.agents()
        self.octets('--min-ok', '100%', '-p', agents.port, '127.0.0.0/28')
        self.octets('--min-ok', '16', '-p', agents.port, '127.0.0.0/28')
        self.octets('--min-ok', '17', '-p', agents.port, '127.0.0.0/28', status=1)
        none = self.write('none.yaml', 'hosts: []\n')
        self.octets('--min-ok', '100%', '-f', none)
        self.octets('--min-ok', '1', '-f', none, status=1)


class Fields(Shape):
    """--fields chooses columns and their order, or keys."""

    def setUp(self):
        super().setUp()
        self.hosts, self.words = self.mixed()

    def test_csv(self):
        """Any choice is a projection of the whole, but for what differs from run to run."""
        whole = csv_rows(self.octets('-F', 'csv', *self.words, status=1))
        for fields in ('host,status,value', 'value,status,host,index,message', 'oid', 'type,host,address,label',
                       ','.join(reversed(readers.CSV_HEAD)).replace('time,', '').replace('rtt_ms,', '')):
            with self.subTest(fields=fields):
                got = csv_rows(self.octets('-F', 'csv', '--fields', fields, *self.words, status=1))
                columns = [readers.CSV_HEAD.index(name) for name in fields.split(',')]
                self.assertEqual(got[0], fields.split(','))
                self.assertEqual(sorted(got), sorted([row[column] for column in columns] for row in whole))

    def test_no_field_of_a_variable(self):
        """One row for each record, whatever it holds."""
        for form, wanted in (('csv', [['host', 'status']] + [[host, status] for host, status in self.hosts.items()]),
                             ('text', [[host, status] for host, status in self.hosts.items()])):
            octets = self.octets('-F', form, '--fields', 'host,status', *self.words, status=1)
            got = csv_rows(octets) if form == 'csv' else [line.split('\t') for line in octets.decode().splitlines()]
            self.assertEqual(sorted(got), sorted(wanted))

    def test_text(self):
        octets = self.octets('--fields', 'status,object,value,message,host', *self.words, status=1)
        rows = [line.split('\t') for line in octets.decode().splitlines()]
        self.assertEqual({row[4]: row[0] for row in rows}, self.hosts)
        for status, what, value, message, host in rows:
            self.assertEqual(message == '-', status == 'ok', rows)
            if status not in ('ok', 'partial'):
                self.assertEqual((what, value), ('-', '-'))
        self.assertIn(['ok', 'ifDescr.1', 'eth0', '-', '127.0.0.2'], rows)
        self.assertEqual([row[1] for row in rows if row[4] == '127.0.0.6'], [f'ifDescr.{n}' for n in range(1, 5)])

    def test_jsonl(self):
        """The chosen keys, in the order in which they always come."""
        def project(record, keys):
            out = {key: value for key, value in record.items()
                   if key in keys or (key == 'note' and 'message' in keys)}
            if keys & {'oid', 'name', 'index', 'label', 'type', 'value'}:
                out['vars'] = [{key: value for key, value in var.items()
                                if key in keys or key == 'hex' and 'value' in keys or key == 'label_hex' and 'label' in keys}
                               for var in record['vars']]
            order = list(record)
            return json.dumps(dict(sorted(out.items(), key=lambda item: order.index(item[0]))))
        whole = [json.loads(line) for line in
                 self.octets('-F', 'jsonl', *self.words, status=1).splitlines()]
        for fields in ('host', 'status,host', 'value,host', 'oid,type,value', 'message', 'message,name', 'tries,index,address'):
            with self.subTest(fields=fields):
                octets = self.octets('-F', 'jsonl', '--fields', fields, *self.words, status=1)
                self.assertEqual(sorted(json.dumps(json.loads(line)) for line in octets.splitlines()),
                                 sorted(project(record, set(fields.split(','))) for record in whole))

    def test_large(self):
        """Rows that came ahead get what is of their record, wherever its columns stand."""
        agents = self.agents('127.0.0.3:rows=30000,gen-err-row=20000', '*:rows=30000')
        words = ['-p', agents.port, '-t', '5s', '-j', 1, '-w', COLUMN, '127.0.0.2', '127.0.0.3']
        for form, ends in (('csv', ('', 'error: genErr')), ('text', ('-', 'error: genErr'))):
            octets = self.octets('-F', form, '--fields', 'index,status,name,host,message', *words, status=1)
            rows = csv_rows(octets)[1:] if form == 'csv' else [line.split('\t') for line in octets.decode().splitlines()]
            for host, status, count, end in (('127.0.0.2', 'ok', 30000, ends[0]), ('127.0.0.3', 'partial', 19999, ends[1])):
                mine = [row for row in rows if row[3] == host]
                self.assertEqual([row[0] for row in mine], [str(n) for n in range(1, count + 1)])
                self.assertEqual({(row[1], row[2]) for row in mine}, {(status, 'ifDescr')})
                self.assertTrue(all(row[4].startswith(end) for row in mine), mine[0])
                self.assertEqual(len({row[4] for row in mine}), 1)
        records = [json.loads(line) for line in
                   self.octets('-F', 'jsonl', '--fields', 'host,index', *words, status=1).splitlines()]
        self.assertEqual({record['host']: len(record['vars']) for record in records},
                         {'127.0.0.2': 30000, '127.0.0.3': 19999})
        self.assertEqual(len(self.octets('--fields', 'host,status', *words, status=1).splitlines()), 2)

    def test_csv_into_sqlite(self):
        if not readers.SQLITE:
            self.skipTest('no sqlite3')
        out = self.path('out.csv')
        self.octets('-F', 'csv', '--fields', 'value,host,status', '-o', out, *self.words, status=1)
        run = subprocess.run(['sqlite3', '-bail', ':memory:', f'.import --csv {out} t',
                              "select distinct host, status from t where status <> 'ok' order by host",
                              "select value from t where host = '127.0.0.2' order by rowid"],
                             capture_output=True, text=True, check=True)
        wanted = sorted(f'{host}|{status}' for host, status in self.hosts.items() if status != 'ok')
        self.assertEqual(run.stdout.splitlines(), wanted + ['eth0', 'eth1'])

    def test_wrong(self):
        for form in ('prometheus', 'influx'):
            self.assertIn(f'what format {form} has of a record is fixed', self.wrong('--fields', 'host', '-F', form))
        self.assertIn("there is no field 'stauts' (did you mean 'status'?)", self.wrong('--fields', 'host,stauts'))
        self.assertIn("field 'host' comes twice", self.wrong('--fields', 'host,oid,host'))
        self.assertIn("there is no field 'object' (only host,", self.wrong('--fields', 'object', '-F', 'csv'))
        self.assertIn("there is no field ''", self.wrong('--fields', 'host,'))


def in_order(text):
    """The key of --sort host."""
    try:
        address = ipaddress.ip_address(text)
        return (address.version, int(address), b'')
    except ValueError:
        return (7, 0, text.encode())


def blocks(form, octets):
    """The hosts of records as they stand, those of rows of one record once."""
    if form == 'jsonl':
        hosts = [json.loads(line)['host'] for line in octets.splitlines()]
    elif form == 'csv':
        hosts = [row['host'] for row in readers.csv_records(octets)]
    elif form == 'influx':
        hosts = [tags['host'] for _, tags, _, _ in line_protocol.parse(octets)]
    else:
        hosts = [line.split('\t')[0] for line in octets.decode().splitlines()]
    return [host for host, _ in itertools.groupby(hosts)]


class Sort(Shape):
    """--sort: records in order, when all are there."""

    def test_host_in_each_format(self):
        hosts, words = self.mixed()
        for form in ('text', 'jsonl', 'csv', 'influx'):
            with self.subTest(form=form):
                octets = self.octets('-F', form, '--sort', 'host', *words, '127.0.0.10', status=1)
                self.assertEqual(blocks(form, octets), sorted([*hosts, '127.0.0.10'], key=in_order))

    def test_other_keys(self):
        hosts, words = self.mixed()
        records = [json.loads(line) for line in
                   self.octets('-F', 'jsonl', '--sort', 'status', *words, '127.0.0.10', status=1).splitlines()]
        order = ['ok', 'partial', 'timeout', 'unreachable', 'auth', 'error', 'malformed', 'resolve']
        self.assertEqual([(record['status'], record['host']) for record in records],
                         sorted(((record['status'], record['host']) for record in records),
                                key=lambda pair: (order.index(pair[0]), in_order(pair[1]))))
        times = [json.loads(line)['rtt_ms'] for line in
                 self.octets('-F', 'jsonl', '--sort', 'rtt_ms', *words, '127.0.0.10', status=1).splitlines()]
        known = [time for time in times if time is not None]
        self.assertEqual(times, sorted(known) + [None] * (len(hosts) + 1 - len(known)))
        rows = self.octets('--sort', 'address', '--fields', 'address', *words, '127.0.0.10', status=1).decode().splitlines()
        self.assertEqual(rows[-1], '-')
        self.assertEqual(rows[:-1], sorted(rows[:-1], key=lambda row: in_order(row.split(':')[0])))

    def test_ten_thousand(self):
        """From two workers, in any order; in memory that is not theirs, through a file that is gone."""
        agents = self.agents('every:3:late=30ms', '*:long-values=400')
        os.mkdir(self.path('tmp'))
        words = ['-F', 'jsonl', '--sort', 'host', '-j', 2, '-t', '20s', '-p', agents.port, '-w', '1.3.6.1.2.1.1',
                 '-o', self.path('out'), '127.1.0.0-9', '127.2.0.0/19', '127.1.8.0/21', '127.0.1.0/24']
        process = self.start_poller(*words, env={**os.environ, 'TMPDIR': self.path('tmp')})
        peaks = processes.Peaks(process)
        self.output_of(process)
        peaks.join(poller.LONG)
        hosts = [json.loads(line)['host'] for line in self.read('out').splitlines()]
        self.assertEqual(len(hosts), 10 + 8192 + 2048 + 256)
        self.assertEqual(hosts, sorted(hosts, key=in_order))
        self.assertGreater(os.path.getsize(self.path('out')), 16 << 20)
        if not poller.WITH_ASAN:
            self.assertLess(max(peaks.most.values()), test_large.PEAK, peaks.most)
        self.assertEqual(os.listdir(self.path('tmp')), [])

    def test_large(self):
        """Records of many pieces, a failed one between them; each whole, and bounded memory."""
        agents = self.agents('127.0.0.3:silent', '127.0.0.4:rows=200000,gen-err-row=60000', '*:rows=60000')
        for form in ('jsonl', 'csv', 'text', 'influx'):
            process = self.start_poller('-F', form, '--sort', 'host', '-p', agents.port, '-t', '3s', '-r', 0, '-w', COLUMN,
                                        '-o', self.path('out'), *(f'127.0.0.{n}' for n in (6, 5, 4, 3, 2)))
            peaks = processes.Peaks(process)
            self.output_of(process, 1)
            peaks.join(poller.LONG)
            with open(self.path('out'), 'rb') as f:
                octets = f.read()
            self.assertEqual(blocks(form, octets), [f'127.0.0.{n}' for n in (2, 3, 4, 5, 6)])
            self.assertGreater(octets.count(b'ifDescr'), 230000)
            if not poller.WITH_ASAN:
                self.assertLess(max(peaks.most.values()), test_large.PEAK, peaks.most)

    def test_equal_ones_as_listed(self):
        """The same host twice, with other objects: each time in the order of the list."""
        agents = self.agents()
        path = self.write('hosts.yaml', f'''
defaults: {{port: {agents.port}}}
hosts:
  - {{host: 127.0.0.3, get: [sysUpTime.0]}}
  - {{host: 127.0.0.2, get: [sysName.0]}}
  - {{host: 127.0.0.3, get: [sysDescr.0, sysName.0]}}
  - {{host: 127.0.0.2, get: [sysUpTime.0]}}
''')
        for _ in range(3):
            octets = self.octets('--sort', 'host', '--fields', 'host,name', '-f', path)
            self.assertEqual(octets.decode().split(), ['127.0.0.2', 'sysName', '127.0.0.2', 'sysUpTime', '127.0.0.3', 'sysUpTime',
                                                       '127.0.0.3', 'sysDescr', '127.0.0.3', 'sysName'])

    def test_all_together(self):
        """Every option of the shape in one line, appended twice; the head once."""
        hosts, words = self.mixed()
        out = self.path('out.csv')
        for _ in range(2):
            self.octets('-F', 'csv', '--fields', 'status,index,host', '--only-failed', '--status', 'ok,partial,timeout',
                        '--sort', 'status', '--min-ok', '1', '--append', '-o', out, *words)
        once = [['partial', str(n), '127.0.0.6'] for n in range(1, 5)] + [['timeout', '', '127.0.0.3']]
        self.assertEqual(csv_rows(self.read('out.csv').replace('\n', '\r\n').encode()),
                         [['status', 'index', 'host']] + once + once)
        octets = self.octets('--null', '-F', 'jsonl', '--fields', 'host', '--sort', 'host', '--status', 'timeout,resolve', *words,
                             status=1)
        self.assertEqual(octets, b'{"host":"127.0.0.3"}\0{"host":"no.such.host.invalid"}\0')

    def test_rounds(self):
        """Each round is a whole of its own: its order, its head, its choice."""
        agents = self.agents('127.0.0.3:late=20ms')
        out = self.path('out.csv')
        process = self.start_poller('-F', 'csv', '--fields', 'host,status', '--sort', 'host', '-i', '200ms', '--no-spread', '-p',
                                    agents.port, '--append', '-o', out, '127.0.0.4', '127.0.0.3', '127.0.0.2')
        self.wait_until(lambda: os.path.exists(out) and self.read('out.csv').count('\n') >= 10)
        process.terminate()
        self.output_of(process, 128 + signal.SIGTERM)
        hosts = [line.split(',')[0] for line in self.read('out.csv').splitlines()]
        whole = len(hosts[1:10])
        self.assertEqual(hosts[:10], ['host'] + ['127.0.0.2', '127.0.0.3', '127.0.0.4'] * (whole // 3))
        self.assertEqual(hosts.count('host'), 1)

    def test_no_room(self):
        agents = self.agents('*:long-values=4000')
        out = self.write('out', 'old\n')
        run = self.run_poller('--sort', 'host', '-p', agents.port, '-t', '5s', '-w', '1.3.6.1.2.1.1', '-o', out, '127.1.0.0/22',
                              env={**os.environ, 'TMPDIR': '/nowhere/at/all'})
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertIn('TMPDIR', run.stderr)
        self.assertEqual(self.read('out'), 'old\n')

    def test_first_signal(self):
        """What is known is written, in order."""
        agents = self.agents('127.0.0.3:silent')
        out = self.path('out')
        process = self.start_poller('-F', 'jsonl', '--sort', 'host', '-p', agents.port, '-t', '60s', '-o', out,
                                    '127.0.0.3', '127.0.0.2', '127.0.0.1')
        self.wait_until(lambda: agents.counters()['received'] >= 3)
        process.terminate()
        self.output_of(process, 128 + signal.SIGTERM)
        self.assertEqual([json.loads(line)['host'] for line in self.read('out').splitlines()],
                         ['127.0.0.1', '127.0.0.2', '127.0.0.3'])

    def test_wrong(self):
        self.assertIn('--sort: format prometheus has its own order', self.wrong('--sort', 'host', '-F', 'prometheus'))
        self.assertIn("there is no key 'hots' (did you mean 'host'?)", self.wrong('--sort', 'hots'))


class Null(Shape):
    """--null: for readers up to a NUL."""

    def test_xargs(self):
        """A value of several lines, with tabs and quotes, is one argument; a name of a file comes as it is."""
        agents = self.agents('*:types')
        words = ['--null', '-p', agents.port, '-w', '1.3.6.1.4.1.8072.9999.9999', '--fields', 'value', '127.0.0.2']
        run = subprocess.run(['xargs', '-0', '-n', '1', sys.executable, '-c',
                              'import os, sys; print(os.fsencode(sys.argv[1]).hex())'],
                             input=self.octets(*words), capture_output=True, check=True)
        got = [bytes.fromhex(line.decode()) for line in run.stdout.splitlines()]
        record = json.loads(self.octets('-F', 'jsonl', *words[1:-3], '127.0.0.2'))
        self.assertEqual(len(got), len(record['vars']))
        texts = [(var['value'].encode(), value) for var, value in zip(record['vars'], got)
                 if var['type'] == 'OCTET STRING' and not var.get('hex') and '\0' not in var['value']]
        self.assertGreater(len(texts), 1)
        for wanted, value in texts:
            if not any(c < 0x20 and c not in b'\t\n\r' for c in wanted):
                self.assertEqual(value, wanted)

    def test_awkward_names(self):
        agents = self.agents()
        label = 'rack 1\n"left"\tü\\x41'
        path = self.write('hosts.yaml', f'hosts: [{{host: "127.0.0.2:{agents.port}", label: {json.dumps(label)}}}]\n')
        line, end = self.octets('--null', '--fields', 'host', '-f', path).split(b'\0')
        self.assertEqual((line.decode(), end), (label, b''))
        line, end = self.octets('--null', '-f', path).split(b'\0')
        self.assertEqual((line.decode().rsplit('\t', 3)[0], end), (label, b''))
        self.assertEqual(self.octets('-f', path).count(b'\n'), 1)

    def test_jsonl(self):
        hosts, words = self.mixed()
        octets = self.octets('--null', '-F', 'jsonl', *words, status=1)
        self.assertNotIn(b'\n', octets)
        records = [json.loads(text) for text in octets.split(b'\0')[:-1]]
        self.assertEqual({record['host']: record['status'] for record in records}, hosts)

    def test_large(self):
        agents = self.agents('*:rows=30000')
        words = ['--null', '-p', agents.port, '-t', '5s', '-w', COLUMN, '127.0.0.2']
        self.assertEqual(self.octets(*words).count(b'\0'), 30000)
        record, end = self.octets('-F', 'jsonl', *words).split(b'\0')
        self.assertEqual((len(json.loads(record)['vars']), end), (30000, b''))
        self.assertEqual(self.octets('--fields', 'index,status', *words).split(b'\0')[29999], b'30000\tok')

    def test_wrong(self):
        for form in ('csv', 'prometheus', 'influx'):
            self.assertIn(f'--null: format {form} has its own line ends', self.wrong('--null', '-F', form))


if __name__ == '__main__':
    together.main()

#!/usr/bin/env python3
"""The scripts of contrib/scripts/, on what the program writes of simulated agents. Where a device would have to count, to
restart or to be old for it, the records are written again with other numbers in them."""
import copy
import csv
import datetime
import io
import json
import os
import signal
import subprocess
import unittest

import poller
import together

SCRIPTS = os.path.join(os.path.abspath(os.environ.get('ABS_SRCDIR', '.')), 'contrib', 'scripts')
INTERFACES = ('-g', 'sysUpTime.0', '--table', 'ifTable,ifXTable')
WRAP = 1 << 32


class Script(poller.Poll):
    def run_script(self, name, *words, status=0, **how):
        run = subprocess.run([os.path.join(SCRIPTS, name), *words], capture_output=True, text=True, check=False,
                             timeout=poller.LONG, cwd=self.folder, **how)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        self.stderr = run.stderr
        return run.stdout

    def poll_to(self, name, *words):
        run = self.run_poller('-F', 'jsonl', '-o', self.path(name), '-t', '1s', '-r', 0, *words)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return [json.loads(line) for line in self.read(name).splitlines()]

    def write_records(self, name, records):
        self.write(name, ''.join(json.dumps(record) + '\n' for record in records))


class Every(Script):
    def test_help(self):
        names = sorted(name for name in os.listdir(SCRIPTS) if name != 'README.md')
        self.assertEqual(len(names), 5)
        for name in names:
            text = self.run_script(name, '--help')
            self.assertIn(name, text)
            self.assertLess(max(map(len, text.splitlines())), 125)

    def test_wrong(self):
        self.write('other', '{"host": 1}\n')
        self.write('half', '{"host":')
        for name in ('multisnmp-silent', 'multisnmp-utilisation', 'multisnmp-top'):
            for words in ([], ['other'], ['other', 'nowhere'], ['half', 'half'], ['other', 'other'], ['.', '.'], ['--none', 'a', 'b']):
                self.assertEqual(self.run_script(name, *words, status=2), '')
                self.assertRegex(self.stderr, f'{name}|^multisnmp-utilisation: ')
                self.assertNotIn('Traceback', self.stderr)
        for words in (['nowhere'], ['half'], ['other']):
            self.run_script('multisnmp-inventory', *words, status=2)
            self.assertIn('multisnmp-inventory: ', self.stderr)

    def ends(self, name, words, out):
        """Its exit status, with stdout in a buffer as ever; nothing but a line on stderr."""
        env = {k: v for k, v in os.environ.items() if k != 'PYTHONUNBUFFERED'}
        run = subprocess.run([os.path.join(SCRIPTS, name), *words], stdout=out, stderr=subprocess.PIPE, text=True, check=False,
                             timeout=poller.LONG, cwd=self.folder, env=env)
        self.assertLess(run.stderr.count('\n'), 2, run.stderr)
        self.assertNotIn('Exception', run.stderr)
        return run.returncode

    def test_output_that_fails(self):
        """A full disk is 2, not Python's 120; who reads no more is told nothing."""
        agents = self.agents('127.5.0.2:silent')
        self.poll_to('now', *INTERFACES, f'127.5.0.1:{agents.port}', f'127.5.0.2:{agents.port}')
        old = [json.loads(line) for line in self.read('now').splitlines()]
        for record in old:
            record['time'] = '2020-01-01T00:00:00.000Z'
            record['status'] = 'ok'
        self.write_records('before', old)
        for name, words in (('multisnmp-silent', ['before', 'now']), ('multisnmp-utilisation', ['before', 'now']),
                            ('multisnmp-inventory', ['now'])):
            with open('/dev/full', 'w', encoding='utf-8') as full:
                self.assertEqual(self.ends(name, words, full), 2, name)
            reader, writer = os.pipe()
            os.close(reader)
            self.assertEqual(self.ends(name, words, writer), -signal.SIGPIPE, name)
            os.close(writer)

    @unittest.skipUnless(poller.have('shellcheck'), 'no shellcheck')
    def test_shellcheck(self):
        bash = os.path.join(SCRIPTS, '..', 'completion', 'multisnmp.bash')
        subprocess.run(['shellcheck', '-S', 'warning', os.path.join(SCRIPTS, 'multisnmp-top'), bash], check=True, timeout=poller.LONG)


class Silent(Script):
    def setUp(self):
        super().setUp()
        agents = self.agents('127.2.0.1:silent', '127.2.0.2:gen-err')
        self.words = ('-p', agents.port, '127.2.0.1', '127.2.0.2', '127.2.0.3')

    def test_turned_and_came_back(self):
        records = self.poll_to('now', *self.words)
        self.run_script('multisnmp-silent', 'now', 'now')
        before = copy.deepcopy(records)
        for record in before:
            record['status'] = {'timeout': 'ok', 'ok': 'unreachable'}.get(record['status'], record['status'])
        self.write_records('before', before)
        lines = self.run_script('multisnmp-silent', 'before', 'now', status=1).splitlines()
        self.assertEqual(sorted(line.split('\t')[:3] for line in lines),
                         [['back', '127.2.0.3', 'ok'], ['silent', '127.2.0.1', 'timeout']])
        self.assertIn('no answer after 1 tr', ''.join(lines))
        self.assertEqual(self.run_script('multisnmp-silent', '-q', 'before', 'now', status=1), '')
        self.assertEqual(self.run_script('multisnmp-silent', 'now', 'before', status=1).count('silent\t'), 1)

    def test_a_label_in_any_locale(self):
        """What cannot be encoded ended it with 1: somebody turned silent."""
        self.write_records('before', [{'host': 'Zürich', 'status': 'timeout'}])
        self.write_records('now', [{'host': 'Zürich', 'status': 'ok'}])
        env = {**os.environ, 'PYTHONIOENCODING': 'ascii'}
        self.assertEqual(self.run_script('multisnmp-silent', 'before', 'now', env=env), 'back\tZürich\tok\n')

    def test_the_first_run(self):
        self.poll_to('now', *self.words)
        self.assertIn('silent\t127.2.0.1\t', self.run_script('multisnmp-silent', 'not-yet', 'now', status=1))
        self.run_script('multisnmp-silent', 'now', 'not-there', status=2)

    def test_what_says_nothing(self):
        records = self.poll_to('now', *self.words)
        for status in ('cancelled', 'crashed', 'lost'):
            self.write_records(status, [{**record, 'status': status, 'message': 'x'} for record in records])
            self.assertEqual(self.run_script('multisnmp-silent', 'now', status), '')
            self.assertIn('127.2.0.1', self.run_script('multisnmp-silent', status, 'now', status=1))

    def test_listed_twice(self):
        """An entry that is refused, and one that answers: the host is there."""
        records = self.poll_to('now', *self.words)
        self.write_records('twice', [{**record, 'status': 'timeout', 'message': 'x'} for record in records] + records)
        self.assertEqual(self.run_script('multisnmp-silent', 'now', 'twice'), '')
        self.write_records('twice', records + [{**record, 'status': 'timeout', 'message': 'x'} for record in records])
        self.assertEqual(self.run_script('multisnmp-silent', 'now', 'twice'), '')

    def test_escapes(self):
        self.write_records('now', [{'host': 'a\x1b[31m', 'status': 'timeout', 'message': 'tab\tnewline\n'}])
        self.assertEqual(self.run_script('multisnmp-silent', 'none', 'now', status=1), 'silent\ta?[31m\ttimeout\ttab?newline?\n')


class Interfaces(Script):
    """Two runs, 60 seconds apart: the second one is the first with other numbers."""

    def setUp(self):
        super().setUp()
        agents = self.agents('*:rows=2')
        self.before = self.poll_to('before', *INTERFACES, '-p', agents.port, '127.3.0.1')
        self.assertEqual(self.before[0]['status'], 'ok')
        self.now = copy.deepcopy(self.before)
        at = datetime.datetime.fromisoformat(self.now[0]['time'].replace('Z', '+00:00')) + datetime.timedelta(seconds=60)
        self.now[0]['time'] = at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')
        self.set(self.now, 'sysUpTime', '0', self.get(self.before, 'sysUpTime', '0') + 6000)
        for records in (self.before, self.now):
            self.set(records, 'ifSpeed', '1', 100000000)
            self.set(records, 'ifHighSpeed', '1', 100)
            for name in ('ifHCInOctets', 'ifHCOutOctets', 'ifInOctets', 'ifOutOctets'):
                self.set(records, name, '1', 1000)

    @staticmethod
    def get(records, name, index):
        return next(var['value'] for var in records[0]['vars'] if (var['name'], var['index']) == (name, index))

    @staticmethod
    def set(records, name, index, value):
        """None takes the object away."""
        variables = records[0]['vars']
        variables[:] = [var for var in variables if (var['name'], var['index']) != (name, index)]
        if value is not None:
            variables.append({'oid': '1.3', 'name': name, 'index': index, 'type': 'x', 'value': value})

    def both(self, name, before, now, index='1'):
        self.set(self.before, name, index, before)
        self.set(self.now, name, index, now)

    def old(self):
        """An agent of 32 bits."""
        for way in ('In', 'Out'):
            self.both(f'ifHC{way}Octets', None, None)

    def row(self, index='1'):
        self.write_records('before', self.before)
        self.write_records('now', self.now)
        head, *lines = (line.split('\t') for line in self.run_script('multisnmp-utilisation', 'before', 'now').splitlines())
        return next(row for row in (dict(zip(head, line)) for line in lines) if row['index'] == index)

    def assert_rates(self, row, *wanted):
        self.assertEqual((row['in_bps'], row['out_bps'], row['in_%'], row['out_%']), wanted, row)
        self.assertEqual(row['note'] == '-', '-' not in wanted[:2], row)

    def test_rates(self):
        """75 MB in a minute are 10 Mbit/s."""
        self.both('ifHCInOctets', (1 << 53) + 1, (1 << 53) + 1 + 75000000)
        row = self.row()
        self.assert_rates(row, '10000000', '0', '10.00', '0.00')
        self.assertEqual((row['host'], row['seconds'], row['speed_bps']), ('127.3.0.1', '60.0', '100000000'))
        self.assertEqual(row['name'], self.get(self.before, 'ifName', '1'))

    def test_wrap_of_32_bits(self):
        self.old()
        self.both('ifInOctets', WRAP - 50000000, 25000000)
        self.assert_rates(self.row(), '10000000', '0', '10.00', '0.00')

    def test_wrap_without_uptime(self):
        self.old()
        self.both('sysUpTime', None, None, index='0')
        self.both('ifInOctets', WRAP - 50000000, 25000000)
        row = self.row()
        self.assert_rates(row, '-', '0', '-', '0.00')
        self.assertIn('sysUpTime', row['note'])

    def test_too_fast_for_32_bits(self):
        self.old()
        self.both('ifSpeed', 1000000000, 1000000000)  # wraps within 34 s
        self.both('ifHighSpeed', 1000, 1000)
        self.both('ifInOctets', 0, 75000000)
        row = self.row()
        self.assert_rates(row, '-', '-', '-', '-')
        self.assertIn('more than once', row['note'])

    def test_faster_than_the_interface(self):
        self.old()
        self.both('ifInOctets', 0, 800000000)  # 107 Mbit/s
        self.assertEqual(self.row()['in_bps'], '-')

    def test_64_bits_that_go_back(self):
        self.both('ifHCInOctets', 1 << 40, 5)
        self.assert_rates(self.row(), '-', '0', '-', '0.00')

    def test_restart(self):
        self.both('sysUpTime', 100000000, 3000, index='0')
        self.assertEqual(self.row()['note'], 'the agent restarted')
        self.both('sysUpTime', 3000000000, 3000, index='0')  # more than half of what it can be
        self.assertEqual(self.row()['note'], 'the agent restarted')
        self.both('sysUpTime', 1000, 4000, index='0')  # twenty seconds are missing
        self.assertEqual(self.row()['note'], 'the agent restarted')
        self.both('sysUpTime', 1000, 7100, index='0')
        self.assertEqual(self.row()['note'], '-')

    def test_uptime_begins_anew(self):
        self.both('sysUpTime', WRAP - 2000, 4000, index='0')
        self.assertEqual(self.row()['note'], '-')
        self.both('sysUpTime', WRAP - 2000, 500000, index='0')
        self.assertEqual(self.row()['note'], 'the agent restarted')

    def test_discontinuity(self):
        self.both('ifCounterDiscontinuityTime', 0, 12345)
        self.assertEqual(self.row()['note'], 'counters were reset')

    def test_another_interface(self):
        self.both('ifName', 'eth0', 'eth1')
        row = self.row()
        self.assertEqual((row['note'], row['in_bps']), ('was eth0 before', '-'))

    def test_a_new_interface(self):
        self.before[0]['vars'] = [var for var in self.before[0]['vars'] if var['index'] != '1']
        self.assertEqual(self.row()['note'], 'was not there before')

    def test_speeds(self):
        self.both('ifHCInOctets', 0, 75000000)
        for speed, high, wanted, share in ((0, 0, '-', '-'), (None, None, '-', '-'), (WRAP - 1, 10000, '10000000000', '0.10'),
                                           (1410065408, 10000, '10000000000', '0.10'), (64000, 0, '64000', '15625.00'),
                                           (10300000, 10, '10300000', '97.09')):
            self.both('ifSpeed', speed, speed)
            self.both('ifHighSpeed', high, high)
            row = self.row()
            self.assertEqual((row['speed_bps'], row['in_%'], row['in_bps']), (wanted, share, '10000000'))

    def test_nonsense_of_a_device(self):
        self.both('ifHCInOctets', 'a\x1b', None)
        self.both('ifName', '\x1b]0;x\x07\ty', '\x1b]0;x\x07\ty')
        row = self.row()
        self.assertEqual(row['name'], '?]0;x??y')
        self.both('ifHCInOctets', 'a', 'b')
        self.assertEqual(self.row()['in_bps'], '0')  # of ifInOctets

    def test_runs_in_the_wrong_order(self):
        self.row()
        self.run_script('multisnmp-utilisation', 'now', 'before', status=2)
        self.assertIn('is not later', self.stderr)

    def top(self, *words):
        self.write_records('before', self.before)
        self.write_records('now', self.now)
        return [line.split('\t') for line in self.run_script('multisnmp-top', *words, 'before', 'now').splitlines()]

    def test_top(self):
        self.both('ifHCInOctets', 0, 75000000)
        self.both('ifHCOutOctets', 0, 1)
        self.both('ifHCInOctets', 0, 150000, index='2')
        self.both('ifHCOutOctets', 0, 37500000, index='2')
        self.both('ifSpeed', 0, 0, index='2')
        self.both('ifHighSpeed', 0, 0, index='2')
        names = [self.get(self.before, 'ifName', index) for index in '12']
        first = ['10.000', '0.000', '10.00', '0.00', '127.3.0.1', names[0]]
        second = ['0.020', '5.000', '-', '-', '127.3.0.1', names[1]]
        self.assertEqual(self.top(), [first, second])
        self.assertEqual(self.top('-o'), [second, first])
        self.assertEqual(self.top('-i', '-n', '1'), [first])
        self.both('sysUpTime', 100000000, 3000, index='0')
        self.assertEqual(self.top(), [])
        self.before[0]['host'] = 'another'
        self.assertEqual(self.top(), [])


class Inventory(Script):
    def rows(self, *words, **how):
        text = self.run_script('multisnmp-inventory', *words, **how)
        return list(csv.DictReader(io.StringIO(text, newline='')))

    def test_system(self):
        agents = self.agents('127.4.0.2:silent')
        records = self.poll_to('now', '-w', 'system', '-p', agents.port, '127.4.0.1', '127.4.0.2')
        there, silent = sorted(self.rows('now'), key=lambda row: row['host'])
        self.assertEqual((there['sysName'], there['sysDescr']), ('agent-127-4-0-1', 'Simulated agent 127.4.0.1'))
        self.assertEqual(there['address'], f'127.4.0.1:{agents.port}')
        self.assertRegex(there['sysObjectID'], r'^1\.3\.6\.1\.4\.1\.')
        self.assertRegex(there['uptime_s'], r'^\d+$')
        self.assertTrue(there['sysLocation'] and there['sysContact'])
        self.assertEqual((silent['host'], silent['status'], silent['sysName'], silent['serial']), ('127.4.0.2', 'timeout', '', ''))
        piped = self.rows(input=''.join(json.dumps(record) + '\n' for record in records))
        self.assertEqual(piped, self.rows('now'))

    def test_serial_number_of_the_chassis(self):
        def var(name, index, value):
            return {'oid': '1', 'name': name, 'index': index, 'type': 'x', 'value': value}
        record = {'host': 'h', 'address': None, 'status': 'ok', 'vars': [
            var('entPhysicalSerialNum', '10', 'of a fan'), var('entPhysicalSerialNum', '2', 'of a card'),
            var('entPhysicalSerialNum', '1000', 'CHASSIS'), var('entPhysicalClass', '1000', 3), var('entPhysicalClass', '2', 9),
            var('entPhysicalSerialNum', '1', ''), var('entPhysicalModelName', '2', 'WS-1'), var('entPhysicalModelName', '10', 'no')]}
        self.write_records('now', [record])
        self.assertEqual([(row['serial'], row['model']) for row in self.rows('now')], [('CHASSIS', 'WS-1')])

    def test_what_devices_call_themselves(self):
        agents = self.agents('*:types')
        records = self.poll_to('now', '-w', 'system', '-p', agents.port, '127.4.0.1')
        names = ['=cmd|" /c calc"!A1', ' @SUM(1)', 'two\r\nlines, "quoted"', 'Köln']
        for record, name in zip(records * len(names), names):
            record['host'] = name
            for variable in record['vars']:
                if variable['name'] == 'sysName':
                    variable['value'] = name
            self.write_records('now', [record])
            tamed = name.replace('\r\n', '  ') if name[0] not in '= ' else "'" + name
            self.assertEqual(self.rows('now')[0]['sysName'], tamed)
            exact = self.rows('--exact', 'now')[0]['sysName']
            self.assertEqual(exact, name.replace('\r\n', '\n'))  # what is read as text here


class Plugin(Script):
    def check(self, status, *words, **how):
        how.setdefault('env', {**os.environ, 'MULTISNMP': poller.MULTISNMP})
        line = self.run_script('check_multisnmp', *map(str, words), status=status, **how)
        self.assertEqual(line.count('\n'), 1)
        self.assertTrue(line.startswith('SNMP ' + ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[status] + ' - '), line)
        return line.strip()

    def setUp(self):
        super().setUp()
        self.port = self.agents('127.5.0.2:silent', '127.5.0.3:gen-err', options=['--stop-after', '300s']).port
        self.more = ('--', '-p', self.port, '-t', '2s', '-r', '0')

    def test_ok(self):
        self.assertRegex(self.check(0, '-H', '127.5.0.1', *self.more),
                         r"^SNMP OK - sysUpTime\.0 \d+ \| 'sysUpTime\.0'=\d+ rtt=[\d.]+ms$")

    def test_text(self):
        self.assertIn('sysName.0 agent-127-5-0-1 |', self.check(0, '-H', '127.5.0.1', '-o', 'sysName.0', *self.more))
        self.assertIn('is no number', self.check(3, '-H', '127.5.0.1', '-o', 'sysName.0', '-w', '5', *self.more))

    def test_ranges(self):
        """ifNumber.0 is 2, on both sides of each bound."""
        for state, warning, critical in ((0, '2', '3'), (1, '1', '5'), (2, '1', '1'), (0, '2:', '1:'), (1, '3:', '0:'), (0, '~:2', ''),
                                         (1, '~:1', ''), (0, '1:3', ''), (1, '@1:3', ''), (0, '@3:5', ''), (2, '', '@2:2'), (1, '1.9', '')):
            limits = [word for option, value in (('-w', warning), ('-c', critical)) if value for word in (option, value)]
            line = self.check(state, '-H', '127.5.0.1', '-o', 'ifNumber.0', *limits, *self.more)
            self.assertIn("'ifNumber.0'=2;" + f'{warning};{critical}'.rstrip(';'), line)

    def test_several_objects(self):
        line = self.check(2, '-H', '127.5.0.1', '-o', 'sysUpTime.0,IF-MIB::ifNumber.0,.1.3.6.1.2.1.2.1.0', '-c', ',1', *self.more)
        self.assertIn("'ifNumber.0'=2;;1", line)
        self.assertEqual(line.count("'ifNumber.0'=2"), 2)

    def test_counter(self):
        self.assertRegex(self.check(0, '-H', '127.5.0.1', '-o', 'ifHCInOctets.1', *self.more), r"'ifHCInOctets\.1'=\d+c ")

    def test_no_answer(self):
        self.assertIn('timeout: no answer', self.check(2, '-H', '127.5.0.2', *self.more))
        self.assertIn('error: ', self.check(3, '-H', '127.5.0.3', *self.more))
        self.assertIn('cancelled', self.check(3, '-H', '127.5.0.2', '-t', '1', '--', '-p', self.port, '-t', '60'))

    def test_missing_object(self):
        self.assertIn('noSuch', self.check(3, '-H', '127.5.0.1', '-o', 'ifInOctets.99', *self.more))

    def test_entries_that_ask_for_something_else(self):
        self.write('hosts.yaml', 'hosts: [{host: 127.5.0.1, get: [sysName.0]}]')
        self.assertIn('is not in the answer', self.check(3, '-H', '127.5.0.1', '-o', 'ifNumber.0', *self.more, '-f', 'hosts.yaml'))

    def test_never_a_warning_by_accident(self):
        """1, the status of an exception, is WARNING."""
        self.more = ('--', '-p', self.agents('*:types').port, '-t', '1s')
        env = {**os.environ, 'MULTISNMP': poller.MULTISNMP, 'PYTHONIOENCODING': 'ascii'}
        self.assertIn('ü', self.check(0, '-H', '127.5.0.1', '-o', '1.3.6.1.4.1.8072.9999.9999.3.0', *self.more, env=env))
        for words in (('-F', 'text'), ('--fields', 'host')):
            self.assertIn('is no record', self.check(3, '-H', '127.5.0.1', *self.more, *words))

    def test_wrong(self):
        self.assertIn('-H', self.check(3))
        self.assertIn('write 10', self.check(3, '-H', 'h', '-w', '5:1'))
        self.assertIn('write 10', self.check(3, '-H', 'h', '-w', 'five'))
        self.assertIn('more than one host', self.check(3, '-H', '127.5.0.4/31', *self.more))
        self.assertIn('unknown option', self.check(3, '-H', 'h', '--', '--none'))
        self.assertIn('No such file', self.check(3, '-H', 'h', env={**os.environ, 'MULTISNMP': '/nowhere'}))
        self.assertIn('resolve: ', self.check(3, '--host=-h'))  # a host, and no option


if __name__ == '__main__':
    together.main()

#!/usr/bin/env python3
"""Hostile values: each format's real reader gets back exactly what the device sent, or a marked substitute.

The devices are written in Python and send whatever a seeded generator makes: terminal escapes, line ends,
NUL, what is not UTF-8, quotes, backslashes, formulas, and what tries to be a line, a label or a point of
somebody else. The readers are json and jq, csv, the parser of prometheus_client and promtool, line_protocol.py,
and tabs. MULTISNMP_SEED repeats a run.
"""
import contextlib
import json
import math
import os
import random
import struct
import subprocess
import time
import unittest

import ber
import poller
import readers

NAME, ALIAS, OCTETS = '1.3.6.1.2.1.31.1.1.1.1', '1.3.6.1.2.1.31.1.1.1.18', '1.3.6.1.2.1.31.1.1.1.6'
OURS = '1.3.6.1.4.1.32473.40'
MANY = 1500
SEED = int(os.environ.get('MULTISNMP_SEED', time.time_ns() % 1000000))
FORMATS = {'jsonl': readers.read_jsonl, 'csv': readers.read_csv, 'influx': readers.read_influx,
           'prometheus': readers.read_prometheus}

PIECES = [  # what somewhere somebody has broken something with
    b'', b'a', b'eth0', b' ', b'  ', b'\0', b'\t', b'\n', b'\r', b'\r\n', b'\x0b', b'\x0c', b'\x1b[2J', b'\x1b]0;x\x07',
    b'\x7f', b'\x85', b'\xc2\x85', b'\xe2\x80\xa8', b'\xe2\x80\xae', b'\xe2\x81\xa6', b'\xef\xbb\xbf', b'\xff', b'\xc0\x80',
    b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\xc3', 'ü'.encode(), '✓'.encode(), '🌍'.encode(), b'"', b'""', b"'", b'`', b'\\', b'\\\\',
    b'\\"', b'\\n', b'\\x0a', b'\\x', b'0x', b'0xff', b'00ff', b',', b'=', b';', b'|', b'{', b'}', b'[', b']', b'#', b'# TYPE x counter',
    b'=cmd()', b'=cmd|\' /C calc\'!A0', b'+1', b'-1', b'@SUM(1)', b'NaN', b'+Inf', b'null', b'true', b'1i', b'1', b'-', b'%0A',
    b'"} 1\nsnmp_up{host="core1', b'\nsnmp_up{host="core1"} 0\n', b'\\"} 0\n', b'\nsnmp,host=core1 ifHCInOctets=0u 1\n',
    b',host=core1', b'\\,host=core1', b' ifHCInOctets=0u', b'\\', b'"\nsnmp x=1 1\n"', b'"\r\ncore1,,,ok\r\n', b'{"host":"core1"}',
    b'\n{"host":"core1","vars":[]}\n', b'</script>', b'$(reboot)', b'\xe2\x80\xa9', b'\x01', b'\x02', b'_hex', b'_escaped', b'\x1a', b'\x04']


def hostile(rng, most=6):
    kind = rng.random()
    if kind < 0.1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(12)))
    if kind < 0.2:
        return bytes(rng.choice(b'\\"\n\r\t,= x0{}%') for _ in range(rng.randrange(10)))
    return b''.join(rng.choice(PIECES) for _ in range(rng.randrange(most)))


def yaml_string(text):
    return '"' + ''.join(c if c.isascii() and c.isalnum() else f'\\U{ord(c):08x}' for c in text) + '"'


def float_octets(value):
    return b'\x9f\x78\x04' + struct.pack('!f', value)


def double_octets(value):
    return b'\x9f\x79\x08' + struct.pack('!d', value)


class Bounded(ber.Tree):
    """No answer is too long for UDP: a GETBULK's leaves out its last varbinds, others are tooBig."""

    def answer(self, request, most=None):
        rows, room = [], 65000
        for name, value in self.rows(request, most):
            room -= len(value[1]) + 50
            if room >= 0:
                rows.append((name, value))
            elif request.pdu != ber.GETBULK or not rows:
                return request.response([(name, ber.NULL) for name in request.names], ber.TOO_BIG)
            else:
                break
        return request.response(rows)


class Hostile(poller.Poll):
    def setUp(self):
        super().setUp()
        self.devices = contextlib.ExitStack()
        self.addCleanup(self.devices.close)
        self.rng = random.Random(SEED)

    def device(self, objects):
        device = self.devices.enter_context(ber.Device(Bounded(objects).answer))
        return f'127.0.0.1:{device.port}'

    def run_format(self, name, *words, status=0):
        run = subprocess.run([poller.MULTISNMP, '-q', '-F', name, *map(str, words)], capture_output=True,
                             stdin=subprocess.DEVNULL, timeout=poller.LONG, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        return run.stdout

    def assert_rows(self, got, wanted, form):
        """The same rows, in any order; what differs is shown, with the seed."""
        self.assertEqual(len(got), len(wanted), f'{form}, seed {SEED}')
        key = lambda row: (row[0], row[1])
        for one, other in zip(sorted(got, key=key), sorted(wanted, key=key)):
            if one[:3] != other[:3] or not readers.same(one[3], other[3]):
                self.fail(f'{form}, seed {SEED}: read {one}, sent {other}')

    def check_all(self, wanted, *words, only=FORMATS):
        for form in only:
            if form == 'prometheus' and not readers.prometheus_parser:
                continue
            octets = self.run_format(form, *words)
            rows = wanted
            if form == 'prometheus':
                self.assertEqual(readers.promtool(octets), [], f'seed {SEED}')
                rows = [(host, name, label, float(value) if isinstance(value, int) else value)
                        for host, name, label, value in rows]
            if form in ('csv', 'influx'):  # they have no empty label
                rows = [(host, name, label or None, value) for host, name, label, value in rows]
            with self.subTest(form=form):
                self.assert_rows(FORMATS[form](octets), rows, form)

    def test_readers(self):
        if readers.missing():
            self.skipTest('readers that are not installed: ' + ', '.join(readers.missing()))

    def test_values_and_labels(self):
        """Thousands of values of a table, each beside a label that is as bad."""
        names = [hostile(self.rng) for _ in range(MANY)]
        aliases = [hostile(self.rng) for _ in range(MANY)]
        objects, rows = {}, []
        for index, (name, alias) in enumerate(zip(names, aliases), 1):
            objects[f'{NAME}.{index}'] = ber.string(name)
            objects[f'{ALIAS}.{index}'] = ber.string(alias)
            objects[f'{OCTETS}.{index}'] = ber.counter64(2**64 - index)
            rows += [(f'ifAlias.{index}', name, alias), (f'ifHCInOctets.{index}', name, 2**64 - index)]
        agent = self.device(objects)
        words = ['--table', 'ifAlias,ifHCInOctets', '--set', 'index_label=ifName', agent]
        self.check_all([(agent.encode(), *row) for row in rows], *words)
        self.assert_text(words, agent, rows)
        if readers.JQ:
            self.assert_jq(words)

    def assert_text(self, words, agent, rows):
        """Four columns a line. A label may hold anything but a tab: it ends at the column's end."""
        got = readers.read_text(self.run_format('text', *words))
        self.assertEqual(len(got), len(rows))
        wanted = {what: value for what, _, value in rows}
        for host, what, _, value in got:
            self.assertEqual(host, agent.encode())
            sent = wanted[what]
            self.assertEqual(value, sent if isinstance(sent, bytes) else str(sent).encode(), f'seed {SEED}')

    def assert_jq(self, words):
        """jq (1.6 rounds large numbers) has the same strings as Python."""
        octets = self.run_format('jsonl', *words)
        wanted = [[var['oid'], var['label'], var['value']] for line in octets.decode().splitlines()
                  for var in json.loads(line)['vars'] if var['type'] == 'OCTET STRING']
        got = readers.jq(octets, '.vars[] | select(.type == "OCTET STRING") | [.oid, .label, .value]')
        self.assertEqual([json.loads(line) for line in got.split(b'\n')[:-1]], wanted)

    def test_types_without_a_name(self):
        """Of objects that no MIB names: every type, its ends, what is no number."""
        values = [(ber.string(hostile(self.rng)),) * 2 for _ in range(200)]
        values = [(wire, wire[1]) for wire, _ in values]
        values += [(ber.integer(n), n) for n in (0, -1, -2**31, 2**31 - 1)]
        values += [(ber.counter64(n), n) for n in (0, 2**53 + 1, 2**63, 2**64 - 1)]
        values += [(make(n), n) for make in (ber.counter32, ber.gauge32, ber.timeticks) for n in (0, 2**32 - 1)]
        values += [(ber.opaque(double_octets(x)), x) for x in (math.nan, math.inf, -math.inf, 0.1, -0.0, 1e308, 5e-324)]
        values += [(ber.opaque(float_octets(x)), x) for x in (math.nan, math.inf, -math.inf, 0.5, -2.0)]
        values += [(ber.opaque(octets), octets) for octets in (b'\4\3abc', b'\4\4"\n\\\0')]
        values += [(ber.ip_address('255.0.0.1'), b'255.0.0.1'), (ber.identifier('2.999.4294967295'), b'2.999.4294967295')]
        objects = {f'{OURS}.{n}': wire for n, (wire, _) in enumerate(values, 1)}
        agent = self.device(objects)
        rows = [(agent.encode(), f'{OURS}.{n}', None, value) for n, (_, value) in enumerate(values, 1)]
        self.check_all(rows, '-w', OURS, agent)

    def test_long_values(self):
        """60,000 octets, of which each becomes as many as an octet can; as value and as label."""
        bad = [b'\\' * 60000, b'"' * 60000, b'\n' * 60000, b'\xff' * 60000, b'\r' * 60000, b',' * 60000, b'x' * 60000,
               '✓'.encode() * 20000]
        objects = {f'{OURS}.{n}': ber.string(value) for n, value in enumerate(bad, 1)}
        agent = self.device(objects)
        rows = [(agent.encode(), f'{OURS}.{n}', None, value) for n, value in enumerate(bad, 1)]
        words = [word for n in range(1, len(bad) + 1) for word in ('-g', f'{OURS}.{n}')]
        self.check_all(rows, '-t', '1s', '-r', 5, '-w', OURS, agent)
        objects = {f'{column}.{n}': ber.string(value) for n, value in enumerate(bad, 1) for column in (NAME, ALIAS)}
        agent = self.device(objects)
        rows = [(agent.encode(), f'ifAlias.{n}', value, value) for n, value in enumerate(bad, 1)]
        self.check_all(rows, '--set', 'index_label=ifName', '-t', '1s', '-r', 5,
                       '--table', 'ifAlias', agent)

    def test_missing_values(self):
        """noSuchInstance and NULL: a row in jsonl and csv, nothing in the others, which know only values."""
        agent = self.device({f'{OURS}.1': ber.NULL, f'{OURS}.2': ber.integer(3)})
        words = ['-g', f'{OURS}.1', '-g', f'{OURS}.2', '-g', f'{OURS}.9', agent]
        host = agent.encode()
        three = (host, f'{OURS}.2', None, 3)
        rows = [(host, f'{OURS}.1', None, None), three, (host, f'{OURS}.9', None, None)]
        self.check_all(rows, *words, only=['jsonl', 'csv'])
        self.check_all([three], *words, only=['influx', 'prometheus'])

    def test_labels_of_hosts(self):
        """What the person has written as a host's label is as hostile; each record is one host's."""
        agent = self.device({f'{OURS}.{n}': ber.string(value) for n, value in enumerate(PIECES[:30], 1)})
        labels = []
        while len(labels) < 40:
            text = hostile(self.rng).replace(b'\0', b'').decode('utf-8', 'ignore')
            if text and text not in labels and text.encode('utf-8', 'replace').decode() == text:
                labels.append(text)
        lines = [f'  - {{host: "{agent}", label: {yaml_string(text)}}}' for text in labels]
        path = self.write('hosts.yaml', '\n'.join(['hosts:'] + lines) + '\n')
        rows = [(text.encode(), f'{OURS}.{n}', None, value) for text in labels
                for n, value in enumerate(PIECES[:30], 1)]
        words = ['-f', path, '-w', OURS]
        self.check_all(rows, *words)
        got = readers.read_text(self.run_format('text', *words))
        self.assert_rows([(host, what, None, value) for host, what, _, value in got], rows, 'text')


if __name__ == '__main__':
    unittest.main()

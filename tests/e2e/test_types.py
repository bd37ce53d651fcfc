#!/usr/bin/env python3
"""Names, types and values of every type of SMIv2, from a MIB file of our own (EXAMPLE-TYPES-MIB).

`text` renders what the syntax knows; `jsonl` has the agent's type, the value without loss, and object
and index apart. The agent is one in Python, so that each octet on the wire is known.
"""
import contextlib
import os
import struct
import unittest

import ber
import daemons
import poller

MIBS = os.path.join(os.path.dirname(daemons.COMPARE), 'mibs')
MODULE, BASE = 'EXAMPLE-TYPES-MIB', '1.3.6.1.4.1.32473.20'
DATE = bytes.fromhex('07ea0b150a1e2d05') + b'-' + bytes([3, 30])
FLOAT = b'\x9f\x78\x04' + struct.pack('!f', 0.1)
DOUBLE = b'\x9f\x79\x08' + struct.pack('!d', 0.1)
ROW = '3.97.98.99.192.0.2.1.4294967295'

OBJECTS = [  # name, index, OID below BASE, on the wire; type and value in jsonl; in text
    ('typesInteger', '0', '1', ber.integer(-2147483648), 'INTEGER', -2147483648, '-2147483648'),
    ('typesState', '0', '2', ber.integer(1), 'INTEGER', 1, 'up(1)'),
    ('typesState', '1', '2', ber.integer(-1), 'INTEGER', -1, 'unknown(-1)'),
    ('typesState', '2', '2', ber.integer(7), 'INTEGER', 7, '7'),
    ('typesTruth', '0', '3', ber.integer(2), 'INTEGER', 2, 'false(2)'),
    ('typesText', '0', '4', ber.string('rack 4'), 'OCTET STRING', 'rack 4', 'rack 4'),
    ('typesText', '1', '4', ber.string('one\ntwo\t3'), 'OCTET STRING', 'one\ntwo\t3', r'one\x0atwo\x093'),
    ('typesText', '2', '4', ber.string(b'T\xfcr'), 'OCTET STRING', b'T\xfcr', r'T\xfcr'),
    ('typesText', '3', '4', ber.string(''), 'OCTET STRING', '', ''),
    ('typesOctets', '0', '5', ber.string(b'\0\xff'), 'OCTET STRING', b'\0\xff', '0x00ff'),
    ('typesOctets', '1', '5', ber.string('words'), 'OCTET STRING', 'words', 'words'),
    ('typesAddress', '0', '6', ber.string(bytes.fromhex('00deadbeef01')), 'OCTET STRING',
     bytes.fromhex('00deadbeef01'), '00:de:ad:be:ef:01'),
    ('typesAddress', '1', '6', ber.string('ABCDEF'), 'OCTET STRING', 'ABCDEF', '41:42:43:44:45:46'),
    ('typesAddress', '2', '6', ber.string(''), 'OCTET STRING', '', ''),
    ('typesDate', '0', '7', ber.string(DATE), 'OCTET STRING', DATE, '2026-11-21,10:30:45.5,-3:30'),
    ('typesDate', '1', '7', ber.string(DATE[:8]), 'OCTET STRING', DATE[:8], '2026-11-21,10:30:45.5'),
    ('typesObject', '0', '9', ber.identifier(BASE + '.4294967295'), 'OBJECT IDENTIFIER', BASE + '.4294967295',
     BASE + '.4294967295'),
    ('typesObject', '1', '9', ber.identifier('0.0'), 'OBJECT IDENTIFIER', '0.0', '0.0'),
    ('typesIpAddress', '0', '10', ber.ip_address('192.0.2.255'), 'IpAddress', '192.0.2.255', '192.0.2.255'),
    ('typesCounter', '0', '11', ber.counter32(4294967295), 'Counter32', 4294967295, '4294967295'),
    ('typesGauge', '0', '12', ber.gauge32(3000000000), 'Gauge32', 3000000000, '3000000000'),
    ('typesUnsigned', '0', '13', ber.gauge32(2147483648), 'Gauge32', 2147483648, '2147483648'),
    ('typesTicks', '0', '14', ber.timeticks(4294967295), 'TimeTicks', 4294967295,
     '4294967295 (497 days, 2:27:52.95)'),
    ('typesOpaque', '1', '15', ber.opaque(FLOAT), 'Float', 0.1, '0.1'),
    ('typesOpaque', '2', '15', ber.opaque(DOUBLE), 'Double', 0.1, '0.1'),
    ('typesOpaque', '3', '15', ber.opaque(b'\2\1\5'), 'Opaque', b'\2\1\5', '0x020105'),
    ('typesBig', '0', '16', ber.counter64(18446744073709551615), 'Counter64', 18446744073709551615,
     '18446744073709551615'),
    ('typesTenths', '0', '17', ber.integer(-1234), 'INTEGER', -1234, '-123.4'),
    ('typesHex', '0', '18', ber.gauge32(48879), 'Gauge32', 48879, 'beef'),
    ('typesUtf8', '0', '19', ber.string('Zürich ✓'), 'OCTET STRING', 'Zürich ✓', 'Zürich ✓'),
    ('typesEntryState', ROW, '30.1.4', ber.integer(2), 'INTEGER', 2, 'awake(2)'),
    ('typesEntryCount', ROW, '30.1.5', ber.counter64(9007199254740993), 'Counter64', 9007199254740993,
     '9007199254740993'),
]
BITS = [('0', b'\x80\1'), ('1', b'\xc0'), ('2', b'A'), ('3', b''), ('4', b'\0\0')]


def oid_of(row):
    return f'{BASE}.{row[2]}.{row[1]}'


class Types(poller.Poll):
    def setUp(self):
        super().setUp()
        objects = {oid_of(row): row[3] for row in OBJECTS}
        objects.update({f'{BASE}.8.{index}': ber.string(value) for index, value in BITS})
        self.device = contextlib.ExitStack()
        self.addCleanup(self.device.close)
        device = self.device.enter_context(ber.Device(ber.Tree(objects).answer))
        self.agent = f'127.0.0.1:{device.port}'
        self.words = ('-M', MIBS, '-m', MODULE)

    def by_name(self, module=''):
        return [word for row in OBJECTS for word in ('-g', f'{module}{row[0]}.{row[1]}')]

    def assert_jsonl(self, vars_, named=True):
        self.assertEqual([var['oid'] for var in vars_], [oid_of(row) for row in OBJECTS])
        for var, (name, index, _, _, kind, value, _) in zip(vars_, OBJECTS):
            with self.subTest(oid=var['oid']):
                keys = ['oid', 'name', 'index', 'type', 'value']
                if isinstance(value, bytes):
                    value, keys = value.hex(), keys + ['hex']
                    self.assertIs(var['hex'], True)
                self.assertEqual(list(var), keys)
                self.assertEqual((var['name'], var['index']), (name, index) if named else (None, None))
                self.assertEqual((var['type'], var['value']), (kind, value))
                self.assertIs(type(var['value']), type(value))

    def text(self, *words):
        run = self.run_poller(*words, self.agent)
        self.assertEqual(run.returncode, 0, run.stderr)
        return [line.split('\t') for line in run.stdout.splitlines()]

    def test_jsonl_by_name(self):
        self.assert_jsonl(self.one(*self.words, *self.by_name(), self.agent)['vars'])

    def test_jsonl_by_module_and_name(self):
        self.assert_jsonl(self.one('-M', MIBS, *self.by_name(MODULE + '::'), self.agent)['vars'])

    def test_jsonl_without_the_module(self):
        """No name needs it: no file is read, and the values are the same."""
        vars_ = self.one('-M', MIBS, *[word for row in OBJECTS for word in ('-g', oid_of(row))], self.agent)['vars']
        self.assert_jsonl(vars_, named=False)

    def test_text(self):
        rows = self.text(*self.words, *self.by_name())
        self.assertEqual(len(rows), len(OBJECTS))
        for row, (name, index, _, _, kind, _, shown) in zip(rows, OBJECTS):
            with self.subTest(name=name, index=index):
                self.assertEqual(row, [self.agent, f'{name}.{index}', kind, shown])

    def test_names_of_a_walk(self):
        record = self.one(*self.words, '-w', 'exampleTypes', self.agent)
        self.assertEqual(record['status'], 'ok', record.get('message'))
        self.assert_jsonl([var for var in record['vars'] if var['name'] != 'typesBits'])

    def test_text_of_a_walk(self):
        rows = {row[1]: row[2:] for row in self.text(*self.words, '-w', 'EXAMPLE-TYPES-MIB::exampleTypes')}
        for name, index, _, _, kind, _, shown in OBJECTS:
            self.assertEqual(rows[f'{name}.{index}'], [kind, shown])

    def test_table_by_name(self):
        """A table and its columns are known from the file; its index has three parts."""
        vars_ = self.one(*self.words, '--table', 'typesTable', self.agent)['vars']
        self.assertEqual([(var['name'], var['index'], var['value']) for var in vars_],
                         [('typesEntryState', ROW, 2), ('typesEntryCount', ROW, 9007199254740993)])

    def test_bits(self):
        """BITS are octets on the wire, and look alike whatever is in them: 'A' is a set of bits."""
        names = [word for index, _ in BITS for word in ('-g', f'typesBits.{index}')]
        vars_ = self.one(*self.words, *names, self.agent)['vars']
        self.assertEqual([var['type'] for var in vars_], ['OCTET STRING'] * len(BITS))
        self.assertEqual([bytes.fromhex(var['value']) if var.get('hex') else var['value'].encode() for var in vars_],
                         [value for _, value in BITS])
        shown = [row[3] for row in self.text(*self.words, *names)]
        self.assertNotIn('A', shown)
        for text, labels in zip(shown, (('first(0)', 'last(15)'), ('first(0)', 'second(1)'), ('second(1)',))):
            for label in labels:
                self.assertIn(label, text)


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""tests/compare sees what it is there to see: each way in which a walk can be wrong is planted, and
each form of Net-SNMP's text is read. Needs no agent and no Net-SNMP."""
import importlib.machinery
import importlib.util
import unittest

import daemons


def load(path):
    loader = importlib.machinery.SourceFileLoader('compare', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('compare', loader))
    loader.exec_module(module)
    return module


compare = load(daemons.COMPARE)

TEXT = '''.1.3.6.1.2.1.1.1.0 = Hex-STRING: 4C 69 6E 75 78 20 76 6D 20 36 2E 31 2E 30 2D 31
33 0A 22 \n.1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.8072.3.2.10
.1.3.6.1.2.1.1.3.0 = Timeticks: (4294967295) 497 days, 2:27:52.95
.1.3.6.1.2.1.1.4.0 = ""
.1.3.6.1.2.1.1.7.0 = INTEGER: -72
.1.3.6.1.2.1.1.8.4294967295 = Counter64: 18446744073709551615
.1.3.6.1.2.1.1.9 = Gauge32: 4294967295
.1.3.6.1.2.1.1.10 = Opaque: Float: 0.100000001490116119384765625000000000000000000000000000000000
.1.3.6.1.2.1.1.11 = Opaque: Float: -0.100000000000000005551115123125782702118158340454101562500000
.1.3.6.1.2.1.1.12 = OPAQUE: 01 02 \n03
.1.3.6.1.2.1.1.13 = NULL
.1.3.6.1.2.1.1.14 = IpAddress: 192.0.2.255
.1.3.6.1.2.1.1.15 = Wrong Type (should be INTEGER): Gauge32: 5
.1.3.6.1.2.1.1.16 = BITS: 80 01 \n.1.3.6.1.2.1.1.17 = Counter32: 0
.1.3.6.1.2.1.1.18 = No Such Instance currently exists at this OID
.1.3.6.1.2.1.1.18 = No more variables left in this MIB View (It is past the end of the MIB tree)
End of MIB
'''
ROWS = [
    ('1.3.6.1.2.1.1.1.0', 'OCTET STRING', b'Linux vm 6.1.0-13\n"'),
    ('1.3.6.1.2.1.1.2.0', 'OBJECT IDENTIFIER', '1.3.6.1.4.1.8072.3.2.10'),
    ('1.3.6.1.2.1.1.3.0', 'TimeTicks', 4294967295),
    ('1.3.6.1.2.1.1.4.0', 'OCTET STRING', b''),
    ('1.3.6.1.2.1.1.7.0', 'INTEGER', -72),
    ('1.3.6.1.2.1.1.8.4294967295', 'Counter64', 18446744073709551615),
    ('1.3.6.1.2.1.1.9', 'Gauge32', 4294967295),
    ('1.3.6.1.2.1.1.10', compare.REAL, '0.100000001490116119384765625000000000000000000000000000000000'),
    ('1.3.6.1.2.1.1.11', compare.REAL, '-0.100000000000000005551115123125782702118158340454101562500000'),
    ('1.3.6.1.2.1.1.12', 'Opaque', b'\1\2\3'),
    ('1.3.6.1.2.1.1.13', 'NULL', None),
    ('1.3.6.1.2.1.1.14', 'IpAddress', '192.0.2.255'),
    ('1.3.6.1.2.1.1.15', 'Gauge32', 5),
    ('1.3.6.1.2.1.1.16', 'OCTET STRING', b'\x80\1'),
    ('1.3.6.1.2.1.1.17', 'Counter32', 0),
    ('1.3.6.1.2.1.1.18', 'noSuchInstance', None),
]


def var(oid, kind, value, **more):
    return {'oid': oid, 'name': None, 'index': None, 'type': kind, 'value': value, **more}


class Reading(unittest.TestCase):
    def test_net_snmp(self):
        self.assertEqual(compare.read_text(TEXT), ROWS)

    def test_what_cannot_be_read_is_an_error(self):
        for text in ('.1.3 = Variable has bad type\n', '.1.3 = Unheard: 5\n', '.1.3 = INTEGER: up(1)\n',
                     '.1.3 = Hex-STRING: 4G\n', '.1.3 = STRING: "text"\n', 'Timeout: No Response\n',
                     '.1.3 = 17\n', '.1.3 = Timeticks: 17\n'):
            with self.subTest(text=text), self.assertRaises(compare.Unreadable):
                compare.read_text(text)

    def test_our_record(self):
        record = {'vars': [var('1.3.6.1.2.1.1.1.0', 'OCTET STRING', 'Linux vm 6.1.0-13\n"'),
                           var('1.3.6.1.2.1.1.12', 'Opaque', '010203', hex=True),
                           var('1.3.6.1.2.1.1.10', 'Float', 0.1), var('1.3.6.1.2.1.1.11', 'Double', -0.1),
                           var('1.3.6.1.2.1.1.13', 'NULL', None),
                           var('1.3.6.1.2.1.1.8.4294967295', 'Counter64', 18446744073709551615)]}
        wanted = [row for oid in (v['oid'] for v in record['vars']) for row in ROWS if row[0] == oid]
        self.assertEqual(compare.read_record(record), wanted)

    def test_a_number_in_quotes_is_no_number(self):
        for value in ('5', None, True, 5.5):
            with self.subTest(value=value), self.assertRaises(compare.Unreadable):
                compare.read_record({'vars': [var('1.3', 'Counter64', value)]})


class Comparing(unittest.TestCase):
    """Differences planted into ROWS."""

    def kinds(self, ours, before=None, after=None, volatile=()):
        found, self.count = compare.compare(before or ROWS, ours, after or before or ROWS, volatile)
        return [(difference.kind, difference.oid) for difference in found]

    def with_row(self, number, row, rows=None):
        return [row if n == number else other for n, other in enumerate(rows or ROWS)]

    def test_same(self):
        self.assertEqual(self.kinds(ROWS), [])
        self.assertEqual(self.count, {'equal': len(ROWS), 'moving': 0, 'volatile': 0})

    def test_missing_first_middle_last(self):
        for n in (0, 7, len(ROWS) - 1):
            self.assertEqual(self.kinds(ROWS[:n] + ROWS[n + 1:]), [('missing', ROWS[n][0])])

    def test_nothing_at_all(self):
        self.assertEqual(len(self.kinds([])), len(ROWS))

    def test_extra(self):
        self.assertEqual(self.kinds(ROWS + [('1.3.6.1.2.1.2.1.0', 'INTEGER', 1)]), [('extra', '1.3.6.1.2.1.2.1.0')])

    def test_twice(self):
        self.assertEqual(self.kinds(ROWS + ROWS[-1:]), [('twice', ROWS[-1][0])])

    def test_order(self):
        ours = ROWS[:3] + [ROWS[4], ROWS[3]] + ROWS[5:]
        self.assertEqual(self.kinds(ours), [('order', ROWS[4][0])])

    def test_each_value(self):
        for n, (oid, kind, value) in enumerate(ROWS):
            other = (value or 0) + 1 if isinstance(value, int) else 'other'
            self.assertEqual(self.kinds(self.with_row(n, (oid, kind, other))), [('value', oid)])

    def test_each_type(self):
        for n, (oid, kind, value) in enumerate(ROWS):
            other = 'Gauge32' if kind != 'Gauge32' else 'Counter32'
            self.assertEqual(self.kinds(self.with_row(n, (oid, other, value))), [('type', oid)])

    def test_what_moves_is_compared_by_type_alone(self):
        after = self.with_row(2, (ROWS[2][0], 'TimeTicks', 77))
        self.assertEqual(self.kinds(self.with_row(2, (ROWS[2][0], 'TimeTicks', 50)), ROWS, after), [])
        self.assertEqual(self.count['moving'], 1)
        self.assertEqual(self.kinds(self.with_row(2, (ROWS[2][0], 'Gauge32', 77)), ROWS, after),
                         [('type', ROWS[2][0])])

    def test_what_comes_or_goes_may_be_there_or_not(self):
        shorter = ROWS[:5] + ROWS[6:]
        for before, after in ((ROWS, shorter), (shorter, ROWS)):
            for ours in (ROWS, shorter):
                self.assertEqual(self.kinds(ours, before, after), [])

    def test_volatile(self):
        below = ('1.3.6.1.2.1.25.4.2.1.2.7', 'OCTET STRING', b'init')
        changed = (below[0], 'OCTET STRING', b'other')
        volatile = ('1.3.6.1.2.1.25.4.2',)
        self.assertEqual(self.kinds(ROWS, ROWS + [below], None, volatile), [])
        self.assertEqual(self.kinds(ROWS + [below], ROWS, None, volatile), [])
        self.assertEqual(self.kinds(ROWS + [changed], ROWS + [below], None, volatile), [])
        self.assertEqual(self.kinds(ROWS + [(below[0], 'INTEGER', 1)], ROWS + [below], None, volatile),
                         [('type', below[0])])
        self.assertEqual(self.kinds(ROWS + [below], ROWS, None, ('1.3.6.1.2.1.25.4.20',)), [('extra', below[0])])

    def rounds(self, *found):
        options = compare.arguments(['--rounds', str(len(found)), 'agent'])
        found = iter([[compare.Difference('value', oid, '') for oid in oids] for oids in found])
        stay, _, number, gone = compare.compare_rounds(options, lambda _: (next(found), {}))
        return [difference.oid for difference in stay], number, gone

    def test_rounds(self):
        self.assertEqual(self.rounds(['1.3', '1.4'], ['1.3'], ['1.3', '1.5']), (['1.3'], 3, 1))
        self.assertEqual(self.rounds(['1.3'], ['1.4'], ['1.3']), ([], 2, 1))
        self.assertEqual(self.rounds([], ['1.3']), ([], 1, 0))


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""The whole MIB of a real snmpd, walked by us and by Net-SNMP's tools: the same (tests/compare).

snmpd's MIB moves: its own counters, the caches whose ages it shows (nsCacheStatus), processes and
connections. What may come and go is named below; all else must be the same at least once in six
rounds: the caches age in steps of some seconds, and a slow walk may meet the same step thrice. Its
hrSWRun tables are of the whole machine, and whatever else runs there starts and ends.
"""
import collections
import json
import re
import unittest

import daemons
import poller
import processes

VOLATILE = ('1.3.6.1.2.1.25.4.2', '1.3.6.1.2.1.25.5.1',                   # hrSWRun, hrSWRunPerf
            '1.3.6.1.2.1.6.13', '1.3.6.1.2.1.6.19', '1.3.6.1.2.1.6.20',   # TCP connections
            '1.3.6.1.2.1.7.5', '1.3.6.1.2.1.7.7')                         # UDP sockets
CONF = '''rocommunity public 127.0.0.1
rocommunity6 public ::1
createUser walker SHA-256 authpass1234 AES privpass1234
rouser walker authpriv
sysContact "a \\"quoted\\" contact"
load 1 1 1
disk / 10%
'''
V3 = ('-v', '3', '-u', 'walker', '-l', 'authPriv', '-a', 'SHA-256', '-A', 'authpass1234',
      '-x', 'AES', '-X', 'privpass1234')
IF_TABLE, IF_X_TABLE, IF_NAME = '1.3.6.1.2.1.2.2', '1.3.6.1.2.1.31.1.1', '1.3.6.1.2.1.31.1.1.1.1'
SUMMARY = re.compile(r'(\d+) objects: (\d+) equal, \d+ moving, (\d+) volatile')


@unittest.skipUnless(daemons.SNMPD and daemons.SNMPWALK, "snmpd or Net-SNMP's tools are not installed")
class Walk(poller.Poll):
    @classmethod
    def setUpClass(cls):
        cls.snmpd = daemons.Snmpd(CONF)
        cls.agent = f'127.0.0.1:{cls.snmpd.port}'

    @classmethod
    def tearDownClass(cls):
        cls.snmpd.stop()

    def same(self, *words, least):
        """At least so many objects, most of them to the last octet."""
        volatile = [word for oid in VOLATILE for word in ('--volatile', oid)]
        done = daemons.compare('--rounds', '6', *volatile, *words)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)
        objects, equal, volatile = map(int, SUMMARY.search(done.stdout).groups())
        self.assertGreaterEqual(objects - volatile, least, done.stdout)
        # Else everything moves, and nothing is proved.
        self.assertGreaterEqual(equal, (objects - volatile) * 0.9, done.stdout)

    def test_whole_mib_v1(self):
        self.same('-v', '1', self.agent, '1.3', least=2000)

    def test_whole_mib_v2c(self):
        self.same('-v', '2c', self.agent, '1.3', least=2000)

    def test_whole_mib_v3(self):
        self.same(*V3, self.agent, '1.3', least=2000)

    def test_one_repetition(self):
        """max_repetitions: 1 asks as GETNEXT does."""
        self.same('--set', 'max_repetitions=1', self.agent, '1.3.6.1.2.1', least=500)

    def test_more_repetitions_than_a_datagram_holds(self):
        self.same('--set', 'max_repetitions=65535', self.agent, '1.3.6.1.4.1.8072.1', least=100)

    def test_several_walks_side_by_side(self):
        """Their rows stay in the order in which they were asked for."""
        self.same('--set', 'per_host=4', self.agent, '1.3.6.1.2.1.1', '1.3.6.1.2.1.2',
                  '1.3.6.1.2.1.31', '1.3.6.1.6.3', least=150)

    def test_end_of_a_subtree(self):
        """Neither less nor more: columns, one row, an instance (asked for by GET), what is not there."""
        for root in (IF_TABLE + '.1.2', IF_TABLE + '.1.1', IF_TABLE + '.1.22', '1.3.6.1.2.1.1.9.1.4',
                     '1.3.6.1.2.1.1.5', '1.3.6.1.2.1.1.5.0', '1.3.6.1.6.3.16.1.5.2.1.6'):
            for version in ('1', '2c'):
                with self.subTest(root=root, version=version):
                    self.same('-v', version, self.agent, root, least=0 if root.endswith('22') else 1)

    def test_nothing_there(self):
        """A subtree before, between and behind all objects: ok, without rows."""
        for root in ('1.2', '1.3.6.1.2.1.1.5.1', '1.3.6.1.2.1.1.777', '1.4', '2.999'):
            for version in ('1', '2c'):
                with self.subTest(root=root, version=version):
                    record = self.one('-v', version, '-w', root, self.agent)
                    self.assertEqual((record['status'], record['vars']), ('ok', []))

    def test_ipv6(self):
        snmpd = daemons.Snmpd(CONF, more=['udp6:[::1]:0'])
        self.addCleanup(snmpd.stop)
        port = self.port_of_ipv6(snmpd.process.pid)
        self.same(f'[::1]:{port}', '1.3.6.1.2.1.1', least=10)

    def port_of_ipv6(self, pid):
        sockets = processes.sockets_of(pid)
        with open('/proc/net/udp6', encoding='ascii') as f:
            for line in f.readlines()[1:]:
                words = line.split()
                if words[9] in sockets:
                    return int(words[1].rpartition(':')[2], 16)
        return self.fail('snmpd has no IPv6 socket')

    # ---- tables

    def walked(self, root):
        """{oid: var} as our walk shows it, which is compared to Net-SNMP's above."""
        return {var['oid']: var for var in self.one('-w', root, self.agent)['vars']}

    def assert_same_cells(self, table, walked):
        self.assertEqual(sorted(var['oid'] for var in table), sorted(walked))
        for var in table:
            with self.subTest(oid=var['oid']):
                wanted = walked[var['oid']]
                self.assertEqual((var['name'], var['index'], var['type']),
                                 (wanted['name'], wanted['index'], wanted['type']))

    def test_table_has_the_cells_of_its_walk(self):
        before = self.walked(IF_TABLE)
        table = self.one('--table', 'ifTable', self.agent)['vars']
        after = self.walked(IF_TABLE)
        self.assertGreater(len(table), 20)
        self.assert_same_cells(table, before)
        for var in table:
            if before[var['oid']]['value'] == after[var['oid']]['value']:
                self.assertEqual(var['value'], before[var['oid']]['value'], var['oid'])

    def test_rows_are_joined_by_index(self):
        """All cells of a row stand together, columns in their order, rows in that of their indexes."""
        table = self.one('--table', 'ifTable', self.agent)['vars']
        places = [(int(var['index']), int(var['oid'].split('.')[9])) for var in table]
        self.assertEqual(places, sorted(places))
        columns = collections.Counter(index for index, _ in places)
        self.assertEqual(len(set(columns.values())), 1, columns)

    def test_columns_of_two_tables(self):
        table = self.one('--table', 'ifDescr', '--table', 'ifHCInOctets', self.agent)['vars']
        names = [(var['name'], var['index']) for var in table]
        indexes = sorted({index for _, index in names}, key=int)
        self.assertEqual(names, [(name, index) for index in indexes for name in ('ifDescr', 'ifHCInOctets')])

    def test_index_label(self):
        names = {var['index']: var['value'] for var in self.walked(IF_NAME).values()}
        run = self.run_poller('-F', 'jsonl', '--table', 'ifTable', '--set', 'index_label=ifName', self.agent)
        record = json.loads(run.stdout)
        self.assertEqual(record['status'], 'ok', record.get('message'))
        self.assertGreater(len(record['vars']), 20)
        for var in record['vars']:
            self.assertEqual((var.get('label'), var['index']), (names[var['index']], var['index']), var)
        text = self.run_poller('--table', 'ifDescr', '--set', 'index_label=ifName', self.agent).stdout
        for index, name in names.items():
            self.assertRegex(text, rf'(?m)^\S+\tifDescr\.{index}\b.*\b{re.escape(name)}\b')

    def test_index_label_does_not_add_a_column(self):
        with_label = self.one('--table', 'ifTable', '--set', 'index_label=ifName', self.agent)['vars']
        self.assert_same_cells(with_label, self.walked(IF_TABLE))

    def test_index_of_several_parts(self):
        """vacmAccessTable: strings, a number and an enumeration in one index."""
        root = '1.3.6.1.6.3.16.1.4'
        table = self.one('--table', root, self.agent)['vars']
        self.assertGreater(len(table), 5)
        self.assertEqual(sorted(var['oid'] for var in table), sorted(self.walked(root)))


if __name__ == '__main__':
    unittest.main()

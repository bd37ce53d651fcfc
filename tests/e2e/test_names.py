#!/usr/bin/env python3
"""Objects under all of their names; and MIB files, which are opened only when a name needs one."""
import os
import subprocess
import time
import unittest

import poller


class Names(poller.Poll):
    def rows(self, *words):
        record = self.one('-p', self.park.port, *words, '127.0.0.2')
        self.assertEqual(record['status'], 'ok', record)
        return record['vars']

    def setUp(self):
        super().setUp()
        self.park = self.agents()

    def test_get(self):
        for name in ('ifDescr.2', 'IF-MIB::ifDescr.2', '1.3.6.1.2.1.2.2.1.2.2', '.1.3.6.1.2.1.2.2.1.2.2',
                     'ifEntry.2.2', 'mib-2.2.2.1.2.2'):
            row, = self.rows('-g', name)
            self.assertEqual((row['oid'], row['name'], row['index'], row['value']),
                             ('1.3.6.1.2.1.2.2.1.2.2', 'ifDescr', '2', 'eth1'), name)

    def test_walk(self):
        """A walk's root is any object; its rows have their names whatever the root was called."""
        whole = self.rows('-w', 'ifTable')
        self.assertEqual({row['name'] for row in whole if row['index'] == '1'},
                         {row['name'] for row in whole if row['index'] == '2'})
        self.assertGreater(len(whole), 40)
        for name in ('IF-MIB::ifTable', 'ifEntry', '1.3.6.1.2.1.2.2', 'interfaces.2'):
            self.assertEqual([(row['oid'], row['name']) for row in self.rows('-w', name)],
                             [(row['oid'], row['name']) for row in whole], name)
        self.assertEqual([row['oid'] for row in self.rows('-w', 'ifDescr')],
                         ['1.3.6.1.2.1.2.2.1.2.1', '1.3.6.1.2.1.2.2.1.2.2'])
        for name in ('sysDescr', 'sysDescr.0'):
            self.assertEqual([row['oid'] for row in self.rows('-w', name)], [poller.SYS_DESCR])

    def test_table(self):
        for name in ('ifTable', 'IF-MIB::ifTable', 'ifEntry', '1.3.6.1.2.1.2.2', '1.3.6.1.2.1.2.2.1'):
            rows = self.rows('--table', name)
            self.assertEqual([row['index'] for row in rows], ['1'] * (len(rows) // 2) + ['2'] * (len(rows) // 2))
            self.assertGreater(len(rows), 40)
        rows = self.rows('--table', 'ifDescr', '--table', 'ifAdminStatus', '--set', 'index_label=ifName')
        self.assertEqual([(row['name'], row['index'], row['label']) for row in rows],
                         [('ifDescr', '1', 'eth0'), ('ifAdminStatus', '1', 'eth0'),
                          ('ifDescr', '2', 'eth1'), ('ifAdminStatus', '2', 'eth1')])

    def test_no_file_is_opened(self):
        """A FIFO among the MIB files: who opens the folder's files waits for ever."""
        fifo = self.path('WAITING-MIB.txt')
        os.mkfifo(fifo)
        env = {**os.environ, 'MIBDIRS': self.folder, 'MIBS': 'ALL'}
        for words in (['-g', 'ifDescr.1'], ['-w', 'system'], ['--table', 'IF-MIB::ifTable'],
                      ['-m', 'WAITING-MIB', '-M', self.folder, '-w', 'ifXTable', '--set', 'index_label=ifName']):
            self.one('-p', self.park.port, *words, '127.0.0.2', env=env)
        process = self.start_poller('--check', '-M', self.folder, '-g', 'WAITING-MIB::object.0', 'h')
        deadline = time.monotonic() + poller.LONG
        while time.monotonic() < deadline:
            try:
                os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))  # and the end of the file
                break
            except OSError:  # nobody reads it yet
                time.sleep(0.01)
        else:
            self.fail('a module that is named is not looked for')
        self.assertIn(b"unknown object 'WAITING-MIB::object.0'", self.read_to_end(process, fifo))

    def read_to_end(self, process, fifo):
        """What it says, while every further reader of the FIFO finds its end at once."""
        while True:
            try:
                return process.communicate(timeout=0.05)[1]
            except subprocess.TimeoutExpired:
                try:
                    os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
                except OSError:
                    pass


if __name__ == '__main__':
    unittest.main()

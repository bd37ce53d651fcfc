#!/usr/bin/env python3
"""Recorded devices (tests/recordings/), played by snmpsimd, an agent of other people.

Each is walked with v1, v2c and v3 (community and contextName are its name) and compared twice: with
Net-SNMP's walk (tests/compare), and with the recording itself, to the last octet and bit.
"""
import glob
import json
import os
import re
import struct
import sys
import unittest

import daemons
import poller

FOLDER = os.path.join(os.path.dirname(daemons.COMPARE), 'recordings')
AUTH = ('-A', 'authpass1234')
PRIV = ('-X', 'privpass1234')
USERS = [  # name; pysnmp's words for its protocols; ours. BLMT: the key extension without -C
    ('md5des', 'MD5', 'DES', ('-a', 'MD5', *AUTH, '-x', 'DES', *PRIV)),
    ('shaaes', 'SHA', 'AES', ('-a', 'SHA', *AUTH, '-x', 'AES', *PRIV)),
    ('shaaes192', 'SHA', 'AES192BLMT', ('-a', 'SHA', *AUTH, '-x', 'AES-192', *PRIV)),
    ('sha224aes256', 'SHA224', 'AES256BLMT', ('-a', 'SHA-224', *AUTH, '-x', 'AES-256', *PRIV)),
    ('md5aes192c', 'MD5', 'AES192', ('-a', 'MD5', *AUTH, '-x', 'AES-192-C', *PRIV)),
    ('shaaes256c', 'SHA', 'AES256', ('-a', 'SHA', *AUTH, '-x', 'AES-256-C', *PRIV)),
    ('sha256des', 'SHA256', 'DES', ('-a', 'SHA-256', *AUTH, '-x', 'DES', *PRIV)),
    ('sha384aes256', 'SHA384', 'AES256BLMT', ('-a', 'SHA-384', *AUTH, '-x', 'AES-256', *PRIV)),
    ('sha512aes', 'SHA512', 'AES', ('-a', 'SHA-512', *AUTH, '-x', 'AES', *PRIV)),
]
TAGS = {'2': 'INTEGER', '4': 'OCTET STRING', '5': 'NULL', '6': 'OBJECT IDENTIFIER', '64': 'IpAddress',
        '65': 'Counter32', '66': 'Gauge32', '67': 'TimeTicks', '68': 'Opaque', '70': 'Counter64'}
IF_TABLE, IF_X_TABLE = '1.3.6.1.2.1.2.2', '1.3.6.1.2.1.31.1.1'


def read_recordings():
    recordings = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, '*.snmprec'))):
        with open(path, encoding='ascii', newline='') as f:
            recordings[os.path.basename(path).partition('.')[0]] = f.read()
    return recordings


def opaque(octets):
    """Opaque float and double are wrapped once more: net-snmp's 0x9f78 and 0x9f79."""
    if octets[:3] == b'\x9f\x78\x04':
        return 'Float', struct.unpack('!f', octets[3:])[0]
    if octets[:3] == b'\x9f\x79\x08':
        return 'Double', struct.unpack('!d', octets[3:])[0]
    return 'Opaque', octets


def row_of_line(line):
    """oid, type, value of a line of a recording, in the words of our records."""
    oid, tag, value = line.split('|', 2)
    kind = TAGS[tag.rstrip('xe')]
    if kind in ('OCTET STRING', 'Opaque'):
        octets = value.encode('ascii')
        if tag.endswith('x'):
            octets = bytes.fromhex(value)
        elif tag.endswith('e'):
            octets = value.encode('ascii').decode('unicode_escape').encode('latin-1')
        return oid, *(opaque(octets) if kind == 'Opaque' else (kind, octets))
    if kind in ('OBJECT IDENTIFIER', 'IpAddress'):
        return oid, kind, value
    return oid, kind, None if kind == 'NULL' else int(value)


def row_of_var(var):
    value = var['value']
    if var['type'] in ('OCTET STRING', 'Opaque'):
        value = bytes.fromhex(value) if var.get('hex') else value.encode()
    elif var['type'] == 'Float':  # as a float of 32 bits reads it
        value = struct.unpack('!f', struct.pack('!f', float(value)))[0]
    elif var['type'] == 'Double':
        value = float(value)
    return var['oid'], var['type'], value


def number_of(digits):
    """A JSON number without a point; minus zero is one."""
    return -0.0 if digits == '-0' else int(digits)


RECORDINGS = read_recordings() if daemons.SNMPSIMD else {}
ROWS = {name: [row_of_line(line) for line in text.splitlines()] for name, text in RECORDINGS.items()}


class Recordings(poller.Poll):
    @classmethod
    def setUpClass(cls):
        users = []
        for user, auth, priv, _ in USERS:
            users += [f'--v3-user={user}', '--v3-auth-key=authpass1234', f'--v3-auth-proto={auth}',
                      '--v3-priv-key=privpass1234', f'--v3-priv-proto={priv}']
        cls.snmpsim = daemons.Snmpsim(RECORDINGS, users)
        cls.agent = f'127.0.0.1:{cls.snmpsim.port}'

    @classmethod
    def tearDownClass(cls):
        cls.snmpsim.stop()

    def rows(self, *words):
        """The variables of the one record of a run."""
        run = self.run_poller('-F', 'jsonl', *words, self.agent)
        record = json.loads(run.stdout, parse_int=number_of)
        self.assertEqual((run.returncode, record['status']), (0, 'ok'), record.get('message'))
        return record['vars']

    def walk(self, name, *words, root='1.3'):
        return self.rows('-c', name, *words, '-w', root)

    def assert_rows(self, got, wanted):
        self.assertEqual([row[0] for row in got], [row[0] for row in wanted])
        for one, other in zip(got, wanted):
            self.assertEqual(one, other)
            if isinstance(one[2], float):
                self.assertEqual(struct.pack('!d', one[2]), struct.pack('!d', other[2]))  # -0.0

    def same(self, name, *words):
        done = daemons.compare(*words, self.agent, '1.3')
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)
        self.assertIn(' 0 moving', done.stdout)

    def check(self, name, versions=('1', '2c')):
        for version in versions:
            with self.subTest(version=version):
                words = ('-v', version)
                self.same(name, *words, '-c', name)
                wanted = [row for row in ROWS[name] if version != '1' or row[1] != 'Counter64']
                self.assert_rows([row_of_var(var) for var in self.walk(name, *words)], wanted)

    def check_v3(self, name, user):
        user, _, _, protocols = user
        words = ('-v', '3', '-u', user, '-l', 'authPriv', *protocols, '-n', name)
        self.same(name, *words)
        self.assert_rows([row_of_var(var) for var in self.rows(*words, '-w', '1.3')], ROWS[name])

    # ---- what single recordings are there for

    def test_there_are_some(self):
        self.assertGreaterEqual(len(RECORDINGS), 10)

    def test_end_of_the_mib_inside_the_subtree(self):
        vars_ = self.walk('ends', root=IF_X_TABLE)
        self.assertEqual([var['oid'] for var in vars_], [IF_X_TABLE + '.1.1.1', IF_X_TABLE + '.1.18.1'])

    def test_empty_subtree_at_the_end_of_the_mib(self):
        for root in (IF_X_TABLE + '.1.19', '1.3.6.1.6', '1.3.6.1.2.1.47'):
            for version in ('1', '2c'):
                self.assertEqual(self.walk('ends', '-v', version, root=root), [])

    def test_one_object(self):
        for root in ('1.3', '1.3.6.1.4.1.32473.10', '1.3.6.1.4.1.32473.10.1.0'):
            for version in ('1', '2c'):
                vars_ = self.walk('single', '-v', version, root=root)
                self.assertEqual([(var['oid'], var['value']) for var in vars_],
                                 [('1.3.6.1.4.1.32473.10.1.0', 'the only one')])

    def test_a_name_that_is_as_long_as_names_can_be(self):
        vars_ = self.walk('deep', root='1.3.6.1.4.1.32473.9.3')
        self.assertEqual([len(var['oid'].split('.')) for var in vars_], [128])

    def cells_below(self, name, root):
        """Rows of the recording in a table's order: by index, then by column."""
        depth = root.count('.') + 2

        def place(row):
            subs = [int(sub) for sub in row[0].split('.')]
            return subs[depth + 1:], subs[depth]
        return sorted((row for row in ROWS[name] if row[0].startswith(root + '.1.')), key=place)

    def assert_table(self, name, root, *words):
        got = [row_of_var(var) for var in self.rows('-c', name, '--table', root, *words)]
        self.assert_rows(got, self.cells_below(name, root))

    def test_table_of_a_switch(self):
        self.assert_table('switch', IF_TABLE)
        self.assert_table('switch', IF_X_TABLE)

    def test_table_with_holes(self):
        self.assert_table('sparse', '1.3.6.1.4.1.32473.4.1')

    def test_table_with_indexes_of_several_parts(self):
        self.assert_table('sparse', '1.3.6.1.4.1.32473.4.2')

    def test_table_of_many_columns(self):
        """44 columns: more than one question holds."""
        self.assert_table('wide', '1.3.6.1.4.1.32473.8.1')
        self.assert_table('wide', '1.3.6.1.4.1.32473.8.1', '--set', 'per_host=5')
        self.assert_table('wide', '1.3.6.1.4.1.32473.8.1', '--set', 'max_repetitions=1')

    def test_index_label_of_a_switch(self):
        vars_ = self.rows('-c', 'switch', '--table', 'ifTable', '--set', 'index_label=ifName')
        labels = {var['index']: var['label'] for var in vars_}
        self.assertEqual(labels, {'5179': 'Vl1', '10101': 'Gi1/0/1', '10201': 'Te1/1/1'})

    def test_text_is_one_line_a_row(self):
        """Whatever a string holds: controls, line ends, what looks like a row of somebody else."""
        run = self.run_poller('-c', 'strings', '-w', '1.3', self.agent)
        lines = run.stdout.split('\n')
        self.assertEqual(lines.pop(), '')
        self.assertEqual(len(lines), len(ROWS['strings']))
        for line, row in zip(lines, ROWS['strings']):
            columns = line.split('\t')
            self.assertEqual(columns[:3], [self.agent, row[0], 'OCTET STRING'])
            self.assertEqual(len(columns), 4)
            self.assertFalse(re.search('[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]', columns[3]),
                             repr(line))

    def test_jsonl_is_one_line_of_json(self):
        run = self.run_poller('-F', 'jsonl', '-c', 'strings', '-w', '1.3', self.agent)
        self.assertEqual(run.stdout.count('\n'), 1)
        record = json.loads(run.stdout)
        for var, row in zip(record['vars'], ROWS['strings']):
            try:
                row[2].decode('utf-8')
                self.assertNotIn('hex', var)
            except UnicodeDecodeError:
                self.assertEqual((var['hex'], var['value']), (True, row[2].hex()))

    @unittest.expectedFailure  # refused as malformed, though it fits, and the rows beside it too
    def test_an_integer_with_an_octet_too_many(self):
        """pysnmp encodes -2^31 as ff 80 00 00 00; snmpbulkwalk shows it."""
        self.check('padded', ('2c',))

    def test_a_number_keeps_all_its_digits(self):
        run = self.run_poller('-F', 'jsonl', '-c', 'switch', '-w', 'ifHCInOctets', self.agent)
        self.assertIn('"value":18446744073709551615}', run.stdout)
        self.assertIn('"value":9223372036854775808}', run.stdout)


for recording in RECORDINGS.keys() - {'padded'}:
    setattr(Recordings, f'test_recording_{recording}',
            lambda self, name=recording: self.check(name))
for user_number, recording in enumerate(sorted(RECORDINGS.keys() - {'padded'})):
    setattr(Recordings, f'test_v3_{USERS[user_number % len(USERS)][0]}_{recording}',
            lambda self, name=recording, user=USERS[user_number % len(USERS)]: self.check_v3(name, user))

if __name__ == '__main__':
    if not (daemons.SNMPSIMD and daemons.SNMPWALK):
        print("skipped: needs snmpsimd and Net-SNMP's tools (Debian: snmpsim, snmp)")
        sys.exit(77)
    unittest.main()

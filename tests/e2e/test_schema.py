#!/usr/bin/env python3
"""etc/record.schema.json: what the program writes meets it, of every status, type and kind of host; what is broken does not."""
import copy
import json
import os
import sys
import unittest

import daemons
import killers
import poller
import test_large

try:
    import jsonschema
except ImportError:  # an interpreter of its own beside Debian's
    sys.path.append('/usr/lib/python3/dist-packages')
    try:
        import jsonschema
    except ImportError:
        jsonschema = None

SCHEMA = os.path.join(os.environ.get('srcdir', '.'), 'etc/record.schema.json')
EXAMPLES = '1.3.6.1.4.1.8072.9999.9999'


@unittest.skipUnless(jsonschema, 'no python3-jsonschema')
class Schema(poller.Poll):
    def setUp(self):
        super().setUp()
        with open(SCHEMA, encoding='utf-8') as f:
            schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def valid(self, *words, status=0, **how):
        """The records of a run, each of which meets the schema, with its keys in the order of it."""
        records = self.poll(*words, status=status, **how)
        order = list(self.validator.schema['properties'])
        for record in records:
            error = next(iter(self.validator.iter_errors(record)), None)
            self.assertIsNone(error, f'{record}: {error and error.message}')
            keys = [order.index(key) for key in record]
            self.assertEqual(keys, sorted(keys), record)
        self.assertTrue(records)
        return records

    def refused(self, record):
        self.assertFalse(self.validator.is_valid(record), record)

    # ---- what is written

    def test_statuses(self):
        agents = self.agents('127.0.0.3:silent', '127.0.0.4:gen-err', '127.0.0.5:bad-int', '127.0.0.6:rows=9,gen-err-row=5',
                             '127.0.0.7:other-address', '127.0.0.8:rows=9,only-first=1')
        records = self.valid('-p', agents.port, '-t', '200ms', '-r', 1, '-w', '1.3.6.1.2.1.2.2.1.2', '--set', 'max_repetitions=2',
                             *(f'127.0.0.{n}' for n in range(2, 9)), '255.255.255.255', 'no.such.host.invalid', '::1', status=1)
        self.assertEqual({record['status'] for record in records},
                         {'ok', 'timeout', 'error', 'malformed', 'partial', 'unreachable', 'resolve'})

    def test_cancelled(self):
        agents = self.agents('127.0.0.2:silent', '127.0.0.3:rows=100000')
        records = self.valid('-p', agents.port, '-t', '60s', '--deadline', '300ms', '-w', '1.3.6.1.2.1.2.2', '--set',
                             'max_repetitions=1', '127.0.0.2', '127.0.0.3', status=1)
        self.assertEqual({record['status'] for record in records}, {'cancelled', 'partial'})

    @killers.needs_poison
    def test_crashed(self):
        agents = self.agents('127.0.0.3:long-values=40')
        records = self.valid('-p', agents.port, '-j', 1, '127.0.0.2', '127.0.0.3', status=1, env=killers.poisoned('x' * 10))
        self.assertIn('crashed', {record['status'] for record in records})

    def test_v3(self):
        agents = self.agents('127.0.0.3:report=unknownUserNames', '127.0.0.4:report=wrongDigests', '127.0.0.5:no-discovery',
                             options=['--user', poller.USER])
        records = self.valid(*poller.V3, '-p', agents.port, '-t', '200ms', '-r', 0, '127.0.0.2-5', status=1)
        self.assertEqual({record['status'] for record in records}, {'ok', 'auth', 'timeout'})

    def test_types(self):
        """Every type, as simulated agents and as a device with a MIB file of our own have it."""
        agents = self.agents('*:types')
        record, = self.valid('-p', agents.port, '-w', EXAMPLES, '-g', '1.3.6.1.2.1.1.99.0', '-g', '1.3.6.1.2.1.1.1.1',
                             '-g', '1.3.6.1.4.1.99999.1', '127.0.0.2')
        wanted = set(self.validator.schema['$defs']['var']['properties']['type']['enum'])
        self.assertEqual({var['type'] for var in record['vars']} | {'noSuchInstance'}, wanted)
        self.assertTrue(any(var.get('hex') for var in record['vars']))
        self.assertIn(2**64 - 1, [var['value'] for var in record['vars']])

    def test_tables(self):
        """Rows with labels, with gaps, large ones."""
        agents = self.agents('127.0.0.3:sparse,rows=20', '127.0.0.4:rows=200', '127.0.0.5:rows=20,nonincreasing')
        words = ['-p', agents.port, '-t', '5s', '--set', 'index_label=ifName', '--table', '1.3.6.1.2.1.31.1.1.1']
        records = self.valid(*words, '127.0.0.2-4')
        self.assertTrue(all('label' in var for record in records for var in record['vars'][:3]))
        self.valid(*words, '127.0.0.5', status=1)
        self.valid('-p', agents.port, '-t', '5s', '--set', 'max_vars=100', '-w', test_large.COLUMN, '127.0.0.4', status=1)

    def test_labels_of_octets(self):
        agents = self.agents()
        record, = self.valid('-p', agents.port, '--set', 'index_label=ifPhysAddress', '--table', '1.3.6.1.2.1.2.2', '127.0.0.2')
        self.assertTrue(all(var['label_hex'] for var in record['vars']))

    @unittest.skipUnless(poller.have('snmpd'), 'no snmpd')
    def test_snmpd(self):
        """All that a real agent has."""
        agent = daemons.Snmpd('rocommunity public 127.0.0.1\n')
        self.addCleanup(agent.stop)
        record, = self.valid('-t', '5s', '-w', '1.3.6.1', f'127.0.0.1:{agent.port}')
        self.assertGreater(len(record['vars']), 1000)
        self.assertGreater(len({var['type'] for var in record['vars']}), 7)

    # ---- what is broken

    def test_broken_records(self):
        agents = self.agents('127.0.0.3:silent', '*:types')
        ok, failed = self.valid('-p', agents.port, '-t', '200ms', '-r', 0, '--sort', 'host', '-w', EXAMPLES, '127.0.0.2',
                                '127.0.0.3', status=1)
        for record in (ok, failed):
            for key in record:
                self.refused({name: value for name, value in record.items() if name != key})
            self.refused({**record, 'extra': 1})
        for change in ({'message': 'x'}, {'status': 'okay'}, {'status': 'partial'}, {'status': 'timeout', 'message': 'x'},
                       {'rtt_ms': None}, {'rtt_ms': -1}, {'rtt_ms': '1'}, {'tries': 0}, {'tries': 1.5}, {'vars': {}},
                       {'vars': [1]}, {'host': None}, {'address': '127.0.0.2'}, {'address': ''}, {'time': '2026-11-21 10:00:00'},
                       {'time': None}, {'note': ''}, {'note': None}):
            self.refused({**ok, **change})
        for change in ({'status': 'ok'}, {'message': ''}, {'message': None}, {'vars': ok['vars'][:1]}, {'status': 'partial'},
                       {'status': 'resolve'}, {'status': 'lost'}):
            self.refused({**failed, **change})
        self.assertTrue(self.validator.is_valid({**failed, 'status': 'lost', 'rtt_ms': None, 'tries': 0}))
        self.assertTrue(self.validator.is_valid({**failed, 'status': 'partial', 'message': 'timeout: no', 'vars': ok['vars']}))

    def test_broken_variables(self):
        agents = self.agents('*:types')
        record, = self.valid('-p', agents.port, '-w', EXAMPLES, '-g', '1.3.6.1.2.1.1.1.0', '127.0.0.2')
        by_type = {var['type'] + (' hex' if var.get('hex') else ''): var for var in record['vars']}

        def broken(kind, **change):
            changed = copy.deepcopy(record)
            changed['vars'] = [{key: value for key, value in {**by_type[kind], **change}.items() if value is not ...}]
            self.refused(changed)
        for kind, var in by_type.items():
            for key in var:
                if key != 'hex' or kind == 'Opaque hex':
                    broken(kind, **{key: ...})
            broken(kind, extra=1)
            broken(kind, oid='1.3.x')
            broken(kind, oid='.1.3')
            broken(kind, index=1)
            broken(kind, label=1)
            broken(kind, label_hex=True)
            broken(kind, label='xyz', label_hex=True)
            broken(kind, hex=False)
            broken(kind, name='x' if var['name'] is None else None)
            broken(kind, type='Integer')
            broken(kind, value={})
            if var['value'] is not None:
                broken(kind, value=None)
        for kind, values in (('INTEGER', (2**63, 0.5, '1')), ('Counter32', (-1, 2**32)), ('Gauge32', (-1, 2**32, '5')),
                             ('TimeTicks', (-1, 2**32)), ('Counter64', (-1, 2**64, '1', True)), ('Double', ('nan', True)),
                             ('OCTET STRING', (1, True)), ('OCTET STRING hex', ('AB', 'abc', '')), ('IpAddress', ('10.0.0', '')),
                             ('OBJECT IDENTIFIER', ('.1.3', 'x')), ('NULL', (0, ''))):
            for value in values:
                if (kind, value) != ('IpAddress', ''):
                    broken(kind, value=value)
        broken('INTEGER', hex=True)
        broken('Opaque hex', hex=...)


if __name__ == '__main__':
    unittest.main()

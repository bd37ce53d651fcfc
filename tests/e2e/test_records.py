#!/usr/bin/env python3
"""What a record says beside its rows: labels of a table's rows, notes, and duplicate engine IDs."""
import unittest

import poller

USER = ('--user', 'poller:SHA-256:authority1')
V3 = ('-v', '3', '-u', 'poller', '-l', 'authNoPriv', '-a', 'SHA-256', '-A', 'authority1')
TABLE = ('--table', 'ifTable', '--set', 'index_label=ifDescr')


class Records(poller.Poll):
    def text(self, *words, status=0):
        run = self.run_poller(*words)
        self.assertEqual(run.returncode, status, run.stderr)
        self.stderr = run.stderr
        return [line.split('\t') for line in run.stdout.splitlines()]

    def test_labels(self):
        """Beside the raw index of each row, in each format; nothing of it where none was asked for."""
        agents = self.agents()
        record = self.one('-p', agents.port, *TABLE, '127.0.0.9')
        names = {v['index']: v['value'] for v in record['vars'] if v['name'] == 'ifDescr'}
        self.assertEqual(names, {'1': 'eth0', '2': 'eth1'})
        for var in record['vars']:
            self.assertEqual(var['label'], names[var['index']])
            self.assertEqual(list(var)[:5], ['oid', 'name', 'index', 'label', 'type'])
        for _, name, _, _ in self.text('-p', agents.port, *TABLE, '127.0.0.9'):
            index = name.partition(' ')[0].rpartition('.')[2]
            self.assertTrue(name.endswith(f'.{index} [{names[index]}]'), name)
        record = self.one('-p', agents.port, '--table', 'ifTable', '127.0.0.9')
        self.assertNotIn('label', {key for var in record['vars'] for key in var})

    def test_notes(self):
        """An engine whose boots fell back is asked on, and that it did is known."""
        agents = self.agents('*:boots-fall', options=USER)
        words = ('-p', agents.port, *V3, '-g', 'sysName.0', '-w', '1.3.6.1.2.1.2.2', '127.0.0.9')
        record = self.one(*words)
        self.assertEqual(list(record)[-2:], ['vars', 'note'])
        self.assertRegex(record['note'], 'snmpEngineBoots fell back from 5 to 2')
        agents.stop()
        agents = self.agents('*:boots-fall', options=USER)
        rows = self.text('-p', agents.port, *V3, '-g', 'sysName.0', '-w', '1.3.6.1.2.1.2.2', '127.0.0.9')
        self.assertEqual(rows[-1], ['127.0.0.9', '-', 'ok', record['note']])
        self.assertEqual(len(rows) - 1, len(record['vars']))

    def test_duplicate_engine_ids(self):
        """Told once, by name, though each of the two is polled with success; not under -q."""
        agents = self.agents('127.0.0.2-4:same-engine', options=USER)
        hosts = self.write('hosts.yaml', f'''
defaults: {{port: {agents.port}, version: 3, user: poller, level: authNoPriv, auth: SHA-256,
           auth_pass: authority1, get: [sysName.0]}}
hosts:
  - {{host: 127.0.0.2, label: core}}
  - {{host: 127.0.0.3, label: edge}}
  - {{host: 127.0.0.4, label: spare}}
  - 127.0.0.5
  - 127.0.0.5
''')
        records = self.poll('-f', hosts)
        self.assertEqual([r['status'] for r in records], ['ok'] * 5)
        said = self.stderr.splitlines()
        self.assertEqual(len(said), 1, said)
        self.assertIn('have the same SNMPv3 engine ID 80', said[0])
        named = [f'{label} (127.0.0.{n}:{agents.port})' in said[0]
                 for n, label in ((2, 'core'), (3, 'edge'), (4, 'spare'))]
        self.assertEqual(sum(named), 2, said)
        self.poll('-q', '-f', hosts)
        self.assertEqual(self.stderr, '')

    def test_given_engine_id(self):
        """One that a person gave to two hosts, and that neither has, is told of by neither as theirs."""
        agents = self.agents(options=USER)
        rows = self.text('-p', agents.port, *V3, '-e', '8000000001', '127.0.0.2', '127.0.0.3', status=1)
        self.assertEqual([row[2] for row in rows], ['auth'] * 2)
        self.assertEqual(self.stderr, '')


if __name__ == '__main__':
    unittest.main()

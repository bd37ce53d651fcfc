#!/usr/bin/env python3
"""Against a real agent: Debian's snmpd, and what snmpget says of the same objects."""
import os
import re
import socket
import subprocess
import time
import unittest

import poller

SNMPD = poller.have('snmpd')
OBJECTS = ['sysDescr.0', 'sysObjectID.0', 'sysUpTime.0', 'sysContact.0', 'sysName.0', 'sysLocation.0',
           'sysORLastChange.0', 'ifNumber.0', 'ifDescr.1', 'ifType.1', 'ifMtu.1', 'ifSpeed.1',
           'ifPhysAddress.1', 'ifOperStatus.1', 'ifInOctets.1', 'ipForwarding.0', 'snmpInPkts.0',
           'hrSystemUptime.0', 'hrSystemDate.0', 'hrSystemProcesses.0', 'hrMemorySize.0',
           'memTotalReal.0', 'laLoad.1', 'ssCpuRawIdle.0']
MOVING = ('sysUpTime', 'ifInOctets', 'snmpInPkts', 'hrSystemUptime', 'hrSystemDate',
          'hrSystemProcesses', 'laLoad', 'ssCpuRawIdle')
TYPES = {'STRING': 'OCTET STRING', 'Hex-STRING': 'OCTET STRING', 'INTEGER': 'INTEGER', 'OID': 'OBJECT IDENTIFIER',
         'Timeticks': 'TimeTicks', 'Counter32': 'Counter32', 'Gauge32': 'Gauge32',
         'Counter64': 'Counter64', 'IpAddress': 'IpAddress'}


@unittest.skipUnless(SNMPD, 'snmpd is not installed')
class Snmpd(poller.Poll):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.state = tempfile.TemporaryDirectory(prefix='multisnmp-snmpd.')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            cls.port = s.getsockname()[1]
        with open(os.path.join(cls.state.name, 'snmpd.conf'), 'w', encoding='ascii') as f:
            f.write('rocommunity public 127.0.0.1\nrocommunity second 127.0.0.1\n'
                    'sysContact root@example.com\nsysLocation here\n'
                    'view some included .1.3.6.1.2.1.1\nrocommunity narrow 127.0.0.1 -V some\n')
        cls.process = subprocess.Popen(
            [SNMPD, '-f', '-C', '-c', os.path.join(cls.state.name, 'snmpd.conf'), '-I', '-smux',
             '-Lf', os.path.join(cls.state.name, 'log'), f'udp:127.0.0.1:{cls.port}'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, 'SNMP_PERSISTENT_DIR': cls.state.name})
        for _ in range(100):
            run = subprocess.run([poller.MULTISNMP, '-q', '-t', '100ms', '-r', '0', f'127.0.0.1:{cls.port}'],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
            if run.returncode == 0:
                return
            time.sleep(0.1)
        cls.tearDownClass()
        raise RuntimeError('snmpd does not answer')

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait()
        cls.state.cleanup()

    def ask(self, *words, objects=OBJECTS, status=0):
        gets = [word for name in objects for word in ('-g', name)]
        return self.one(*words, *gets, f'127.0.0.1:{self.port}', status=status)

    def test_two_hosts_of_the_original(self):
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.port}, family: 4}}\n'
                                         'hosts:\n  - localhost\n  - localhost\n')
        records = self.poll('-f', hosts)
        self.assertEqual([(r['host'], r['status']) for r in records], [('localhost', 'ok')] * 2)
        self.assertEqual(records[0]['vars'], records[1]['vars'])

    @unittest.skipUnless(poller.have('snmpget'), 'snmpget is not installed')
    def test_same_as_snmpget(self):
        for version in ('1', '2c'):
            record = self.ask('-v', version)
            self.assertEqual(record['status'], 'ok', record)
            self.assertEqual([f"{v['name']}.{v['index']}" for v in record['vars']], OBJECTS)
            for var in record['vars']:
                with self.subTest(version=version, name=var['name']):
                    self.compare(version, var)

    def compare(self, version, var):
        run = subprocess.run(
            [poller.have('snmpget'), f'-v{version}', '-c', 'public', '-Onet', f'127.0.0.1:{self.port}', var['oid']],
            capture_output=True, text=True, check=False,
            env={**os.environ, 'MIBS': '', 'SNMP_PERSISTENT_DIR': self.state.name})
        if var['type'].startswith('noSuch'):
            self.assertRegex(run.stdout + run.stderr, r'No Such|noSuchName')
            return
        match = re.fullmatch(r'\.([\d.]+) = (?:([\w-]+): )?(.*)\n', run.stdout, re.S)
        self.assertTrue(match, run.stdout + run.stderr)
        oid, kind, value = match.groups()
        self.assertEqual(var['oid'], oid)
        if kind is None:  # -Ot: a bare number of hundredths; "" is an empty string
            kind = 'STRING' if value == '""' else 'Timeticks'
        self.assertEqual(var['type'], TYPES[kind])
        if var['name'] not in MOVING:
            self.assertEqual(self.plain(var), self.plain_of(kind, value))

    @staticmethod
    def plain(var):
        return str(var['value']).lower()

    @staticmethod
    def plain_of(kind, value):
        if kind == 'STRING':
            return value.strip().strip('"').lower()
        if kind == 'Hex-STRING':
            return value.replace(' ', '').strip().lower()
        if kind == 'OID':
            return value.lstrip('.')
        return value.split()[0]

    def test_what_a_view_hides(self):
        record = self.ask('-c', 'narrow', objects=['sysName.0', 'ifNumber.0'])
        self.assertEqual([v['type'] for v in record['vars']], ['OCTET STRING', 'noSuchObject'])

    def test_wrong_community_is_silence(self):
        record = self.ask('-c', 'wrong', '-t', '200ms', '-r', '0', status=1)
        self.assertEqual(record['status'], 'timeout')

    def test_five_hundred_objects(self):
        objects = [f'1.3.6.1.2.1.1.9.1.3.{n % 10 + 1}' for n in range(500)]
        record = self.ask(objects=objects)
        self.assertEqual(record['status'], 'ok')
        self.assertEqual([v['oid'] for v in record['vars']], objects)


if __name__ == '__main__':
    unittest.main()

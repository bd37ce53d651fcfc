#!/usr/bin/env python3
"""Each way in which a device can answer, or not, gives its stated status and its words."""
import json
import os
import shutil
import socket
import subprocess
import unittest

import poller
import relay
import together
from poller import SYS_DESCR

FAST = ('-t', '200ms', '-r', '1')


class Answers(poller.Poll):
    def ask(self, behaviour, *words, status=0, target='127.3.0.1'):
        agents = self.agents(f'*:{behaviour}')
        record = self.one('-p', agents.port, *words, target, status=status)
        self.assertEqual(record['host'], target)
        self.assertEqual(record['address'], f'{target}:{agents.port}')
        self.assertRegex(record['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
        self.agents_asked = agents
        return record

    def fails(self, behaviour, status, message='.', *words):
        record = self.ask(behaviour, *FAST, *words, status=1)
        self.assertEqual(record['status'], status, record)
        self.assertRegex(record['message'], message)
        return record

    def test_ok(self):
        record = self.ask('ok')
        self.assertEqual(list(record), ['host', 'address', 'time', 'status', 'rtt_ms', 'tries', 'vars'])
        self.assertEqual(record['status'], 'ok')
        self.assertEqual(record['tries'], 1)
        self.assertGreater(record['rtt_ms'], 0)
        self.assertEqual(record['vars'], [{'oid': SYS_DESCR, 'name': 'sysDescr', 'index': '0',
                                           'type': 'OCTET STRING', 'value': 'Simulated agent 127.3.0.1'}])

    def test_version_1(self):
        self.assertEqual(self.ask('ok', '-v', '1')['status'], 'ok')

    def test_silent(self):
        record = self.fails('silent', 'timeout', 'UDP 161|community')
        self.assertIsNone(record['rtt_ms'])
        self.assertEqual(record['tries'], 2)
        self.assertEqual(record['vars'], [])
        self.assertEqual(self.agents_asked.counters()['received'], 2)

    def test_wrong_community_asked(self):
        self.fails('ok', 'timeout', 'community', '-c', 'not-this')

    def test_late_beyond_all_tries(self):
        self.fails('late=2s', 'timeout')

    def test_late_answer_to_the_first_try_counts(self):
        """The first datagram is answered after the second was sent, and the second not at all."""
        agents = self.agents('127.3.0.1:late-first=300ms,then-good')
        record = self.one('-p', agents.port, '-t', '200ms', '-r', '3', '127.3.0.1')
        self.assertEqual(record['status'], 'ok')
        agents = self.agents('*:late=350ms')
        record = self.one('-p', agents.port, '-t', '200ms', '-r', '1', '127.3.0.1')
        self.assertEqual(record['status'], 'ok')
        self.assertEqual(record['tries'], 2)
        self.assertGreaterEqual(record['rtt_ms'], 350)  # from the send of the try that was answered

    def test_lost_once(self):
        record = self.ask('lose-first=1', *FAST)
        self.assertEqual((record['status'], record['tries']), ('ok', 2))

    def test_duplicate(self):
        record = self.ask('duplicate', '-s')
        self.assertEqual(record['status'], 'ok')

    def test_wrong_id(self):
        self.fails('wrong-id', 'timeout')

    def test_wrong_community(self):
        self.fails('wrong-community', 'timeout', 'community')

    def test_wrong_version(self):
        self.fails('wrong-version', 'timeout', 'SNMPv1')

    def test_wrong_pdu(self):
        self.fails('wrong-pdu', 'timeout')

    def test_other_address(self):
        record = self.fails('other-address', 'timeout', r'127\.3\.0\.\d+:\d+ answered.*any_source')
        self.assertEqual(record['address'].split(':')[0], '127.3.0.1')
        self.assertEqual(self.ask('other-address', '--set', 'any_source=true')['status'], 'ok')

    def test_other_port(self):
        self.fails('other-port', 'timeout', r'127\.3\.0\.1:\d+ answered.*any_source')
        self.assertEqual(self.ask('other-port', '--set', 'any_source=true')['status'], 'ok')

    def malformed_at_once(self, behaviour):
        record = self.fails(behaviour, 'malformed')
        self.assertEqual(record['tries'], 1, record)
        self.assertEqual(self.agents_asked.counters()['received'], 1)

    def test_truncated(self):
        self.malformed_at_once('truncated')

    def test_bad_integer(self):
        self.malformed_at_once('bad-int')

    def test_long_integer(self):
        self.malformed_at_once('long-int')

    def test_empty_varbinds(self):
        self.malformed_at_once('empty-varbinds')

    def test_fewer_varbinds(self):
        self.malformed_at_once('fewer-varbinds')

    def test_other_oid(self):
        self.malformed_at_once('other-oid')

    def malformed_at_last(self, behaviour):
        record = self.fails(behaviour, 'malformed')
        self.assertEqual(record['tries'], 2, record)

    def test_truncated_before_the_id(self):
        self.malformed_at_last('truncated-head')

    def test_garbage(self):
        self.malformed_at_last('garbage')

    def test_empty_datagram(self):
        self.malformed_at_last('empty')

    def test_trailing_octets(self):
        self.assertEqual(self.ask('trailing')['status'], 'ok')

    def test_errors(self):
        self.fails('gen-err', 'error', 'genErr')
        self.fails('error=16', 'error', 'authorizationError')
        self.fails('error-index=9', 'error', 'genErr')

    def test_a_row_that_cannot_be_given(self):
        """The rows before it are had, and the message names the place, whatever the version."""
        for version in ('1', '2c'):
            record = self.fails('rows=48,gen-err-row=21', 'partial', r'genErr, .*\.2\.20 ',
                                '-v', version, '-w', 'ifDescr')
            self.assertEqual([row['index'] for row in record['vars']], [str(n) for n in range(1, 21)])

    def test_huge_value(self):
        record = self.ask('huge')
        self.assertEqual(len(record['vars'][0]['value']), 60000)

    def test_several_objects_keep_their_order(self):
        names = ['sysName.0', 'sysUpTime.0', 'sysDescr.0', '1.3.6.1.2.1.1.6.0']
        words = [word for name in names for word in ('-g', name)]
        record = self.ask('ok', *words)
        self.assertEqual([v['name'] for v in record['vars']],
                         ['sysName', 'sysUpTime', 'sysDescr', 'sysLocation'])

    def test_objects_that_do_not_exist(self):
        record = self.ask('ok', '-g', '1.3.6.1.2.1.1.99.0', '-g', 'sysDescr.7', '-g', 'sysName.0')
        self.assertEqual(record['status'], 'ok')
        self.assertEqual([v['type'] for v in record['vars']],
                         ['noSuchObject', 'noSuchInstance', 'OCTET STRING'])
        self.assertIsNone(record['vars'][0]['value'])

    def test_version_1_no_such_name_is_taken_out(self):
        record = self.ask('ok', '-v', '1', '-g', 'sysDescr.0', '-g', 'sysDescr.7', '-g', 'sysName.0',
                          '-g', '1.3.6.1.2.1.1.99.0')
        self.assertEqual(record['status'], 'ok')
        types = [v['type'] for v in record['vars']]
        self.assertEqual((types[0], types[2]), ('OCTET STRING', 'OCTET STRING'))
        for missing in (types[1], types[3]):
            self.assertIn(missing, ('noSuchObject', 'noSuchInstance'))

    def test_too_big_is_split(self):
        names = [f'1.3.6.1.2.1.1.{n}.0' for n in range(1, 8)]
        words = [word for name in names for word in ('-g', name)]
        for behaviour in ('too-big=2', 'too-big-empty=2'):
            record = self.ask(behaviour, *words)
            self.assertEqual(record['status'], 'ok', record)
            self.assertEqual([v['oid'] for v in record['vars']], names)

    def test_too_big_for_one_object(self):
        self.fails('error=1', 'error', 'tooBig')

    def test_hundreds_of_objects_are_split(self):
        agents = self.agents(options=('--interfaces', '300'))
        names = [f'ifDescr.{n}' for n in range(1, 301)] + [f'ifHCInOctets.{n}' for n in range(1, 301)]
        words = [word for name in names for word in ('-g', name)]
        record = self.one('-p', agents.port, *words, '127.3.0.1')
        self.assertEqual(record['status'], 'ok')
        self.assertEqual([f"{v['name']}.{v['index']}" for v in record['vars']], names)
        self.assertGreater(agents.counters()['received'], 1)
        self.assertEqual(record['vars'][300]['value'], 18446744073709551614)  # no loss above 2^53

    def test_partial_keeps_what_came(self):
        """More objects than go into one request; from the second on there is no answer."""
        agents = self.agents(options=('--interfaces', '300'))
        names = [f'ifDescr.{n}' for n in range(1, 301)]
        words = [word for name in names for word in ('-g', name)]
        asked = []
        def passes(way, data):
            asked.append(way)
            return asked.count('there') == 1
        with relay.Between(agents.port, passes) as between:
            record = self.one('-p', between.port, *FAST, *words, '127.0.0.1', status=1)
        self.assertEqual(record['status'], 'partial')
        self.assertRegex(record['message'], '^timeout: ')
        rows = len(record['vars'])
        self.assertTrue(0 < rows < 300, rows)
        self.assertEqual([f"ifDescr.{v['index']}" for v in record['vars']], names[:rows])
        self.assertEqual(record['tries'], 2)

    def test_hostile_text_is_one_line(self):
        agents = self.agents()
        record = self.one('-p', agents.port, '-g', 'sysLocation.0', '127.3.0.1')
        value = record['vars'][0]['value']
        for control in '\t\n\x1b"\\':
            self.assertIn(control, value)
        run = self.run_poller('-p', agents.port, '-g', 'sysLocation.0', '127.3.0.1')
        self.assertEqual(run.stdout.count('\n'), 1)
        self.assertEqual(run.stdout.count('\t'), 3)
        self.assertNotIn('\x1b', run.stdout)

    def test_octets_that_are_no_text(self):
        agents = self.agents()
        var = self.one('-p', agents.port, '-g', 'ifPhysAddress.1', '-g', 'ifPhysAddress.2',
                       '127.3.0.1')['vars'][1]
        self.assertIs(var.get('hex'), True)
        self.assertRegex(var['value'], r'^[0-9a-f]{12}$')


class Unreachable(poller.Poll):
    @unittest.skipUnless(os.environ.get('WITH_LINUX_EXTRAS', 'yes') == 'yes', 'needs IP_RECVERR')
    def test_closed_port(self):
        record = self.one('-t', '30s', '-p', poller.free_port(), '127.0.0.1', status=1)
        self.assertEqual(record['status'], 'unreachable')
        self.assertEqual(record['tries'], 1)

    @unittest.skipUnless(os.environ.get('WITH_LINUX_EXTRAS', 'yes') == 'yes', 'needs IP_RECVERR')
    def test_closed_port_ipv6(self):
        try:
            port = poller.free_port(family=socket.AF_INET6, address='::1')
        except OSError:
            self.skipTest('no IPv6')
        record = self.one('-t', '30s', f'[::1]:{port}', status=1)
        self.assertEqual(record['status'], 'unreachable')

    def test_broadcast_address(self):
        record = self.one('-t', '30s', '255.255.255.255', status=1)
        self.assertEqual(record['status'], 'unreachable')

    @unittest.skipUnless(os.environ.get('WITH_LINUX_EXTRAS', 'yes') == 'yes', 'needs IP_RECVERR')
    def test_refusals_do_not_touch_the_others(self):
        """Half of 2,000 hosts refuse (another port): the live half is answered, nothing is lost."""
        agents = self.agents()
        closed = poller.free_port(address='0.0.0.0')
        hosts = ''.join(f'127.4.{i // 250}.{i % 250 + 1}:{port}\n' for i in range(1000)
                        for port in (agents.port, closed))
        records = self.poll('--targets', self.write('targets', hosts), '-t', '5s', status=1)
        count = {}
        for r in records:
            count[r['status']] = count.get(r['status'], 0) + 1
        # the kernel limits ICMP: what it did not say in time is a timeout, never a wrong ok
        self.assertEqual(count.pop('ok'), 1000)
        self.assertGreater(count.pop('unreachable'), 0)
        self.assertLessEqual(set(count), {'timeout'})
        self.assertEqual(len(records), 2000)


class Lists(poller.Poll):
    def test_localhost_twice(self):
        """The two-host list of the original: the same host twice is two targets."""
        agents = self.agents()
        path = self.write('hosts.yaml', 'hosts:\n  - localhost\n  - localhost\n')
        records = self.poll('-f', path, '-p', agents.port)
        self.assertEqual([r['host'] for r in records], ['localhost', 'localhost'])
        self.assertEqual([r['status'] for r in records], ['ok', 'ok'])

    def test_ten_thousand_targets(self):
        agents = self.agents('percent:2:lose=300')
        records = self.poll('-p', agents.port, '-t', '300ms', '-r', '6', '127.5.0.0/18',
                            '--exclude', '127.5.39.16-255', '--exclude', '127.5.40.0/21',
                            '--exclude', '127.5.48.0/20')
        self.assertEqual(len(records), 10000)
        self.assertEqual(len({r['host'] for r in records}), 10000)
        self.assertEqual({r['status'] for r in records}, {'ok'})
        for r in records:
            self.assertEqual(r['vars'][0]['value'], 'Simulated agent ' + r['host'])

    def test_nobody(self):
        self.assertEqual(self.poll('-f', self.write('hosts.yaml', 'hosts: []\n')), [])

    def test_ipv6(self):
        agents = self.agents()
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
                s.bind(('::1', 0))
        except OSError:
            self.skipTest('no IPv6')
        record = self.one(f'[::1]:{agents.port}')
        self.assertEqual((record['host'], record['status']), (f'[::1]:{agents.port}', 'ok'))
        self.assertEqual(record['address'], f'[::1]:{agents.port}')

    def test_names(self):
        agents = self.agents()
        record = self.one('-4', '-p', agents.port, 'localhost')
        self.assertEqual((record['status'], record['address']), ('ok', f'127.0.0.1:{agents.port}'))
        record = self.one('-p', agents.port, 'nobody.invalid', status=1)
        self.assertEqual((record['status'], record['address']), ('resolve', None))
        self.assertTrue(record['message'])

    @unittest.skipUnless(os.environ.get('WITH_LINUX_EXTRAS', 'yes') == 'yes' and shutil.which('unshare'),
                         'needs IP_RECVERR and unshare')
    def test_next_address_after_a_failure(self):
        """Only ::1 has a device on this port: 127.0.0.1, which comes first, refuses."""
        try:
            six = self.agents(options=('--bind', '::1'))
        except (OSError, IndexError):
            self.skipTest('no IPv6')
        hosts = self.write('hosts', '127.0.0.1 two-homes\n::1 two-homes\n', mode=0o644)
        # a mount namespace of its own, so that nobody else sees this /etc/hosts
        run = subprocess.run(['unshare', '-m', 'sh', '-c', 'mount --bind "$1" /etc/hosts && shift && exec "$@"',
                              'sh', hosts, poller.MULTISNMP, '-F', 'jsonl', '-p', str(six.port), '-t', '5s',
                              'two-homes'], capture_output=True, text=True, check=False)
        if 'unshare' in run.stderr or 'mount' in run.stderr:
            self.skipTest('no mount namespace: ' + run.stderr)
        record = json.loads(run.stdout)
        self.assertEqual((record['status'], record['address']), ('ok', f'[::1]:{six.port}'), record)
        self.assertEqual(record['tries'], 2)

    def test_file_of_aliases(self):
        """HOSTALIASES names a file that the resolver may not read: names are what they are."""
        agents = self.agents()
        env = {**os.environ, 'HOSTALIASES': self.write('aliases', 'elsewhere localhost\n', mode=0o644)}
        self.poll('-4', '-p', agents.port, 'localhost', status=0, env=env)

    def test_labels_and_groups(self):
        agents = self.agents()
        path = self.write('hosts.yaml', f'''
defaults: {{community: wrong, timeout: 200ms, retries: 0}}
credentials: {{right: {{community: public}}}}
groups: {{g: {{credential: right, get: [sysName.0]}}}}
hosts:
  - {{host: "127.6.0.1:{agents.port}", label: core, group: g}}
  - {{host: "127.6.0.2:{agents.port}", group: g, get: [sysDescr.0]}}
  - 127.6.0.3:{agents.port}
''')
        records = {r['host']: r for r in self.poll('-f', path, status=1)}
        self.assertEqual(records['core']['vars'][0]['name'], 'sysName')
        self.assertEqual(records[f'127.6.0.2:{agents.port}']['vars'][0]['name'], 'sysDescr')
        self.assertEqual(records[f'127.6.0.3:{agents.port}']['status'], 'timeout')

    def test_every_line_is_json(self):
        agents = self.agents()
        run = self.run_poller('-F', 'jsonl', '-p', agents.port, '127.7.0.0/24')
        self.assertEqual(len([json.loads(line) for line in run.stdout.splitlines()]), 256)


if __name__ == '__main__':
    together.main()

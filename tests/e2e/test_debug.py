#!/usr/bin/env python3
"""--debug: every datagram of a run in one line on stderr, whole lines from many workers, and no secret in any."""
import re
import unittest

import ber
import daemons
import poller

LINE = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\d+) (->|<-|!!) (\S*)(?: \[(.*?)\])?(?: (\d+) octets: (.*?))?'
                  r'(?: \| (.*))?$')
QUICK = ('-t', '200ms', '-r', '1')


class Debug(poller.Poll):
    def debug(self, *words, status=0, **how):
        """[(process, way, peer, host, octets, text, fate)] of what was said; each line is one of ours."""
        self.records = self.poll('--debug', *words, status=status, **how)
        lines = self.stderr.splitlines()
        for line in lines:
            self.assertRegex(line, LINE)
        return [LINE.match(line).groups() for line in lines]

    def ways(self, lines):
        return [line[1] for line in lines]


class Messages(Debug):
    def test_get(self):
        agents = self.agents()
        lines = self.debug('-g', 'sysDescr.0', '-g', 'sysUpTime.0', '-g', '1.3.6.1.2.1.1.9.9.0', f'127.0.0.2:{agents.port}')
        self.assertEqual(self.ways(lines), ['->', '<-'])
        sent, came = lines
        self.assertRegex(sent[5], r'^SNMPv2c community \*\*\* GET id \d+ \{sysDescr\.0; sysUpTime\.0; ')
        self.assertRegex(came[5], r'^SNMPv2c community \*\*\* RESPONSE id \d+ error-status 0 error-index 0 '
                                  r'\{sysDescr\.0 = OCTET STRING "Simulated agent 127\.0\.0\.2"; '
                                  r'sysUpTime\.0 = TimeTicks \d+; .* = noSuch\w+\}$')
        self.assertEqual(re.search(r'id (\d+)', sent[5]).group(1), re.search(r'id (\d+)', came[5]).group(1))
        self.assertEqual((sent[2], sent[6], came[6]), (f'127.0.0.2:{agents.port}', None, None))

    def test_nothing_without_it(self):
        agents = self.agents()
        self.poll(f'127.0.0.2:{agents.port}')
        self.assertEqual(self.stderr, '')

    def test_bulk_and_v1(self):
        agents = self.agents('*:rows=3')
        text = ' '.join(line[5] for line in self.debug('-w', 'ifDescr', f'127.0.0.2:{agents.port}'))
        self.assertRegex(text, r'GETBULK id \d+ non-repeaters 0 max-repetitions \d+ \{ifDescr\}')
        text = ' '.join(line[5] for line in self.debug('-v', '1', '-g', '1.3.6.1.99.0', f'127.0.0.2:{agents.port}'))
        self.assertIn('SNMPv1 community *** RESPONSE', text)
        self.assertIn('error-status 2 (noSuchName) error-index 1', text)

    def test_encrypted(self):
        agents = self.agents(options=('--user', poller.USER, '--context', 'vrf1'))
        lines = self.debug(*poller.V3, '-n', 'vrf1', f'127.0.0.2:{agents.port}')
        self.assertEqual(self.ways(lines), ['->', '<-', '->', '<-'])
        self.assertRegex(lines[1][5], r'engine 80001f88\w+ boots 1 time \d+ user "" REPORT id -?\d+ '
                                      r'\{usmStatsUnknownEngineIDs = Counter32 \d+\}')
        for line, pdu in ((lines[2], 'GET'), (lines[3], 'RESPONSE')):
            self.assertRegex(line[5], r'^SNMPv3 msgID \d+ authPriv .*user "poller" digest \*\*\* salt \*\*\* decrypted: '
                                      rf'context "vrf1" {pdu} id \d+ .*sysDescr\.0')

    def test_refused(self):
        lines = self.debug(f'127.0.0.1:{poller.free_port()}', status=1)
        self.assertEqual(lines[0][1], '->')
        if poller.WITH_EXTRAS:
            self.assertEqual((lines[1][1], lines[1][6]), ('!!', 'refused by the network or the kernel: Connection refused'))

    @unittest.skipUnless(daemons.SNMPD, 'no snmpd')
    def test_over_tcp(self):
        port = poller.free_port()
        snmpd = daemons.Snmpd('rocommunity public 127.0.0.1\n', more=(f'tcp:127.0.0.1:{port}',))
        self.addCleanup(snmpd.stop)
        lines = self.debug(f'tcp:127.0.0.1:{port}')
        self.assertEqual(self.ways(lines), ['->', '<-'])

    def test_label(self):
        agents = self.agents()
        text = f'hosts:\n  - {{host: "127.0.0.2:{agents.port}", label: "core\\e[2J"}}\n'
        lines = self.debug('-f', self.write('hosts.yaml', text))
        self.assertEqual({line[3] for line in lines}, {'core\\x1b[2J'})

    def test_works_with_explain(self):
        agents = self.agents()
        run = self.run_poller('--debug', '--explain', f'127.0.0.2:{agents.port}')
        self.assertEqual(len(run.stderr.splitlines()), 2, run.stderr)


class Fates(Debug):
    """What did not count, and why."""

    def fate(self, rule, *words, v3=False):
        agents = self.agents(f'*:{rule}', options=('--user', poller.USER) if v3 else ())
        lines = self.debug(*QUICK, *(poller.V3 if v3 else ()), *words, f'127.0.0.2:{agents.port}',
                           status=0 if rule == 'duplicate' else 1)
        return [line[6] for line in lines if line[1] == '<-']

    def test_dropped(self):
        for rule, why in (('other-address', 'dropped: it comes from another address'),
                          ('wrong-id', 'dropped: its id is of no request of ours'),
                          ('wrong-community', 'dropped: it has another community'),
                          ('wrong-version', 'dropped: it is of another version'),
                          ('wrong-pdu', 'dropped: it is no RESPONSE')):
            self.assertEqual(set(self.fate(rule)), {why}, rule)

    def test_unreadable(self):
        for rule in ('garbage', 'empty', 'truncated-head'):
            self.assertTrue(all(fate.startswith('dropped: ') for fate in self.fate(rule)), rule)

    def test_malformed(self):
        self.assertEqual(self.fate('bad-int'), ['malformed: varbind 1: an INTEGER has no content'])

    def test_twice(self):
        agents = self.agents('127.0.0.2:duplicate', '127.0.0.3:late=400ms')
        lines = self.debug('-j', '1', f'127.0.0.2:{agents.port}', f'127.0.0.3:{agents.port}')
        self.assertIn('dropped: its request is over', [line[6] for line in lines])

    def test_not_believed(self):
        self.assertIn('not believed: its digest is wrong', self.fate('wrong-digest', v3=True))

    def test_not_decrypted(self):
        fates = self.fate('wrong-salt', v3=True)
        self.assertTrue(fates[-1].startswith('malformed: '), fates)


class Safe(Debug):
    SECRETS = ('s3cretcommunity', 'authority1', 'secrecy123')

    def test_no_secret(self):
        """Whatever comes: right and wrong answers, echoes of the request, cut ones, over each version."""
        agents = self.agents(*(f'127.0.0.{n}:{rule}' for n, rule in enumerate(
            ('ok', 'truncated', 'truncated-head', 'wrong-community', 'wrong-pdu', 'garbage', 'other-oid', 'trailing'), 2)),
            options=('--user', poller.USER))
        hosts = [f'127.0.0.{n}:{agents.port}' for n in range(2, 10)]
        said = ''
        for words in (('-c', self.SECRETS[0]), ('-v', '1', '-c', self.SECRETS[0]), poller.V3,
                      (*poller.V3[:-1], 'secrecy124')):
            run = self.run_poller('--debug', '-t', '100ms', '-r', '1', *words, *hosts)
            said += run.stderr
        with ber.Device(lambda r: [r.data, r.data[:20], r.data[1:]], decode=Raw) as device:
            run = self.run_poller('--debug', '-t', '100ms', '-r', '1', '-c', self.SECRETS[0], f'127.0.0.1:{device.port}')
            said += run.stderr
        self.assertGreater(said.count(' <- '), 10)
        for secret in self.SECRETS:
            for form in (secret, secret.encode().hex()):
                self.assertNotIn(form, said)

    def test_no_control(self):
        agents = self.agents('*:types')
        objects = [word for n in range(1, 26) for word in ('-g', f'1.3.6.1.4.1.8072.9999.9999.{n}.0')]
        lines = self.debug(*objects, f'127.0.0.2:{agents.port}')
        self.assertFalse(re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', self.stderr))
        text = ' '.join(line[5] for line in lines)
        for value in ('Counter64 18446744073709551615', 'Gauge32 3000000000', 'INTEGER -2147483648'):
            self.assertIn(value, text)

    def test_lines_are_bounded_and_whole(self):
        agents = self.agents('127.0.0.0/25:huge')
        lines = self.debug('-j', '4', '127.0.0.1-120', '-p', agents.port)
        self.assertEqual(len(lines), 240)
        self.assertGreater(len({line[0] for line in lines}), 1)
        self.assertLess(max(len(line) for line in self.stderr.splitlines()), 4096)
        self.assertIn('(60000 octets)', self.stderr)


class Raw:
    def __init__(self, data):
        self.data = data


if __name__ == '__main__':
    unittest.main()

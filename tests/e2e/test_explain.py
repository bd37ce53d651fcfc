#!/usr/bin/env python3
"""--explain: each diagnosis where it belongs and not where it does not; the entry that it ends with is fed back and must be
answered, which is the proof that counts."""
import contextlib
import os
import re
import socket
import struct
import subprocess
import threading
import unittest

import ber
import daemons
import namespaces
import poller
import processes
import together

SECRETS = {'SNMP_COMMUNITY': 'notpublic77', 'SNMP_AUTH_PASS': 'authority1', 'SNMP_PRIV_PASS': 'secrecy123'}
QUICK = ('-t', '200ms', '-r', '1')
WORDS_3 = ('-v', '3', '-u', 'poller', '-A', SECRETS['SNMP_AUTH_PASS'], '-X', SECRETS['SNMP_PRIV_PASS'])


class Explain(poller.Poll):
    def explain(self, *words, status=None, **how):
        """What it says; each line once as it is, and the steps as [(ok, text)]."""
        run = self.run_poller('--explain', *words, **how)
        if status is not None:
            self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for secret in SECRETS.values():
            self.assertNotIn(secret, run.stdout + run.stderr)
        self.said, self.status = run.stdout, run.returncode
        self.steps = [(mark == 'ok', text) for mark, text in
                      re.findall(r'^ ?\d+\. (ok|no)  (.*)$', run.stdout, re.M)]
        self.yaml = [line for line in run.stdout.splitlines() if line.startswith('- {')]
        return run.stdout

    def feed_back(self, entries=None, defaults=''):
        """The entries that it ended with, polled: all `ok`."""
        text = f'{defaults}hosts:\n' + ''.join(f'  {line}\n' for line in entries or self.yaml)
        records = self.poll('-f', self.write('mended.yaml', text), env={**os.environ, **SECRETS})
        self.assertEqual({r['status'] for r in records}, {'ok'}, records)
        return records

    def mends(self, *words, entry):
        """It is not answered, says that `entry` (keys and values) would mend it, and that does."""
        self.explain(*words, status=1)
        self.assertIn('\nThis would mend it:\n', self.said)
        for key in entry:
            self.assertIn(key, self.yaml[0])
        return self.feed_back()

    def says_no_more(self, *words, why):
        """Nothing that could be asked mends it, and it does not pretend."""
        self.explain(*words, status=1)
        self.assertNotIn('would mend it:', self.said)
        self.assertEqual(self.yaml, [])
        self.assertIn(why, self.said)


class Answers(Explain):
    def test_answered(self):
        agents = self.agents()
        said = self.explain(f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('Nothing to mend: it answers as configured.', said)
        self.assertIn('sysDescr.0 OCTET STRING Simulated agent 127.0.0.2', said)
        self.assertIn('route to 127.0.0.2: the kernel has one, and sends from 127.0.0.1', said)
        self.assertTrue(all(ok for ok, _ in self.steps))
        self.assertEqual((self.yaml, len(self.steps)), ([], 2))
        self.assertEqual(agents.counters()['received'], 1)  # polite: what is answered is asked once

    def test_v3_answered(self):
        agents = self.agents(options=('--user', poller.USER))
        self.explain(*poller.V3, f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('SNMP 3, user poller, auth SHA-256, priv AES, level authPriv: answered', self.said)

    def test_exactly_one(self):
        for words in (['127.0.0.1', '127.0.0.2'], ['127.0.0.0/30'], ['--exclude', '127.0.0.1', '127.0.0.1']):
            run = self.run_poller('--explain', *words)
            self.assertEqual((run.returncode, run.stdout), (2, ''))
            self.assertRegex(run.stderr, r'--explain: name one target; here are \d')

    def test_a_block_of_one_is_one(self):
        agents = self.agents()
        self.explain('-p', agents.port, '127.0.0.2/32', status=0)

    def test_output_fails(self):
        agents = self.agents()
        with open('/dev/full', 'w', encoding='utf-8') as full:
            run = subprocess.run([poller.MULTISNMP, '--explain', f'127.0.0.2:{agents.port}'], stdout=full,
                                 stderr=subprocess.PIPE, text=True, timeout=poller.LONG, check=False)
        self.assertEqual(run.returncode, 3)
        self.assertIn('cannot write standard output', run.stderr)

    def test_options_of_the_output_change_nothing(self):
        """They are of records and rounds: what is asked in between is neither."""
        agents = self.agents()
        absent = os.path.join(self.folder, 'absent', 'file')
        for words in ([['-F', name] for name in ('jsonl', 'csv', 'prometheus', 'influx')] +
                      [['-F', 'csv', '--fields', 'host'], ['--sort', 'host'], ['--null'], ['--status', 'timeout'], ['-s'],
                       ['-o', absent], ['--append', '-o', absent], ['--stats-file', absent], ['-i', '1s'],
                       ['--min-ok', '2'], ['--deadline', '1ms'], ['--progress'], ['-q']]):
            said = self.explain(*words, f'127.0.0.2:{agents.port}', status=0)
            self.assertIn('Nothing to mend: it answers as configured.', said, words)

    def test_no_control_reaches_the_terminal(self):
        agents = self.agents('*:types')
        self.explain('-g', '1.3.6.1.4.1.8072.9999.9999.10.0', '-g', '1.3.6.1.4.1.8072.9999.9999.4.0',
                     f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('0x6100627fe280ae63', self.said)  # hex, as text has it
        self.assertFalse(re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', self.said))

    def test_no_colour_where_nobody_looks(self):
        agents = self.agents()
        self.assertNotIn('\x1b', self.explain(f'127.0.0.2:{agents.port}'))

    def test_colour_on_a_terminal(self):
        agents = self.agents()
        for env, coloured in (({}, True), ({'NO_COLOR': '1'}, False), ({'NO_COLOR': ''}, True)):
            environment = {k: v for k, v in os.environ.items() if k != 'NO_COLOR'} | env | {'TERM': 'xterm'}
            run = subprocess.run(['script', '-qec', f'{poller.MULTISNMP} --explain 127.0.0.2:{agents.port}',
                                  '/dev/null'], capture_output=True, text=True, env=environment,
                                 stdin=subprocess.DEVNULL, timeout=poller.LONG, check=False)
            self.assertIn('answered in', run.stdout)
            self.assertEqual('\x1b[32mok\x1b[0m' in run.stdout, coloured, env)


class Names(Explain):
    def test_addresses_of_a_name(self):
        agents = self.agents()
        said = self.explain('-4', f'localhost:{agents.port}', status=0)
        self.assertIn('name localhost: 1 address', said)
        self.assertIn(f'127.0.0.1:{agents.port}: ok', said)

    def explain_two(self, addresses, port, status):
        """A name of these addresses, in a mount namespace of its own."""
        hosts = self.write('hosts', ''.join(f'{address} two.example\n' for address in addresses), mode=0o644)
        os.chmod(self.folder, 0o755)
        run = subprocess.run(['unshare', '-m', 'sh', '-c', 'mount --bind "$1" /etc/hosts && shift && exec "$@"', 'sh', hosts,
                              poller.MULTISNMP, '--explain', *QUICK, f'two.example:{port}'], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=poller.LONG, check=False)
        if 'unshare' in run.stderr or 'mount' in run.stderr:
            self.skipTest(f'no mounts of our own here: {run.stderr.strip()}')
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout

    @unittest.skipUnless(poller.ROOT, 'only root can have another /etc/hosts')
    def test_the_second_address_answers(self):
        agents = self.agents('127.0.0.2:silent')
        said = self.explain_two(('127.0.0.2', '127.0.0.3'), agents.port, 0)
        self.assertIn('name two.example: 2 addresses, asked in this order until one answers', said)
        self.assertIn(f'        127.0.0.2:{agents.port}: timeout\n        127.0.0.3:{agents.port}: ok\n', said)
        self.assertIn('route to 127.0.0.3: ', said)
        self.assertIn('Nothing to mend', said)

    @unittest.skipUnless(poller.ROOT and poller.WITH_EXTRAS, 'only root can have another /etc/hosts')
    def test_each_address_is_told(self):
        """One address is silent, one refuses: to be looked at is the one where somebody may be."""
        with ber.Device(lambda r: None, decode=lambda data: Anything()) as device:
            said = self.explain_two(('127.0.0.1', '127.0.0.2'), device.port, 1)
        self.assertIn(f'        127.0.0.1:{device.port}: timeout\n        127.0.0.2:{device.port}: unreachable\n', said)
        self.assertIn('route to 127.0.0.1: ', said)
        self.assertNotIn('nothing listens on this port: is the agent', said)

    def test_no_such_name(self):
        self.says_no_more('no-such-name.invalid', why='name no-such-name.invalid: ')
        self.assertIn('Write the name as the name server has it', self.said)

    @namespaces.of_its_own('net')
    def test_no_route(self):
        self.says_no_more(*QUICK, '192.0.2.1', why='There must be a route to that network first')
        self.assertIn('route to 192.0.2.1: none', self.said)
        self.assertNotIn('Start the agent', self.said)


class Transports(Explain):
    @unittest.skipUnless(poller.WITH_EXTRAS, 'only Linux tells of a refused datagram')
    def test_refused(self):
        self.says_no_more(f'127.0.0.1:{poller.free_port()}', why='Start the agent, or name the port')
        self.assertIn('the system is up and says that nothing listens on this port', self.said)

    @unittest.skipUnless(daemons.SNMPD, 'no snmpd')
    def test_over_tcp(self):
        port = poller.free_port()
        snmpd = daemons.Snmpd('rocommunity public 127.0.0.1\n', more=(f'tcp:127.0.0.1:{port}',))
        self.addCleanup(snmpd.stop)
        self.mends(f'127.0.0.1:{port}', entry=[f'host: "tcp:127.0.0.1:{port}"'])

    def test_over_tcp_is_no_agent(self):
        with socket.create_server(('127.0.0.1', poller.free_port())) as server:
            def greet():
                with contextlib.suppress(OSError):
                    while True:
                        with server.accept()[0] as peer:
                            peer.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
            threading.Thread(target=greet, daemon=True).start()
            why = 'Start the agent, or name the port' if poller.WITH_EXTRAS else ''  # there it is silent
            self.says_no_more(*QUICK, f'127.0.0.1:{server.getsockname()[1]}', why=why)
            server.shutdown(socket.SHUT_RDWR)
        self.assertIn((False, 'over TCP: malformed'), [(ok, text[:19]) for ok, text in self.steps])

    @unittest.skipUnless(daemons.SNMPD, 'no snmpd')
    def test_over_udp(self):
        snmpd = daemons.Snmpd('rocommunity public 127.0.0.1\n')
        self.addCleanup(snmpd.stop)
        self.mends(f'tcp:127.0.0.1:{snmpd.port}', entry=[f'host: "127.0.0.1:{snmpd.port}"'])

    def test_another_address_answers(self):
        agents = self.agents('127.0.0.2:other-address')
        self.mends(*QUICK, f'127.0.0.2:{agents.port}', entry=['any_source: true'])
        self.assertIn('or on the command line: --set any_source=true', self.said)

    def test_a_small_question_may_be_slow(self):
        """It is waited for longer than the host's timeout: that it is answered does not mean that the objects are wrong."""
        agents = self.agents('*:late=700ms')
        self.mends('-t', '200ms', '-r', '0', '-g', 'sysName.0', f'127.0.0.2:{agents.port}', entry=['timeout: '])
        self.assertIn('left are what is asked for, and how long it is waited for', self.said)

    def test_slow(self):
        agents = self.agents('127.0.0.2:late=2500ms')
        records = self.mends(*QUICK, f'127.0.0.2:{agents.port}', entry=['timeout: 4s'])
        self.assertGreater(records[0]['rtt_ms'], 2400)

    def test_slow_but_answered(self):
        agents = self.agents('127.0.0.2:late=700ms')
        self.explain('-t', '200ms', '-r', '3', f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('slower than its timeout, so it was asked again: timeout: 1s would spare that', self.said)

    def test_silent(self):
        agents = self.agents('127.0.0.2:silent')
        self.says_no_more(*QUICK, f'127.0.0.2:{agents.port}', why='The system is up. Whether a filter drops')
        self.assertIn('\n        it refuses, so the system is up and reachable\n', self.said)  # over TCP
        self.assertNotIn('a port where nobody listens', self.said)  # so nothing is to be asked of another
        self.assertNotIn('timeout: ', ''.join(self.yaml))
        self.assertLess(agents.counters()['received'], 20)  # polite to who does not answer

    @unittest.skipUnless(poller.WITH_EXTRAS, 'only Linux tells of a refused datagram')
    def test_silent_over_tcp_too(self):
        agents = self.agents('127.0.0.2:silent')
        with socket.create_server(('127.0.0.2', agents.port)):
            self.says_no_more(*QUICK, f'127.0.0.2:{agents.port}', why='The system is up. Whether a filter drops')
        self.assertRegex(self.said, r'ok  a port where nobody listens \(33434\): .*\n +it refuses that port, so the system is up')


def prohibited(request, port):
    """What a filter on the way sends for this request: ICMP, communication administratively prohibited (RFC 1812 5.2.7.1)."""
    udp = struct.pack('!HHHH', request.client[1], port, 8, 0)
    quoted = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28, 0, 0, 64, 17, 0, b'\x7f\0\0\1', b'\x7f\0\0\1') + udp
    words = struct.unpack(f'!{(8 + len(quoted)) // 2}H', struct.pack('!BBHI', 3, 13, 0, 0) + quoted)
    total = sum(words)
    total = (total & 0xffff) + (total >> 16)
    check = ~((total & 0xffff) + (total >> 16)) & 0xffff
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.sendto(struct.pack('!BBHI', 3, 13, check, 0) + quoted, ('127.0.0.1', 0))


@unittest.skipUnless(poller.ROOT and poller.WITH_EXTRAS, 'only root can say what a filter says')
class Filters(Explain):
    def test_prohibited(self):
        with ber.Device(lambda r: prohibited(r, device.port), decode=decode_v12) as device:
            self.explain(f'127.0.0.1:{device.port}', status=1)
        self.assertIn('a filter forbids it (ICMP administratively prohibited)', self.said)
        self.assertIn('a filter on the way, or here, forbids it and says so', self.said)
        self.assertEqual(self.yaml, [])


class Communities(Explain):
    def test_wrong_but_alive(self):
        agents = self.agents(options=('--user', poller.USER))
        self.says_no_more(*QUICK, '-c', 'notpublic77', f'127.0.0.2:{agents.port}',
                          why='The agent is there and ignores this community')

    def test_only_v1(self):
        tree = ber.Tree({poller.SYS_DESCR: ber.string('of SNMPv1')})
        with ber.Device(lambda r: tree.answer(r) if r.version == 0 else None, decode=decode_v12) as device:
            self.mends(*QUICK, f'127.0.0.1:{device.port}', entry=['version: 1'])

    def test_only_v2c_where_v3_is_asked(self):
        agents = self.agents()
        self.mends(*QUICK, *WORDS_3, '-a', 'SHA', '-x', 'AES', f'127.0.0.2:{agents.port}',
                   entry=['version: 2c', 'community: public'])
        self.assertIn('in the clear', self.said)

    def test_never_another_credential(self):
        """A passphrase is no community; a community of defaults is not sent to a host of SNMPv3."""
        seen = []
        with ber.Device(lambda r: None, decode=lambda data: seen.append(data) or Anything()) as device:
            text = (f'defaults: {{community: notpublic77, timeout: 100ms, retries: 0}}\nhosts:\n'
                    f'  - {{host: "127.0.0.1:{device.port}", version: 3, user: poller, auth: SHA, '
                    'auth_pass: authority1, priv: AES, priv_pass: secrecy123}\n')
            self.explain('-f', self.write('hosts.yaml', text), status=1)
        self.assertGreater(len(seen), 2)
        for secret in SECRETS.values():
            self.assertFalse([data for data in seen if secret.encode() in data])
        self.assertTrue([data for data in seen if b'\x04\x06public' in data])


    def test_children_have_no_passphrase(self):
        """Who asks again with other protocols needs it; those that strangers can reach never have it."""
        agents = self.agents('*:silent', options=('--user', poller.USER))
        long = 'a passphrase that stands nowhere else'
        text = (f'defaults: {{timeout: 30s}}\nhosts:\n  - {{host: "localhost:{agents.port}", family: 4, version: 3, user: poller, '
                f'auth: SHA, auth_pass: "{long} 1", priv: AES, priv_pass: "{long} 2"}}\n')
        process = self.start_poller('--explain', '-f', self.write('hosts.yaml', text))
        self.wait_until(lambda: agents.counters()['received'])
        children = processes.children(process.pid)
        self.assertGreaterEqual(len(children), 2)  # a worker and the resolver
        parent = processes.writable_memory(process.pid)
        if parent is None:
            self.skipTest('not allowed to read the memory of another process')
        self.assertTrue(any(long.encode() in piece for piece in parent))  # so it would be found
        for pid in children:
            for piece in processes.writable_memory(pid):
                self.assertNotIn(long[-12:].encode(), piece)


class Anything:
    """A datagram of any kind, which nobody looks at."""


def decode_v12(data):
    return Anything3() if data[2:5] == b'\x02\x01\x03' or data[3:6] == b'\x02\x01\x03' else ber.Request(data)


class Anything3:
    version = 3


class V3(Explain):
    def park(self, user, *rules, options=()):
        agents = self.agents(*rules, options=('--user', user, *options))
        return f'127.0.0.2:{agents.port}'

    def test_auth_protocol(self):
        for mine, theirs in (('SHA', 'SHA-512'), ('SHA-256', 'MD5')):
            host = self.park(f'poller:{theirs}:authority1:AES-128:secrecy123')
            self.mends(*WORDS_3, '-a', mine, '-x', 'AES', host, entry=[f'auth: {theirs}', 'priv: AES'])
            self.assertIn('wrongDigests: ', self.said)

    def test_key_extension(self):
        for mine, theirs in (('AES-256', 'AES-256-C'), ('AES-256-C', 'AES-256'), ('AES-192', 'AES-192-C')):
            host = self.park(f'poller:SHA-1:authority1:{theirs}:secrecy123')
            self.mends(*QUICK, *WORDS_3, '-a', 'SHA', '-x', mine, host, entry=[f'priv: {theirs}', 'auth: SHA'])
            self.assertIn('so user and authentication are right; it is privacy', self.said)

    def test_both_protocols(self):
        host = self.park('poller:SHA-1:authority1:AES-128:secrecy123')
        self.mends(*QUICK, *WORDS_3, '-a', 'MD5', '-x', 'AES-256', host, entry=['auth: SHA', 'priv: AES'])

    def test_wrong_passphrase(self):
        host = self.park('poller:SHA-1:anotherone:AES-128:secrecy123')
        self.says_no_more(*QUICK, *WORDS_3, '-a', 'SHA', '-x', 'AES', host, why='wrongDigests: ')
        self.assertIn('No other protocol helps', self.said)

    def test_wrong_privacy_passphrase(self):
        host = self.park('poller:SHA-1:authority1:AES-128:anotherone')
        self.explain(*QUICK, *WORDS_3, '-a', 'SHA', '-x', 'AES', host, status=1)
        self.assertIn('level: authNoPriv', self.yaml[0])  # works, and says what it costs
        self.assertIn('hidden from who listens', self.said)
        self.feed_back()

    def test_silent_to_what_is_signed(self):
        """That no other protocol helps is said when all were tried."""
        agents = self.agents('*:silent-auth', options=('--user', 'poller:SHA-256:authority1'))
        self.says_no_more(*QUICK, '-v', '3', '-u', 'poller', '-a', 'SHA-256', '-A', SECRETS['SNMP_AUTH_PASS'],
                          f'127.0.0.2:{agents.port}', why='No other protocol helps')
        self.assertIn('cannot check or decrypt it', self.said)
        for protocol in ('SHA', 'MD5', 'SHA-512', 'SHA-224', 'SHA-384'):
            self.assertIn((False, f'authentication {protocol}, the same passphrase: the discovery of its engine is '
                                  'answered, the request is not'), self.steps)

    def test_unknown_user(self):
        host = self.park('somebody:SHA-1:authority1')
        self.says_no_more(*WORDS_3, '-a', 'SHA', '-x', 'AES', host, why='unknownUserNames: ')
        self.assertIn('\nThe user must be made on the agent', self.said)

    def test_level_not_supported(self):
        host = self.park('poller:SHA-1:authority1')
        self.mends(*WORDS_3, '-a', 'SHA', '-x', 'AES', host, entry=['level: authNoPriv'])
        self.assertIn('unsupportedSecLevels: ', self.said)

    def test_level_too_low(self):
        host = self.park('poller:SHA-1:authority1:AES-128:secrecy123', '*:needs=priv')
        self.mends(*WORDS_3, '-a', 'SHA', '-x', 'AES', '-l', 'authNoPriv', host, entry=['level: authPriv'])
        self.assertIn('authorizationError: ', self.said)

    def test_time_window(self):
        host = self.park(poller.USER, '*:window-always')
        self.says_no_more(*QUICK, *poller.V3, host, why='notInTimeWindows: ')
        self.assertIn('\nUser and keys are right. ', self.said)

    def test_decryption(self):
        host = self.park(poller.USER, '*:report=decryptionErrors')
        self.explain(*QUICK, *poller.V3, host, status=1)
        self.assertIn('decryptionErrors: ', self.said)
        self.assertIn('the passphrase of privacy is another', self.said)
        self.assertNotIn('the user or a passphrase', self.said)  # a line above says that the user is right

    def test_reports_that_nothing_mends(self):
        for report, why in (('unknownContexts', 'User and keys are right. '),
                            ('unknownEngineIDs', 'It refuses the very engine ID that it tells')):
            self.says_no_more(*QUICK, *poller.V3, self.park(poller.USER, f'*:report={report}'), why='\n' + why)

    def test_engine_id(self):
        host = self.park(poller.USER)
        self.mends(*QUICK, *poller.V3, '-e', '8000000001020304', host, entry=['engine_id: 80001f88'])

    def test_context(self):
        for rule in ('*:ok', '*:context-report'):
            host = self.park(poller.USER, rule, options=('--context', 'vrf1'))
            self.mends(*QUICK, *poller.V3, '-n', 'vrf2', host, entry=['context: ""'])

    def test_context_that_is_there(self):
        host = self.park(poller.USER, options=('--context', 'vrf1'))
        self.explain(*poller.V3, '-n', 'vrf1', host, status=0)

    @unittest.skipUnless(daemons.SNMPD, 'no snmpd')
    def test_real_agent(self):
        snmpd = daemons.Snmpd('createUser poller SHA authority1 AES secrecy123\nrouser poller priv\n')
        self.addCleanup(snmpd.stop)
        self.mends(*WORDS_3, '-a', 'SHA-256', '-x', 'AES-256', f'127.0.0.1:{snmpd.port}',
                   entry=['auth: SHA', 'priv: AES'])


class Objects(Explain):
    def test_large_answers_are_lost(self):
        agents = self.agents('*:drop-over=200')
        names = [word for n in (1, 3, 4, 5, 6, 1) for word in ('-g', f'1.3.6.1.2.1.1.{n}.0')]
        records = self.mends(*QUICK, *names, f'127.0.0.2:{agents.port}', entry=['get: [1.3.6.1.2.1.1.1.0, '])
        self.assertGreater(len(records), 1)
        self.assertEqual(sum(len(r['vars']) for r in records), 6)
        self.assertRegex(self.said, r'answers of about \d+ octets arrive, those of about \d+ do not')

    def test_instance(self):
        agents = self.agents()
        self.explain('-g', '1.3.6.1.2.1.1.4', f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('it is there as sysContact.0: get: [sysContact.0]', self.said)
        self.assertNotIn('Nothing to mend', self.said)
        self.assertNotIn('command line', self.said)
        self.assertIn('\nThis would mend it:\n', self.said)
        self.assertIn('get: [1.3.6.1.2.1.1.4.0]', self.yaml[0])
        self.assertEqual([v['type'] for v in self.feed_back()[0]['vars']], ['OCTET STRING'])

    def test_one_instance_of_several(self):
        agents = self.agents()
        self.explain('-g', 'sysDescr.0,sysContact,sysName.0', f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('get: [sysDescr.0, sysContact.0, sysName.0]', self.yaml[0])
        self.feed_back()

    def test_what_is_not_there_is_not_mended(self):
        agents = self.agents()
        self.explain('-g', '1.3.6.1.4.1.99999.1.0', f'127.0.0.2:{agents.port}', status=0)
        self.assertEqual(self.yaml, [])
        self.assertIn('Nothing to mend', self.said)

    def test_column(self):
        agents = self.agents('*:rows=3')
        self.explain('-g', 'ifDescr', f'127.0.0.2:{agents.port}', status=0)
        self.assertIn('walk: [ifDescr]', self.said)
        self.assertEqual(len(self.feed_back()[0]['vars']), 3)

    def test_a_column_among_others(self):
        """What is slow as well: one entry for both."""
        agents = self.agents('*:rows=3,late=1500ms')
        text = f'hosts:\n  - {{host: "127.0.0.2:{agents.port}", get: [ifDescr, sysName.0], walk: [ifName], retries: 0}}\n'
        self.explain('-f', self.write('hosts.yaml', text), status=1)
        self.assertRegex(self.yaml[0], r'get: \[sysName.0\], walk: \[ifName, ifDescr\], timeout: \ds')
        self.assertEqual(len(self.feed_back()[0]['vars']), 7)

    @unittest.skipUnless(daemons.SNMPD, 'no snmpd')
    def test_view(self):
        snmpd = daemons.Snmpd('view sys included .1.3.6.1.2.1.1.5\nview none included .1.3.6.1.99\n'
                              'rocommunity sysonly 127.0.0.1 -V sys\nrocommunity nothing 127.0.0.1 -V none\n')
        self.addCleanup(snmpd.stop)
        host = f'127.0.0.1:{snmpd.port}'
        self.explain('-c', 'sysonly', '-g', 'ifNumber.0', host, status=0)
        self.assertIn('the first thing that may is sysName.0', self.said)
        self.explain('-c', 'nothing', '-g', 'ifNumber.0', host, status=0)
        self.assertIn('nothing at all may be seen', self.said)
        self.explain('-c', 'sysonly', '-g', 'sysName.0', host, status=0)
        self.assertNotIn('may be seen', self.said)

    def test_rows_that_do_not_increase(self):
        agents = self.agents('*:rows=3,nonincreasing')
        self.explain(*QUICK, '-w', 'ifTable', f'127.0.0.2:{agents.port}', status=1)
        self.assertIn('malformed', self.said)

    def test_deadline(self):
        agents = self.agents('*:late=700ms')
        self.mends('--set', 'deadline=300ms', f'127.0.0.2:{agents.port}', entry=['deadline: '])

    def test_max_vars(self):
        agents = self.agents('*:rows=50')
        self.mends('--set', 'max_vars=10', '-w', 'ifDescr', f'127.0.0.2:{agents.port}', entry=['max_vars: '])


class Files(Explain):
    def test_entry_keeps_its_keys(self):
        agents = self.agents(options=('--user', 'poller:SHA-1:authority1:AES-256-C:secrecy123'))
        top = ('credentials:\n  core: {version: 3, user: poller, auth: SHA, auth_pass_env: SNMP_AUTH_PASS, '
               'priv: AES-256, priv_pass_env: SNMP_PRIV_PASS}\n'
               'groups:\n  switches: {credential: core, timeout: 300ms, retries: 0}\n')
        text = top + f'hosts:\n  - {{host: "127.0.0.2:{agents.port}", label: core-1, group: switches}}\n'
        self.explain('-f', self.write('hosts.yaml', text), status=1, env={**os.environ, **SECRETS})
        self.assertEqual(self.yaml, [f'- {{host: "127.0.0.2:{agents.port}", label: core-1, group: switches, '
                                     'priv: AES-256-C}'])
        self.assertNotIn('command line', self.said)
        self.feed_back(defaults=top)

    def test_one_host_of_a_file(self):
        agents = self.agents('127.0.0.2:other-address')
        text = ('defaults: {timeout: 200ms, retries: 0}\nhosts:\n  - 192.0.2.1\n'
                f'  - {{host: "127.0.0.2:{agents.port}", label: odd}}\n')
        self.explain('-f', self.write('hosts.yaml', text), 'odd', status=1)
        self.assertEqual(self.yaml, [f'- {{host: "127.0.0.2:{agents.port}", label: odd, any_source: true}}'])
        self.feed_back()


if __name__ == '__main__':
    together.main()

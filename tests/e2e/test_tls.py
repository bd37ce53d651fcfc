#!/usr/bin/env python3
"""DTLS and TLS (RFC 6353) with the Transport Security Model (RFC 5591): a real snmpd over DTLS, whose TLS over TCP
no OpenSSL of today speaks, and agents of the test's own over TCP; who is believed, and who is not."""
import functools
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import ber
import daemons
import poller
import relay
import streams

OPENSSL = poller.have('openssl')
TLS = os.environ.get('WITH_TLS') != 'no'
SYS_NAME, ENGINE = '1.3.6.1.2.1.1.5.0', '1.3.6.1.6.3.10.2.1.1.0'
LOCAL_ENGINE = bytes.fromhex('8000000006')  # RFC 5343
AGENT_ENGINE = bytes.fromhex('80001f888004656e67')
AUTH_PRIV = 3


class Certificates:
    """Self-signed, each NAME.crt with NAME.key in the folders of Net-SNMP's store, NAME.pem with both beside
    them. That of `agent` holds the name localhost and 127.0.0.1; snmpd knows all but `stranger`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='multisnmp-test.')
        for kind in ('certs', 'private'):
            os.makedirs(self.path('tls', kind))
        for name in ('agent', 'poller', 'unmapped', 'stranger'):
            self.make(name)
        for kind in ('certs/stranger.crt', 'private/stranger.key'):
            os.rename(self.path('tls', kind), self.path(os.path.basename(kind)))

    def make(self, name):
        subprocess.run([OPENSSL, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                        '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', self.key(name),
                        '-out', self.cert(name)], check=True, capture_output=True)
        with open(self.path(f'{name}.pem'), 'w', encoding='ascii', opener=private) as both:
            for path in (self.cert(name), self.key(name)):
                with open(path, encoding='ascii') as f:
                    both.write(f.read())

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def cert(self, name):
        return self.path('tls', 'certs', f'{name}.crt')

    def key(self, name):
        return self.path('tls', 'private', f'{name}.key')

    def fingerprint(self, name):
        run = subprocess.run([OPENSSL, 'x509', '-in', self.cert(name), '-noout', '-fingerprint', '-sha256'], check=True,
                             capture_output=True, text=True)
        return run.stdout.split('=')[1].strip()


def private(path, flags):
    return os.open(path, flags, 0o600)


@functools.cache
def certificates():
    made = Certificates()
    unittest.addModuleCleanup(shutil.rmtree, made.folder)
    return made


class Snmpd(daemons.Snmpd):
    """Debian's, on DTLS too; its store is a copy of the certificates."""

    def command(self):
        shutil.copytree(certificates().path('tls'), self.path('tls'), dirs_exist_ok=True)
        self.secure = poller.free_port()
        self.lines = ('certSecName 10 poller --sn tester\nrouser -s tsm tester authPriv\n'
                      'rocommunity public 127.0.0.1\n[snmp] localCert agent\n')
        self.more = [f'dtlsudp:127.0.0.1:{self.secure}']
        return super().command()


def who(identity='poller', **keys):
    """The words of the command line that say who asks whom."""
    made = certificates()
    keys = {'identity': made.path(f'{identity}.pem'), 'peer_identity': made.cert('agent'), **keys}
    return [word for key, value in keys.items() if value for word in ('--set', f'{key}={value}')]


class EveryOther:
    """Passes every other datagram of the handshake on the way `there` or `back`, and all else."""

    def __init__(self, way):
        self.way, self.lost, self.seen = way, 0, 0

    def __call__(self, way, data):
        if way != self.way or data[0] == 23:  # application data
            return True
        self.seen += 1
        self.lost += self.seen % 2
        return self.seen % 2 == 0


@unittest.skipUnless(TLS and daemons.SNMPD and OPENSSL, 'a build without TLS, or snmpd or openssl is not installed')
class RealAgent(poller.Poll):
    @classmethod
    def setUpClass(cls):
        cls.snmpd = Snmpd('')
        cls.udp = f'127.0.0.1:{cls.snmpd.port}'
        cls.target = f'dtlsudp:127.0.0.1:{cls.snmpd.secure}'

    @classmethod
    def tearDownClass(cls):
        cls.snmpd.stop()

    def test_get(self):
        """The same as over UDP."""
        objects = [word for n in (1, 2, 4, 5, 6) for word in ('-g', f'1.3.6.1.2.1.1.{n}.0')]
        wanted = self.one('-v', '2c', *objects, self.udp)['vars']
        record = self.one(*who(), *objects, self.target)
        self.assertEqual((record['vars'], record['host'], record['tries']), (wanted, self.target, 1))
        self.assertEqual(self.stderr, '')
        self.assertEqual(self.one(*who(), '-v', '3', self.target)['status'], 'ok')

    def test_walk(self):
        words = ['--set', 'max_repetitions=20', '-w', '1.3.6.1.2.1.1.9', '-w', '1.3.6.1.6.3.16', '-w', '1.3.6.1.2.1.88']
        rows = [[(v['oid'], v['type']) for v in self.one(*more, *words, target)['vars']]
                for more, target in ((['-v', '2c'], self.udp), (who(), self.target))]
        self.assertEqual(*rows)
        self.assertGreater(len(rows[0]), 60)

    def test_whole_mib(self):
        """Thousands of rows in large answers."""
        counts = [len(self.one(*more, '--set', 'max_repetitions=100', '-w', '1.3.6.1.2.1', target)['vars'])
                  for more, target in ((['-v', '2c'], self.udp), (who(), self.target))]
        self.assertGreater(min(counts), 1000)
        self.assertLess(max(counts) - min(counts), 200)  # it moves

    def test_ways_to_know_the_agent(self):
        made = certificates()
        fingerprint, authority = made.fingerprint('agent'), {'peer_identity': None, 'peer_ca': made.cert('agent')}
        name = f'dtls:localhost:{self.snmpd.secure}'
        for keys, target in (({'peer_identity': fingerprint}, self.target),
                             ({'peer_identity': 'SHA256:' + fingerprint.replace(':', '').lower()}, self.target),
                             (authority, self.target), ({**authority, 'peer_name': 'localhost'}, name),
                             ({**authority, 'peer_name': '127.0.0.1'}, name), (authority, name)):
            with self.subTest(keys=keys, target=target):
                self.assertEqual(self.one('-4', *who(**keys), target)['status'], 'ok')

    def test_yaml(self):
        """Paths are relative to the file; the user that `defaults` name is for the others."""
        made = certificates()
        for source, name in ((made.cert('poller'), 'us.crt'), (made.key('poller'), 'us.key'),
                             (made.cert('agent'), 'agent.crt')):
            shutil.copy(source, self.path(name))
        path = self.write('hosts.yaml', f'''
defaults: {{port: {self.snmpd.port}, get: [sysName.0]}}
credentials:
  certificate: {{identity: us.crt, identity_key: us.key, peer_identity: agent.crt}}
hosts:
  - {{host: "dtlsudp:127.0.0.1:{self.snmpd.secure}", credential: certificate, label: secure}}
  - 127.0.0.1
''')
        records = {r['host'] or r['address']: r for r in self.poll('-f', path, cwd='/')}
        self.assertEqual(records['secure']['vars'], records['127.0.0.1']['vars'])

    def test_lost_flights(self):
        """Every datagram of the handshake is lost once, on one of the two ways: it is sent again."""
        for way in ('there', 'back'):
            passes = EveryOther(way)
            with self.subTest(way=way), relay.Between(self.snmpd.secure, passes) as between:
                record = self.one(*who(), '-t', '10s', '-r', '0', f'dtlsudp:127.0.0.1:{between.port}')
                self.assertEqual(record['status'], 'ok')
                self.assertGreater(passes.lost, 1)

    def test_engine_id_pinned(self):
        """Then nobody is asked for it."""
        self.assertEqual(self.one(*who(), '-e', '8000000006', '-g', ENGINE, self.target)['status'], 'ok')

    def test_our_certificate_maps_to_nobody(self):
        record = self.one(*who('unmapped'), '-t', '200ms', '-r', '1', self.target, status=1)
        self.assertEqual(record['status'], 'timeout')
        self.assertIn("does the agent map the certificate of 'identity' to a user?", record['message'])

    def test_plain_udp_is_no_answer(self):
        """An agent without DTLS at the port."""
        record = self.one(*who(), '-t', '200ms', '-r', '1', f'dtlsudp:{self.udp}', status=1)
        self.assertEqual(record['status'], 'timeout')
        self.assertIn('the DTLS handshake was not answered in time', record['message'])


@unittest.skipUnless(TLS and daemons.SNMPD and OPENSSL, 'a build without TLS, or snmpd or openssl is not installed')
class Refusals(poller.Poll):
    """Each with an snmpd of its own: 5.9.3 answers nobody for a while after a handshake that was broken off."""

    def setUp(self):
        super().setUp()
        self.snmpd = Snmpd('')
        self.addCleanup(self.snmpd.stop)
        self.target = f'dtlsudp:127.0.0.1:{self.snmpd.secure}'

    def refused(self, *words):
        record = self.one(*words, '-t', '1s', '-r', '1', self.target, status=1)
        self.assertEqual((record['status'], record['vars']), ('auth', []))
        return record['message']

    def test_another_certificate(self):
        self.assertIn("the agent's certificate is not the one of peer_identity",
                      self.refused(*who(peer_identity=certificates().cert('poller'))))

    def test_another_name(self):
        ca = certificates().cert('agent')
        self.assertIn('nor good by peer_ca and peer_name',
                      self.refused(*who(peer_identity=None, peer_ca=ca, peer_name='core.example')))

    def test_another_authority(self):
        self.assertIn('nor good by peer_ca',
                      self.refused(*who(peer_identity=None, peer_ca=certificates().cert('poller'))))

    def test_our_certificate_is_unknown(self):
        """This agent does not say so."""
        record = self.one(*who('stranger'), '-t', '500ms', '-r', '1', self.target, status=1)
        self.assertEqual((record['status'], record['vars']), ('timeout', []))
        self.assertIn('our certificate known there', record['message'])


# ---- agents of the test's own


class Request4:
    """What a message of the Transport Security Model says; refuses all else."""

    def __init__(self, data):
        (_, body), = ber.split(data)
        (_, version), (_, head), (_, parameters), (tag, scoped) = ber.split(body)
        (_, msg_id), _, (_, flags), (_, model) = ber.split(head)
        assert (version, model, parameters, tag, flags[0] & 3) == (b'\3', b'\4', b'', 0x30, AUTH_PRIV), data
        (_, self.engine), (_, self.context), (self.pdu, pdu) = ber.split(scoped)
        (_, request_id), _, (_, index), (_, rows) = ber.split(pdu)
        self.version, self.msg_id, self.id = 3, msg_id, request_id
        self.repetitions = int.from_bytes(index, 'big') if self.pdu == ber.GETBULK else 1
        self.names = [ber.dotted(ber.split(row)[0][1]) for _, row in ber.split(rows)]

    def response(self, varbinds, level=AUTH_PRIV, pdu=ber.RESPONSE):
        rows = b''.join(ber.tlv(0x30, ber.tlv(6, ber.oid_octets(oid)) + ber.tlv(*value)) for oid, value in varbinds)
        body = ber.tlv(2, self.id) + ber.tlv(2, b'\0') * 2 + ber.tlv(0x30, rows)
        scoped = ber.tlv(4, self.engine) + ber.tlv(4, self.context) + ber.tlv(pdu, body)
        head = ber.tlv(2, self.msg_id) + ber.tlv(2, b'\5\xdc') + ber.tlv(4, bytes([level])) + ber.tlv(2, b'\4')
        return ber.tlv(0x30, ber.tlv(2, b'\3') + ber.tlv(0x30, head) + ber.tlv(4, b'') + ber.tlv(0x30, scoped))


MIB = {f'1.3.6.1.2.1.1.{n}.0': ber.string(f'object {n} ' + 'x' * 500) for n in range(1, 200)}


def answer(request):
    if request.engine == LOCAL_ENGINE:
        return request.response([(ENGINE, ber.string(AGENT_ENGINE))])
    assert request.engine == AGENT_ENGINE
    return ber.Tree(MIB).answer(request)


def agent(reply=answer, version=None, address='127.0.0.1', once=False):
    """A TLS agent that answers with reply(request) who has the certificate of `poller`; once: then hangs up."""
    made = certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.path('agent.pem'))
    context.load_verify_locations(made.cert('poller'))
    context.verify_mode = ssl.CERT_REQUIRED
    if version:
        context.maximum_version = version

    def serve(connection, number):
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.settimeout(poller.LONG)
                while data := streams.read_message(tls):
                    tls.sendall(reply(Request4(data)))
                    if once:
                        tls.unwrap()
                        break
        except ssl.SSLError:
            pass  # the poller's record tells

    listener = streams.Streams(serve, (address, 0), backlog=100)
    listener.target = listener.target.replace('tcp:', 'tlstcp:')
    return listener


@unittest.skipUnless(TLS and OPENSSL, 'a build without TLS, or openssl is not installed')
class OverTcp(poller.Poll):
    VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

    def test_get_and_walk(self):
        for version in self.VERSIONS:
            with self.subTest(version=version), agent(version=version) as a:
                record = self.one(*who(), '-g', SYS_NAME, a.target)
                self.assertEqual([v['value'] for v in record['vars']], ['object 5 ' + 'x' * 500])
                rows = self.one(*who(), '--set', 'max_repetitions=50', '-w', '1.3.6.1.2.1.1', a.target)['vars']
                self.assertEqual(len(rows), 199)
                self.assertEqual(len(a.connections), 2)

    def test_many(self):
        """Over DTLS snmpd 5.9.3 loses handshakes that come together, those of its own tools too."""
        with agent() as a:
            path = self.write('targets', f'{a.target}\n' * 100)
            records = self.poll(*who(), '-t', '10s', '--targets', path)
            self.assertEqual([r['status'] for r in records], ['ok'] * 100)
            self.assertEqual(len(a.connections), 100)

    def test_our_certificate_is_refused(self):
        """In TLS 1.3 it is refused after the handshake."""
        for version in self.VERSIONS:
            with self.subTest(version=version), agent(version=version) as a:
                record = self.one(*who('stranger'), a.target, status=1)
                self.assertEqual((record['status'], record['message']),
                                 ('auth', 'the agent refuses the certificate of identity'))

    def test_another_agent(self):
        for version in self.VERSIONS:
            with self.subTest(version=version), agent(version=version) as a:
                for keys in ({'peer_identity': certificates().cert('poller')}, {'peer_identity': '00' * 32},
                             {'peer_identity': None, 'peer_ca': certificates().cert('agent'), 'peer_name': 'a.example'}):
                    record = self.one(*who(**keys), a.target, status=1)
                    self.assertEqual((record['status'], record['vars']), ('auth', []))

    def test_another_address(self):
        """The certificate is good, and for 127.0.0.1."""
        authority = {'peer_identity': None, 'peer_ca': certificates().cert('agent')}
        with agent(address='127.0.0.2') as a:
            self.assertEqual(self.one(*who(**authority), a.target, status=1)['status'], 'auth')
            self.assertEqual(self.one(*who(**authority, peer_name='localhost'), a.target)['status'], 'ok')

    def test_hangs_up_after_each_answer(self):
        """As over plain TCP, a question that is on its way meanwhile is lost, and the next try connects again."""
        for version in self.VERSIONS:
            with self.subTest(version=version), agent(version=version, once=True) as a:
                record = self.one(*who(), '-t', '500ms', '-r', '5', '-g', SYS_NAME, a.target)
                self.assertEqual((record['status'], len(a.connections)), ('ok', 2))
                self.assertLessEqual(record['tries'], 2)

    def test_downgrade(self):
        """An answer that says less than authPriv is none, even over this connection."""
        def lower(request):
            if request.engine == LOCAL_ENGINE:
                return answer(request)
            return request.response([(SYS_NAME, ber.string('forged'))], level=0)

        with agent(lower) as a:
            record = self.one(*who(), '-t', '200ms', '-r', '0', '-g', SYS_NAME, a.target, status=1)
        self.assertEqual((record['status'], record['vars']), ('timeout', []))
        self.assertIn('its security level is below the one asked for', record['message'])

    def test_unknown_context(self):
        def unknown(request):
            if request.engine == LOCAL_ENGINE:
                return answer(request)
            return request.response([('1.3.6.1.6.3.12.1.5.0', ber.counter32(1))], pdu=ber.REPORT)

        with agent(unknown) as a:
            record = self.one(*who(), '-n', 'nobody', a.target, status=1)
        self.assertEqual((record['status'], record['message']), 
                         ('error', "unknown context (snmpUnknownContexts): the agent has no 'nobody'"))

    def test_old_versions_are_refused(self):
        """Neither TLS 1.1 nor a server without any TLS gets an SNMP message."""
        def old(connection, number):
            heard.append(connection.recv(65536)[:1])
            connection.sendall(b'\x15\x03\x01\x00\x02\x02\x46')  # alert: protocol_version

        def plain(connection, number):
            heard.append(connection.recv(65536)[:1])
            connection.sendall(ber.message(1, b'public', ber.RESPONSE, 1, 0, 0, []))

        for serve in (old, plain):
            heard = []
            with self.subTest(serve=serve.__name__), streams.Streams(serve) as a:
                record = self.one(*who(), a.target.replace('tcp:', 'tlstcp:'), status=1)
                self.assertEqual(record['status'], 'unreachable')
                self.assertIn('no TLS handshake', record['message'])
                self.assertEqual(heard, [b'\x16'])

    def test_handshake_is_part_of_the_wait(self):
        with streams.Streams(streams.never) as a:
            start = time.monotonic()
            record = self.one(*who(), '-t', '300ms', '-r', '1', a.target.replace('tcp:', 'tlstcp:'), status=1)
            took = time.monotonic() - start
        self.assertEqual(record['status'], 'timeout')
        self.assertGreaterEqual(took, 0.9)
        self.assertLess(took, 3)

    def test_closed_in_the_handshake(self):
        with streams.Streams(lambda connection, number: None) as a:
            record = self.one(*who(), a.target.replace('tcp:', 'tlstcp:'), status=1)
        self.assertEqual(record['status'], 'unreachable')


@unittest.skipUnless(TLS and OPENSSL, 'a build without TLS, or openssl is not installed')
class Nobody(poller.Poll):
    def test_silent(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            start = time.monotonic()
            record = self.one(*who(), '-t', '300ms', '-r', '1', f'dtlsudp:127.0.0.1:{s.getsockname()[1]}', status=1)
        self.assertEqual(record['status'], 'timeout')
        self.assertIn('the DTLS handshake was not answered in time', record['message'])
        self.assertLess(time.monotonic() - start, 3)

    def test_nothing_listens(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        record = self.one(*who(), f'dtlsudp:127.0.0.1:{port}', status=1)
        self.assertEqual(record['status'], 'unreachable')

    def test_default_port(self):
        run = self.run_poller(*who(), '-t', '10ms', '-r', '0', '-F', 'jsonl', 'tlstcp:127.0.0.77')
        self.assertIn('"127.0.0.77:10161"', run.stdout)

    def test_mistakes(self):
        """Told before anything is polled."""
        made = certificates()
        locked = self.path('locked.key')
        subprocess.run([OPENSSL, 'rsa', '-aes256', '-passout', 'pass:secret', '-in', made.key('poller'), '-out', locked],
                       check=True, capture_output=True)
        target, empty = 'dtlsudp:127.0.0.1', self.write('empty', '')
        for words, said in (
                ([], "need 'identity'"),
                (who(peer_identity=None), "need 'peer_identity' or 'peer_ca'"),
                ([*who(), '-v', '2c'], 'it is 3'),
                (who(identity_key=made.key('agent')), 'it is not the key of the certificate'),
                (who(identity_key=locked), 'no private key (PEM, without a passphrase)'),
                (who(identity='absent'), 'No such file or directory'),
                (who(peer_identity='12:34'), 'neither 64 hexadecimal digits'),
                (who(peer_identity=empty), 'neither 64 hexadecimal digits'),
                (who(peer_ca=empty), 'no certificates (PEM)')):
            with self.subTest(said=said):
                run = self.run_poller(*words, target)
                self.assertEqual((run.returncode, run.stdout), (2, ''))
                self.assertIn(said, run.stderr)

    def test_open_key(self):
        """A key that everybody may read is told, once."""
        made = certificates()
        path = self.write('open.pem', '')
        shutil.copy(made.path('poller.pem'), path)
        os.chmod(path, 0o644)
        run = self.run_poller(*who(identity_key=path), '--check', 'tlstcp:127.0.0.1', 'dtlsudp:127.0.0.1')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stderr.count('holds a private key and is readable by everyone'), 1)
        self.assertIn('by certificate, the agent known by its fingerprint', run.stdout)


@unittest.skipIf(TLS, 'a build with TLS')
class Without(poller.Poll):
    def test_refused_before_anything_is_polled(self):
        for target in ('tlstcp:127.0.0.1', 'dtlsudp:127.0.0.1'):
            run = self.run_poller('--set', f'identity={__file__}', '--set', f'peer_identity={"ab" * 32}', target)
            self.assertEqual((run.returncode, run.stdout), (2, ''))
            self.assertIn('configured without OpenSSL', run.stderr)


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""SNMPv3 of the simulated agents (tests/agent/): right answers, Reports, and lies.

Authenticated messages are written and read here by the RFCs, with Python's own HMAC; what needs a cipher is
asked by Net-SNMP's tools.

SNMP_AGENTS names the program (default ./snmp-agents). Skipped where it was built without libcrypto.
"""
import functools
import hashlib
import hmac
import os
import random
import shutil
import socket
import subprocess
import tempfile
import unittest

from park import (AGENTS, DESCR, GET, GETBULK, GETNEXT, IF, IFX, INTEGER, NAME, OCTETS, REPORT, RESPONSE, SET, SILENCE,
                  SYSTEM, TIMETICKS, TOO_BIG, dotted, integer, oid, park, plain, split, tlv, Shared)

UPTIME = SYSTEM + '3.0'
AUTHORIZATION_ERROR = 16
LEVEL_AUTH, LEVEL_PRIV, REPORTABLE = 1, 2, 4
USM_STATS = '1.3.6.1.6.3.15.1.1.'
REPORTS = {'unsupportedSecLevels': USM_STATS + '1.0', 'notInTimeWindows': USM_STATS + '2.0',
           'unknownUserNames': USM_STATS + '3.0', 'unknownEngineIDs': USM_STATS + '4.0', 'wrongDigests': USM_STATS + '5.0', 'decryptionErrors': USM_STATS + '6.0',
           'unknownSecurityModels': '1.3.6.1.6.3.11.2.1.1.0', 'invalidMsgs': '1.3.6.1.6.3.11.2.1.2.0',
           'unknownPDUHandlers': '1.3.6.1.6.3.11.2.1.3.0', 'unavailableContexts': '1.3.6.1.6.3.12.1.4.0',
           'unknownContexts': '1.3.6.1.6.3.12.1.5.0', 'other': USM_STATS + '99.0'}

AUTHS = ('MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512')
PRIVS = ('DES', 'AES-128', 'AES-192', 'AES-256', 'AES-192-C', 'AES-256-C')
AUTH_PASS, PRIV_PASS = 'authority1', 'secrecy123'


def setUpModule():
    run = subprocess.run([AGENTS, '--user', f'x:SHA-256:{AUTH_PASS}', '--stop-after', '0'], capture_output=True, text=True,
                         timeout=60)
    if run.returncode == 2:
        raise unittest.SkipTest('the agents were built without libcrypto: ' + run.stderr)


def users(*pairs):
    """Options for users named after their protocols, and one without any."""
    words = ['--user', 'guest']
    for auth, priv in pairs:
        words += ['--user', f'{auth}{priv or ""}:{auth}:{AUTH_PASS}' + (f':{priv}:{PRIV_PASS}' if priv else '')]
    return words


def have_des():
    run = subprocess.run([AGENTS, *users(('MD5', 'DES')), '--stop-after', '0'], capture_output=True, timeout=60)
    return run.returncode == 0


def run_tool(tool, port, *words, address='127.0.0.1'):
    environment = dict(os.environ, MIBS='', SNMP_PERSISTENT_DIR='/dev/null', SNMPCONFPATH='/dev/null')
    run = subprocess.run([tool, '-v3', '-On', '-r', '0', '-t', '5', *words[:-1], f'{address}:{port}', words[-1]],
                         env=environment, capture_output=True, text=True, timeout=60)
    return run.stdout + run.stderr


def level_words(auth, priv):
    """How Net-SNMP's tools are told who asks."""
    if not auth:
        return ['-u', 'guest', '-l', 'noAuthNoPriv']
    words = ['-u', f'{auth}{priv or ""}', '-a', auth.replace('SHA-1', 'SHA'), '-A', AUTH_PASS]
    return [*words, '-l', 'authPriv', '-x', priv, '-X', PRIV_PASS] if priv else [*words, '-l', 'authNoPriv']


class Pairs(Shared):
    """All pairs of protocols, against Net-SNMP's tools."""
    PAIRS = [(auth, priv) for auth in AUTHS for priv in (None, *PRIVS)]

    @classmethod
    def setUpClass(cls):
        if not (shutil.which('snmpget') and shutil.which('snmpbulkwalk')):
            raise unittest.SkipTest("Net-SNMP's tools are not installed")
        if not have_des():
            cls.PAIRS = [pair for pair in cls.PAIRS if pair[1] != 'DES']
        cls.OPTIONS = users(*cls.PAIRS)
        super().setUpClass()

    def test_every_pair(self):
        for n, pair in enumerate([(None, None), *self.PAIRS]):
            with self.subTest(pair=pair):
                out = run_tool('snmpget', self.park.port, *level_words(*pair), NAME, address=f'127.0.2.{n}')
                if 'not supported' in out or 'Invalid privacy protocol' in out:
                    self.skipTest(f'Net-SNMP was built without {pair}')
                self.assertEqual(out, f'.{NAME} = STRING: "agent-127-0-2-{n}"\n')

    def test_walk(self):
        wanted = [row[0] for row in self.park.walk()]
        out = run_tool('snmpbulkwalk', self.park.port, *level_words('SHA-256', 'AES-128'), '-Cr25', '.1.3')
        names = [line.split(' = ')[0][1:] for line in out.splitlines() if ' = ' in line and 'No more' not in line]
        self.assertEqual(names, wanted)
        self.assertIn(f'{IFX}6.1', names)
        self.assertIn(f'{IF}1.1', names)



# ---- SNMPv3 of our own, without privacy

HASHES = {'MD5': ('md5', 12), 'SHA-1': ('sha1', 12), 'SHA-256': ('sha256', 24)}  # name, octets on the wire


@functools.lru_cache
def stretched(name, passphrase):
    return hashlib.new(name, (passphrase.encode() * (1048576 // len(passphrase) + 1))[:1048576]).digest()


def localised(auth, passphrase, engine):
    """RFC 3414 A.2"""
    name = HASHES[auth][0]
    ku = stretched(name, passphrase)
    return hashlib.new(name, ku + engine + ku).digest()


def engine_of(address):
    """README.md"""
    octets = bytes(map(int, address.split('.')))
    tail = (b'\5' + octets + octets, b'\1' + octets, b'\3\2\xff' + octets)[octets[3] % 3]
    return b'\x80\0\x1f\x88' + tail


class Answer3:
    """A message as it came. `scoped` is False where it is ciphered."""

    def __init__(self, data, source=None):
        self.data, self.source = data, source
        (_, body), = split(data)
        (_, self.version), (_, head), (_, security), (tag, data) = split(body)
        (_, msg_id), (_, self.max_size), (_, flags), (_, self.model) = split(head)
        self.msg_id, self.flags = plain(INTEGER, msg_id), flags[0]
        (_, security), = split(security)
        (_, self.engine), (_, boots), (_, time), (_, self.user), (_, self.digest), (_, self.salt) = split(security)
        self.boots, self.time = plain(INTEGER, boots), plain(INTEGER, time)
        self.scoped = tag == 0x30
        self.varbinds = []
        if self.scoped:
            self.read_scoped(data)

    def read_scoped(self, data):
        (_, self.context_engine), (_, self.context), (self.pdu, pdu) = split(data)
        (_, pdu_id), (_, status), (_, index), (_, varbinds) = split(pdu)
        self.id, self.status, self.index = plain(INTEGER, pdu_id), plain(INTEGER, status), plain(INTEGER, index)
        for _, varbind in split(varbinds):
            (_, name), (tag, value) = split(varbind)
            self.varbinds.append((dotted(name), tag, plain(tag, value)))

    def is_signed(self, auth, passphrase, engine=None):
        key = localised(auth, passphrase, self.engine if engine is None else engine)
        blank = self.data.replace(self.digest, bytes(len(self.digest)), 1)
        made = hmac.new(key, blank, HASHES[auth][0]).digest()
        return len(self.digest) > 0 and self.digest == made[:len(self.digest)]


class Asker:
    """Asks one agent: discovers its engine, keeps what it says of boots and time if told so."""

    def __init__(self, running, address, auth='SHA-256', user=None, passphrase=AUTH_PASS):
        self.park, self.address, self.auth, self.passphrase = running, address, auth, passphrase
        self.user = user if user is not None else (auth if auth else 'guest')
        self.engine, self.boots, self.time, self.key = b'', 0, 0, b''

    def discover(self):
        answer = self.exchange(user='', flags=REPORTABLE, engine=b'', boots=0, time=0)
        self.learn(answer)
        return answer

    def learn(self, answer):
        self.engine, self.boots, self.time = answer.engine, answer.boots, answer.time
        self.key = localised(self.auth, self.passphrase, self.engine) if self.auth else b''

    def message(self, pdu=GET, names=(NAME,), msg_id=815, request_id=4711, **other):
        get = lambda word, usual: other.get(word, usual)
        flags = get('flags', REPORTABLE | (LEVEL_AUTH if self.auth else 0))
        varbinds = b''.join(tlv(0x30, oid(name) + b'\5\0') for name in names)
        body = integer(request_id) + integer(get('status', 0)) + integer(get('index', 0)) + tlv(0x30, varbinds)
        scoped = tlv(0x30, tlv(OCTETS, get('engine', self.engine)) + tlv(OCTETS, get('context', b'')) + tlv(pdu, body))
        size = HASHES[self.auth][1] if flags & LEVEL_AUTH else 0
        digest = b'\xdd' * size
        build = lambda digest: tlv(0x30, integer(3) + tlv(0x30, b''.join((
            integer(msg_id), integer(get('max_size', 65507)), tlv(OCTETS, get('flag_octets', bytes([flags]))), integer(get('model', 3))))) +
            tlv(OCTETS, tlv(0x30, b''.join((
                tlv(OCTETS, get('engine', self.engine)), integer(get('boots', self.boots)), integer(get('time', self.time)),
                tlv(OCTETS, get('user', self.user).encode()), tlv(OCTETS, digest), tlv(OCTETS, get('salt', b'')))))) +
            get('data', scoped))
        if size:
            digest = hmac.new(self.key, build(bytes(size)), HASHES[self.auth][0]).digest()[:size]
        return build(get('digest', digest))

    def send(self, *arguments, **fields):
        self.park.send(self.address, self.message(*arguments, **fields))

    def exchange(self, *arguments, **fields):
        self.send(*arguments, **fields)
        return Answer3(*self.park.receive())

    def is_silent(self, *arguments, **fields):
        self.send(*arguments, **fields)
        return self.park.receive(SILENCE) is None


def asker(running, address, auth='SHA-256', **who):
    found = Asker(running, address, auth, **who)
    found.discover()
    return found


class Case(Shared):
    def assert_report(self, answer, name, signed=False):
        self.assertEqual((answer.pdu, answer.varbinds[0][0]), (REPORT, REPORTS[name]))
        self.assertEqual(answer.varbinds[0][1], 0x41)
        self.assertEqual(bool(answer.flags & LEVEL_AUTH), signed)
        if signed:
            self.assertTrue(answer.is_signed('SHA-256', AUTH_PASS))

    def assert_right(self, answer, address, level=LEVEL_AUTH):
        self.assertEqual((answer.pdu, answer.status, answer.flags), (RESPONSE, 0, level))
        self.assertEqual(answer.varbinds[0][2].decode(), 'agent-' + address.replace('.', '-'))
        if level:
            self.assertTrue(answer.is_signed('SHA-256', AUTH_PASS))


class Engine(Case):
    """RFC 3414 §3.2, step by step."""
    OPTIONS = (*users(('MD5', None), ('SHA-1', None), ('SHA-256', None), ('SHA-256', 'AES-128')), '--context', 'vrf1', '--context', 'x' * 40)

    def test_discovery(self):
        for address in ('127.0.0.1', '127.0.0.2', '127.0.0.3'):
            engine = engine_of(address)
            ask = Asker(self.park, address, auth=None)
            for user in ('', 'SHA-256', 'nobody'):
                answer = ask.exchange(user=user, engine=b'')
                self.assert_report(answer, 'unknownEngineIDs')
                self.assertEqual(answer.engine, engine)
                self.assertEqual(answer.context_engine, answer.engine)
                self.assertEqual((answer.version, answer.model), (b'\3', b'\3'))
                self.assertEqual((answer.msg_id, answer.id, answer.boots), (815, 4711, 1))
                self.assertTrue(0 <= answer.time < 600)
                self.assertEqual((answer.user, answer.digest, answer.salt), (user.encode(), b'', b''))

    def test_report_counts(self):
        ask = Asker(self.park, '127.0.0.1', auth=None)
        before = ask.exchange(engine=b'').varbinds[0][2]
        self.assertEqual(ask.exchange(engine=b'').varbinds[0][2], before + 1)

    def test_ipv6_engine(self):
        with park('--user', 'guest') as p:
            p.speak_v6(self)
            ask = Asker(p, '::1', auth=None)
            self.assertEqual(ask.discover().engine.hex(), '80001f8802' + '00' * 15 + '01')

    def test_answers_of_every_hash(self):
        for auth in ('MD5', 'SHA-1', 'SHA-256'):
            ask = asker(self.park, '127.0.0.5', auth)
            answer = ask.exchange(names=[NAME, UPTIME], request_id=-77, msg_id=2**31 - 1)
            self.assertEqual((answer.msg_id, answer.id, answer.engine, answer.context), (2**31 - 1, -77, ask.engine, b''))
            self.assertEqual((answer.flags, answer.user.decode()), (LEVEL_AUTH, auth))
            self.assertEqual([row[1] for row in answer.varbinds], [OCTETS, TIMETICKS])
            self.assertTrue(answer.is_signed(auth, AUTH_PASS))

    def test_a_thousand_engines(self):
        """More than their keys' table holds apart: who shares a place in it gets his own keys all the same."""
        addresses = [f'127.3.{n // 200}.{n % 200}' for n in range(1000)]
        askers = [asker(self.park, address) for address in addresses]
        for _ in range(2):
            for ask in askers:
                self.assert_right(ask.exchange(), ask.address)

    def test_lower_levels_are_answered(self):
        guest = asker(self.park, '127.0.0.6', None)
        self.assert_right(guest.exchange(), '127.0.0.6', level=0)
        self.assert_right(guest.exchange(user='SHA-256AES-128'), '127.0.0.6', level=0)
        self.assert_right(asker(self.park, '127.0.0.6', user='SHA-256AES-128').exchange(), '127.0.0.6')

    def test_walk_and_set(self):
        ask = asker(self.park, '127.0.0.7')
        rows = ask.exchange(GETBULK, [IF + '1', IF + '2'], index=2).varbinds
        self.assertEqual([row[0] for row in rows], [IF + '1.1', IF + '2.1', IF + '1.2', IF + '2.2'])
        self.assertEqual(ask.exchange(GETNEXT, [NAME]).varbinds[0][0], SYSTEM + '6.0')
        self.assertEqual(ask.exchange(SET, [NAME]).status, 17)
        self.assertTrue(ask.is_silent(RESPONSE))

    def test_size_that_was_asked_for(self):
        ask = asker(self.park, '127.0.0.7')
        for size in (484, 600, 1400):
            answer = ask.exchange(GETBULK, [DESCR], index=100, max_size=size)
            self.assertTrue(size - 150 < len(answer.data) <= size, (size, len(answer.data)))
        self.assert_right(ask.exchange(max_size=1), '127.0.0.7')  # less than 484 is not allowed
        answer = ask.exchange(GET, [DESCR] * 20, max_size=484)
        self.assertEqual((answer.status, answer.varbinds), (TOO_BIG, []))

    def test_unknown_engine(self):
        ask = asker(self.park, '127.0.0.8')
        for engine in (b'', ask.engine + b'x', ask.engine[:-1], b'\x80\0\x1f\x88\x05other'):
            self.assert_report(ask.exchange(engine=engine), 'unknownEngineIDs')

    def test_unknown_user(self):
        ask = asker(self.park, '127.0.0.8')
        self.assert_report(ask.exchange(user='nobody'), 'unknownUserNames')
        self.assert_report(asker(self.park, '127.0.0.8', None).exchange(user=''), 'unknownUserNames')

    def test_level_too_high(self):
        ask = asker(self.park, '127.0.0.8')
        self.assert_report(ask.exchange(user='guest'), 'unsupportedSecLevels')
        self.assert_report(ask.exchange(flags=7, salt=b'12345678'), 'unsupportedSecLevels')

    def test_wrong_digest(self):
        ask = asker(self.park, '127.0.0.8')
        for digest in (b'', bytes(24), bytes(12), bytes(25)):
            self.assert_report(ask.exchange(digest=digest), 'wrongDigests')
        self.assert_report(asker(self.park, '127.0.0.8', passphrase='other-words').exchange(), 'wrongDigests')
        for size in (1, 12, 25):  # right as far as they go
            made = hmac.new(ask.key, ask.message(digest=bytes(size)), 'sha256').digest()[:min(size, 24)]
            self.assert_report(ask.exchange(digest=made.ljust(size, b'\0')), 'wrongDigests')
        self.assert_right(ask.exchange(), '127.0.0.8')

    def test_window(self):
        ask = asker(self.park, '127.0.0.8')
        for boots, time in ((ask.boots + 1, ask.time), (ask.boots - 1, ask.time), (ask.boots, ask.time + 160)):
            answer = ask.exchange(boots=boots, time=time)
            self.assert_report(answer, 'notInTimeWindows', signed=True)
            self.assertEqual(answer.boots, 1)
        self.assert_right(ask.exchange(time=ask.time + 140), '127.0.0.8')

    def test_decryption_error(self):
        ask = asker(self.park, '127.0.0.8', user='SHA-256AES-128')
        cipher = tlv(OCTETS, bytes(40))
        self.assert_report(ask.exchange(flags=7, salt=b'1234567', data=cipher), 'decryptionErrors')
        self.assert_report(ask.exchange(flags=7, salt=b'12345678'), 'decryptionErrors')

    @unittest.skipUnless(have_des() and shutil.which('snmpget'), 'OpenSSL has no DES here, or there is no snmpget')
    def test_salt_of_des_begins_with_the_boots(self):
        with park(*users(('SHA-256', 'DES')), '--rule', '*:boots=77') as p:
            answer = Answer3(ask_by_tool(p, '127.0.0.8', level_words('SHA-256', 'DES')))
            self.assertEqual((len(answer.salt), answer.salt[:4]), (8, b'\0\0\0\x4d'))

    @unittest.skipUnless(have_des(), 'OpenSSL has no DES here')
    def test_decryption_error_of_des(self):
        with park(*users(('SHA-256', 'DES'))) as p:
            ask = asker(p, '127.0.0.8', user='SHA-256DES')
            for octets in (39, 41):
                answer = ask.exchange(flags=7, salt=b'12345678', data=tlv(OCTETS, bytes(octets)))
                self.assert_report(answer, 'decryptionErrors')

    def test_nonsense_is_met_with_silence(self):
        before = self.park.counters()['undecipherable']
        ask = asker(self.park, '127.0.0.8', user='SHA-256AES-128')
        self.assertTrue(ask.is_silent(flags=7, salt=b'12345678', data=tlv(OCTETS, bytes(40))))
        self.assertEqual(self.park.counters()['undecipherable'], before + 1)

    def test_reports_only_to_who_wants_them(self):
        ask = asker(self.park, '127.0.0.8')
        self.assertTrue(ask.is_silent(engine=b'', flags=LEVEL_AUTH))
        self.assertTrue(ask.is_silent(user='nobody', flags=LEVEL_AUTH))
        self.assert_right(ask.exchange(flags=LEVEL_AUTH), '127.0.0.8')

    def test_invalid_messages(self):
        ask = asker(self.park, '127.0.0.8')
        self.assertTrue(ask.is_silent(model=2))
        self.assertTrue(ask.is_silent(flags=6))
        before = self.park.counters()['malformed']
        for octets in (b'', b'\5\5'):
            self.assertTrue(ask.is_silent(flag_octets=octets))
        self.assertEqual(self.park.counters()['malformed'], before + 2)
        reports = self.park.counters()['reports']
        self.assertEqual((reports['unknownSecurityModels'], reports['invalidMsgs']), (1, 1))

    def test_contexts(self):
        ask = asker(self.park, '127.0.0.9')
        answer = ask.exchange(context=b'vrf1')
        self.assertEqual((answer.context, answer.varbinds[0][2]), (b'vrf1', b'agent-127-0-0-9@vrf1'))
        answer = ask.exchange(context=b'x' * 40)
        self.assertEqual((answer.context, answer.varbinds[0][2]), (b'x' * 40, b'agent-127-0-0-9'))  # too long for a name
        self.assertTrue(ask.is_silent(context=b'vrf2'))
        self.assertTrue(ask.is_silent(context=b'vrf'))

    def test_survives_noise(self):
        source = random.Random(3)
        ask = asker(self.park, '127.0.0.10')
        guest = asker(self.park, '127.0.0.10', None)
        seeds = [ask.message(), ask.message(GETBULK, [IF + '1'], index=20), guest.message(), guest.message(engine=b''),
                 ask.message(flags=7, user='SHA-256AES-128', salt=b'12345678', data=tlv(OCTETS, bytes(40)))]
        for _ in range(20000):
            data = bytearray(source.choice(seeds))
            for _ in range(source.randint(1, 4)):
                data[source.randrange(len(data))] = source.randrange(256)
            self.park.send('127.0.0.10', bytes(data[:source.randint(1, len(data) * 4)]))
        self.park.socket.close()
        self.park.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.assert_right(ask.exchange(), '127.0.0.10')


RULES = ('boots=7', 'boots=2147483647', 'boots-fall', 'boots=9,boots-fall', 'clock-jump=1000', 'clock-back=1000',
         'engine-change', 'engine-length=0', 'engine-length=4', 'engine-length=32', 'engine-length=33', 'engine-length=255',
         'no-discovery', 'silent-auth', 'discovery-zero', 'window-always', 'window-always,report-unauth',
         'report=wrongDigests,report-auth', 'report=wrongDigests,report-priv', 'context-report', 'needs=auth', 'needs=priv',
         'downgrade', 'downgrade-priv', 'wrong-digest', 'short-digest=8', 'short-digest=0', 'wrong-salt', 'short-salt',
         'wrong-engine', 'wrong-user', 'wrong-msg-id', 'wrong-id', 'wrong-boots=3', 'stale=400', 'wrong-context',
         'wrong-context-engine', 'wrong-version', 'wrong-pdu=8', 'truncated,after-discovery',
         'truncated-head,after-discovery', 'silent', 'silent,after-discovery', 'only-first=1,after-discovery', 'garbage,after-discovery', 'rows=5,too-big=2', 'ok',
         'window-always,report-unauth,wrong-boots=1000,then-good', *(f'report={name}' for name in REPORTS))


class Rules(Case):
    ADDRESS = {rule: f'127.0.4.{n + 1}' for n, rule in enumerate(RULES)}
    OPTIONS = (*users(('SHA-256', None), ('SHA-256', 'AES-128')), '--rule', '127.0.5.0/24:same-engine',
               *(option for rule, address in ADDRESS.items() for option in ('--rule', f'{address}:{rule}')))

    def asker(self, rule, *arguments, **who):
        return asker(self.park, self.ADDRESS[rule], *arguments, **who)

    def exchange(self, rule, *arguments, **fields):
        return self.asker(rule).exchange(*arguments, **fields)

    def right(self, rule, answer):
        self.assert_right(answer, self.ADDRESS[rule])

    def test_boots(self):
        ask = self.asker('boots=7')
        self.assertEqual(ask.boots, 7)
        self.right('boots=7', ask.exchange())

    def test_boots_at_their_end(self):
        ask = self.asker('boots=2147483647')
        self.assertEqual(ask.boots, 2**31 - 1)
        self.assert_report(ask.exchange(), 'notInTimeWindows', signed=True)

    def test_boots_fall(self):
        for rule, first, second in (('boots-fall', 5, 2), ('boots=9,boots-fall', 9, 4)):
            self.assertEqual(self.asker(rule, None).exchange().status, 0)  # which is not authenticated
            ask = self.asker(rule)
            self.assertEqual(ask.boots, first)
            answer = ask.exchange()
            self.assertEqual(answer.boots, first)
            self.right(rule, answer)
            answer = ask.exchange()
            self.assert_report(answer, 'notInTimeWindows', signed=True)
            self.assertEqual(answer.boots, second)
            ask.learn(answer)
            self.right(rule, ask.exchange())

    def test_clock(self):
        for rule, way in (('clock-jump=1000', 1), ('clock-back=1000', -1)):
            ask = self.asker(rule)
            self.right(rule, ask.exchange())
            answer = ask.exchange()
            self.assert_report(answer, 'notInTimeWindows', signed=True)
            self.assertTrue(990 < (answer.time - ask.time) * way < 1010)
            ask.learn(answer)
            self.right(rule, ask.exchange())

    def test_same_engine(self):
        first, second = asker(self.park, '127.0.5.1'), asker(self.park, '127.0.5.2')
        self.assertEqual(first.engine, second.engine)
        self.assert_right(first.exchange(), '127.0.5.1')
        self.assert_right(second.exchange(), '127.0.5.2')

    def test_engine_change(self):
        ask = self.asker('engine-change')
        self.right('engine-change', ask.exchange())
        answer = ask.exchange()
        self.assert_report(answer, 'unknownEngineIDs')
        self.assertNotEqual(answer.engine, ask.engine)
        ask.learn(answer)
        self.right('engine-change', ask.exchange())

    def test_engine_length(self):
        for length in (0, 4, 32, 33, 255):
            rule = f'engine-length={length}'
            ask = self.asker(rule)
            self.assertEqual(ask.engine, (engine_of(ask.address) + b'\xa5' * 255)[:length])
            if length:
                self.right(rule, ask.exchange())
            else:
                self.assert_report(ask.exchange(), 'unknownEngineIDs')

    def test_no_discovery(self):
        ask = Asker(self.park, self.ADDRESS['no-discovery'])
        self.assertTrue(ask.is_silent(user='', flags=REPORTABLE, engine=b''))
        ask.engine, ask.boots, ask.time = engine_of(ask.address), 1, 0
        ask.key = localised('SHA-256', AUTH_PASS, ask.engine)
        self.right('no-discovery', ask.exchange())

    def test_silent_auth(self):
        ask = self.asker('silent-auth')
        self.assertTrue(ask.is_silent())
        self.assertTrue(ask.is_silent(user='nobody'))
        self.assertEqual(self.asker('silent-auth', None).exchange().status, 0)

    def test_discovery_zero(self):
        ask = self.asker('discovery-zero')
        self.assertEqual((ask.boots, ask.time), (0, 0))
        answer = ask.exchange()
        self.assert_report(answer, 'notInTimeWindows', signed=True)
        self.assertEqual(answer.boots, 1)
        ask.learn(answer)
        self.right('discovery-zero', ask.exchange())

    def test_every_report(self):
        for name in REPORTS:
            signed = name in ('notInTimeWindows', 'unknownContexts', 'unavailableContexts')
            answer = self.exchange(f'report={name}')
            self.assert_report(answer, name, signed=signed)
            self.assertEqual(answer.id, 4711)

    def test_report_levels(self):
        self.assert_report(self.exchange('window-always'), 'notInTimeWindows', signed=True)
        self.assert_report(self.exchange('window-always,report-unauth'), 'notInTimeWindows')
        self.assert_report(self.exchange('report=wrongDigests,report-auth'), 'wrongDigests', signed=True)
        # not above the level of the request
        self.assert_report(self.exchange('report=wrongDigests,report-priv'), 'wrongDigests', signed=True)

    def test_context_report(self):
        self.assert_report(self.exchange('context-report', context=b'vrf2'), 'unknownContexts', signed=True)
        self.right('context-report', self.exchange('context-report'))

    def test_needs(self):
        answer = self.asker('needs=auth', None).exchange()
        self.assertEqual((answer.pdu, answer.status, answer.index, answer.varbinds),
                         (RESPONSE, AUTHORIZATION_ERROR, 0, [(NAME, 5, b'')]))
        self.right('needs=auth', self.exchange('needs=auth'))
        answer = self.exchange('needs=priv')
        self.assertEqual((answer.flags, answer.status), (LEVEL_AUTH, AUTHORIZATION_ERROR))

    def test_downgrade(self):
        self.assert_right(self.exchange('downgrade'), self.ADDRESS['downgrade'], level=0)
        self.right('downgrade-priv', self.exchange('downgrade-priv'))

    def test_digests(self):
        answer = self.exchange('wrong-digest')
        self.assertFalse(answer.is_signed('SHA-256', AUTH_PASS))
        self.assertEqual(len(answer.digest), 24)
        answer = self.exchange('short-digest=8')
        self.assertEqual((len(answer.digest), answer.is_signed('SHA-256', AUTH_PASS)), (8, True))
        self.assertEqual(self.exchange('short-digest=0').digest, b'')

    def test_lies_in_the_head(self):
        for rule, field, wrong in (('wrong-user', 'user', b'wrong'), ('wrong-context', 'context', b'wrong'),
                                   ('wrong-context-engine', 'context_engine', b'wrong'), ('wrong-version', 'version', b'\2'),
                                   ('wrong-pdu=8', 'pdu', REPORT)):
            ask = self.asker(rule)
            answer = ask.exchange()
            self.assertEqual(getattr(answer, field), wrong, rule)
            self.assertEqual(answer.is_signed('SHA-256', AUTH_PASS), rule != 'wrong-version', rule)
        for rule, field, right in (('wrong-msg-id', 'msg_id', 815), ('wrong-id', 'id', 4711)):
            answer = self.exchange(rule)
            self.assertNotEqual(getattr(answer, field), right, rule)
            self.assertTrue(answer.is_signed('SHA-256', AUTH_PASS))

    def test_wrong_engine(self):
        ask = self.asker('wrong-engine')
        self.assertEqual(ask.engine, engine_of(ask.address))
        answer = ask.exchange()
        self.assertNotEqual(answer.engine, ask.engine)
        self.assertTrue(answer.is_signed('SHA-256', AUTH_PASS, engine=ask.engine))

    def test_wrong_times(self):
        ask = self.asker('wrong-boots=3')
        answer = ask.exchange()
        self.assertEqual((ask.boots, answer.boots), (1, 4))
        self.right('wrong-boots=3', answer)
        self.assertEqual(self.exchange('stale=400').time, 0)

    def test_forged_report_before_the_answer(self):
        rule = 'window-always,report-unauth,wrong-boots=1000,then-good'
        ask = Asker(self.park, self.ADDRESS[rule])
        ask.learn(ask.exchange(user='', flags=REPORTABLE, engine=b''))
        self.assertEqual((ask.boots, Answer3(*self.park.receive()).boots), (1, 1))
        answer = ask.exchange()
        self.assert_report(answer, 'notInTimeWindows')
        self.assertEqual(answer.boots, 1001)
        self.right(rule, Answer3(*self.park.receive()))

    def test_after_discovery(self):
        for rule in ('silent,after-discovery', 'only-first=1,after-discovery', 'garbage,after-discovery'):
            ask = self.asker(rule)
            self.assertEqual(ask.engine, engine_of(ask.address))
            if rule.startswith('only-first'):
                self.right(rule, ask.exchange())
            if rule.startswith('garbage'):
                ask.send()
                self.assertEqual(len(self.park.receive()[0]), 48)
            else:
                self.assertTrue(ask.is_silent())
        self.assertTrue(Asker(self.park, self.ADDRESS['silent']).is_silent(engine=b''))

    def test_cut(self):
        for rule in ('truncated,after-discovery', 'truncated-head,after-discovery'):
            ask = self.asker(rule)
            ask.send()
            data, _ = self.park.receive()
            self.assertRaises(ValueError, split, data)
            self.assertIn(integer(815), data)
            self.assertEqual(b'agent-127' in data, False)

    def test_rows_of_v2c_rules(self):
        self.assertEqual(self.exchange('rows=5,too-big=2', GET, [NAME] * 3).status, TOO_BIG)
        answer = self.exchange('rows=5,too-big=2', GETNEXT, [IF + '1.4'])
        self.assertEqual(answer.varbinds, [(IF + '1.5', INTEGER, 5)])

    @unittest.skipUnless(shutil.which('snmpget'), "Net-SNMP's tools are not installed")
    def test_salts(self):
        """What cannot be deciphered here, seen from without."""
        for rule, octets in (('wrong-salt', 8), ('short-salt', 4), ('ok', 8)):
            salts = set()
            for _ in range(2):
                answer = Answer3(ask_by_tool(self.park, self.ADDRESS[rule], level_words('SHA-256', 'AES-128')))
                self.assertEqual((answer.flags, answer.scoped, len(answer.salt)), (LEVEL_AUTH | LEVEL_PRIV, False, octets))
                self.assertTrue(answer.is_signed('SHA-256', AUTH_PASS))
                salts.add(answer.salt)
            self.assertEqual(len(salts), 2 if octets == 8 else 1)  # a counter: its first half stands still


def ask_by_tool(running, address, words):
    """The answer, as octets, that snmpget gets to a request through a relay."""
    relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    relay.bind(('127.0.0.1', 0))
    relay.settimeout(5)
    process = subprocess.Popen(['snmpget', '-v3', '-r', '0', '-t', '1', *words, f'127.0.0.1:{relay.getsockname()[1]}', NAME],
                               env=dict(os.environ, MIBS='', SNMP_PERSISTENT_DIR='/dev/null', SNMPCONFPATH='/dev/null'),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(2):
            request, client = relay.recvfrom(70000)
            running.send(address, request)
            answer, _ = running.receive()
            relay.sendto(answer, client)
        return answer
    finally:
        process.wait(60)
        relay.close()


class Program(unittest.TestCase):
    def test_without_users_there_is_no_v3(self):
        with park() as p:
            self.assertTrue(Asker(p, '127.0.0.1', auth=None).is_silent(engine=b''))
            counters = p.counters()
            self.assertEqual((counters['version_3'], counters['malformed']), (1, 0))
            self.assertNotIn('reports', counters)

    def test_counters(self):
        with park(*users(('SHA-256', None))) as p:
            ask = asker(p, '127.0.0.1')
            ask.exchange()
            ask.exchange(user='nobody')
            p.send('127.0.0.1', b'\x30\x03\2\1\3')
            self.assertIsNone(p.receive(SILENCE))
            counters = p.counters()
            self.assertEqual((counters['received'], counters['answered'], counters['malformed'], counters['authenticated']),
                             (4, 3, 1, 1))
            self.assertEqual({name: n for name, n in counters['reports'].items() if n},
                             {'unknownEngineIDs': 1, 'unknownUserNames': 1})

    def test_log(self):
        with tempfile.NamedTemporaryFile('r') as log, park('--log', log.name, *users(('SHA-256', None))) as p:
            ask = asker(p, '127.0.0.7')
            ask.exchange(msg_id=99, salt=b'\1\2')
            lines = [line.split() for line in log]
            port = str(p.socket.getsockname()[1])
            self.assertEqual([line[1:] for line in lines], [['127.0.0.7', port, 'discovery', '815', '4', '-'],
                                                            ['127.0.0.7', port, 'v3', '99', '5', '0102']])

    def test_wrong_use(self):
        for arguments in (['--user', ''], ['--user', 'x:SHA-256'], ['--user', 'x:SHA-256:authority1:AES-128'],
                          ['--user', 'x:SHA-3:authority1'], ['--user', 'x:SHA-256:shortly'],
                          ['--user', 'x:SHA-256:authority1:AES:secrecy123'], ['--user', 'x:none:authority1'],
                          ['--user', 'x:SHA-256:authority1:none:secrecy123'], ['--user', 'x' * 33],
                          ['--rule', '*:report=nothing'], ['--rule', '*:report'], ['--rule', '*:report='],
                          ['--rule', '*:needs=none'],
                          ['--rule', '*:engine-length=256'], ['--rule', '*:boots=2147483648'], ['--context', 'x'] * 17):
            run = subprocess.run([AGENTS, *arguments, '--stop-after', '0'], capture_output=True, text=True, timeout=60)
            self.assertEqual((run.returncode, run.stdout), (2, ''), arguments)
            self.assertNotEqual(run.stderr, '')

    def test_help(self):
        run = subprocess.run([AGENTS, '--help'], capture_output=True, text=True, timeout=10)
        for rule in RULES:
            for word in rule.split(','):
                self.assertIn(word.split('=')[0], run.stdout)


del Shared, Case
if __name__ == '__main__':
    unittest.main()

"""What the tests of the simulated agents share: a running park, and a codec of their own to look at its datagrams."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import unittest

AGENTS = os.environ.get('SNMP_AGENTS', './snmp-agents')
SILENCE = 0.25  # seconds without an answer that count as none

GET, GETNEXT, RESPONSE, SET, GETBULK, REPORT = 0xa0, 0xa1, 0xa2, 0xa3, 0xa5, 0xa8
INTEGER, OCTETS, OID, IPADDRESS, COUNTER32, GAUGE32, TIMETICKS, OPAQUE, COUNTER64 = (
    2, 4, 6, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46)
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = 0x80, 0x81, 0x82
TOO_BIG, NO_SUCH_NAME, READ_ONLY, GEN_ERR, NOT_WRITABLE = 1, 2, 4, 5, 17

SYSTEM = '1.3.6.1.2.1.1.'
DESCR, CONTACT, NAME = SYSTEM + '1.0', SYSTEM + '4.0', SYSTEM + '5.0'
IF = '1.3.6.1.2.1.2.2.1.'
IFX = '1.3.6.1.2.1.31.1.1.1.'


# ---- a codec of our own

def tlv(tag, body):
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 128 | len(octets)]) + octets + body


def integer(value):
    return tlv(INTEGER, value.to_bytes(max(value, ~value).bit_length() // 8 + 1, 'big', signed=True))


def oid(text):
    subs = [int(sub) for sub in text.split('.')]
    body = b''
    for sub in [subs[0] * 40 + subs[1]] + subs[2:]:
        octets = [sub & 127]
        while sub > 127:
            sub >>= 7
            octets.insert(0, 128 | sub & 127)
        body += bytes(octets)
    return tlv(OID, body)


def message(pdu, names, version=1, community=b'public', request_id=4711, status=0, index=0):
    varbinds = b''.join(tlv(0x30, oid(name) + b'\5\0') for name in names)
    body = integer(request_id) + integer(status) + integer(index) + tlv(0x30, varbinds)
    return tlv(0x30, integer(version) + tlv(OCTETS, community) + tlv(pdu, body))


def split(data):
    """The elements of a constructed value; raises ValueError when they do not fill it exactly."""
    found = []
    while data:
        if len(data) < 2:
            raise ValueError('cut')
        size, head = data[1], 2
        if size > 127:
            head += size & 127
            size = int.from_bytes(data[2:head], 'big')
        if len(data) < head + size:
            raise ValueError('cut')
        found.append((data[0], data[head:head + size]))
        data = data[head + size:]
    return found


def dotted(body):
    subs, value = [], 0
    for octet in body:
        value = value << 7 | octet & 127
        if octet < 128:
            subs.append(value)
            value = 0
    first = min(subs[0] // 40, 2)
    return '.'.join(str(sub) for sub in [first, subs[0] - 40 * first] + subs[1:])


def plain(tag, body):
    if tag == INTEGER:
        return int.from_bytes(body, 'big', signed=True)
    if tag in (COUNTER32, GAUGE32, TIMETICKS, COUNTER64):
        return int.from_bytes(body, 'big')
    return dotted(body) if tag == OID else body


class Answer:
    def __init__(self, data, source):
        self.data, self.source = data, source
        (outer, body), = split(data)
        (_, version), (_, self.community), (self.pdu, pdu) = split(body)
        fields = split(pdu)
        self.version = plain(INTEGER, version)
        self.id, self.status, self.index = (plain(*field) for field in fields[:3])
        self.varbinds = []
        for _, varbind in split(fields[3][1]):
            (_, name), (tag, value) = split(varbind)
            self.varbinds.append((dotted(name), tag, plain(tag, value)))
        assert outer == 0x30


def key(name):
    return [int(sub) for sub in name.split('.')]


# ---- the program

class Park:
    """A running park; its counters after it has ended."""

    def __init__(self, *options):
        self.process = subprocess.Popen([AGENTS, '--stop-after', '120s', '--with-parent', *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        word, port = self.process.stdout.readline().split()
        assert word == 'port'
        self.port = int(port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('0.0.0.0', 0))

    def send(self, address, data):
        self.socket.sendto(data, (address, self.port))

    def receive(self, wait=5.0):
        """(octets, source), or None when nothing came in time."""
        self.socket.settimeout(wait)
        try:
            return self.socket.recvfrom(70000)
        except (socket.timeout, BlockingIOError):
            return None

    def raw(self, address):
        self.send(address, message(GET, [DESCR]))
        return self.receive()

    def ask(self, address, pdu=GET, names=(DESCR,), **fields):
        self.send(address, message(pdu, list(names), **fields))
        return Answer(*self.receive())

    def speak_v6(self, test):
        self.socket.close()
        try:
            self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            self.socket.bind(('::1', 0))
        except OSError:
            test.skipTest('no IPv6 on this machine')

    def value(self, name, address='127.0.0.1', **fields):
        (_, tag, value), = self.ask(address, names=[name], **fields).varbinds
        return tag, value

    def is_silent(self, address, data=message(GET, [DESCR])):
        self.send(address, data)
        return self.receive(SILENCE) is None

    def walk(self, version=1, pdu=GETNEXT, address='127.0.0.1'):
        rows, name = [], '1.3'
        while True:
            answer = self.ask(address, pdu, [name], version=version, index=10 if pdu == GETBULK else 0)
            if answer.status == NO_SUCH_NAME:
                return rows
            for row in answer.varbinds:
                if row[1] == END_OF_MIB:
                    return rows
                rows.append(row)
                name = row[0]

    def counters(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def end(self, with_signal=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        out, err = self.process.communicate(timeout=10)
        self.socket.close()
        assert (self.process.returncode, err) == (0, ''), (self.process.returncode, err)
        return json.loads(out)


@contextlib.contextmanager
def park(*options):
    running = Park(*options)
    try:
        yield running
    finally:
        running.end()


class Shared(unittest.TestCase):
    """Tests against one park, started once with OPTIONS."""
    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.park = Park(*cls.OPTIONS)

    def setUp(self):
        while self.park.receive(0) is not None:
            pass  # what a failed test has left

    @classmethod
    def tearDownClass(cls):
        cls.park.end()

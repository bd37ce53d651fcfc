"""What the tests of the simulated agents share: a running park, and a look at its datagrams by ber.py."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import unittest

import ber
from ber import (GEN_ERR, GET, GETBULK, GETNEXT, NO_SUCH_NAME, REPORT, RESPONSE, SET, TOO_BIG, dotted, split,  # noqa: F401
                 tlv)

AGENTS = os.environ.get('SNMP_AGENTS', './snmp-agents')
SILENCE = 0.25  # seconds without an answer that count as none

INTEGER, OCTETS, OID, IPADDRESS, COUNTER32, GAUGE32, TIMETICKS, OPAQUE, COUNTER64 = (
    2, 4, 6, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46)
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = (  # tags
    tag for tag, _ in (ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB))
READ_ONLY, NOT_WRITABLE = 4, 17

SYSTEM = '1.3.6.1.2.1.1.'
DESCR, CONTACT, NAME = SYSTEM + '1.0', SYSTEM + '4.0', SYSTEM + '5.0'
IF = '1.3.6.1.2.1.2.2.1.'
IFX = '1.3.6.1.2.1.31.1.1.1.'


# ---- ber.py's codec, in the words of these tests: values come whole

def integer(value):
    return tlv(*ber.integer(value))


def oid(text):
    return tlv(*ber.identifier(text))


def message(pdu, names, version=1, community=b'public', request_id=4711, status=0, index=0):
    return ber.message(version, community, pdu, request_id, status, index, [(name, ber.NULL) for name in names])


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
    return list(ber.subs_of(name))


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

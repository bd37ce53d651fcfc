#!/usr/bin/env python3
"""The brokers of the tests: they live, die and come back as asked, on loopback only, and leave nothing. And the relay before them."""
import os
import socket
import struct
import subprocess
import threading
import time
import unittest

import amqp_proxy
import certificates
import poller
import processes
import rabbit

AMQP_PUBLISH, AMQP_GET = poller.have('amqp-publish'), poller.have('amqp-get')
LOOPBACK4, LOOPBACK6 = '0100007F', '00000000000000000000000001000000'
LISTENS = '0A'


def listeners_of(pid):
    """The addresses, as the kernel writes them, at which it listens."""
    inodes, found = processes.sockets_of(pid), []
    for table in '/proc/net/tcp', '/proc/net/tcp6':
        with open(table, encoding='ascii') as f:
            next(f)
            found += [words[1].split(':')[0] for words in map(str.split, f) if words[3] == LISTENS and words[9] in inodes]
    return found


@rabbit.needs_rabbitmq
class Life(poller.Poll):
    def test_life(self):
        """One broker, since each costs seconds: what it holds through a death, and what it loses with its disk."""
        with rabbit.Broker() as broker:
            pids = [broker.process.pid, broker.home.epmd.pid]
            pids += processes.children_or_none(broker.process.pid)
            self.assertIn(broker.vhost('test1'), broker.ctl('list_vhosts', 'name'))
            self.only_loopback(pids)
            self.alarms(broker)
            self.messages(broker)
            time.sleep(rabbit.OLD_ENOUGH)
            broker.restart()
            self.wait_until(lambda: broker.queues('test1').get('q') == (1, 0, 0), 'a message on disk outlives a death', 0.2)
            broker.wipe()
            self.assertNotIn('test1', broker.ctl('list_vhosts', 'name'))
            pids.append(broker.process.pid)
            pids += processes.children_or_none(broker.process.pid)
            folder = broker.home.folder
        self.assertIsNotNone(processes.wait_gone(pids, poller.LONG))
        self.assertFalse(os.path.exists(folder))

    def only_loopback(self, pids):
        if not poller.WITH_EXTRAS:
            return
        found = [address for pid in pids for address in listeners_of(pid)]
        self.assertIn(LOOPBACK4, found)
        self.assertLessEqual(set(found), {LOOPBACK4, LOOPBACK6})

    def alarms(self, broker):
        broker.alarm(True)
        self.assertIn('memory', broker.eval('rabbit_alarm:get_alarms().'))
        broker.alarm(False)
        self.assertEqual(broker.eval('rabbit_alarm:get_alarms().'), '[]')

    def messages(self, broker):
        """Through the relay, which reads them."""
        broker.eval('rabbit_amqqueue:declare(rabbit_misc:r(<<"test1">>, queue, <<"q">>), true, false, '
                    '[{<<"x-queue-type">>, longstr, <<"quorum">>}], none, <<"tests">>), ok.')
        if not AMQP_PUBLISH:
            broker.eval('rabbit_basic:publish(rabbit_misc:r(<<"test1">>, exchange, <<>>), <<"q">>, '
                        '{[{delivery_mode, 2}], <<"by hand">>}), ok.', strict=False)
            return
        with amqp_proxy.Proxy(broker.port, keep=True) as proxy:
            body = 'word ' * 100000  # several frames
            subprocess.run([AMQP_PUBLISH, '--url', broker.url('test1', port=proxy.port), '-r', 'q', '-p'], input=body, text=True,
                           check=True, timeout=poller.LONG)
            self.wait_until(lambda: broker.queues('test1').get('q') == (1, 0, 0), pause=0.2)
            self.assertEqual([(exchange, key, octets.decode()) for exchange, key, _, octets in proxy.messages()],
                             [('', 'q', body)])
            self.assertIn(rabbit.PASSWORD.encode(), b''.join(proxy.octets()), 'the relay sees everything')


class Echo(threading.Thread):
    """A server that gives back what it gets."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = amqp_proxy.Proxy.bound(0)
        self.listener.listen(amqp_proxy.QUEUE)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    @staticmethod
    def serve(s):
        with s:
            try:
                while octets := s.recv(65536):
                    s.sendall(octets)
            except OSError:
                pass


class Relay(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)
        self.proxy = amqp_proxy.Proxy(self.echo.port, keep=True)
        self.addCleanup(self.proxy.stop)

    def connect(self):
        s = socket.create_connection(('127.0.0.1', self.proxy.port), 10)
        self.addCleanup(s.close)
        return s

    def says(self, s, octets, answered=True):
        s.sendall(octets)
        s.settimeout(30 if answered else 0.3)
        got = b''
        try:
            while len(got) < len(octets):
                more = s.recv(65536)
                if not more:
                    break
                got += more
        except TimeoutError:
            pass
        self.assertEqual(got, octets if answered else b'')

    def test_passes_and_keeps(self):
        s = self.connect()
        octets = os.urandom(3 << 20)
        threading.Thread(target=s.sendall, args=(octets,), daemon=True).start()
        s.settimeout(poller.LONG)
        got = b''
        while len(got) < len(octets):
            got += s.recv(65536)
        self.assertEqual(got, octets)
        self.assertEqual(self.proxy.octets(), [octets, octets])

    def test_swallows(self):
        s = self.connect()
        self.says(s, b'before')
        self.proxy.swallow()
        self.says(s, b'lost', answered=False)
        self.proxy.resume()
        self.says(s, b'deaf for ever', answered=False)
        self.says(self.connect(), b'a new one')
        self.assertIsNone(self.proxy.alive())
        s.close()
        end = time.monotonic() + poller.LONG
        while self.proxy.alive() != 1:
            self.assertLess(time.monotonic(), end, 'the deaf one is gone')
            time.sleep(0.01)

    def test_stalls(self):
        s = self.connect()
        self.says(s, b'before')
        self.proxy.stall()
        self.says(s, b'later', answered=False)
        self.proxy.resume()
        s.settimeout(30)
        self.assertEqual(s.recv(100), b'later')

    def test_cuts_and_refuses(self):
        s = self.connect()
        self.says(s, b'before')
        self.proxy.refuse()
        s.settimeout(30)
        self.assertEqual(s.recv(10), b'')
        with self.assertRaises(OSError):
            self.connect()
        with socket.socket() as other, self.assertRaises(OSError):
            other.bind(('127.0.0.1', self.proxy.port))
        self.proxy.accept()
        self.says(self.connect(), b'again')


class Frames(unittest.TestCase):
    @staticmethod
    def frame(kind, channel, payload):
        return struct.pack('>BHI', kind, channel, len(payload)) + payload + b'\xce'

    def test_messages_of_two_channels(self):
        """Bodies in pieces, of two channels among each other, one of nothing, the last not whole."""
        publish = struct.pack('>HHH', 60, 40, 0) + b'\x01x\x03key\x00'
        deliver = struct.pack('>HH', 60, 60) + b'\x03tag' + bytes(8) + b'\x00' + b'\x01y\x02rk'
        head = lambda size: struct.pack('>HHQ', 60, 0, size) + b'\x10\x00\x02'
        octets = b'AMQP\x00\x00\x09\x01' + b''.join([
            self.frame(1, 1, publish), self.frame(2, 1, head(4)), self.frame(1, 2, deliver), self.frame(3, 1, b'ab'),
            self.frame(2, 2, head(2)), self.frame(3, 2, b'zz'), self.frame(8, 0, b''), self.frame(3, 1, b'cd'),
            self.frame(1, 1, publish), self.frame(2, 1, head(0)), self.frame(1, 1, publish), self.frame(2, 1, head(9))])
        self.assertEqual(list(amqp_proxy.messages_of(octets)),
                         [('y', 'rk', b'\x10\x00\x02', b'zz'), ('x', 'key', b'\x10\x00\x02', b'abcd'),
                          ('x', 'key', b'\x10\x00\x02', b'')])


@unittest.skipUnless(certificates.OPENSSL, 'needs openssl')
class Certificates(unittest.TestCase):
    def verify(self, authority, file, *words):
        return subprocess.run([certificates.OPENSSL, 'verify', '-CAfile', authority.ca, *words, file], capture_output=True,
                              text=True, check=False, timeout=poller.LONG)

    def test_good_expired_foreign_misnamed(self):
        ours, theirs = certificates.Authority(), certificates.Authority('others')
        self.addCleanup(ours.remove)
        self.addCleanup(theirs.remove)
        good, _ = ours.certificate('good', certificates.NAMES)
        old, _ = ours.certificate('old', expired=True)
        foreign, _ = theirs.certificate('foreign')
        self.assertEqual(self.verify(ours, good, '-verify_ip', '127.0.0.1').returncode, 0)
        self.assertIn('expired', self.verify(ours, old).stderr)
        self.assertNotEqual(self.verify(ours, foreign).returncode, 0)
        elsewhere, _ = ours.certificate('elsewhere', 'DNS:elsewhere.example')
        self.assertIn('mismatch', self.verify(ours, elsewhere, '-verify_ip', '127.0.0.1').stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Salts of SNMPv3, on the wire: with AES a salt that comes twice for a key is the same keystream twice, and
whoever hears both messages has the XOR of what they say (RFC 3826 section 3.1.2.1, RFC 3414 section 8.1.1.1).
Workers are forked from one process, and those that die are replaced by others; none may go on where another
began. The engine ID is given and the same for all targets, so that all messages are under the same key."""
import os
import select
import signal
import socket
import time
import unittest

import poller
import processes
from park import split

TARGETS = [f'127.0.0.{n}' for n in range(1, 9)]
WORDS = ['-v', '3', '-u', 'poller', '-a', 'SHA', '-A', 'authpass1234', '-X', 'privpass1234', '-e', '80001f880470797468']


def salt_of(message):
    """msgPrivacyParameters (RFC 3412 section 6, RFC 3414 section 2.4)."""
    (_, body), = split(message)
    _, _, (_, security), _ = split(body)
    (_, parameters), = split(security)
    return split(parameters)[5][1]


class Salts(poller.Poll):
    def setUp(self):
        super().setUp()
        self.sockets, port = [], 0
        for address in TARGETS:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(s.close)
            s.bind((address, port))
            port = s.getsockname()[1]
            self.sockets.append(s)
        self.port = port

    def salts(self, count):
        """Of the next so many requests, which nobody answers."""
        salts, deadline = [], time.monotonic() + poller.LONG
        while len(salts) < count and time.monotonic() < deadline:
            for s in select.select(self.sockets, [], [], 1)[0]:
                salts.append(salt_of(s.recv(65535)))
        self.assertEqual(len(salts), count)
        return salts

    def words(self, cipher, *more):
        return ['-q', '-p', self.port, '-x', cipher, *WORDS, *more, *TARGETS]

    def assert_all_differ(self, salts):
        self.assertEqual({len(salt) for salt in salts}, {8})
        self.assertEqual(len(set(salts)), len(salts), [salt.hex() for salt in salts])

    def test_workers_share_none(self):
        for cipher in ('AES', 'AES-256', 'DES'):
            words = self.words(cipher, '-j', '4', '-t', '100ms', '-r', '2')
            if self.run_poller('--check', *words).returncode == 2:
                continue  # this Net-SNMP was built without
            process = self.start_poller(*words)
            self.assert_all_differ(self.salts(3 * len(TARGETS)))
            process.communicate(timeout=poller.LONG)

    def test_nor_does_one_that_takes_anothers_place(self):
        process = self.start_poller(*self.words('AES', '-j', '1', '-t', '60s'))
        salts = self.salts(len(TARGETS))
        for pid in processes.children(process.pid):
            os.kill(pid, signal.SIGKILL)
        self.assert_all_differ(salts + self.salts(len(TARGETS)))


if __name__ == '__main__':
    unittest.main()

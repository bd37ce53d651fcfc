#!/usr/bin/env python3
"""What is learnt of a host in one round is used in the next ones: packets are counted, and timed, on their way."""
import json
import os
import signal
import time

import together
from poller import USER, V3, Poll
from processes import children
from relay import Between

HOSTS = [f'127.0.0.{i}' for i in range(11, 21)]
ALL = 1000


class Rounds(Poll):
    def start(self, port, *words, hosts, interval):
        self.hosts = hosts
        self.process = self.start_poller('-F', 'jsonl', '-i', interval, '--no-spread', '-p', port, *words, *hosts)

    def round(self):
        """The records of the next one, by host."""
        lines = [self.process.stdout.readline() for _ in self.hosts]
        self.assertNotIn(b'', lines, self.process.poll())
        records = {r['host']: r for r in map(json.loads, lines)}
        self.assertEqual(sorted(records), sorted(self.hosts))
        return records


class Parks(Rounds):
    """Ten devices; what each of them was asked is in the log."""

    def test_one_exchange_from_the_second_round_on(self):
        log = self.write('log', '')
        self.start(self.agents(options=('--user', USER, '--log', log)).port, *V3, '-j', 2, hosts=HOSTS, interval='1')
        seen = 0
        for number in range(4):
            self.assertEqual({r['status'] for r in self.round().values()}, {'ok'})
            lines = [line.split() for line in self.read('log').splitlines()]
            for host in HOSTS:
                words = [line[3] for line in lines[seen:] if line[1] == host]
                self.assertEqual(words, ['discovery', 'v3'] if number == 0 else ['v3'], f'{host} in round {number}')
            seen = len(lines)


class Learnt(Rounds):
    """One device, behind somebody who counts what is asked of it, loses some of it, and may put another one there."""

    def open(self, *words, rule='*:ok', options=('--user', USER), interval='1'):
        self.lose = self.lost = 0
        self.times = []
        self.between = Between(self.agents(rule, options=options).port, self.passes)
        self.between.__enter__()
        self.addCleanup(self.between.__exit__)
        self.start(self.between.port, *words, hosts=['127.0.0.1'], interval=interval)

    def passes(self, way, _):
        if way != 'there':
            return True
        self.times.append(time.monotonic())
        return len(self.times) > self.lose

    def swap(self, rule='*:ok', options=('--user', USER)):
        """Another device from now on."""
        self.between.theirs.connect(('127.0.0.1', self.agents(rule, options=options).port))

    def one(self, packets, status='ok', lose=0):
        """The record of the next round, that has this status and cost so many packets, of which some are lost first."""
        self.lose, self.times = lose, []
        record = self.round()['127.0.0.1']
        self.assertEqual((record['status'], len(self.times)), (status, packets), record)
        return record

    def gap(self):
        return self.times[1] - self.times[0]


class Engines(Learnt):
    def test_noauth(self):
        self.open('-v', '3', '-u', 'nobody', options=('--user', 'nobody'))
        for packets in (2, 1, 1):
            self.one(packets)

    def test_another_worker(self):
        """What is known is the master's: the worker that found it out may die."""
        self.open(*V3, '-j', 1, interval='2')
        self.one(2)
        before = children(self.process.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        self.one(1)
        self.assertFalse(set(before) & set(children(self.process.pid)))

    def test_rebooted(self):
        self.open(*V3)
        self.one(2)
        self.swap('*:boots=2')
        self.one(2)
        self.one(1)

    def test_boots_lost(self):
        """They fall: believed where it is signed, in the same poll."""
        self.open(*V3, rule='*:boots=9')
        self.one(2)
        self.swap('*:boots=3')
        self.one(2)
        self.one(1)

    def test_swapped(self):
        """Another engine ID: a Report says so, and the next exchange is the answer."""
        self.open(*V3)
        self.one(2)
        self.swap('*:engine-length=17')
        self.one(2)
        self.one(1)

    def test_swapped_for_a_silent_one(self):
        """Which does not speak to who means another engine: the last try asks anew."""
        self.open(*V3, '-t', '0.1', '-r', '1', interval='2')
        self.one(2)
        self.swap('*:engine-length=17,no-discovery')
        self.one(2, 'timeout')
        self.swap('*:engine-length=17')
        self.one(2)
        self.one(1)

    def test_clock_that_jumps(self):
        self.open(*V3, rule='*:clock-jump=1000')
        for packets in (2, 2, 1):
            self.one(packets)

    def test_wrong_passphrase(self):
        """What never served is not remembered: each round costs the same and says the same."""
        self.open(*V3[:-1], 'not-the-one', '-t', '0.05', '-r', '1')
        for _ in range(3):
            self.assertIn('the discovery of its engine was answered', self.one(3, 'timeout')['message'])

    def test_silent_for_a_round(self):
        """It is discovered again then, which is what it may have become."""
        self.open(*V3, '-t', '0.05', '-r', '1')
        self.one(2)
        self.one(2, 'timeout', lose=ALL)
        self.one(2)
        self.one(1)


class Reload(Learnt):
    def test_what_was_learnt_stays(self):
        """Another configuration, other workers, another place in the list: the host is the same."""
        text = ('defaults: {version: 3, user: poller, auth: SHA-256, auth_pass: authority1, priv: AES, '
                'priv_pass: secrecy123, timeout: 2s}\n'
                'hosts: [%s{host: 127.0.0.1, port: %d}]\n')
        self.lose, self.times = 0, []
        self.between = Between(self.agents(options=('--user', USER)).port, self.passes)
        self.between.__enter__()
        self.addCleanup(self.between.__exit__)
        path = self.write('hosts.yaml', text % ('', self.between.port))
        self.hosts = ['127.0.0.1']
        self.process = self.start_poller('-F', 'jsonl', '-i', '2', '--no-spread', '-f', path)
        self.one(2)
        self.one(1)
        workers = children(self.process.pid)
        self.write('hosts.yaml', text % (f'{{host: 127.0.0.2, port: {self.between.port}, retries: 0, timeout: 10ms}}, ',
                                         self.between.port))
        self.process.send_signal(signal.SIGHUP)
        self.hosts = ['127.0.0.1', '127.0.0.2']
        self.one(1)
        self.assertNotEqual(workers, children(self.process.pid))


class Silent(Learnt):
    def test_one_packet_until_it_answers(self):
        self.open('-t', '0.05')
        for packets in (3, 3, 3, 1, 1):
            self.assertEqual(self.one(packets, 'timeout', lose=ALL)['tries'], packets)
        self.one(1)
        self.one(3, lose=2)  # all its tries again

    def test_v3(self):
        """That one is a discovery, and an answer to it brings back all the tries at once."""
        self.open(*V3, '-t', '0.05', '-r', '2', '--set', 'silent_after=1')
        self.one(3, 'timeout', lose=ALL)
        self.one(1, 'timeout', lose=ALL)
        self.one(2)

    def test_never(self):
        self.open('-t', '0.02', '-r', '1', '--set', 'silent_after=0', interval='0.7')
        for _ in range(6):
            self.one(2, 'timeout', lose=ALL)


class Times(Learnt):
    def test_a_lost_packet(self):
        """Costs the timeout in the first round, from then on what the host's times make of it; at least 200 ms."""
        self.open('-t', '2', interval='4')
        self.one(2, lose=1)
        self.assertGreater(self.gap(), 1.9)
        self.one(2, lose=1)
        self.assertGreater(self.gap(), 0.19)
        self.assertLess(self.gap(), 1.9)

    def test_switched_off(self):
        self.open('-t', '1', '--set', 'adaptive_timeout=false', interval='2')
        for _ in range(2):
            self.one(2, lose=1)
            self.assertGreater(self.gap(), 0.9)

    def test_the_third_try_comes_when_it_would_have(self):
        self.open('-t', '0.5', interval='4')
        self.one(1)
        self.one(3, lose=2)
        self.assertLess(self.gap(), 0.45)
        self.assertGreater(self.times[2] - self.times[0], 1.4)

    def test_a_slow_one(self):
        """Its times are its own: it is not asked twice because the others are fast."""
        self.open('-t', '2', rule='*:late=500ms', interval='3')
        for _ in range(3):
            self.one(1)


if __name__ == '__main__':
    together.main()

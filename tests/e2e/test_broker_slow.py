#!/usr/bin/env python3
"""Over a broker, what takes longer than anybody would wait: who reads the master's output stops for half a minute, longer than two
heartbeats, and reads on; tasks of a run with a small --rate are in hand for longer than the broker's consumer_timeout. Nobody grows
meanwhile, and all records come."""
import collections
import json
import os
import time
import unittest

import dist
import poller
import processes
import rabbit

BLOCK, HOSTS, ROWS = '127.2.0.0/20', 4096, 100
FIRST = 1 << 20   # octets that are read before the reader stops
PAUSE = 30        # seconds
PREFETCH = 32     # messages of results that a master has in hand
MESSAGE = 192     # KiB of one, at most
SLACK = 1024      # KiB


@rabbit.needs_broker
class Slow(dist.Stage):
    def peaks(self, *roots):
        return {pid: processes.peak_kib(pid) for root in roots for pid in dist.tree_of(root.pid)}

    def results(self):
        """Messages that the broker has: (that wait, that the master has and has not acknowledged)."""
        return next((numbers[:2] for name, numbers in self.broker.queues(self.vhost).items() if name.startswith('multisnmp.results.')),
                    (0, 0))

    def settled(self):
        """All has been asked, and nothing moves any more."""
        ready, unacknowledged = self.results()
        return unacknowledged == PREFETCH and ready == self.results()[0] > 0 and self.asked() >= HOSTS

    def test_reader_that_stops(self):
        self.devices(f'*:rows={ROWS}')
        agent = self.start_agent('a1', pace=())
        with open(self.path('master.log'), 'wb') as log:
            master = self.start_poller('--broker', self.url(), '-F', 'jsonl', '-s', '-p', self.park.port, '-t', '10s', '-w',
                                       '1.3.6.1.2.1.2.2.1.2', BLOCK, stderr=log)
        master.log = self.path('master.log')
        read = b''
        while len(read) < FIRST:
            read += os.read(master.stdout.fileno(), FIRST)
        begun, before = time.monotonic(), self.peaks(master)
        self.wait_until(self.settled, 'the prefetch does not fill', 0.5)
        time.sleep(PAUSE / 2)  # what the broker has sent is on its way
        held, waiting = self.peaks(master, agent), self.results()
        time.sleep(max(PAUSE / 3, PAUSE - (time.monotonic() - begun)))
        after = self.peaks(master, agent)
        self.assertEqual(self.results(), waiting, 'somebody goes on')
        if not poller.WITH_ASAN:
            self.assertEqual([pid for pid in held if after.get(pid, 0) > held[pid] + SLACK], [], (held, after))
            self.assertLess(sum(after[pid] - before[pid] for pid in before), PREFETCH * MESSAGE * 2 + SLACK, (before, after))
        read += master.stdout.read()
        self.assertEqual(master.wait(poller.LONG), 0, self.told(master))
        records = [json.loads(line) for line in read.splitlines()]
        self.assertEqual(len(records), HOSTS)
        self.assertEqual(len({r['host'] for r in records}), HOSTS)
        self.assertEqual(collections.Counter((r['status'], len(r['vars'])) for r in records), {('ok', ROWS): HOSTS})
        self.assertEqual(self.duplicates(master), 0)
        for process in master, agent:
            self.assertNotIn('silent', self.told(process))


@rabbit.needs_broker
class Patience(dist.Stage):
    """The broker looks once a minute for what was not acknowledged in time."""
    with_broker = False
    SECONDS, RATE, TASKS = 20, 13, 1024  # consumer_timeout; packets a second; hosts

    def test_longer_than_the_broker_waits(self):
        """All is taken at once and asked for more than a minute: the channel is closed under it, and the same tasks, which come
        again, are known: each is asked once, and has one record."""
        self.broker = rabbit.Broker(settings=(f'consumer_timeout = {self.SECONDS * 1000}',))
        self.addCleanup(self.broker.remove)
        self.vhost = self.broker.vhost('patience')
        self.devices('*:')
        agent = self.start_agent(pace=())
        master = self.start_master('--rate', self.RATE, '-t', '10s', hosts=self.write_hosts(hosts=('127.2.0.0/22',)))
        self.assertEqual(self.judge(master, {'ok': self.TASKS}, seconds=2 * poller.LONG), 0)
        self.assertEqual(self.asked(), self.TASKS)
        self.assertIn('delivery acknowledgement on channel', self.told(agent))


if __name__ == '__main__':
    unittest.main(verbosity=2)

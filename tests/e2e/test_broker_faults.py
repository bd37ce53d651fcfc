#!/usr/bin/env python3
"""A broker that dies, forgets, says no, or is not there, in the middle of a run of 20,000 hosts: 20,000 records, each once."""
import time
import unittest

import amqp_proxy
import dist
import rabbit

FIRST = 5000  # requests: the middle
OUTAGE = 15   # seconds: longer than a heartbeat, shorter than two and a half
GONE = 30
LIMIT = 50    # messages in a queue; MANY are 128
LAST = 3        # messages: one of each connection, by which the broker finds that it is to be blocked
MIDDLE = 15000
IN_FLIGHT = 32  # for one site: those were on their way when the queue became full
MANY = '127.16.0.0/16'
FAST = ('-j', '2', '--window', '1000')
SLOW = ('-j', '1', '--window', '100')
SLOWER = ('-j', '1', '--window', '50')  # 20 s in all: a deed may take some of them


class Faults(dist.Stage):
    def begin(self, proxy=None, more='', words=(), **how):
        self.devices()
        for name in 'a1', 'a2':
            self.start_agent(name, url=self.url(proxy), **how)
        master = self.start_master(*words, url=self.url(proxy), hosts=self.write_hosts(more=more))
        self.wait_for_requests(FIRST, master)
        return master

    def proxy(self):
        proxy = amqp_proxy.Proxy(self.broker.port)
        self.addCleanup(proxy.stop)
        return proxy


@rabbit.needs_broker
class Broker(Faults):
    def test_killed(self):
        """SIGKILL, and back with what it had on its disk."""
        master = self.begin(pace=SLOW)
        time.sleep(rabbit.OLD_ENOUGH / 2)
        self.broker.restart()
        self.judge(master)
        self.assertIn('broker', self.told(master))

    def test_alarm(self):
        """Of memory: publishers are blocked, consumers are not. Both agents had results to publish, and did not."""
        master = self.begin(pace=SLOWER)
        self.broker.alarm(True)
        self.addCleanup(self.broker.alarm, False)
        self.wait_until(lambda: self.broker.blocked() >= 2, 'nobody is blocked', 0.1)
        time.sleep(1)  # what was under way has come
        published = self.broker.published()
        time.sleep(5)
        self.assertLessEqual(self.broker.published(), published + LAST, 'the alarm stops nobody')
        self.assertIsNone(master.poll(), 'results cannot have been published')
        self.broker.alarm(False)
        self.judge(master)

    def test_full_queues(self):
        """More than a queue takes is refused: the master waits, site by site."""
        self.broker.ctl('set_policy', '-p', self.vhost, '--apply-to', 'queues', 'small', '^multisnmp\\.tasks\\.',
                        f'{{"max-length": {LIMIT}, "overflow": "reject-publish"}}')
        self.devices()
        master = self.start_master(hosts=self.write_hosts(hosts=[MANY]))
        self.wait_until(lambda: self.waiting() >= LIMIT, 'the queue does not fill', 0.1)
        time.sleep(1)
        self.assertLess(self.waiting(), LIMIT + IN_FLIGHT, 'the limit does not hold')
        self.assertIsNone(master.poll())
        self.start_agent('a1', pace=FAST)
        self.start_agent('a2', pace=FAST)
        self.judge(master, {'ok': 65536})

    def waiting(self):
        return self.broker.queues(self.vhost).get('multisnmp.tasks.default', (0,))[0]

    def test_connections_closed(self):
        """As an operator closes them, with results on their way: devices answer before and after."""
        master = self.begin(pace=SLOWER)
        self.assertGreaterEqual(self.broker.close_connections(), 3, 'of a master and two agents')
        self.assertLess(self.asked(), MIDDLE, 'that was not the middle')
        self.judge(master)
        self.assertIn('the broker is gone: ', self.told(master))


@rabbit.needs_broker
class Forgets(Faults):
    def test_wiped(self):
        """A new disk: all queues, tasks and results in it are gone. What has no record is published again."""
        self.vhost = None
        master = self.begin(more='broker: {patience: 4s}\n')
        self.broker.wipe()
        self.judge(master)


@rabbit.needs_broker
class Network(Faults):
    def test_swallows(self):
        """Everything for 15 s, and the connections of that time for ever: found by heartbeats."""
        proxy = self.proxy()
        master = self.begin(proxy)
        proxy.swallow()
        self.after(OUTAGE, proxy.resume)
        self.judge(master)

    def test_stalls(self):
        """Everything for 15 s, after which it all goes on, as TCP does after an outage."""
        proxy = self.proxy()
        master = self.begin(proxy)
        proxy.stall()
        self.after(OUTAGE, proxy.resume)
        self.judge(master)

    def test_gone(self):
        """Refused for 30 s: that is told, nothing ends."""
        proxy = self.proxy()
        master = self.begin(proxy)
        proxy.refuse()
        self.after(GONE, proxy.accept)
        self.judge(master)
        told = self.told(master)
        self.assertEqual(told.count('the broker is gone: '), 1, 'of both sides once: ' + told)
        self.assertIn('the broker cannot be had: ', told, 'nor what keeps it from coming back')

    def test_cut_again_and_again(self):
        """Before anything can settle."""
        proxy = self.proxy()
        master = self.begin(proxy)
        for _ in range(8):
            proxy.cut()
            time.sleep(0.5)
        self.judge(master)


@rabbit.needs_broker
class Absent(dist.Stage):
    def setUp(self):
        super().setUp()
        self.devices('*:ok')

    def refused(self, url, *words):
        run = self.run_poller('--broker', url, '-p', self.park.port, '127.2.0.1')
        self.assertEqual(run.returncode, 4, run.stderr)
        self.assertEqual(run.stdout, '')
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertNotIn('a-secret-word', run.stderr)

    def test_nobody_listens(self):
        self.refused(f'amqp://someone:a-secret-word@127.0.0.1:{rabbit.free_port()}', 'Connection refused', '127.0.0.1')

    def test_wrong_password(self):
        self.refused(self.broker.url(self.vhost, password='a-secret-word'), rabbit.USER)

    def test_no_such_vhost(self):
        self.refused(self.broker.url('nowhere'), 'nowhere')

    def test_no_broker_at_all(self):
        """Something else listens there, and says nothing."""
        with amqp_proxy.Proxy(self.broker.port) as proxy:
            proxy.stall()
            self.refused(self.url(proxy), '127.0.0.1')

    def test_agent_waits(self):
        """An agent that is started before its broker is there polls when it has come."""
        with amqp_proxy.Proxy(self.broker.port) as proxy:
            proxy.refuse()
            agent = self.start_agent('a1', url=self.url(proxy))
            self.wait_until(lambda: 'refused' in self.told(agent), 'it does not say why it waits')
            self.assertIsNone(agent.poll())
            proxy.accept()
            record = self.one('--broker', self.url(), '-p', self.park.port, '127.2.0.1')
            self.assertEqual(record['status'], 'ok')


if __name__ == '__main__':
    unittest.main(verbosity=2)

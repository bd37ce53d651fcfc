#!/usr/bin/env python3
"""Queues that hang: RabbitMQ 3.10.8 that is killed within seconds of a quorum queue's making comes back with one that nobody leads. Its
disk is made to look so (rabbit.py: restart_before), since a kill at the right moment is luck. The program makes them anew;
no run waits for ever, and nothing is deleted where a broker has lost most of its nodes."""
import time
import unittest

import amqp
import dist
import poller
import rabbit

FIRST = 3000  # requests: the middle
TASKS, DEAD = 'multisnmp.tasks.default', 'multisnmp.dead'
RESULTS = 'multisnmp.results.'  # and the master's name
QUORUM = {'x-queue-type': 'quorum'}
AWAY = 30  # seconds: an examination or two


@rabbit.needs_broker
class One(dist.Stage):
    def setUp(self):
        super().setUp()
        self.before = self.broker.directory()

    def hang(self, *names):
        """Everything that was made since, these among it."""
        self.broker.restart_before(self.before)
        hanging = self.broker.hanging(self.vhost)
        if not hanging:
            self.skipTest('this RabbitMQ leads its queues all the same')
        self.assertLessEqual(set(names), {RESULTS if name.startswith(RESULTS) else name for name in hanging})

    def client(self):
        client = amqp.Client(self.broker.port, self.vhost, rabbit.USER, rabbit.PASSWORD)
        self.addCleanup(client.close)
        return client

    def test_in_the_middle(self):
        self.devices()
        self.start_agent('a1')
        self.start_agent('a2')
        master = self.start_master()
        self.wait_for_requests(FIRST, master)
        self.hang(TASKS, DEAD, RESULTS)
        self.judge(master, seconds=2 * poller.LONG)
        self.assertIn('made anew', self.told(master))
        self.assertEqual(self.broker.hanging(self.vhost), set())

    def leave_behind(self):
        """A master, its agent and their broker lose their power together."""
        self.devices()
        agent, master = self.start_agent('a1'), self.start_master()
        self.wait_for_requests(FIRST, master)
        self.kill_all(master)
        self.kill_all(agent)
        self.hang(TASKS, DEAD, RESULTS)

    def test_of_an_earlier_life(self):
        """Who comes next finds them so, at its start."""
        self.leave_behind()
        self.start_agent('a2')
        self.judge(self.start_master(name='next', output='next.jsonl'), output='next.jsonl', seconds=2 * poller.LONG)
        self.assertNotIn(TASKS, self.broker.hanging(self.vhost))
        self.assertNotIn(DEAD, self.broker.hanging(self.vhost))

    def test_may_not_be_touched(self):
        """By a user who may delete none: the site's records are `lost`, the words say who can mend it."""
        self.devices('*:ok')
        first = self.start_master('--set', 'site=elsewhere', output='first.jsonl', name='first', hosts=self.write_hosts(
            hosts=['127.2.0.1'], more='broker: {patience: 2s, attempts: 1}\n'))
        self.end_of(first, 1)
        time.sleep(2 * rabbit.OLD_ENOUGH)  # what was made so far is on the disk
        self.before = self.broker.directory()
        client = self.client()
        client.declare_queue(TASKS, arguments=QUORUM)
        client.bind(TASKS, 'multisnmp.tasks', 'default')
        self.hang(TASKS)
        self.broker.user('barred', 'its-password', self.vhost, configure='^multisnmp\\.results\\.')
        master = self.start_master(url=self.broker.url(self.vhost, 'barred', 'its-password'), hosts=self.write_hosts(
            hosts=['127.2.0.1'], more='broker: {patience: 2s, attempts: 1}\n'))
        self.judge(master, {'lost': 1}, 1)
        self.assertIn(f"rabbitmqctl delete_queue -p '{self.vhost}' {TASKS}", self.told(master))
        self.assertEqual(self.records()[0]['message'], 'the queue of site default hangs at the broker')
        self.assertIn(TASKS, self.broker.hanging(self.vhost))
        self.broker.ctl('delete_queue', '-p', self.vhost, TASKS)
        self.assertNotIn(TASKS, self.broker.hanging(self.vhost))


@rabbit.needs_broker
class Three(dist.Stage):
    """A broker that has lost most of its nodes answers as little, and will have all its queues when they come back."""
    with_broker = False

    def setUp(self):
        super().setUp()
        self.cluster = rabbit.Cluster()
        self.addCleanup(self.cluster.remove)

    def made(self):
        """Which queue it is that has that name; but for those of an examination, which stay until there are nodes to take them back."""
        return self.cluster.brokers[0].eval(
            '[ra_directory:uid_of(quorum_queues, element(1, amqqueue:get_pid(Q))) || '
            'Q <- rabbit_amqqueue:list(<<"/">>), amqqueue:is_quorum(Q), '
            'binary:match(element(4, amqqueue:get_name(Q)), <<"multisnmp.fresh.">>) =:= nomatch].')

    def test_nothing_is_deleted(self):
        self.devices()
        url = self.cluster.url()
        self.start_agent('a1', url=url)
        master = self.start_master(url=url)
        self.wait_for_requests(FIRST, master)
        made = self.made()
        self.assertEqual(made.count('#Bin<'), 3, made)
        for broker in self.cluster.brokers[1:]:
            broker.kill()
        self.cluster.brokers[0].close_connections()  # who still has a consumer there asks for nothing
        self.wait_until(lambda: 'most of its nodes may be away' in self.told(master), 'the master does not say what it found', 0.2)
        time.sleep(AWAY)
        self.assertEqual(self.made(), made)
        for broker in self.cluster.brokers[1:]:
            broker.start(wait=False)
        for broker in self.cluster.brokers[1:]:
            broker.wait()
        self.judge(master, seconds=2 * poller.LONG)
        self.assertNotIn('made anew', self.told(master))


if __name__ == '__main__':
    unittest.main()

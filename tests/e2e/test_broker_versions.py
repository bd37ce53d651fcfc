#!/usr/bin/env python3
"""Programs of two releases at one broker, whose messages differ (multisnmp_next speaks the next version): those of one version work
together, nobody takes what another one was meant for, and everybody says why nothing comes."""
import os
import unittest

import dist
import poller
import rabbit

NEXT = os.path.join(poller.BUILD, 'tests', 'e2e', 'multisnmp_next')
BLOCK, HOSTS = ['127.2.0.0/20'], 4096
NOBODY_TEXT = 'broker: {patience: 2s, attempts: 1}\n'
OTHER = 'a multisnmp of another version is at this broker: its messages are of version {}, ours of {};'
QUEUES = {'now': 'multisnmp.tasks.default', 'next': 'multisnmp.tasks.default:2'}
NO_AGENT = 'no agent of site default is connected'


@rabbit.needs_broker
class Versions(dist.Stage):
    def setUp(self):
        super().setUp()
        self.programs = {'now': poller.MULTISNMP, 'next': poller.for_everyone(NEXT)}
        self.addCleanup(setattr, poller, 'MULTISNMP', poller.MULTISNMP)
        self.devices()

    def of(self, release):
        poller.MULTISNMP = self.programs[release]
        return self

    def listening(self, release, name):
        """An agent that hears what masters tell everybody, and has no work."""
        agent = self.of(release).start_agent(name)
        first = self.start_master('--set', 'site=elsewhere', hosts=self.write_hosts('first.yaml', BLOCK, more=NOBODY_TEXT),
                                  name='first', output='first.jsonl')  # makes what an agent waits for
        self.end_of(first, 1)  # all lost: nobody is at work there
        self.wait_until(lambda: 'has no queue yet' in self.told(agent), f'{name} does not listen')
        return agent

    def test_both_at_one_site(self):
        """An agent of each, a master of each, at once: each master has all of its records from its own agent, none is asked twice."""
        agents = [self.listening(release, release) for release in self.programs]
        masters = [self.of(release).start_master(*dist.LENIENT, hosts=self.write_hosts(release + '.hosts', BLOCK),
                                                 output=release + '.jsonl', name=release + '.master') for release in self.programs]
        for release, master in zip(self.programs, masters):
            self.assertEqual(self.judge(master, {'ok': HOSTS}, output=release + '.jsonl'), 0)
        for agent, ours, theirs in zip(agents, (1, 2), (2, 1)):
            self.assertIsNone(agent.poll())
            self.wait_until(lambda a=agent: 'another version' in self.told(a), 'it says nothing of the other')
            self.assertEqual(self.told(agent).count(OTHER.format(theirs, ours)), 1, self.told(agent))
            self.assertNotIn('dead letters', self.told(agent))
        self.assertEqual(self.asked(), 2 * HOSTS)

    def nobody_fits(self, master_of, agent_of, more):
        agent = self.listening(agent_of, 'a1')
        master = self.of(master_of).start_master(hosts=self.write_hosts(hosts=BLOCK, more=NOBODY_TEXT))
        self.judge(master, {'lost': HOSTS}, status=1)
        self.assertIn(NO_AGENT + more, self.told(master))
        self.wait_until(lambda: 'another version' in self.told(agent), 'the agent says nothing')
        self.assertEqual(self.asked(), 0)
        self.assertIsNone(agent.poll())
        self.assertEqual(self.broker.queues(self.vhost)[QUEUES[master_of]][2], 0, 'the agent takes from the queue of another version')
        self.assertNotIn(QUEUES[agent_of], self.broker.queues(self.vhost))
        agent.terminate()
        self.assertEqual(agent.wait(poller.LONG), 0, self.told(agent))

    def test_master_is_newer(self):
        self.nobody_fits('next', 'now', ' that speaks our version of messages;')

    def test_agent_is_newer(self):
        self.nobody_fits('now', 'next', ';')

    def test_upgraded(self):
        """A run waits; an agent of its own version comes, and it is done."""
        self.of('next').start_agent('new')
        master = self.of('now').start_master(hosts=self.write_hosts(hosts=BLOCK))
        self.wait_until(lambda: NO_AGENT in self.told(master), 'it says nothing')
        self.of('now').start_agent('old')
        self.judge(master, {'ok': HOSTS})

    def test_says_which(self):
        for release, version in ('now', 1), ('next', 2):
            self.assertIn(f'\nmasters and agents: messages of version {version}\n', self.of(release).run_poller('--version').stdout)


if __name__ == '__main__':
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""The courier and its owner's window with a real broker, and all that may lie between them. What is confirmed is never lost, what is
put is confirmed in the end, and nothing is delivered again without a reason."""
import os
import signal
import time
import unittest

import amqp_proxy
import courier_owner
import poller
import rabbit

HEARTBEAT = 10


class Link(poller.Poll):
    def owner(self, *role_and_url):
        owner = courier_owner.Owner(*role_and_url)
        self.addCleanup(owner.close)
        return owner

    def pair(self, name, master_url, agent_url):
        """A master that puts tasks to a site of this name, an agent that takes them; both are up."""
        master = self.owner('master', name, master_url)
        self.wait_until(master.both, 'the master is not up')
        master.say(f'site {name}')
        self.wait_until(lambda: master.site(name), 'no word about the site')
        agent = self.owner('agent', name, name, agent_url)
        self.wait_until(agent.both, 'the agent is not up')
        return master, agent

    def all_is_well(self, master, agent, count):
        """All are confirmed, once, and came, at least once."""
        wanted = list(range(1, count + 1))
        self.wait_until(lambda: len(master.confirmed) >= count, 'not all is confirmed', 0.1)
        self.assertEqual(sorted(master.confirmed), wanted)
        self.wait_until(lambda: len(agent.taken) >= count, 'what was confirmed did not come', 0.1)
        self.assertEqual(sorted(agent.taken), wanted)
        self.assertEqual(master.returned, [])

    def ends(self, *owners):
        for owner in owners:
            owner.say('stop 1')
            self.wait_until(lambda: owner.ended, 'it does not stop')  # pylint: disable=cell-var-from-loop
            self.assertEqual(owner.ended, 'exited with status 0')
            self.assertIn('stopped', owner.lines)


@rabbit.needs_broker
class One(Link):
    """One broker for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.broker = rabbit.Broker()
        cls.addClassCleanup(cls.broker.remove)

    def proxy(self):
        proxy = amqp_proxy.Proxy(self.broker.port)
        self.addCleanup(proxy.stop)
        return proxy

    def test_life(self):
        """Puts, takes, sites, stops; an owner that dies takes its courier with it."""
        url = self.broker.url(self.broker.vhost('life'))
        master, agent = self.pair('life', url, url)
        master.say('put life 1000 6000')
        self.all_is_well(master, agent, 1000)
        self.assertEqual((agent.again, set(agent.taken.values())), (0, {1}))
        master.say('put nowhere 3 10')
        self.wait_until(lambda: sorted(master.returned) == [1001, 1002, 1003], 'nobody is there, and nobody says so')
        master.say('site life')
        self.wait_until(lambda: master.site('life') == (1, 0, 1), 'the site has one agent')
        self.assertEqual((master.downs, agent.downs), ([], []))
        self.ends(agent)
        self.assertEqual(master.close(), 'exited with status 0')

    def test_memory_alarm(self):
        """For several heartbeats the broker takes nothing; who takes stays, acknowledges, and gets nothing twice."""
        url = self.broker.url(self.broker.vhost('alarm'))
        master, agent = self.pair('alarm', url, url)
        agent.say('hold')
        master.say('put alarm 200 1000')
        self.wait_until(lambda: len(master.confirmed) == 200 and len(agent.taken) == 64, 'prefetch')
        self.broker.alarm(True)
        self.addCleanup(self.broker.alarm, False)
        master.say('put alarm 300 1000')
        self.wait_until(lambda: master.blocked, 'the alarm is not heard')
        time.sleep(2.5 * HEARTBEAT)
        agent.say('release')
        self.wait_until(lambda: len(agent.taken) >= 200, 'acknowledgements are taken during the alarm')
        self.assertLess(len(master.confirmed), 500)
        self.broker.alarm(False)
        self.all_is_well(master, agent, 500)
        self.assertEqual((master.downs, agent.downs, agent.again), ([], [], 0))
        self.assertEqual(set(agent.taken.values()), {1})

    def swallowed(self, name, seconds):
        vhost, proxy = self.broker.vhost(name), self.proxy()
        master, agent = self.pair(name, self.broker.url(vhost, port=proxy.port), self.broker.url(vhost, port=proxy.port))
        master.say(f'put {name} 20000 2000')
        self.wait_until(lambda: len(master.confirmed) > 300)
        proxy.swallow()
        time.sleep(seconds)
        before = len(master.confirmed)
        self.assertLess(before, 20000)
        proxy.resume()
        self.all_is_well(master, agent, 20000)

    def test_swallowed_for_15_s(self):
        self.swallowed('short', 15)

    def test_swallowed_for_longer_than_heartbeats(self):
        self.swallowed('long', 3.5 * HEARTBEAT)

    def test_no_progress_opens_the_channel_anew(self):
        """Nothing is lost on the line, but for four seconds nothing comes: after two another channel is asked for, on the same
        connection."""
        vhost, proxy = self.broker.vhost('stall'), self.proxy()
        master, agent = self.pair('stall', self.broker.url(vhost, port=proxy.port), self.broker.url(vhost))
        master.say('put stall 10 100')
        self.wait_until(lambda: len(master.confirmed) == 10)
        proxy.stall()
        master.say('put stall 10 100')
        time.sleep(4)
        proxy.resume()
        self.all_is_well(master, agent, 20)
        self.assertEqual([side for _, side in master.ups if side == 1], [1, 1])
        self.assertEqual(master.downs, [])

    def test_cut(self):
        """Ten times in the middle."""
        vhost, proxy = self.broker.vhost('cut'), self.proxy()
        url = self.broker.url(vhost, port=proxy.port)
        master, agent = self.pair('cut', url, url)
        for i in range(10):
            confirmed = len(master.confirmed)
            master.say('put cut 500 3000')
            self.wait_until(lambda c=confirmed: len(master.confirmed) > c + 50, f'after {i} cuts')
            proxy.cut()
        self.all_is_well(master, agent, 5000)

    def test_killed_and_restarted(self):
        url = self.broker.url(self.broker.vhost('killed'))
        master, agent = self.pair('killed', url, url)
        time.sleep(rabbit.OLD_ENOUGH)
        master.say('put killed 5000 2000')
        self.wait_until(lambda: len(master.confirmed) > 300)
        self.broker.kill()
        self.wait_until(lambda: not master.up and not agent.up, 'nobody has seen it die')
        self.assertLess(len(master.confirmed), 5000)
        self.broker.start()
        self.all_is_well(master, agent, 5000)

    def test_a_courier_is_killed(self):
        """The agent's: what it held is delivered again. The owner sees its end."""
        url = self.broker.url(self.broker.vhost('courier'))
        master, agent = self.pair('courier', url, url)
        agent.say('hold')
        master.say('put courier 100 100')
        self.wait_until(lambda: len(agent.taken) == 64)
        os.kill(agent.courier, signal.SIGKILL)
        self.wait_until(lambda: agent.ended, 'its owner does not see it')
        other = self.owner('agent', 'other', 'courier', url)
        self.wait_until(lambda: len(other.taken) == 100, 'what it held comes again')
        self.assertEqual(other.again, 64)


@rabbit.needs_broker
class Three(Link):
    @classmethod
    def setUpClass(cls):
        cls.cluster = rabbit.Cluster()
        cls.addClassCleanup(cls.cluster.remove)

    def test_leader_is_killed(self):
        """While puts are under way, and again when it is back."""
        vhost = self.cluster.brokers[0].vhost('leader')
        url = self.cluster.url(vhost)
        master, agent = self.pair('leader', url, url)
        for round_ in range(2):
            confirmed = len(master.confirmed)
            master.say('put leader 3000 2000')
            self.wait_until(lambda c=confirmed: len(master.confirmed) > c + 300)
            self.wait_until(lambda: self.cluster.leader('multisnmp.tasks.leader', vhost), 'nobody leads', 0.1)
            leader = self.cluster.leader('multisnmp.tasks.leader', vhost)
            leader.kill()
            self.all_is_well(master, agent, 3000 * (round_ + 1))
            leader.start()
            self.cluster.wait_for(3)


if __name__ == '__main__':
    unittest.main()

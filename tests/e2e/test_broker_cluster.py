#!/usr/bin/env python3
"""A broker of three nodes, of which one dies at a time: the leader of a queue, in the middle of a run of 20,000 hosts."""
import unittest

import dist
import rabbit

FIRST, SECOND = 4000, 10000  # requests
AGAIN = 500
SLOW = ('-j', '1', '--window', '30')


@rabbit.needs_broker
class Leaders(dist.Stage):
    with_broker = False

    @classmethod
    def setUpClass(cls):
        cls.cluster = rabbit.Cluster()
        cls.addClassCleanup(cls.cluster.remove)

    def setUp(self):
        super().setUp()
        self.vhost = self.cluster.alive()[0].vhost(self._testMethodName)

    def url(self, proxy=None):
        return self.cluster.url(self.vhost)

    def leader(self, what, master):
        """Once it is known: not so while one is elected, nor to a broker that has just come back. None: the master has ended."""
        found = []

        def known():
            names = [name for name in self.cluster.alive()[0].queues(self.vhost) if name.startswith(what)]
            self.assertLess(len(names), 2, names)
            found.append(names and self.cluster.leader(names[0], self.vhost))
            return found[-1] or master.poll() is not None
        self.wait_until(known, f'{what}* has no leader', 0.1)
        return found[-1] or None

    def test_leaders_die(self):
        """The one of the tasks; when it is back, the one of the results."""
        self.devices()
        for name in 'a1', 'a2':
            self.start_agent(name, pace=SLOW)
        master = self.start_master(*dist.LENIENT)
        self.wait_for_requests(FIRST, master)
        with self.held():
            tasks = self.leader('multisnmp.tasks.', master)
            self.assertIsNotNone(tasks, 'the master has ended too early')
        self.wait_for_requests(self.asked() + AGAIN, master)  # results are on their way again
        tasks.kill()
        self.assertLess(self.asked(), SECOND, 'that was not the middle')
        self.wait_for_requests(SECOND, master)
        tasks.start()
        self.cluster.wait_for(3)
        results = self.leader('multisnmp.results.', master)
        if results:
            results.kill()
        self.judge(master)


if __name__ == '__main__':
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Processes that die, or stand still, in the middle of a run of 20,000 hosts over a broker: 20,000 records, each once."""
import os
import signal
import unittest

import dist
import processes
import rabbit

FIRST, SECOND = 5000, 10000  # requests
SOON = ', patience: 3s'


@rabbit.needs_broker
class Agents(dist.Stage):
    def begin(self, agents=2, words=()):
        self.devices()
        started = [self.start_agent(f'a{i + 1}') for i in range(agents)]
        return self.start_master(*words), started

    def test_worker_killed(self):
        """Of each of the agents one: what it owed is asked again on that machine."""
        master, agents = self.begin()
        for number, agent in zip((FIRST, SECOND), agents):
            self.wait_for_requests(number, master)
            self.kill(dist.worker_of(agent.pid))
        self.judge(master)
        for agent in agents:
            self.assertIn('was killed by signal 9', self.told(agent))

    def test_cell_killed(self):
        """A run's own process on an agent: its batches go back to the broker."""
        master, (one, _) = self.begin()
        self.wait_for_requests(FIRST, master)
        self.kill(next(iter(dist.cells_of(one.pid)), None))
        self.judge(master)
        self.assertIsNone(one.poll(), 'the agent lives')

    def hang(self, master, agent):
        """A run's own process on an agent stands still; its workers do not, but nobody gives them work."""
        self.wait_for_requests(FIRST, master)
        cell = next(iter(dist.cells_of(agent.pid)), None)
        self.kill(cell, signal.SIGSTOP)
        return cell

    def test_cell_hangs(self):
        """For ever, and the master would wait for an hour: its agent finds out, and kills it."""
        self.devices()
        agent = self.start_agent('a1')
        master = self.start_master(hosts=self.write_hosts(more='broker: {patience: 1h}\n'))
        self.hang(master, agent)
        self.judge(master)
        self.assertIn('does not answer; it is killed', self.told(agent))
        self.assertNotIn('published again', self.told(master))

    def test_cell_hangs_for_a_while(self):
        """Longer than the master's patience, shorter than its agent's: it goes on where it was."""
        self.devices()
        agent = self.start_agent('a1')
        master = self.start_master(hosts=self.write_hosts(more='broker: {patience: 2s, attempts: 20}\n'))
        cell = self.hang(master, agent)
        self.after(6, lambda: self.kill(cell, signal.SIGCONT))
        self.judge(master)
        self.assertNotIn('it is killed', self.told(agent))

    def test_courier_killed(self):
        """The link process of an agent, and then the master's."""
        master, (one, _) = self.begin()
        self.wait_for_requests(FIRST, master)
        self.kill(dist.courier_of_agent(one.pid))
        self.wait_for_requests(SECOND, master)
        self.kill(dist.courier_of_master(master.pid))
        self.judge(master)
        self.assertIsNone(one.poll(), 'the agent lives')

    def test_agent_killed(self):
        """The whole machine: what it had goes to the other one, which is alone then."""
        master, (one, _) = self.begin()
        self.wait_for_requests(FIRST, master)
        self.kill_all(one)
        self.judge(master)

    def test_agent_killed_and_back(self):
        """The only one: all waits for it, nothing is lost."""
        master, (one,) = self.begin(agents=1)
        self.wait_for_requests(FIRST, master)
        self.kill_all(one)
        one.wait()
        self.start_agent('a1')
        self.judge(master)

    def test_agent_stopped(self):
        """It hangs, with batches in its hands that nobody gives back: they are published again, and what it says when it goes
        on again is known as a repeat."""
        self.devices()
        one, _ = self.start_agent('a1'), self.start_agent('a2')
        master = self.start_master(hosts=self.write_hosts(more='broker: {patience: 5s}\n'))
        self.wait_for_requests(FIRST, master)
        self.kill_all(one, signal.SIGSTOP)
        self.judge(master)
        self.kill_all(one, signal.SIGCONT)
        one.terminate()
        self.assertIn(one.wait(dist.poller.LONG), (0, 128 + signal.SIGTERM))

    def test_drained(self):
        """SIGTERM: it brings in what it has, and nothing is asked twice."""
        master, (one, _) = self.begin(words=dist.LENIENT)
        self.wait_for_requests(FIRST, master)
        one.terminate()
        self.assertIn(one.wait(dist.poller.LONG), (0, 128 + signal.SIGTERM), self.told(one))
        self.assertIsNone(master.poll(), 'the agent did not wait for the end')
        self.assertEqual(self.judge(master), 0)
        self.assertLess(self.asked(), dist.HOSTS * 1.02, 'hosts were asked again')

    def test_drained_by_name(self):
        """From anywhere: --drain NAME."""
        master, (one, two) = self.begin()
        self.wait_for_requests(FIRST, master)
        run = self.run_poller('--broker', self.url(), '--drain', 'a1')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(one.wait(dist.poller.LONG), 0, self.told(one))
        self.assertEqual(self.judge(master), 0)
        self.assertIsNone(two.poll())

    def test_nobody_to_drain(self):
        """No agent at all is there: that is known, and told."""
        run = self.run_poller('--broker', self.url(), '--drain', 'a1')
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn('no agent is connected', run.stderr)


@rabbit.needs_broker
class Master(dist.Stage):
    def test_killed_and_resumed(self):
        """A run into a file is taken up: nothing that was on disk is asked again, nothing is written twice."""
        self.devices()
        for name in 'a1', 'a2':
            self.start_agent(name)
        hosts = self.write_hosts(more='broker: {patience: 5s}\n')
        first = self.start_master(hosts=hosts)
        self.wait_until(lambda: self.octets_of('.out.jsonl.multisnmp') > 1 << 20, 'no records')
        self.kill_all(first)
        first.wait()
        self.assertFalse(os.path.exists(self.path('out.jsonl')))
        self.assertTrue(os.path.exists(self.path('.out.jsonl.multisnmp.run')))
        written = self.octets_of('.out.jsonl.multisnmp')
        second = self.start_master('--resume', hosts=hosts, name='second')
        self.judge(second)
        self.assertGreater(os.path.getsize(self.path('out.jsonl')), written)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith('.out')], [])
        self.assertLess(self.asked(), 2 * dist.HOSTS, 'it began anew')

    def octets_of(self, name):
        try:
            return os.path.getsize(self.path(name))
        except OSError:
            return 0

    def test_nothing_to_resume(self):
        self.devices()
        run = self.run_poller('--broker', self.url(), '--resume', '-o', self.path('out.jsonl'), '-p', self.park.port, '127.2.0.1')
        self.assertIn(run.returncode, (2, 4), run.stderr)
        self.assertIn('resume', run.stderr)

    def test_killed_without_children_left(self):
        self.devices()
        master = self.start_master()
        self.wait_until(lambda: dist.courier_of_master(master.pid), 'no courier')
        pids = dist.tree_of(master.pid)
        self.kill(master.pid)
        master.wait()
        self.assertIsNotNone(processes.wait_gone(pids, dist.poller.LONG))

    def test_signal(self):
        """The first one: what has no record is `cancelled`, at once, and agents drop what they have."""
        self.devices()
        agent = self.start_agent('a1')
        master = self.start_master()
        self.wait_for_requests(FIRST, master)
        master.send_signal(signal.SIGINT)
        self.end_of(master, 128 + signal.SIGINT)
        records = self.records()
        self.assertEqual(len({r['host'] for r in records}), dist.HOSTS)
        self.assertEqual(len(records), dist.HOSTS)
        self.assertEqual({r['status'] for r in records}, {'ok', 'cancelled'})
        self.quiet(agent)

    def quiet(self, agent):
        """The devices are left alone, with 15,000 of them not asked."""
        last = -1

        def still():
            nonlocal last
            before, last = last, self.asked()
            return before == last
        self.wait_until(still, 'the agent goes on', 0.7)
        self.assertLess(last, dist.HOSTS - FIRST)
        self.assertIsNone(agent.poll())


if __name__ == '__main__':
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""A master that dies over a file, and the one that takes its run up: each target once in it, whatever is left of the first.

The other end of the same promise: what could not be brought to the disk is acknowledged by nobody, so who makes room gets all of it."""
import os
import re
import resource
import signal
import unittest

import dist
import poller
import rabbit

SYNC = os.environ.get('SYNC_SO', os.path.join(poller.BUILD, 'tests/e2e/sync.so'))
BLOCKS, HOSTS = ('127.2.0.0/20', '127.3.0.0/24'), 4352
SILENT = 256  # of these, in the rules of some tests
PACE = ('-j', '2', '--window', '40')  # 800 a second at 100 ms
PATIENCE = 'broker: {patience: 5s}\n'
TEMP, JOURNAL = '.out.jsonl.multisnmp', '.out.jsonl.multisnmp.run'


@rabbit.needs_broker
class Resume(dist.Stage):
    def begin(self, *words, rules=(dist.LATE,), **how):
        """A run whose journal has some groups."""
        self.devices(*rules)
        self.start_agent(pace=PACE)
        self.hosts = self.write_hosts(hosts=BLOCKS, more=PATIENCE)
        self.write('out.jsonl', 'old\n')
        master = self.start_master(*words, hosts=self.hosts, **how)
        self.wait_for_groups(master)
        return master

    def size(self, name):
        try:
            return os.path.getsize(self.path(name))
        except OSError:
            return 0

    def wait_for_groups(self, master, groups=3):
        """Until so many more are in the journal: each has about a hundred octets."""
        most = self.size(JOURNAL) + groups * 100

        def reached():
            if master.poll() is not None:
                self.fail(f'the master ended before, with {master.returncode}: {self.told(master)}{self.agents_said()}')
            return self.size(JOURNAL) > most
        self.wait_until(reached, f'no records: {self.told(master)}{self.agents_said()}')

    def die(self, master):
        self.kill(master.pid)
        master.wait()
        self.assertEqual(self.old(), 'old\n')
        self.assertGreater(self.size(TEMP), 0)
        self.assertGreater(self.size(JOURNAL), 0)

    def old(self):
        with open(self.path('out.jsonl'), encoding='utf-8') as f:
            return f.read(4096)

    def remains(self):
        return [name for name in sorted(os.listdir(self.folder)) if name.startswith('.out')]

    def octets(self):
        """Of all that is left of a run."""
        found = {}
        for name in self.remains():
            with open(self.path(name), 'rb') as f:
                found[name] = f.read()
        return found

    def take_up(self, *words, name='second', **how):
        return self.start_master('--resume', *words, hosts=self.hosts, name=name, **how)

    def finish(self, master, most_asked=None, **how):
        """All records, each once; nothing is left beside the file. How many records stood there before."""
        self.judge(master, how.pop('expected', {'ok': HOSTS}), **how)
        self.assertEqual(self.remains(), [])
        if most_asked is not None:
            self.assertLessEqual(self.asked(), most_asked)
        resumed = re.search(r'^resumed: (\d+) records', self.told(master), re.M)
        return int(resumed[1]) if resumed else 0

    def refused(self, *words, status=2, hosts=None):
        """It says why, and what to do; and changes nothing."""
        before = self.octets()
        run = self.run_poller('--broker', self.url(), '-f', hosts or self.hosts, '-F', 'jsonl', '-o', self.path('out.jsonl'),
                              '--resume', *words)
        self.assertEqual(run.returncode, status, run.stderr)
        self.assertEqual(self.octets(), before)
        self.assertEqual(self.old(), 'old\n')
        return run.stderr

    # ---- it dies

    def test_killed(self):
        """What is on disk is not asked again, and the sums are of both."""
        self.die(self.begin())
        lines = self.octets()[TEMP].count(b'\n')
        second = self.take_up()
        resumed = self.finish(second)
        self.assertGreater(resumed, 0)
        self.assertLessEqual(resumed, lines)
        self.assertIn(f'status: {HOSTS} ok\n', self.told(second))
        self.assertLess(self.asked(), 2 * HOSTS - resumed)

    def test_killed_again_and_again(self):
        master, before = self.begin(), 0
        for name in 'second', 'third', 'fourth':
            self.die(master)
            self.assertGreater(self.size(JOURNAL), before)
            before = self.size(JOURNAL)
            master = self.take_up(name=name)
            self.wait_for_groups(master, 1)
        self.finish(master)

    def test_killed_with_all_that_is_its_own(self):
        """A machine that loses its power, and half a group is on disk."""
        master = self.begin()
        self.kill_all(master)
        master.wait()
        with open(self.path(TEMP), 'ab') as f:
            f.write(b'{"host":"127.2.0.1","addr')
        with open(self.path(JOURNAL), 'r+b') as f:
            f.truncate(self.size(JOURNAL) - 5)
        self.finish(self.take_up())

    def test_records_of_other_kinds(self):
        """Of those that are not written there are sums all the same; the exit status is of the whole."""
        words = ('--status', 'timeout', '-t', '1s', '-r', '0')  # a busy machine's answers are late, too
        master = self.begin(*words, rules=('127.3.0.0/24:silent', dist.LATE))
        self.kill(master.pid)
        master.wait()
        second = self.take_up(*words)
        self.finish(second, expected={'timeout': SILENT}, status=1)
        self.assertIn(f'status: {HOSTS - SILENT} ok, {SILENT} timeout\n', self.told(second))

    def test_csv(self):
        """The line of columns stands there once."""
        self.die(self.begin('-F', 'csv', '--fields', 'host,status'))
        second = self.take_up('-F', 'csv', '--fields', 'host,status')
        self.end_of(second)
        with open(self.path('out.jsonl'), encoding='utf-8') as f:
            lines = f.read().splitlines()
        self.assertEqual(lines[0], 'host,status')
        self.assertEqual((len(lines), len(set(lines))), (HOSTS + 1, HOSTS + 1))

    # ---- it is not what is asked for

    def test_refused(self):
        """Another list, other questions, another form: the same command, or none."""
        master = self.begin()
        master.send_signal(signal.SIGSTOP)  # it would write on
        said = self.refused(status=4)
        self.assertIn(f'is being written by process {master.pid}', said)
        self.die(master)
        more = self.write_hosts('more.yaml', (*BLOCKS, '127.4.0.1'), more=PATIENCE)
        self.assertIn('another number of targets', self.refused(hosts=more))
        others = self.write_hosts('others.yaml', ('127.2.0.0/20', '127.4.0.0/24'), more=PATIENCE)
        for words, hosts in (((), others), (('-g', 'sysName.0'), None), (('-F', 'csv'), None), (('--fields', 'host'), None),
                             (('--only-failed',), None), (('-t', '2s'), None)):
            with self.subTest(words):
                said = self.refused(*words, hosts=hosts)
                self.assertIn('other targets, questions or options', said)
                self.assertIn('leave --resume out', said)
        with open(self.path(JOURNAL), 'r+b') as f:
            good = f.read()
            f.seek(20)
            f.write(b'\xff')
        self.assertIn('cannot be read', self.refused())
        with open(self.path(JOURNAL), 'wb') as f:
            f.write(good)
        self.finish(self.take_up())

    def test_nothing_to_resume(self):
        self.devices()
        self.hosts = self.write_hosts(hosts=BLOCKS)
        self.write('out.jsonl', 'old\n')
        self.assertIn('nothing to resume', self.refused())
        self.write(TEMP, 'of a run without a broker\n')
        self.assertIn('leave --resume out', self.refused())
        self.assertEqual(self.asked(), 0)

    def test_wrong_uses(self):
        self.devices()
        hosts, file = self.write_hosts(hosts=BLOCKS), self.path('out.jsonl')
        for words in (('-o', file), ('--broker', self.url()), ('--broker', self.url(), '-o', file, '--append'),
                      ('--broker', self.url(), '-o', file, '-i', '1s'), ('--broker', self.url(), '-o', file, '--sort', 'host'),
                      ('--broker', self.url(), '-o', file, '-F', 'prometheus'),
                      ('--broker', self.url(), '-o', self.path('%H.jsonl'))):
            with self.subTest(words):
                run = self.run_poller('-f', hosts, '--resume', *words)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertIn('--resume', run.stderr)
        self.assertEqual(self.asked(), 0)

    def test_begun_anew(self):
        """Nobody asked for the dead one's records: the values of now, and a word about it."""
        self.die(self.begin())
        second = self.start_master(hosts=self.hosts, name='second')
        self.assertEqual(self.finish(second), 0)
        self.assertIn('--resume would have taken it up', self.told(second))

    def test_begun_anew_without_a_broker(self):
        """What remains of one run never lies beside another's file."""
        self.die(self.begin())
        run = self.run_poller('-p', self.park.port, '-F', 'jsonl', '-o', self.path('out.jsonl'), '127.2.0.0/28')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('--resume would have taken it up', run.stderr)
        self.assertEqual((len(self.records()), self.remains()), (16, []))

    def test_broker_away(self):
        """Who cannot begin takes nothing away."""
        self.die(self.begin())
        before = self.octets()
        third = self.take_up(name='third', url=f'amqp://guest@127.0.0.1:{rabbit.free_port()}')
        self.end_of(third, 4)
        self.assertEqual(self.octets().keys(), before.keys())
        self.finish(self.take_up())

    def test_ended_by_a_signal(self):
        """It writes all there is."""
        master = self.begin()
        master.send_signal(signal.SIGINT)
        self.end_of(master, 128 + signal.SIGINT)
        self.assertEqual(({r['status'] for r in self.records()}, len(self.records())), ({'ok', 'cancelled'}, HOSTS))
        self.assertEqual(self.remains(), [])

    def test_ended_at_once(self):
        """The second signal takes all of it away, as without a broker."""
        master = self.begin()
        for number in signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT:
            master.send_signal(number)
        self.assertIn(master.wait(poller.LONG), (128 + signal.SIGINT, 128 + signal.SIGTERM))
        self.assertEqual((self.old(), self.remains()), ('old\n', []))

    # ---- disks

    def fails(self, master, words):
        """Exit status 3; the old file is whole, what is on disk of the new one stays."""
        self.end_of(master, 3)
        self.assertIn(words, self.told(master))
        self.assertIn('with --resume', self.told(master))
        self.assertEqual(self.old(), 'old\n')
        self.assertEqual(self.remains(), [TEMP, JOURNAL])

    def test_full_disk(self):
        master = self.begin()
        most = self.size(TEMP) + 20000
        resource.prlimit(master.pid, resource.RLIMIT_FSIZE, (most, most))
        self.fails(master, 'File too large')
        second = self.take_up()
        self.assertGreater(self.finish(second), 0)
        self.assertLess(self.asked(), 1.5 * HOSTS)  # what was not acknowledged was still there

    @unittest.skipUnless(os.path.exists(SYNC), 'needs sync.so (Linux)')
    def test_failing_sync(self):
        env = dict(os.environ, LD_PRELOAD=SYNC, FAILING_SYNC=self.path('fail'))
        if poller.WITH_ASAN:  # it wants to be first
            env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        master = self.begin(env=env)
        before = self.octets()[JOURNAL]
        self.write('fail', '')
        self.fails(master, 'Input/output error')
        self.assertEqual(self.octets()[JOURNAL][:len(before)], before)
        self.finish(self.take_up())


if __name__ == '__main__':
    unittest.main(verbosity=2)

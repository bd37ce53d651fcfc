"""A stage for runs over a broker: simulated devices, a broker (rabbit.py), agents, a master; faults by role; one judge.

A test program has one broker, each of its tests a virtual host. Runs are of 20,000 hosts unless a test says otherwise, at a pace that
leaves seconds for a fault: devices answer 100 ms late, and agents have small windows. The middle is told by the devices' own
counter of requests, not by a clock. Whatever happens, judge() wants exactly one record for each target, with the right status.

Roles are found by the tree alone, since processes of a root that became another user show nothing else: a master's child is its courier;
an agent's children are its courier, which has no children, and its cells, which have; a cell's child that worked most is
a worker."""
import atexit
import collections
import contextlib
import functools
import json
import os
import re
import signal
import time

import poller
import processes
import rabbit

HOSTS = 20000
BLOCKS = ('127.2.0.0/18', '127.3.0.0/21', '127.3.8.0/22', '127.3.12.0/23', '127.3.14.0/27')  # 20,000 together
LATE = '*:late=100ms'
PACE = ('-j', '2', '--window', '100')  # of an agent: 2,000 hosts a second at 100 ms
DUPLICATES = re.compile(r'^broker: .*?(\d+) duplicates,', re.M)
LENIENT = ('-t', '10s')  # of a master: on a busy machine an answer may take a second, and who asks again is counted
NOTHING = '{}\n'


def tree_of(pid):
    """It and all below it, parents first."""
    pids = [pid]
    for one in pids:
        pids += processes.children_or_none(one)
    return pids


def courier_of_master(pid):
    return next((child for child in processes.children_or_none(pid)), None)


def courier_of_agent(pid):
    return next((child for child in processes.children_or_none(pid) if not processes.children_or_none(child)), None)


def cells_of(pid):
    return [child for child in processes.children_or_none(pid) if processes.children_or_none(child)]


def worker_of(pid):
    """The one that has worked most, of any cell of an agent; None: there is none."""
    workers = [child for cell in cells_of(pid) for child in processes.children_or_none(cell)]
    return max(workers, key=processes.ticks_of, default=None)


@functools.cache
def shared_broker():
    """One for all tests of a program, gone at its end."""
    broker = rabbit.Broker()
    atexit.register(broker.remove)
    return broker


class Stage(poller.Poll):
    """A subclass that has another broker, or none, sets `with_broker` to False."""
    with_broker = True
    broker = None

    @classmethod
    def setUpClass(cls):
        if cls.with_broker:
            cls.broker = shared_broker()

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.stderr, self.said = '', {}
        self.vhost = self.broker.vhost(self._testMethodName) if self.broker else None

    # ---- who plays

    def url(self, proxy=None):
        return self.broker.url(self.vhost, port=proxy.port if proxy else None)

    def devices(self, *rules, options=()):
        self.park = self.agents(*(rules or (LATE,)), options=options)
        return self.park

    def asked(self):
        """Requests that the devices have got so far."""
        return self.park.counters()['received']

    def start_logged(self, name, *words, **how):
        """Its words go to a file, that a full pipe stops nobody."""
        log = open(self.path(name + '.log'), 'ab')
        self.addCleanup(log.close)
        process = self.start_poller(*words, stdout=log, stderr=log, **how)
        process.log = self.path(name + '.log')
        return process

    def start_agent(self, name='a1', site='default', *words, url=None, text=NOTHING, pace=PACE, **how):
        file = self.write(f'{name}.yaml', text)
        process = self.start_logged(name, '--agent', '--broker', url or self.url(), '-f', file, '--site', site, '--name', name,
                                    *pace, *words, **how)
        process.name = name
        return process

    def write_hosts(self, name='hosts.yaml', hosts=BLOCKS, defaults='', more=''):
        lines = ''.join(f'  - {host}\n' for host in hosts)
        return self.write(name, f'defaults: {{port: {self.park.port}, timeout: 1s, retries: 2{defaults}}}\n{more}hosts:\n{lines}')

    def start_master(self, *words, url=None, hosts=None, output='out.jsonl', name='master', **how):
        """Writes a file; told() is what it said."""
        return self.start_logged(name, '--broker', url or self.url(), '-f', hosts or self.write_hosts(), '-F', 'jsonl', '-s', '-o',
                                 self.path(output), *words, **how)

    def wait_for_site(self, site='default'):
        """Until an agent takes the site's tasks: rounds, and who has little patience, call them lost before. It is asked for a port at
        which nobody answers, by a master of its own."""
        words = ('--broker', self.url(), '--set', f'site={site}', '-t', '1s', '-r', '0', '-p', 9, '127.0.0.1')
        self.wait_until(lambda: self.one(*words, status=1)['status'] != 'lost', f'nobody is at work for {site}')

    # ---- the middle, and the end

    def wait_for_requests(self, number, master=None):
        """Until the devices have got so many; a master that ends before is a failure."""
        def reached():
            if master is not None and master.poll() is not None:
                self.fail(f'the master ended before {number} requests, with {master.returncode}: {self.told(master)}')
            return self.asked() >= number
        self.wait_until(reached, f'the devices do not get {number} requests', 0.02)

    @staticmethod
    def told(process):
        with open(process.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def end_of(self, master, status=0, seconds=poller.LONG):
        try:
            master.wait(seconds)
        except Exception as e:
            raise AssertionError(f'the master does not end: {self.told(master)[-3000:]}\n{self.agents_said()}') from e
        self.assertEqual(master.returncode, status, self.told(master)[-3000:] + self.agents_said())

    def agents_said(self):
        """The last lines of each log, for who reads a failure."""
        said = ''
        for name in sorted(os.listdir(self.folder)):
            if name.endswith('.log'):
                with open(self.path(name), encoding='utf-8', errors='replace') as f:
                    said += f'--- {name}\n' + f.read()[-1500:]
        return said

    def records(self, output='out.jsonl'):
        with open(self.path(output), encoding='utf-8') as f:
            return [json.loads(line) for line in f]

    def judge(self, master, expected=None, status=0, output='out.jsonl', seconds=poller.LONG):
        """It ends with `status`; the file has one record for each target, so many of each status. Returns the number of
        duplicates that the summary tells."""
        self.end_of(master, status, seconds)
        records = self.records(output)
        expected = {'ok': HOSTS} if expected is None else expected
        each = collections.Counter(r['host'] for r in records)
        twice = {host: n for host, n in each.items() if n > 1}
        self.assertEqual(twice, {}, f'{len(twice)} targets have several records')
        self.assertEqual(len(each), sum(expected.values()))
        self.assertEqual(dict(collections.Counter(r['status'] for r in records)), expected,
                         [r for r in records if r['status'] not in expected][:3])
        duplicates = self.duplicates(master)
        print(f'[{self._testMethodName}: {len(records)} records, {duplicates} duplicates, {self.asked()} requests]', flush=True)
        return duplicates

    def duplicates(self, master):
        found = DUPLICATES.search(self.told(master))
        self.assertTrue(found, f'no count of duplicates: {self.told(master)[-2000:]}')
        return int(found.group(1))

    # ---- deeds

    def kill(self, pid, number=signal.SIGKILL):
        self.assertIsNotNone(pid, 'nobody has that role')
        os.kill(pid, number)

    def kill_all(self, process, number=signal.SIGKILL):
        """A machine that loses its power: it and all below it at once, the parents first."""
        for pid in tree_of(process.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    @contextlib.contextmanager
    def held(self):
        """Meanwhile no device answers: to look for something may take long on a busy machine, and the run is where it was. The master is
        LENIENT. What is done to the run comes later, when there is traffic again."""
        self.park.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.park.process.send_signal(signal.SIGCONT)

    @staticmethod
    def after(seconds, deed):
        time.sleep(seconds)
        deed()

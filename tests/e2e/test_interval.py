#!/usr/bin/env python3
"""Polling in rounds: their rate, their records, their outputs, and how they end."""
import json
import os
import re
import signal
import time

import together
from poller import Poll
from processes import children, has_taken, state_of, status_of, ticks_of

HOSTS = [f'127.0.0.{i}' for i in range(1, 11)]


class Rounds(Poll):
    """A poller with --interval, and what it writes."""

    def start_poller(self, *words, **how):
        how.setdefault('bufsize', 0)  # what is read ahead here would be lacking at the end
        return super().start_poller(*words, **how)

    def start(self, agents, *words, interval='0.5', hosts=HOSTS, **how):
        self.since = time.time()
        return self.start_poller('-F', 'jsonl', '-i', interval, '-p', agents.port, *words, *hosts, **how)

    @staticmethod
    def records(process, count):
        """The next records of its stdout."""
        return [json.loads(process.stdout.readline()) for _ in range(count)]

    def assert_not_before(self, one, after):
        """None of a round's records was made earlier than so many seconds after the start. However late the machine lets
        answers come, a schedule that is kept holds to that: what it counts from is later still than the start."""
        for record in one:
            self.assertGreaterEqual(later(record, self.since), after, record)

    def end_by(self, process, number=signal.SIGTERM):
        """Its last records."""
        process.send_signal(number)
        return self.finish(process, 128 + number)

    def in_rounds(self, records, hosts=HOSTS):
        """They are whole rounds, one behind the other, each with one record of each host."""
        self.assertEqual(len(records) % len(hosts), 0)
        rounds = [records[i:i + len(hosts)] for i in range(0, len(records), len(hosts))]
        for one in rounds:
            self.assertEqual(sorted(r['host'] for r in one), sorted(hosts))
        return rounds


def wakings(pid):
    """How often it was woken from a sleep of its own."""
    return int(status_of(pid)['voluntary_ctxt_switches'])


def later(record, since):
    """Seconds from time.time() `since` until it was made; of up to half a day, and its own time has no more than milliseconds."""
    return (seconds(record) + 0.001 - since + 43200) % 86400 - 43200


def seconds(record):
    """When it was made, since midnight."""
    hours, minutes, rest = re.search(r'T(\d+):(\d+):([\d.]+)Z', record['time']).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


class Rate(Rounds):
    def test_rounds_at_a_fixed_rate(self):
        """The third round begins two intervals after the first, whatever the machine does meanwhile; workers live on."""
        process = self.start(self.agents(), '--no-spread', '-j', 2)
        first = self.records(process, len(HOSTS))
        workers = children(process.pid)
        others = self.records(process, 4 * len(HOSTS))
        self.assertEqual(children(process.pid), workers)
        rounds = self.in_rounds(first + others + self.end_by(process))
        begins = [min(map(seconds, one)) for one in rounds]
        for number, one in enumerate(rounds):
            self.assert_not_before(one, number * 0.5)
        self.assertLess((begins[4] - begins[0]) % 86400, 20)
        self.assertEqual({r['status'] for one in rounds for r in one}, {'ok'})

    def test_too_long_a_round(self):
        """What is due meanwhile is left out, and said once for each round that took so long."""
        agents = self.agents('127.0.0.3:silent')
        process = self.start(agents, '--no-spread', '-t', '1.4', '-r', '0', interval='1', hosts=HOSTS[:3])
        records = self.records(process, 12)
        process.terminate()
        rounds = self.in_rounds(records + self.finish(process, 143), HOSTS[:3])
        for one in rounds[:2]:
            self.assertEqual(sorted(r['status'] for r in one), ['ok', 'ok', 'timeout'])
        said = re.findall(r'warning: round (\d+) took [\d.]+ s, and one is due every 1.0 s: (\d+) (?:is|are) left out',
                          self.stderr)
        self.assertEqual([number for number, _ in said][:2], ['1', '2'], self.stderr)
        for number, one in enumerate(rounds[:4]):
            # not the slot in between, nor as soon as the round is over (1.4 s)
            left_out = sum(int(slots) for before, slots in said if int(before) <= number)
            self.assertGreaterEqual(left_out, number)
            self.assert_not_before(one, number + left_out)


class Spread(Rounds):
    HOSTS = [f'127.0.3.{i}' for i in range(1, 9)]

    def instants(self, process, rounds):
        """Of each host, when its record of each round was made, from the round's first one."""
        found = {host: [] for host in self.HOSTS}
        for _ in range(rounds):
            records = self.records(process, len(self.HOSTS))
            first = min(map(seconds, records))
            for r in records:
                found[r['host']].append((seconds(r) - first) % 86400)
        return found

    def test_each_at_its_own_instant(self):
        """The same in each round and each run, also in another list; not those of the others."""
        agents = self.agents()
        found = self.instants(self.start(agents, '-t', '0.1', '-r', '0', interval='4', hosts=self.HOSTS), 3)
        for host, instants in found.items():
            for instant in instants[1:]:
                self.assertLess(abs(instant - instants[0]), 0.5, (host, instants))
        order = sorted(found, key=lambda host: found[host][0])
        self.assertGreater(found[order[-1]][0], 1, found)
        spans = [found[b][0] - found[a][0] for a, b in zip(order, order[1:])]
        self.assertGreater(sum(span > 0.04 for span in spans), 3, found)
        again = self.instants(self.start(agents, '-t', '0.1', '-r', '0', interval='4', hosts=order[::-1]), 1)
        for host, (instant,) in again.items():
            self.assertLess(abs(instant - found[host][0]), 0.5, host)

    def test_one_host_is_asked_at_once(self):
        process = self.start(self.agents(), interval='1h', hosts=HOSTS[:1])
        self.records(process, 1)

    def test_blocks_and_excluded_ones(self):
        """Each address has its one record in each round."""
        hosts = [f'127.0.0.{i}' for i in range(32) if i not in (7, 8, 20)]
        process = self.start(self.agents(), '--exclude', '127.0.0.7-8', '--exclude', '127.0.0.20', hosts=['127.0.0.0/27'])
        self.in_rounds(self.records(process, 3 * len(hosts)), hosts)
        self.end_by(process)

    def test_a_signal_in_between(self):
        """Whose instant has not come is cancelled, and has its record."""
        agents = self.agents()
        process = self.start(agents, interval='10m', hosts=self.HOSTS)
        first = self.records(process, 1)
        rest = self.end_by(process)
        self.in_rounds(first + rest, self.HOSTS)
        self.assertEqual([r['status'] for r in first], ['ok'])
        self.assertIn('cancelled', {r['status'] for r in rest})


class Outputs(Rounds):
    def test_file_is_replaced(self):
        """Whole, at the end of each round; in between it is ours, though nothing of it is written."""
        seen = set()
        process = self.start(self.agents(), '-o', self.path('now'), interval='0.3')

        def three():
            if os.path.exists(self.path('now')):
                with open(self.path('now'), encoding='utf-8') as f:
                    text = f.read()
                seen.add(text)
            return len(seen) >= 3
        self.wait_until(three)
        for text in seen:
            self.in_rounds([json.loads(line) for line in text.splitlines()])
        for _ in range(20):
            run = self.run_poller('-o', self.path('now'), '-t', '0.1', '-r', '0', '127.0.0.1')
            self.assertEqual(run.returncode, 4, run.stderr)
            self.assertIn(f'process {process.pid}', run.stderr)
        process.terminate()
        self.output_of(process, 143)
        self.assertEqual(os.listdir(self.folder), ['now'])

    def test_killed_in_between(self):
        """What it leaves is taken over by the next one."""
        for _ in range(2):
            process = self.start(self.agents(), '-o', self.path('now'), interval='1h', hosts=HOSTS[:1])
            self.wait_until(lambda: os.path.exists(self.path('now')))
            process.kill()
            process.wait()
            os.remove(self.path('now'))

    def test_name_with_the_time(self):
        """A file for each round, by the time of its begin, UTC."""
        process = self.start(self.agents(), '--no-spread', '-o', self.path('poll-%Y%m%dT%H%M%SZ-100%%.jsonl'), interval='1',
                             env=dict(os.environ, TZ='Asia/Tokyo'))
        names = re.compile(r'poll-(\d{8}T\d{6})Z-100%\.jsonl')
        self.wait_until(lambda: len([n for n in os.listdir(self.folder) if names.fullmatch(n)]) >= 3)
        process.terminate()
        self.output_of(process, 143)
        self.assertEqual([n for n in os.listdir(self.folder) if not names.fullmatch(n)], [])
        for name in os.listdir(self.folder):
            records = [json.loads(line) for line in self.read(name).splitlines()]
            self.in_rounds(records)
            begin = names.fullmatch(name).group(1)
            begin = int(begin[9:11]) * 3600 + int(begin[11:13]) * 60 + int(begin[13:15])
            self.assertLess((min(map(seconds, records)) - begin) % 86400, 30)

    def test_one_run_has_the_time_too(self):
        run = self.run_poller('-p', self.agents().port, '-o', self.path('%Y'), '127.0.0.1')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(os.listdir(self.folder)[0], r'^20\d\d$')

    def test_appended(self):
        process = self.start(self.agents(), '--append', '-F', 'csv', '-o', self.path('all'), interval='0.3')
        self.wait_until(lambda: os.path.exists(self.path('all')) and self.read('all').count('\n') > 30)
        process.terminate()
        self.output_of(process, 143)
        lines = self.read('all').splitlines()
        self.assertEqual([n for n, line in enumerate(lines) if line.startswith('host,')], [0])
        self.assertEqual((len(lines) - 1) % len(HOSTS), 0)

    def test_families_of_each_round(self):
        """prometheus on standard output: a round's text at its end, whole."""
        process = self.start_poller('-F', 'prometheus', '-i', '0.5', '-p', self.agents().port, '--no-spread', *HOSTS)
        text = b''
        while text.count(b'# TYPE snmp_up gauge') < 3:
            text += process.stdout.readline()
        self.assertEqual(text.split(b'# TYPE snmp_up gauge')[1].count(b'snmp_up{'), len(HOSTS))
        process.terminate()
        self.output_of(process, 143)

    def test_reader_leaves(self):
        process = self.start(self.agents(), '--no-spread', interval='0.3')
        self.records(process, len(HOSTS))
        process.stdout.close()
        process.stdout = None
        self.assertEqual(process.wait(60), 141)
        self.assertEqual(process.stderr.read(), b'')

    def test_folder_goes_and_comes_back(self):
        """A round without an output is told and left out; the service goes on."""
        os.mkdir(self.path('out'))
        self.write('err', '')
        with open(self.path('err'), 'wb') as err:
            process = self.start(self.agents(), '-o', self.path('out/%H%M%S'), interval='0.4', stderr=err)
        self.wait_until(lambda: os.listdir(self.path('out')))
        os.rename(self.path('out'), self.path('away'))
        self.wait_until(lambda: 'No such file' in self.read('err'))
        os.mkdir(self.path('out'))
        self.wait_until(lambda: any(n[0] != '.' for n in os.listdir(self.path('out'))))
        process.terminate()
        self.output_of(process, 143)


class Life(Rounds):
    def test_killed_workers(self):
        """In the middle of rounds: each host has its record in each."""
        agents = self.agents('every:2:late=200ms')
        process = self.start(agents, '--no-spread', '-j', 2, '-q', interval='0.6')
        records = []
        for _ in range(4):
            records += self.records(process, 7)
            for worker in children(process.pid)[:1]:
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            records += self.records(process, 3)
        rounds = self.in_rounds(records + self.end_by(process))
        self.assertLessEqual({r['status'] for one in rounds for r in one}, {'ok', 'cancelled'})

    def test_nothing_between_rounds(self):
        """No process of it works, or is woken."""
        process = self.start(self.agents(), '--no-spread', '-j', 2, interval='1h')
        self.records(process, len(HOSTS))
        all_of_it = [process.pid, *children(process.pid)]

        def seen_after(pause):
            time.sleep(pause)
            return [(wakings(pid), ticks_of(pid)) for pid in all_of_it]
        self.wait_until(lambda: seen_after(0) == seen_after(0.3))  # the round has settled
        before = seen_after(0)
        self.assertEqual(seen_after(1.5), before)
        self.end_by(process)

    def test_stopped_for_a_while(self):
        """What was due meanwhile is left out, and not made up for."""
        process = self.start(self.agents(), '--no-spread', interval='1', hosts=HOSTS[:1])
        self.records(process, 1)
        time.sleep(0.1)
        self.wait_until(lambda: state_of(process.pid) == 'S')
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        woken = time.time()
        process.send_signal(signal.SIGCONT)
        after = []
        while len(after) < 4:
            after += [record for record in self.records(process, 1) if later(record, woken) >= 0]
        self.end_by(process)
        self.assertRegex(self.stderr, r'stopped, or without a processor, for [\d.]+ s: \d+ rounds are left out')
        for number, record in enumerate(after):
            self.assertGreaterEqual(later(record, woken), number)


class Ends(Rounds):
    def test_a_deadline_comes_before_the_end_of_the_wait(self):
        """SIGTERM gives what is in flight 5 s, and not more than its round has."""
        agents = self.agents('127.0.0.2:late=3s')
        process = self.start(agents, '--no-spread', '--deadline', '1.5', '-t', '20', interval='30', hosts=HOSTS[:2])
        self.records(process, 1)
        late, = self.end_by(process)
        self.assertEqual((late['host'], late['status']), ('127.0.0.2', 'cancelled'))

    def test_between_rounds(self):
        """There is nothing to wait for."""
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start(self.agents(), '--no-spread', interval='1h')
            self.in_rounds(self.records(process, len(HOSTS)))
            self.assertEqual(self.end_by(process, number), [])

    def test_in_flight(self):
        """Who is being asked may still answer; a whole round is what comes out."""
        agents = self.agents('127.0.0.2:late=1s')
        process = self.start(agents, '--no-spread', '-t', '20', interval='1h', hosts=HOSTS[:2])
        first = self.records(process, 1)
        self.wait_until(lambda: agents.counters()['received'] >= 2)  # by another worker, perhaps a later one
        rest = self.end_by(process)
        self.assertEqual([(r['host'], r['status']) for r in first + rest], [('127.0.0.1', 'ok'), ('127.0.0.2', 'ok')])

    def test_nothing_new_is_begun(self):
        """Who waits for the rate, not for an answer, is not asked any more."""
        agents = self.agents()
        process = self.start(agents, '--no-spread', '--rate', '4', '-j', 1, interval='1h', hosts=['127.0.1.0/24'])
        first = self.records(process, 3)
        before = agents.counters()['received']
        rest = self.end_by(process)
        self.assertEqual(len(first + rest), 256)
        self.assertEqual([r['status'] for r in first], ['ok'] * 3)
        self.assertLess(agents.counters()['received'], before + 10)  # of 20 in the 5 s that were left

    def test_second_signal(self):
        """At once: the old file stays, nothing temporary does."""
        agents = self.agents('127.0.0.2:silent')
        self.write('now', 'old')
        process = self.start(agents, '--no-spread', '-t', '60', '-o', self.path('now'), interval='1h', hosts=HOSTS[:2])
        self.wait_until(lambda: agents.counters()['received'] >= 2)
        process.terminate()
        self.wait_until(lambda: has_taken(process.pid, signal.SIGTERM))  # or two would be one
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.terminate()
        self.output_of(process, 143)
        self.assertEqual(self.read('now'), 'old')
        self.assertEqual(os.listdir(self.folder), ['now'])

    def test_deadline_of_a_round(self):
        """It ends the round, not those that follow."""
        agents = self.agents('127.0.0.2:silent')
        process = self.start(agents, '--no-spread', '-t', '60', '--deadline', '1.5', interval='2', hosts=HOSTS[:2])
        for one in self.in_rounds(self.records(process, 6), HOSTS[:2]):
            self.assertEqual({r['host']: r['status'] for r in one}, {'127.0.0.1': 'ok', '127.0.0.2': 'cancelled'})
        self.end_by(process)


if __name__ == '__main__':
    together.main()

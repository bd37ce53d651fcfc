#!/usr/bin/env python3
"""Workers die, hang and come back; every target still gets its one record."""
import json
import os
import signal
import threading
import time

import poller
import processes
import together


class Workers(poller.Poll):
    def collect(self, process):
        """Reads a running poller's records in a thread of the test."""
        chunks = []
        thread = threading.Thread(target=lambda: chunks.append(process.stdout.read()))
        thread.start()
        return thread, chunks

    def records_of(self, thread, chunks):
        thread.join(poller.LONG)
        self.assertFalse(thread.is_alive())
        return [json.loads(line) for line in b''.join(chunks).splitlines()]

    def test_killed_workers_lose_and_double_nothing(self):
        """10,240 hosts at 20 ms, 1 in 8 silent, while every worker is killed again and again."""
        agents = self.agents('every:8:silent', options=('--latency', '20ms'))
        process = self.start_poller('-F', 'jsonl', '-t', '400ms', '-r', '2', '-j', '2', '--window',
                                    '256', '-p', agents.port, '127.10.0.0/19', '127.10.64.0/21')
        thread, chunks = self.collect(process)
        killed = 0
        while process.poll() is None and killed < 8:
            time.sleep(0.25)
            for pid in processes.children(process.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
                killed += 1
        records = self.records_of(thread, chunks)
        process.wait(poller.LONG)
        self.assertGreater(killed, 2)
        self.assertEqual(len(records), 10240)
        self.assertEqual(len({r['host'] for r in records}), 10240)
        for r in records:
            silent = int(r['host'].rsplit('.', 1)[1]) % 8 == 0
            self.assertIn(r['status'], ('timeout', 'crashed') if silent else ('ok', 'crashed'), r)
        self.assertLessEqual(sum(r['status'] == 'crashed' for r in records), killed // 3)

    def test_late_death_finds_a_taker(self):
        """A worker that dies with the last targets in hand, when no other one has any left."""
        agents = self.agents('*:silent')
        process = self.start_poller('-F', 'jsonl', '-t', '2s', '-r', '0', '-j', '2', '-p', agents.port,
                                    '127.10.0.1')
        thread, chunks = self.collect(process)
        self.wait_until(lambda: agents.counters()['received'] >= 1)
        for pid in processes.children(process.pid):
            os.kill(pid, signal.SIGKILL)
        records = self.records_of(thread, chunks)
        self.assertEqual([r['status'] for r in records], ['timeout'])
        self.assertGreaterEqual(agents.counters()['received'], 2)

    def test_hanging_worker_is_killed(self):
        """SIGSTOP: no word for 5 s, a PING, no word for 5 s more; then its targets go on."""
        agents = self.agents()
        late = self.agents('*:late=1s')
        process = self.start_poller('-F', 'jsonl', '-t', '3s', '-j', '1', '-p', late.port,
                                    '127.10.0.0/26')
        thread, chunks = self.collect(process)
        self.wait_until(lambda: late.counters()['received'] >= 64)
        worker, = processes.children(process.pid)
        os.kill(worker, signal.SIGSTOP)
        records = self.records_of(thread, chunks)
        self.assertEqual(len({r['host'] for r in records}), 64)
        self.assertEqual({r['status'] for r in records}, {'ok'})
        self.assertEqual(len(records), 64)
        self.assertFalse(os.path.exists(f'/proc/{worker}'))
        del agents

    def test_suspended_run_reads_first(self):
        """All processes are stopped for longer than the timeout; the answer came meanwhile."""
        self.suspended('300ms', '600ms', 2)

    def test_suspended_run_renews_its_waits(self):
        """A turn that is more than 1 s late: the answer comes after it, within a wait that begins anew."""
        self.suspended('5s', '2s', 4)

    def suspended(self, late, timeout, seconds):
        agents = self.agents('*:late=' + late)
        process = self.start_poller('-F', 'jsonl', '-t', timeout, '-r', '0', '-p', agents.port,
                                    '127.10.0.1')
        thread, chunks = self.collect(process)
        self.wait_until(lambda: agents.counters()['received'] >= 1)
        family = [process.pid, *processes.children(process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in family:
            os.kill(pid, signal.SIGCONT)
        records = self.records_of(thread, chunks)
        self.assertEqual([r['status'] for r in records], ['ok'])

    def test_resolver_dies(self):
        agents = self.agents('*:late=1s')
        path = self.write('targets', 'localhost\n' * 3)
        process = self.start_poller('-F', 'jsonl', '-4', '-t', '3s', '-p', agents.port, '-j', '1',
                                    '--targets', path)
        thread, chunks = self.collect(process)
        deadline = time.monotonic() + 5
        while len(processes.children(process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        for pid in processes.children(process.pid):
            os.kill(pid, signal.SIGKILL)
        records = self.records_of(thread, chunks)
        self.assertEqual([r['status'] for r in records], ['ok'] * 3)


if __name__ == '__main__':
    together.main()

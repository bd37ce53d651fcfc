#!/usr/bin/env python3
"""An agent from outside: what its processes remember of secrets, what a reload changes, what its manager hears; and that what it
brings is what a local run brings, record for record, in every format."""
import csv
import io
import json
import os
import re
import signal
import socket
import unittest

import dist
import poller
import processes
import rabbit

WALK = '-w', '1.3.6.1.2.1.2.2.1.10', '-g', 'sysName.0'
SECRET = 'a-community-of-the-agent'


def less_times(text, form):
    """A record's instant, round-trip time and tries are of its poll; all else is as it is."""
    if form == 'jsonl':
        return sorted(json.dumps({k: v for k, v in json.loads(line).items() if k not in ('time', 'rtt_ms', 'tries')})
                      for line in text.splitlines())
    if form == 'csv':
        rows = csv.DictReader(io.StringIO(text))
        return sorted(str([v for k, v in row.items() if k not in ('time', 'rtt_ms', 'tries')]) for row in rows)
    if form == 'prometheus':
        return [line for line in text.splitlines() if not line.startswith('snmp_rtt_seconds{')]
    if form == 'influx':
        return sorted(re.sub(r'rtt_ms=[^, ]*,?|tries=[^, ]*,?| \d+$', '', line) for line in text.splitlines())
    return sorted(text.splitlines())


@rabbit.needs_broker
class Agent(dist.Stage):
    def test_as_a_local_run(self):
        """10,000 and more hosts, each with several rows: host, status, message and variables, octet for octet."""
        self.devices('127.2.1.0/28:error=5', '*:ok')
        self.start_agent('a1')
        for form in 'jsonl', 'text', 'csv', 'influx', 'prometheus':
            with self.subTest(form):
                block = '127.2.0.0/18' if form == 'jsonl' else '127.2.0.0/21'
                words = '-F', form, '-p', self.park.port, '-t', '5s', *WALK, block
                local = self.run_poller(*words)
                remote = self.run_poller('--broker', self.url(), *words)
                self.assertEqual(remote.returncode, local.returncode, remote.stderr)
                mine, other = less_times(local.stdout, form), less_times(remote.stdout, form)
                self.assertGreater(len(mine), 2048)
                self.assertEqual(len(other), len(mine))
                for one, two in zip(mine, other):
                    self.assertEqual(two, one)

    def test_who_knows_what(self):
        """Neither a cell nor its children know how to be let in by the broker, nor a secret of the files once it is a profile's;
        who speaks to the broker knows none of the files'."""
        self.devices('*:silent')
        agent = self.start_agent('a1', text=f'credentials: {{one: {{community: {SECRET}}}, two: {{community: {SECRET}-two}}}}\n')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: one, timeout: 60s}}\nhosts: [127.2.0.1]\n')
        self.start_master(hosts=hosts)
        self.wait_for_requests(1)
        cells = dist.cells_of(agent.pid)
        self.assertEqual(len(cells), 1)
        below = dist.tree_of(cells[0])
        self.assertGreaterEqual(len(below), 3)
        courier = dist.courier_of_agent(agent.pid)
        if processes.writable_memory(agent.pid) is None:
            self.skipTest('we may not look into memory')
        holds = lambda pid, word: any(word.encode() in piece for piece in processes.writable_memory(pid) or ())
        self.assertTrue(holds(agent.pid, f'{SECRET}-two'), 'the agent itself needs it for the next run')
        for pid in below:
            self.assertFalse(holds(pid, rabbit.PASSWORD), f'{pid} of {below}: the word of the broker')
            self.assertFalse(holds(pid, f'{SECRET}-two'), f'{pid} of {below}: a community that nobody uses')
        self.assertFalse(holds(courier, SECRET))

    def test_reload(self):
        """SIGHUP: credentials are read again; what is wrong changes nothing."""
        self.devices('*:ok', options=('--community', SECRET))
        agent = self.start_agent('a1')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: one}}\nhosts: [127.2.0.1]\n')
        poll = lambda: json.loads(self.run_poller('--broker', self.url(), '-F', 'jsonl', '-f', hosts).stdout)
        self.assertEqual(poll()['status'], 'error')
        file = self.path('a1.yaml')
        with open(file, 'w', encoding='utf-8') as f:
            f.write('credentials: {one: {comunity: x}}\n')
        agent.send_signal(signal.SIGHUP)
        self.wait_until(lambda: 'nothing was reloaded' in self.told(agent), 'it is silent')
        self.assertEqual(poll()['status'], 'error')
        with open(file, 'w', encoding='utf-8') as f:
            f.write(f'credentials: {{one: {{community: {SECRET}}}}}\n')
        agent.send_signal(signal.SIGHUP)
        self.wait_until(lambda: 'multisnmp: reloaded' in self.told(agent), 'it is silent')
        self.assertEqual(poll()['status'], 'ok')

    def test_manager(self):
        """READY=1 at once, what it waits for, and that it stops."""
        path = self.path('notify')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            os.chmod(path, 0o777)
            s.settimeout(poller.LONG)
            agent = self.start_agent('a1', url=f'amqp://127.0.0.1:{rabbit.free_port()}/', env={**os.environ, 'NOTIFY_SOCKET': path})
            said = ''
            while 'STATUS=waiting' not in said:
                said += s.recv(4096).decode()
            self.assertIn('READY=1', said)
            agent.terminate()
            while 'STOPPING=1' not in said:
                said += s.recv(4096).decode()
        self.assertEqual(agent.wait(poller.LONG), 0, self.told(agent))


if __name__ == '__main__':
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""What a service manager hears: a socket as systemd's, by path and abstract."""
import os
import re
import signal
import socket
import subprocess
import time
import unittest

import poller


class Notify(poller.Poll):
    def setUp(self):
        super().setUp()
        self.manager = self.listen(self.path('notify'))

    def listen(self, address):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        manager.bind(address)
        manager.settimeout(poller.LONG)
        return manager

    def hear(self):
        """The words of a datagram, as a dict, and who sent it."""
        octets, control, _, _ = self.manager.recvmsg(4096, socket.CMSG_SPACE(12))
        pid = int.from_bytes(control[0][2][:4], 'little')
        return dict(line.split('=', 1) for line in octets.decode().splitlines()), pid

    def hear_until(self, word, value=None):
        """All up to the first datagram with that word."""
        heard = []
        while not heard or word not in heard[-1] or value not in (None, heard[-1][word]):
            heard.append(self.hear()[0])
        return heard

    def start(self, *words, address=None, **environment):
        env = {**os.environ, 'NOTIFY_SOCKET': address or self.path('notify'), **environment}
        return self.start_poller('-q', *words, env=env)

    def service(self, *words, **environment):
        return self.start('-o', self.path('out'), *words, **environment)

    def test_once(self):
        """A run of a timer's: ready, and how it went."""
        agents = self.agents('127.13.0.1:silent')
        process = self.start('-p', agents.port, '-t', '100ms', '-r', '0', '127.13.0.0/30')
        self.output_of(process, 1)
        first, pid = self.hear()
        self.assertEqual(first, {'READY': '1', 'STATUS': '0 of 4 done, 0 ok, 0 failed'})
        self.assertEqual(pid, process.pid)
        self.assertRegex(self.hear_until('STATUS')[-1]['STATUS'], r'^3 ok, 1 failed in \d+\.\d s$')
        self.manager.settimeout(0.2)
        self.assertRaises(TimeoutError, self.hear)

    def test_wrong(self):
        """Not ready before the configuration is found good."""
        process = self.start('-f', self.write('wrong.yaml', 'hosts: [a b]\n'))
        self.output_of(process, 2)
        self.manager.settimeout(0.2)
        self.assertRaises(TimeoutError, self.hear)

    @unittest.skipUnless(os.path.exists('/proc/self'), 'abstract sockets are Linux')
    def test_abstract(self):
        name = f'multisnmp-test-{os.getpid()}'
        self.manager = self.listen('\0' + name)
        agents = self.agents()
        self.output_of(self.start('-p', agents.port, '127.13.0.1', address='@' + name))
        self.assertEqual(self.hear()[0]['READY'], '1')

    def test_service(self):
        """Rounds and the time of the next one; no watchdog that nobody wants; the end is told as it is ordered."""
        agents = self.agents('127.13.0.1:silent')
        process = self.service('-p', agents.port, '-t', '100ms', '-r', '0', '--interval', '700ms', '--no-spread',
                               '127.13.0.0/30')
        heard = self.hear_until('STATUS', 'round 3: 0 of 4 done, 0 ok, 0 failed')
        self.assertIn('READY', heard[0])
        self.assertEqual([m for m in heard[1:] if 'READY' in m], [])
        self.assertEqual([m for m in heard if 'WATCHDOG' in m or 'STOPPING' in m], [])
        over = [m['STATUS'] for m in heard if 'next round' in m.get('STATUS', '')]
        self.assertEqual(len(over), 2, heard)
        words = re.fullmatch(r'round 2: 3 ok, 1 failed in 0\.\d s; next round at (\S+)', over[1])
        self.assertTrue(words, over)
        at = time.strptime(words.group(1), '%Y-%m-%dT%H:%M:%SZ')
        self.assertLess(abs(time.mktime(at) - time.timezone - time.time()), 60)
        process.terminate()
        heard = self.hear_until('STOPPING')
        self.assertRegex(heard[-1]['STATUS'], '^stopping; round ')
        self.output_of(process, 143)

    def test_status_while_it_runs(self):
        agents = self.agents('127.13.0.1:silent', '127.13.0.2:gen-err')
        process = self.service('-p', agents.port, '-t', '60s', '--interval', '1m', '127.13.0.1', '127.13.0.2')
        self.assertEqual(self.hear()[0]['READY'], '1')
        self.assertEqual(self.hear_until('STATUS')[-1]['STATUS'].split(', ')[1], '0 ok')
        process.terminate()
        self.hear_until('STOPPING')
        process.send_signal(signal.SIGTERM)
        self.output_of(process, 143)

    def test_watchdog(self):
        """At half of the time, between rounds as well; not from a loop that hangs; again when it goes on."""
        agents = self.agents()
        process = self.service('-p', agents.port, '--interval', '1h', '127.13.0.1', WATCHDOG_USEC='600000')
        times = []
        while len(times) < 5:
            if 'WATCHDOG' in self.hear()[0]:
                times.append(time.monotonic())
        self.assertGreater(times[-1] - times[0], 4 * 0.25)
        process.send_signal(signal.SIGSTOP)
        self.manager.settimeout(1.5)
        with self.assertRaises(TimeoutError):  # what was sent before may still come
            for _ in range(3):
                self.hear()
        process.send_signal(signal.SIGCONT)
        self.manager.settimeout(poller.LONG)
        self.hear_until('WATCHDOG')
        process.terminate()
        self.hear_until('STOPPING')
        self.output_of(process, 143)

    def test_watchdog_of_another(self):
        agents = self.agents()
        process = self.service('-p', agents.port, '--interval', '300ms', '127.13.0.1', WATCHDOG_USEC='200000',
                               WATCHDOG_PID='1')
        heard = self.hear_until('STATUS', 'round 4: 0 of 1 done, 0 ok, 0 failed')
        self.assertEqual([m for m in heard if 'WATCHDOG' in m], [])
        process.terminate()
        self.output_of(process, 143)

    @unittest.skipUnless(os.path.exists('/proc/self'), 'looks into /proc')
    def test_children_know_nothing(self):
        """No word is theirs: a manager that believes all processes hears the master only."""
        agents = self.agents()
        process = self.service('-j', '3', '-p', agents.port, '--interval', '300ms', '127.13.0.0/28', 'localhost',
                               WATCHDOG_USEC='200000')
        pids = {self.hear()[1] for _ in range(20)}
        self.assertEqual(pids, {process.pid})
        process.terminate()
        self.output_of(process, 143)

    def test_reload(self):
        """RELOADING with its time, then READY, whether the file is good or not; the status says which."""
        agents = self.agents()
        hosts = self.write('hosts.yaml', f'hosts: ["127.13.0.1:{agents.port}"]\n')
        process = self.service('-f', hosts, '--interval', '300ms')
        self.hear_until('READY')
        for text, words in ((f'hosts: ["127.13.0.2:{agents.port}", "127.13.0.3:{agents.port}"]\n', 'reloaded'),
                            ('hosts: [a b]\n', 'reload failed')):
            self.write('hosts.yaml', text)
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            process.send_signal(signal.SIGHUP)
            heard = self.hear_until('RELOADING')[-1]
            self.assertTrue(before <= int(heard['MONOTONIC_USEC']) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
            heard = self.hear_until('READY')[-1]
            self.assertIn(words, heard['STATUS'])
            while not re.match('round .* of 2 done', self.hear_until('STATUS')[-1]['STATUS']):
                pass
        process.terminate()
        self.output_of(process, 143)

    def test_nobody_reads(self):
        """A runtime that gives a socket and never reads from it holds up nothing."""
        agents = self.agents()
        process = self.service('-p', agents.port, '--interval', '100ms', '127.13.0.1', WATCHDOG_USEC='30000')
        rounds = lambda: agents.counters()['received']
        self.wait_until(lambda: rounds() >= 30)
        process.terminate()
        self.output_of(process, 143)

    def test_nobody_is_there(self):
        agents = self.agents()
        for address in (self.path('nowhere'), '@multisnmp-nobody-is-here', 'relative', '', '/' + 'x' * 200):
            process = self.start('-p', agents.port, '127.13.0.1', address=address, WATCHDOG_USEC='1000')
            self.output_of(process)


class Lines(poller.Poll):
    """What stands before lines on stderr, which is a stream of the journal's, a file of a service's, or a person's pipe."""

    def said(self, *words, journal=False, **environment):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            st = os.fstat(theirs.fileno())
            if journal:
                environment['JOURNAL_STREAM'] = f'{st.st_dev}:{st.st_ino}'
            process = self.start_poller(*words, stderr=theirs, env={**os.environ, **environment})
            process.communicate(timeout=poller.LONG)
            theirs.close()
            with ours.makefile() as f:
                return f.read().splitlines()

    def test_journal(self):
        wrong = self.write('wrong.yaml', 'hosts: [127.13.0.1]\ncomunity: x\nhosst: x\n')
        lines = self.said('-f', wrong, '--interval', '1s', journal=True)
        self.assertEqual([line[:3] for line in lines], ['<3>'] * 2)
        self.assertEqual(self.said('--frobnicate', journal=True)[0][:3], '<3>')
        secret = self.write('secret.yaml', 'defaults: {community: sesame}\nhosts: []\n', 0o644)
        lines = self.said('-f', secret, '-s', journal=True)
        self.assertEqual(lines[0][:3], '<4>')
        self.assertEqual({line[:3] for line in lines[1:]}, {'<6>'})

    def test_variable_of_another_stream(self):
        """Inherited past a redirection: no priorities for who reads a pipe."""
        lines = self.said('--frobnicate', JOURNAL_STREAM='8:1234')
        self.assertTrue(lines[0].startswith('multisnmp: '), lines)

    def test_times(self):
        wrong = self.write('wrong.yaml', 'hosts: [127.13.0.1]\ncomunity: x\n')
        time_stamp = r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z '
        self.assertRegex(self.said('-f', wrong, '--interval', '1s')[0], time_stamp)
        self.assertNotRegex(self.said('-f', wrong)[0], time_stamp)

    @unittest.skipUnless(poller.WITH_EXTRAS, 'kills a child by its parent')
    def test_times_of_a_warning(self):
        """Of a worker that was killed."""
        agents = self.agents('*:silent')
        with open(self.path('err'), 'wb') as err:
            process = self.start_poller('-j', '1', '-p', agents.port, '-t', '30s', '--interval', '60s', '127.13.0.1',
                                        stderr=err)
        self.wait_until(lambda: agents.counters()['received'] > 0)
        os.kill(int(subprocess.run(['ps', '-o', 'pid=', '--ppid', str(process.pid)], capture_output=True, text=True,
                                   check=True).stdout.split()[0]), signal.SIGKILL)
        self.wait_until(lambda: self.read('err') != '')
        self.assertRegex(self.read('err'), r'\A20\S+Z multisnmp: warning: ')


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""Transports other than UDP: real snmpd over TCP and sockets in the file system, and agents of the
test's own that refuse, hang up, keep silent, talk nonsense or streams.never accept."""
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import ber
import daemons
import poller
import streams
import together
import processes

SYS_NAME = '1.3.6.1.2.1.1.5.0'
MIB = {f'1.3.6.1.2.1.1.{n}.0': ber.string(f'object {n}') for n in range(1, 30)}
CONF = '''rocommunity public 127.0.0.1
rocommunity6 public ::1
com2secunix local {folder}/agent public
group locals v1 local
group locals v2c local
view all included .1
access locals "" any noauth exact all none none
createUser streamer SHA-256 authpass1234 AES privpass1234
rouser streamer authpriv
'''
V3 = ('-v', '3', '-u', 'streamer', '-l', 'authPriv', '-a', 'SHA-256', '-A', 'authpass1234',
      '-x', 'AES', '-X', 'privpass1234')


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.bind(('::1', 0))
            return True
    except OSError:
        return False


class Snmpd(daemons.Snmpd):
    """On one port of UDP and TCP, both families, and on a socket `agent` in its folder."""

    def command(self):
        self.lines = CONF.format(folder=self.folder)
        tcp6 = [f'tcp6:[::1]:{self.port}'] if has_ipv6() else []
        self.more = [f'tcp:127.0.0.1:{self.port}', *tcp6, f'unix:{self.path("agent")}']
        return super().command()


@unittest.skipUnless(daemons.SNMPD, 'snmpd is not installed')
class RealAgent(poller.Poll):
    @classmethod
    def setUpClass(cls):
        cls.snmpd = Snmpd('')
        poller.let_in(cls.snmpd.path('agent'))
        cls.udp = f'127.0.0.1:{cls.snmpd.port}'
        cls.all = [f'tcp:{cls.udp}', f'unix:{cls.snmpd.path("agent")}']
        if has_ipv6():
            cls.all.append(f'tcp6:[::1]:{cls.snmpd.port}')

    @classmethod
    def tearDownClass(cls):
        cls.snmpd.stop()

    def rows(self, *words):
        record = self.one(*words)
        self.assertEqual(record['status'], 'ok', record)
        return record['vars']

    def test_get(self):
        """The same as over UDP, in every version; the record names the target as it was written."""
        objects = [word for n in (1, 2, 4, 5, 6) for word in ('-g', f'1.3.6.1.2.1.1.{n}.0')]
        for version in (('-v', '1'), ('-v', '2c'), V3):
            wanted = self.rows(*version, *objects, self.udp)
            self.assertEqual(len(wanted), 5)
            for target in self.all:
                with self.subTest(version=version[1], target=target):
                    record = self.one(*version, *objects, target)
                    self.assertEqual(record['vars'], wanted)
                    self.assertEqual((record['host'], record['tries']), (target, 1))
                    self.assertGreater(record['rtt_ms'], 0)
        self.assertEqual(self.one(self.all[0])['address'], self.udp)
        self.assertIsNone(self.one(self.all[1])['address'])

    def test_walk(self):
        """Objects that stay: sysORTable and the like, some hundred rows in many requests."""
        for version in (('-v', '1'), ('-v', '2c'), V3):
            words = [*version, '--set', 'max_repetitions=5', '-w', '1.3.6.1.2.1.1.9', '-w', '1.3.6.1.2.1.88',
                     '-w', '1.3.6.1.6.3.16']
            wanted = self.rows(*words, self.udp)
            self.assertGreater(len(wanted), 60)
            for target in self.all:
                with self.subTest(version=version[1], target=target):
                    self.assertEqual([(v['oid'], v['type']) for v in self.rows(*words, target)],
                                     [(v['oid'], v['type']) for v in wanted])

    def test_whole_mib(self):
        """Thousands of rows: large answers in many pieces."""
        counts = [len(self.rows('-v', '2c', '--set', 'max_repetitions=100', '-w', '1.3.6.1.2.1', t))
                  for t in (self.udp, self.all[0], self.all[1])]
        self.assertGreater(min(counts), 1000)
        self.assertLess(max(counts) - min(counts), 200)  # it moves

    def test_name(self):
        record = self.one('-4', f'tcp:localhost:{self.snmpd.port}')
        self.assertEqual((record['status'], record['address']), ('ok', self.udp), record)

    def test_many_hosts_through_few_workers(self):
        """TCP to the test's own agent: snmpd lets five connections wait to be accepted, and the kernel makes
        the others retry after a second, or resets them."""
        with streams.Streams(answer, backlog=200) as agent:
            targets = ([agent.target] * 150 + [self.all[1]] * 50 + [self.udp] * 100)
            path = self.write('targets', '\n'.join(targets))
            records = self.poll('--targets', path, '-g', SYS_NAME)
            self.assertEqual(len(agent.connections), 150)
        self.assertEqual(sorted(r['host'] for r in records), sorted(targets))
        self.assertEqual({r['status'] for r in records}, {'ok'})

    def test_wrong_community_is_silence(self):
        record = self.one('-c', 'wrong', '-t', '100ms', '-r', '1', self.all[0], status=1)
        self.assertEqual(record['status'], 'timeout')
        self.assertEqual(record['tries'], 2)

    def test_block(self):
        """Every address of it over TCP; snmpd listens at one of them."""
        records = self.poll(f'tcp:127.0.0.0/30:{self.snmpd.port}', '--exclude', '127.0.0.0', '--exclude',
                            '127.0.0.3', status=1)
        self.assertEqual({r['host']: r['status'] for r in records},
                         {'127.0.0.1': 'ok', '127.0.0.2': 'unreachable'})


def answer(connection, number):
    """Every question, as an agent with MIB does."""
    tree = ber.Tree(MIB)
    while data := streams.read_message(connection):
        connection.sendall(tree.answer(ber.Request(data)))


def close_after_each(connection, number):
    """A question a connection."""
    if data := streams.read_message(connection):
        connection.sendall(ber.Tree(MIB).answer(ber.Request(data)))


class Ends(poller.Poll):
    """What a connection may come to, and its record."""

    def timed(self, *words, status=1):
        start = time.monotonic()
        record = self.one(*words, status=status)
        return record, time.monotonic() - start

    def test_answers_of_the_tests_own_agent(self):
        with streams.Streams(answer) as agent:
            record = self.one('-g', SYS_NAME, agent.target)
            self.assertEqual([v['value'] for v in record['vars']], ['object 5'])
            rows = self.one('-w', '1.3.6.1.2.1.1', agent.target)['vars']
            self.assertEqual([v['value'] for v in rows], [f'object {n}' for n in range(1, 30)])
            self.assertEqual(len(agent.connections), 2)  # one each

    def test_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.bind(('127.0.0.1', 0))  # and does not listen
            record, took = self.timed('-t', '10s', f'tcp:127.0.0.1:{s.getsockname()[1]}')
        self.assertEqual((record['status'], record['message']),
                         ('unreachable', 'nothing listens on the port (connection refused)'))
        self.assertLess(took, 5)

    def test_no_such_path(self):
        os.chmod(self.folder, 0o755)  # workers of a root may look, too
        record, took = self.timed('-t', '10s', f'unix:{self.path("nobody")}')
        self.assertEqual((record['status'], record['message'], record['address']),
                         ('unreachable', 'there is no such socket', None))
        self.assertLess(took, 5)
        record = self.one(f'unix:{self.write("file", "text", mode=0o777)}', status=1)
        self.assertEqual((record['status'], record['message']),
                         ('unreachable', 'nobody listens on the socket'))

    def test_silence(self):
        for address in (('127.0.0.1', 0), self.path('silent')):
            with streams.Streams(streams.never, address) as agent:
                record, took = self.timed('-t', '200ms', '-r', '1', agent.target)
            self.assertEqual((record['status'], record['tries']), ('timeout', 2), record)
            self.assertRegex(record['message'], r'^no answer after 2 tries \(is the community right\?\)')
            self.assertGreaterEqual(took, 0.6)
            self.assertLess(took, 5)

    def test_never_accepted(self):
        """Connecting blocks, for as long as a silent host takes over UDP."""
        for address in (('127.0.0.1', 0), self.path('full')):
            with streams.FullQueue(address) as agent:
                record, took = self.timed('-t', '300ms', '-r', '1', agent.target)
                self.assertEqual(record['status'], 'timeout', record)
                self.assertIn('in time', record['message'])
                self.assertGreaterEqual(took, 0.9)
                self.assertLess(took, 5)
                record, took = self.timed('-t', '60s', '--set', 'deadline=500ms', agent.target)
                self.assertEqual(record['status'], 'timeout', record)
                self.assertGreaterEqual(took, 0.5)
                self.assertLess(took, 5)

    def test_nobody_waits_for_those_that_block(self):
        """Thirty that block, through sixteen workers; beside them hosts over UDP, and one over TCP."""
        agents = self.agents()
        with streams.FullQueue() as full, streams.Streams(answer) as agent:
            path = self.write('targets', '\n'.join([agent.target] + [full.target] * 30 + ['127.10.0.0/28']))
            records = self.poll('-t', '1s', '-r', '0', '-p', agents.port, '--targets', path, status=1)
        order = [(r['host'], r['status']) for r in records]
        self.assertEqual(len(order), 1 + 30 + 16)
        self.assertEqual({status for _, status in order[:17]}, {'ok'})
        self.assertEqual(set(order[17:]), {(full.target, 'timeout')})

    def test_closed_without_an_answer(self):
        with streams.Streams(lambda connection, number: streams.read_message(connection)) as agent:
            record, took = self.timed('-t', '10s', agent.target)
        self.assertEqual((record['status'], record['message']),
                         ('unreachable', 'the agent closed the connection without an answer'))
        self.assertLess(took, 5)

    def test_closed_within_an_answer(self):
        def half(connection, number):
            request = ber.Request(streams.read_message(connection))
            connection.sendall(ber.Tree(MIB).answer(request)[:-3])

        with streams.Streams(half) as agent:
            record, took = self.timed('-t', '10s', agent.target)
        self.assertEqual((record['status'], record['message']),
                         ('unreachable', 'the agent closed the connection within an answer'))
        self.assertLess(took, 5)

    def test_reset(self):
        def reset(connection, number):
            streams.read_message(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

        with streams.Streams(reset) as agent:
            record, took = self.timed('-t', '10s', agent.target)
        self.assertEqual((record['status'], record['message']),
                         ('unreachable', 'the agent reset the connection'))
        self.assertLess(took, 5)

    def test_closed_after_each_answer(self):
        """Not polite, but no failure: the next question goes over a new connection."""
        with streams.Streams(close_after_each) as agent:
            record = self.one('-t', '300ms', '-r', '5', '--set', 'max_repetitions=5', '-w', '1.3.6.1.2.1.1',
                              agent.target)
            self.assertEqual(len(record['vars']), 29, record)
            self.assertGreater(len(agent.connections), 3)

    def test_closed_in_the_middle_of_a_walk(self):
        """Rows so far are kept; whoever answered before is asked again by the tries."""
        def few(connection, number):
            for _ in range(2 if number == 0 else 0):
                connection.sendall(ber.Tree(MIB).answer(ber.Request(streams.read_message(connection))))
            streams.read_message(connection)

        with streams.Streams(few) as agent:
            record = self.one('-t', '200ms', '-r', '1', '--set', 'max_repetitions=5', '-w', '1.3.6.1.2.1.1',
                              agent.target, status=1)
        self.assertEqual(record['status'], 'partial', record)
        self.assertGreater(len(record['vars']), 0)
        self.assertRegex(record['message'], '^(unreachable|timeout): ')

    def test_garbage(self):
        for words in (b'SSH-2.0-OpenSSH_9.2p1\r\n', b'\x30\x84\xff\xff\xff\xff', bytes(100)):
            def talk(connection, number, words=words):
                streams.read_message(connection)
                connection.sendall(words)
                streams.never(connection, number)

            with streams.Streams(talk) as agent:
                record, took = self.timed('-t', '200ms', '-r', '1', agent.target)
            self.assertEqual(record['status'], 'malformed', record)
            self.assertIn('octets that are no message', record['message'])
            self.assertLess(took, 5)

    def test_answer_in_single_octets(self):
        def slowly(connection, number):
            response = ber.Tree(MIB).answer(ber.Request(streams.read_message(connection)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for octet in response:
                connection.sendall(bytes([octet]))
                time.sleep(0.002)

        with streams.Streams(slowly) as agent:
            self.assertEqual(self.one('-g', SYS_NAME, agent.target)['vars'][0]['value'], 'object 5')

    def test_source_address(self):
        with streams.Streams(answer) as agent:
            self.assertEqual(self.one('--source', '127.0.0.2', agent.target)['status'], 'ok')
            self.assertEqual([client[0] for client in agent.connections], ['127.0.0.2'])

    def test_requests_of_a_host_at_once(self):
        """per_host: walks side by side over one connection, answered in the wrong order."""
        def in_pairs(connection, number):
            connection.settimeout(0.3)
            held, data = [], b''
            while True:
                try:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                    for _, whole in ber.split(data):
                        held.append(ber.tlv(0x30, whole))
                    data = b''
                except TimeoutError:
                    pass
                if len(held) >= 2 or held and not data:
                    for message in reversed(held):
                        connection.sendall(ber.Tree(MIB).answer(ber.Request(message)))
                    held = []

        with streams.Streams(in_pairs) as agent:
            record = self.one('--set', 'per_host=2', '-w', '1.3.6.1.2.1.1.1', '-w', '1.3.6.1.2.1.1.2', '-w',
                              '1.3.6.1.2.1.1.3', agent.target)
            self.assertEqual([v['value'] for v in record['vars']], ['object 1', 'object 2', 'object 3'])
            self.assertEqual(len(agent.connections), 1)

    def test_a_connection_is_for_one_host(self):
        """The next one of a worker gets its own, though neither has an address."""
        def named(name):
            tree = ber.Tree({SYS_NAME: ber.string(name)})

            def serve(connection, number):
                while data := streams.read_message(connection):
                    connection.sendall(tree.answer(ber.Request(data)))
            return serve

        paths = {self.path(name): name for name in ('one', 'two', 'three')}
        with contextlib.ExitStack() as stack:
            for path, name in paths.items():
                stack.enter_context(streams.Streams(named(name), path, backlog=100))
            targets = self.write('targets', ''.join(f'unix:{path}\n' for path in list(paths) * 41))
            records = self.poll('--targets', targets, '-g', SYS_NAME)
        self.assertEqual(len(records), 123)
        for r in records:
            self.assertEqual(r['vars'][0]['value'], paths[r['host'].removeprefix('unix:')])

    def test_connecting_is_part_of_the_wait(self):
        """Accepted after three of four seconds, it has one left."""
        with streams.FullQueue(self.path('late')) as agent:
            accepted = []

            def accept():
                time.sleep(3)
                agent.listener.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    while True:
                        accepted.append(agent.listener.accept()[0])

            thread = threading.Thread(target=accept)
            thread.start()
            record, took = self.timed('-t', '4s', '-r', '0', agent.target)
            thread.join()
            for connection in accepted:
                connection.close()
        self.assertEqual((record['status'], record['message'][:21]), ('timeout', 'no answer after 1 try'))
        self.assertGreaterEqual(took, 4)
        self.assertLess(took, 6)


class Processes(poller.Poll):
    """Workers that block, die, or stop."""

    def blocked(self, *words):
        """A poller whose worker connects to somebody who streams.never accepts."""
        full = streams.FullQueue()
        self.addCleanup(full.__exit__)
        process = self.start_poller('-F', 'jsonl', '-t', '100s', '-r', '0', *words, full.target)
        return process, self.worker(process)

    def worker(self, process, known=()):
        """The pid of a worker that none of `known` is, when it blocks."""
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            for pid in set(processes.children_or_none(process.pid)) - set(known):
                with contextlib.suppress(OSError), open(f'/proc/{pid}/wchan', encoding='ascii') as f:
                    f.read()
                    time.sleep(0.3)  # it connects at once
                if pid in processes.children_or_none(process.pid):  # not the first, which only tries the sandbox
                    return pid
            time.sleep(0.01)
        self.fail('no worker')

    def record(self, process, status):
        out, err = process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, status, err)
        self.stderr = err.decode()
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(records), 1, records)
        return records[0]

    def test_signal(self):
        """Nobody waits for a connection that is being made."""
        def attempt():
            process, _ = self.blocked()
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            record = self.record(process, 128 + signal.SIGTERM)
            self.assertEqual((record['status'], record['message']), ('cancelled', 'stopped by a signal'))
            self.assertEqual(self.stderr, '')
            return time.monotonic() - start
        self.assert_once_below(2, attempt)

    def test_deadline_of_the_run(self):
        start = time.monotonic()
        process, _ = self.blocked('--deadline', '1s')
        record = self.record(process, 1)
        self.assertEqual(record['status'], 'cancelled')
        self.assertLess(time.monotonic() - start, 5)

    def test_killed_once(self):
        """Another worker asks again."""
        with streams.Streams(streams.never) as agent:
            process = self.start_poller('-F', 'jsonl', '-t', '3s', '-r', '0', agent.target)
            os.kill(self.worker(process), signal.SIGKILL)
            record = self.record(process, 1)
            self.assertEqual(record['status'], 'timeout')
            self.assertEqual(len(agent.connections), 2)
        self.assertIn('was killed by signal 9', self.stderr)

    def test_killed_three_times(self):
        process, pid = self.blocked()
        known = []
        for _ in range(3):
            known.append(pid)
            os.kill(pid, signal.SIGSEGV)
            if len(known) < 3:
                pid = self.worker(process, known)
        self.assertEqual(self.record(process, 1)['status'], 'crashed')

    def test_stopped(self):
        """Who cannot even say that its host's time is over is killed, and that is the host's record."""
        with streams.Streams(streams.never) as agent:
            process = self.start_poller('-F', 'jsonl', '-t', '10s', '--set', 'deadline=1s', agent.target)
            start = time.monotonic()
            os.kill(self.worker(process), signal.SIGSTOP)
            record = self.record(process, 1)
        self.assertEqual(record['status'], 'timeout')
        self.assertIn('the host\'s time was over', record['message'])
        self.assertLess(time.monotonic() - start, 5)
        self.assertNotIn('killed', self.stderr)

    def test_workers_only_for_targets(self):
        """Neither are there sessions without such targets, nor others without targets over UDP."""
        with streams.Streams(streams.never) as agent:
            process = self.start_poller('-t', '2s', '-r', '0', '-j', '3', agent.target, agent.target)
            self.worker(process)
            self.assertEqual(len(processes.children(process.pid)), 2)
        agents = self.agents('*:silent')
        process = self.start_poller('-t', '2s', '-r', '0', '-j', '3', '-p', agents.port, '127.10.0.1')
        self.worker(process)
        self.assertEqual(len(processes.children(process.pid)), 3)


@unittest.skipUnless(poller.have('unshare') and poller.have('ip'), 'needs unshare and ip')
class Names(poller.Poll):
    """In name spaces of their own, so that nobody else sees these addresses and names."""

    def apart(self, script, *words):
        run = subprocess.run(['unshare', '-n', '-m', 'sh', '-ec', 'ip link set lo up\n' + script, 'sh',
                              *map(str, words)], capture_output=True, text=True, check=False,
                             timeout=poller.LONG, stdin=subprocess.DEVNULL)
        if 'unshare' in run.stderr or 'not permitted' in run.stderr:
            self.skipTest('no name spaces: ' + run.stderr)
        return run

    def test_zone(self):
        """A link-local address is asked through the interface that its zone names."""
        run = self.apart('ip addr add fe80::77/64 dev lo nodad; exec "$@"', sys.executable, '-c', '''
import socket, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
import ber
tree = ber.Tree({"1.3.6.1.2.1.1.1.0": ber.string("here")})
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(socket.getaddrinfo("fe80::77%lo", 0, type=socket.SOCK_DGRAM)[0][4])
def serve():
    while True:
        data, client = s.recvfrom(65535)
        s.sendto(tree.answer(ber.Request(data)), client)
threading.Thread(target=serve, daemon=True).start()
for zone in "lo", "nosuch":
    subprocess.run([sys.argv[2], "-F", "jsonl", "-t", "5s", f"[fe80::77%{zone}]:{s.getsockname()[1]}"])
''', os.path.dirname(os.path.abspath(__file__)), poller.MULTISNMP)
        record = json.loads(run.stdout)  # one line: the second run polls nothing
        self.assertEqual(record['status'], 'ok', record)
        self.assertRegex(record['address'], r'^\[fe80::77%(lo|1)\]:\d+$')
        self.assertIn("no network interface 'nosuch'", run.stderr)

    def test_silent_name_server(self):
        """Resolution has a time of its own, however short the hosts' waits are; it holds up its own targets."""
        resolv = self.write('resolv.conf', 'nameserver 127.0.0.1\n', mode=0o644)
        run = self.apart('mount --bind "$1" /etc/resolv.conf; shift; exec "$@"', resolv, sys.executable, '-c', '''
import socket, subprocess, sys, threading, time
sys.path.insert(0, sys.argv[1])
import ber
import together
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 53))
with ber.Device(ber.Tree({"1.3.6.1.2.1.1.1.0": ber.string("here")}).answer) as device:
    start = time.monotonic()
    with subprocess.Popen([sys.argv[2], "-F", "jsonl", "-t", "50ms", "-r", "0", "-p", str(device.port),
                           "silent.example", "tcp:silent.example", "127.0.0.1", "127.0.0.1"],
                          stdout=subprocess.PIPE, text=True) as poller:
        for line in poller.stdout:
            print(f"{time.monotonic() - start:.3f}", line, end="")
''', os.path.dirname(os.path.abspath(__file__)), poller.MULTISNMP)
        lines = [line.split(' ', 1) for line in run.stdout.splitlines()]
        found = [(float(took), json.loads(text)) for took, text in lines]
        self.assertEqual([r['status'] for _, r in found], ['ok', 'ok', 'resolve', 'resolve'], run.stderr)
        self.assertLess(found[1][0], 1.5)
        self.assertGreater(found[2][0], 2)
        self.assertLess(found[3][0], 30)
        self.assertIsNone(found[2][1]['address'])

    def test_two_addresses_over_tcp(self):
        """IPv4 first; it refuses, so the IPv6 address is asked."""
        if not has_ipv6():
            self.skipTest('no IPv6')
        hosts = self.write('hosts', '127.0.0.1 two-homes\n::1 two-homes\n', mode=0o644)
        with streams.Streams(answer, ('::1', 0)) as agent:
            port = agent.address[1]
            for family, status in (('any', 'ok'), ('6', 'ok'), ('4', 'unreachable')):
                run = subprocess.run(
                    ['unshare', '-m', 'sh', '-c', 'mount --bind "$1" /etc/hosts && shift && exec "$@"', 'sh',
                     hosts, poller.MULTISNMP, '-F', 'jsonl', '-t', '5s', '--set', f'family={family}',
                     f'tcp:two-homes:{port}'], capture_output=True, text=True, check=False,
                    stdin=subprocess.DEVNULL)
                if 'unshare' in run.stderr or 'mount' in run.stderr:
                    self.skipTest('no mount namespace: ' + run.stderr)
                record = json.loads(run.stdout)
                self.assertEqual(record['status'], status, record)
                if status == 'ok':
                    self.assertEqual(record['address'], f'[::1]:{port}')
            self.assertEqual(len(agent.connections), 2)


if __name__ == '__main__':
    together.main()

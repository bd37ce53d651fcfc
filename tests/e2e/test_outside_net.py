#!/usr/bin/env python3
"""What fails around the program on the network's side: routes, interfaces, name servers; and the clock on the wall.

Networks are namespaces of the test's own, with two interfaces that are joined (veth); name servers are a few lines of
Python in there; the clock is preloaded (clock.c), the machine's is never touched.
"""
import calendar
import json
import os
import socket
import struct
import subprocess
import threading
import time
import unittest
import unittest.mock

import dns
import namespaces
import poller
import summary
import together

CLOCK = os.path.join(poller.BUILD, 'tests', 'e2e', 'clock.so')
DAY = 86400
SILENT_SERVERS = 'no answer from the name servers: can they be reached from here?'
FAILING = 'no name server can be reached, or all fail (SERVFAIL, REFUSED)'


class Net(poller.Poll):
    def finish(self, process, status=0):
        """{host: record}"""
        records = super().finish(process, status)
        self.assertEqual(len({r['host'] for r in records}), len(records))
        return {r['host']: r for r in records}

    def resolv_conf(self, *servers):
        text = ''.join(f'nameserver {s}\n' for s in servers)
        namespaces.bind(self.write('resolv.conf', text, mode=0o644), '/etc/resolv.conf')

    def assert_summary(self):
        told = summary.Summary(self.stderr)
        self.assertEqual(told.count['sent'], told.sends(), self.stderr)
        return told.count


class Routes(Net):
    """10.99.0.1/16 on an interface whose other end is ours, too, and silent."""

    def joined(self):
        try:
            namespaces.ip('link add here type veth peer name there')
        except subprocess.CalledProcessError:
            self.skipTest('no veth')
        namespaces.ip('addr add 10.99.0.1/16 dev here')
        namespaces.ip('link set here up')
        namespaces.ip('link set there up')

    @namespaces.of_its_own('net')
    def test_no_route(self):
        """No datagram can leave: told at once, and it costs nobody else anything."""
        park = self.agents()
        process = self.start_poller('-F', 'jsonl', '-s', '-t', '60s', '-p', park.port, '192.0.2.0/24', '127.50.0.0/24')
        records = self.finish(process, 1)
        self.assertEqual(len(records), 512)
        for host, record in records.items():
            self.assertEqual(record['status'], 'ok' if host.startswith('127.') else 'unreachable', record)
        self.assert_summary()

    @namespaces.of_its_own('net')
    def test_interface_goes_down_in_the_middle(self):
        """What was sent through it waits or is told to be gone; what is asked afterwards has no route; the others go on."""
        self.joined()
        park = self.agents('*:late=300ms')
        process = self.start_poller('-F', 'jsonl', '-s', '-j', '1', '--window', '40', '-t', '2s', '-r', '0', '-p', park.port,
                                    '10.99.1.0-19', '127.50.0.0-199', '10.99.1.20-29')
        self.wait_until(lambda: park.counters()['received'] >= 20)
        namespaces.ip('link set here down')
        records = self.finish(process, 1)
        self.assertEqual(len(records), 230)
        for host, record in records.items():
            self.assertIn(record['status'], ('ok',) if host.startswith('127.') else ('unreachable', 'timeout'), record)
        for n in range(20, 30):
            self.assertEqual(records[f'10.99.1.{n}']['status'], 'unreachable')
        self.assert_summary()

    @namespaces.of_its_own('net')
    def test_interface_comes_back(self):
        """Down for a moment while answers are on their way: a further try asks again."""
        self.joined()
        namespaces.ip('addr add 10.99.0.2/16 dev lo')  # the devices' address: it stays
        park = self.agents('*:lose-first=1')
        process = self.start_poller('-F', 'jsonl', '-s', '-t', '500ms', '-r', '3', '--source', '127.0.0.1', '-p', park.port,
                                    '127.50.0.0-99')
        self.wait_until(lambda: park.counters()['received'] >= 100)
        namespaces.ip('link set lo down')
        time.sleep(0.1)
        namespaces.ip('link set lo up')
        records = self.finish(process, 0)
        self.assertEqual({r['status'] for r in records.values()}, {'ok'})
        self.assert_summary()

    @namespaces.of_its_own('net')
    def test_source_address_vanishes(self):
        self.joined()
        namespaces.ip('addr add 127.9.9.9/32 dev lo')
        park = self.agents('*:late=200ms')
        process = self.start_poller('-F', 'jsonl', '-s', '-j', '1', '--window', '20', '-t', '1s', '-r', '1', '--source',
                                    '10.99.0.1', '-p', park.port, '10.99.0.1', '10.99.1.0-99')
        self.wait_until(lambda: park.counters()['received'] >= 1)
        namespaces.ip('addr del 10.99.0.1/16 dev here')
        records = self.finish(process, 1)
        self.assertEqual(len(records), 101)
        for host, record in records.items():
            if host != '10.99.0.1':
                self.assertIn(record['status'], ('timeout', 'unreachable'), record)
        self.assert_summary()

    @namespaces.of_its_own('net')
    def test_full_neighbour_table(self):
        """More silent neighbours than the kernel keeps (1,024): who finds no place waits, and that is no try of his."""
        self.joined()
        park = self.agents()
        process = self.start_poller('-F', 'jsonl', '-s', '-t', '400ms', '-r', '1', '-p', park.port, '10.99.64.0/22',
                                    '10.99.68.0/24', '127.50.0.0/23')
        records = self.finish(process, 1)
        self.assertEqual(len(records), 1280 + 512)
        for host, record in records.items():
            if host.startswith('127.'):
                self.assertEqual((record['status'], record['tries']), ('ok', 1), record)
            else:
                self.assertIn(record['status'], ('timeout', 'unreachable'), record)
            if record['status'] == 'timeout':
                self.assertEqual(record['tries'], 2)
        self.assert_summary()


class Server(threading.Thread):
    """A name server: answer(query) gives the datagrams that it sends back."""

    def __init__(self, address, answer):
        super().__init__(daemon=True)
        self.answer, self.asked = answer, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.start()

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            self.asked += 1
            for datagram in self.answer(query):
                self.socket.sendto(datagram, peer)


def right(query):
    return [dns.answer(query, addresses=['127.51.0.1'])]


class Names(Net):
    """Each kind of bad name server, alone and before a good one; numbers in the same run do not wait for it."""

    BAD = {
        'silent': lambda q: [],
        'servfail': lambda q: [dns.answer(q, dns.SERVFAIL)],
        'refused': lambda q: [dns.answer(q, dns.REFUSED)],
        'garbage': lambda q: [os.urandom(80), q[:2] + os.urandom(60)],
        'head': lambda q: [q[:2] + b'\x81\x80\0\1\0\1'],
        'cut': lambda q: [dns.answer(q, addresses=['127.51.0.1'])[:-3]],
        'loop': lambda q: [q[:2] + b'\x81\x80\0\1\0\1\0\0\0\0' + b'\xc0\x0c\0\1\0\1' + b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4'],
        'truncated': lambda q: [dns.answer(q, dns.TRUNCATED)],  # and nobody is there for TCP
        'huge': lambda q: [dns.answer(q, addresses=['127.51.0.1'] * 3000, pad=b'x' * 12000)],
        'wrong-id': lambda q: [bytes([q[0] ^ 255]) + dns.answer(q, addresses=['127.51.0.9'])[1:]],
        'many': lambda q: [dns.answer(q, addresses=[f'127.51.0.{n}' for n in range(28)])],  # what 512 octets hold
    }

    def bad(self, query):
        """By the name's first label."""
        return self.BAD[dns.question(query)[0].split('.')[0]](query)

    def poll_names(self, park, *names, status):
        """The records of these names; and of 256 addresses, which are there before a name is given up for silence."""
        process = self.start_poller('-F', 'jsonl', '-t', '2s', '-p', park.port, *names, '127.51.0.0/24')
        records = list(self.finish(process, status).values())
        self.assertEqual(self.stderr, '')
        self.assertEqual(len(records), len(names) + 256)
        silent = [at for at, r in enumerate(records) if r.get('message') == SILENT_SERVERS]
        numbers = [at for at, r in enumerate(records) if r['host'] not in names]
        self.assertEqual({records[at]['status'] for at in numbers}, {'ok'})
        self.assertTrue(not silent or max(numbers) < min(silent))
        return {r['host']: r for r in records if r['host'] in names}

    @namespaces.of_its_own('net', 'mount')
    def test_bad_server_alone(self):
        park = self.agents()
        os.chmod(self.folder, 0o755)
        server = Server('127.0.0.53', self.bad)
        self.resolv_conf('127.0.0.53')
        bad = [name for name in self.BAD if name != 'many']
        records = self.poll_names(park, *(f'{name}.example' for name in bad), status=1)
        for name in bad:
            record = records[f'{name}.example']
            with self.subTest(server=name):
                self.assertEqual(record['status'], 'resolve', record)
                self.assertTrue(record['message'], record)
        # apart from them, as in test_words
        self.assertEqual(self.poll_names(park, 'many.example', status=0)['many.example']['status'], 'ok')
        self.assertGreater(server.asked, len(self.BAD))

    @namespaces.of_its_own('net', 'mount')
    def test_words(self):
        """Apart from those above: the library takes the refused TCP connection of one name for a word about all."""
        park = self.agents()
        os.chmod(self.folder, 0o755)
        Server('127.0.0.53', self.bad)
        self.resolv_conf('127.0.0.53')
        records = self.poll_names(park, 'silent.example', 'servfail.example', status=1)
        self.assertEqual(records['silent.example']['message'], SILENT_SERVERS)
        # newer libraries know better which of the two it was
        self.assertIn(records['servfail.example']['message'], (FAILING, 'the name servers failed (SERVFAIL)'))

    @namespaces.of_its_own('net', 'mount')
    def test_bad_server_before_a_good_one(self):
        park = self.agents()
        os.chmod(self.folder, 0o755)
        Server('127.0.0.53', self.bad)
        good = Server('127.0.0.54', right)
        self.resolv_conf('127.0.0.53', '127.0.0.54')
        names = [f'{name}.example' for name in ('silent', 'servfail', 'refused', 'wrong-id')]
        for record in self.poll_names(park, *names, status=0).values():
            self.assertEqual(record['address'], f'127.51.0.1:{park.port}', record)
        self.assertGreater(good.asked, 3)

    @namespaces.of_its_own('net', 'mount')
    def test_another_name_server(self):
        """A service goes on when it comes to another network: what resolv.conf says holds from the next round on."""
        park = self.agents()
        os.chmod(self.folder, 0o755)
        nobody = Server('127.0.0.53', lambda q: [dns.answer(q, dns.NO_SUCH_NAME)])
        good = Server('127.0.0.54', right)
        self.resolv_conf('127.0.0.53')
        process = self.start_poller('-F', 'jsonl', '-i', '0.4', '-t', '2s', '-p', park.port, 'late.example', bufsize=0)
        self.assertEqual(json.loads(process.stdout.readline())['status'], 'resolve')
        self.assertEqual((nobody.asked > 0, good.asked), (True, 0))
        self.write('resolv.conf', 'nameserver 127.0.0.54\noptions timeout:1\n', mode=0o644)
        for record in map(json.loads, iter(process.stdout.readline, b'')):
            if record['status'] == 'ok':
                break
            self.assertLess(nobody.asked, 100, 'it never hears of it')
        self.assertEqual(record['address'], f'127.51.0.1:{park.port}')

    @namespaces.of_its_own('net', 'mount')
    def test_some_names_are_never_answered(self):
        """Names that the server answers do not wait for those that it does not."""
        park = self.agents()
        os.chmod(self.folder, 0o755)
        Server('127.0.0.53', lambda q: right(q) if b'good' in q else [])
        self.resolv_conf('127.0.0.53')
        bad = [f'bad{n}.example' for n in range(100)]
        good = [f'good{n}.example' for n in range(100)]
        process = self.start_poller('-F', 'jsonl', '-t', '2s', '-p', park.port, *bad, *good)
        records = [json.loads(line) for line in process.stdout]
        process.wait(poller.LONG)
        self.assertEqual([r['status'] for r in records], ['ok'] * 100 + ['resolve'] * 100)
        self.assertEqual({r['message'] for r in records[100:]}, {SILENT_SERVERS})

    @namespaces.of_its_own('net', 'mount')
    def test_slow_server_of_many_names(self):
        """A thousand names, and a server that takes a millisecond each, with a stock receive buffer: none is lost."""
        park = self.agents()
        os.chmod(self.folder, 0o755)
        server = Server('127.0.0.53', lambda q: time.sleep(0.001) or right(q))
        self.resolv_conf('127.0.0.53')
        process = self.start_poller('-F', 'jsonl', '-t', '2s', '-p', park.port, *(f'n{n}.example' for n in range(1000)))
        self.assertEqual({r['status'] for r in self.finish(process, 0).values()}, {'ok'})
        self.assertGreaterEqual(server.asked, 2000)

    @namespaces.of_its_own('net', 'mount')
    def test_localhost_without_hosts(self):
        """RFC 6761 section 6.3: no name server is asked about it."""
        park = self.agents()
        os.chmod(self.folder, 0o755)
        server = Server('127.0.0.53', lambda q: [])
        self.resolv_conf('127.0.0.53')
        namespaces.bind(self.write('hosts', '', mode=0o644), '/etc/hosts')
        # c-ares 1.18 forgets the name, 10 octets, where it answers by itself: no leak of ours
        options = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
        with unittest.mock.patch.dict(os.environ, {'ASAN_OPTIONS': options}):
            record = self.poll_names(park, 'localhost', status=0)['localhost']
        self.assertEqual((record['address'], server.asked), (f'127.0.0.1:{park.port}', 0))

    @namespaces.of_its_own('net', 'mount')
    def test_nobody_listens(self):
        park = self.agents()
        os.chmod(self.folder, 0o755)
        self.resolv_conf('127.0.0.53')
        record = self.poll_names(park, 'a.example', status=1)['a.example']
        self.assertEqual((record['status'], record['message']), ('resolve', FAILING))


@unittest.skipUnless(os.path.exists(CLOCK), 'needs clock.so (Linux)')
class Clock(Net):
    """The clock on the wall jumps by a day or more, back and forth, while answers are awaited."""

    def setUp(self):
        super().setUp()
        self.shift(0)
        os.chmod(self.folder, 0o755)
        self.env = {**os.environ, 'LD_PRELOAD': CLOCK, 'SHIFTED_CLOCK': self.path('shift')}
        if poller.WITH_ASAN:  # its library wants to be loaded first; no call of ours comes before it
            self.env['ASAN_OPTIONS'] = self.env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'

    def shift(self, seconds):
        mode = 'r+b' if os.path.exists(self.path('shift')) else 'wb'
        with open(self.path('shift'), mode) as f:
            f.write(struct.pack('=q', seconds))

    def run_with_jumps(self, *words, jumps, every=0.15, after=0, status=0):
        """The first jump comes after so many records."""
        started = time.monotonic()
        process = self.start_poller('-F', 'jsonl', '-s', *words, env=self.env, bufsize=0)
        early = [json.loads(process.stdout.readline()) for _ in range(after)]
        for seconds in jumps:
            time.sleep(every)
            self.shift(seconds)
        records = self.finish(process, status)
        self.took = time.monotonic() - started
        return {**{r['host']: r for r in early}, **records}

    def hours_off(self, record):
        wall = time.strptime(record['time'][:19], '%Y-%m-%dT%H:%M:%S')
        return (calendar.timegm(wall) - time.time()) / 3600

    def test_a_day_back(self):
        """Waits, tries and times are as without; `time` is what the wall says."""
        park = self.agents('127.52.0.0/25:late=2400ms', '127.52.1.0/25:silent')
        records = self.run_with_jumps('-t', '2s', '-r', '1', '-p', park.port, '127.52.0.0/24', '127.52.1.0/25',
                                      jumps=[-DAY], after=128, status=1)
        self.assertEqual(len(records), 384)
        for host, record in records.items():
            first = tuple(map(int, host.split('.')[2:]))
            if first[0] == 1:
                self.assertEqual((record['status'], record['tries']), ('timeout', 2))
            elif first[1] < 128:
                self.assertEqual((record['status'], record['tries']), ('ok', 2), record)
                self.assertGreater(record['rtt_ms'], 2399)
                self.assertLess(record['rtt_ms'], 10000)
                self.assertAlmostEqual(self.hours_off(record), -24, delta=0.5)
            else:
                self.assertLess(record['rtt_ms'], 10000)
                self.assertAlmostEqual(self.hours_off(record), 0, delta=0.5)
        numbers = self.assert_summary()
        self.assertEqual(numbers['sent'], 384 + 256)
        self.assertGreater(self.took, 6)
        self.assertLess(self.took, 30)

    def test_jumps_to_and_fro(self):
        """Beyond any range, too: 1901, 2106."""
        park = self.agents('*:silent')
        records = self.run_with_jumps('-t', '300ms', '-r', '2', '--deadline', '60s', '-p', park.port, '127.52.2.0/25',
                                      jumps=[DAY, -DAY, 80 * 365 * DAY, -125 * 365 * DAY, 0], status=1)
        self.assertEqual({(r['status'], r['tries']) for r in records.values()}, {('timeout', 3)})
        self.assertGreater(self.took, 2)
        self.assertLess(self.took, 30)

    def test_deadline_and_rate(self):
        park = self.agents('*:silent')
        records = self.run_with_jumps('-t', '60s', '--deadline', '1s', '--rate', '100', '-p', park.port, '127.52.2.0/24',
                                      jumps=[-DAY, DAY], every=0.3, status=1)
        self.assertEqual({r['status'] for r in records.values()}, {'cancelled'})
        self.assertGreater(self.took, 0.95)
        self.assertLess(self.took, 30)
        self.assertGreater(park.counters()['received'], 60)
        self.assertLess(park.counters()['received'], 130)

    def test_time_window(self):
        """SNMPv3's clocks are engines', counted on by one that does not jump: a walk goes on, no resynchronisation."""
        park = self.agents('*:rows=30,late=40ms', options=('--user', poller.USER))
        process_words = ('-t', '2s', '-w', '1.3.6.1.2.1.2.2', '-p', park.port, *poller.V3, '127.52.3.0-9')
        records = self.run_with_jumps(*process_words, jumps=[-DAY, 2 * DAY, -300, 300])
        self.assertEqual({(r['status'], len(r['vars'])) for r in records.values()}, {('ok', 22 * 30)})
        self.assertEqual(park.counters()['reports'].get('notInTimeWindows', 0), 0)

    @namespaces.of_its_own('net', 'mount')
    def test_name_server_later_than_the_jump(self):
        """The resolver's waits are not of the wall either."""
        park = self.agents()
        late = threading.Event()
        server = Server('127.0.0.53', lambda q: right(q) if late.is_set() else [])
        self.resolv_conf('127.0.0.53')
        started = time.monotonic()
        process = self.start_poller('-F', 'jsonl', '-s', '-p', park.port, 'late.example', env=self.env)
        self.wait_until(lambda: server.asked)
        self.shift(-DAY)
        late.set()
        self.assertEqual(self.finish(process, 0)['late.example']['status'], 'ok')
        self.assertLess(time.monotonic() - started, 60)


if __name__ == '__main__':
    together.main()

#!/usr/bin/env python3
"""A broker by its name: name servers of the tests' own, in a network that nobody else sees. A name with dead addresses before the right
one, a name that nobody has, numbers of IPv6; and processes that live for months, while the broker and the name servers move."""
import os
import shutil
import socket
import unittest

import amqp_proxy
import dist
import dns
import namespaces
import poller
import rabbit
import test_outside_net

DEAD, BLACK_HOLE = '127.0.0.66', '10.99.0.2'  # nobody listens; nobody answers at all
BLOCK = ['127.2.0.0/24']


class Moving(amqp_proxy.Proxy):
    """Before the broker at an address and port of ours."""

    def __init__(self, target, address, port=0):
        self.address, self.wanted = address, port
        super().__init__(target)

    def bound(self, port):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.address, port or self.wanted))
        return s


@rabbit.needs_broker
class Names(dist.Stage):
    with_broker = False

    def world(self, addresses):
        """A broker at 127.0.0.1 and ::1, devices, and a name server that knows these names; they may be changed."""
        os.chmod(self.folder, 0o755)
        self.own_etc()
        self.broker = rabbit.Broker(start=False)
        self.addCleanup(self.broker.remove)
        self.broker.settings += (f'listeners.tcp.2 = ::1:{self.broker.port}',)
        self.broker.write_files()
        self.broker.start()
        self.vhost = self.broker.vhost('names')
        self.devices('*:ok')
        self.addresses = addresses
        self.serve('127.0.0.53')

    def own_etc(self):
        """A copy, in which files may be replaced by others."""
        shutil.copytree('/etc', self.path('etc'), symlinks=True)
        os.chmod(self.path('etc'), 0o755)
        namespaces.bind(self.path('etc'), '/etc')

    def serve(self, address):
        """Another name server, which is the one from now on: its file takes the place of the one that was there."""
        self.server = test_outside_net.Server(address, self.answer)
        new = self.write('etc/resolv.conf.new', f'nameserver {address}\noptions timeout:1\n', mode=0o644)
        os.replace(new, self.path('etc/resolv.conf'))

    def answer(self, query):
        name = dns.question(query)[0]
        if name in self.addresses:
            return [dns.answer(query, addresses=self.addresses[name])]
        return [dns.answer(query, dns.NO_SUCH_NAME)]

    def at(self, host, port=None):
        return self.broker.url(self.vhost).replace('127.0.0.1', host).replace(str(self.broker.port), str(port or self.broker.port))

    def poll_at(self, url):
        """The whole way there and back, by a master of its own."""
        self.judge(self.start_master(url=url, hosts=self.write_hosts(hosts=BLOCK)), {'ok': 256})

    @namespaces.of_its_own('net', 'mount')
    def test_addresses(self):
        namespaces.ip('link add here type veth peer name there')
        namespaces.ip('addr add 10.99.0.1/16 dev here')
        namespaces.ip('link set here up')
        namespaces.ip('link set there up')
        namespaces.ip(f'neigh add {BLACK_HOLE} lladdr 02:00:00:00:00:01 dev here')
        self.world({'broker.example': [DEAD, '127.0.0.1'], 'hole.example': [BLACK_HOLE, '127.0.0.1']})
        for host in 'broker.example', 'hole.example', '[::1]':
            agent = self.start_agent('a1', url=self.at(host))
            self.poll_at(self.at(host))
            agent.terminate()
            self.assertEqual(agent.wait(poller.LONG), 0, self.told(agent))
        self.assertGreater(self.server.asked, 3)

    @namespaces.of_its_own('net', 'mount')
    def test_no_such_name(self):
        """A master ends, and says why; an agent waits until there is one."""
        self.world({'empty.example': []})
        for host, why in ('nobody.example', 'no such name: is it spelled right'), ('empty.example', 'has no address'):
            run = self.run_poller('--broker', self.at(host), '-p', self.park.port, '127.2.0.1')
            self.assertEqual(run.returncode, 4, run.stderr)
            self.assertIn(f"broker '{host}'", run.stderr)
            self.assertIn(why, run.stderr)
            self.assertEqual(run.stdout, '')
        agent = self.start_agent('a1', url=self.at('late.example'))
        self.wait_until(lambda: 'no such name' in self.told(agent), 'it says nothing')
        self.addresses['late.example'] = ['127.0.0.1']
        self.poll_at(self.at('127.0.0.1'))

    @namespaces.of_its_own('net', 'mount')
    def test_broker_and_name_server_move(self):
        """While an agent and a service are connected, both in their sandboxes: at each connection the name is looked up anew, and
        with the name servers of that day."""
        self.world({'moving.example': ['127.0.0.21']})
        target = self.broker.port
        one = Moving(target, '127.0.0.21')
        self.addCleanup(one.stop)
        url = self.at('moving.example', one.port)
        agent = self.start_agent('a1', url=url)
        service = self.start_poller('--broker', url, '-F', 'jsonl', '-i', '1s', '--no-spread', '-p', self.park.port, '127.2.0.1')
        self.round_of(service)
        self.addresses['moving.example'] = ['127.0.0.22']
        one = self.move(one, '127.0.0.22')
        self.round_of(service, agent)
        old = self.server
        self.addresses = {'moving.example': ['127.0.0.23']}
        old.answer = lambda query: []  # it is in another network now, and silent
        self.serve('127.0.0.54')
        one = self.move(one, '127.0.0.23')
        self.round_of(service, agent)
        self.assertGreater(self.server.asked, 0)

    def move(self, old, address):
        new = Moving(self.broker.port, address, old.port)
        self.addCleanup(new.stop)
        old.stop()
        return new

    def round_of(self, service, agent=None):
        """Some records that come from now on are `ok`: what waits in the pipe is read."""
        end = 8
        while end > 0:
            line = service.stdout.readline()
            self.assertTrue(line, 'it has ended')
            end -= b'"status":"ok"' in line.replace(b' ', b'')
        if agent is not None:
            self.assertIsNone(agent.poll(), self.told(agent))


if __name__ == '__main__':
    unittest.main(verbosity=2)

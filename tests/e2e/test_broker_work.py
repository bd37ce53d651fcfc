#!/usr/bin/env python3
"""What is asked over a broker, of whom, and what comes of it: tasks that kill, credentials that are not there, sites without agents,
two masters, rounds; and no secret in any message."""
import collections
import json
import os
import signal
import time
import unittest

import amqp
import amqp_proxy
import dist
import killers
import poller
import rabbit

FIRST = 5000  # requests: the middle
DEADLY = '127.3.14.5'
MARK = 'x' * 8  # in what devices with long values say, and no other
SECRETS = 'authority1', 'secrecy123', 'a-community-of-ours', 'inline-in-masters-file'
CREDENTIALS = '''credentials:
  core-v3: {version: 3, user: poller, auth: SHA-256, auth_pass: authority1, priv: AES, priv_pass: secrecy123}
  old: {version: 2c, community: a-community-of-ours}
'''
NAMES_ONLY = '''credentials:
  core-v3: {version: 3, user: poller, auth: SHA-256, auth_pass: inline-in-masters-file, priv: AES, priv_pass: inline-in-masters-file}
'''
WITH_CRYPTO = unittest.skipUnless(os.environ.get('WITH_TLS', 'yes') == 'yes', 'the agents have no cryptography')


@rabbit.needs_broker
class Tasks(dist.Stage):
    @killers.needs_poison
    def test_one_kills_every_worker(self):
        """It is `crashed`, and nobody else is."""
        self.devices(f'{DEADLY}:long-values=40,late=100ms', dist.LATE)
        for name in 'a1', 'a2':
            self.start_agent(name, env=killers.poisoned(MARK))
        master = self.start_master()
        self.judge(master, {'ok': dist.HOSTS - 1, 'crashed': 1}, status=1)
        self.assertEqual([r['host'] for r in self.records() if r['status'] == 'crashed'], [DEADLY])

    def test_statuses(self):
        """They are the agents': silent and refusing devices, names that are none."""
        self.devices('127.3.14.0/28:silent', '127.3.14.16/28:error=5', dist.LATE)
        self.start_agent('a1')
        master = self.start_master('-t', '2s', '-r', '1', '127.2.0.0/24', '127.3.14.0/27', 'no.such.name.invalid')
        self.end_of(master, 1)
        count = collections.Counter(r['status'] for r in self.records())
        self.assertEqual(count, {'ok': 256, 'timeout': 16, 'error': 16, 'resolve': 1})

    def test_rows(self):
        """A record of many messages: a table of 5,000 rows, from each of several devices, beside others."""
        self.devices('127.2.0.0/30:rows=5000', '*:ok')
        self.start_agent('a1')
        local = self.poll('-p', self.park.port, '-w', '1.3.6.1.2.1.2.2.1.10', '127.2.0.0/28')
        records = self.poll('--broker', self.url(), '-p', self.park.port, '-w', '1.3.6.1.2.1.2.2.1.10', '127.2.0.0/28')
        rows = lambda these: {r['host']: [v['oid'] for v in r['vars']] for r in these}
        self.assertEqual(rows(records), rows(local))
        self.assertEqual(len(rows(records)['127.2.0.1']), 5000)


@rabbit.needs_broker
class Credentials(dist.Stage):
    @WITH_CRYPTO
    def test_one_that_an_agent_lacks(self):
        """Its targets get a record that says so; those of an agent that has it are answered."""
        self.devices(dist.LATE, options=('--user', poller.USER))
        self.start_agent('a1', 'north', text=CREDENTIALS)
        self.start_agent('a2', 'south')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: core-v3}}\n' + NAMES_ONLY +
                           'hosts:\n' + ''.join(f'  - {{host: {block}, site: {"north" if i else "south"}}}\n'
                                                for i, block in enumerate(dist.BLOCKS)))
        master = self.start_master(hosts=hosts)
        south = 16384
        self.judge(master, {'ok': dist.HOSTS - south, 'error': south}, status=1)
        said = {r['message'] for r in self.records() if r['status'] == 'error'}
        self.assertEqual(len(said), 1, said)
        for word in 'a2', 'south', 'core-v3', 'credential':
            self.assertIn(word, next(iter(said)))

    @WITH_CRYPTO
    def test_a_wrong_one(self):
        """An agent whose file has another passphrase: `auth`, in the device's words."""
        self.devices('*:ok', options=('--user', poller.USER))
        self.start_agent('a1', text=CREDENTIALS.replace('authority1', 'another-one'))
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: core-v3}}\n' + NAMES_ONLY +
                           'hosts: [127.2.0.0/26]\n')
        master = self.start_master(hosts=hosts)
        self.end_of(master, 1)
        self.assertEqual(collections.Counter(r['status'] for r in self.records()), {'auth': 64})

    @WITH_CRYPTO
    def test_no_secret_in_any_message(self):
        """Every octet that went to the broker and from it, in clear, is read."""
        self.devices('*:ok', options=('--user', poller.USER, '--community', 'a-community-of-ours'))
        with amqp_proxy.Proxy(self.broker.port, keep=True) as proxy:
            agent = self.start_agent('a1', url=self.url(proxy), text=CREDENTIALS)
            hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}}}\n' + NAMES_ONLY +
                               '  old: {version: 2c, community: inline-in-masters-file}\n' +
                               'hosts:\n  - {host: 127.2.0.0/21, credential: core-v3}\n  - {host: 127.3.0.0/22, credential: old}\n')
            master = self.start_master(url=self.url(proxy), hosts=hosts)
            self.end_of(master)
            agent.terminate()
            agent.wait(poller.LONG)
            self.assertEqual(collections.Counter(r['status'] for r in self.records()), {'ok': 3072})
            octets, messages = b''.join(proxy.octets()), proxy.messages()
        names = [exchange for exchange, *_ in messages]
        self.assertGreater(names.count('multisnmp.tasks'), 2 * 3072 / 512 - 2)  # published and delivered
        self.assertGreater(names.count('multisnmp.results'), 2 * 3072 / 512 - 2)
        self.assertGreater(names.count('multisnmp.control'), 1)
        self.assertIn(b'core-v3', octets, 'the name of the credential is there, so this would see what follows it')
        self.assertIn(b'core-v3', b''.join(body for *_, body in messages))
        for secret in SECRETS:
            self.assertNotIn(secret.encode(), octets)
            self.assertNotIn(secret.encode(), b''.join(b''.join((p, body)) for _, _, p, body in messages))
        for name in os.listdir(self.folder):
            if name.endswith('.log'):
                self.assertNotIn('authority1', self.read(name))

    def test_inline_secrets_are_refused(self):
        """With a broker a secret has no way to the agent: usage error, at its place, and nothing is polled."""
        self.devices('*:ok')
        for words in (('-c', 'mysecret'), ('-v', '3', '-u', 'me', '-l', 'authNoPriv', '-a', 'SHA-256', '-A', 'mysecret')):
            run = self.run_poller('--broker', self.url(), '-p', self.park.port, *words, '127.2.0.1')
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn('credential', run.stderr)
            self.assertNotIn('mysecret', run.stderr)
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}}}\nhosts:\n  - {{host: 127.2.0.1, community: mysecret}}\n')
        run = self.run_poller('--broker', self.url(), '-f', hosts)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn('hosts.yaml:3:', run.stderr)
        self.assertNotIn('mysecret', run.stderr)
        self.assertEqual(self.asked(), 0)


@rabbit.needs_broker
class Sites(dist.Stage):
    def two_sites(self, more=''):
        return self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, timeout: 2s, retries: 1}}\n{more}'
                          'hosts:\n  - {host: 127.2.0.0/24, site: north}\n  - {host: 127.3.0.0/24, site: south}\n')

    def test_each_asks_its_own(self):
        """Each site's devices are asked by its own agent alone."""
        self.devices('127.3.0.0/24:silent', '*:ok')
        self.start_agent('a1', 'north')
        self.start_agent('a2', 'south')
        master = self.start_master(hosts=self.two_sites())
        self.end_of(master, 1)
        self.assertEqual(collections.Counter((r['status'], r['host'][:5]) for r in self.records()),
                         {('ok', '127.2'): 256, ('timeout', '127.3'): 256})

    def test_no_agent_of_a_site(self):
        """The other site's records come, and who waits for what is told; the run ends by itself."""
        self.devices('*:ok')
        self.start_agent('a1', 'north')
        self.wait_for_site('north')
        master = self.start_master(hosts=self.two_sites('broker: {patience: 6s, attempts: 1}\n'))
        self.end_of(master, 1)
        self.assertEqual(collections.Counter((r['status'], r['host'][:5]) for r in self.records()),
                         {('ok', '127.2'): 256, ('lost', '127.3'): 256})
        self.assertRegex(self.told(master), r'no agent of site .?south.? is connected')
        self.assertIn('256', self.told(master))

    def test_lost(self):
        """An agent that takes and never answers: after the last attempt the records are `lost`."""
        self.devices('*:late=60s')
        agent = self.start_agent('a1', 'north', pace=('-j', '1', '--window', '500'))
        other = self.start_agent('a2', 'south')
        self.wait_for_site('north')
        master = self.start_master(hosts=self.write(
            'hosts.yaml', f'defaults: {{port: {self.park.port}, timeout: 90s, retries: 0}}\nbroker: {{patience: 2s, attempts: 2}}\n'
            'hosts:\n  - {host: 127.2.0.0/24, site: north}\n'))
        self.wait_for_requests(50, master)
        self.kill_all(agent, signal.SIGSTOP)
        self.end_of(master, 1)
        records = self.records()
        self.assertEqual(collections.Counter(r['status'] for r in records), {'lost': 256})
        self.assertTrue(all(r['message'] for r in records))
        self.assertIsNone(other.poll())


@rabbit.needs_broker
class Strangers(dist.Stage):
    """Somebody else at the broker: who takes tasks and never finishes them, who writes what is no message of ours."""

    def client(self):
        client = amqp.Client(self.broker.port, self.vhost, rabbit.USER, rabbit.PASSWORD)
        self.addCleanup(client.close)
        return client

    def wait_for_queue(self, start):
        """The name of the queue that begins so, when a master has declared it."""
        names = lambda: [name for name in self.broker.queues(self.vhost) if name.startswith(start)]
        self.wait_until(names, f'no queue {start}', 0.1)
        return names()[0]

    def give_back(self, queue, most):
        """Takes and gives back, as agents that die do, until nothing comes any more; how often."""
        client, times = self.client(), 0
        self.wait_until(lambda: self.broker.queues(self.vhost)[queue][0], 'no tasks', 0.1)
        while times < most:
            message = client.get(queue)
            if message is None:
                break
            client.requeue(message)
            times += 1
        return times

    def test_given_up_by_the_broker(self):
        """A batch that killed agent after agent comes to the master as a dead letter: a record for each of its tasks."""
        self.devices('*:ok')
        master = self.start_master(hosts=self.write_hosts(hosts=['127.2.0.0/25']))
        times = self.give_back(self.wait_for_queue('multisnmp.tasks.'), 1000)
        self.assertGreater(times, 0)
        self.assertEqual(times % 21, 0)
        self.end_of(master, 1)
        records = self.records()
        self.assertEqual(len({r['host'] for r in records}), 128)
        self.assertEqual(collections.Counter(r['status'] for r in records), {'crashed': 128})
        self.assertEqual(self.asked(), 0)

    def test_given_back_a_few_times(self):
        """From its third delivery on a batch is polled with care, and answered."""
        self.devices('*:ok')
        master = self.start_master(hosts=self.write_hosts(hosts=['127.2.0.0/25']))
        self.give_back(self.wait_for_queue('multisnmp.tasks.'), 8)
        self.start_agent('a1')
        self.judge(master, {'ok': 128})

    def test_results_that_come_twice(self):
        """They are told as duplicates, and written once."""
        self.devices()
        self.start_agent('a1', pace=('-j', '2', '--window', '1000'))  # stopped for longer, the master would lose its connection
        master = self.start_master(hosts=self.write_hosts(hosts=['127.16.0.0/16']))
        results = self.wait_for_queue('multisnmp.results.')
        self.wait_for_requests(FIRST, master)
        self.kill_all(master, signal.SIGSTOP)
        self.wait_until(lambda: self.broker.queues(self.vhost)[results][0], 'no results wait', 0.1)
        client = self.client()
        message = client.get(results)
        self.assertEqual(client.publish('multisnmp.results', results.removeprefix('multisnmp.results.'), message.body), 'ack')
        client.requeue(message)
        self.kill_all(master, signal.SIGCONT)
        duplicates = self.judge(master, {'ok': 65536})
        self.assertGreater(duplicates, 0)
        self.assertLessEqual(duplicates, 512)

    def test_what_is_no_message(self):
        """In every queue, in the middle: it is thrown away, told, and hurts nobody."""
        self.devices()
        agent = self.start_agent('a1', pace=('-j', '2', '--window', '200'))
        master = self.start_master()
        results = self.wait_for_queue('multisnmp.results.')
        self.wait_for_requests(FIRST, master)
        client = self.client()
        for body in b'', b'M', b'M\x02' + bytes(200), b'M\x01\x01' + b'\xff' * 500, b'M\x01\x02' + b'\xff' * 500, os.urandom(5000):
            self.assertEqual(client.publish('multisnmp.tasks', 'default', body), 'ack')
            self.assertEqual(client.publish('multisnmp.results', results.removeprefix('multisnmp.results.'), body), 'ack')
            self.assertEqual(client.publish('multisnmp.control', '', body), 'ack')
        self.judge(master)
        self.assertIsNone(agent.poll())


@rabbit.needs_broker
class Runs(dist.Stage):
    def test_two_masters_at_once(self):
        """Each gets its own records, all of them, and no others."""
        self.devices()
        for name in 'a1', 'a2':
            self.start_agent(name, pace=('-j', '2', '--window', '200'))
        north = self.write_hosts('north.yaml', dist.BLOCKS[:1])
        south = self.write_hosts('south.yaml', dist.BLOCKS[1:])
        one = self.start_master(hosts=north, output='one.jsonl', name='one')
        two = self.start_master('-g', 'sysName.0', hosts=south, output='two.jsonl', name='two')
        self.judge(one, {'ok': 16384}, output='one.jsonl')
        self.judge(two, {'ok': dist.HOSTS - 16384}, output='two.jsonl')
        for output, name in ('one.jsonl', 'sysDescr'), ('two.jsonl', 'sysName'):
            self.assertEqual({v['name'].split('.')[0] for r in self.records(output) for v in r['vars']}, {name})

    def test_rounds(self):
        """--interval: the agent stays, each round has each host once; what workers learnt is kept."""
        self.devices('*:ok')
        agent = self.start_agent('a1')
        self.wait_for_site()
        process = self.start_poller('--broker', self.url(), '-F', 'jsonl', '-i', '2s', '--no-spread', '-p', self.park.port,
                                    '127.2.0.0/24')
        lines = []
        while len(lines) < 4 * 256:
            line = process.stdout.readline()
            self.assertTrue(line, 'it ended')
            lines.append(json.loads(line))
        process.terminate()
        process.communicate(timeout=poller.LONG)
        for i in range(4):
            self.assertEqual(len({r['host'] for r in lines[i * 256:(i + 1) * 256]}), 256)
        self.assertEqual({r['status'] for r in lines}, {'ok'})
        self.assertIsNone(agent.poll())

    def test_reload(self):
        """SIGHUP: the old generation's cell ends, and does not wait until it has been idle for long; so does the last one's with
        its master."""
        self.devices('*:ok')
        agent = self.start_agent('a1')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}}}\nhosts: [127.2.0.0/24]\n')
        master = self.start_master('-i', '1s', '--no-spread', hosts=hosts)
        cells = set()
        for generation in range(3):
            # a child with a child is no cell yet: sanitizers have some of their own
            self.wait_until(lambda n=generation: self.told(agent).count(': taken up') > n and
                            [c for c in dist.cells_of(agent.pid) if c not in cells], 'no cell is born')
            cells.update(dist.cells_of(agent.pid))
            master.send_signal(signal.SIGHUP)
            try:
                self.wait_until(lambda n=generation: self.told(agent).count('its cell has ended') > n, 'its cell does not end')
            except AssertionError as late:
                raise AssertionError(f'{late}\n{self.told(master)}\n{self.told(agent)}') from late
        self.assertEqual(len(cells), 3)
        master.terminate()
        master.wait(poller.LONG)
        self.wait_until(lambda: not dist.cells_of(agent.pid), 'a cell stays')

    def statuses_of(self, host, output='service.jsonl'):
        """Of its records so far."""
        if not os.path.exists(self.path(output)):
            return set()
        with open(self.path(output), encoding='utf-8') as f:
            return {r['status'] for r in map(json.loads, (line for line in f if line.endswith('\n'))) if r['host'] == host}

    @WITH_CRYPTO
    def test_reload_without_a_broker(self):
        """A file that loses its broker, and gets it back: SNMPv3 is asked here from then on, and there again; a name of a MIB
        file was read before."""
        self.devices('*:ok', options=('--user', poller.USER))
        agent = self.start_agent('a1', text=CREDENTIALS)
        self.wait_for_site()
        text = f'defaults: {{port: {self.park.port}, credential: core-v3}}\n{CREDENTIALS}hosts: [%s]\n'
        hosts = self.write('hosts.yaml', f'broker: {{url: "{self.url()}"}}\n' + text % '127.2.0.1')
        mibs = os.path.join(os.environ['ABS_SRCDIR'], 'tests/mibs')
        service = self.start_logged('service', '-i', '3s', '--no-spread', '-F', 'jsonl', '-M', mibs, '-g', 'EXAMPLE-MIB::exampleState.0',
                                    '-f', hosts, '-o', self.path('service.jsonl'))
        for file, host in ((None, '127.2.0.1'), (text, '127.2.0.2'), (f'broker: {{url: "{self.url()}"}}\n' + text, '127.2.0.3')):
            if file:
                self.write('hosts.yaml', file % host)
                service.send_signal(signal.SIGHUP)
            self.wait_until(lambda h=host: self.statuses_of(h), f'{host} is not asked')
            self.assertEqual(self.statuses_of(host), {'ok'}, self.told(service) + self.told(agent))
        service.terminate()
        service.wait(poller.LONG)

    def test_reader_goes(self):
        """Who reads the records has gone: the master ends as ever, and agents ask nobody any more."""
        self.devices()
        self.start_agent('a1')
        master = self.start_poller('--broker', self.url(), '-F', 'jsonl', '-f', self.write_hosts())
        self.assertTrue(master.stdout.readline())
        master.stdout.close()
        self.assertEqual(master.wait(poller.LONG), 141, master.stderr.read())
        self.assertLess(self.calm(), dist.HOSTS)

    def calm(self):
        """How many requests the devices have got, when they have got none for a second."""
        before, asked = None, self.asked()
        while before != asked:
            time.sleep(1)
            before, asked = asked, self.asked()
        return asked

    def test_local_and_remote_are_the_same(self):
        """Same records, whoever asks, in each format."""
        self.devices('127.2.0.0/30:types', '*:ok')
        self.start_agent('a1')
        for form in 'text', 'csv', 'influx', 'jsonl', 'prometheus':
            with self.subTest(form):
                words = ('-F', form, '-p', self.park.port, '-w', '1.3.6.1.4.1.8072.9999.9999', '-g', 'sysName.0', '127.2.0.0/28')
                local, remote = self.run_poller(*words), self.run_poller('--broker', self.url(), *words)
                self.assertEqual(remote.returncode, local.returncode, remote.stderr)
                self.assertEqual(len(remote.stdout.splitlines()), len(local.stdout.splitlines()))
                if form == 'text':
                    self.assertEqual(sorted(remote.stdout.splitlines()), sorted(local.stdout.splitlines()))


if __name__ == '__main__':
    unittest.main(verbosity=2)

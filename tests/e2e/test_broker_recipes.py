#!/usr/bin/env python3
"""The recipes of multisnmp-distributed(7), taken out of the page and followed: a broker set up by them takes who it should
and nobody else; a site's user can work, and nothing more; a cluster loses a node; shovels carry everything over a cut line."""
import json
import os
import re
import stat
import subprocess
import time
import unittest

import amqp
import amqp_proxy
import poller
import rabbit
from recipes import OPENSSL, RECIPES, VHOST, Folder, prepare, recipe, start_site, wait_for

QUORUM = {'x-queue-type': 'quorum'}
FOLLOWERS = ('recipes.py', 'test_broker_agent.py', 'test_broker_recipes.py', 'test_broker_site.py')
RUN = 'RUN:1'  # a message-id, as tasks have it
SHOVELS = 4  # each has one connection to the centre


@unittest.skipUnless(OPENSSL, 'needs openssl')
class Certificates(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.folder.make_certificates()

    def openssl(self, *words):
        return subprocess.run([OPENSSL, *words], cwd=self.folder.path, capture_output=True, text=True, timeout=poller.LONG,
                              check=False)

    def test_good_for_one_purpose_each(self):
        for name, purpose, other in (('broker', 'sslserver', 'sslclient'), ('master', 'sslclient', 'sslserver'),
                                     ('north', 'sslclient', 'sslserver'), ('south', 'sslclient', 'sslserver')):
            good, bad = (self.openssl('verify', '-purpose', p, '-CAfile', 'ca.pem', name + '.pem').returncode
                         for p in (purpose, other))
            self.assertEqual((good, bad != 0), (0, True), name)
            subject = self.openssl('x509', '-in', name + '.pem', '-noout', '-subject').stdout
            self.assertEqual(subject, f'subject=CN = {"localhost" if name == "broker" else name}\n')

    def test_no_authority_of_their_own(self):
        """A site's certificate signs none that anybody takes."""
        self.openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=master',
                     '-keyout', 'forged.key', '-out', 'forged.csr')
        run = self.openssl('x509', '-req', '-in', 'forged.csr', '-CA', 'north.pem', '-CAkey', 'north.key', '-CAcreateserial',
                           '-days', '1', '-out', 'forged.pem')
        self.assertEqual(run.returncode, 0, run.stderr)
        run = self.openssl('verify', '-CAfile', 'ca.pem', '-untrusted', 'north.pem', 'forged.pem')
        self.assertNotEqual(run.returncode, 0)

    def test_keys_are_their_owners(self):
        for name in 'ca.key', 'broker.key', 'master.key', 'north.key':
            self.assertEqual(stat.S_IMODE(os.stat(self.folder.file(name)).st_mode), 0o600, name)


@rabbit.needs_rabbitmq
@unittest.skipUnless(OPENSSL, 'needs openssl')
class OneBroker(unittest.TestCase):
    """Set up once, as the page says."""

    @classmethod
    def setUpClass(cls):
        cls.folder = prepare(cls)
        with cls.client('master') as master:
            for name, kind in (('tasks', 'direct'), ('results', 'direct'), ('control', 'fanout'), ('dead', 'headers')):
                master.declare_exchange(f'multisnmp.{name}', kind)
            for site in 'north', 'south':
                master.declare_queue(f'multisnmp.tasks.{site}', arguments=QUORUM)
                master.bind(f'multisnmp.tasks.{site}', 'multisnmp.tasks', site)
            master.declare_queue('multisnmp.results.here', arguments=QUORUM)
            master.bind('multisnmp.results.here', 'multisnmp.results', 'here')

    @classmethod
    def client(cls, name, **how):
        return amqp.Client(cls.centre.tls_port, VHOST, tls=cls.folder.context(name), host='127.0.0.1', name='localhost', **how)

    def refused(self, code, call, *words, **more):
        with self.assertRaises(amqp.Refused) as caught:
            call(*words, **more)
        self.assertEqual(caught.exception.code, code, caught.exception)

    def test_who_is_let_in(self):
        """By certificate only, over TLS only."""
        for name in 'master', 'north', 'south':
            self.client(name).close()
        with self.assertRaises((OSError, amqp.Refused)):
            self.client(None)
        with self.assertRaises((OSError, amqp.Refused)):
            self.client('north', user='guest', password='guest')
        with self.assertRaises((OSError, amqp.Refused)):
            amqp.Client(self.centre.tls_port, VHOST, 'guest', 'guest')
        plain = self.centre.eval('[P || {listener, _, amqp, _, _, _, _} = P <- rabbit_networking:active_listeners()].')
        self.assertEqual(plain, '[]')

    def test_another_authority(self):
        """A certificate of the same name, signed by somebody else."""
        other = Folder()
        self.addCleanup(other.remove)
        other.make_certificates()
        context = self.folder.context()
        context.load_cert_chain(other.file('north.pem'), other.file('north.key'))
        with self.assertRaises((OSError, amqp.Refused)):
            amqp.Client(self.centre.tls_port, VHOST, tls=context, name='localhost')

    def test_other_virtual_hosts(self):
        with self.assertRaises(amqp.Refused):
            amqp.Client(self.centre.tls_port, '/', tls=self.folder.context('north'), name='localhost')

    def test_a_site_can_work(self):
        """All that an agent does."""
        with self.client('master') as master, self.client('north') as north:
            master.purge('multisnmp.tasks.north')
            self.assertEqual(master.publish('multisnmp.tasks', 'north', b'tasks', message_id=RUN), 'ack')
            for name in 'tasks', 'results', 'control':
                north.declare_exchange(f'multisnmp.{name}', passive=True)
            self.assertEqual(north.declare_queue('multisnmp.tasks.north', passive=True)[0], 'multisnmp.tasks.north')
            north.declare_queue('multisnmp.control.north.agent', durable=False, exclusive=True)
            north.bind('multisnmp.control.north.agent', 'multisnmp.control')
            message = wait_for(lambda: north.get('multisnmp.tasks.north'), 'no task')
            self.assertEqual((message.body, message.properties['message_id']), (b'tasks', RUN))
            self.assertEqual(north.publish('multisnmp.results', 'here', b'results'), 'ack')
            north.ack(message)
            self.assertEqual(master.publish('multisnmp.control', '', b'all'), 'ack')
            self.assertEqual(wait_for(lambda: north.get('multisnmp.control.north.agent'), 'no control').body, b'all')
            results = wait_for(lambda: master.get('multisnmp.results.here'), 'no results')
            self.assertEqual(results.body, b'results')
            master.ack(results)
            self.assertEqual(north.publish('multisnmp.results', 'nobody', b'late'), 'returned')

    def test_a_site_can_do_nothing_else(self):
        with self.client('north') as north:
            forbidden = [
                (north.get, 'multisnmp.tasks.south'), (north.consume, 'multisnmp.tasks.south'),
                (north.purge, 'multisnmp.tasks.south'), (north.purge, 'multisnmp.results.here'),
                (north.get, 'multisnmp.results.here'), (north.consume, 'multisnmp.results.here'),
                (north.publish, 'multisnmp.tasks', 'north', b'x'), (north.publish, 'multisnmp.tasks', 'south', b'x'),
                (north.publish, 'multisnmp.control', '', b'x'), (north.publish, 'multisnmp.dead', '', b'x'),
                (north.publish, '', 'multisnmp.tasks.south', b'x'), (north.publish, '', 'multisnmp.results.here', b'x'),
                (north.delete_queue, 'multisnmp.tasks.north'), (north.delete_queue, 'multisnmp.tasks.south'),
                (north.delete_queue, 'multisnmp.results.here'), (north.delete_exchange, 'multisnmp.results'),
                (north.declare_exchange, 'multisnmp.mine'), (north.declare_queue, 'multisnmp.tasks.north'),
                (north.declare_queue, 'multisnmp.tasks.other'), (north.declare_queue, 'mine'), (north.declare_queue, ''),
                (north.declare_queue, 'multisnmp.control.south.x'), (north.declare_queue, 'multisnmp.control.northern.x'),
                (north.bind, 'multisnmp.tasks.north', 'multisnmp.tasks', 'south'),
                (north.unbind, 'multisnmp.tasks.north', 'multisnmp.tasks', 'north'),
                (north.bind, 'multisnmp.results.here', 'multisnmp.control'),
            ]
            for call, *words in forbidden:
                with self.subTest(f'{call.__name__} {words}'):
                    self.refused(403, call, *words)
            north.declare_queue('multisnmp.control.north.x', durable=False, exclusive=True)
            self.refused(403, north.bind, 'multisnmp.control.north.x', 'multisnmp.results', 'here')
            north.declare_queue('multisnmp.control.north.x', durable=False, exclusive=True)
            self.refused(403, north.bind, 'multisnmp.control.north.x', 'multisnmp.tasks', 'south')

    def test_watch(self):
        """What an operator is told to look at is there."""
        said = self.folder.follow(RECIPES['watch'], self.centre)
        row = re.search(r'^multisnmp\.tasks\.north\t(.*)$', said, re.M)
        self.assertRegex(row[1], r'^quorum\t\d+\t\d+\t\d+$')
        self.assertIn('leader', said)


@rabbit.needs_rabbitmq
@unittest.skipUnless(OPENSSL, 'needs openssl')
class Shovels(unittest.TestCase):
    """A centre by the page's recipe, a site's own broker with its shovels, and between them a line that can be cut."""

    @classmethod
    def setUpClass(cls):
        cls.folder = prepare(cls)
        cls.line = amqp_proxy.Proxy(cls.centre.tls_port)
        cls.addClassCleanup(cls.line.stop)
        cls.site = start_site(cls.folder, cls.centre, cls.line)
        cls.addClassCleanup(cls.site.remove)
        cls.site.eval(f'rabbit_auth_backend_internal:set_permissions(<<"{rabbit.USER}">>, <<"{VHOST}">>, <<".*">>, <<".*">>, '
                      '<<".*">>, <<"tests">>), ok.')
        cls.tell_the_topology()

    @classmethod
    def tell_the_topology(cls):
        """What a master declares that has a target at the site; the shovels wait for it."""
        with cls.at_centre() as master:
            for name, kind in (('tasks', 'direct'), ('results', 'direct'), ('control', 'fanout'), ('dead', 'headers')):
                master.declare_exchange(f'multisnmp.{name}', kind)
            master.declare_queue('multisnmp.tasks.north', arguments={**QUORUM, 'x-dead-letter-exchange': 'multisnmp.dead'})
            master.bind('multisnmp.tasks.north', 'multisnmp.tasks', 'north')
            for key in 'here', 'there':
                master.declare_queue(f'multisnmp.results.{key}', arguments=QUORUM)
                master.bind(f'multisnmp.results.{key}', 'multisnmp.results', key)
            master.declare_queue('multisnmp.results.dead', arguments=QUORUM)
            master.bind('multisnmp.results.dead', 'multisnmp.dead')

    @classmethod
    def at_centre(cls):
        return amqp.Client(cls.centre.tls_port, VHOST, tls=cls.folder.context('master'), name='localhost')

    def setUp(self):
        self.master = self.at_centre()
        self.addCleanup(self.master.close)
        self.agent = amqp.Client(self.site.port, VHOST, rabbit.USER, rabbit.PASSWORD)
        self.addCleanup(self.agent.close)
        wait_for(self.all_run, 'the shovels do not run')
        for broker, queue in ((self.centre, 'multisnmp.tasks.north'), (self.site, 'multisnmp.results.out'),
                              (self.site, 'multisnmp.dead.out')):
            self.wait_for_none(broker, queue)
        self.agent.purge('multisnmp.tasks.north')
        for name in 'here', 'there', 'dead':
            self.master.purge(f'multisnmp.results.{name}')

    def all_run(self):
        """Each is told by name, in the state that it is in: `running`, too, one whose line swallows and that has not found out, so the
        line is asked first."""
        if self.line.alive() != SHOVELS:
            return False
        words = re.findall(r'\brunning\b', self.folder.follow('rabbitmqctl shovel_status', self.site))
        return len(words) == SHOVELS and self.line.alive() == SHOVELS

    @staticmethod
    def wait_for_none(broker, queue):
        """Until its shovel has brought all of it, and has acknowledged that: what it has not, comes again after a cut."""
        wait_for(lambda: broker.messages(queue, VHOST) == 0, f'{queue} does not become empty')

    def take(self, client, queue, count):
        """So many messages, each acknowledged, and no more than those."""
        messages = []
        for _ in range(count):
            messages.append(wait_for(lambda: client.get(queue), f'{len(messages)} of {count} in {queue}'))
            client.ack(messages[-1])
        self.assertIsNone(client.get(queue))
        return messages

    def test_tasks_come_as_they_were_sent(self):
        sent = {'message_id': RUN, 'expiration': '600000', 'headers': {'master': 'here'}}
        self.assertEqual(self.master.publish('multisnmp.tasks', 'north', b'tasks', **sent), 'ack')
        message, = self.take(self.agent, 'multisnmp.tasks.north', 1)
        self.assertEqual((message.body, message.properties['message_id'], message.properties['expiration'],
                          message.properties['delivery_mode']), (b'tasks', RUN, '600000', 2))
        self.assertIn(amqp.table({'master': 'here'})[4:], message.properties['headers'])

    def test_results_go_to_the_master_that_they_are_for(self):
        for key in 'here', 'there', 'here', 'nobody':
            self.assertEqual(self.agent.publish('multisnmp.results', key, key.encode()), 'ack')
        self.assertEqual([m.body for m in self.take(self.master, 'multisnmp.results.here', 2)], [b'here'] * 2)
        self.assertEqual([m.body for m in self.take(self.master, 'multisnmp.results.there', 1)], [b'there'])

    def test_control_is_told_at_the_site(self):
        queue = self.agent.declare_queue('', durable=False, exclusive=True)[0]
        self.agent.bind(queue, 'multisnmp.control')
        self.assertEqual(self.master.publish('multisnmp.control', '', b'over'), 'ack')
        self.assertEqual(self.take(self.agent, queue, 1)[0].body, b'over')

    def test_dead_letters_come_back(self):
        self.assertEqual(self.master.publish('multisnmp.tasks', 'north', b'deadly', headers={'master': 'here'}), 'ack')
        for _ in range(21):  # x-delivery-limit is 20
            self.agent.requeue(wait_for(lambda: self.agent.get('multisnmp.tasks.north'), 'no task'))
        message, = self.take(self.master, 'multisnmp.results.dead', 1)
        self.assertEqual(message.body, b'deadly')
        self.assertIn(amqp.table({'master': 'here'})[4:], message.properties['headers'])
        self.assertIn(b'x-death', message.properties['headers'])

    def test_a_line_that_is_cut(self):
        """Both sides go on by themselves; when it is back, everything arrives, on either side."""
        for n in range(20):
            self.master.publish('multisnmp.tasks', 'north', b'before %d' % n)
        before = self.take(self.agent, 'multisnmp.tasks.north', 20)
        self.assertEqual({m.body for m in before}, {b'before %d' % n for n in range(20)})
        self.wait_for_none(self.centre, 'multisnmp.tasks.north')
        self.line.refuse()
        for n in range(300):
            self.assertEqual(self.master.publish('multisnmp.tasks', 'north', b'task %d' % n), 'ack')
            self.assertEqual(self.agent.publish('multisnmp.results', 'here', b'result %d' % n), 'ack')
        time.sleep(3)  # some tries of the shovels
        self.assertIsNone(self.agent.get('multisnmp.tasks.north'))
        self.assertIsNone(self.master.get('multisnmp.results.here'))
        self.line.accept()
        tasks = self.take(self.agent, 'multisnmp.tasks.north', 300)
        results = self.take(self.master, 'multisnmp.results.here', 300)
        self.assertEqual({m.body for m in tasks}, {b'task %d' % n for n in range(300)})
        self.assertEqual({m.body for m in results}, {b'result %d' % n for n in range(300)})

    def test_a_line_that_swallows(self):
        """A cut that nobody is told of: heartbeats find it. What was under way comes once more, never less."""
        self.line.swallow()
        for n in range(50):
            self.assertEqual(self.agent.publish('multisnmp.results', 'there', b'result %d' % n), 'ack')
        wait_for(lambda: self.line.alive() is None, 'nothing was swallowed')
        time.sleep(1)  # nor do others get through
        self.line.resume()
        seen = set()

        def all_seen():
            while True:
                message = self.master.get('multisnmp.results.there')
                if not message:
                    return len(seen) == 50
                self.master.ack(message)
                seen.add(message.body)
        wait_for(all_seen, f'{len(seen)} of 50')

    def test_the_sites_broker_dies(self):
        """What waits there is on its disk."""
        self.line.refuse()
        for n in range(20):
            self.assertEqual(self.agent.publish('multisnmp.results', 'here', b'result %d' % n), 'ack')
        self.site.restart()
        self.line.accept()
        self.assertEqual({m.body for m in self.take(self.master, 'multisnmp.results.here', 20)},
                         {b'result %d' % n for n in range(20)})


@rabbit.needs_rabbitmq
class ThreeBrokers(unittest.TestCase):
    """As far as loopback has room for three machines: their names are other ones."""

    def test_cluster(self):
        folder = Folder()
        self.addCleanup(folder.remove)
        home = rabbit.Home()
        self.addCleanup(home.remove)
        names = [(f'rabbit@broker{i}', f'broker{i}@localhost') for i in (1, 2, 3)]
        lines = recipe('cluster.conf', *names).splitlines()
        one, two, three = (rabbit.Broker(home=home, name=f'broker{i}', start=False, settings=() if i == 3 else lines)
                           for i in (1, 2, 3))
        for broker in one, two, three:
            self.addCleanup(broker.kill)
        one.start()
        two.start()
        three.start()  # by itself at first: it joins later, as one that has run before
        self.assertEqual(self.running(one), 2)
        one.vhost(VHOST)
        with amqp.Client(one.port, VHOST, rabbit.USER, rabbit.PASSWORD) as client:
            client.declare_queue('multisnmp.tasks.north', arguments=QUORUM)
            self.assertEqual(self.members(one), 2)
            folder.follow(recipe('join', names[0]), three)
            wait_for(lambda: self.running(one) == 3, 'it does not join')
            folder.follow(recipe('grow', *names[1:]).replace('\\\n', ' '), one)
            self.assertEqual(self.members(one), 3)
            self.assertEqual(client.publish('', 'multisnmp.tasks.north', b'a'), 'ack')
        self.assertEqual(folder.follow(RECIPES['upgrade'].splitlines()[0], two, strict=False).returncode, 0)
        two.kill()
        with amqp.Client(three.port, VHOST, rabbit.USER, rabbit.PASSWORD) as client:
            self.assertEqual(client.publish('', 'multisnmp.tasks.north', b'b'), 'ack')
            for body in b'a', b'b':
                message = wait_for(lambda: client.get('multisnmp.tasks.north'), 'it is lost')
                self.assertEqual(message.body, body)
                client.ack(message)
        self.assertNotEqual(folder.follow(RECIPES['upgrade'].splitlines()[0], three, strict=False).returncode, 0)

    @staticmethod
    def running(broker):
        return int(broker.eval('length(rabbit_nodes:all_running()).'))

    @staticmethod
    def members(broker):
        text = broker.ctl('quorum_status', '--vhost', VHOST, 'multisnmp.tasks.north', '--formatter', 'json',
                          program='rabbitmq-queues')
        return len(json.loads(text))


class Page(unittest.TestCase):
    def test_every_recipe_is_followed(self):
        """By a test here: none can be written into the page and never be tried."""
        text = ''
        for name in FOLLOWERS:
            with open(os.path.join(os.path.dirname(__file__), name), encoding='utf-8') as f:
                text += f.read()
        self.assertGreater(len(RECIPES), 15)
        self.assertEqual([name for name in RECIPES if f"'{name}'" not in text], [])


if __name__ == '__main__':
    unittest.main()

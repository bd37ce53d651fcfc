#!/usr/bin/env python3
"""The backend that speaks AMQP (src/link/amqp*.c), call by call, against a real RabbitMQ: what is put, confirmed, taken, given back,
buried; what is refused, by whom, in which words; certificates; brokers that block, die and come back."""
import os
import queue
import socket
import subprocess
import threading
import time
import unittest

import amqp
import amqp_proxy
import certificates
import poller
import rabbit

DRIVER = os.path.join(os.path.dirname(poller.SNMP_AGENTS), 'tests', 'e2e', 'link_driver')
LARGE = 196608  # octets: the largest body, in two frames
SECRET = rabbit.PASSWORD
TLS = unittest.skipUnless(certificates.OPENSSL and os.environ.get('WITH_TLS') != 'no', 'needs OpenSSL')


def sum_of(length):
    """What link_driver shows of a body that was given by its length."""
    total = 0
    for i in range(length):
        total = (total * 31 + ord('a') + i % 23) % (1 << 32)
    return f'#{total:08x}'


class Link:
    """A link_driver: say() gives a command, expect() waits for a line that begins so and returns what stands behind."""

    def __init__(self, test, role, name, url, site='-', **options):
        words = [f'{key}={value}' for key, value in options.items()]
        self.process = subprocess.Popen([DRIVER, role, name, site, url, *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.lines, self.seen, self.unread = queue.Queue(), [], []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        test.addCleanup(self.end)

    def read(self):
        for line in self.process.stderr:
            self.lines.put(line.rstrip('\n'))
        self.lines.put(None)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stderr.close()

    def say(self, *words):
        self.process.stdin.write(' '.join(map(str, words)) + '\n')
        return self

    def expect(self, start):
        """Lines that begin otherwise are kept for who waits for them."""
        end = time.monotonic() + poller.LONG
        while True:
            for line in self.unread:
                if line.startswith(start):
                    self.unread.remove(line)
                    return line[len(start):].strip()
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f'no {start!r} among {self.seen[-20:]}')
            self.seen.append(line)
            self.unread.append(line)

    def ask(self, *words):
        """A command that is answered by a line with its first word."""
        return self.say(*words).expect(words[0])

    def open(self, *sides):
        """What becomes of it, of the last side."""
        for side in sides or ('takes', 'puts'):
            state = self.ask('open', side).split(' ', 1)[1].strip()
        return state

    def take(self):
        """Tag, where from, deliveries before, length, text."""
        tag, source, deliveries, length, text = (self.expect('taken') + ' ').split(' ', 4)
        return tag, source, int(deliveries), int(length), text.strip()


class Amqp(poller.Poll):
    """One broker for all, a virtual host for each test."""
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.broker = rabbit.Broker(**cls.options)
        cls.addClassCleanup(cls.broker.remove)

    def setUp(self):
        super().setUp()
        self.vhost = self.broker.vhost(self.id().rsplit('.', 1)[1])

    def url(self, **how):
        return self.broker.url(self.vhost, **how)

    def link(self, role, name, site='-', url=None, **options):
        return Link(self, role, name, url or self.url(), site, **options)

    def master(self, name='m1', **how):
        link = self.link('master', name, **how)
        self.assertEqual(link.open(), 'open')
        return link

    def agent(self, name='a1', site='north', **how):
        link = self.link('agent', name, site, **how)
        self.assertEqual(link.open(), 'open')
        return link

    def put(self, master, number, octets):
        """When there is room for it."""
        self.wait_until(lambda: master.ask('put', number, 'tasks', 'north', octets).endswith(' put'), 'no room', 0.01)

    def site(self, master, site='north'):
        self.assertTrue(master.ask('site', site).startswith(f'{site} 1 '))


@rabbit.needs_broker
class Messages(Amqp):
    def test_there_and_back(self):
        """Tasks to a site, results to a master, control to all: whole, confirmed once they are kept; inside of the sandbox, too."""
        for fence in {}, {'sandbox': 'yes'}:
            name = 'm-' + (fence and 'in' or 'out')
            master = self.master(name, **fence)
            self.site(master)
            agent = self.agent('a-' + name, **fence)
            self.assertEqual(master.ask('put', 1, 'tasks', 'north', 'three'), '1 put')
            master.expect('confirmed 1')
            tag, *taken = agent.take()
            self.assertEqual(taken, ['tasks', 0, 5, 'three'])
            agent.ask('put', 7, 'results', name, f'@{LARGE}')
            agent.expect('confirmed 7')
            self.assertEqual(master.take()[1:], ('results', 0, LARGE, sum_of(LARGE)))
            self.assertEqual(agent.ask('ack', tag), '1')
            master.ask('put', 2, 'control', '-', 'to-all')
            master.expect('confirmed 2')
            self.assertEqual(agent.take(), ('0', 'control', 0, 6, 'to-all'))
            master.ask('close', 1)
            agent.ask('close', 0)
            self.assertEqual([master.process.wait(poller.LONG), agent.process.wait(poller.LONG)], [0, 0])
        self.assertNotIn('multisnmp.results.m-in', self.broker.queues(self.vhost))
        self.assertEqual(self.broker.queues(self.vhost)['multisnmp.tasks.north'][:2], (0, 0))

    def test_nobody_there(self):
        """What no queue is there for comes back, and is not confirmed as well."""
        master = self.master()
        master.ask('put', 1, 'tasks', 'nowhere', 'x')
        master.ask('put', 2, 'results', 'nobody', 'x')
        master.expect('returned 1')
        master.expect('returned 2')
        self.site(master)
        master.ask('put', 3, 'tasks', 'north', 'x')
        master.expect('confirmed 3')
        self.assertNotIn('confirmed 1', master.seen)

    def test_given_back_and_buried(self):
        """Each giving back counts as a delivery; what is buried, or given back too often, comes to its master as dead."""
        master, other = self.master('m1'), self.master('m2')
        self.site(master)
        agent = self.agent()
        for number, deliveries in enumerate(['back', 'back', 'bury']):
            if number == 0:
                master.ask('put', 1, 'tasks', 'north', 'poison')
            tag, _, count, *_ = agent.take()
            self.assertEqual(count, number)
            agent.ask({'back': 'requeue', 'bury': 'bury'}[deliveries], tag)
        tag, *dead = master.take()
        self.assertEqual((dead[0], dead[3]), ('dead', 'poison'))
        master.ask('ack', tag)
        master.ask('put', 2, 'tasks', 'north', 'again')
        for _ in range(21):
            agent.ask('requeue', agent.take()[0])
        self.assertEqual(master.take()[4], 'again')
        self.assertEqual(other.ask('site', 'north').split()[2], '0')
        self.assertFalse([line for line in other.seen if line.startswith('taken')])

    def test_masters_gone(self):
        """The dead tasks of a master that is no more are kept for who looks after the broker."""
        master = self.master()
        self.site(master)
        master.ask('put', 1, 'tasks', 'north', 'orphan')
        master.expect('confirmed 1')
        master.ask('close', 1)
        agent = self.agent()
        agent.ask('bury', agent.take()[0])
        self.wait_until(lambda: self.broker.queues(self.vhost)['multisnmp.dead'][0] == 1, 'the orphan is kept', 0.2)

    def test_time_is_over(self):
        """A task whose time is over is gone, and is nobody's death."""
        master = self.master(ttl=1)
        self.site(master)
        master.ask('put', 1, 'tasks', 'north', 'late')
        master.expect('confirmed 1')
        self.wait_until(lambda: master.ask('site', 'north').split()[2] == '0', 'it is over', 0.1)
        self.wait_until(lambda: self.broker.queues(self.vhost)['multisnmp.results.m1'][:2] == (0, 0), 'it is put aside', 0.2)
        self.assertFalse([line for line in master.seen if line.startswith('taken')])

    def test_limit(self):
        """A full queue says no to each, and yes again when there is room; one that exists is used as it is."""
        master = self.master(limit=5)
        self.site(master)
        said = []
        for number in range(40):
            master.ask('put', number, 'tasks', 'north', 'x')
            answer = master.expect('')
            self.assertEqual(answer.split()[1], str(number))
            said.append(answer.split()[0])
        self.assertEqual(set(said), {'confirmed', 'nacked'})
        other = self.master('m2', limit=10000)
        self.site(other)
        other.ask('put', 1, 'tasks', 'north', 'x')
        other.expect('nacked 1')
        agent = self.agent(prefetch=200)
        for _ in range(said.count('confirmed')):
            agent.ask('ack', agent.take()[0])
        master.ask('put', 99, 'tasks', 'north', 'x')
        master.expect('confirmed 99')

    def test_leaves(self):
        """Who leaves takes no more, and may still settle what it has."""
        master = self.master()
        self.site(master)
        agent = self.agent(prefetch=1)
        for number in range(3):
            master.ask('put', number, 'tasks', 'north', 'x')
        tag = agent.take()[0]
        self.assertEqual(agent.ask('leave'), '1')
        self.assertEqual(agent.ask('ack', tag), '1')
        self.wait_until(lambda: master.ask('site', 'north').split()[2:4] == ['2', '0'], 'two wait for somebody else', 0.1)
        agent.ask('close', 0)
        self.assertEqual([line for line in agent.seen if line.startswith('taken')][1:], [])

    def test_another_channel(self):
        """Numbers begin anew there, and answers find their messages."""
        master = self.master()
        self.site(master)
        for turn in range(5):
            for number in range(10):
                master.ask('put', turn * 100 + number, 'tasks', 'north', 'x')
            if turn % 2:
                master.expect(f'confirmed {turn * 100 + 9}')
            self.assertEqual(master.ask('reopen'), '1')
        master.ask('put', 999, 'tasks', 'nowhere', 'x')
        master.expect('returned 999')

    def test_stale_tags(self):
        """A word about what was taken on a connection before must not reach this one's messages, which have the same numbers."""
        master = self.master()
        self.site(master)
        agent = self.agent()
        master.ask('put', 1, 'tasks', 'north', 'x')
        old = agent.take()[0]
        agent.open('takes')
        new, _, deliveries, *_ = agent.take()
        self.assertEqual(deliveries, 1)
        agent.ask('ack', old)
        self.assertEqual(master.ask('site', 'north').split()[2], '0')
        agent.ask('close', 0)
        self.assertEqual(self.agent('a2').take()[2], 2)
        self.assertNotEqual(old, new)

    def test_memory(self):
        """Messages leave nothing behind, of one frame or of two."""
        master, agent = self.master(prefetch=200), None
        self.site(master)
        agent = self.agent(prefetch=200)
        sizes = []
        for turn in range(6):
            for number in range(300):
                self.put(master, turn * 1000 + number, '@20000' if number % 8 else f'@{LARGE}')
            for _ in range(300):
                agent.say('ack', agent.take()[0])
            master.expect(f'confirmed {turn * 1000 + 299}')
            sizes.append((int(master.ask('memory')), int(agent.ask('memory'))))
        if poller.WITH_ASAN:  # it keeps what was freed, and tells of leaks itself
            return
        for before, after in zip(sizes[1], sizes[-1]):
            self.assertLess(after - before, 2 << 20, sizes)


@rabbit.needs_broker
class Rights(Amqp):
    def user(self, name, configure, write, read):
        self.broker.user(name, SECRET, self.vhost, configure, write, read)
        return self.url(user=name)

    def test_login(self):
        """Refused in words that name the user, never the password; trying again cannot help."""
        for url, word, remedy in (
                (self.url(password='no-' + SECRET), f"refuses the user '{rabbit.USER}'", 'broker: password_file'),
                (self.broker.url('nowhere'), 'vhost nowhere not found', 'rabbitmqctl add_vhost'),
                (self.user('stranger', '', '', '') and self.broker.url('/'.replace('/', ''), user='stranger'), 'access to vhost',
                 'rabbitmqctl set_permissions')):
            link = self.link('master', 'm', url=url)
            state = link.open('takes')
            self.assertTrue(state.startswith('final '), state)
            self.assertIn(word, state)
            self.assertIn(remedy, state)
            self.assertNotIn(SECRET, state)

    def test_nobody_listens(self):
        """Told as the system tells it; trying again may help."""
        port = rabbit.free_port()
        state = self.link('master', 'm', url=f'amqp://127.0.0.1:{port}').open('takes')
        self.assertEqual(state, f'failed broker 127.0.0.1:{port}: Connection refused (nobody listens there: is the broker '
                         'running, is that its address and port?)')
        state = self.link('master', 'm', url='amqp://no.such.name.invalid').open('takes')
        self.assertTrue(state.startswith("failed broker 'no.such.name.invalid': "), state)

    def test_next_node(self):
        """Each try takes the next node of a cluster, and comes round."""
        port = rabbit.free_port()
        link = self.link('master', 'm', url=self.url().replace('127.0.0.1', f'127.0.0.1:{port},127.0.0.1', 1))
        self.assertIn('refused', link.open('takes'))
        self.assertEqual(link.open('takes'), 'open')
        self.assertIn('refused', link.open('takes'))

    def test_site_of_its_own(self):
        """A site's user may read its tasks, write results, have a control queue, and nothing else: no other site's tasks."""
        url = self.user('north', r'^multisnmp\.control\.north\..*', r'^(multisnmp\.results|multisnmp\.control\.north\..*)$',
                        r'^(multisnmp\.tasks\.north|multisnmp\.control|multisnmp\.control\.north\..*)$')
        agent = self.link('agent', 'a1', 'north', url=url)
        self.assertTrue(agent.open('takes').startswith('waits '), agent.seen)
        master = self.master()
        self.site(master)
        self.site(master, 'south')
        agent.expect('ready')
        self.assertEqual(agent.open('puts'), 'open')
        master.ask('put', 1, 'tasks', 'north', 'x')
        master.ask('put', 2, 'control', '-', 'y')
        self.assertEqual({agent.take()[1], agent.take()[1]}, {'tasks', 'control'})
        agent.ask('put', 3, 'results', 'm1', 'z')
        self.assertEqual(master.take()[4], 'z')
        self.assertIn("access to exchange 'multisnmp.tasks'", agent.say('put', 4, 'tasks', 'north', 'x').expect('gone puts'))
        state = self.link('agent', 'a1', 'south', url=url).open('takes')
        self.assertTrue(state.startswith('final '), state)
        self.assertIn('south', state)

    def test_master_without_rights(self):
        """It uses what there is, and says what it may not have."""
        url = self.user('reader', '^$', '.*', '.*')
        state = self.link('master', 'm1', url=url).open('takes')
        self.assertTrue(state.startswith('final '), state)
        self.assertIn('access to exchange', state)
        first = self.master()
        self.site(first)
        first.ask('close', 0)
        master = self.master(url=url)
        self.assertEqual(master.ask('site', 'north').split()[1], '1')
        self.assertEqual(master.ask('site', 'south').split()[1], '0')
        master.ask('put', 1, 'tasks', 'north', 'x')
        master.expect('confirmed 1')

    def test_as_it_is(self):
        """What an administrator has made otherwise is used: a fanout for results, a classic queue for a site."""
        with amqp.Client(self.broker.port, self.vhost, rabbit.USER, SECRET) as client:
            client.declare_exchange('multisnmp.results', 'fanout')
            client.declare_queue('multisnmp.tasks.north')
        master = self.master()
        self.site(master)
        agent = self.agent()
        master.ask('put', 1, 'tasks', 'north', 'x')
        tag, _, deliveries, *_ = agent.take()
        agent.ask('requeue', tag)
        self.assertEqual((deliveries, agent.take()[2]), (0, 1))
        agent.ask('put', 2, 'results', 'm1', 'y')
        self.assertEqual(master.take()[4], 'y')

    def test_queue_goes(self):
        """Its queue is deleted: an agent waits, and goes on when there is one again."""
        master = self.master()
        self.site(master)
        agent = self.agent()
        with amqp.Client(self.broker.port, self.vhost, rabbit.USER, SECRET) as client:
            client.delete_queue('multisnmp.tasks.north')
        agent.expect('waiting')
        self.site(master)
        agent.expect('ready')
        master.ask('put', 1, 'tasks', 'north', 'x')
        self.assertEqual(agent.take()[4], 'x')


@TLS
@rabbit.needs_broker
class Certificates(Amqp):
    @classmethod
    def setUpClass(cls):
        cls.authority, cls.strangers = certificates.Authority(), certificates.Authority('strangers')
        for authority in cls.authority, cls.strangers:
            cls.addClassCleanup(authority.remove)
        cls.options = {'plugins': ('rabbitmq_auth_mechanism_ssl',), 'tls': cls.authority}
        super().setUpClass()
        cls.certificate, cls.key = cls.authority.certificate('north')
        cls.broker.user('north', '', '/')

    def files(self, **others):
        return {'ca': self.authority.ca, 'certificate': self.certificate, 'key': self.key, **others}

    def state(self, host='127.0.0.1', **others):
        """Of both sides, with one name for the broker and these files."""
        link = Link(self, 'master', 'm1', self.broker.tls_url(host=host), **self.files(**others))
        state = link.open('takes')
        if state == 'open':
            self.assertEqual(link.open('puts'), 'open')
            link.ask('close', 1)
        return state

    @staticmethod
    def text_of(path):
        with open(path, encoding='ascii') as f:
            return f.read()

    def test_certificate_is_the_user(self):
        """By name and by address, with a key in the same file, and inside of the sandbox, where no file can be read."""
        both = self.write('both.pem', self.text_of(self.certificate) + self.text_of(self.key))
        self.assertEqual(self.state(), 'open')
        self.assertEqual(self.state('localhost'), 'open')
        self.assertEqual(self.state(certificate=both, key=both), 'open')
        self.assertEqual(self.state('localhost', sandbox='yes'), 'open')

    def test_messages(self):
        """Large ones, many at once, through TLS."""
        master = Link(self, 'master', 'm1', self.broker.tls_url(), **self.files(prefetch=100))
        agent = Link(self, 'agent', 'a1', self.broker.tls_url(), 'north', **self.files(prefetch=100))
        self.assertEqual(master.open(), 'open')
        self.site(master)
        self.assertEqual(agent.open(), 'open')
        for number in range(60):
            self.put(master, number, f'@{LARGE}')
            self.assertEqual(agent.take()[3], LARGE)

    def test_refused(self):
        """Whoever is not who it says, whichever of us it is: not connected, with words that say whose fault it is."""
        expired = self.authority.certificate('late', expired=True)
        stranger = self.strangers.certificate('north')
        nobody = self.authority.certificate('nobody')
        port = self.broker.tls_port
        cases = (('an authority that is another', {'ca': self.strangers.ca}, 'no authority of'),
                 ('a certificate of ours that has expired', dict(zip(('certificate', 'key'), expired)), 'it has expired'),
                 ("a certificate of ours by somebody else's authority", dict(zip(('certificate', 'key'), stranger)),
                  'refuses our certificate'),
                 ('a certificate that is no user', dict(zip(('certificate', 'key'), nobody)), 'knows no user by the name'))
        for what, files, words in cases:
            state = self.state(**files)
            self.assertIn(words, state, what)
            self.assertIn(f'127.0.0.1:{port}', state, what)
        state = Link(self, 'master', 'm1', self.broker.tls_url(), ca=self.authority.ca).open('takes')
        self.assertIn('wants a certificate of ours', state)
        state = Link(self, 'master', 'm1', self.broker.url().replace('amqp:', 'amqps:'), **self.files()).open('takes')
        self.assertIn('no TLS is spoken there', state)
        state = Link(self, 'master', 'm1', self.broker.url(port=port)).open('takes')
        self.assertIn('amqps://', state)

    def test_other_broker(self):
        """One with another name, one whose certificate has expired."""
        for names, expired, words in (('DNS:elsewhere.example', False, "is not for the name '127.0.0.1'"),
                                      (certificates.NAMES, True, 'certificate has expired')):
            certificate, key = self.authority.certificate('server', names, expired)
            with self.server(certificate, key) as port:
                link = Link(self, 'master', 'm1', f'amqps://127.0.0.1:{port}', **self.files())
                self.assertIn(words, link.open('takes'))

    def server(self, certificate, key):
        """Something that speaks TLS with that certificate, for who comes."""
        return Server(certificate, key)

    def test_files(self):
        """A file that is none, a key of another certificate: told before anything is connected."""
        other = self.authority.certificate('other')[1]
        for files, word in (({'ca': '/nowhere'}, 'No such file'), ({'certificate': self.key}, 'no certificate'),
                            ({'key': other}, 'not the key of the certificate'), ({'key': self.certificate}, 'no private key')):
            link = Link(self, 'master', 'm1', self.broker.tls_url(), **self.files(**files))
            self.assertIn(word, link.expect('not started: '))


class Server:
    """openssl's own, on a free port."""

    def __init__(self, certificate, key):
        self.port = rabbit.free_port()
        self.process = subprocess.Popen([certificates.OPENSSL, 's_server', '-accept', f'127.0.0.1:{self.port}', '-cert', certificate,
                                         '-key', key, '-quiet'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        end = time.monotonic() + poller.LONG
        while time.monotonic() < end:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return self.port
            except OSError:
                time.sleep(0.05)
        raise AssertionError('openssl s_server does not start')

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


@rabbit.needs_broker
class Trouble(Amqp):
    """A broker of its own for each."""

    def test_alarm(self):
        """Who puts is told to wait, never made to; who takes goes on."""
        master = self.master()
        self.site(master)
        agent = self.agent()
        master.ask('put', 1, 'tasks', 'north', 'before')
        master.expect('confirmed 1')
        self.broker.alarm(True)
        self.addCleanup(self.broker.alarm, False)
        number = 2
        while 'blocked' not in master.seen:  # it looks at its memory once a second
            master.ask('put', number, 'tasks', 'north', 'during')
            number += 1
            time.sleep(0.1)
        self.assertEqual(master.ask('put', number, 'tasks', 'north', 'x'), f'{number} later')
        self.assertEqual(agent.ask('ack', agent.take()[0]), '1')
        self.assertTrue(master.ask('site', 'north').startswith('north 1 '))
        self.broker.alarm(False)
        master.expect('unblocked')
        self.assertEqual(master.ask('put', 9999, 'tasks', 'north', 'after'), '9999 put')
        master.expect('confirmed 9999')

    def test_stopped(self):
        """One that does not read: putting says later before it would wait."""
        master = self.master()
        self.site(master)
        self.broker.suspend()
        self.addCleanup(self.broker.resume)
        number = int(master.ask('flood', 1, 'tasks', 'north', LARGE, 500))
        self.assertLess(number, 400)  # 512 may be open, so this is for want of room
        self.broker.resume()
        master.expect(f'confirmed {number - 1}')
        self.assertEqual(master.ask('put', number, 'tasks', 'north', 'x'), f'{number} put')

    def test_dies_and_comes_back(self):
        """Both sides are told gone; afterwards what was confirmed is there, and tags and numbers begin anew."""
        master = self.master()
        self.site(master)
        master.ask('put', 1, 'tasks', 'north', 'kept')
        master.expect('confirmed 1')
        time.sleep(rabbit.OLD_ENOUGH)
        self.broker.kill()
        self.assertEqual({master.expect('gone').split()[0], master.expect('gone').split()[0]}, {'puts', 'takes'})
        self.assertIn('refused', master.open('takes'))
        self.assertEqual(master.ask('put', 2, 'tasks', 'north', 'x'), '2 gone')
        self.broker.start()
        self.assertEqual(master.open(), 'open')
        agent = self.agent()
        self.assertEqual(agent.take()[4], 'kept')
        master.ask('put', 2, 'tasks', 'north', 'more')
        master.expect('confirmed 2')

    def test_silence(self):
        """A connection on which nothing comes any more is given up after two heartbeats, by us alone."""
        proxy = amqp_proxy.Proxy(self.broker.port)
        self.addCleanup(proxy.stop)
        master = self.master(url=self.broker.url(self.vhost, port=proxy.port))
        proxy.swallow()
        started = time.monotonic()
        self.assertIn('silent', master.expect('gone'))
        self.assertIn('silent', master.expect('gone'))
        self.assertGreater(time.monotonic() - started, 10)
        self.assertIn('no answer in time', master.open('takes'))

    def test_impatience(self):
        """RabbitMQ from 4.3 on cancels who did not acknowledge in time (here the line says so): its queue is there, so that what is
        in hand would come once more at once. The connection is given up, and what was taken on it is void."""
        proxy = amqp_proxy.Proxy(self.broker.port)
        self.addCleanup(proxy.stop)
        master = self.master()
        self.site(master)
        agent = self.agent(url=self.broker.url(self.vhost, port=proxy.port), prefetch=1)  # connections: takes, puts
        for number in 1, 2:
            master.ask('put', number, 'tasks', 'north', f'task-{number}')
        old, *_, text = agent.take()
        self.assertEqual(text, 'task-1')
        proxy.say(0, amqp_proxy.cancel_of(2, 'tasks'))
        self.assertIn('consumer_timeout', agent.expect('gone takes'))
        self.assertEqual([line for line in agent.seen if line.startswith(('taken', 'waiting'))][1:], [])
        self.assertEqual(agent.open('takes'), 'open')
        again, _, deliveries, _, text = agent.take()
        self.assertEqual((deliveries, text), (1, 'task-1'))
        agent.ask('ack', old)  # its number is that of `again`, on another connection
        time.sleep(1)
        agent.ask('memory')  # behind all that came meanwhile
        self.assertFalse([line for line in agent.unread if line.startswith('taken')], 'a void word made room for another task')
        self.assertEqual(agent.ask('ack', again), '1')
        self.assertEqual(agent.take()[4], 'task-2')
        proxy.say(2, amqp_proxy.cancel_of(3, 'control'))  # which is nothing else than that its queue went away
        self.assertIn('our queue was deleted', agent.expect('gone takes'))

    def test_cancelled_in_silence(self):
        """The same word of a broker that then does not answer whether the queue is there: silence is what is told, no impatience."""
        proxy = amqp_proxy.Proxy(self.broker.port)
        self.addCleanup(proxy.stop)
        self.site(self.master())
        agent = self.agent(url=self.broker.url(self.vhost, port=proxy.port))
        proxy.deafen(0)
        proxy.say(0, amqp_proxy.cancel_of(2, 'tasks'))
        self.assertEqual(agent.expect('gone takes'), '0 no answer in time')

    def test_idle(self):
        """One on which nothing happens stays: heartbeats go and come."""
        master = self.master()
        self.site(master)
        time.sleep(25)
        self.assertTrue(master.ask('site', 'north').startswith('north 1 '))
        master.ask('put', 1, 'tasks', 'north', 'x')
        master.expect('confirmed 1')
        self.assertFalse([line for line in master.seen if line.startswith('gone')])


@rabbit.needs_broker
class Nodes(poller.Poll):
    def test_failover(self):
        """A node dies: the next one is there, with what was confirmed."""
        with rabbit.Cluster() as cluster:
            master = Link(self, 'master', 'm1', cluster.url())
            self.assertEqual(master.open(), 'open')
            self.assertTrue(master.ask('site', 'north').startswith('north 1 '))
            master.ask('put', 1, 'tasks', 'north', 'kept')
            master.expect('confirmed 1')
            self.wait_until(lambda: cluster.leader('multisnmp.tasks.north'), 'nobody leads', 0.1)
            cluster.leader('multisnmp.tasks.north').kill()
            cluster.wait_for(2)

            def opens():
                return all(master.open(side) == 'open' for side in ('takes', 'puts'))
            self.wait_until(opens, 'another node takes over', 0.5)
            agent = Link(self, 'agent', 'a1', cluster.url(), 'north')
            self.wait_until(lambda: agent.open('takes') == 'open', 'for an agent, too', 0.5)
            self.assertEqual(agent.take()[4], 'kept')


if __name__ == '__main__':
    unittest.main()

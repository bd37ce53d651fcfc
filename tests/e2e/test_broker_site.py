#!/usr/bin/env python3
"""A master and agents set up as multisnmp-distributed(7) says, followed to the end: over TLS with certificates, polling SNMPv3
devices whose passphrases only the agents have; with the credentials of the systemd unit; through a site's own broker whose
line to the centre is cut in the middle."""
import collections
import json
import os
import re
import unittest

import amqp_proxy
import poller
import rabbit
from recipes import OPENSSL, RECIPES, prepare, recipe, start_site

UNIT = os.path.join(os.environ.get('ABS_SRCDIR', '.'), 'contrib', 'systemd', 'multisnmp-agent@.service')
PASSPHRASES = {'auth_pass': 'authority1', 'priv_pass': 'secrecy123'}
USER = ('--user', 'poller:SHA-256:authority1:AES-128:secrecy123')
HERE = ('broker.example.com', 'localhost')
CAN = rabbit.program_speaks_to_brokers() and os.environ.get('WITH_TLS') == 'yes' and OPENSSL


class Site(poller.Poll):
    """`folder` has certificates and passphrases; `centre` is the page's broker."""

    @classmethod
    def prepare(cls, centre=True):
        cls.place = prepare(cls, centre)
        for name, text in PASSPHRASES.items():
            cls.place.write(name, text + '\n', 0o600)

    def hosts(self, *more, port=161):
        """The page's list, its networks smaller, on loopback; more: into `broker:`."""
        changes = [('10.1.0.0/16', '127.1.0.0/25'), ('10.2.0.0/16', '127.2.0.0/25'),
                   ('defaults:\n', f'defaults:\n  port: {port}\n')]
        text = recipe('hosts.yaml', *changes).replace('broker.example.com', self.at_centre())
        return self.place.write('hosts.yaml', text.replace('broker:\n', 'broker:\n' + ''.join(more)), 0o600)

    def at_centre(self):
        return f'localhost:{self.centre.tls_port}' if hasattr(self, 'centre') else 'localhost'

    def agent_file(self, site='north'):
        text = RECIPES['agent.yaml'].replace('broker.example.com', self.at_centre()).replace('north', site)
        return self.place.write(f'{site}.yaml', text, 0o600)

    def start_agent(self, file, *words, **how):
        log = open(file + '.log', 'ab')
        self.addCleanup(log.close)
        return self.start_poller('--agent', '-f', file, '-j', '1', *words, stdout=log, stderr=log, **how)

    def said(self):
        text = ''
        for name in sorted(os.listdir(self.place.path)):
            if name.endswith('.log'):
                with open(self.place.file(name), encoding='utf-8') as f:
                    text += f'--- {name}\n{f.read()[-2000:]}'
        return text

    def judge(self, master, counts):
        """Every target once."""
        out, err = master.communicate(timeout=poller.LONG)
        records = [json.loads(line) for line in out.splitlines()]
        said = err.decode() + self.said()
        self.assertEqual(collections.Counter(r['status'] for r in records), counts, said[-4000:])
        self.assertEqual(len({r['host'] for r in records}), sum(counts.values()))
        self.assertEqual(master.returncode, 0 if set(counts) == {'ok'} else 1, said)
        return said


@unittest.skipUnless(CAN, 'needs openssl, and a program with RabbitMQ and TLS')
class Files(Site):
    """What can be said of them without a broker."""

    @classmethod
    def setUpClass(cls):
        cls.prepare(centre=False)

    def check(self, *words, **how):
        run = self.run_poller('--check', *words, cwd=self.place.path, **how)
        self.assertEqual((run.returncode, run.stderr), (0, ''), run.stdout)
        return run.stdout

    def test_hosts(self):
        said = self.check('-f', self.place.write('hosts.yaml', RECIPES['hosts.yaml'].replace(*HERE), 0o600))
        self.assertIn('131072', said)
        for word in 'north', 'south', 'amqps://localhost':
            self.assertIn(word, said)

    def test_agent(self):
        said = self.check('--agent', '-f', self.agent_file())
        for word in 'north', 'switches', 'amqps://localhost':
            self.assertIn(word, said)
        for secret in PASSPHRASES.values():
            self.assertNotIn(secret, said)

    def test_three(self):
        text = RECIPES['urls'].replace('.example.com', '') + 'hosts: [localhost]\n'
        said = self.check('-f', self.place.write('three.yaml', text))
        for name in 'broker1', 'broker2', 'broker3':
            self.assertIn(name, said)

    def test_site_of_its_own(self):
        self.place.write('broker_password', 'a word\n', 0o600)
        said = self.check('--agent', '--site', 'north', '-f', self.place.write('site.yaml', RECIPES['site.yaml'], 0o600))
        self.assertIn('amqp://north@127.0.0.1', said)
        self.assertNotIn('a word', said)


@rabbit.needs_broker
@unittest.skipUnless(CAN, 'needs openssl, and a program with RabbitMQ and TLS')
class ByThePage(Site):
    @classmethod
    def setUpClass(cls):
        cls.prepare()

    def test_two_sites(self):
        park = self.agents(options=USER)
        for site in 'north', 'south':
            self.start_agent(self.agent_file(site))
        master = self.start_poller('-F', 'jsonl', '-s', '-f', self.hosts(port=park.port), cwd=self.place.path)
        self.judge(master, {'ok': 256})

    def service(self):
        """The page's commands, and what systemd makes of them: a folder of credentials with the unit's names."""
        self.agent_file()
        for name in 'etc', 'credstore':
            os.makedirs(self.place.file(name), exist_ok=True)
            os.chmod(self.place.file(name), 0o777)
        for name in PASSPHRASES:
            os.chmod(self.place.file(name), 0o644)
        os.chmod(self.place.file('north.yaml'), 0o644)
        said = self.place.follow(recipe('agent service', ('/usr/local/etc/multisnmp/', self.place.file('etc/')),
                                        ('-m 700 ', ''), ('/etc/credstore', self.place.file('credstore'))), self.centre)
        self.assertEqual(said, 'systemctl enable --now multisnmp-agent@north.service\n')
        credentials = self.path('credentials')
        os.mkdir(credentials)
        with open(UNIT, encoding='utf-8') as f:
            loaded = re.findall(r'^LoadCredential=(\w+):(.*)$', f.read(), re.M)
        for name, source in loaded:
            path = self.place.file('credstore/' + source.replace('%i', 'north'))
            if os.path.exists(path):
                with open(path, encoding='utf-8') as f:
                    self.write('credentials/' + name, f.read())
        self.assertEqual(sorted(os.listdir(credentials)),
                         sorted(['broker_ca', 'broker_certificate', 'broker_key', *PASSPHRASES]))
        return credentials

    def test_as_a_service(self):
        park = self.agents(options=USER)
        credentials = self.service()
        file = self.place.file('etc/north.yaml')
        with open(file, encoding='utf-8') as f:
            text = f.read()
        for was, now in re.findall(r'\.Li "?((?:ca|certificate|key)): (\w+)"', page_text()):
            text = re.sub(rf'^  {was}: .*$', f'  {was}: {now}', text, flags=re.M)
        self.assertIn('key: broker_key', text)
        with open(file, 'w', encoding='utf-8') as f:
            f.write(text)
        self.start_agent(file, env={**os.environ, 'CREDENTIALS_DIRECTORY': credentials})
        self.start_agent(self.agent_file('south'))
        master = self.start_poller('-F', 'jsonl', '-f', self.hosts(port=park.port), cwd=self.place.path)
        self.judge(master, {'ok': 256})

    def test_a_site_without_the_secret(self):
        """Its file lacks what the list names: each of its targets says so, the others are polled."""
        park = self.agents(options=USER)
        text = RECIPES['agent.yaml'].replace('broker.example.com', self.at_centre()).replace('switches', 'routers')
        self.start_agent(self.place.write('north.yaml', text, 0o600))
        self.start_agent(self.agent_file('south'))
        master = self.start_poller('-F', 'jsonl', '-f', self.hosts(port=park.port), cwd=self.place.path)
        self.judge(master, {'ok': 128, 'error': 128})

    TROUBLES = (  # what is changed in the master's file, and what is said then
        ('localhost:PORT', 'localhost:1', 'localhost:1: Connection refused'),
        ('localhost:PORT', '127.0.0.1:PORT', "('localhost') is not for the name '127.0.0.1'"),
        ('/multisnmp', '/nowhere', 'the broker says: vhost nowhere not found'),
        ('/multisnmp', '', "the broker says: access to vhost '/' refused for user 'master'"),
        ('ca: ca.pem', 'ca: south.pem', 'no authority of '),
        ('  certificate: master.pem\n  key: master.key\n', '', 'it wants a certificate of ours (broker: certificate)'),
        ('key: master.key', 'key: south.key', 'it is not the key of the certificate'),
        ('certificate: master.pem\n  key: master.key', 'certificate: south.pem\n  key: south.key',
         "refused for user 'south' (rabbitmqctl set_permissions allows it)"),
        ('certificate: master.pem\n  key: master.key', 'certificate: west.pem\n  key: west.key',
         'it knows no user by the name in our certificate'),
        ('certificate: master.pem\n  key: master.key', 'certificate: old.pem\n  key: west.key', 'it has expired'),
        ('amqps://localhost', 'amqp://localhost', 'is it the port of amqps://?'),
        ('amqps://localhost:PORT', 'amqps://localhost:PLAIN', 'is it the port of amqp://?'),
        ('amqps://localhost:PORT', 'amqp://nobody@localhost:PLAIN', 'no password is given (broker: password_file)'),
        ('amqps://localhost:PORT', 'amqp://nobody:wrong@localhost:PLAIN', "it refuses the user 'nobody': a wrong password"),
    )

    def west(self):
        """A certificate of the authority's for somebody whom the broker does not know, and one of the past."""
        commands = RECIPES['client certificates'].replace('master north south', 'west')
        self.place.follow(commands)
        self.place.follow('$ openssl x509 -req -in west.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days -1 '
                          '-copy_extensions copy -out old.pem')

    def test_troubles(self):
        """Each says what is wrong, where, and what to do: before anything is polled, with status 4."""
        self.west()
        with rabbit.Broker(name='plain') as plain:
            good = RECIPES['hosts.yaml'].replace('broker.example.com', 'localhost:PORT')
            for was, now, words in self.TROUBLES:
                with self.subTest(words):
                    self.assertIn(was, good)  # or nothing would be changed
                    text = good.replace(was, now)
                    if text.count('amqp://'):
                        text = re.sub(r'  (ca|certificate|key): .*\n', '', text)
                    text = text.replace('PORT', str(self.centre.tls_port)).replace('PLAIN', str(plain.port))
                    run = self.run_poller('-f', self.place.write('trouble.yaml', text, 0o600), cwd=self.place.path)
                    self.assertIn(words, run.stderr)
                    self.assertEqual((run.returncode, run.stdout), (4, ''), run.stderr)


@rabbit.needs_broker
@unittest.skipUnless(CAN, 'needs openssl, and a program with RabbitMQ and TLS')
class OverShovels(Site):
    @classmethod
    def setUpClass(cls):
        cls.prepare()
        cls.line = amqp_proxy.Proxy(cls.centre.tls_port)
        cls.addClassCleanup(cls.line.stop)
        cls.site = start_site(cls.place, cls.centre, cls.line)
        cls.addClassCleanup(cls.site.remove)

    def test_the_line_is_cut_in_the_middle(self):
        """What has come to the site is polled while the line is away; every record arrives when it is back."""
        park = self.agents('*:late=100ms', options=USER)
        text = RECIPES['agent.yaml']
        start, end = text.index('broker:'), text.index('defaults:')
        own = recipe('site.yaml', ('127.0.0.1', f'127.0.0.1:{self.site.port}'))
        if poller.ROOT:
            os.chown(self.place.file('broker_password'), 0, 0)
        self.start_agent(self.place.write('north.yaml', text[:start] + own + text[end:], 0o600), '--window', '20')
        hosts = self.place.write('hosts.yaml', recipe(
            'hosts.yaml', ('  - {host: 10.2.0.0/16, group: south}\n', ''), ('10.1.0.0/16', '127.1.0.0/21'),
            ('defaults:\n', f'defaults:\n  port: {park.port}\n')).replace('broker.example.com', self.at_centre())
            .replace('broker:\n', 'broker:\n  patience: 1h\n'), 0o600)
        master = self.start_poller('-F', 'jsonl', '-s', '-f', hosts, cwd=self.place.path)
        self.wait_until(lambda: park.counters()['authenticated'] >= 300, 'nothing is polled', 0.05)
        self.line.refuse()
        asked = park.counters()['authenticated']
        self.wait_until(lambda: park.counters()['authenticated'] >= asked + 500, 'nothing is polled meanwhile', 0.05)
        self.assertIsNone(master.poll())
        self.line.accept()
        self.judge(master, {'ok': 2048})


def page_text():
    with open(os.path.join(os.environ.get('ABS_SRCDIR', '.'), 'man', 'multisnmp-distributed.7'), encoding='utf-8') as f:
        return f.read()


if __name__ == '__main__':
    unittest.main()

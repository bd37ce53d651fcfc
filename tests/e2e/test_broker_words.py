#!/usr/bin/env python3
"""Words about a broker, on the command line and in YAML: what is refused and how, what --check shows. No broker is needed:
nothing here is connected, or what is connected is nobody."""
import os
import socket
import subprocess
import unittest

import poller
import rabbit

URL = 'amqp://127.0.0.1:1/'
PASSWORD = 'a-word-of-the-broker-31c7'

needs_program = unittest.skipUnless(rabbit.program_speaks_to_brokers(), 'needs a program built with librabbitmq')

AGENTS_ONLY = (['-j', '2'], ['--window', '100'], ['--source', '127.0.0.1'], ['--debug'])
MASTERS_ONLY = (['-o', 'x'], ['-F', 'csv'], ['--append', '-o', 'x'], ['-i', '5s'], ['--deadline', '5s'], ['-g', 'sysDescr.0'],
                ['-w', 'system'], ['--table', 'ifTable'], ['-c', 'public'], ['-v', '3'], ['-t', '1s'], ['-p', '161'], ['-4'],
                ['--set', 'retries=1'], ['--exclude', '10.0.0.1'], ['--sort', 'host'], ['--only-failed'], ['--min-ok', '1'],
                ['--fields', 'host'], ['--null'], ['--status', 'ok'], ['--progress'], ['--explain'], ['--resume'],
                ['--no-spread'])
SECRETS = {  # where a secret may not stand with a broker: (words, YAML, place and key that the error names)
    'the option of a community': (['-c', 'hidden-1'], '', 'command line: community'),
    'a passphrase': (['-v3', '-u', 'me', '-l', 'authNoPriv', '-a', 'SHA', '-A', 'hidden-12'], '', 'command line: auth_pass'),
    'of privacy': (['-v3', '-u', 'me', '-a', 'SHA', '-A', 'hidden-12', '-x', 'AES', '-X', 'hidden-34'], '',
                   'command line: priv_pass'),
    '--set': (['--set', 'community=hidden-1'], '', 'command line: community'),
    'a host': ([], 'hosts: [{host: 10.0.0.1, community: hidden-1}]', 'hosts.yaml:1:37: community'),
    'the file of a host': ([], 'hosts: [{host: 10.0.0.1, community_file: not-there}]', 'hosts.yaml:1:42: community'),
    'a variable': ([], 'hosts: [{host: 10.0.0.1, auth_pass_env: NOT_THERE}]', 'hosts.yaml:1:41: auth_pass'),
    'defaults': ([], 'defaults: {community: hidden-1}', 'hosts.yaml:1:23: community'),
    'a group': ([], 'groups: {g: {priv_pass: hidden-34}}', 'hosts.yaml:1:25: priv_pass'),
    'beside a credential': ([], 'hosts: [{host: 10.0.0.1, credential: c, community: hidden-1}]',
                            'hosts.yaml:1:52: community'),
}
YAML = {  # what is wrong under `broker:`: (text, what the error says)
    'an unknown key': ('broker: {urll: "amqp://h"}', "1:10: broker: unknown key 'urll' (did you mean 'url'?)"),
    'no URL': ('broker: {user: me}', "1:9: broker: without 'url'"),
    'no scheme': ('broker: {url: mq.example.com}', '1:15: url: a broker is written amqps://'),
    'one of a list': ('broker: {url: ["amqp://a", "http://b"]}', '1:28: url: a broker is written'),
    'two brokers': ('broker: {url: ["amqp://a", "amqps://b"]}', '1:15: url: the nodes of one broker'),
    'a word': ('broker: amqp://h', '1:9: broker: takes a mapping'),
    'a list for a user': ('broker: {url: "amqp://h", user: [a]}', '1:33: user: takes one value'),
    'nothing': ('broker: {url: "amqp://h", ca: }', '1:31: ca: no value'),
    'twice': ('broker: {url: "amqp://h", user: a, user: b}', "1:36: duplicate key 'user' (first on line 1)"),
    'two passwords': ('broker: {url: "amqp://h", user: a, password: b, password_file: c}',
                      "1:49: 'password_file' beside 'password' on line 1"),
    'no such file': ('broker: {url: "amqp://h", user: a, password_file: gone}', "1:51: password_file: '"),
    'no such variable': ('broker: {url: "amqp://h", user: a, password_env: NOT_THERE}', '1:50: password_env: the environment'),
    'no attempt': ('broker: {url: "amqp://h", attempts: 0}', "1:37: attempts: '0' is not a whole number from 1 to 20"),
    'many attempts': ('broker: {url: "amqp://h", attempts: 21}', "1:37: attempts: '21'"),
    'no patience': ('broker: {url: "amqp://h", patience: soon}', "1:37: patience: 'soon' is not a duration"),
    'a name': ('broker: {url: "amqp://h", name: a/b}', "1:33: name: 'a/b' is no name"),
    'certificates without TLS': ('broker: {url: "amqp://h", ca: hosts.yaml}', '1:9: broker: ca: only amqps://'),
    'a key alone': ('broker: {url: "amqps://h", key: hosts.yaml}', "1:9: broker: key: needs 'certificate'"),
    'no authority': ('broker: {url: "amqps://h", ca: ca.pem}', "1:32: ca: '"),
    'no certificate': ('broker: {url: "amqps://h", certificate: gone/me.pem}', "1:41: certificate: '"),
    'a password alone': ('broker: {url: "amqp://h", password: secret}', "1:9: broker: password: needs 'user'"),
    'in a group': ('broker: {url: "amqp://h"}\ngroups: {g: {broker: x}}', "2:14: 'broker' stands at the top level"),
    'a site': ('broker: {url: "amqp://h"}\ndefaults: {site: "no rth"}', "2:18: site: 'no rth' is no name"),
}


class Words(poller.Poll):
    def refused(self, *words, status=2, **how):
        done = self.run_poller(*words, **how)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, '')
        return done.stderr

    def lines(self, *words, **how):
        done = self.run_poller('--check', *words, **how)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()


@needs_program
class Options(Words):
    def test_who_asks_has_the_options_of_asking(self):
        for words in AGENTS_ONLY:
            with self.subTest(words=words):
                said = self.refused('--broker', URL, *words, '10.0.0.1')
                self.assertIn('agents ask', said)
                self.assertIn(words[0].lstrip('-') if len(words[0]) > 2 else 'workers', said)

    def test_who_plans_has_the_options_of_planning(self):
        for words in MASTERS_ONLY:
            with self.subTest(words=words):
                said = self.refused('--agent', '--broker', URL, *words)
                self.assertIn('--agent: ', said)
                self.assertIn('is for the machine that plans', said)

    def test_an_agent_takes_no_target(self):
        self.assertIn('--agent takes no target', self.refused('--agent', '--broker', URL, '10.0.0.1'))
        self.assertIn('--agent takes no target',
                      self.refused('--agent', '--broker', URL, '--targets', self.write('list', '10.0.0.1\n')))

    def test_roles_without_a_broker(self):
        path = self.write('own.yaml', 'credentials: {}\n')
        for role in (['--agent'], ['--drain', 'a'], ['--resume', '-o', 'x', '10.0.0.1']):
            with self.subTest(role=role):
                said = self.refused(*role, '-f', path)
                self.assertIn(f"{role[0]}: no broker: name it with --broker, or under 'broker:'", said)

    def test_words_that_do_not_go_together(self):
        for words, text in (
                (['--explain', '10.0.0.1'], '--explain asks from this machine'),
                (['--agent', '--drain', 'a'], '--agent and --drain'),
                (['--site', 'north', '10.0.0.1'], '--site is for --agent'),
                (['--name', 'one', '10.0.0.1'], '--name is for --agent'),
                (['--agent', '--site', 'no/rth'], "--site: 'no/rth' is no name"),
                (['--agent', '--name', '-one'], "--name: '-one' is no name"),
                (['--agent', '--name', 'n' * 65], 'is no name: 1 to 64'),
                (['--drain', ''], "--drain: '' is no name"),
                (['--drain', 'a', '10.0.0.1'], '--drain tells an agent to end, and asks no target'),
                (['--drain', 'a', '-F', 'csv'], '--format does not go with it'),
                (['--resume', '10.0.0.1'], 'name it with -o'),
                (['--resume', '-o', '-', '10.0.0.1'], 'name it with -o'),
                (['--resume', '-o', 'x', '--append', '10.0.0.1'], '--resume and --append'),
                (['--resume', '-o', 'x', '-i', '5s', '10.0.0.1'], '--resume takes up one run'),
                (['--resume', '-o', 'x', '--sort', 'host', '10.0.0.1'], '--resume: what is sorted'),
                (['--resume', '-o', 'x', '-F', 'prometheus', '10.0.0.1'], '--resume: what is sorted'),
                (['--resume', '-o', 'x-%H', '10.0.0.1'], 'would be another file by now')):
            with self.subTest(words=words):
                self.assertIn(text, self.refused('--broker', URL, *words))

    def test_a_url_that_is_none(self):
        for url in ('mq.example.com', 'http://mq', 'amqp://', 'amqps://u@h:99999/', 'amqp://u:' + PASSWORD + '@h:x/'):
            with self.subTest(url=url):
                said = self.refused('--broker', url, '10.0.0.1')
                self.assertIn('--broker: ', said)
                self.assertNotIn(PASSWORD, said)

    def test_a_broker_that_is_not_there(self):
        self.assertIn('127.0.0.1:1', self.refused('--broker', URL, '--drain', 'a', status=4))

    def test_the_password_is_gone_from_the_arguments(self):
        """While it waits for a broker that says nothing."""
        with socket.create_server(('127.0.0.1', 0)) as server:
            url = f'amqp://me:{PASSWORD}@127.0.0.1:{server.getsockname()[1]}/'
            process = self.start_poller('--broker', url, '--drain', 'somebody')
            server.settimeout(poller.LONG)
            connection, _ = server.accept()
            with connection:
                words = subprocess.run(['ps', '-o', 'args=', '-p', str(process.pid)], stdout=subprocess.PIPE, check=True)
                self.assertIn(b'--broker', words.stdout)
                self.assertNotIn(PASSWORD.encode(), words.stdout)


@needs_program
class Secrets(Words):
    def test_each_place(self):
        for name, (words, text, place) in SECRETS.items():
            with self.subTest(place=name):
                path = self.write('hosts.yaml', text + '\n')
                said = self.refused('--check', '--broker', URL, '-f', path, *words)
                self.assertIn(f'{place}: no secret goes through a broker', said)
                self.assertIn("name a 'credential', which the agents' own files have", said)
                self.assertNotIn('hidden', said)

    def test_the_same_words_without_a_broker(self):
        self.lines('-c', 'hidden-1', '10.0.0.1')

    def test_public_is_none(self):
        path = self.write('hosts.yaml', 'hosts: [{host: 10.0.0.1, community: public}, {host: a, version: 3, user: guest}]\n')
        self.lines('--broker', URL, '-f', path, '-c', 'public')

    def test_credentials_are_not_read(self):
        """Neither what does not exist, nor what is not defined, nor a variable, which stays in the environment."""
        path = self.write('hosts.yaml', 'credentials:\n'
                          '  file: {community_file: /not/there}\n'
                          '  env: {version: 3, user: u, auth: SHA, auth_pass_env: NOT_THERE}\n'
                          'hosts: [{host: a, credential: file}, {host: b, credential: env}, {host: c, credential: elsewhere}]\n')
        said = self.lines('--broker', URL, '-f', path)
        for name in ('file', 'env', 'elsewhere'):
            self.assertTrue(any(f"by credential '{name}'" in line for line in said), said)
        wrong = self.refused('--check', '-f', path)
        self.assertIn("community_file: '/not/there'", wrong)
        self.assertIn("unknown credential 'elsewhere'", wrong)

    def test_a_certificate_is_the_agents(self):
        path = self.write('hosts.yaml', 'hosts: [{host: "tlstcp:a", identity: me.pem, peer_ca: ca.pem}]\n')
        said = self.refused('--check', '--broker', URL, '-f', path)
        self.assertIn("identity: a file of the agents' machines: name a 'credential'", said)
        self.assertIn("peer_ca: a file of the agents' machines", said)

    def test_authentication_without_a_credential(self):
        said = self.refused('--check', '--broker', URL, '-v3', '-u', 'me', '-l', 'authPriv', '10.0.0.1')
        self.assertIn("level: with a broker, passphrases come with a 'credential' alone", said)


@needs_program
class Yaml(Words):
    def test_each_mistake(self):
        for name, (text, expected) in YAML.items():
            with self.subTest(mistake=name):
                path = self.write('hosts.yaml', text + '\nhosts: [10.0.0.1]\n')
                self.assertIn('hosts.yaml:' + expected, self.refused('--check', '-f', path))

    def test_all_of_them_at_once(self):
        path = self.write('hosts.yaml', 'broker: {url: mq, attempts: 0, patience: x, nam: y}\nhosts: [10.0.0.1, "a b"]\n')
        self.assertEqual(len(self.refused('--check', '-f', path).splitlines()), 5)

    def test_once_in_all_files(self):
        one = self.write('one.yaml', 'broker: {url: "amqp://127.0.0.1"}\n')
        two = self.write('two.yaml', 'broker: {url: "amqp://127.0.0.2"}\nhosts: [10.0.0.1]\n')
        said = self.refused('--check', '-f', one, '-f', two)
        self.assertIn('two.yaml:1:9: broker: stands at', said)
        self.assertIn('one.yaml:1:9 already', said)

    def test_the_file_is_enough(self):
        self.write('ca.pem', '')
        path = self.write('hosts.yaml', 'broker:\n  url: ["amqps://poller@mq1/snmp", "amqps://poller@mq2:5999/snmp"]\n'
                          '  ca: ca.pem\nhosts: [10.0.0.1]\n')
        self.assertIn('broker: amqps://poller@mq1:5671,mq2:5999/snmp', self.lines('-f', path))

    def test_the_command_line_takes_the_place_of_the_url_alone(self):
        path = self.write('hosts.yaml', 'broker: {url: "amqps://mq1", user: poller, password: ' + PASSWORD +
                          '}\nhosts: [10.0.0.1]\n')
        done = self.run_poller('--check', '-f', path, '--broker', 'amqps://mq9/other')
        self.assertIn('broker: amqps://poller@mq9:5671/other\n', done.stdout)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)

    def test_a_password_that_everybody_reads(self):
        path = self.write('hosts.yaml', 'broker: {url: "amqp://me:' + PASSWORD + '@mq1"}\nhosts: [10.0.0.1]\n', 0o644)
        done = self.run_poller('--check', '-f', path)
        self.assertIn('holds a secret and is readable by everyone', done.stderr)
        self.assertIn("the password goes to 'mq1' where everybody on the way can read it", done.stderr)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)

    def test_a_site_alone_changes_nothing(self):
        path = self.write('hosts.yaml', 'defaults: {site: north}\nhosts: [10.0.0.1]\n')
        self.assertEqual(self.lines('-f', path), self.lines('10.0.0.1'))


@needs_program
class Check(Words):
    def test_sites_and_their_counts(self):
        path = self.write('hosts.yaml', 'defaults: {site: north, credential: core}\n'
                          'hosts: [10.0.0.0/24, {host: a, site: south}, {host: b, site: south}, c]\n')
        said = self.lines('--broker', 'amqps://me@mq/snmp', '-f', path)
        for line in ('total: 259 targets', 'site north: 257 targets', 'site south: 2 targets',
                     'broker: amqps://me@mq:5671/snmp'):
            self.assertIn(line, said)
        self.assertTrue(said[-1].startswith('published: 18 messages of at most 16 targets, '), said[-1])

    def test_the_site_of_the_command_line(self):
        self.assertIn('site west: 1 target', self.lines('--broker', URL, '--set', 'site=west', '10.0.0.1'))

    def test_nothing_is_connected(self):
        with socket.create_server(('127.0.0.1', 0)) as server:
            self.lines('--broker', f'amqp://127.0.0.1:{server.getsockname()[1]}/', '10.0.0.1')
            server.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                server.accept()

    def agent(self, text, *words, status=0, **how):
        done = self.run_poller('--agent', '--check', '-f', self.write('agent.yaml', text), *words, **how)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout.splitlines() if status == 0 else done.stderr

    def test_an_agent(self):
        said = self.agent('broker: {url: "amqps://mq", name: sw-1}\ndefaults: {site: north}\n'
                          'credentials: {office: {community: c}, core: {version: 3, user: u, auth: SHA, auth_pass: abcdefgh}}\n')
        self.assertEqual(said, ['agent sw-1 of site north', 'broker: amqps://mq:5671/', 'credential: office',
                                'credential: core'])

    def test_an_agent_of_the_command_line(self):
        said = self.agent('broker: {url: "amqps://mq", name: sw-1}\ndefaults: {site: north}\n', '--site', 'south', '--name', 'n2')
        self.assertEqual(said[0], 'agent n2 of site south')
        said = self.agent('credentials: {}\n', '--broker', URL)
        self.assertRegex(said[0], r'^agent [A-Za-z0-9][A-Za-z0-9_-]* of site default$')

    def test_an_agent_reads_its_secrets(self):
        for text, expected in (('{a: {community_file: /not/there}}', "1:35: community_file: '/not/there'"),
                               ('{a: {auth: SHA-3}}', "1:25: auth: 'SHA-3' is none of"),
                               ('{a: {community: [x]}}', '1:30: community: takes one value')):
            with self.subTest(text=text):
                said = self.agent(f'credentials: {text}\nbroker: {{url: "amqp://h"}}\n', status=2)
                self.assertIn('agent.yaml:' + expected, said)

    def test_an_agent_is_told_of_hosts_that_it_does_not_ask(self):
        done = self.run_poller('--agent', '--check', '--broker', URL, '-f', self.write('a.yaml', 'hosts: [a, b]\n'))
        self.assertIn("2 entries of 'hosts:' are not asked", done.stderr)

    def test_a_credential_of_systemd(self):
        os.makedirs(self.path('credentials'))
        self.write('credentials/broker_password', PASSWORD + '\n')
        done = self.run_poller('--agent', '--check', '-f', self.write(
            'agent.yaml', 'broker: {url: "amqps://mq", user: me, password_file: broker_password}\n'),
            env={**os.environ, 'CREDENTIALS_DIRECTORY': self.path('credentials')})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('broker: amqps://me@mq:5671/\n', done.stdout)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)


@needs_program
class Remedies(Words):
    """What was tried, and what to look at: exit status 4."""
    def test_nobody_listens(self):
        port = rabbit.free_port()
        said = self.refused('--broker', f'amqp://127.0.0.1:{port}', '10.0.0.1', status=4)
        self.assertIn(f'broker 127.0.0.1:{port}: Connection refused (nobody listens there: is the broker running', said)

    def test_somebody_else_listens(self):
        """Who says nothing."""
        with socket.create_server(('127.0.0.1', 0)) as server:
            port = server.getsockname()[1]
            said = self.refused('--broker', f'amqp://127.0.0.1:{port}', '10.0.0.1', status=4)
            self.assertIn(f"broker 127.0.0.1:{port}: no answer in time (is that the broker's port", said)


@unittest.skipIf(rabbit.program_speaks_to_brokers(), 'was built with librabbitmq')
class Without(Words):
    def test_the_reason_is_told(self):
        for words in (['--broker', URL, '10.0.0.1'], ['--agent', '--broker', URL], ['--drain', 'a', '--broker', URL]):
            with self.subTest(words=words):
                self.assertIn('was built without RabbitMQ', self.refused(*words))
        path = self.write('hosts.yaml', 'broker: {url: "amqp://h"}\nhosts: [10.0.0.1]\n')
        self.assertIn("'broker:' of a file: this multisnmp was built without RabbitMQ", self.refused('-f', path))


if __name__ == '__main__':
    unittest.main()

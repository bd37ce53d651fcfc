#!/usr/bin/env python3
"""A broker that lets in who has a certificate, and nobody else: masters and agents that dial out with TLS."""
import unittest

import certificates
import dist
import poller
import rabbit

BY_ADDRESS = 'IP:127.0.0.1'  # the server's certificate has no other name


@rabbit.needs_broker
@unittest.skipUnless(certificates.OPENSSL, 'needs openssl')
class Certificates(dist.Stage):
    @classmethod
    def setUpClass(cls):
        cls.ours, cls.theirs = certificates.Authority(), certificates.Authority('others')
        cls.addClassCleanup(cls.ours.remove)
        cls.addClassCleanup(cls.theirs.remove)
        cls.ours.server_names = BY_ADDRESS
        cls.broker = rabbit.Broker(plugins=('rabbitmq_auth_mechanism_ssl',), tls=cls.ours)
        cls.addClassCleanup(cls.broker.remove)
        for name in 'master1', 'agent1', 'old':
            cls.broker.user(name, '')

    def setUp(self):
        super().setUp()
        self.devices('*:ok')
        for name in 'master1', 'agent1', 'old':
            self.broker.ctl('set_permissions', '-p', self.vhost, name, '.*', '.*', '.*')

    def file(self, name, certificate=None, ca=None, host='127.0.0.1', more=''):
        words = [f'url: "{self.broker.tls_url(self.vhost, host=host)}"', f'ca: {ca or self.ours.ca}']
        if certificate:
            words += [f'certificate: {certificate[0]}', f'key: {certificate[1]}']
        return self.write(name, f'broker: {{{", ".join(words)}}}\n{more}')

    def hosts(self, **how):
        return self.file('hosts.yaml', more=f'defaults: {{port: {self.park.port}}}\nhosts: [127.2.0.0/24]\n', **how)

    def test_both_by_certificate(self):
        """No name, no password: the certificate's common name is the user."""
        agent = self.start_poller('--agent', '-f', self.file('agent.yaml', self.ours.certificate('agent1')), '--name', 'a1')
        records = self.poll('-f', self.hosts(certificate=self.ours.certificate('master1')))
        self.assertEqual([r['status'] for r in records], ['ok'] * 256)
        names = self.broker.ctl('list_connections', 'user', 'auth_mechanism', 'ssl')
        self.assertIn('agent1\tEXTERNAL\ttrue', names)
        self.assertIsNone(agent.poll())

    def refused(self, *words, **how):
        run = self.run_poller('-f', self.hosts(**how))
        self.assertEqual(run.returncode, 4, run.stderr)
        self.assertEqual(run.stdout, '')
        self.assertEqual(self.asked(), 0)
        self.assertRegex(run.stderr.lower(), '|'.join(words))

    def test_no_certificate(self):
        self.refused('certificate')

    def test_expired(self):
        self.refused('expired', 'certificate', certificate=self.ours.certificate('old', expired=True))

    def test_of_another_authority(self):
        self.refused('unknown ca', 'certificate', certificate=self.theirs.certificate('master1'))

    def test_broker_of_another_authority(self):
        self.refused('certificate', certificate=self.ours.certificate('master1'), ca=self.theirs.ca)

    def test_broker_of_another_name(self):
        self.refused('localhost', 'host', certificate=self.ours.certificate('master1'), host='localhost')

    def test_nobody_of_that_name(self):
        """A good certificate of who has no business here."""
        self.refused('knows no user', certificate=self.ours.certificate('stranger'))

    def test_without_tls(self):
        """amqp:// to the port that wants TLS: an end, and words."""
        run = self.run_poller('--broker', self.broker.url(self.vhost, port=self.broker.tls_port), '-p', self.park.port, '127.2.0.1')
        self.assertEqual(run.returncode, 4, run.stderr)

    def test_files_that_are_none(self):
        """Found before anything is polled, with their names."""
        for what in 'ca', 'certificate':
            with self.subTest(what):
                hosts = self.hosts(**{what: self.path('not-there') if what == 'ca' else (self.path('not-there'),) * 2})
                run = self.run_poller('-f', hosts)
                self.assertIn(run.returncode, (2, 4), run.stderr)
                self.assertIn('not-there', run.stderr)

    def test_agent_with_a_wrong_certificate_waits(self):
        """An agent is a service: it says what is wrong, and does not poll."""
        agent = self.start_logged('agent', '--agent', '-f', self.file('agent.yaml', self.theirs.certificate('agent1')),
                                  '--name', 'a1')
        self.wait_until(lambda: self.told(agent) or agent.poll() is not None, 'it says nothing')
        if agent.poll() is not None:
            self.assertEqual(agent.returncode, 4, self.told(agent))
        self.assertRegex(self.told(agent).lower(), 'certificate|unknown ca|tls')
        self.assertEqual(self.asked(), 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)

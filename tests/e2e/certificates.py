"""An authority of the tests' own, and certificates of it: for a broker on 127.0.0.1, and for who asks there."""
import os
import shutil
import subprocess
import tempfile

import poller

OPENSSL = poller.have('openssl')
NAMES = 'DNS:localhost,IP:127.0.0.1,IP:::1'
PAST = ('-startdate', '20200101000000Z', '-enddate', '20200102000000Z')
LATER = ('-days', '3650')


def openssl(*words, folder):
    subprocess.run([OPENSSL, *words], cwd=folder, check=True, capture_output=True, timeout=poller.LONG)


class Authority:
    """Files: its own certificate `ca`; certificate() makes others. All below a folder that everyone may read: nothing here
    guards anything."""

    def __init__(self, name='tests'):
        self.folder = tempfile.mkdtemp(prefix='multisnmp-ca.')
        os.chmod(self.folder, 0o755)
        self.name = name
        self.ca, self.key = self.path('ca.pem'), self.path('ca.key')
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650',
                '-subj', f'/CN={name}', '-keyout', 'ca.key', '-out', 'ca.pem', folder=self.folder)
        with open(self.path('index.txt'), 'w', encoding='ascii'):
            pass
        self.write('ca.conf', '[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\n'
                              'default_md = sha256\npolicy = p\nunique_subject = no\ncopy_extensions = copy\n[p]\n'
                              'commonName = supplied\n')

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='ascii') as f:
            f.write(text)

    def certificate(self, name, names=None, expired=False):
        """Of a subject whose common name is `name`; names: a server's, as openssl writes them. Returns the files of the
        certificate and of its key."""
        openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
                *(('-addext', 'subjectAltName=' + names) if names else ()), '-keyout', name + '.key', '-out', name + '.csr',
                folder=self.folder)
        openssl('ca', '-batch', '-config', 'ca.conf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-notext',
                *(PAST if expired else LATER), '-in', name + '.csr', '-out', name + '.pem', folder=self.folder)
        for ending in '.key', '.pem':
            os.chmod(self.path(name + ending), 0o644)
        return self.path(name + '.pem'), self.path(name + '.key')

    def lines_for(self, broker):
        """Of rabbitmq.conf: only who has a certificate of ours is let in; its common name is the user."""
        certificate, key = self.certificate(broker.name, getattr(self, 'server_names', NAMES))
        external = ['auth_mechanisms.1 = PLAIN', 'auth_mechanisms.2 = AMQPLAIN', 'auth_mechanisms.3 = EXTERNAL',
                    'ssl_cert_login_from = common_name'] if 'rabbitmq_auth_mechanism_ssl' in broker.plugins else []
        return [f'ssl_options.cacertfile = {self.ca}', f'ssl_options.certfile = {certificate}', f'ssl_options.keyfile = {key}',
                'ssl_options.verify = verify_peer', 'ssl_options.fail_if_no_peer_cert = true', *external]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

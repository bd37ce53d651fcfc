"""Following the recipes of multisnmp-distributed(7): its commands, its files, taken out of the page.

A recipe is a literal block behind a comment `.\\" recipe: NAME`. Commands run in a shell as a plain user, with programs of the
broker's in front that know which node is meant; of the text only host names, ports and folders are changed."""
import os
import re
import ssl
import subprocess
import tempfile
import time

import poller
import rabbit

PAGE = os.path.join(os.environ.get('ABS_SRCDIR', '.'), 'man', 'multisnmp-distributed.7')
OPENSSL = poller.have('openssl')
VHOST = 'multisnmp'


def recipes():
    with open(PAGE, encoding='utf-8') as f:
        found = re.findall(r'^\.\\" recipe: ([^\n]+)\n\.Bd -literal[^\n]*\n(.*?)^\.Ed', f.read(), re.M | re.S)
    return {name: text.replace('\\e', '\\') for name, text in found}


RECIPES = recipes()


def recipe(name, *changes):
    """Its text; changes: (what, into what), each of which must be there."""
    text = RECIPES[name]
    for was, now in changes:
        assert was in text, (name, was)
        text = text.replace(was, now)
    return text


def script(text):
    """Commands without the prompts before them."""
    return 'set -e\n' + re.sub(r'^[#$] ', '', text, flags=re.M)


def wait_for(question, what):
    end = time.monotonic() + poller.LONG
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.1)


def prepare(cls, centre=True):
    """For a class of tests: a folder with the page's certificates, and (centre) the page's broker; gone after its last test."""
    folder = Folder()
    cls.addClassCleanup(folder.remove)
    folder.make_certificates()
    if centre:
        cls.centre = start_centre(folder)
        cls.addClassCleanup(cls.centre.remove)
    return folder


class Folder:
    """Where recipes are followed: certificates made by them, and programs that know their node."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix='multisnmp-recipe.')
        self.path = self.temporary.name
        os.chmod(self.path, 0o777)
        self.programs = os.path.join(self.path, 'bin')
        os.mkdir(self.programs)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=0o644):
        with open(self.file(name), 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(self.file(name), mode)
        return self.file(name)

    def follow(self, text, broker=None, strict=True):
        """Runs a recipe's commands. What they printed."""
        env = dict(os.environ)
        if broker:
            for program in 'rabbitmqctl', 'rabbitmq-plugins', 'rabbitmq-queues', 'rabbitmq-upgrade':
                path = os.path.join(rabbit.SBIN, program)
                self.write(f'bin/{program}', f'#!/bin/sh\nexec {path} -q -n {broker.node} "$@"\n', 0o755)
            self.write('bin/systemctl', '#!/bin/sh\necho systemctl "$@"\n', 0o755)
            env = {**broker.environment(), 'PATH': self.programs + ':' + os.environ['PATH']}
        run = subprocess.run(['bash', '-c', script(text)], cwd=self.path, env=env, capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=rabbit.STARTED, check=False, **rabbit.as_plain_user())
        if strict and run.returncode:
            raise AssertionError(f'{text}: {run.stdout}{run.stderr}')
        return run if not strict else run.stdout

    def make_certificates(self):
        for name in 'authority', 'broker certificate', 'client certificates':
            text = RECIPES[name]
            self.follow(text.replace('broker.example.com', 'localhost') if name == 'broker certificate' else text)

    def context(self, name=None):
        """Of TLS, for the client of that name; None: without a certificate."""
        context = ssl.create_default_context(cafile=self.file('ca.pem'))
        if name:
            context.load_cert_chain(self.file(name + '.pem'), self.file(name + '.key'))
        return context

    def remove(self):
        self.temporary.cleanup()


def start_centre(folder, home=None):
    """A broker with the page's rabbitmq.conf, users and virtual host; north and south may come."""
    broker = rabbit.Broker(home=home, name='centre', start=False)
    broker.port = broker.tls_port  # it listens nowhere else
    listens = ('listeners.ssl.default = 5671', f'listeners.ssl.default = 127.0.0.1:{broker.tls_port}')
    broker.write('conf', recipe('rabbitmq.conf', listens, ('/etc/rabbitmq/', folder.path + '/')) + 'log.console = false\n')
    environment = broker.environment
    broker.environment = lambda: {name: value for name, value in environment().items() if name != 'RABBITMQ_NODE_PORT'}
    give(broker.path('plugins'), os.path.dirname(broker.path('plugins')))
    install = recipe('install').splitlines()
    assert install[0] == '# apt-get install rabbitmq-server'
    folder.follow('\n'.join(install[1:]), broker)
    broker.start()
    said = folder.follow(RECIPES['master user'], broker)
    assert said.startswith('systemctl restart rabbitmq-server\n'), said
    folder.follow(RECIPES['site user'], broker)
    folder.follow(RECIPES['site user'].replace('north', 'south'), broker)
    return broker


def start_site(folder, centre, line):
    """A site's own broker, with shovels to the centre through `line`, a Proxy; agents come to it as the page says."""
    folder.follow(RECIPES['shovel user'], centre)
    broker = rabbit.Broker(name='site', start=False)
    give(broker.path('plugins'), os.path.dirname(broker.path('plugins')))
    broker.start()
    folder.write('site.json', RECIPES['site.json'])
    far = ('broker.example.com:5671', f'localhost:{line.port}')
    folder.follow(recipe('shovels', far, ('broker.example.com', 'localhost'), ('/etc/rabbitmq/', folder.path + '/'),
                         ('reconnect-delay\\": 5', 'reconnect-delay\\": 1')), broker)
    folder.follow(RECIPES['site agents'], broker)
    return broker


def give(*paths):
    """To the user as whom the broker runs."""
    if poller.ROOT:
        for path in paths:
            os.chown(path, poller.NOBODY, poller.NOBODY)

"""A RabbitMQ of the tests' own: on loopback, on free ports, in a folder of its own, without root, ended by its pid.

Debian's own start scripts want root and /var/lib/rabbitmq; those below /usr/lib/rabbitmq want nothing but variables. A root
starts it as `nobody`. Each Broker (or Cluster) has an epmd of its own, so that nothing here meets a RabbitMQ of the system's
or another test's. With RUNNING_UNDER_SYSTEMD the script becomes the Erlang machine: its pid is the broker. Questions that
must be quick go through erl_call (5 ms), all others through rabbitmqctl (a second and more).

Traps: ports are taken below the kernel's ephemeral ones, so that no connection of somebody else's takes the port of a broker that is
to come back. The WAL of quorum queues is kept small, or a broker of a minute holds half a gigabyte. A start takes 4 s of an idle
machine and a minute of a busy one: a test program shares one broker among its tests, each with a virtual host of its own."""
import ctypes
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import poller

FOLDERS = ('/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin', '/opt/homebrew/opt/rabbitmq/sbin', '/usr/local/opt/rabbitmq/sbin')
SBIN = next((f for pattern in FOLDERS for f in sorted(glob.glob(pattern), reverse=True)), None)
ERL_CALL, EPMD = poller.have('erl_call'), poller.have('epmd')
USER, PASSWORD, COOKIE = 'multisnmp', 'a-word-of-the-broker', 'COOKIEOFTHETESTS'
OLD_ENOUGH = 3  # seconds: with a quorum queue of its last second 3.10.8 may hang for ever when it comes back from SIGKILL
STARTED = 240  # seconds: this only ends what hangs
PR_SET_PDEATHSIG = 1
MEMORY_MOST = 0.9  # of the machine's: below the alarm

LIVE = SBIN and EPMD and ERL_CALL and os.environ.get('LIVE_BROKER') != 'no'

needs_rabbitmq = unittest.skipUnless(LIVE, 'needs rabbitmq-server, and LIVE_BROKER that is not "no"')


def program_speaks_to_brokers():
    """Whether the program was built with librabbitmq."""
    return os.environ.get('WITH_RABBITMQ', 'yes') == 'yes'


needs_broker = unittest.skipUnless(LIVE and program_speaks_to_brokers(),
                                   'needs rabbitmq-server (LIVE_BROKER not "no"), and a program built with librabbitmq')


def free_port(taken=()):
    """Of TCP on 127.0.0.1."""
    while (port := poller.free_port(socket.SOCK_STREAM)) in taken:
        pass
    return port


def die_with_parent():
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except AttributeError:  # only Linux has it
        pass


def as_plain_user():
    return {'user': poller.NOBODY, 'group': poller.NOBODY, 'extra_groups': []} if poller.ROOT else {}


class Home:
    """A folder that the broker's user owns, with its cookie; and an epmd on a port of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='multisnmp-rabbit.')
        os.chmod(self.folder, 0o755)
        self.home = os.path.join(self.folder, 'home')
        os.mkdir(self.home)
        cookie = os.path.join(self.home, '.erlang.cookie')
        with open(cookie, 'w', encoding='ascii') as f:
            f.write(COOKIE)
        os.chmod(cookie, 0o400)
        if poller.ROOT:
            for path in cookie, self.home:
                os.chown(path, poller.NOBODY, poller.NOBODY)
        self.port = free_port()
        self.env = {'PATH': os.environ['PATH'], 'HOME': self.home, 'LANG': 'C.UTF-8', 'LC_ALL': 'C.UTF-8',
                    'ERL_EPMD_PORT': str(self.port), 'ERL_EPMD_ADDRESS': '127.0.0.1', 'ERL_CRASH_DUMP': '/dev/null'}
        self.epmd = self.popen([EPMD, '-port', str(self.port), '-address', '127.0.0.1'], self.env)

    def popen(self, words, env, out=subprocess.DEVNULL):
        return subprocess.Popen(words, env=env, cwd=self.home, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                preexec_fn=die_with_parent, **as_plain_user())

    def remove(self):
        self.epmd.kill()
        self.epmd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Broker:
    """One node. plugins: names; tls: a certificates.Authority, for amqps on tls_port, where only clients with one of its
    certificates are let in; settings: more lines of rabbitmq.conf; nodes: of the cluster that it joins."""

    def __init__(self, plugins=(), tls=None, settings=(), home=None, name='one', nodes=(), start=True):
        self.home, self.own_home = home or Home(), home is None
        self.name, self.plugins, self.tls, self.settings, self.nodes = name, tuple(plugins), tls, tuple(settings), nodes
        self.node = name + '@localhost'
        self.data = os.path.join(self.home.home, name)
        self.process, self.was_up = None, False
        self.take_ports()
        if start:
            self.start()

    # ---- what it reads

    def take_ports(self):
        self.port = free_port()
        self.dist_port = free_port({self.port})
        self.tls_port = free_port({self.port, self.dist_port})
        self.write_files()

    def path(self, name):
        return os.path.join(self.home.folder, f'{self.name}.{name}')

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def write_files(self):
        lines = [f'listeners.tcp.1 = 127.0.0.1:{self.port}', f'default_user = {USER}', f'default_pass = {PASSWORD}',
                 'loopback_users = none', 'log.console = false', 'log.file.level = info',
                 f'vm_memory_high_watermark.relative = {MEMORY_MOST}', 'disk_free_limit.absolute = 1MB',
                 'raft.wal_max_size_bytes = 33554432', *self.settings]
        if self.nodes:
            lines += ['cluster_formation.peer_discovery_backend = classic_config']
            lines += [f'cluster_formation.classic_config.nodes.{i + 1} = {node}' for i, node in enumerate(self.nodes)]
        if self.tls:
            lines += [f'listeners.ssl.1 = 127.0.0.1:{self.tls_port}', *self.tls.lines_for(self)]
        self.write('conf', '\n'.join(lines) + '\n')
        self.write('plugins', f'[{",".join(self.plugins)}].\n')

    def environment(self):
        first = free_port()
        return {**self.home.env, 'RABBITMQ_NODENAME': self.node, 'RABBITMQ_MNESIA_BASE': self.data,
                'RABBITMQ_LOG_BASE': self.data + '.log', 'RABBITMQ_NODE_PORT': str(self.port),
                'RABBITMQ_DIST_PORT': str(self.dist_port), 'RABBITMQ_ENABLED_PLUGINS_FILE': self.path('plugins'),
                'RABBITMQ_CONFIG_FILE': os.path.splitext(self.path('conf'))[0] + '.conf',
                'RABBITMQ_CONF_ENV_FILE': '/dev/null', 'RUNNING_UNDER_SYSTEMD': 'true',
                'RABBITMQ_CTL_DIST_PORT_MIN': str(first), 'RABBITMQ_CTL_DIST_PORT_MAX': str(first + 100),
                'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '-kernel inet_dist_use_interface {127,0,0,1}'}

    # ---- its life

    def start(self, wait=True):
        with open(self.path('out'), 'ab') as out:
            self.process = self.home.popen([os.path.join(SBIN, 'rabbitmq-server')], self.environment(), out)
        if wait:
            self.wait()
        return self

    def wait(self):
        """Until it takes connections. A port that somebody else took first is no fault as long as nobody knows it: others then."""
        end = time.monotonic() + STARTED
        while not self.answers():
            ended = self.process.poll() is not None
            if ended and not self.was_up and 'eaddrinuse' in self.said():
                os.remove(self.path('out'))
                shutil.rmtree(self.data + '.log', ignore_errors=True)
                self.take_ports()
                self.start(wait=False)
            elif ended or time.monotonic() > end:
                said = self.said()
                self.remove()
                raise RuntimeError(f'RabbitMQ does not start: {said}')
            time.sleep(0.05)
        self.was_up = True
        return self

    def answers(self):
        """It listens, and has finished its start (the listeners come last)."""
        try:
            socket.create_connection(('127.0.0.1', self.port), 1).close()
        except OSError:
            return False
        return self.eval('rabbit:is_running().', strict=False) == 'true'

    def said(self):
        text = ''
        for path in [self.path('out'), *glob.glob(self.data + '.log/*.log')]:
            with open(path, encoding='utf-8', errors='replace') as f:
                text += f.read()[-3000:]
        return text

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As a power cut would, but for what the kernel keeps."""
        if self.running():
            self.process.kill()
            self.process.wait()

    def stop(self):
        """In good order; it may be started again."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self):
        """Dies, and comes back with what it had on its disk, on the same port."""
        self.kill()
        return self.start()

    def directory(self):
        """The octets of its list of quorum queues, as it is on the disk."""
        with open(self.directory_file(), 'rb') as f:
            return f.read()

    def directory_file(self):
        return next(iter(glob.glob(self.data + '/*/quorum/*/names.dets')))

    def restart_before(self, directory):
        """As restart(), but the list of quorum queues is that older one: as if the others were so new that it was not yet written. 3.10.8
        writes it up to some seconds late, and comes back with queues that nobody leads, for ever."""
        self.kill()
        with open(self.directory_file(), 'r+b') as f:
            f.truncate()
            f.write(directory)
        return self.start()

    def hanging(self, vhost='/'):
        """The names of the quorum queues that nobody leads."""
        text = self.eval('[binary_to_list(element(4, amqqueue:get_name(Q))) || '
                         f'Q <- rabbit_amqqueue:list(<<"{vhost}">>), amqqueue:is_quorum(Q), '
                         'ets:lookup(ra_state, element(1, amqqueue:get_pid(Q))) =/= [{element(1, amqqueue:get_pid(Q)), leader}]].')
        return set(re.findall(r'"([^"]*)"', text))

    def wipe(self):
        """Dies, and comes back with nothing: a new disk."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        return self.start()

    def suspend(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def remove(self):
        """It and all that was its own are gone."""
        self.kill()
        if self.own_home:
            self.home.remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    # ---- words to it

    def url(self, vhost=None, user=USER, password=PASSWORD, port=None):
        who = f'{user}:{password}@' if password else f'{user}@' if user else ''
        return f'amqp://{who}127.0.0.1:{port or self.port}' + (f'/{vhost}' if vhost else '')

    def tls_url(self, vhost=None, user=None, port=None, host='127.0.0.1'):
        return f'amqps://{user + "@" if user else ""}{host}:{port or self.tls_port}' + (f'/{vhost}' if vhost else '')

    def ctl(self, *words, program='rabbitmqctl', strict=True):
        """What `rabbitmqctl WORDS` prints."""
        run = subprocess.run([os.path.join(SBIN, program), '-q', '-n', self.node, *words], env=self.environment(),
                             cwd=self.home.home, capture_output=True, text=True, timeout=STARTED, check=False,
                             stdin=subprocess.DEVNULL, **as_plain_user())
        if strict and run.returncode:
            raise RuntimeError(f'{program} {" ".join(words)}: {run.stdout}{run.stderr}')
        return run.stdout

    def eval(self, text, strict=True):
        """The value of an Erlang expression (with its full stop) on the node, as Erlang writes it; None: it does not answer.
        erl_call gives up a connection after a while that is short on a busy machine; then nothing was asked yet."""
        for _ in range(5 if strict else 1):
            run = subprocess.run([ERL_CALL, '-c', COOKIE, '-n', self.node, '-timeout', '60', '-e'], input=text + '\n',
                                 env=self.home.env, capture_output=True, text=True, timeout=STARTED, check=False)
            if 'failed to connect to node' not in run.stdout + run.stderr or self.process.poll() is not None:
                break
        answer = re.fullmatch(r'\{ok, (.*)\}\s*', run.stdout, re.S)
        if answer:
            return answer.group(1)
        if strict:
            raise RuntimeError(f'{text}: {run.stdout}{run.stderr}')
        return None

    def vhost(self, name):
        """A new virtual host, in which the tests' user may do all. Returns its name."""
        self.eval(f'rabbit_vhost:add(<<"{name}">>, <<"tests">>), '
                  f'rabbit_auth_backend_internal:set_permissions(<<"{USER}">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, '
                  '<<"tests">>), ok.')
        return name

    def user(self, name, password, vhost='/', configure='.*', write='.*', read='.*'):
        """A user and its permissions there. An empty password: only a certificate lets it in."""
        self.ctl('add_user', '--', name, password or os.urandom(12).hex())
        if not password:
            self.ctl('clear_password', name)
        self.ctl('set_permissions', '-p', vhost, '--', name, configure, write, read)

    def alarm(self, on):
        """Of memory: publishers are blocked."""
        self.eval(f'vm_memory_monitor:set_vm_memory_high_watermark({"0.00001" if on else MEMORY_MOST}), ok.')

    def queues(self, vhost='/'):
        """By name: messages ready, unacknowledged (as it was some seconds ago), consumers. What nobody leads now has none."""
        text = self.eval(
            'Stat = fun(Q) -> case catch rabbit_amqqueue:stat(Q) of {ok, M, C} -> [M, C]; _ -> [0, 0] end end, '
            '[[binary_to_list(element(4, amqqueue:get_name(Q))) | Stat(Q)] ++ '
            '[V || {_, V} <- rabbit_amqqueue:info(Q, [messages_unacknowledged])] '
            f'|| Q <- rabbit_amqqueue:list(<<"{vhost}">>)].')
        rows = re.findall(r'\["([^"]*)", (\d+), (\d+), (\d+)\]', text)
        return {name: (int(ready), int(unacknowledged), int(consumers)) for name, ready, consumers, unacknowledged in rows}

    def messages(self, queue, vhost='/'):
        """How many a quorum queue holds now, with those that somebody has and has not acknowledged."""
        return int(self.eval(
            f'{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{vhost}">>, queue, <<"{queue}">>)), '
            '{ok, N, _} = ra:consistent_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1), N.'))

    def close_connections(self):
        """All of them, as an operator would; their number. (`rabbitmqctl close_all_connections` takes seconds, and means those of the
        virtual host / alone.)"""
        return int(self.eval('length([C || C <- rabbit_networking:connections(), '
                             'ok =:= (catch rabbit_networking:close_connection(C, "a test"))]).'))

    def published(self):
        """Messages that it has got since its start, of all virtual hosts."""
        return int(self.eval('lists:sum([N || #{messages_received_total := N} <- maps:values(rabbit_global_counters:overview())]).'))

    def blocked(self):
        """The number of connections that wished to publish and are not heard, because of an alarm."""
        return self.eval('[proplists:get_value(state, C) || C <- rabbit_networking:connection_info_all([state])].').count('blocked')


class Cluster:
    """Three nodes of one RabbitMQ, on loopback."""

    def __init__(self, size=3, **how):
        self.home = Home()
        names = ['one', 'two', 'three', 'four', 'five'][:size]
        nodes = [name + '@localhost' for name in names]
        self.brokers = [Broker(home=self.home, name=name, nodes=nodes, start=False, **how) for name in names]
        try:
            self.brokers[0].start()
            for broker in self.brokers[1:]:
                broker.start(wait=False)
            for broker in self.brokers[1:]:
                broker.wait()
            self.wait_for(size)
        except BaseException:
            self.remove()
            raise

    def wait_for(self, size):
        end = time.monotonic() + STARTED
        while len(self.alive()[0].eval('rabbit_nodes:all_running().').split(',')) != size:
            if time.monotonic() > end:
                raise RuntimeError('the nodes do not find each other')
            time.sleep(0.1)

    def alive(self):
        return [broker for broker in self.brokers if broker.running()]

    def url(self, vhost=None):
        """All nodes, with commas between them."""
        nodes = ','.join(f'127.0.0.1:{broker.port}' for broker in self.brokers)
        return f'amqp://{USER}:{PASSWORD}@{nodes}' + (f'/{vhost}' if vhost else '')

    def leader(self, queue, vhost='/'):
        """The broker where a quorum queue's leader is; None: there is none now."""
        name = self.alive()[0].eval(
            f'case rabbit_amqqueue:lookup(rabbit_misc:r(<<"{vhost}">>, queue, <<"{queue}">>)) of '
            '{ok, Q} -> case ra_leaderboard:lookup_leader(element(1, amqqueue:get_pid(Q))) of '
            '{_, Node} -> Node; _ -> none end; _ -> none end.')
        return next((broker for broker in self.brokers if broker.node == name.strip("'")), None)

    def remove(self):
        for broker in self.brokers:
            broker.kill()
        self.home.remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

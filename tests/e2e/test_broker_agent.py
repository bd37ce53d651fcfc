#!/usr/bin/env python3
"""An agent from outside: what its processes remember of secrets, what a reload changes, what its manager hears; and that what it
brings is what a local run brings, record for record, in every format."""
import collections
import csv
import ctypes
import errno
import io
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import unittest

import dist
import poller
import processes
import rabbit
import recipes
import test_sandbox
import test_tls
import test_transports

WALK = '-w', '1.3.6.1.2.1.2.2.1.10', '-g', 'sysName.0'
SECRET = 'a-community-of-the-agent'
ROWS = 100000
CORE = 'credentials: {core: {version: 3, user: poller, auth: SHA-256, auth_pass: authority1, priv: AES, priv_pass: secrecy123}}\n'
WITH_CRYPTO = unittest.skipUnless(os.environ.get('WITH_TLS', 'yes') == 'yes', 'the agents have no cryptography')


def less_times(text, form):
    """A record's instant, round-trip time and tries are of its poll; all else is as it is."""
    if form == 'jsonl':
        return sorted(json.dumps({k: v for k, v in json.loads(line).items() if k not in ('time', 'rtt_ms', 'tries')})
                      for line in text.splitlines())
    if form == 'csv':
        rows = csv.DictReader(io.StringIO(text))
        return sorted(str([v for k, v in row.items() if k not in ('time', 'rtt_ms', 'tries')]) for row in rows)
    if form == 'prometheus':
        return [line for line in text.splitlines() if not line.startswith('snmp_rtt_seconds{')]
    if form == 'influx':
        return sorted(re.sub(r'rtt_ms=[^, ]*,?|tries=[^, ]*,?| \d+$', '', line) for line in text.splitlines())
    return sorted(text.splitlines())


@rabbit.needs_broker
class Agent(dist.Stage):
    def test_as_a_local_run(self):
        """10,000 and more hosts, each with several rows: host, status, message and variables, octet for octet."""
        self.devices('127.2.1.0/28:error=5', '*:ok')
        self.start_agent('a1')
        for form in 'jsonl', 'text', 'csv', 'influx', 'prometheus':
            with self.subTest(form):
                block = '127.2.0.0/18' if form == 'jsonl' else '127.2.0.0/21'
                words = '-F', form, '-p', self.park.port, '-t', '5s', *WALK, block
                local = self.run_poller(*words)
                remote = self.run_poller('--broker', self.url(), *words)
                self.assertEqual(remote.returncode, local.returncode, remote.stderr)
                mine, other = less_times(local.stdout, form), less_times(remote.stdout, form)
                self.assertGreater(len(mine), 2048)
                self.assertEqual(len(other), len(mine))
                for one, two in zip(mine, other):
                    self.assertEqual(two, one)

    def test_who_knows_what(self):
        """Neither a cell nor its children know how to be let in by the broker, nor a secret of the files once it is a profile's;
        who speaks to the broker knows none of the files'."""
        self.devices('*:silent')
        agent = self.start_agent('a1', text=f'credentials: {{one: {{community: {SECRET}}}, two: {{community: {SECRET}-two}}}}\n')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: one, timeout: 60s}}\nhosts: [127.2.0.1]\n')
        self.start_master(hosts=hosts)
        self.wait_for_requests(1)
        cells = dist.cells_of(agent.pid)
        self.assertEqual(len(cells), 1)
        below = dist.tree_of(cells[0])
        self.assertGreaterEqual(len(below), 3)
        courier = dist.courier_of_agent(agent.pid)
        if processes.writable_memory(agent.pid) is None:
            self.skipTest('we may not look into memory')
        holds = lambda pid, word: any(word.encode() in piece for piece in processes.writable_memory(pid) or ())
        self.assertTrue(holds(agent.pid, f'{SECRET}-two'), 'the agent itself needs it for the next run')
        for pid in below:
            self.assertFalse(holds(pid, rabbit.PASSWORD), f'{pid} of {below}: the word of the broker')
            self.assertFalse(holds(pid, f'{SECRET}-two'), f'{pid} of {below}: a community that nobody uses')
        self.assertFalse(holds(courier, SECRET))

    @unittest.skipUnless(os.environ.get('WITH_LINUX_EXTRAS', 'yes') == 'yes', 'nothing is shared')
    def test_who_shares_memory(self):
        """Results lie in memory of the agent's: who speaks to the broker only reads it, a cell has its part, and who meets devices
        has nothing of it."""
        self.devices('*:silent')
        agent = self.start_agent('a1')
        self.start_master(hosts=self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, timeout: 60s}}\nhosts: [127.2.0.1]\n'))
        self.wait_for_requests(1)
        cell, = dist.cells_of(agent.pid)
        below = [pid for pid in dist.tree_of(cell) if pid != cell]
        self.assertGreaterEqual(len(below), 2)
        if processes.shared_memory(below[0]) is None:
            self.skipTest('we may not look at what is mapped')
        all_of_it, = processes.shared_memory(agent.pid)
        self.assertEqual(all_of_it[0], 'rw-s')
        self.assertEqual(processes.shared_memory(dist.courier_of_agent(agent.pid)), [('r--s', all_of_it[1])])
        self.assertEqual(processes.shared_memory(cell), [('rw-s', all_of_it[1] // 9)])
        for pid in below:
            self.assertEqual(processes.shared_memory(pid), [], f'{pid} of {below}')

    def test_reload(self):
        """SIGHUP: credentials are read again; what is wrong changes nothing."""
        self.devices('*:ok', options=('--community', SECRET))
        agent = self.start_agent('a1')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: one}}\nhosts: [127.2.0.1]\n')
        poll = lambda: json.loads(self.run_poller('--broker', self.url(), '-F', 'jsonl', '-f', hosts).stdout)
        self.assertEqual(poll()['status'], 'error')
        file = self.path('a1.yaml')
        with open(file, 'w', encoding='utf-8') as f:
            f.write('credentials: {one: {comunity: x}}\n')
        agent.send_signal(signal.SIGHUP)
        self.wait_until(lambda: 'nothing was reloaded' in self.told(agent), 'it is silent')
        self.assertEqual(poll()['status'], 'error')
        with open(file, 'w', encoding='utf-8') as f:
            f.write(f'credentials: {{one: {{community: {SECRET}}}}}\n')
        agent.send_signal(signal.SIGHUP)
        self.wait_until(lambda: 'multisnmp: reloaded' in self.told(agent), 'it is silent')
        self.assertEqual(poll()['status'], 'ok')

    def test_manager(self):
        """READY=1 at once, what it waits for, and that it stops."""
        path = self.path('notify')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            os.chmod(path, 0o777)
            s.settimeout(poller.LONG)
            agent = self.start_agent('a1', url=f'amqp://127.0.0.1:{rabbit.free_port()}/', env={**os.environ, 'NOTIFY_SOCKET': path})
            said = ''
            while 'STATUS=waiting' not in said:
                said += s.recv(4096).decode()
            self.assertIn('READY=1', said)
            agent.terminate()
            while 'STOPPING=1' not in said:
                said += s.recv(4096).decode()
        self.assertEqual(agent.wait(poller.LONG), 0, self.told(agent))


@rabbit.needs_broker
@unittest.skipUnless('sandbox: linux' in poller.version(), 'needs its sandbox')
class Rights(dist.Stage):
    """What the children of an agent give up: found out and tried by the agent alone, once for all cells."""
    LANDLOCK = ('landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self')

    def poll(self):
        """The records of another run each time, and so of another cell."""
        run = self.run_poller('--broker', self.url(), '-F', 'jsonl', '-q', '-p', self.park.port, '127.2.0.1')
        return [json.loads(line)['status'] for line in run.stdout.splitlines()]

    def run_as(self, agent, user):
        """Its file names another user, and is read again."""
        with open(self.path('a1.yaml'), 'w', encoding='utf-8') as f:
            f.write(f'run_as: {user}\n')
        before = self.told(agent).count('reloaded')
        agent.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.told(agent).count('reloaded') > before, 'it is silent')

    def test_a_kernel_that_cannot(self):
        self.devices('*:ok')
        agent = self.start_agent('a1', preexec_fn=test_sandbox.refusing(errno.ENOSYS, *self.LANDLOCK))
        for _ in range(2):
            self.assertEqual(self.poll(), ['ok'])
        self.run_as(agent, 'nobody')
        self.assertEqual(self.told(agent).count('this kernel has no Landlock'), 1, self.told(agent))

    def test_a_kernel_that_refuses(self):
        """It has not begun: no broker hears of it."""
        agent = self.start_agent('a1', preexec_fn=test_sandbox.refusing(errno.EPERM, 'landlock_add_rule'))
        self.assertEqual(agent.wait(poller.LONG), 4, self.told(agent))
        self.assertEqual(self.told(agent).count('Landlock is refused'), 1, self.told(agent))
        self.assertEqual(self.told(agent).count('none is started'), 1, self.told(agent))

    @unittest.skipUnless(poller.ROOT, 'needs root')
    def test_run_as(self):
        """Another user after a reload: for cells from then on."""
        self.devices('*:silent')
        agent = self.start_agent('a1', text='run_as: daemon\n')
        for user in 'daemon', 'nobody':
            if user != 'daemon':
                self.run_as(agent, user)
            hosts = self.write_hosts(f'{user}.yaml', ['127.2.0.1'])  # few: the first run's stay in hand
            master = self.start_master('-t', '60s', hosts=hosts, name=user, output=f'{user}.jsonl')
            uid = [str(pwd.getpwnam(user).pw_uid)] * 4
            uids = lambda cell: [processes.status_of(p)['Uid'].split() for p in processes.children(cell)]
            self.wait_until(lambda uid=uid: any(uids(cell) == [uid] * 2 for cell in dist.cells_of(agent.pid)),
                            f'no cell has two workers who are {user}')
            master.kill()
            master.wait()
        self.assertEqual(processes.status_of(agent.pid)['Uid'].split(), ['0'] * 4)

    @unittest.skipUnless(poller.ROOT, 'needs root')
    def test_a_user_that_it_may_not_become(self):
        """The agent tries before it takes a file over: told once, and what held before holds."""
        self.devices('*:ok')
        def without_setuid():
            if ctypes.CDLL(None, use_errno=True).prctl(24, 7, 0, 0, 0):  # PR_CAPBSET_DROP, CAP_SETUID
                os._exit(97)
        agent = self.start_agent('a1', text='run_as: root\n', preexec_fn=without_setuid)
        self.assertEqual(self.poll(), ['ok'])
        self.run_as(agent, 'daemon')
        self.assertIn('nothing was reloaded', self.told(agent))
        self.assertNotIn('none is started', self.told(agent))
        self.assertEqual(self.poll(), ['ok'])
        self.assertEqual(self.told(agent).count('cannot become the user of run_as'), 1, self.told(agent))


@rabbit.needs_broker
class Alike(dist.Stage):
    """What is asked over a broker is asked as here."""

    def test_a_profile_that_cannot_be(self):
        """Of version 3, and the agent has no keys for it, for its file lacks them or has others: its targets say so; no worker
        dies of it, and its neighbours are answered."""
        self.devices('*:ok')
        agent = self.start_agent('a1', text='credentials: {office: {community: other}}\n')
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}}}\n' + CORE.replace('{core', '{office: {}, core') +
                           'hosts: [127.2.0.0/26, {host: 127.2.1.0/26, credential: core},\n'
                           '  {host: 127.2.2.0/26, credential: office, version: 3}, {host: 127.2.3.0/26, get: [sysName.0]}]\n')
        self.judge(self.start_master(hosts=hosts), {'ok': 128, 'error': 128}, status=1)
        said = {r['message'] for r in self.records() if r['status'] == 'error'}
        self.assertEqual(len(said), 2, said)
        self.assertIn("the agent a1 of site default has no credential 'core'", said)
        for word in 'died', 'killed', 'exited', 'crashed':
            self.assertNotIn(word, self.told(agent))

    def test_two_of_one_name(self):
        """Nothing is lost by it, and nothing comes twice."""
        self.devices()
        both = [self.start_agent('a1') for _ in range(2)]
        master = self.start_master(hosts=self.write_hosts(hosts=['127.2.0.0/20']))
        self.wait_for_requests(1000, master)
        self.assertEqual(self.judge(master, {'ok': 4096}), 0)
        for agent in both:
            self.assertIsNone(agent.poll(), self.told(agent))

    def test_first_try(self):
        """As the manual has it: an agent and a master on one machine, and the agent's end, which is a good one."""
        self.devices('*:ok')
        os.symlink(poller.MULTISNMP, self.path('multisnmp'))
        text = recipes.recipe('first try', ('amqp://localhost', self.url()),
                              ('192.0.2.0/28', f'-F jsonl -p {self.park.port} 127.2.0.0/28'))
        run = subprocess.run(['sh', '-c', recipes.script(text)], capture_output=True, text=True, timeout=poller.LONG, check=False,
                             env={**os.environ, 'PATH': self.folder + ':' + os.environ['PATH']})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([json.loads(line)['status'] for line in run.stdout.splitlines()], ['ok'] * 16)
        self.assertIn(', 1 agents, 1 sites', run.stderr)

    def test_nine_runs(self):
        """Eight at a time: the ninth waits, which its agent says, and comes up by itself when one of them ends."""
        self.devices('127.2.0.9:ok', '*:silent')
        agent = self.start_agent('a1', pace=())  # room for more batches than runs
        slow = []
        for number in range(1, 9):
            hosts = self.write(f'{number}.yaml', f'hosts: [{{host: 127.2.0.{number}, port: {self.park.port}, timeout: 300s}}]\n')
            slow.append(self.start_master(hosts=hosts, output=f'{number}.jsonl', name=f'master{number}'))
            self.wait_for_requests(number, slow[-1])
        ninth = self.start_master(hosts=self.write_hosts('9.yaml', ['127.2.0.9']), output='9.jsonl', name='master9')
        self.wait_until(lambda: 'waits: this agent is at work for 8 others' in self.told(agent), 'it says nothing')
        self.assertIsNone(ninth.poll())
        self.assertEqual(self.asked(), 8)
        slow[3].send_signal(signal.SIGINT)
        self.judge(ninth, {'ok': 1}, output='9.jsonl')
        self.assertEqual(self.told(agent).count(' waits: '), 1)
        for master in slow[:3] + slow[4:]:
            self.assertIsNone(master.poll())

    def test_large(self):
        """100,000 rows of one device: the octets of a local run."""
        self.devices(f'*:rows={ROWS}')
        self.start_agent('a1')
        words = ('-F', 'text', '-p', self.park.port, '-t', '10s', '--set', 'max_repetitions=50', '-w', '1.3.6.1.2.1.2.2.1.2',
                 '127.2.0.1')
        local = self.run_poller(*words)
        remote = self.run_poller('--broker', self.url(), *words)
        self.assertEqual(remote.returncode, 0, remote.stderr)
        self.assertEqual(len(remote.stdout.splitlines()), ROWS)
        self.assertTrue(remote.stdout == local.stdout, 'other rows')

    @WITH_CRYPTO
    def test_learnt(self):
        """SNMPv3 in rounds: engines are discovered in the first one alone, whichever agent has a host in the next ones."""
        log = self.write('asked', '')
        self.devices('*:ok', options=('--user', poller.USER, '--log', log))
        for name in 'a1', 'a2':
            self.start_agent(name, text=CORE)
        self.wait_for_site()
        hosts = self.write('hosts.yaml', f'defaults: {{port: {self.park.port}, credential: core}}\n' + CORE +
                           'hosts: [127.2.0.0/25]\n')
        master = self.start_poller('--broker', self.url(), '-F', 'jsonl', '-i', '2s', '--no-spread', '-f', hosts)
        for _ in range(4):
            records = [json.loads(master.stdout.readline()) for _ in range(128)]
            self.assertEqual(collections.Counter(r['status'] for r in records), {'ok': 128})
        asked = collections.Counter(line.split()[3] for line in self.read('asked').splitlines())
        self.assertEqual(asked['discovery'], 128)
        self.assertGreaterEqual(asked['v3'], 4 * 128)

    def test_names_of_mib_files(self):
        """The master reads the file, though it makes no message: agents without it are asked by number."""
        self.devices('*:ok')
        self.start_agent('a1')
        mibs = os.path.join(os.environ['ABS_SRCDIR'], 'tests/mibs')
        words = '-M', mibs, '-m', 'EXAMPLE-MIB', '-g', 'EXAMPLE-MIB::exampleState.0', '-g', 'sysName.0', '-p', self.park.port, '127.2.0.1'
        remote, = self.poll('--broker', self.url(), *words)
        self.assertEqual([var['oid'] for var in remote['vars']], ['1.3.6.1.4.1.32473.1.0', '1.3.6.1.2.1.1.5.0'])

    @unittest.skipUnless(test_transports.daemons.SNMPD, 'snmpd is not installed')
    def test_streams(self):
        """TCP, a path, and a name: each is the agent's, in both senses."""
        snmpd = test_transports.Snmpd('')
        self.addCleanup(snmpd.stop)
        poller.let_in(snmpd.path('agent'))
        self.start_agent('a1')
        targets = [f'tcp:127.0.0.1:{snmpd.port}', f'unix:{snmpd.path("agent")}', f'localhost:{snmpd.port}', f'tcp:localhost:{snmpd.port}']
        words = ['-4', '-g', 'sysDescr.0', '-w', '1.3.6.1.2.1.1.9.1.3', *targets]
        local, remote = self.poll(*words), self.poll('--broker', self.url(), *words)
        known = lambda records: {r['host']: (r['status'], r['address'], r['vars']) for r in records}
        self.assertEqual(known(remote), known(local))
        self.assertEqual(sorted(known(remote)), sorted(targets))
        self.assertEqual({r['status'] for r in remote}, {'ok'})

    @unittest.skipUnless(test_tls.TLS and test_tls.daemons.SNMPD and test_tls.OPENSSL, 'needs TLS, snmpd and openssl')
    def test_certificates(self):
        """An agent's own key opens a session; the master knows but its name."""
        snmpd = test_tls.Snmpd('')
        self.addCleanup(snmpd.stop)
        made = test_tls.certificates()
        self.start_agent('a1', text=f'credentials: {{mine: {{identity: {made.path("poller.pem")}, peer_identity: {made.cert("agent")}}}}}\n')
        hosts = self.write('hosts.yaml', 'credentials: {mine: {}}\n'
                           f'hosts: [{{host: "dtlsudp:127.0.0.1:{snmpd.secure}", credential: mine, version: 3}}]\n')
        record, = self.poll('--broker', self.url(), '-g', 'sysDescr.0', '-f', hosts)
        self.assertEqual(record['status'], 'ok', record)


if __name__ == '__main__':
    unittest.main(verbosity=2)

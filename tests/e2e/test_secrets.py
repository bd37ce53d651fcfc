#!/usr/bin/env python3
"""Secrets in every place where a person may write one, and every place where somebody else may look:
arguments, environment and memory of all processes, standard output, standard error, core files."""
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

import poller
import processes

TAIL = 12  # octets of each secret that are looked for: freed memory loses its beginning

SECRETS = {  # each found nowhere but where it was written
    'argv_c': 'argv-community-4f1d', 'argv_set': 'argv-set-community-77aa', 'argv_A': 'argv-auth-pass-90c2',
    'argv_X': 'argv-priv-pass-1be3', 'argv_long': 'argv-long-priv-pass-5d5d', 'env_auth': 'env-auth-pass-c0de',
    'env_priv': 'env-priv-pass-beef', 'env_community': 'env-community-0b0b', 'file_auth': 'file-auth-pass-1234',
    'file_priv': 'file-priv-pass-5678', 'cred_auth': 'credential-auth-pass-9abc',
    'yaml_community': 'yaml-community-def0', 'yaml_auth': 'yaml-auth-pass-1111, quite a long one of many words',
    'yaml_priv': 'yaml-priv-pass-2222',
}
ON_THE_WIRE = ('argv_c', 'argv_set', 'env_community', 'yaml_community')  # a worker must remember those

HOSTS = """
defaults: {timeout: 30s, retries: 0}
credentials:
  env: {version: 3, user: one, auth: SHA, auth_pass_env: SECRET_AUTH, priv: AES, priv_pass_env: SECRET_PRIV}
  file: {version: 3, user: two, auth: SHA-256, auth_pass_file: auth, priv: AES, priv_pass_file: ./priv}
  given: {version: 3, user: three, auth: SHA-512, auth_pass_file: given}
  written: {version: 3, user: four, auth: MD5, auth_pass: 'YAML_AUTH', priv: AES, priv_pass: "YAML_PRIV"}
  again: {version: 3, user: five, auth: SHA, auth_pass_env: SECRET_AUTH}
hosts:
  - 127.0.0.1
  - {host: 127.0.0.2, community_env: SECRET_COMMUNITY}
  - {host: 127.0.0.3, community: YAML_COMMUNITY}
  - {host: 127.0.0.4, credential: env}
  - {host: 127.0.0.5, credential: file}
  - {host: 127.0.0.6, credential: given}
  - {host: 127.0.0.7, credential: written}
  - {host: 127.0.0.8, credential: again}
  - {host: no.such.name.invalid, timeout: 1s}
"""


def has_sanitizer(pid):
    return any(line.endswith(b'libasan.so') or b'libasan.so.' in line
               for line in (processes.read_or_none(f'/proc/{pid}/maps') or b'').splitlines())


class Secrets(poller.Poll):
    def write_all(self):
        text = HOSTS
        for name in ('yaml_community', 'yaml_auth', 'yaml_priv'):
            text = text.replace(name.upper(), SECRETS[name])
        os.makedirs(self.path('credentials'), exist_ok=True)
        self.write('credentials/given', SECRETS['cred_auth'] + '\n')
        self.write('auth', SECRETS['file_auth'] + '\n')
        self.write('priv', SECRETS['file_priv'])
        return self.write('hosts.yaml', text)

    def environment(self):
        return {**os.environ, 'SECRET_AUTH': SECRETS['env_auth'], 'SECRET_PRIV': SECRETS['env_priv'],
                'SECRET_COMMUNITY': SECRETS['env_community'], 'SECRET_NOT': 'stays',
                'CREDENTIALS_DIRECTORY': self.path('credentials'),
                'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':max_free_fill_size=0'}

    def words(self):
        return ['-f', self.write_all(), '--set', f'community={SECRETS["argv_set"]}', '-qsc' + SECRETS['argv_c'],
                '-A', SECRETS['argv_A'], '-X' + SECRETS['argv_X'], f'--set=priv_pass={SECRETS["argv_long"]}',
                '-a', 'SHA', '-x', 'AES']

    def start_all(self, *more):
        """The running poller and all its processes, when each has something in the air."""
        agents = self.agents('*:silent', options=('--user', 'one'))
        process = self.start_poller('-F', 'jsonl', '-j', '2', '-p', agents.port, *more, *self.words(),
                                    env=self.environment(), cwd=self.folder)
        deadline = time.monotonic() + poller.LONG
        while agents.counters()['received'] < 8 and time.monotonic() < deadline:
            if process.poll() is not None:
                self.fail(process.stderr.read())
            time.sleep(0.02)
        children = processes.children(process.pid)
        self.assertGreaterEqual(len(children), 3)  # two workers and the resolver
        return process, [process.pid, *children]

    def assert_no_secret(self, octets, where, but=()):
        for name, secret in SECRETS.items():
            if name not in but:
                self.assertFalse(secret[-TAIL:].encode() in octets, f'{name} stands in {where}')

    def test_arguments_and_environment(self):
        process, pids = self.start_all()
        for pid in pids:
            for what in ('cmdline', 'environ'):
                seen = processes.read_or_none(f'/proc/{pid}/{what}')
                if seen is not None:
                    self.assert_no_secret(seen, f'/proc/{pid}/{what}')
                if seen is not None and what == 'environ':
                    self.assertIn(b'SECRET_NOT=stays', seen)
            self.assertIn(b'hosts.yaml', processes.read_or_none(f'/proc/{pid}/cmdline'))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=poller.LONG)
        self.assert_no_secret(out + err, 'the output')
        self.assertEqual(len(out.splitlines()), 9)

    def test_memory(self):
        """Passphrases are nowhere once the keys are made; what workers must send is all that is left.
        AddressSanitizer gives freed memory to nobody, so there this finds what was freed and not wiped."""
        _, pids = self.start_all()
        but = ON_THE_WIRE
        if has_sanitizer(pids[0]):  # keeps an environment of its own
            but = (*but, 'env_auth', 'env_priv')
        pieces = processes.writable_memory(pids[0])
        if pieces is None:
            self.skipTest('not allowed to read the memory of another process')
        self.assertTrue(any(b'hosts.yaml' in piece for piece in pieces))  # we do see its memory
        for pid in pids:
            for piece in processes.writable_memory(pid):
                self.assert_no_secret(piece, f'the memory of {pid}', but)

    def test_resolver(self):
        """Who reads name servers holds nothing of what devices are asked with; who asks devices must."""
        park = self.agents('*:silent', options=('--community', 'sesame-open-up'))
        process = self.start_poller('-t', '60s', '-j', '1', '-c', 'sesame-open-up', '-p', park.port, '127.0.0.1', 'localhost')
        deadline = time.monotonic() + poller.LONG
        while park.counters()['received'] < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        worker, resolver = (processes.writable_memory(pid) for pid in processes.children(process.pid))
        if worker is None:
            self.skipTest('not allowed to read the memory of another process')
        self.assertTrue(any(b'-open-up' in piece for piece in worker))
        self.assertFalse(any(b'-open-up' in piece for piece in resolver))

    def test_of_a_configuration_that_has_gone(self):
        """After a reload nobody holds what only the old one had, and the resolver nothing of either."""
        secrets = ['sesame-open-up', 'sesame-shut-down', 'sesame-say-what']
        agents = [self.agents(options=('--community', secret)) for secret in secrets]

        def write(number):
            port = agents[number].port
            self.write('hosts.yaml', f'defaults: {{community: {secrets[number]}}}\n'
                                     f'hosts: ["127.0.0.1:{port}", "localhost:{port}"]\n')

        write(0)
        process = self.start_poller('-F', 'jsonl', '-i', '0.3', '-j', '1', '-q', '-f', self.path('hosts.yaml'),
                                    stdout=subprocess.DEVNULL)
        for number in range(3):
            if number:
                write(number)
                process.send_signal(signal.SIGHUP)
            self.wait_until(lambda agent=agents[number]: agent.counters()['received'] > 2)
            worker, resolver = (processes.writable_memory(pid) for pid in processes.children(process.pid))
            if worker is None or resolver is None:
                self.skipTest('not allowed to read the memory of another process')
            self.assertTrue(any(secrets[number][-9:].encode() in piece for piece in worker))
            for other in secrets[:number]:
                self.assertFalse(any(other[-9:].encode() in piece for piece in worker), (number, other))
            for any_of_them in secrets:
                self.assertFalse(any(any_of_them[-9:].encode() in piece for piece in resolver), (number, any_of_them))

    def test_before_anything_slow(self):
        """Arguments are clean while a FIFO keeps the reading of files waiting."""
        os.mkfifo(self.path('fifo'))
        words = ['--set', 'community_file=' + self.path('fifo'), '-f', self.path('fifo'), *self.words()]
        process = self.start_poller(*words, env=self.environment(), cwd=self.folder)
        deadline = time.monotonic() + poller.LONG
        seen = b''
        while time.monotonic() < deadline:
            seen = processes.read_or_none(f'/proc/{process.pid}/cmdline')
            if b'hosts.yaml' in seen and SECRETS['argv_c'].encode() not in seen:
                break
            time.sleep(0.01)
        self.assertIsNone(process.poll())
        self.assert_no_secret(seen, 'the arguments')

    def test_words(self):
        """What is told: checks, warnings, and errors of each kind, beside secrets of each kind."""
        path = self.write_all()
        os.chmod(path, 0o644)
        os.chmod(self.path('auth'), 0o644)
        secret, other = SECRETS['argv_A'], SECRETS['argv_X']
        v3 = ['-v', '3', '-u', 'u', '-a', 'SHA', '-A', secret, '-x', 'AES', '-X', other]
        yaml = [
            'defaults: {community: ["SECRET"]}', 'defaults: {auth_pass: {a: "SECRET"}}',
            'defaults: {community: SECRET: x}', 'defaults: {auth_pass: SECRET', 'defaults: {auth_pass: "SECRET',
            'defaults: {community: "a\\0SECRET"}', 'defaults: {auth_pass: SECRET, auth_pass: SECRET}',
            'defaults: {auth_pass: SECRET, auth_pass_env: HOME}', 'credentials: {c: {comunity: SECRET}}',
            'defaults: {version: 3, auth_pass: SECRET}\nhosts: [a]', 'defaults:\n  priv_pass: SECRET\n bad',
            'hosts: [{host: a, version: 3, user: u, priv_pass: SECRET}]', 'defaults: {community: %s}' % ('SECRET' * 20),
            'defaults: {auth_pass: SECRET}\n---\n', 'defaults: {auth_pass: SECRET\x01}', 'community: SECRET',
        ]
        runs = [['--check', '-f', path], ['--check', *v3, 'h'], [*v3, '--no-such', 'h'], [*v3, '-g', 'none', 'h'],
                [*v3, '-e', '80', 'h'], ['-v', '3', '-u', 'u', '-A', secret, 'h'], ['-c', secret * 20, 'h'],
                ['--set', 'comunity=' + secret, 'h'], ['-A', secret, '-c'], ['-c', secret, '127.0.0.1/99'],
                ['-c', secret, '-F', 'csv'], ['-A', secret, '--table', 'sysDescr', 'h'], ['--help', '-c', secret]]
        for i, text in enumerate(yaml):
            runs.append(['-f', self.write(f'{i}.yaml', text.replace('SECRET', secret), mode=0o644)])
        for words in runs:
            run = self.run_poller(*words, env=self.environment(), cwd=self.folder)
            self.assert_no_secret((run.stdout + run.stderr).encode(), words)
            self.assertIn(run.returncode, (0, 2), words)
            self.assertTrue(run.stdout + run.stderr, words)
        run = self.run_poller('--check', '-f', path, env=self.environment(), cwd=self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('user four, authPriv', run.stdout)
        self.assertEqual(run.stderr.count('readable by everyone'), 2, run.stderr)
        with open(self.write('0.yaml', 'defaults: {community: %s}\nhosts: [h]\n' % secret, mode=0o644), encoding='utf-8') as f:
            run = self.run_poller('--check', '-f', '-', stdin=f)
        self.assertIn('standard input: holds a secret and is readable by everyone', run.stderr)

    def test_no_core(self):
        """SIGABRT to each of them in turn; first to a program that does leave one, to see that it would show."""
        def allow():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

        os.mkdir(self.path('core'))
        control = subprocess.Popen([sys.executable, '-c', 'import os; os.abort()'], cwd=self.path('core'),
                                   preexec_fn=allow, stderr=subprocess.DEVNULL)
        left = os.waitid(os.P_PID, control.pid, os.WEXITED | os.WNOWAIT).si_code
        control.wait()
        for name in os.listdir(self.path('core')):
            os.remove(self.path(os.path.join('core', name)))
        agents = self.agents('*:silent')
        process = self.start_poller('-j', '2', '-t', '30s', '-c', 'left-in-a-core', '-p', agents.port,
                                    '127.0.0.1', '127.0.0.2', 'no.such.name.invalid', cwd=self.path('core'),
                                    preexec_fn=allow)
        self.wait_until(lambda: agents.counters()['received'] >= 2)
        for pid in [*processes.children(process.pid), process.pid]:
            with open(f'/proc/{pid}/limits', encoding='ascii') as f:
                limit = [line for line in f if line.startswith('Max core file size')]
            self.assertEqual(limit[0].split()[4:6], ['0', '0'])
            os.kill(pid, signal.SIGABRT)
        how = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.assertEqual((how.si_code, how.si_status), (os.CLD_KILLED, signal.SIGABRT))
        self.assertEqual(os.listdir(self.path('core')), [])
        if left != os.CLD_DUMPED:
            self.skipTest('nothing leaves a core here')

    def test_other_user(self):
        """Not root: it polls all the same, and its like cannot read its environment nor its memory."""
        if os.getuid() != 0:
            self.skipTest('only root becomes another user')
        if 'Linux extras: no' in self.run_poller('--version').stdout:
            self.skipTest('built without what Linux has for this')
        os.chmod(self.folder, 0o755)
        agents = self.agents('127.0.0.2:silent')
        run = self.run_poller('-p', agents.port, '-t', '100ms', '-r', '0', '127.0.0.1', user=poller.NOBODY, group=poller.NOBODY,
                              extra_groups=[], cwd='/')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        process = self.start_poller('-t', '30s', '-c', 'of-nobody', '-p', agents.port, '127.0.0.2', user=poller.NOBODY,
                                    group=poller.NOBODY, extra_groups=[], cwd='/')
        self.wait_until(lambda: agents.counters()['received'] >= 2)
        for pid in [process.pid, *processes.children(process.pid)]:
            for what in ('environ', 'mem', 'maps'):
                seen = subprocess.run(['cat', f'/proc/{pid}/{what}'], user=poller.NOBODY, group=poller.NOBODY, extra_groups=[],
                                      capture_output=True, check=False)
                self.assertEqual(seen.stdout, b'')
                self.assertIn(b'denied', seen.stderr)


if __name__ == '__main__':
    unittest.main()

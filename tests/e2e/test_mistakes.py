#!/usr/bin/env python3
"""Mistakes in YAML, made against the real program: its words, exit status 2, and nothing is polled.

The whole table stands in tests/unit/test_conf_errors.c; these rows hold the way from there to a person.
"""
import unittest

import poller

MISTAKES = [
    ('hosts:\n- host: a\n  comunity: x\n',
     "hosts.yaml:3:3: unknown key 'comunity' (did you mean 'community'?)"),
    ('defaults: {password: x}',
     "hosts.yaml:1:12: unknown key 'password'"),
    ('groups: {g: {time-out: 1s}}',
     "hosts.yaml:1:14: unknown key 'time-out' (did you mean 'timeout'?)"),
    ('host: [a]',
     "hosts.yaml:1:1: unknown key 'host' (did you mean 'hosts'?)"),
    ('timeout: 1s',
     "hosts.yaml:1:1: 'timeout' is a key of targets: it goes under 'defaults:'"),
    ('defaults: {label: x}',
     "hosts.yaml:1:12: 'label' is not allowed in defaults"),
    ('credentials: {c: {get: [a]}}',
     "hosts.yaml:1:19: 'get' is not allowed in a credential"),
    ('hosts: []\ndefaults: {}\nhosts: []',
     "hosts.yaml:3:1: duplicate key 'hosts' (first on line 1)"),
    ('hosts: [{host: a,\nhost: b}]',
     "hosts.yaml:2:1: duplicate key 'host' (first on line 1)"),
    ('defaults:\n  community: a\n  community_env: HOME\n',
     "hosts.yaml:3:3: 'community_env' beside 'community' on line 2: keep one of them"),
    ('groups: {a: {}, b: {}, a: {}}',
     "hosts.yaml:1:24: duplicate group 'a' (first at hosts.yaml:1:10)"),
    ('? [a]\n: b\n',
     'hosts.yaml:1:3: a key is a word, not a list or mapping'),
    ("defaults: {'': x}",
     "hosts.yaml:1:12: unknown key ''"),
    ('defaults: {timeout: 0}',
     "hosts.yaml:1:21: timeout: '0' is out of bounds: 1ms to 1h"),
    ('defaults: {retries: two}',
     "hosts.yaml:1:21: retries: 'two' is not a whole number from 0 to 100"),
    ('defaults: {any_source: yes}',
     "hosts.yaml:1:24: any_source: 'yes' is none of true, false"),
    ('defaults: {version: 2}',
     "hosts.yaml:1:21: version: '2' is none of 1, 2c, 3 (did you mean '2c'?)"),
    ('defaults: {level: authpriv, nonincreasing: go}',
     "hosts.yaml:1:44: nonincreasing: 'go' is none of stop, allow"),
    ("defaults: {user: ''}",
     'hosts.yaml:1:18: user: empty'),
    ('defaults:\n  community:\n',
     'hosts.yaml:2:13: community: no value'),
    ('defaults: {timeout: {s: 1}, port: 0}',
     "hosts.yaml:1:21: timeout: takes one value, not a list or mapping\nhosts.yaml:1:35: port: '0' is not a whole number from 1 to 65535"),
    ('defaults:\n  get:\n',
     'hosts.yaml:2:7: get: takes a list: write [...] around it'),
    ('defaults: {community: "a\\0b"}',
     'hosts.yaml:1:23: a NUL character in a value'),
    ('defaults: {community_file: /}',
     "hosts.yaml:1:28: community_file: '/': Is a directory"),
    ('defaults: {community_env: NO_SUCH_NAME}',
     "hosts.yaml:1:27: community_env: the environment has no 'NO_SUCH_NAME'"),
    ('mibs: IF-MIB',
     'hosts.yaml:1:7: mibs: takes a list: write [...] around it'),
    ('run_as: [nobody]',
     'hosts.yaml:1:9: run_as: takes the name of a user'),
    ('groups: {g: x}',
     'hosts.yaml:1:13: g: takes a mapping of keys to values'),
    ('hosts: {a: {}}',
     "hosts.yaml:1:8: hosts: takes a list: write '- ' before each target"),
    ('hosts: [[a]]',
     'hosts.yaml:1:9: host: takes one target, in quotes if it has brackets'),
    ('hosts:\n- {port: 1}\n',
     "hosts.yaml:2:3: an entry without 'host'"),
    ('hosts:\n  - 192.0.2.20-10\n  - 192.0.2.0/33\n  - a b\n',
     "hosts.yaml:2:5: target '192.0.2.20-10': bad range: 20-10 runs backwards\nhosts.yaml:3:5: target '192.0.2.0/33': bad prefix length '/33': /0 to /32\nhosts.yaml:4:5: target 'a b': blank or control character in a host name"),
    ('hosts:\n- host: 192.0.2.0/24\n  label: x\n',
     'hosts.yaml:3:10: label: is for single hosts, not for a block or range'),
    ('defaults: {group: g, credential: c}',
     "hosts.yaml:1:19: unknown group 'g'\nhosts.yaml:1:34: unknown credential 'c'"),
    ('- a\n- b\n',
     "hosts.yaml:1:1: the file: begins with keys such as 'hosts:', its targets are a list below that"),
    ('hosts: [{host: a, version: 3}]',
     "hosts.yaml:1:28: version 3: needs 'user'"),
    ('credentials: {c: {version: 3, user: u, auth: SHA}}\nhosts: [{host: a, credential: c}, {host: b, credential: c}]\n',
     "hosts.yaml:1:46: auth: needs 'auth_pass'"),
    ('hosts: [{host: a, version: 3, user: u, priv: AES}]',
     "hosts.yaml:1:46: priv: needs 'priv_pass'\nhosts.yaml:1:46: priv: needs 'auth'"),
    ('hosts: [{host: a, version: 3, user: u, level: authNoPriv}]',
     "hosts.yaml:1:47: level authNoPriv: needs 'auth'"),
    ('hosts: [&x a]',
     "hosts.yaml:1:9: anchor '&x': there are no anchors and aliases here"),
    ('hosts: [*x, b c]',
     "hosts.yaml:1:9: alias '*x': there are no anchors and aliases here, write the value out\nhosts.yaml:1:13: target 'b c': blank or control character in a host name"),
    ('hosts: [!!str a, !x b]',
     "hosts.yaml:1:9: tag 'tag:yaml.org,2002:str': there are no tags here, values are taken as written\nhosts.yaml:1:18: tag '!x': there are no tags here, values are taken as written"),
    ('hosts: []\n---\nhosts: []\n',
     "hosts.yaml:2:1: a second document: a file holds one, without '---' after its beginning"),
    ('hosts:\n\t- a\n',
     'hosts.yaml:2:1: not YAML: no value begins with this character: put it in quotes (and indent with blanks, not tabs)'),
    ('defaults:\n  community: a: b\n',
     "hosts.yaml:2:15: not YAML: no 'KEY: VALUE' here: check the indentation, or put a value that holds ': ' in quotes"),
    ('defaults: {port: 1 {}}',
     "hosts.yaml:1:11: not YAML: this '{' is not closed, or a ',' is missing"),
    ('hosts:\n  - a\n - b\n',
     'hosts.yaml:3:2: not YAML: the indentation fits no line above it (or a value needs quotes)'),
    ('defaults:\n  port: 1\nhosts\nmibs: []\n',
     "hosts.yaml:3:1: not YAML: no ':' after this key"),
    ('defaults:\t{prot: 1}',
     "hosts.yaml:1:12: unknown key 'prot' (did you mean 'port'?)"),
    # found by the plan, at the place in the file
    ('hosts:\n- host: 127.0.0.1\n  get: [sysDescr.0, sysDecsr.0]\n',
     "hosts.yaml:3:21: unknown object 'sysDecsr.0' (did you mean 'sysDescr.0'?)"),
    ('groups: {g: {table: [ifTable, sysDescr.0], index_label: ifTable}}\n',
     "hosts.yaml:1:31: table: 'sysDescr.0' is one object, not a table or a column: 'walk' takes it\n"
     "hosts.yaml:1:57: index_label: 'ifTable' is a table, not a column"),
]


class Mistakes(poller.Poll):
    def test_table(self):
        self.assertGreaterEqual(len(MISTAKES), 40)
        for text, said in MISTAKES:
            with self.subTest(text=text):
                self.write('hosts.yaml', text)
                run = self.run_poller('-f', 'hosts.yaml', cwd=self.folder)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertEqual(run.stdout, '')
                lines = [line.removeprefix('multisnmp: ') for line in run.stderr.splitlines()]
                for line in said.splitlines():
                    self.assertIn(line, lines)

    def test_nothing_is_polled(self):
        agents = self.agents()
        self.write('hosts.yaml', f'hosts: [127.0.0.1:{agents.port}, 127.0.0.0/33]\n')
        self.assertEqual(self.run_poller('-f', self.path('hosts.yaml')).returncode, 2)
        self.assertEqual(agents.counters()['received'], 0)

    def test_all_in_one_go(self):
        """The field's own example, and two more mistakes of the same file."""
        self.write('hosts.yaml', '# a\n' * 11 + 'hosts:\n  - host: 127.0.0.1\n    comunity: x\n'
                   '  - host: 127.0.0.2\n    timeout: soon\n    get: [ifDecsr.1]\n')
        run = self.run_poller('-f', 'hosts.yaml', cwd=self.folder)
        self.assertIn("hosts.yaml:14:5: unknown key 'comunity' (did you mean 'community'?)", run.stderr)
        self.assertIn('hosts.yaml:16:14: timeout:', run.stderr)
        self.assertIn("hosts.yaml:17:11: unknown object 'ifDecsr.1'", run.stderr)

    def test_secret_readable_by_all(self):
        agents = self.agents()
        path = self.write('hosts.yaml', f'hosts: [{{host: "127.0.0.1:{agents.port}", community: hush-hush,'
                          ' timeout: 50ms, retries: 0}]\n', mode=0o644)
        run = self.run_poller('-f', path)
        self.assertIn('readable', run.stderr)
        self.assertNotIn('hush-hush', run.stderr + run.stdout)

    def test_source_of_somebody_else(self):
        """Found before a worker is forked: one line, and nothing is polled."""
        for words in ([], ['--check']):
            run = self.run_poller('--source', '192.0.2.1', *words, '127.0.0.1')
            self.assertEqual((run.returncode, run.stdout), (2, ''), run.stderr)
            self.assertEqual(run.stderr.count('\n'), 1, run.stderr)
            self.assertIn('192.0.2.1', run.stderr)

    def test_no_file(self):
        run = self.run_poller('-f', self.path('none.yaml'))
        self.assertEqual(run.returncode, 2)
        self.assertIn('none.yaml', run.stderr)

    def test_check_sends_nothing(self):
        agents = self.agents()
        run = self.run_poller('--check', '-p', agents.port, '127.0.0.0/24', '-g', 'sysName.0')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('127.0.0.0/24', run.stdout)
        self.assertIn('256', run.stdout)
        self.assertIn('7s', run.stdout)
        self.assertEqual(agents.counters()['received'], 0)


if __name__ == '__main__':
    unittest.main()

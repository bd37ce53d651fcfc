#!/usr/bin/env python3
"""The manual pages against the program: each says all that there is, nothing that there is not, and its examples are right."""
import os
import re
import shlex
import subprocess
import unittest

import poller

MAN = os.path.join(os.environ.get('ABS_SRCDIR', '.'), 'man')
LINK = os.path.join(os.environ.get('ABS_SRCDIR', '.'), 'src', 'link')
SCREEN = (50, 80)  # lines, columns: what a terminal shows without being scrolled


def page(name):
    with open(os.path.join(MAN, name), encoding='utf-8') as f:
        return f.read()


def section(text, name):
    return re.search(rf'^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)', text, re.M | re.S)[1]


def literals(text):
    """What stands between .Bd -literal and .Ed, as it is shown."""
    return [block.replace('\\e', '\\') for block in re.findall(r'^\.Bd -literal.*?\n(.*?)^\.Ed', text, re.M | re.S)]


def flags(head):
    """Of the macros of a line, what Fl applies to: `Fl o , -output Ar file` names two."""
    macro = None
    for word in head.split():
        if re.fullmatch(r'[A-Z][a-z]', word):
            macro = word
        elif macro == 'Fl' and word not in (',', '|'):
            yield word


class Manual(poller.Poll):
    def help(self):
        return self.run_poller('--help').stdout

    def ask(self, *words):
        run = subprocess.run([poller.MULTISNMP, '--complete'], input=''.join(word + '\0' for word in words), text=True,
                             capture_output=True, timeout=poller.LONG, check=True)
        return [line.split('\t')[0] for line in run.stdout.splitlines()[1:]]

    def test_help_fits_a_screen(self):
        lines = self.help().splitlines()
        self.assertGreater(len(lines), 30)
        self.assertLessEqual(len(lines), SCREEN[0])
        self.assertLessEqual(max(map(len, lines)), SCREEN[1])

    def test_options(self):
        """Of multisnmp(1), what stands at the head of a paragraph; of the program, what its completion offers."""
        heads = re.findall(r'^\.It (Fl .*)$', page('multisnmp.1'), re.M)
        told = {'-' + name for head in heads for name in flags(head)}
        there = set(self.ask('-')) | {'--complete'}
        self.assertEqual(sorted(told), sorted(there))
        self.assertGreater(len(there), 40)

    def test_synopsis(self):
        """The options that it names are there."""
        synopsis = section(page('multisnmp.1'), 'SYNOPSIS')
        there = set(self.ask('-'))
        for words in re.findall(r'Fl ([\w-]+(?: \| -?[\w-]+)*)', synopsis):
            for word in words.split(' | '):
                names = ['-' + word] if word.startswith('-') or len(word) == 1 else ['-' + letter for letter in word]
                self.assertLessEqual(set(names), there)

    def test_keys(self):
        """In multisnmp.yaml(5) each key has a paragraph; of secrets, one for the three of them."""
        text = section(page('multisnmp.yaml.5'), 'DESCRIPTION')
        told = re.findall(r'^\.It Li (\w+)$', text, re.M)
        self.assertEqual(len(told), len(set(told)))
        top = ['broker', 'defaults', 'credentials', 'groups', 'hosts', 'mibs', 'run_as']
        ways = {'community_file', 'community_env'}
        keys = {key.rstrip('=') for key in self.ask('--set', '')}
        secrets = {key for key in keys if key.endswith(('_file', '_env'))}
        self.assertEqual(set(told), keys - secrets | set(top) | ways | {'host', 'label'})
        for key in secrets - ways:
            self.assertIn(f'.Li {key}', text)

    def test_words_of_keys(self):
        """Where a value is one of some words, all of them are told."""
        text = page('multisnmp.yaml.5')
        for key in ('family', 'version', 'nonincreasing', 'any_source', 'auth', 'priv', 'level'):
            paragraph = re.search(rf'^\.It Li {key}\n(.*?)^\.(It|El)', text, re.M | re.S)[1]
            words = self.ask('--set', key + '=')
            self.assertGreater(len(words), 1)
            for word in words:
                self.assertRegex(paragraph, rf'(?m)^\.Li {word[len(key) + 1:]}( |$)')

    def test_statuses_and_formats(self):
        text = section(page('multisnmp.1'), 'OUTPUT')
        for status in self.ask('--status', ''):
            self.assertRegex(text, rf'(?m)^\.It Li {status}$')
        for name in self.ask('-F', ''):
            self.assertRegex(text, rf'(?m)^\.Ss {name}$')

    def examples(self):
        """Command lines of multisnmp(1), but for those of its first example."""
        text = section(page('multisnmp.1'), 'EXAMPLES')
        blocks = re.findall(r'^\.Dl (\$ .*)$', text, re.M) + literals(text)[1:]
        lines = [line for block in blocks for line in block.replace('\\\n', ' ').splitlines()]
        return [line[2:] for line in lines if line.startswith('$ ')]

    def test_examples(self):
        """Each is a command line that the program takes."""
        self.write('hosts.yaml', 'hosts: [localhost]\n')
        for name in ('auth', 'priv'):
            self.write(name, 'a long passphrase\n')
        examples = self.examples()
        self.assertGreater(len(examples), 7)
        for line in examples:
            words = shlex.split(line.split('|')[0].split('>')[0])
            self.assertEqual(words[0], 'multisnmp', line)
            words = [word for word in words[1:] if word != '--explain']
            run = self.run_poller(*words, '--check', cwd=self.folder)
            self.assertEqual((run.returncode, run.stderr), (0, ''), line)

    def certificates(self, identity, authority):
        """False: they cannot be made, or cannot be read by this build."""
        if os.environ.get('WITH_TLS') != 'yes' or not poller.have('openssl'):
            return False
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=poller', '-keyout', 'key',
                        '-out', authority], cwd=self.folder, capture_output=True, check=True, timeout=poller.LONG)
        self.write(identity, self.read(authority) + self.read('key'))
        return True

    def test_session(self):
        """What the first example shows is what comes out, but for the port, which is another one here."""
        block = literals(section(page('multisnmp.1'), 'EXAMPLES'))[0]
        port = str(self.agents('127.1.0.2:silent').port)
        steps = [step.partition('\n')[::2] for step in re.split(r'^\$ ', block, flags=re.M)[1:]]
        self.assertEqual(steps[0][0], 'cat hosts.yaml')
        self.write('hosts.yaml', steps[0][1])
        status = None
        for line, shown in steps[1:]:
            words = line.partition('|')[0].strip()
            if line == 'echo $?':
                self.assertEqual(f'{status}\n', shown)
                continue
            if '| jq' in line and not poller.have('jq'):
                continue
            run = subprocess.run(['sh', '-c', line.replace(words, words + ' -p "$1"'), 'sh', port], cwd=self.folder, text=True,
                                 capture_output=True, timeout=poller.LONG, check=False, stdin=subprocess.DEVNULL,
                                 env={**os.environ, 'PATH': os.path.dirname(poller.MULTISNMP) + ':' + os.environ['PATH']})
            status = run.returncode
            self.assertEqual((run.stdout.replace(f'UDP {port}', 'UDP 161'), run.stderr), (shown, ''), line)
        self.assertGreater(len(steps), 5)

    def test_files_of_yaml(self):
        """Each example is a file that the program takes."""
        text = page('multisnmp.yaml.5')
        blocks = [block for block in literals(text) if re.match(r'\w+:', block)]
        self.assertGreater(len(blocks), 3)
        for block in blocks:
            if 'identity:' in block and not self.certificates('poller.pem', 'authority.pem'):
                continue
            for name in re.findall(r'_file: ([\w./-]+)', block):
                self.assertNotIn('/', name, 'that file is not there')
                self.write(name, 'a long passphrase\n')
            env = {**os.environ, **{name: 'a long passphrase' for name in re.findall(r'_env: (\w+)', block)}}
            run = self.run_poller('--check', '-f', self.write('hosts.yaml', block), env=env)
            self.assertEqual((run.returncode, run.stderr), (0, ''), block)

    def test_what_brokers_cause(self):
        """Each message of multisnmp-distributed(7) is one of the program's, of its library's or of the broker's."""
        heads = re.findall(r'^\.It Sy (.*)$', section(page('multisnmp-distributed.7'), 'DIAGNOSTICS'), re.M)
        self.assertGreater(len(heads), 15)
        texts = ''
        for name in os.listdir(LINK):
            with open(os.path.join(LINK, name), encoding='utf-8') as f:
                texts += re.sub(r'"\s*"', '', f.read())
        for head in heads:
            words = head.removeprefix('the broker says: ')
            if words == head and head != 'Connection refused':
                self.assertIn(head, texts)
        self.assertIn('the broker says: ', texts)

    def test_options_of_distributed(self):
        """What it names is there."""
        text = page('multisnmp-distributed.7')
        named = set(re.findall(r'Fl (-?[\w-]+)', text))
        self.assertGreater(len(named), 8)
        self.assertLessEqual({'-' + name for name in named}, set(self.ask('-')))

    @unittest.skipUnless(poller.have('mandoc'), 'no mandoc')
    def test_lint(self):
        for name in sorted(os.listdir(MAN)):
            run = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', os.path.join(MAN, name)], capture_output=True,
                                 text=True, timeout=poller.LONG, check=False)
            self.assertEqual((run.returncode, run.stdout), (0, ''))


if __name__ == '__main__':
    unittest.main()

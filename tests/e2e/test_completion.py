#!/usr/bin/env python3
"""What a person gets who presses TAB in bash, zsh and fish, each on a terminal of its own; and what the program answers
when their completions ask it (--complete)."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest

import poller

FOLDER = os.path.join(os.environ.get('ABS_SRCDIR', '.'), 'contrib', 'completion')
ENDS = ('text', 'jsonl', 'csv', 'prometheus', 'influx')
AUTHS = ('MD5', 'SHA', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512')
SECRET = 'never-to-be-seen'
HOSTS = f'''
defaults: {{community: {SECRET}}}
credentials:
  core-v3: {{version: 3, user: poller, auth: SHA, auth_pass: {SECRET}, priv_pass_file: gate}}
  site: {{community_env: SITE}}
groups:
  switches: {{credential: site}}
  routers: {{}}
hosts:
  - localhost
  - 192.0.2.0/28
  - {{host: "[2001:db8::1]:1161", label: cross, group: switches}}
  - {{host: example.com:1161, label: "two words"}}
  - {{host: example.com:1162, label: "\\e[31mred"}}
  - {{host: example.com:1163, label: "a\\nb"}}
'''
TARGETS = ['localhost', '192.0.2.0/28', '[2001:db8::1]:1161', 'cross', 'example.com:1161', 'two words',
           'example.com:1162', 'example.com:1163']


def table():
    """All options of --help: the words that a completion must know."""
    text = subprocess.run([poller.MULTISNMP, '--help'], capture_output=True, text=True, check=True).stdout
    text = re.sub(r'--\[no-\](\w+)', r'--\1, --no-\1', text)
    return [word for line in text.splitlines() if line.startswith('  ')
            for word in re.findall(r'(?:^ +|, )(-\w|--[\w-]+)(?=[ ,])', line)]


class Files(poller.Poll):
    """A folder with a file of hosts and a few others."""

    def setUp(self):
        super().setUp()
        self.write('hosts.yaml', HOSTS)
        self.write('one file', '')
        os.mkdir(self.path('one-folder'))
        os.mkfifo(self.path('gate'))  # who reads a secret from it waits for ever


class Protocol(Files):
    def ask(self, *words, **how):
        """The first line and the candidates, each as [word, what it is]."""
        run = subprocess.run([poller.MULTISNMP, '--complete'], input=''.join(w + '\0' for w in words), cwd=self.folder,
                             text=True, capture_output=True, timeout=poller.LONG, check=True, **how)
        self.assertEqual(run.stderr, '')
        first, *lines = run.stdout.splitlines()
        return first, [line.split('\t') for line in lines]

    def words(self, *words, kind='words', **how):
        first, lines = self.ask(*words, **how)
        self.assertEqual(first.split('\t')[0], kind)
        return [line[0] for line in lines]

    def test_options(self):
        options = table()
        self.assertGreater(len(options), 40)
        self.assertEqual(sorted(self.words('-')), sorted(options))
        self.assertEqual(self.words('--'), [o for o in options if o.startswith('--')])
        self.assertEqual(self.ask('--fo')[1][0][0], '--format')
        self.assertTrue(all(what for _, what in self.ask('-')[1]))

    def test_values(self):
        self.assertEqual(self.words('-F', ''), list(ENDS))
        self.assertEqual(self.words('-4F', 'j'), ['jsonl'])
        self.assertEqual(self.words('-4Fj'), ['-4Fjsonl'])
        self.assertEqual(self.words('--form', 'c'), ['csv'])  # as getopt_long(3) takes it
        self.assertEqual(self.words('--format=c'), ['--format=csv'])
        self.assertEqual(self.words('-v', ''), ['1', '2c', '3'])
        self.assertEqual(self.words('-l', 'AUTHp'), ['authPriv'])
        for auth in AUTHS:
            self.assertIn(auth, self.words('-a', 's' if auth.startswith('S') else ''))
        self.assertIn('AES-256-C', self.words('-x', 'AES'))
        self.assertIn('cancelled', self.words('--status', ''))
        self.assertIn('lost', self.words('--status', 'ok,l')[0])
        self.assertEqual(self.words('--status', 'ok,par'), ['ok,partial'])
        self.assertEqual(self.words('--fields', 'host,rt'), ['host,rtt_ms'])
        self.assertNotIn('object', self.words('-F', 'csv', '--fields', ''))
        self.assertIn('object', self.words('--fields', ''))
        self.assertEqual(self.words('-F', 'prometheus', '--fields', ''), [])
        self.assertEqual(self.words('--sort', ''), ['host', 'address', 'status', 'rtt_ms'])
        self.assertEqual(self.words('-r', ''), [])
        self.assertEqual(self.words('-c', ''), [])

    def test_objects(self):
        self.assertEqual(self.words('-g', 'sysDes'), ['sysDescr.0'])
        self.assertEqual(self.words('--get=sysName.0,sysDes'), ['--get=sysName.0,sysDescr.0'])
        self.assertEqual(self.words('-g', 'ifHCInOct'), ['ifHCInOctets.'])
        self.assertIn('ifXTable', self.words('-w', 'if'))
        self.assertIn('system', self.words('-w', ''))
        self.assertEqual(self.words('--table', 'ifXT'), ['ifXTable'])
        self.assertEqual(self.words('--set', 'index_label=ifNa'), ['index_label=ifName'])

    def test_keys(self):
        keys = self.words('--set', '')
        self.assertIn('timeout=', keys)
        self.assertTrue({'community=', 'community_file=', 'community_env='} <= set(keys))
        self.assertNotIn('label=', keys)  # of host entries only
        self.assertEqual(self.words('--set', 'any_source='), ['any_source=true', 'any_source=false'])
        self.assertEqual(self.words('--set=nonincreasing=a'), ['--set=nonincreasing=allow'])
        self.assertEqual(self.ask('--set', 'priv_pass_file=x'), ('files\tpriv_pass_file=', []))
        self.assertEqual(self.words('--set', 'community_env=XYZ', env={'XYZZY': SECRET}), ['community_env=XYZZY'])
        self.assertEqual(self.words('--set', 'nothing='), [])

    def test_files(self):
        for option in ('-f', '-o', '--file', '--targets', '--output', '--stats-file'):
            self.assertEqual(self.ask(option, 'x'), ('files\t', []))
        self.assertEqual(self.ask('--output=x'), ('files\t--output=', []))
        self.assertEqual(self.ask('-ox'), ('files\t-o', []))
        self.assertEqual(self.ask('-M', '+/usr:/o'), ('folders\t+/usr:', []))
        self.assertEqual(self.ask('-M', '+/o'), ('folders\t+', []))

    def test_names_of_the_file(self):
        for way in (['-f', 'hosts.yaml'], ['--file=hosts.yaml'], ['-qfhosts.yaml'], ['--fil', 'hosts.yaml']):
            self.assertEqual(self.words(*way, ''), TARGETS, way)
        self.assertEqual(self.words('-f', '~/hosts.yaml', 'cr', env={'HOME': self.folder}), ['cross'])
        self.assertEqual(self.words('-f', 'hosts.yaml', '--exclude', '192'), ['192.0.2.0/28'])
        self.assertEqual(self.words('-f', 'hosts.yaml', '--set', 'credential='),
                         ['credential=core-v3', 'credential=site'])
        self.assertEqual(self.words('-f', 'hosts.yaml', '--set', 'group=s'), ['group=switches'])
        self.assertEqual(self.ask('-f', 'hosts.yaml', 'cross')[1], [['cross', '[2001:db8::1]:1161']])
        self.assertEqual(self.words('', kind='hosts'), [])  # the shell may know some

    def test_sites(self):
        """Each once, however many hosts name it; a name that we are to give ourselves has no candidates."""
        self.write('sites.yaml', 'defaults: {site: hall}\ngroups:\n  a: {site: north}\nhosts:\n'
                   '  - {host: h1, site: south}\n  - {host: h2, site: south}\n  - {host: h3, group: a}\n')
        self.assertEqual(self.words('--agent', '-f', 'sites.yaml', '--site', ''), ['hall', 'north', 'south'])
        self.assertEqual(self.words('-f', 'sites.yaml', '--site=n'), ['--site=north'])
        self.assertEqual(self.words('-f', 'sites.yaml', '--set', 'site=s'), ['site=south'])
        self.assertEqual(self.words('--site', ''), [])
        for option in '--name', '--drain':
            self.assertEqual(self.words(option, ''), [])
        self.assertEqual(self.words('--broker', ''), ['amqps://', 'amqp://'])
        self.assertEqual(self.words('--broker', 'amqps'), ['amqps://'])

    def test_behind_two_dashes_all_are_targets(self):
        self.write('hosts.yaml', 'hosts: [localhost]')
        self.assertEqual(self.words('-f', 'hosts.yaml', '--', ''), ['localhost'])
        self.assertEqual(self.words('-f', 'hosts.yaml', '--', '-'), [])
        self.assertEqual(self.words('-f', 'hosts.yaml', '--', '-F', ''), ['localhost'])
        self.assertEqual(self.words('-c', '--', '--form'), ['--format'])  # a community

    def test_no_secret_is_shown(self):
        for words in (['-'], [''], ['--set', ''], ['--set', 'community='], ['-c', ''], ['-A', ''], ['--set', 'auth_pass=']):
            first, lines = self.ask('-f', 'hosts.yaml', *words, env={'SITE': SECRET})
            self.assertNotIn(SECRET, first + str(lines))

    def test_a_half_written_file(self):
        """What stands before the mistake is offered."""
        self.write('hosts.yaml', HOSTS + '  - {host: "10.0.0.1, lab')
        self.assertEqual(self.words('-f', 'hosts.yaml', '')[:4], TARGETS[:4])
        self.write('hosts.yaml', 'hosts: [localhost, {host: there, comunity: x, port: 0}, {label: none}]')
        self.assertEqual(self.words('-f', 'hosts.yaml', ''), ['localhost', 'there'])

    def test_files_that_are_none(self):
        os.mkfifo(self.path('fifo'))
        self.write('octets', '\0\1\2')
        for name in ('fifo', 'octets', 'one-folder', 'nowhere', '/dev/zero', '-', ''):
            self.assertEqual(self.words('-f', name, ''), [], name)

    def test_a_file_of_many_hosts(self):
        """10,000 take 25 ms on a machine that has nothing else to do; one that takes too long is not read."""
        self.write('many.yaml', 'hosts:\n' + ''.join(f'  - {{host: 10.1.{i >> 8}.{i & 255}, label: sw-{i}}}\n'
                                                      for i in range(10000)))
        start = time.monotonic()
        self.assertEqual(self.words('-f', 'many.yaml', 'sw-999'), ['sw-999'] + [f'sw-999{i}' for i in range(10)])
        self.assertLess(time.monotonic() - start, 5)
        with open(self.path('many.yaml'), 'a', encoding='utf-8') as f:
            f.write(('# ' + 'x' * 1021 + '\n') * (17 << 10))
        start = time.monotonic()
        self.assertEqual(self.words('-f', 'many.yaml', ''), [])
        self.assertLess(time.monotonic() - start, 5)

    def test_odd_questions(self):
        for asked in (b'', b'no end', b'\xff\xfe\0', b'-\xff\0\0', b'--set=\0\0', b'-f\0' * 5000, b'--' + b'a' * 5000 + b'\0'):
            run = subprocess.run([poller.MULTISNMP, '--complete'], input=asked, capture_output=True, timeout=poller.LONG,
                                 check=False)
            self.assertEqual((run.returncode, run.stderr), (0, b''), asked[:20])


class Shell(Files):
    """A shell on a terminal. ^G shows its line, ^T puts all candidates into it."""
    argv = []


    def setUp(self):
        super().setUp()
        if not poller.have(self.argv[0]):
            self.skipTest(f'no {self.argv[0]}')
        self.screen = b''
        self.shell, self.terminal = self.start()
        self.addCleanup(self.stop)
        self.send(self.prepare().replace('\n', '\r') + 'echo re""ady\r')
        self.expect(b'ready\r?\n')

    def start(self):
        shell, terminal = pty.fork()
        if shell == 0:
            os.chdir(self.folder)
            path = os.path.dirname(poller.MULTISNMP) + ':' + os.environ['PATH']
            env = {'PATH': path, 'HOME': self.folder, 'ZDOTDIR': self.folder, 'TERM': 'dumb', 'LC_ALL': 'C.UTF-8', 'PS1': '> '}
            os.execvpe(self.argv[0], self.argv, env)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 1000, 0, 0))
        return shell, terminal

    def stop(self):
        os.kill(self.shell, signal.SIGKILL)
        os.waitpid(self.shell, 0)
        os.close(self.terminal)

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def expect(self, pattern):
        end = time.monotonic() + poller.LONG
        while not (found := re.search(pattern, self.screen)):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            self.assertTrue(ready, f'{pattern} is not in {self.screen}')
            self.screen += os.read(self.terminal, 65536)
        self.screen = self.screen[found.end():]
        return found

    def line(self, typed, key='\t'):
        """The line after a key was pressed behind what is typed; it is taken away again."""
        self.send(typed + key + '\x07')
        text = self.expect(rb'LINE<([^>]*)>')[1].decode()
        self.send('\x15')  # ^U
        return text

    def all(self, typed):
        """Candidates, as the shell would write them."""
        line = self.line(typed, '\x14')
        kept = typed[:typed.rindex(' ') + 1]
        self.assertTrue(line.startswith(kept), line)
        return sorted(re.findall(r'''(?:\\.|"[^"]*"|'[^']*'|[^\s\\])+''', line[len(kept):]))


class Common:
    def test_option(self):
        self.assertEqual(self.line('multisnmp --forma'), 'multisnmp --format ')

    def test_all_options(self):
        self.assertEqual(self.all('multisnmp --'), sorted(o for o in table() if o.startswith('--')))

    def test_formats(self):
        self.assertEqual(self.all('multisnmp -F '), sorted(ENDS))
        self.assertEqual(self.line('multisnmp -F js'), 'multisnmp -F jsonl ')
        self.assertEqual(self.line('multisnmp --format=js'), 'multisnmp --format=jsonl ')

    def test_key_and_value(self):
        self.assertEqual(self.line('multisnmp --set nonin'), 'multisnmp --set nonincreasing=')
        self.assertEqual(self.line('multisnmp --set nonincreasing=al'), 'multisnmp --set nonincreasing=allow ')
        self.assertEqual(self.line('multisnmp --set=nonincreasing=al'), 'multisnmp --set=nonincreasing=allow ')

    def test_names_of_the_file(self):
        with_file = 'multisnmp -f hosts.yaml '
        self.assertEqual(self.line(with_file + 'loc'), with_file + 'localhost ')
        self.assertEqual(self.line(with_file + '--set credential=co'), with_file + '--set credential=core-v3 ')
        self.assertEqual(self.all(with_file + '--set group='), self.groups)
        self.assertEqual(self.line(with_file + 'example.com:1161'), with_file + 'example.com:1161 ')
        self.assertEqual(self.line(with_file + 'two'), with_file + 'two\\ words ')

    def test_quoted(self):
        self.assertEqual(self.line("multisnmp -f 'hosts.yaml' loc"), "multisnmp -f 'hosts.yaml' localhost ")
        self.assertEqual(self.line("multisnmp -f hosts.yaml 'loc"), "multisnmp -f hosts.yaml 'localhost' ")
        self.assertEqual(self.line("multisnmp -g \"sysDes"), 'multisnmp -g "sysDescr.0" ')
        self.assertEqual(self.line("multisnmp -f hosts.yaml '[2001"), "multisnmp -f hosts.yaml '[2001:db8::1]:1161' ")

    def test_files(self):
        self.assertEqual(self.line('multisnmp -f hos'), 'multisnmp -f hosts.yaml ')
        self.assertEqual(self.line('multisnmp --file=hos'), 'multisnmp --file=hosts.yaml ')
        self.assertEqual(self.line('multisnmp -fhos').rstrip(), 'multisnmp -fhosts.yaml')
        self.assertEqual(self.line('multisnmp -o one\\ '), 'multisnmp -o one\\ file ')
        self.assertEqual(self.line("multisnmp -o 'one "), "multisnmp -o 'one file' ")
        self.assertEqual({word.rstrip('/') for word in self.all('multisnmp -o one')}, {'one\\ file', 'one-folder'})
        self.assertEqual(self.line('multisnmp --set community_file=hos'), 'multisnmp --set community_file=hosts.yaml ')
        self.assertEqual(self.line('multisnmp -f ~/hos'), 'multisnmp -f ~/hosts.yaml ')
        self.assertEqual(self.line('multisnmp -M one').rstrip(), 'multisnmp -M one-folder/')
        self.assertEqual(self.line('multisnmp -M +one').rstrip(), 'multisnmp -M +one-folder/')

    def test_nothing_fits(self):
        for typed in ('multisnmp -c ', 'multisnmp -F nothing', 'multisnmp -f nowhere.yaml --set group=', 'multisnmp -A x'):
            self.assertEqual(self.line(typed), typed)

    def test_the_cursor_in_the_middle(self):
        line = self.line('multisnmp -F js localhost\x01' + '\x06' * len('multisnmp -F js'))
        self.assertEqual(line.split(), ['multisnmp', '-F', 'jsonl', 'localhost'])


class Bash(Common, Shell):
    argv = ['bash', '--norc', '--noprofile', '-i']
    groups = ['group=routers', 'switches']  # readline takes words apart at '='

    def prepare(self):
        return """bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; bind '"\\C-t": insert-completions'
bind -x '"\\C-g": printf "LINE<%s>" "$READLINE_LINE"'; """ + self.load() + '; '

    def load(self):
        return f'. {FOLDER}/multisnmp.bash'


class BashCompletion(Bash):
    """With the package bash-completion, which finds the file where `make install` puts it, at the first TAB."""
    PACKAGE = '/usr/share/bash-completion/bash_completion'

    def load(self):
        if not os.path.exists(self.PACKAGE):
            self.skipTest('no bash-completion')
        folder = self.path('share/bash-completion/completions')
        os.makedirs(folder)
        shutil.copy(os.path.join(FOLDER, 'multisnmp.bash'), os.path.join(folder, 'multisnmp'))
        return f'XDG_DATA_HOME={self.path("share")}; . {self.PACKAGE}'


class Zsh(Common, Shell):
    argv = ['zsh', '-f', '-i']
    groups = ['group=routers', 'group=switches']

    def prepare(self):
        return f"""fpath=({FOLDER} $fpath); autoload -U compinit && compinit -u -D
unsetopt zle_bracketed_paste beep; zstyle ':completion:all:*' completer _all_matches _complete
zstyle ':completion:all:*' insert true; zle -C all complete-word _generic; bindkey '^T' all; bindkey -e
dump() {{ print -rn -- "LINE<$BUFFER>" }}; zle -N dump; bindkey '^G' dump; bindkey '^T' all; bindkey '^U' kill-whole-line
"""


class Fish(Common, Shell):
    argv = ['fish', '--no-config', '-i']
    groups = ['group=routers', 'group=switches']

    def prepare(self):
        return f"""function fish_prompt; echo '> '; end; source {FOLDER}/multisnmp.fish
bind \\cg 'echo -n "LINE<"(commandline)">"'; bind \\cu 'commandline ""'; set fish_autosuggestion_enabled 0; """

    def all(self, typed):
        run = subprocess.run(['fish', '--no-config', '-c', f'source {FOLDER}/multisnmp.fish; complete -C "{typed}"'],
                             capture_output=True, text=True, timeout=poller.LONG, check=True, cwd=self.folder,
                             env={**os.environ, 'PATH': os.path.dirname(poller.MULTISNMP) + ':' + os.environ['PATH']})
        return sorted(line.split('\t')[0].replace(' ', '\\ ') for line in run.stdout.splitlines())

    def test_found_where_it_is_installed(self):
        folder = self.path('share/fish/vendor_completions.d')
        os.makedirs(folder)
        shutil.copy(os.path.join(FOLDER, 'multisnmp.fish'), folder)
        run = subprocess.run(['fish', '-c', 'complete -C "multisnmp --forma"'], capture_output=True, text=True,
                             timeout=poller.LONG, check=True, cwd=self.folder,
                             env={'PATH': os.path.dirname(poller.MULTISNMP) + ':' + os.environ['PATH'], 'HOME': self.folder,
                                  'XDG_DATA_DIRS': self.path('share')})
        self.assertTrue(run.stdout.startswith('--format\t'), run)


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""`make install` puts these files into these folders with these modes, nothing else and nothing elsewhere; `make
uninstall` takes all of them away, and leaves what a user put beside them."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

import namespaces

TOP = os.environ['ABS_SRCDIR']
BUILD = os.path.dirname(os.path.abspath(os.environ['MULTISNMP']))
FOLDERS = ('prefix', 'exec_prefix', 'bindir', 'datarootdir', 'datadir', 'mandir', 'docdir', 'sysconfdir', 'systemdsystemunitdir',
           'BASH_COMPLETION_DIR', 'ZSH_COMPLETION_DIR', 'FISH_COMPLETION_DIR')
PROGRAM, DATA = 0o755, 0o644

EXPECTED = {
    '{bindir}/multisnmp': PROGRAM,
    '{mandir}/man1/multisnmp.1': DATA,
    '{mandir}/man5/multisnmp.yaml.5': DATA,
    '{mandir}/man7/multisnmp-distributed.7': DATA,
    '{docdir}/README.md': DATA,
    '{docdir}/CHANGELOG.md': DATA,
    '{docdir}/LICENSE': DATA,
    '{docdir}/SECURITY.md': DATA,
    **{f'{{docdir}}/examples/{name}': PROGRAM for name in (
        'check_multisnmp', 'multisnmp-inventory', 'multisnmp-silent', 'multisnmp-top', 'multisnmp-utilisation')},
    '{docdir}/examples/README.md': DATA,
    '{BASH_COMPLETION_DIR}/multisnmp': DATA,
    '{ZSH_COMPLETION_DIR}/_multisnmp': DATA,
    '{FISH_COMPLETION_DIR}/multisnmp.fish': DATA,
    '{docdir}/launchd/org.multisnmp.agent.plist': DATA,
    '{docdir}/launchd/org.multisnmp.poll.plist': DATA,
    '{datadir}/multisnmp/record.schema.json': DATA,
    '{docdir}/launchd/org.multisnmp.service.plist': DATA,
    '{sysconfdir}/multisnmp/multisnmp.yaml.sample': DATA,
}
WITH_SYSTEMD = {
    '{systemdsystemunitdir}/multisnmp.service': DATA,
    '{systemdsystemunitdir}/multisnmp.timer': DATA,
    '{systemdsystemunitdir}/multisnmp@.service': DATA,
    '{systemdsystemunitdir}/multisnmp-agent@.service': DATA,
    '{systemdsystemunitdir}/multisnmp-poll@.service': DATA,
    '{systemdsystemunitdir}/multisnmp-poll@.timer': DATA,
    '{prefix}/lib/sysusers.d/multisnmp.conf': DATA,
}


def configured():
    """{name of a folder's variable: the folder}, of this build."""
    template = ''.join(f'{name}=@{name}@\n' for name in ('PACKAGE_TARNAME', *FOLDERS))
    run = subprocess.run(['./config.status', '-q', '--file=-'], cwd=BUILD, input=template, capture_output=True, text=True,
                         timeout=60, check=True)
    values = dict(line.split('=', 1) for line in run.stdout.splitlines() if '=' in line)
    for _ in range(4):  # a folder stands on another one
        for name, text in values.items():
            for other, value in values.items():
                text = text.replace('${' + other + '}', value)
            values[name] = text
    return values


def listing(folder):
    """{path below: mode} of all that is no folder."""
    files = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            files['/' + os.path.relpath(path, folder)] = stat.S_IMODE(os.lstat(path).st_mode)
    return files


class Install(unittest.TestCase):
    def setUp(self):
        self.folders = configured()
        self.stage = tempfile.mkdtemp(prefix='multisnmp-install-')
        self.addCleanup(shutil.rmtree, self.stage, ignore_errors=True)  # a child of the test may have done it
        os.chmod(self.stage, 0o755)

    def make(self, target):
        env = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'DESTDIR')}
        run = subprocess.run(['make', '-C', BUILD, target, f'DESTDIR={self.stage}'], stdin=subprocess.DEVNULL, env=env,
                             capture_output=True, text=True, timeout=300, umask=0o022, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def expected(self):
        systemd = WITH_SYSTEMD if self.folders['systemdsystemunitdir'] != 'no' else {}
        return {path.format(**self.folders): mode for path, mode in {**EXPECTED, **systemd}.items()}

    def at(self, path):
        return self.stage + path.format(**self.folders)

    def test_files(self):
        self.make('install')
        self.assertEqual(listing(self.stage), self.expected())

    def test_folders_of_this_build(self):
        """What is installed names the program and the configuration where they are, not where the sources say."""
        self.make('install')
        for path in self.expected():
            if not path.endswith(('.service', '.plist', '.sample')):
                continue
            with open(self.stage + path, encoding='utf-8') as f:
                text = f.read()
            if self.folders['prefix'] != '/usr/local':
                self.assertNotIn('/usr/local/', text, path)
            for word in text.replace('<', ' ').replace('>', ' ').split():
                if word.endswith('/multisnmp') and '/bin/' in word:
                    self.assertIn(self.folders['bindir'] + '/multisnmp', word)

    def test_again_and_away(self):
        """A second installation keeps the user's file, and so does the end of it all."""
        self.make('install')
        own = self.at('{sysconfdir}/multisnmp/multisnmp.yaml')
        with open(own, 'w', encoding='utf-8') as f:
            f.write('hosts: []\n')
        self.make('install')
        with open(own, encoding='utf-8') as f:
            self.assertEqual(f.read(), 'hosts: []\n')
        self.make('uninstall')
        self.assertEqual(list(listing(self.stage)), [own[len(self.stage):]])
        os.unlink(own)
        self.make('install')
        self.make('uninstall')
        self.assertEqual(listing(self.stage), {})
        for folder in ('{docdir}', '{datadir}/multisnmp', '{sysconfdir}/multisnmp'):
            self.assertFalse(os.path.exists(self.at(folder)), folder)

    def test_where_it_looks(self):
        self.make('install')
        run = subprocess.run([self.at('{bindir}/multisnmp'), '--check'], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=60, check=False)
        path = self.folders['sysconfdir'] + '/multisnmp/multisnmp.yaml'
        if not os.path.exists(path):
            self.assertEqual(run.returncode, 2)
            self.assertIn(path, run.stderr)

    @namespaces.of_its_own('mount')
    def test_sample_is_polled_from_its_place(self):
        """Staged, then seen in its place: the sample, under the name that is read, is right to the last key."""
        prefix = self.folders['prefix']
        if not os.path.isdir(prefix) or not self.folders['sysconfdir'].startswith(prefix + '/'):
            self.skipTest(f'{prefix} is not there to be covered')
        self.make('install')
        shutil.copy(self.at('{sysconfdir}/multisnmp/multisnmp.yaml.sample'), self.at('{sysconfdir}/multisnmp/multisnmp.yaml'))
        namespaces.bind(self.stage + prefix, prefix)
        run = subprocess.run([self.folders['bindir'] + '/multisnmp', '--check'], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == '__main__':
    unittest.main()

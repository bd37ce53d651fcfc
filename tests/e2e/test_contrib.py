#!/usr/bin/env python3
"""The units of contrib/ as far as this platform can judge them: the launchd plist as a property list
against the keys that it must have, the systemd units by systemd-analyze where there is one, and the
command line in both by the program itself."""
import configparser
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

TOP = os.environ['ABS_SRCDIR']
PROGRAM = os.environ['MULTISNMP']
ANALYZE = ['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no']
YAML = 'defaults: {timeout: 100ms, retries: 0}\nhosts: []\n'


class Unit(configparser.RawConfigParser):
    optionxform = staticmethod(str)


def has_analyze():
    if not shutil.which('systemd-analyze'):
        return False
    run = subprocess.run(['systemd-analyze', '--version'], capture_output=True, text=True, check=False)
    version = re.match(r'systemd (\d+)', run.stdout)
    return version is not None and int(version.group(1)) >= 250


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as f:
        return f.read()


def read_unit(path):
    unit = Unit(strict=False, delimiters=('=',), comment_prefixes=('#',))
    unit.read_string(read(path))
    return unit


class Command(unittest.TestCase):
    """What the unit runs is a command line that the program accepts and that writes a file."""

    def run_here(self, words):
        self.assertEqual(words[0], '/usr/local/bin/multisnmp')
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, 'multisnmp.yaml')
            output = os.path.join(folder, 'now.jsonl')
            with open(config, 'w', encoding='utf-8') as f:
                f.write(YAML)
            words = [PROGRAM] + words[1:]
            words[words.index('-f') + 1] = config
            words[words.index('-o') + 1] = output
            run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=60, check=False)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, '', ''))
            self.assertTrue(os.path.exists(output))

    def test_systemd(self):
        unit = read_unit('contrib/systemd/multisnmp.service')
        self.run_here(shlex.split(unit['Service']['ExecStart']))

    def test_launchd(self):
        job = plistlib.loads(read('contrib/launchd/org.multisnmp.poll.plist').encode())
        self.run_here(job['ProgramArguments'])


class Launchd(unittest.TestCase):
    EXPECTED = {
        'Label': str, 'ProgramArguments': list, 'StartInterval': int, 'RunAtLoad': bool,
        'ProcessType': str, 'ExitTimeOut': int, 'Umask': int, 'UserName': str,
        'StandardErrorPath': str,
    }

    def setUp(self):
        text = read('contrib/launchd/org.multisnmp.poll.plist')
        self.job = plistlib.loads(text.encode(), fmt=plistlib.FMT_XML)

    def test_keys(self):
        self.assertEqual({key: type(value) for key, value in self.job.items()}, self.EXPECTED)

    def test_one_shot(self):
        self.assertEqual(self.job['Label'], 'org.multisnmp.poll')
        self.assertEqual(self.job['StartInterval'], 60)
        self.assertNotIn('--interval', self.job['ProgramArguments'])
        self.assertNotIn('-i', self.job['ProgramArguments'])
        for word in self.job['ProgramArguments']:
            self.assertIsInstance(word, str)

    def test_umask_is_022(self):
        self.assertEqual(self.job['Umask'], 0o022)


class Homebrew(unittest.TestCase):
    """The formula was never run where Homebrew is; this much is checked."""

    def setUp(self):
        self.formula = read('contrib/homebrew/multisnmp.rb')

    def test_asks_for_what_bootstrap_asks_for(self):
        rows = re.findall(r'[a-z0-9.-]+:lib[a-z0-9-]+-dev:([a-z0-9@-]+)', read('bootstrap'))
        self.assertGreater(len(rows), 4)
        asked = re.findall(r'depends_on "([^"]+)"( => :build)?', self.formula)
        self.assertEqual({name for name, build in asked if not build}, set(rows) - {'cmocka', 'libseccomp'})
        self.assertEqual([name for name, build in asked if build], ['pkgconf'])

    def test_runs_what_the_plist_runs(self):
        """Paths aside."""
        words = re.search(r'run \[(.*?)\]', self.formula, re.S).group(1)
        words = [os.path.basename(word.strip().split('/"')[-1].strip('"')) for word in words.split(',')]
        job = plistlib.loads(read('contrib/launchd/org.multisnmp.poll.plist').encode())
        self.assertEqual(words, [os.path.basename(word) for word in job['ProgramArguments']])
        self.assertIn(f'interval {job["StartInterval"]}\n', self.formula)

    @unittest.skipUnless(shutil.which('ruby'), 'needs ruby')
    def test_syntax(self):
        run = subprocess.run(['ruby', '-wc', os.path.join(TOP, 'contrib/homebrew/multisnmp.rb')], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, 'Syntax OK\n', ''))


class Systemd(unittest.TestCase):
    def setUp(self):
        self.service = read_unit('contrib/systemd/multisnmp.service')
        self.timer = read_unit('contrib/systemd/multisnmp.timer')

    def test_service(self):
        section = self.service['Service']
        self.assertEqual(section['Type'], 'oneshot')
        self.assertEqual(section['KillMode'], 'mixed')
        self.assertEqual(section['SuccessExitStatus'], '1 143')
        self.assertEqual(section['SystemCallErrorNumber'], 'EPERM')
        for call in ('@system-service', 'seccomp', 'landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self'):
            self.assertIn(call, section['SystemCallFilter'].split())
        folder = '/var/lib/' + section['StateDirectory'] + '/'
        self.assertIn(' -o ' + folder, section['ExecStart'])

    def test_timer(self):
        self.assertEqual(self.timer['Timer']['OnCalendar'], 'minutely')
        self.assertEqual(self.timer['Install']['WantedBy'], 'timers.target')

    @unittest.skipUnless(has_analyze(), 'needs systemd-analyze of version 250 or later')
    def test_exposure(self):
        """What systemd's own judge thinks of what is left open: 10 is all."""
        run = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--threshold=15', '--no-pager',
                              os.path.join(TOP, 'contrib/systemd/multisnmp.service')], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        exposure = re.search(r'Overall exposure level for multisnmp\.service: ([0-9.]+)', run.stdout)
        self.assertLessEqual(float(exposure.group(1)), 1.5)

    @unittest.skipUnless(has_analyze(), 'needs systemd-analyze of version 250 or later')
    def test_analyze(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name in ('multisnmp.service', 'multisnmp.timer'):
                paths.append(os.path.join(folder, name))
                text = read('contrib/systemd/' + name)
                with open(paths[-1], 'w', encoding='utf-8') as f:
                    # the program is not yet installed where the unit looks for it
                    f.write(text.replace('/usr/local/bin/multisnmp', PROGRAM))
            run = subprocess.run(ANALYZE + paths,
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=60, check=False)
            self.assertEqual((run.returncode, run.stdout + run.stderr), (0, ''))


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""The units of contrib/ as far as this platform can judge them: the launchd plists as property lists
against the keys that they must have, the systemd units by systemd-analyze where there is one, and the
command line in both by the program itself."""
import configparser
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest

TOP = os.environ['ABS_SRCDIR']
PROGRAM = os.environ['MULTISNMP']
ANALYZE = ['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no']
AGENT = 'multisnmp-agent@.service'
POLLERS = ['multisnmp.service', 'multisnmp@.service', 'multisnmp-poll@.service']
SERVICES = [*POLLERS, AGENT]
TIMERS = ['multisnmp.timer', 'multisnmp-poll@.timer']
PLISTS = ['org.multisnmp.poll.plist', 'org.multisnmp.service.plist']  # those of pollers
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
    """What a unit runs is a command line that the program accepts and that writes its files."""

    def run_here(self, words):
        self.assertEqual(words[0], '/usr/local/bin/multisnmp')
        self.assertNotIn('-q', words)  # an administrator finds warnings in the journal, or in the log
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, 'multisnmp.yaml')
            with open(config, 'w', encoding='utf-8') as f:
                f.write(YAML)
            words = [PROGRAM] + words[1:]
            words[words.index('-f') + 1] = config
            outputs = [os.path.join(folder, os.path.basename(words[words.index(option) + 1]))
                       for option in ('-o', '--stats-file') if option in words]
            for option, output in zip(('-o', '--stats-file'), outputs):
                words[words.index(option) + 1] = output
            with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True) as process:
                if '--interval' in words:
                    self.wait_for(outputs)
                    process.terminate()
                said = process.communicate(timeout=60)
            self.assertEqual((process.returncode, *said), (143 if '--interval' in words else 0, '', ''))
            for output in outputs:
                self.assertTrue(os.path.exists(output))

    def wait_for(self, paths):
        end = time.monotonic() + 60
        while not all(map(os.path.exists, paths)):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_systemd(self):
        for name in POLLERS:
            with self.subTest(name):
                self.run_here(shlex.split(read_unit('contrib/systemd/' + name)['Service']['ExecStart']))

    def test_launchd(self):
        for name in PLISTS:
            with self.subTest(name):
                self.run_here(plistlib.loads(read('contrib/launchd/' + name).encode())['ProgramArguments'])


class Launchd(unittest.TestCase):
    """Keys that launchd.plist(5) has, each of the type that it wants."""
    EXPECTED = {
        'Label': str, 'ProgramArguments': list, 'ProcessType': str, 'ExitTimeOut': int, 'Umask': int, 'UserName': str,
        'StandardErrorPath': str,
    }

    def job(self, name, **more):
        job = plistlib.loads(read(f'contrib/launchd/{name}.plist').encode(), fmt=plistlib.FMT_XML)
        self.assertEqual({key: type(value) for key, value in job.items()}, {**self.EXPECTED, **more})
        self.assertEqual(job['Label'], name)
        self.assertEqual(job['Umask'], 0o022)
        for word in job['ProgramArguments']:
            self.assertIsInstance(word, str)
        return job

    def test_poll(self):
        job = self.job('org.multisnmp.poll', StartInterval=int, RunAtLoad=bool)
        self.assertEqual(job['StartInterval'], 60)
        self.assertNotIn('--interval', job['ProgramArguments'])
        self.assertNotIn('-i', job['ProgramArguments'])

    def test_service(self):
        job = self.job('org.multisnmp.service', KeepAlive=bool, ThrottleInterval=int)
        self.assertIs(job['KeepAlive'], True)
        self.assertIn('--interval', job['ProgramArguments'])
        self.assertGreater(job['ExitTimeOut'], 5)  # so long what is in flight may take

    def test_agent(self):
        job = self.job('org.multisnmp.agent', KeepAlive=bool, ThrottleInterval=int)
        self.assertIs(job['KeepAlive'], True)
        unit = read_unit('contrib/systemd/' + AGENT)['Service']
        self.assertEqual(' '.join(job['ProgramArguments']), unit['ExecStart'].replace('%i', 'agent'))
        self.assertEqual(f'{job["ExitTimeOut"]}s', unit['TimeoutStopSec'])


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
    def section(self, name):
        return read_unit('contrib/systemd/' + name)['Service']

    def test_all(self):
        for name in SERVICES:
            section = self.section(name)
            self.assertEqual(section['KillMode'], 'mixed')
            self.assertIn('143', section['SuccessExitStatus'].split())
            self.assertEqual(section['SystemCallErrorNumber'], 'EPERM')
            self.assertEqual(section['User'], 'multisnmp')
            for call in ('@system-service', 'seccomp', 'landlock_create_ruleset', 'landlock_add_rule',
                         'landlock_restrict_self'):
                self.assertIn(call, section['SystemCallFilter'].split())

    def test_poll(self):
        section = self.section('multisnmp.service')
        self.assertEqual((section['Type'], section['SuccessExitStatus']), ('oneshot', '1 143'))
        folder = '/var/lib/' + section['StateDirectory'] + '/'
        self.assertIn(' -o ' + folder, section['ExecStart'])
        self.assertEqual(self.section('multisnmp-poll@.service')['Type'], 'oneshot')

    def test_templates(self):
        """A file of the instance's name is read; outputs lie in a folder of the instance's own that everybody may read."""
        for name, folder, kind in (('multisnmp@.service', '/run/multisnmp/%i', 'Runtime'),
                                   ('multisnmp-poll@.service', '/var/lib/multisnmp-poll/%i', 'State')):
            section = self.section(name)
            self.assertIn('/%i.yaml ', section['ExecStart'])
            self.assertIn(f' -o {folder}/', section['ExecStart'])
            self.assertTrue(folder.endswith('/' + section[kind + 'Directory']))
            self.assertEqual(section[kind + 'DirectoryMode'], '0755')

    def test_service(self):
        section = self.section('multisnmp@.service')
        self.assertEqual((section['Type'], section['NotifyAccess']), ('notify', 'main'))
        self.assertEqual(section['ExecReload'], '/bin/kill -HUP $MAINPID')
        self.assertTrue(section['WatchdogSec'])
        self.assertEqual(section['DynamicUser'], 'yes')
        self.assertNotIn('RuntimeDirectoryPreserve', section)  # with DynamicUser it would close the folder
        self.assertEqual((section['Restart'], section['RestartPreventExitStatus']), ('on-failure', '2'))

    def test_agent(self):
        """An instance's file; a drain has the time that a slow host takes; every secret of the broker may be a credential."""
        section = self.section(AGENT)
        self.assertEqual(section['ExecStart'].split()[1:], ['--agent', '-f', '/usr/local/etc/multisnmp/%i.yaml'])
        self.assertEqual((section['Type'], section['NotifyAccess'], section['DynamicUser']), ('notify', 'main', 'yes'))
        self.assertTrue(section['WatchdogSec'])
        self.assertEqual((section['Restart'], section['RestartPreventExitStatus']), ('on-failure', '2'))
        self.assertEqual((section['TimeoutStopSec'], section['ExecReload']), ('90s', '/bin/kill -HUP $MAINPID'))
        loaded = re.findall(r'^LoadCredential=(\w+):multisnmp\.%i\.(\w+)$', read('contrib/systemd/' + AGENT), re.M)
        self.assertTrue(all(name == file for name, file in loaded))
        self.assertEqual({name for name, _ in loaded}, {'broker_ca', 'broker_certificate', 'broker_key', 'broker_password',
                                                        'community', 'auth_pass', 'priv_pass'})

    def test_timers(self):
        for name in ('multisnmp.timer', 'multisnmp-poll@.timer'):
            timer = read_unit('contrib/systemd/' + name)
            self.assertEqual(timer['Timer']['OnCalendar'], 'minutely')
            self.assertEqual(timer['Install']['WantedBy'], 'timers.target')

    @unittest.skipUnless(has_analyze(), 'needs systemd-analyze of version 250 or later')
    def test_exposure(self):
        """What systemd's own judge thinks of what is left open: 10 is all."""
        for name in SERVICES:
            run = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--threshold=15', '--no-pager',
                                  os.path.join(TOP, 'contrib/systemd', name)], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            exposure = re.search(r'Overall exposure level for \S+: ([0-9.]+)', run.stdout)
            self.assertLessEqual(float(exposure.group(1)), 1.5)

    @unittest.skipUnless(has_analyze(), 'needs systemd-analyze of version 250 or later')
    def test_analyze(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name in SERVICES + TIMERS:
                paths.append(os.path.join(folder, name.replace('@.', '@core.')))
                with open(paths[-1], 'w', encoding='utf-8') as f:
                    # the program is not yet installed where the unit looks for it
                    f.write(read('contrib/systemd/' + name).replace('/usr/local/bin/multisnmp', PROGRAM))
            run = subprocess.run(ANALYZE + paths, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=60, check=False)
            self.assertEqual((run.returncode, run.stdout + run.stderr), (0, ''))


if __name__ == '__main__':
    unittest.main()

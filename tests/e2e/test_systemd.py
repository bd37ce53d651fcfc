#!/usr/bin/env python3
"""The unit of contrib/systemd as systemd runs it: with its credentials, its user, its filter, all at once.

systemd is booted as the first process of namespaces of its own (processes, mounts, cgroups, network), with nothing to start
but the unit, simulated agents and a shell that reports; that takes less than a second and needs root. What it could reach of
the machine is read-only there. Where such a manager does not even come up (a container without the rights, no systemd), the
tests are skipped; once it has, the unit must work."""
import json
import os
import shutil
import subprocess
import time
import unittest

import poller

TOP = os.environ['ABS_SRCDIR']
TELLS = 'unreachable' if 'Linux extras: yes' in poller.version() else 'timeout'  # ICMP is heard by what Linux has
SYSTEMD = '/lib/systemd/systemd'
BOOT = r'''
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/test
mount --bind "$T" /run/test
T=/run/test
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /var
mount -t tmpfs -o mode=755 tmpfs /usr/local/bin
mount -t tmpfs -o mode=755 tmpfs /usr/local/etc
mkdir -p /run/units /run/credstore /var/lib /var/tmp /usr/local/etc/multisnmp
cp "$T"/units/* /run/units/
cp "$T"/secrets/* /run/credstore/
cp "$T"/program/* /usr/local/bin/
cp "$T"/multisnmp.yaml /usr/local/etc/multisnmp/
for f in passwd group; do
	cp /etc/$f "$T/$f"
	sed -i /^multisnmp:/d "$T/$f"
done
echo 'multisnmp:x:64991:64991::/:/usr/sbin/nologin' >>"$T/passwd"
echo 'multisnmp:x:64991:' >>"$T/group"
mount --bind "$T/passwd" /etc/passwd
mount --bind "$T/group" /etc/group
chown root:64991 /usr/local/etc/multisnmp/multisnmp.yaml
chmod 640 /usr/local/etc/multisnmp/multisnmp.yaml
umount -Rl /sys/fs/cgroup
mount -o remount,ro,bind /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount -o remount,ro,bind /
mount --make-rshared /
export container=test SYSTEMD_UNIT_PATH=/run/units
exec /lib/systemd/systemd --system --unit=test.target --log-target=null --show-status=no
'''
UNIT = '[Unit]\nDefaultDependencies=no\n'
SHOW = 'systemctl show -p Result,ExecMainStatus multisnmp.service; cat /var/lib/multisnmp/now.jsonl'


def cgroup_mount():
    with open('/proc/self/mounts', encoding='utf-8') as f:
        return next((words[1] for words in map(str.split, f) if words[2] == 'cgroup2'), None)


class Machine:
    """A systemd of our own in a folder, and what it reported."""

    def __init__(self, folder):
        self.folder = folder
        self.cgroup = os.path.join(cgroup_mount(), f'multisnmp-test.{os.getpid()}')
        for name in 'units', 'secrets', 'program':
            os.mkdir(os.path.join(folder, name))
        for program in poller.MULTISNMP, poller.SNMP_AGENTS:
            shutil.copy(program, os.path.join(folder, 'program'))
        self.write('multisnmp.yaml', '')
        self.write('secrets/none', '')

    def write(self, name, text):
        with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def clean_up(self):
        end = time.monotonic() + poller.LONG
        while os.path.exists(self.cgroup):
            try:
                for folder, _, _ in os.walk(self.cgroup, topdown=False):
                    os.rmdir(folder)
            except OSError:  # the last are dying
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def boot(self, units, command, after=''):
        """Starts the units and then the shell's command, whose end is the end of it all. What that printed."""
        self.write('units/report.service', f'{UNIT}After={after}\nSuccessAction=exit-force\nFailureAction=exit-force\n'
                   f'[Service]\nType=oneshot\nStandardOutput=file:/run/test/report\n'
                   f'StandardError=file:/run/test/report\nExecStart=/bin/sh -c \'echo up; {command}\'\n')
        self.write('units/test.target', f'{UNIT}Wants=report.service {units}\n')
        try:
            os.mkdir(self.cgroup)
            subprocess.run(['sh', '-c', 'echo $$ >"$CG/cgroup.procs" && exec unshare -f -p -m -C -u -i -n --kill-child '
                            '--mount-proc --propagation private bash -c "$BOOT"'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=poller.LONG, check=False,
                           env={**os.environ, 'CG': self.cgroup, 'T': self.folder, 'BOOT': BOOT})
            with open(os.path.join(self.folder, 'report'), encoding='utf-8') as f:
                return f.read()
        except (OSError, subprocess.TimeoutExpired):
            return ''
        finally:
            self.clean_up()


@unittest.skipUnless(poller.ROOT and os.path.exists(SYSTEMD) and cgroup_mount(), 'needs root, systemd, cgroups')
@unittest.skipIf(poller.WITH_ASAN, 'sanitizers map code')
class Unit(poller.Poll):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.machine = Machine(self.folder)
        if not self.machine.boot('', 'true').startswith('up'):
            self.skipTest('systemd does not come up in namespaces here')
        os.unlink(self.path('report'))
        with open(os.path.join(TOP, 'contrib/systemd/multisnmp.service'), encoding='utf-8') as f:
            self.unit = f.read()
        self.machine.write('units/multisnmp.service', self.unit + f'StandardError=file:/run/test/said\n')

    def agent(self, *words):
        self.machine.write('units/agent.service', f'{UNIT}[Service]\nExecStart=/usr/local/bin/snmp-agents --port 1161 '
                           f'{" ".join(words)}\n')

    def boot(self, command, after):
        report = self.machine.boot('agent.service multisnmp.service', command, after)
        lines = report.splitlines()
        records = {record['host']: record for record in map(json.loads, (x for x in lines if x.startswith('{')))}
        return [line for line in lines if not line.startswith('{')], records

    def test_poll(self):
        """A secret of systemd's store; a host that answers, one whose name is looked up, one of which ICMP tells, a stream."""
        self.agent('--community', 'sesame')
        self.machine.write('secrets/multisnmp.community', 'sesame')
        self.machine.write('multisnmp.yaml', 'defaults: {community_file: community}\n'
                           'hosts: ["127.0.0.2:1161", "localhost:1161", "127.0.0.9:9", "tcp:127.0.0.1:1161"]\n')
        said, records = self.boot(SHOW + '; stat -c %%U:%%a /var/lib/multisnmp/now.jsonl', 'multisnmp.service')
        self.assertEqual(said, ['up', 'Result=success', 'ExecMainStatus=1', 'multisnmp:644'])
        self.assertEqual({host: record['status'] for host, record in records.items()},
                         {'127.0.0.2:1161': 'ok', 'localhost:1161': 'ok', '127.0.0.9:9': TELLS,
                          'tcp:127.0.0.1:1161': 'unreachable'})
        self.assertEqual('ICMP' in records['127.0.0.9:9']['message'], TELLS == 'unreachable')
        self.assertEqual(self.read('said'), '')

    def test_no_credentials(self):
        self.agent()
        self.machine.write('multisnmp.yaml', 'hosts: ["127.0.0.2:1161"]\n')
        said, records = self.boot(SHOW, 'multisnmp.service')
        self.assertEqual(said, ['up', 'Result=success', 'ExecMainStatus=0'])
        self.assertEqual(records['127.0.0.2:1161']['status'], 'ok')

    def test_root(self):
        """As README.md beside the unit says it: the master is root, and children become `nobody`."""
        unit = self.unit
        for was, now in (('User=multisnmp\n', 'User=root\n'), ('PrivateUsers=yes', 'PrivateUsers=no'),
                         ('CapabilityBoundingSet=\n', 'CapabilityBoundingSet=CAP_SETUID CAP_SETGID\n')):
            self.assertIn(was, unit)
            unit = unit.replace(was, now)
        self.machine.write('units/multisnmp.service', unit)
        self.agent()
        self.machine.write('multisnmp.yaml', 'hosts: ["127.0.0.2:1161", "localhost:1161"]\n')
        said, records = self.boot(SHOW, 'multisnmp.service')
        self.assertEqual(said, ['up', 'Result=success', 'ExecMainStatus=0'])
        self.assertEqual(len(records), 2)

    def test_stopped(self):
        """What is stopped has written every record, and is no failure; until then each process was fenced in."""
        self.agent('--rule', '*:silent')
        self.machine.write('multisnmp.yaml', 'defaults: {timeout: 60s}\nhosts: ["127.0.0.2:1161", "127.0.0.3:1161"]\n')
        procs = '/sys/fs/cgroup/system.slice/multisnmp.service/cgroup.procs'
        count = '$$(grep -sc . /proc/net/udp)'  # a worker's socket, an agent's, the heading
        said, records = self.boot(f'until [ {count} -ge 3 ]; do sleep 0.1; done; sleep 1; for p in $$(cat {procs}); do '
                                  'grep -E "^(Uid|CapBnd|NoNewPrivs)" /proc/$$p/status; done; systemctl stop '
                                  'multisnmp.service; ' + SHOW, 'agent.service')
        self.assertEqual(said[-2:], ['Result=success', 'ExecMainStatus=143'])
        self.assertEqual({record['status'] for record in records.values()}, {'cancelled'})
        self.assertEqual(len(records), 2)
        processes = len(said[1:-2]) // 3
        self.assertGreaterEqual(processes, 2)
        self.assertEqual(said[1:-2], ['Uid:\t64991\t64991\t64991\t64991', 'CapBnd:\t0000000000000000',
                                      'NoNewPrivs:\t1'] * processes)

    @unittest.skipUnless('sandbox: linux' in poller.version(), 'built without')
    def test_filter_that_forgets(self):
        """The unit's own filter counts: without Landlock's calls nothing is polled, and the unit fails with 4."""
        self.agent()
        self.machine.write('units/multisnmp.service', self.unit.replace(' landlock_restrict_self', ''))
        self.machine.write('multisnmp.yaml', 'hosts: ["127.0.0.2:1161"]\n')
        said, records = self.boot(SHOW, 'multisnmp.service')
        self.assertEqual((said[:3], records), (['up', 'Result=exit-code', 'ExecMainStatus=4'], {}))


if __name__ == '__main__':
    unittest.main()

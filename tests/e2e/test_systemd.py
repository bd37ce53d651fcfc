#!/usr/bin/env python3
"""The units of contrib/systemd as systemd runs them: with its credentials, its user, its filter, all at once.

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
cp "$T"/*.yaml /usr/local/etc/multisnmp/
for f in passwd group; do
	cp /etc/$f "$T/$f"
	sed -i /^multisnmp:/d "$T/$f"
done
[ -e "$T/no-user" ] || echo 'multisnmp:x:64991:64991::/:/usr/sbin/nologin' >>"$T/passwd"
[ -e "$T/no-user" ] || echo 'multisnmp:x:64991:' >>"$T/group"
mount --bind "$T/passwd" /etc/passwd
mount --bind "$T/group" /etc/group
chown root:64991 /usr/local/etc/multisnmp/*.yaml
[ -e "$T/no-user" ] || chmod 640 /usr/local/etc/multisnmp/*.yaml
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


class OnMachine(poller.Poll):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.machine = Machine(self.folder)
        if not self.machine.boot('', 'true').startswith('up'):
            self.skipTest('systemd does not come up in namespaces here')
        os.unlink(self.path('report'))
        for name in 'sysinit.target', 'basic.target', 'network-online.target', 'shutdown.target':
            self.machine.write('units/' + name, UNIT)

    def agent(self, *words):
        self.machine.write('units/agent.service', f'{UNIT}[Service]\nExecStart=/usr/local/bin/snmp-agents --port 1161 '
                           f'{" ".join(words)}\n')

    WATCHED = 'multisnmp@core.service multisnmp-poll@core.service'  # whose ends systemd keeps in mind

    def install(self, name, *changes):
        """A unit of contrib, its lines changed, what it says in a file."""
        with open(os.path.join(TOP, 'contrib/systemd', name), encoding='utf-8') as f:
            text = f.read()
        for was, now in (('[Service]\n', '[Service]\nStandardError=append:/run/test/said\n'), *changes):
            self.assertIn(was, text)
            text = text.replace(was, now)
        self.machine.write('units/' + name, text)

    def run_script(self, script):
        """What a shell prints, line by line, beside the agents and the units that it starts."""
        self.machine.write('script', script)
        said = self.machine.boot('agent.service', 'sh /run/test/script', 'agent.service ' + self.WATCHED).splitlines()
        self.assertEqual(said[:1], ['up'])
        return said[1:]


@unittest.skipUnless(poller.ROOT and os.path.exists(SYSTEMD) and cgroup_mount(), 'needs root, systemd, cgroups')
@unittest.skipIf(poller.WITH_ASAN, 'sanitizers map code')
class Unit(OnMachine):
    def setUp(self):
        super().setUp()
        with open(os.path.join(TOP, 'contrib/systemd/multisnmp.service'), encoding='utf-8') as f:
            self.unit = f.read()
        self.machine.write('units/multisnmp.service', self.unit + f'StandardError=file:/run/test/said\n')

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


FUNCTIONS = r"""
export SYSTEMD_PAGER=
unit=multisnmp@core.service
show() { systemctl show "$@" "$unit"; }
pid() { show --value -p MainPID; }
# waits until the words are a line of what the command prints
until_line() { n=0; while [ $n -lt 300 ]; do "$@" 2>/dev/null | grep -qE "$line" && return; sleep 0.1; n=$((n+1)); done; echo "in vain: $line"; }
"""


@unittest.skipUnless(poller.ROOT and os.path.exists(SYSTEMD) and cgroup_mount(), 'needs root, systemd, cgroups')
@unittest.skipIf(poller.WITH_ASAN, 'sanitizers map code')
class Service(OnMachine):
    """multisnmp@core.service: Type=notify under the real systemd."""

    def setUp(self):
        super().setUp()
        self.install('multisnmp@.service', ('--interval 60s', '--interval 1s'), ('WatchdogSec=60s', 'WatchdogSec=2s'),
                     ('RestartSec=5s', 'RestartSec=100ms'))
        self.agent('--community', 'sesame', '--rule', '127.0.0.3:silent')
        self.machine.write('secrets/multisnmp.core.community', 'sesame')
        self.machine.write('core.yaml', 'defaults: {community_file: community, timeout: 100ms, retries: 0}\n'
                           'hosts: ["127.0.0.2:1161", "127.0.0.3:1161"]\n')

    def test_life(self):
        """Up when it is ready; its status; what it writes and who may read it; stopped in good order."""
        said = self.run_script(FUNCTIONS + """
systemctl start $unit; echo started $?
show -p ActiveState -p NotifyAccess
line="^StatusText=round [0-9]+: 1 ok, 1 failed in [0-9.]+ s; next round at 20"; until_line show -p StatusText
cut -d, -f1 /run/multisnmp/core/now.jsonl | sort
grep ^multisnmp_targets /run/multisnmp/core/self.prom
stat -c "%a %n" /run/multisnmp/core /run/multisnmp/core/now.jsonl
ps -o uid= -p $(pid) | tr -d " "
systemctl stop $unit; echo stopped $?
show -p Result -p ExecMainStatus -p NRestarts
ls -A /run/multisnmp
""")
        self.assertEqual(said, ['started 0', 'NotifyAccess=main', 'ActiveState=active', '{"host":"127.0.0.2:1161"',
                                '{"host":"127.0.0.3:1161"', 'multisnmp_targets 2', '755 /run/multisnmp/core',
                                '644 /run/multisnmp/core/now.jsonl', '64991', 'stopped 0', 'Result=success',
                                'NRestarts=0', 'ExecMainStatus=143'])
        self.assertEqual(self.read('said'), '')

    def test_dynamic_user(self):
        """Nobody made the user, so systemd does; the file is for everybody, the secret is not in it."""
        self.machine.write('no-user', '')
        said = self.run_script(FUNCTIONS + """
systemctl start $unit; echo started $?
line='"status":"ok"'; until_line cat /run/multisnmp/core/now.jsonl
[ $(ps -o uid= -p $(pid)) -ge 61184 ] && echo dynamic
stat -c %a /var/lib/private/multisnmp/core
""")
        self.assertEqual(said, ['started 0', 'dynamic', '755'])

    def test_wrong_configuration(self):
        """Never up, said with a line and a column, and not tried again and again."""
        self.machine.write('core.yaml', 'hosts: [127.0.0.2]\ncomunity: x\n')
        said = self.run_script(FUNCTIONS + """
systemctl start $unit 2>/dev/null; echo started $?
sleep 1
show -p ActiveState -p ExecMainStatus -p NRestarts
""")
        self.assertEqual(said, ['started 1', 'NRestarts=0', 'ExecMainStatus=2', 'ActiveState=failed'])
        self.assertRegex(self.read('said'), r"(?m)^20\S+Z \S+/core\.yaml:2:1: unknown key 'comunity'")

    def test_watchdog(self):
        """A master that hangs is killed, and the next one takes over, its files too."""
        said = self.run_script(FUNCTIONS + """
systemctl start $unit; echo started $?
first=$(pid)
kill -STOP $first
line="^NRestarts=1$"; until_line show -p NRestarts
line="^ActiveState=active$"; until_line show -p ActiveState
[ $(pid) != $first ] && echo another
rm -f /run/multisnmp/core/now.jsonl
line='"status":"ok"'; until_line cat /run/multisnmp/core/now.jsonl
sleep 3; show -p NRestarts
""")
        self.assertEqual(said, ['started 0', 'another', 'NRestarts=1'])

    def test_reload(self):
        """A new host is polled from the next round on, by the same process; a wrong file changes nothing and is said."""
        self.machine.write('more.yaml', self.read('core.yaml').replace('hosts: [', 'hosts: ["127.0.0.4:1161", '))
        self.machine.write('wrong.yaml', 'hosts: [127.0.0.2]\ncomunity: x\n')
        said = self.run_script(FUNCTIONS + """
cd /usr/local/etc/multisnmp
systemctl start $unit; echo started $?
first=$(pid)
cat more.yaml >core.yaml; systemctl reload $unit; echo reloaded $?
line="^multisnmp_targets 3$"; until_line cat /run/multisnmp/core/self.prom
cat wrong.yaml >core.yaml; systemctl reload $unit
line="^multisnmp_config_reloads_total.result=.failed.. 1$"; until_line cat /run/multisnmp/core/self.prom
line="^ActiveState=active$"; until_line show -p ActiveState
grep -E "^multisnmp_(targets|config_reloads_total.*ok.*|config_last_reload_successful) " /run/multisnmp/core/self.prom
[ $(pid) = $first ] && echo the same
""")
        self.assertEqual(said, ['started 0', 'reloaded 0', 'multisnmp_targets 3',
                                'multisnmp_config_reloads_total{result="ok"} 1', 'multisnmp_config_last_reload_successful 0',
                                'the same'])
        self.assertIn("core.yaml:2:1: unknown key 'comunity'", self.read('said'))

    def test_timer(self):
        """multisnmp-poll@core: one poll of the same file."""
        self.install('multisnmp-poll@.service')
        said = self.run_script(FUNCTIONS + """
unit=multisnmp-poll@core.service
systemctl start $unit; echo started $?
show -p Result -p ExecMainStatus
cut -d, -f1 /var/lib/multisnmp-poll/core/now.jsonl | sort
""")
        self.assertEqual(said, ['started 0', 'Result=success', 'ExecMainStatus=1', '{"host":"127.0.0.2:1161"',
                                '{"host":"127.0.0.3:1161"'])
        self.assertEqual(self.read('said'), '')


@unittest.skipUnless(poller.ROOT and os.path.exists(SYSTEMD) and cgroup_mount(), 'needs root, systemd, cgroups')
@unittest.skipIf(poller.WITH_ASAN, 'sanitizers map code')
@unittest.skipUnless(os.environ.get('WITH_RABBITMQ', 'yes') == 'yes', 'needs a program built with librabbitmq')
class AgentOfMasters(OnMachine):
    """multisnmp-agent@core.service, with no broker anywhere."""
    WATCHED = 'multisnmp-agent@core.service'

    def test_waits_for_its_broker(self):
        """Up, and what it waits for is in its status; its password is a credential; stopped in good order."""
        self.install('multisnmp-agent@.service', ('WatchdogSec=60s', 'WatchdogSec=2s'))
        self.agent()
        self.machine.write('secrets/multisnmp.core.broker_password', 'sesame')
        self.machine.write('core.yaml', 'broker: {url: "amqp://core@127.0.0.1:9/x", password_file: broker_password}\n'
                           'defaults: {site: core}\n')
        said = self.run_script(FUNCTIONS.replace('multisnmp@core', 'multisnmp-agent@core') + """
systemctl start $unit; echo started $?
line="^StatusText=waiting: .*127.0.0.1:9: "; until_line show -p StatusText
sleep 3
systemctl reload $unit; echo reloaded $?
show -p ActiveState -p NRestarts
systemctl stop $unit; echo stopped $?
show -p Result -p ExecMainStatus
""")
        self.assertEqual(said[:2] + sorted(said[2:4]), ['started 0', 'reloaded 0', 'ActiveState=active', 'NRestarts=0'])
        self.assertEqual(said[4:], ['stopped 0', 'Result=success', 'ExecMainStatus=0'])
        self.assertNotIn('sesame', self.read('said'))


if __name__ == '__main__':
    unittest.main()

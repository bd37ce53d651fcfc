"""What the end-to-end tests share: the program, its simulated agents, a folder of their own."""
import atexit
import errno
import functools
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest


def for_everyone(program):
    """Tests of a root run the program as somebody else, who may not come to a home that is closed (/root): a copy then, which
    is gone at the end of this process."""
    folder = os.path.dirname(program)
    while os.geteuid() == 0 and folder != '/':
        if not os.stat(folder).st_mode & 0o001:
            copies = tempfile.mkdtemp(prefix='multisnmp-program.')
            atexit.register(shutil.rmtree, copies, ignore_errors=True)
            os.chmod(copies, 0o755)
            return shutil.copy(program, copies)
        folder = os.path.dirname(folder)
    return program


BUILD = os.path.dirname(os.path.abspath(os.environ.get('MULTISNMP', 'multisnmp')))
MULTISNMP = for_everyone(os.path.abspath(os.environ.get('MULTISNMP', 'multisnmp')))
SNMP_AGENTS = os.environ.get('SNMP_AGENTS', os.path.abspath('snmp-agents'))
USER = 'poller:SHA-256:authority1:AES-128:secrecy123'  # of agents, and the words by which it is asked
V3 = ('-v', '3', '-u', 'poller', '-l', 'authPriv', '-a', 'SHA-256', '-A', 'authority1', '-x', 'AES', '-X', 'secrecy123')
SYS_DESCR = '1.3.6.1.2.1.1.1.0'
ROOT = os.geteuid() == 0
NOBODY = 65534
WITH_EXTRAS = os.environ.get('WITH_LINUX_EXTRAS', 'yes') == 'yes'  # Linux tells more: refusals, a parent's death
WITH_ASAN = os.environ.get('WITH_ASAN') == 'yes'  # its memory, its time and its processes are not the program's
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup(1) a poller would ignore it, as promised
LONG = 120  # seconds: no test is timed, this only ends what hangs


@functools.cache
def version():
    """What it says of itself and its build."""
    return subprocess.run([MULTISNMP, '--version'], capture_output=True, text=True, check=True).stdout


def free_port(kind=socket.SOCK_DGRAM, family=socket.AF_INET, address='127.0.0.1'):
    """Where nobody listens, below those that Linux gives to who asks for any: another test may have one of these a moment later, and
    take what comes, or what should be refused."""
    while True:
        port = random.SystemRandom().randrange(21000, 32768)
        with socket.socket(family, kind) as s:
            try:
                s.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
        return port


def have(program):
    return shutil.which(program, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')


def let_in(path):
    """Workers of a root are `nobody` when they connect to a socket: its folder and it must let them."""
    os.chmod(os.path.dirname(path), 0o755)
    os.chmod(path, 0o777)


class Agents:
    """Simulated agents on a free port of all loopback addresses; ended by their pid."""

    def __init__(self, *rules, options=()):
        words = [word for rule in rules for word in ('--rule', rule)]
        self.process = subprocess.Popen(
            [SNMP_AGENTS, '--port', '0', '--stop-after', '600s', '--with-parent', *options, *words],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def counters(self):
        """So far: a line of JSON for a SIGUSR1."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def stop(self):
        if self.process.returncode is None:
            self.process.terminate()
            self.process.communicate()


class Witness:
    """How late the machine is by itself, while something is timed: a thread sleeps and starts true(1), again and again. `lost` are
    the seconds by which its rounds were longer than the shortest one: on a calm machine a twentieth of the time and less."""
    PAUSE = 0.02

    def __enter__(self):
        self.rounds, self.over = [self.round()], threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def round(self):
        start = time.monotonic()
        time.sleep(self.PAUSE)
        subprocess.run(['true'], check=True)
        return time.monotonic() - start

    def watch(self):
        while not self.over.is_set():
            self.rounds.append(self.round())

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.lost = sum(self.rounds) - len(self.rounds) * min(self.rounds)


class Poll(unittest.TestCase):
    """A test with a scratch folder, which ends every process that it started by its pid."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='multisnmp-test.')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def agents(self, *rules, options=()):
        agents = Agents(*rules, options=options)
        self.addCleanup(agents.stop)
        return agents

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding='utf-8') as f:
            return f.read()

    def run_poller(self, *words, **how):
        """The finished process, its output as text."""
        how.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.run([MULTISNMP, *map(str, words)], capture_output=True, text=True,
                              timeout=LONG, check=False, **how)

    def start_poller(self, *words, **how):
        """A running one, ended at the end of the test if it is still there."""
        how.setdefault('stdin', subprocess.DEVNULL)
        how.setdefault('stdout', subprocess.PIPE)
        how.setdefault('stderr', subprocess.PIPE)
        process = subprocess.Popen([MULTISNMP, *map(str, words)], **how)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def wait_until(self, condition, why='waited in vain', pause=0.01):
        end = time.monotonic() + LONG
        while not condition():
            self.assertLess(time.monotonic(), end, why)
            time.sleep(pause)

    def assert_once_below(self, seconds, attempt, attempts=4):
        """attempt() returns how long it took: less. It has another try only where a busy machine may have made it long: where a Witness
        of the same time has lost half as much as there was too much, and once without a reason, for what a witness does not feel (a
        disk). A program that waits each time for what it should not wait for fails."""
        tries = []
        while len(tries) < attempts:
            with Witness() as witness:
                took = attempt()
            if took < seconds:
                return
            tries.append(f'{took:.2f} s, of which the machine itself may have lost {witness.lost:.2f} s')
            if len(tries) > 1 and 2 * witness.lost < took - seconds:  # long work is interrupted more than what a witness does
                break
        self.fail(f'not below {seconds:.2f} s: ' + '; '.join(tries))

    def output_of(self, process, status=0):
        """All that a started one writes until it ends with `status`; what it said on stderr is kept."""
        out, err = process.communicate(timeout=LONG)
        self.stderr = (err or b'').decode()
        self.assertEqual(process.returncode, status, self.stderr)
        return out

    def finish(self, process, status=0):
        """Its records."""
        return [json.loads(line) for line in self.output_of(process, status).splitlines()]

    def poll(self, *words, status=0, **how):
        """The records of a run that ends with `status`, and what it said on stderr."""
        run = self.run_poller('-F', 'jsonl', *words, **how)
        self.assertEqual(run.returncode, status, run.stderr)
        self.stderr = run.stderr
        return [json.loads(line) for line in run.stdout.splitlines()]

    def one(self, *words, status=0, **how):
        records = self.poll(*words, status=status, **how)
        self.assertEqual(len(records), 1, records)
        return records[0]

    def wait_for_output(self, process, octets=1):
        """The first octets of a running poller's stdout."""
        ready, _, _ = select.select([process.stdout], [], [], LONG)
        self.assertTrue(ready, 'no output')
        return os.read(process.stdout.fileno(), octets)

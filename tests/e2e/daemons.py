"""Agents of other people: Debian's snmpd and snmpsimd, each on a free port in a folder of its own,
ended by its pid."""
import os
import socket
import subprocess
import tempfile
import time

import ber
import poller

SNMPD = poller.have('snmpd')
SNMPSIMD = poller.have('snmpsimd')
SNMPGET = poller.have('snmpget')
SNMPWALK = poller.have('snmpwalk')
COMPARE = os.path.join(os.environ.get('ABS_SRCDIR', os.path.abspath('.')), 'tests', 'compare')
STARTED = 30  # seconds


def net_snmp(folder):
    """The environment of Net-SNMP's programs: no MIB file, no configuration but the one named."""
    return {**os.environ, 'MIBS': '', 'MIBDIRS': folder, 'SNMPCONFPATH': folder,
            'SNMP_PERSISTENT_DIR': folder, 'LC_ALL': 'C'}


class Daemon:
    """A program that answers on 127.0.0.1:port. A port that another took first is no fault: the
    daemon ends, and is started with the next one. Whether it is ours that answers is told by a
    community that nobody else knows."""

    def __init__(self):
        self.state = tempfile.TemporaryDirectory(prefix='multisnmp-daemon.')
        self.folder = self.state.name
        self.token = 'probe' + os.urandom(6).hex()
        for _ in range(5):
            self.port = poller.free_port()
            self.log = open(self.path('output'), 'w', encoding='utf-8')
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log,
                                            stderr=self.log, env=net_snmp(self.folder))
            if self.answers():
                return
            self.end_process()
        said = self.said()
        self.stop()
        raise RuntimeError(f'{self.command()[0]} does not answer: {said}')

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        return self.path(name)

    def said(self):
        with open(self.path('output'), encoding='utf-8', errors='replace') as f:
            return f.read()[-2000:]

    def answers(self):
        """True as soon as it does; False when it has ended, or does not for long."""
        probe = ber.message(1, self.token.encode(), ber.GETNEXT, 4711, 0, 0, [('1.3', ber.NULL)])
        end = time.monotonic() + STARTED
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.1)
            while self.process.poll() is None and time.monotonic() < end:
                try:
                    s.sendto(probe, ('127.0.0.1', self.port))
                    if self.token.encode() in s.recv(65535):
                        return True
                except TimeoutError:
                    pass
        return False

    def end_process(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def stop(self):
        if self.process.returncode is None or not self.log.closed:
            self.end_process()
        self.state.cleanup()


class Snmpd(Daemon):
    """With these lines in its configuration. udp6: also on that port of ::1."""

    def __init__(self, lines, more=()):
        self.lines, self.more = lines, more
        super().__init__()

    def command(self):
        conf = self.write('snmpd.conf', f'rocommunity {self.token} 127.0.0.1\n{self.lines}')
        return [SNMPD, '-f', '-C', '-c', conf, '-I', '-smux', '-Lf', self.path('log'),
                f'udp:127.0.0.1:{self.port}', *self.more]


class Snmpsim(Daemon):
    """Plays recordings, {name: text}: NAME is the community (v1, v2c) and the contextName (v3)."""

    def __init__(self, recordings, options=()):
        self.recordings, self.options = recordings, options
        super().__init__()

    def command(self):
        for name in ('data', 'cache', 'modules'):
            os.makedirs(self.path(name), exist_ok=True)
        self.write(f'data/{self.token}.snmprec', '1.3.6.1.2.1.1.1.0|4|probe\n')
        for name, text in self.recordings.items():
            self.write(f'data/{name}.snmprec', text)
        words = [SNMPSIMD, f'--data-dir={self.path("data")}', f'--cache-dir={self.path("cache")}',
                 f'--variation-modules-dir={self.path("modules")}', *self.options,
                 f'--agent-udpv4-endpoint=127.0.0.1:{self.port}']
        if os.geteuid() == 0:  # it will not run as root
            os.chmod(self.folder, 0o755)
            os.chmod(self.path('cache'), 0o777)
            words += ['--process-user=nobody', '--process-group=nogroup']
        return words


def compare(*words):
    """tests/compare, finished."""
    return subprocess.run([COMPARE, '--multisnmp', poller.MULTISNMP, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=poller.LONG * 2, check=False)

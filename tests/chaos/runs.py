"""One run of the program: how it is started, and how what it says is read, by a reader as slow as the plan wants it."""
import fcntl
import os
import resource
import signal
import subprocess
import time

import breeds
import poller
import stage

PIPE = 4096  # octets of a pipe: a slow reader is felt early


def program(plan):
    return os.path.join(poller.BUILD, 'tests/chaos/impatient') if plan.program == 'impatient' else poller.MULTISNMP


def environment(plan, path):
    words, preloaded = {**os.environ, 'TMPDIR': path('tmp')}, []
    if plan.clock:
        preloaded.append(os.path.join(poller.BUILD, 'tests/e2e/clock.so'))
        words['SHIFTED_CLOCK'] = path('clock')
    if plan.poison:
        preloaded.append(os.path.join(poller.BUILD, 'tests/e2e/poison.so'))
        words.update(POISON=f'agent-127-{breeds.POISON_NET}-', POISON_DEED=plan.poison)
    if preloaded:
        words['LD_PRELOAD'] = ':'.join(preloaded)
    return words


def prepared(plan, limits):
    """A preexec_fn."""
    def prepare():
        stage.follow_parent()
        os.setsid()  # no terminal, and its own group
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if plan.no_stdout:
            os.close(1)
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, name), (most, most))
    return prepare


def take(stream, most):
    """b'' at the end; None: not now."""
    try:
        return os.read(stream.fileno(), most)
    except BlockingIOError:
        return None


class Run:
    """A started program, and what came of it. `limits`: {name: most} of setrlimit(2)."""

    def __init__(self, plan, path, words, limits, stdout=subprocess.PIPE, reader=('fast',)):
        self.reader, self.began = reader, time.monotonic()
        self.output = self.errors = b''
        self.closed = False   # by us
        self.code = None
        gone = reader == ('close', 0)  # before the first octet
        if gone:
            end, stdout = os.pipe()
            os.close(end)
        self.process = subprocess.Popen([program(plan), *words], stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.PIPE, env=environment(plan, path),
                                        preexec_fn=prepared(plan, limits))
        if gone:
            os.close(stdout)
        self.open = self.process.stdout is not None
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                os.set_blocking(stream.fileno(), False)
        if self.open:
            try:
                fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, PIPE)
            except OSError:
                pass  # there is more in it already

    def read(self, now):
        """What has come; a slow reader leaves it."""
        kind, *words = self.reader
        most = 1 << 20
        if kind == 'pause' and words[0] <= now - self.began < words[0] + words[1]:
            most = 0
        if kind == 'trickle' and now - self.began < 2:
            most = words[0]
        if kind == 'close' and len(self.output) >= words[0] and self.process.stdout and not self.closed:
            self.process.stdout.close()
            self.closed = True
        if kind == 'close' and not self.closed:
            most = words[0] - len(self.output)
        if self.open and not self.closed and most:
            octets = take(self.process.stdout, most)
            self.open = octets != b''
            self.output += octets or b''
        self.errors += take(self.process.stderr, 1 << 16) or b''

    def finish(self):
        """It has ended, or ends now; all that it said is read."""
        if self.process.poll() is None:
            self.process.kill()
        self.reader = ('fast',) if not self.closed else self.reader
        self.process.wait()
        while True:
            size = len(self.output) + len(self.errors)
            self.read(time.monotonic())
            if len(self.output) + len(self.errors) == size:
                break
        self.code = self.process.returncode
        self.process.stderr.close()
        if self.process.stdout and not self.closed:
            self.process.stdout.close()

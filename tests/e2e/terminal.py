"""A terminal as a person has one before them (tmux), or written down octet by octet (script)."""
import os
import re
import shlex
import subprocess
import time

import poller

HAVE_TMUX = poller.have('tmux') is not None
HAVE_SCRIPT = poller.have('script') is not None and 'util-linux' in subprocess.run(
    ['script', '--version'], capture_output=True, text=True, check=False).stdout
ENDED = re.compile(r'^ENDED (\d+)$', re.MULTILINE)


def words_of(argv):
    return ' '.join(shlex.quote(str(word)) for word in argv)


class Screen:
    """One command in a terminal of tmux's, on a socket of its own; the screen stays after its end."""

    def __init__(self, folder, command, columns=90, rows=24, environment=()):
        self.socket = os.path.join(folder, 'tmux')
        variables = words_of(f'{name}={value}' for name, value in environment)
        whole = f'env {variables} {command}; c=$?; echo; echo ENDED $c; exec sleep 600'
        self.environment = {k: v for k, v in os.environ.items()
                            if k not in ('TMUX', 'NO_COLOR', 'LC_ALL', 'LC_CTYPE', 'LANG')}
        self.tmux('-u', '-f', '/dev/null', 'new-session', '-d', '-x', str(columns), '-y', str(rows), whole)

    def tmux(self, *words):
        return subprocess.run(['tmux', '-S', self.socket, *words], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=True, timeout=poller.LONG).stdout

    def text(self, *how):
        """What a person sees, and what has scrolled away."""
        return self.tmux('capture-pane', '-p', '-S', '-', *how)

    def lines(self):
        return [line.rstrip() for line in self.text().splitlines() if line.strip()]

    def keys(self, *names):
        self.tmux('send-keys', *names)

    def wait_for(self, pattern, pause=0.02):
        end = time.monotonic() + poller.LONG
        while not (found := re.search(pattern, self.text(), re.MULTILINE)):
            if time.monotonic() > end:
                raise AssertionError(f'{pattern!r} was not seen in:\n{self.text()}')
            time.sleep(pause)
        return found

    def ended(self):
        """Its exit status."""
        return int(self.wait_for(ENDED.pattern).group(1))

    def pid(self):
        """Of multisnmp, the shell's child."""
        shell = self.tmux('display-message', '-p', '#{pane_pid}').strip()
        with open(f'/proc/{shell}/task/{shell}/children', encoding='ascii') as f:
            return int(f.read().split()[0])

    def close(self):
        subprocess.run(['tmux', '-S', self.socket, 'kill-server'], env=self.environment, capture_output=True, check=False)


def record(folder, command, environment=()):
    """All octets that the command gave to its terminal, its exit status, and how long it took at most (seconds)."""
    path = os.path.join(folder, 'typescript')
    environment = {**{k: v for k, v in os.environ.items() if k != 'NO_COLOR'}, 'TERM': 'xterm', **dict(environment)}
    start = time.monotonic()
    run = subprocess.run(['script', '-q', '-e', '-c', command, path], env=environment, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, check=False, timeout=poller.LONG)
    took = time.monotonic() - start
    with open(path, 'rb') as f:
        octets = f.read()
    octets = octets.partition(b'\n')[2].rpartition(b'\nScript done')[0]  # script's own lines
    return octets, run.returncode, took

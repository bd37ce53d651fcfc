"""The progress line as a person sees it: drawn, renewed, gone, and never mixed with anything else."""
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import unittest

import poller
import processes
import terminal
import together

DRAWN = r'^\d+ of 32 \(\d+ %\), \d+ ok, \d+ failed, \d+ in flight, [\d.]+/s, .*'
LINE = (r'progress: \d+ of 32 \(\d+ %\), \d+ ok, \d+ failed, \d+ in flight, [\d.]+ per second, '
        r'(about .* left|at most .* left|time left unknown)')
HOSTS = [f'127.0.1.{i}' for i in range(32)]
BLOCK = '127.0.1.0/27'


class Slow(poller.Poll):
    """32 hosts that answer within three seconds."""

    def setUp(self):
        super().setUp()
        self.port = self.agents('*:ok', options=('--latency', '100ms', '--jitter', '3s')).port

    def words(self, *more):
        return (poller.MULTISNMP, '-p', self.port, '-t', '60s', *more, BLOCK)

    def command(self, *more, to=''):
        return terminal.words_of(self.words(*more)) + to

    def hosts_of(self, text):
        return sorted((line.split('\t')[0] for line in text.splitlines() if line), key=lambda h: int(h.split('.')[3]))


@unittest.skipUnless(terminal.HAVE_TMUX, 'no tmux')
class Seen(Slow):
    def screen(self, command, **how):
        screen = terminal.Screen(self.folder, command, **how)
        self.addCleanup(screen.close)
        return screen

    def test_seen_and_gone(self):
        screen = self.screen(self.command(to=' >' + self.path('out')))
        first = screen.wait_for(DRAWN).group(0)
        while screen.text().startswith(first):
            time.sleep(0.02)  # until it is another, or gone
        self.assertEqual(screen.ended(), 0)
        self.assertEqual(screen.lines(), ['ENDED 0'])
        self.assertEqual(self.hosts_of(self.read('out')), HOSTS)
        self.assertNotIn('\033', self.read('out'))

    def test_beside_records(self):
        screen = self.screen(self.command('-g', 'sysName.0'), rows=60)
        screen.wait_for(DRAWN)
        self.assertEqual(screen.ended(), 0)
        lines = screen.lines()
        self.assertEqual(lines.pop(), 'ENDED 0')
        for line in lines:
            self.assertRegex(line, r'^127\.0\.1\.\d+ +sysName\.0 +OCTET STRING +\S+$|^127\.0\.1\.\d+\s+sysName\.0\s')
        self.assertEqual(len(lines), 32)
        self.assertEqual(sorted({line.split()[0] for line in lines}), sorted(HOSTS))

    def test_beside_log_lines(self):
        """The death of a worker is told on a line of its own."""
        screen = self.screen(self.command('-j', '2', '-o', self.path('out')), columns=160)
        screen.wait_for(DRAWN)
        os.kill(processes.children(screen.pid())[0], signal.SIGKILL)
        screen.wait_for(r'^multisnmp: .*\n.* of 32')  # and the line goes on below
        self.assertEqual(screen.ended(), 0)
        self.assertEqual(len(screen.lines()), 2, screen.text())
        self.assertRegex(screen.lines()[0], r'^multisnmp: .*worker')
        self.assertNotIn(' of 32', screen.lines()[0])

    def test_narrow(self):
        screen = self.screen(self.command(to=' >/dev/null'), columns=34)
        self.assertLess(len(screen.wait_for(r'^\d+ of 32 .*').group(0).rstrip()), 34)
        while not terminal.ENDED.search(screen.text()):
            self.assertLessEqual(len([line for line in screen.lines() if 'ENDED' not in line]), 1, screen.text())
        self.assertEqual(screen.lines(), ['ENDED 0'])

    def test_window_is_resized(self):
        screen = self.screen(self.command(to=' >/dev/null'), columns=40)
        screen.wait_for(r'^\d+ of 32 \(\d+ %\), \d+ failed')
        screen.tmux('set-option', 'window-size', 'manual')
        screen.tmux('resize-window', '-x', '120')
        screen.wait_for(DRAWN)
        self.assertEqual(screen.ended(), 0)

    def test_a_stopped_terminal_stops_nobody(self):
        screen = self.screen(self.command('-o', self.path('out')))
        screen.wait_for(DRAWN)
        screen.keys('C-s')
        self.wait_until(lambda: os.path.exists(self.path('out')))
        self.assertEqual(self.hosts_of(self.read('out')), HOSTS)
        screen.keys('C-q')
        self.assertEqual(screen.ended(), 0)

    def test_interrupted(self):
        screen = self.screen(self.command(to=' >' + self.path('out')))
        screen.wait_for(DRAWN)
        os.kill(screen.pid(), signal.SIGINT)
        self.assertEqual(screen.ended(), 130)
        self.assertEqual(screen.lines(), ['ENDED 130'])

    def test_rounds(self):
        """Each has its line, its number where there is room for it; between two of them there is none."""
        screen = self.screen(self.command('--interval', '6s', '--no-spread', to=' >/dev/null'), columns=120)
        for number in (1, 2):
            screen.wait_for(rf'^round {number}, \d+ of 32 \(\d+ %\)')
            self.wait_until(lambda: not screen.lines(), 'the line stays')
        os.kill(screen.pid(), signal.SIGTERM)
        self.assertEqual(screen.ended(), 143)

    def test_asked(self):
        screen = self.screen(self.command(to=' >/dev/null'), columns=120)
        screen.wait_for(DRAWN)
        os.kill(screen.pid(), signal.SIGUSR1)
        screen.wait_for(f'^{LINE}')
        self.assertEqual(screen.ended(), 0)
        self.assertRegex('\n'.join(screen.lines()), rf'\A{LINE}\nENDED 0\Z')


@unittest.skipUnless(terminal.HAVE_SCRIPT, "no script of util-linux's")
class Summary(poller.Poll):
    COLOUR = rb'\033\[\d+m'
    BLOCK = '\u2588'.encode()

    def setUp(self):
        super().setUp()
        port = self.agents('127.0.1.0/28:silent', '*:ok').port
        self.words = (poller.MULTISNMP, '-p', port, '-t', '100ms', '-r', '1', '-s', BLOCK)

    def drawn(self, **environment):
        octets, status, _ = terminal.record(self.folder, terminal.words_of(self.words) + ' >/dev/null',
                                            environment.items())
        self.assertEqual(status, 1)
        return octets

    def test_tables(self):
        text = self.run_poller(*self.words[1:]).stderr
        self.assertNotIn('\033', text)
        self.assertRegex(text, r'(?m)^status: 16 ok, 16 timeout$')
        self.assertRegex(text, r'(?m)^  ok +16 +50\.0 %  ')
        self.assertRegex(text, r'(?m)^  timeout +16 +50\.0 %  ')
        self.assertEqual(len(re.findall(r'(?m)^  127\.0\.1\.\d+ +timeout, 2 tries$', text)), 10)
        self.assertIn('\n  and 6 more\n', text)
        slowest = [float(ms) for ms in re.findall(r'(?m)^  127\.0\.1\.\d+ +([\d.]+) ms$', text)]
        self.assertEqual((len(slowest), slowest), (10, sorted(slowest, reverse=True)))
        ranges = re.findall(r'(?m)^ +[\d.]+ to +[\d.]+ ms +(\d+)', text)
        self.assertEqual(sum(map(int, ranges)), 16)
        self.assertRegex(text, r'\nhint: multisnmp --explain 127\.0\.1\.\d+, .*\n\Z')

    def test_colour(self):
        self.assertRegex(self.drawn(), self.COLOUR + b'timeout' + self.COLOUR)
        self.assertNotIn(b'\033[Kstatus:', self.drawn())  # a log line beside a progress line has it, no other
        for environment in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
            octets = self.drawn(**environment)
            self.assertIn(b'timeout', octets)
            self.assertNotRegex(octets, self.COLOUR)
        self.assertRegex(self.drawn(NO_COLOR=''), self.COLOUR)

    def test_blocks(self):
        self.assertNotIn(self.BLOCK, self.drawn(LC_ALL='C'))
        self.assertIn(b'####', self.drawn(LC_ALL='C'))
        if 'C.UTF-8' in subprocess.run(['locale', '-a'], capture_output=True, text=True,
                                       check=False).stdout.replace('utf8', 'UTF-8'):
            self.assertIn(self.BLOCK, self.drawn(LC_ALL='C.UTF-8'))

    def test_rounds_have_lines_only(self):
        with open(self.path('told'), 'wb') as told:
            process = self.start_poller(*self.words[1:], '--interval', '1s', '--no-spread', stdout=subprocess.DEVNULL,
                                        stderr=told)
            self.wait_until(lambda: self.read('told').count('latency: ') > 1)
            process.send_signal(signal.SIGTERM)
            self.output_of(process, 143)
        self.assertRegex(self.read('told'), 'status: 16 ok, 16 timeout\n')
        for line in self.read('told').splitlines():
            self.assertRegex(line, '^([0-9TZ:.-]+ )?[a-z]+: .')
        self.assertNotIn('--explain', self.read('told'))


@unittest.skipUnless(terminal.HAVE_SCRIPT, "no script of util-linux's")
class WrittenDown(Slow):
    def test_at_most_ten_times_a_second(self):
        octets, status, took = terminal.record(self.folder, self.command(to=' >/dev/null'))
        drawn = re.findall(rb'\r(\d+ of 32[^\r\n\033]*)\033\[K', octets)
        self.assertEqual(status, 0)
        self.assertGreater(len(drawn), 2)
        self.assertLessEqual(len(drawn), 10 * took)
        self.assertTrue(octets.endswith(b'\033[K\r\033[K'), octets[-100:])
        self.assertEqual(re.sub(rb'\r\d+ of 32[^\r\n\033]*\033\[K', b'', octets), b'\r\033[K')

    def nothing_is_drawn(self, *words, environment=()):
        octets, status, _ = terminal.record(self.folder, self.command(*words, to=' >/dev/null'), environment)
        self.assertEqual((octets, status), (b'', 0))

    def test_quiet(self):
        self.nothing_is_drawn('-q')

    def test_not_wanted(self):
        self.nothing_is_drawn('--progress', '--no-progress')

    def test_dumb(self):
        self.nothing_is_drawn(environment={'TERM': 'dumb'}.items())

    def test_quick(self):
        port = self.agents('*:ok').port
        octets, status, took = terminal.record(
            self.folder, terminal.words_of((poller.MULTISNMP, '-p', port, BLOCK)) + ' >/dev/null')
        self.assertEqual(status, 0)
        if took < 0.5:  # on a busy machine there is something to see
            self.assertEqual(octets, b'')


class Background(Slow):
    def test_nothing_is_drawn(self):
        """A job of a shell whose terminal stops who writes there from the background."""
        leader, terminal_end = pty.fork()
        if leader == 0:  # the shell: it has the terminal and keeps it
            words = termios.tcgetattr(0)
            words[3] |= termios.TOSTOP
            termios.tcsetattr(0, termios.TCSANOW, words)
            with open(self.path('out'), 'wb') as out:
                job = subprocess.Popen([str(word) for word in self.words()], stdin=subprocess.DEVNULL, stdout=out,
                                       env={**os.environ, 'TERM': 'xterm'}, preexec_fn=os.setpgrp)
            os._exit(job.wait())
        self.addCleanup(os.close, terminal_end)
        seen = b''
        ended = (0, 0)
        end = time.monotonic() + poller.LONG
        while ended[0] == 0 and time.monotonic() < end:
            if select.select([terminal_end], [], [], 0.1)[0]:
                try:
                    seen += os.read(terminal_end, 4096)
                except OSError:  # the last one has closed it
                    time.sleep(0.05)
            ended = os.waitpid(leader, os.WNOHANG)
        if ended[0] == 0:
            os.kill(leader, signal.SIGKILL)  # its terminal goes, and its job with it
            os.waitpid(leader, 0)
            self.fail('the job was stopped')
        self.assertEqual((os.waitstatus_to_exitcode(ended[1]), seen), (0, b''))
        self.assertEqual(self.hosts_of(self.read('out')), HOSTS)


class Piped(Slow):
    def test_nothing(self):
        run = self.run_poller(*self.words()[1:])
        self.assertEqual((run.returncode, run.stderr), (0, ''))

    def test_forced(self):
        run = self.run_poller(*self.words('--progress')[1:])
        self.assertRegex(run.stderr, rf'\A({LINE}\n)+\Z')
        self.assertLess(run.stderr.count('\n'), 5)

    def asked(self, *words):
        process = self.start_poller(*self.words(*words)[1:])
        self.wait_for_output(process)
        process.send_signal(signal.SIGUSR1)
        self.output_of(process)
        self.assertRegex(self.stderr, rf'\A{LINE}\n\Z')

    def test_asked(self):
        self.asked()

    def test_asked_though_quiet(self):
        self.asked('-q')


if __name__ == '__main__':
    together.main()

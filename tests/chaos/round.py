"""One round: a plan is carried out on the real program, and what there is to see is gathered.

One loop in one thread: reads what the program says, serves the peers, throws what is due, and notes how late it was
itself: where the machine did not let us run for long, it may not have let the agents either.
"""
import fcntl
import os
import resource
import selectors
import shutil
import signal
import struct
import subprocess
import time

import breeds
import peers
import poller
import processes
import stage

TICK = 0.01
LONG = 40           # seconds: a run takes about one; this ends what hangs
LEAVE = 5           # for children of a killed master: a second is promised, the machine may be busy
PIPE = 4096         # octets of a pipe: a slow reader is felt early
OLD = 'of the run before\n'
SECOND = '127.200.0.0/26'  # polled by the second of two runs
LARGE = '127.201.0.0/30'   # with records larger than a frame
SECONDS = [f'127.200.0.{n}' for n in range(64)] + [f'127.201.0.{n}' for n in range(4)]


class Run:
    """A started program, and what came of it."""

    def __init__(self, process, reader):
        self.process, self.reader = process, reader
        self.output = self.errors = b''
        self.closed = False   # by us
        self.open = process.stdout is not None


class Round:
    def __init__(self, plan, folder):
        self.plan, self.folder = plan, folder
        self.mark = f'{stage.MARK}={plan.seed}.{plan.number}.{os.getpid()}'
        self.lag = 0.0
        self.left = []        # what was left behind
        self.notes = []       # complaints of the round itself
        self.thrown = {}      # action: how often it hit somebody
        self.fds = []         # descriptors of the master besides one a child, whenever we looked
        self.dead = set()     # pids that we killed or stopped
        self.massacre = False
        self.paused = None    # (pid, when it may go on)
        self.peers, self.ports = [], {}
        self.selector = selectors.DefaultSelector()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(self.path(name), 0o600)

    # ---- before

    def set_up(self):
        p = self.plan
        os.makedirs(self.path('out'))
        os.makedirs(self.path('tmp'))
        if p.staged:
            stage.enter()
            hosts = [f'{t.address} {e.words["host"]}' for e in p.entries for t in e.targets if e.breed.where == 'name']
            stage.name_files(self.folder, '\n'.join(['127.0.0.1 localhost', *hosts, '']), 'nameserver 127.0.0.1\n')
        stage.adopt_orphans()
        if p.disk:
            stage.tmpfs(self.path('out'), p.disk)
        if p.spool:
            stage.tmpfs(self.path('tmp'), p.spool)
        if p.output in ('old', 'append'):
            self.write('out/result', OLD)
        if p.read_only:
            stage.read_only(self.path('out'))
        os.environ[stage.MARK] = self.mark.partition('=')[2]
        options = ['--user', breeds.USER, '--seed', str(p.number + 1)]
        if p.latency:
            options += ['--latency', f'{p.latency}ms']
        self.park = poller.Agents(*p.rules(), LARGE + ':rows=2500', options=options)
        self.ports['park'] = self.park.port
        self.start_peers()
        self.write('hosts.yaml', p.yaml(self.ports))
        self.write('targets', ''.join(entry.words['host'] + '\n' for entry in p.entries))
        self.write('clock', '\0' * 8)

    def start_peers(self):
        wanted = {entry.breed.where for entry in self.plan.entries}
        for where in wanted & {'tcp', 'tcp-silent'}:
            agent = peers.TcpAgent(silent=where == 'tcp-silent')
            self.ports[where] = agent.port
            self.peers.append(agent)
        if wanted & {'dns'}:
            known = {entry.words['host']: entry.targets[0].address for entry in self.plan.entries
                     if entry.breed.where == 'dns'}
            self.peers.append(peers.NameServer(known, silent=not self.plan.names))

    def program(self):
        folder = poller.BUILD
        if self.plan.program == 'impatient':
            return os.path.join(folder, 'tests/chaos/impatient')
        return poller.MULTISNMP

    def environment(self):
        environment = {**os.environ, 'TMPDIR': self.path('tmp')}
        built, preloaded = poller.BUILD, []
        if self.plan.clock:
            preloaded.append(os.path.join(built, 'tests/e2e/clock.so'))
            environment['SHIFTED_CLOCK'] = self.path('clock')
        if self.plan.poison:
            preloaded.append(os.path.join(built, 'tests/e2e/poison.so'))
            environment.update(POISON=f'agent-127-{breeds.POISON_NET}-', POISON_DEED=self.plan.poison)
        if preloaded:
            environment['LD_PRELOAD'] = ':'.join(preloaded)
        return environment

    def limits(self):
        stage.follow_parent()
        os.setsid()  # no terminal, and its own group
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if self.plan.no_stdout:
            os.close(1)
        for name, most in self.plan.limits.items():
            resource.setrlimit(getattr(resource, name), (most, most))

    def start(self, words, stdout=subprocess.PIPE, reader=('fast',)):
        if reader == ('close', 0):  # gone before the first octet
            end, stdout = os.pipe()
            os.close(end)
        process = subprocess.Popen([self.program(), *words], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                                   env=self.environment(), preexec_fn=self.limits)
        run = Run(process, reader)
        if reader == ('close', 0):
            os.close(stdout)
        for stream in (process.stdout, process.stderr):
            if stream:
                os.set_blocking(stream.fileno(), False)
        if process.stdout:
            try:
                fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE)
            except OSError:
                pass  # there is more in it already
        return run

    # ---- faults

    def children(self):
        """Workers and the resolver, those that we have not hit."""
        return [pid for pid in processes.children_or_none(self.first.pid) if pid not in self.dead and self.has_queue(pid)]

    def has_queue(self, pid):
        """Else it only tries the sandbox before the run. Who may not look waits until that is over."""
        try:
            return os.readlink(f'/proc/{pid}/fd/3').startswith('socket:')
        except PermissionError:
            return time.monotonic() > self.began + 0.3
        except OSError:
            return False

    def hit(self, pid, number, action):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        self.dead.add(pid)
        self.thrown[action] = self.thrown.get(action, 0) + 1

    def kill_child(self, number):
        able = self.children()
        if able:
            self.hit(self.plan.rng.choice(able), number, 'kill_child')

    def kill_last_born(self, number):
        able = self.children()
        if able:
            self.hit(max(able), number, 'kill_last_born')

    def kill_all_that_are_born(self):
        self.massacre = True

    def limit_memory(self, kibibytes):
        for pid in self.children()[:1]:
            try:
                processes.limit_memory(pid, kibibytes * 1024)
            except OSError:
                continue
            self.thrown['limit_memory'] = 1

    def pause(self, pids, seconds):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGSTOP)
            except ProcessLookupError:
                pass
        self.paused = (pids, time.monotonic() + seconds)

    def suspend(self, seconds):
        if not self.paused:
            self.pause([self.first.pid, *self.children()], seconds)

    def pause_master(self, seconds):
        if not self.paused:
            self.pause([self.first.pid], seconds)

    def go_on(self, now):
        pids, until = self.paused or ((), 0)
        if pids and now >= until:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
            self.paused = None

    def signal(self, number):
        self.at_work_then = self.first.poll() is None
        if self.at_work_then:
            self.first.send_signal(number)
            self.thrown['signal'] = self.thrown.get('signal', 0) + 1

    def signal_all(self, number):
        family = [self.first.pid, *self.children()]
        self.at_work_then = self.first.poll() is None
        for pid in family if self.at_work_then else []:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        self.thrown['signal'] = 1

    def remove_folder(self):
        if self.first.poll() is None:
            shutil.rmtree(self.path('out'))
            self.thrown['remove_folder'] = 1

    def second_run(self):
        """Only if the first one is sure to be at work before and after."""
        before = self.is_at_work()
        run = subprocess.run([poller.MULTISNMP, '-p', str(self.park.port), '-o', self.path('out/result'), SECOND],
                             capture_output=True, text=True, timeout=LONG, check=False, stdin=subprocess.DEVNULL)
        if not before or self.first.poll() is not None:
            self.replaced = run.returncode == 0  # it came too late, and has its own result there
            return
        if (run.returncode, str(self.first.pid) in run.stderr) != (4, True):
            self.notes.append(f'a second run did not name the first one and leave: {run.returncode} {run.stderr}')

    def is_at_work(self):
        return self.first.poll() is None and bool(self.children()) and os.path.exists(self.path('out/.result.multisnmp'))

    def set_clock(self, seconds):
        with open(self.path('clock'), 'r+b') as f:
            f.write(struct.pack('q', seconds))

    # ---- the run

    def read(self, run, now):
        """What has come; a slow reader leaves it."""
        kind, *words = run.reader
        most = 1 << 20
        if kind == 'pause' and words[0] <= now - self.began < words[0] + words[1]:
            most = 0
        if kind == 'trickle' and now - self.began < 2:
            most = words[0]
        if kind == 'close' and len(run.output) >= words[0] and run.process.stdout and not run.closed:
            run.process.stdout.close()
            run.closed = True
        if kind == 'close' and not run.closed:
            most = words[0] - len(run.output)
        if run.open and not run.closed and most:
            octets = self.take(run.process.stdout, most)
            run.open = octets != b''
            run.output += octets or b''
        run.errors += self.take(run.process.stderr, 1 << 16) or b''

    @staticmethod
    def take(stream, most):
        """b'' at the end; None: not now."""
        try:
            return os.read(stream.fileno(), most)
        except BlockingIOError:
            return None

    def ready(self, stream):
        """A fast reader's pipe, beside the peers'."""
        for run in self.runs:
            if run.process.stdout is stream:
                self.read(run, time.monotonic())

    def serve_peers(self, wait):
        sockets = {sock: peer for peer in self.peers for sock in peer.sockets}
        sockets.update({run.process.stdout: self for run in self.runs if run.reader == ('fast',) and run.open})
        watched = {key.fileobj for key in self.selector.get_map().values()}
        for sock in watched - set(sockets):
            self.selector.unregister(sock)
        for sock in set(sockets) - watched:
            self.selector.register(sock, selectors.EVENT_READ)
        began = time.monotonic()
        ready = self.selector.select(wait) if sockets else time.sleep(wait) or []
        for key, _ in ready:
            sockets[key.fileobj].ready(key.fileobj)
            if key.fileobj.fileno() < 0:
                self.selector.unregister(key.fileobj)
        self.lag = max(self.lag, time.monotonic() - began - wait)

    def count_descriptors(self):
        """Only while all children live: a queue outlives its worker for a moment."""
        before = processes.children_or_none(self.first.pid)
        try:
            count = len(os.listdir(f'/proc/{self.first.pid}/fd'))
        except OSError:
            return
        alive = before and all(self.has_queue(pid) for pid in before)
        if alive and before == processes.children_or_none(self.first.pid):
            self.fds.append(count - len(before))

    def turn(self, actions):
        self.serve_peers(TICK)
        now = time.monotonic()
        while actions and actions[0][0] <= now - self.began:
            _, name, words = actions.pop(0)
            getattr(self, name)(*words)
        self.go_on(now)
        if self.massacre:
            for pid in self.children():
                self.hit(pid, signal.SIGKILL, 'kill_all_that_are_born')
        self.count_descriptors()
        for run in self.runs:
            self.read(run, now)

    def go(self):
        p = self.plan
        words = p.command(self.path)
        plain = open(self.path('out/plain'), 'wb') if p.output == 'plain' else None
        self.command = ' '.join([self.program(), *words])
        self.at_work_then = self.replaced = False
        self.began = time.monotonic()
        self.started_wall = time.time()
        self.runs = [self.start(words, plain or subprocess.PIPE, p.reader)]
        self.first = self.runs[0].process
        if p.runs == 2:
            self.write('second.yaml', 'defaults: {timeout: 2s, retries: 5}\ngroups:\n'
                       '  small: {get: [sysName.0, sysDescr.0]}\n  large: {table: [ifDescr, ifName]}\nhosts:\n'
                       f'  - {{host: {SECOND}, group: small}}\n  - {{host: {LARGE}, group: large}}\n')
            limits, p.limits = p.limits, {}
            self.runs.append(self.start(['-s', '-f', self.path('second.yaml'), '-p', str(self.park.port), '-F', p.format,
                                         '--append', '-o', self.path('out/result')]))
            p.limits = limits
        actions = list(p.actions)
        while any(run.process.poll() is None for run in self.runs) and time.monotonic() < self.began + LONG:
            self.turn(actions)
        self.took = time.monotonic() - self.began
        for run in self.runs:
            self.finish(run)
        if plain:
            plain.close()

    def finish(self, run):
        if run.process.poll() is None:
            self.notes.append(f'it hangs: {self.stacks(run.process.pid)}')
            run.process.kill()
        run.reader = ('fast',) if not run.closed else run.reader
        run.process.wait()
        while True:
            size = len(run.output) + len(run.errors)
            self.read(run, time.monotonic())
            if len(run.output) + len(run.errors) == size:
                break
        run.code = run.process.returncode
        run.process.stderr.close()
        if run.process.stdout and not run.closed:
            run.process.stdout.close()

    @staticmethod
    def stacks(pid):
        family = [pid, *processes.children_or_none(pid)]
        return '; '.join(f'{stage.name_of(one)} in {processes.place_of(one)}' for one in family)

    # ---- after

    def settle(self):
        """Children of a killed master have a moment; then the agents have heard all that they will hear."""
        until = time.monotonic() + LEAVE
        known = {self.park.process.pid}
        while True:
            stage.reap()
            there = stage.still_there(known, self.mark, self.plan.staged)
            if not there or time.monotonic() > until:
                break
            time.sleep(TICK)
        self.left += [f'a process: {name}' for name in there]
        self.counters = self.park.counters()
        self.asked_tcp = sum(peer.asked for peer in self.peers if isinstance(peer, peers.TcpAgent))
        self.gather_output()

    def asked(self):
        """Requests that reached an agent's socket, by the agents' own count."""
        return self.counters['received'] + (self.counters['overrun'] or 0) + self.asked_tcp

    def look_around(self):
        """What is left behind."""
        self.park.stop()
        for peer in self.peers:
            peer.close()
        self.selector.close()
        if self.plan.staged:
            self.left += [f'a socket: {row}' for row in stage.sockets()]
            self.left += [f'shared memory: {name}' for name in os.listdir('/dev/shm')]
        self.left += [f'a temporary file: {name}' for name in os.listdir(self.path('tmp'))]

    def gather_output(self):
        out = self.path('out')
        self.files = sorted(os.listdir(out)) if os.path.isdir(out) else []
        self.result = None
        for name in ('result', 'plain'):
            if name in self.files:
                with open(os.path.join(out, name), 'rb') as f:
                    self.result = f.read()

    def take_over(self):
        """The next run: whatever was left there, it has the output."""
        self.plan.limits = {}
        if self.plan.disk:
            stage.tmpfs_size(self.path('out'), 1 << 20)
        run = self.start(['-t', '2s', '-r', '5', '-F', 'jsonl', '-g', 'sysName.0', '-p', str(self.park.port), '-o',
                          self.path('out/result'), '127.200.0.1'])
        run.process.wait(LONG)
        self.finish(run)
        with open(self.path('out/result'), encoding='utf-8') as f:
            text = f.read()
        if run.code != 0 or not text.startswith('{"host":"127.200.0.1"') or os.listdir(self.path('out')) != ['result']:
            self.notes.append(f'the next run: exit {run.code}, {text[:100]}, {os.listdir(self.path("out"))}: {run.errors}')

    def play(self):
        p = self.plan
        self.set_up()
        self.go()
        self.settle()
        if p.takeover and p.output in ('file', 'old') and not (p.gone or p.read_only or p.device):
            self.take_over()
        self.look_around()

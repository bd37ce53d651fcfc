"""One round: a plan is carried out on the real program, and what there is to see is gathered.

One loop in one thread: reads what the program says, serves the peers, throws what is due, and notes how late it was
itself: where the machine did not let us run for long, it may not have let the agents either.
"""
import os
import selectors
import subprocess
import time

import actions
import breeds
import namespaces
import peers
import poller
import processes
import runs
import stage

TICK = 0.01
LONG = 40           # seconds: a run takes about one; this ends what hangs
LEAVE = 5           # for children of a killed master: a second is promised, the machine may be busy
OLD = 'of the run before\n'
SECOND = actions.SECOND     # polled by the second of two runs
LARGE = '127.201.0.0/30'   # with records larger than a frame
SECONDS = [f'127.200.0.{n}' for n in range(64)] + [f'127.201.0.{n}' for n in range(4)]


class Round:
    def __init__(self, plan, folder):
        self.plan, self.folder = plan, folder
        self.mark = f'{stage.MARK}={plan.seed}.{plan.number}.{os.getpid()}'
        self.lag = 0.0
        self.left = []        # what was left behind
        self.actions = actions.Actions(plan, self.path)
        self.notes = self.actions.notes
        self.fds = []         # descriptors of the master besides one a child, whenever we looked
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
            namespaces.tmpfs(self.path('out'), f'size={p.disk}')
        if p.spool:
            namespaces.tmpfs(self.path('tmp'), f'size={p.spool}')
        if p.output in ('old', 'append'):
            self.write('out/result', OLD)
        if p.read_only:
            namespaces.bind_read_only(self.path('out'))
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

    # ---- the run

    def ready(self, stream):
        """A fast reader's pipe, beside the peers'."""
        for run in self.runs:
            if run.process.stdout is stream:
                run.read(time.monotonic())

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
        """Only while all children live (a queue outlives its worker for a moment), and not before the master has its pipe
        for signals: then it only tries the sandbox."""
        pid, before = self.first.pid, processes.children_or_none(self.first.pid)
        try:
            fds = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd') if int(fd) > 2]
        except OSError:
            return
        alive = before and all(self.actions.has_queue(pid) for pid in before)
        if alive and before == processes.children_or_none(pid) and any(fd.startswith('pipe:') for fd in fds):
            self.fds.append(len(fds) - len(before))

    def turn(self):
        self.serve_peers(TICK)
        now = time.monotonic()
        self.actions.turn(now)
        self.count_descriptors()
        for run in self.runs:
            run.read(now)

    def go(self):
        p = self.plan
        words = p.command(self.path)
        plain = open(self.path('out/plain'), 'wb') if p.output == 'plain' else None
        self.command = ' '.join([runs.program(p), *words])
        self.runs = [runs.Run(p, self.path, words, p.limits, plain or subprocess.PIPE, p.reader)]
        self.began, self.first = self.runs[0].began, self.runs[0].process
        self.actions.begin(self.runs[0], self.park.port)
        if p.runs == 2:
            self.write('second.yaml', 'defaults: {timeout: 2s, retries: 5}\ngroups:\n'
                       '  small: {get: [sysName.0, sysDescr.0]}\n  large: {table: [ifDescr, ifName]}\nhosts:\n'
                       f'  - {{host: {SECOND}, group: small}}\n  - {{host: {LARGE}, group: large}}\n')
            self.runs.append(self.another('-s', '-f', self.path('second.yaml'), '-F', p.format, '--append'))
        while any(run.process.poll() is None for run in self.runs) and time.monotonic() < self.began + LONG:
            self.turn()
        self.took = time.monotonic() - self.began
        for run in self.runs:
            self.finish(run)
        if plain:
            plain.close()

    def another(self, *words):
        """A further run, with the same output and without limits."""
        return runs.Run(self.plan, self.path, [*words, '-p', str(self.park.port), '-o', self.path('out/result')], {})

    def finish(self, run):
        if run.process.poll() is None:
            self.notes.append(f'it hangs: {self.stacks(run.process.pid)}')
        run.finish()

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
        if self.plan.disk:
            namespaces.remount(self.path('out'), 'size=1m')
        run = self.another('-t', '2s', '-r', '5', '-F', 'jsonl', '-g', 'sysName.0', '127.200.0.1')
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

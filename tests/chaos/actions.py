"""What is done to a run at a moment of the plan; each name in a plan's actions is a method here.

Notes whom it hit, and what it saw that must not be; the ledger asks for that.
"""
import os
import shutil
import signal
import struct
import subprocess
import time

import poller
import processes

LONG = 40  # seconds: ends a second run that hangs
SECOND = '127.200.0.0/26'  # polled by it


class Actions:
    def __init__(self, plan, path):
        self.plan, self.path = plan, path
        self.due = list(plan.actions)  # (seconds, name, words)
        self.notes = []       # complaints
        self.thrown = {}      # action: how often it hit somebody
        self.dead = set()     # pids that we killed or stopped
        self.massacre = False
        self.paused = None    # (pids, when they may go on)
        self.at_work_then = self.replaced = False

    def begin(self, run, port):
        """From now on; `port` is the park's."""
        self.first, self.began, self.port = run.process, run.began, port

    def turn(self, now):
        """What is due."""
        while self.due and self.due[0][0] <= now - self.began:
            _, name, words = self.due.pop(0)
            getattr(self, name)(*words)
        self.go_on(now)
        if self.massacre:
            for pid in self.children():
                self.hit(pid, signal.SIGKILL, 'kill_all_that_are_born')

    def children(self):
        """Workers and the resolver, those that we have not hit."""
        return [pid for pid in processes.children_or_none(self.first.pid) if pid not in self.dead and self.has_queue(pid)]

    def has_queue(self, pid):
        """Else it was forked a moment ago. Who may not look waits until that is over."""
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
        run = subprocess.run([poller.MULTISNMP, '-p', str(self.port), '-o', self.path('out/result'), SECOND],
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

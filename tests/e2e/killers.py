"""What kills the program's processes in tests, from outside and from inside.

From outside: who sends from a UDP port, found as root finds it (the descriptors of a process that is not dumpable are
root's), so that an agent can strike back at the very moment at which a datagram of a worker arrives. From
inside: poison.c, preloaded, by which an answer with certain octets kills the process that reads it, in the middle of its
work; so the death is charged to that answer's target."""
import os
import signal
import socket
import threading
import time
import unittest

import poller

POISON = os.environ.get('POISON_SO', os.path.join(poller.BUILD, 'tests/e2e/poison.so'))
ASAN = os.environ.get('WITH_ASAN') == 'yes'
needs_poison = unittest.skipUnless(os.path.exists(POISON), 'needs poison.so (Linux)')


def poisoned(octets, deed='segv'):
    """The environment of a program in which reading these octets is deadly. Deeds: segv, abort, exit, hang."""
    env = dict(os.environ, LD_PRELOAD=POISON, POISON=octets, POISON_DEED=deed)
    if ASAN:  # it wants to be first, and would print a report of each death
        env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0:handle_segv=0:handle_abort=0'
    return env


def inode_of_port(port):
    for table in '/proc/net/udp', '/proc/net/udp6':
        with open(table, encoding='ascii') as f:
            next(f)
            for line in f:
                words = line.split()
                if int(words[1].rsplit(':', 1)[1], 16) == port:
                    return words[9]
    return None


def sockets_of(pid):
    """The inodes of a process's sockets; none if it is gone."""
    inodes = set()
    try:
        for fd in os.listdir(f'/proc/{pid}/fd'):
            link = os.readlink(f'/proc/{pid}/fd/{fd}')
            if link.startswith('socket:['):
                inodes.add(link[8:-1])
    except OSError:
        pass
    return inodes


class Killer:
    """An agent that answers nothing and sends a signal to every worker from which a datagram comes. Its victims are
    children of the process `parent`, which is set when it runs."""

    def __init__(self, address='127.0.0.1', number=signal.SIGKILL, most=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.number, self.most = number, most
        self.parent = None
        self.killed = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                _, peer = self.socket.recvfrom(65536)
            except OSError:
                return
            while self.parent is None:
                time.sleep(0.001)
            if self.most is None or len(self.killed) < self.most:
                self.strike(inode_of_port(peer[1]))

    def strike(self, inode):
        for pid in poller.children_or_none(self.parent):
            if inode in sockets_of(pid) and pid not in self.killed:
                os.kill(pid, self.number)
                self.killed.append(pid)

    def stop(self):
        self.parent = self.parent or 0
        self.socket.close()


def state_of(pid):
    """R, S, T, Z …; None: there is no such process."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rsplit(')', 1)[1].split()[0]
    except OSError:
        return None


def wait_gone(pids, seconds):
    """How long it took until none of them is more than a zombie; None: longer than that."""
    start = time.monotonic()
    while any(state_of(pid) not in (None, 'Z', 'X') for pid in pids):
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.01)
    return time.monotonic() - start

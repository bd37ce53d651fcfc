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
import processes

POISON = os.environ.get('POISON_SO', os.path.join(poller.BUILD, 'tests/e2e/poison.so'))
needs_poison = unittest.skipUnless(os.path.exists(POISON), 'needs poison.so (Linux)')


def poisoned(octets, deed='segv'):
    """The environment of a program in which reading these octets is deadly. Deeds: segv, abort, exit, hang."""
    env = dict(os.environ, LD_PRELOAD=POISON, POISON=octets, POISON_DEED=deed)
    if poller.WITH_ASAN:  # it wants to be first, and would print a report of each death
        env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0:handle_segv=0:handle_abort=0'
    return env


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
                self.strike(processes.inode_of_port(peer[1]))

    def strike(self, inode):
        for pid in processes.children_or_none(self.parent):
            if inode in processes.sockets_of(pid) and pid not in self.killed:
                os.kill(pid, self.number)
                self.killed.append(pid)

    def stop(self):
        self.parent = self.parent or 0
        self.socket.close()

"""Between the poller and its agents: what goes on, what is lost, and what that was.

`Between` stands before one port, and a function says what passes.

`Relay` is a bad network before a whole park: it loses, doubles, delays and reorders, and keeps book of it. All of
127.0.0.0/8 is on one port. What comes for an address goes on to the same address at the park's port, through a socket of
its own for each socket of the poller, so that answers find back whatever they are (SNMPv3 has no request-id to be read).
The book has, for each target, what became of each of its requests, in order; a test judges the poller's records by it.
Drawn from a seed, which a test prints when it fails.
"""
import heapq
import random
import select
import selectors
import socket
import struct
import threading
import time

IP_PKTINFO, SO_RXQ_OVFL, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 8, 40, 33, 35
BUFFER = 32 << 20


class Between(threading.Thread):
    """Before a port of 127.0.0.1, for one poller: passes(way, datagram), `there` or `back`, says whether one goes on.
    Use with `with`."""

    def __init__(self, port, passes):
        super().__init__(daemon=True)
        self.passes, self.ended = passes, False
        self.ours, self.theirs = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.ours.bind(('127.0.0.1', 0))
        self.theirs.connect(('127.0.0.1', port))
        self.port = self.ours.getsockname()[1]

    def run(self):
        client = None
        while not self.ended:
            ready, _, _ = select.select([self.ours, self.theirs], [], [], 0.1)
            if self.ours in ready:
                data, client = self.ours.recvfrom(65535)
                if self.passes('there', data):
                    self.theirs.send(data)
            if self.theirs in ready:
                data = self.theirs.recv(65535)
                if self.passes('back', data):
                    self.ours.sendto(data, client)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.join()
        self.ours.close()
        self.theirs.close()


class Faults:
    """Shares of 1; waits in seconds. An answer is lost by `loss` and a request, too: half of it each."""

    def __init__(self, loss=0.0, double=0.0, swap=0.0, delay=0.0, forget=0.0, wait=0.45):
        self.loss = 1 - (1 - loss) ** 0.5  # of one way: both together are `loss`
        self.double, self.swap, self.delay, self.forget, self.wait = double, swap, delay, forget, wait


class Request:
    """What became of one: when it came, and when its first answer left for the poller; None: never."""
    __slots__ = ('came', 'answered')

    def __init__(self, came):
        self.came, self.answered = came, None


class Relay(threading.Thread):
    """Runs until stop(). `book`: {address: [Request, ...]}; `received`: datagrams of the poller."""

    def __init__(self, park_port, faults, seed):
        super().__init__(daemon=True)
        self.park_port, self.faults, self.random = park_port, faults, random.Random(seed)
        self.front = self.open()
        self.front.bind(('0.0.0.0', 0))
        self.front.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.front.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # when it came, however late we read it
        self.port = self.front.getsockname()[1]
        self.backs = {}  # the poller's address: our socket for it
        self.book, self.received, self.overrun, self.delivered = {}, 0, 0, 0
        self.later, self.number = [], 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ, None)
        self.stopping = False
        self.start()

    @staticmethod
    def open():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        try:
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        except OSError:  # not root: a test's --rate must do
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        return s

    def stop(self):
        """After the poller's end: all that it sent is in the book then."""
        self.stopping = True
        self.join(60)
        for s in [self.front, *self.backs.values()]:
            s.close()
        self.selector.close()

    def run(self):
        idle = 0
        while idle < 3:  # what is in the sockets is taken first
            wait = min(0.05, self.later[0][0] - time.monotonic()) if self.later else 0.05
            ready = self.selector.select(max(0, wait))
            for key, _ in ready:
                if key.data is None:
                    self.take_requests()
                else:
                    self.take_answers(key.fileobj, key.data)
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                self.deliver(*heapq.heappop(self.later)[2:])
            idle = idle + 1 if self.stopping and not ready else 0

    def happens(self, share):
        return share > 0 and self.random.random() < share

    def take_requests(self):
        for _ in range(200):
            try:
                data, notes, _, poller = self.front.recvmsg(65535, 256)
            except BlockingIOError:
                return
            target, waited = None, 0
            for level, kind, value in notes:
                if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                    target = socket.inet_ntoa(value[8:12])
                elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                    self.overrun = struct.unpack('I', value)[0]
                elif (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    seconds, nanoseconds = struct.unpack('qq', value[:16])
                    waited = max(0, time.time() - seconds - nanoseconds / 1e9)
            self.received += 1
            request = Request(time.monotonic() - waited)
            self.book.setdefault(target, []).append(request)
            if self.happens(self.faults.loss):
                continue
            self.back_for(poller).sendto(data, (target, self.park_port))

    def back_for(self, poller):
        if poller not in self.backs:
            self.backs[poller] = self.open()
            self.selector.register(self.backs[poller], selectors.EVENT_READ, poller)
        return self.backs[poller]

    def take_answers(self, back, poller):
        for _ in range(200):
            try:
                data, (target, _) = back.recvfrom(65535)
            except BlockingIOError:
                return
            # one request of a target is under way at a time: the newest is meant, and its park is quick
            request = self.book[target][-1]
            for _ in range(2 if self.happens(self.faults.double) else 1):
                self.answer(data, target, poller, request)

    def answer(self, data, target, poller, request):
        f, wait = self.faults, 0
        if self.happens(f.loss) or self.happens(f.forget):
            return
        if self.happens(f.delay):
            wait = f.wait
        elif self.happens(f.swap):
            wait = self.random.uniform(0.002, 0.02)
        if not wait:
            self.deliver(data, target, poller, request)
            return
        self.number += 1
        heapq.heappush(self.later, (time.monotonic() + wait, self.number, data, target, poller, request))

    def deliver(self, data, target, poller, request):
        if request.answered is None:
            request.answered = time.monotonic()
        self.delivered += 1
        source = struct.pack('I4s4s', 0, socket.inet_aton(target), b'\0\0\0\0')
        try:
            self.front.sendmsg([data], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, poller)
        except OSError:
            pass  # it has gone

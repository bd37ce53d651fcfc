"""Whom a poller connects to over TCP or at a path: listeners whose every connection a test serves, and one that takes nobody."""
import contextlib
import socket
import threading

import ber
import poller


class Streams(threading.Thread):
    """Listens, on TCP or at a path, and gives every connection to serve(connection, number from 0), in a
    thread of its own. Use with `with`."""

    def __init__(self, serve, address=('127.0.0.1', 0), backlog=20):
        super().__init__(daemon=True)
        self.serve, self.connections, self.faults = serve, [], []
        family = (socket.AF_UNIX if isinstance(address, str) else
                  socket.AF_INET6 if ':' in address[0] else socket.AF_INET)
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind(address)
        if isinstance(address, str):
            poller.let_in(address)
        self.listener.listen(backlog)
        self.address = self.listener.getsockname()
        self.target = (f'unix:{address}' if isinstance(address, str) else
                       f'tcp:[{address[0]}]:{self.address[1]}' if ':' in address[0] else
                       f'tcp:{address[0]}:{self.address[1]}')
        self.ended = False

    def one(self, connection, number):
        try:
            with connection:
                self.serve(connection, number)
        except (ConnectionError, TimeoutError):
            pass
        except Exception as fault:  # told where the test is left
            self.faults.append(fault)

    def run(self):
        while not self.ended:
            try:
                connection, client = self.listener.accept()
            except OSError:
                return
            self.connections.append(client)
            connection.settimeout(poller.LONG)
            threading.Thread(target=self.one, args=(connection, len(self.connections) - 1),
                             daemon=True).start()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(1)
        if self.faults:
            raise self.faults[0]


def read_message(connection):
    """One whole message; b'' at the end."""
    data = b''
    while True:
        piece = connection.recv(65536)
        if not piece:
            return b''
        data += piece
        with contextlib.suppress(ValueError, IndexError):
            ber.split(data)
            return data


def never(connection, number):
    """Reads and says nothing."""
    while connection.recv(65536):
        pass


class FullQueue:
    """A listener that accepts nobody, with its queue full: connecting to it blocks."""

    def __init__(self, address=('127.0.0.1', 0)):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind(address)
        if isinstance(address, str):
            poller.let_in(address)
        self.listener.listen(0)
        self.fillers = []
        for _ in range(10):
            s = socket.socket(family, socket.SOCK_STREAM)
            s.setblocking(False)
            s.connect_ex(self.listener.getsockname())
            self.fillers.append(s)
        self.target = (f'unix:{address}' if family == socket.AF_UNIX else
                       f'tcp:127.0.0.1:{self.listener.getsockname()[1]}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in [*self.fillers, self.listener]:
            s.close()

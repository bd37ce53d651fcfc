"""Peers that snmp-agents cannot be: an agent over TCP and a name server. They live in the round's own loop.

Each has `sockets` to be watched and ready(socket), which may change them; both count what they were asked.
"""
import socket

import ber
import dns


class TcpAgent:
    """Answers GET as the agent of its address would; `silent`: takes the connection and reads, no more."""

    def __init__(self, silent):
        self.silent, self.asked = silent, 0
        self.listener = socket.create_server(('0.0.0.0', 0), backlog=64)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.connections = {}

    @property
    def sockets(self):
        return [self.listener, *self.connections]

    def ready(self, sock):
        if sock is self.listener:
            connection, _ = sock.accept()
            connection.setblocking(False)
            self.connections[connection] = b''
            return
        try:
            octets = sock.recv(65536)
        except OSError:
            octets = b''
        if not octets:
            self.connections.pop(sock)
            sock.close()
            return
        self.connections[sock] += octets
        while self.answer_one(sock):
            pass

    def answer_one(self, sock):
        data = self.connections[sock]
        if len(data) < 2 or data[1] > 127 or len(data) < 2 + data[1]:
            return False
        self.connections[sock] = data[2 + data[1]:]
        self.asked += 1
        if not self.silent:
            address = sock.getsockname()[0]
            tree = ber.Tree({'1.3.6.1.2.1.1.1.0': ber.string(f'Simulated agent {address}'),
                             '1.3.6.1.2.1.1.5.0': ber.string(f'agent-{address.replace(".", "-")}')})
            try:
                sock.send(tree.answer(ber.Request(data[:2 + data[1]])))
            except OSError:
                pass
        return True

    def close(self):
        for sock in self.sockets:
            sock.close()


class NameServer:
    """Knows A records; `silent` says nothing, to whatever it is asked. The rest does not exist."""

    def __init__(self, addresses, silent):
        self.addresses, self.silent = addresses, silent
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 53))
        self.sockets = [self.socket]

    def ready(self, sock):
        data, client = sock.recvfrom(4096)
        if not self.silent:
            sock.sendto(self.answer(data), client)

    def answer(self, query):
        name, _, _ = dns.question(query)
        if name not in self.addresses:
            return dns.answer(query, dns.NO_SUCH_NAME)
        return dns.answer(query, addresses=[self.addresses[name]])

    def close(self):
        self.socket.close()

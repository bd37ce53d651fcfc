"""Between a program and its broker: a TCP relay that can be cut, stalled, deaf, and that keeps what it carries.

`Proxy` passes octets of any number of connections to one port. With keep=True it keeps all of them, in both directions, so
that a test can read every message (messages()) and search every octet for what must not be there. Deeds, at any time:
    swallow(): takes everything and passes nothing on, as a firewall does that has lost its table. Connections that have lost
               octets stay deaf for ever; new ones pass again after resume().
    deafen():  the same for one connection, for ever; what it is told by say() still comes.
    stall():   takes nothing; what waits goes on after resume(), as after an outage that TCP outlives.
    say():     says something to a client as if the broker had, while nothing is under way on that connection.
    cut():     ends all connections; refuse(): and takes no new ones until accept().
The target may be changed (another node) while it runs: for connections that come then."""
import selectors
import socket
import struct
import threading

PIECE = 1 << 18
HIGH = 1 << 20  # octets that wait for a slow reader before its writer waits
QUEUE = 64  # connections that wait to be accepted
BODY, HEADER, METHOD = 3, 2, 1
PUBLISH, DELIVER = (60, 40), (60, 60)


class Way:
    """One direction of a connection: from `source` to `sink`."""

    def __init__(self, source, sink, keep):
        self.source, self.sink, self.waiting, self.ended = source, sink, bytearray(), False
        self.kept = bytearray() if keep else None


class Connection:
    def __init__(self, client, server, keep):
        self.there, self.back = Way(client, server, keep), Way(server, client, keep)
        self.deaf = self.closed = False

    def ways(self):
        return self.there, self.back

    def close(self):
        for way in self.ways():
            way.source.close()
        self.closed = True


class Proxy(threading.Thread):
    """Listens at `port` of 127.0.0.1; use with `with`, or stop() it."""

    def __init__(self, target, keep=False, delay=0):
        super().__init__(daemon=True)
        self.target, self.keep, self.delay = target, keep, delay
        self.mode, self.ended, self.refusing = 'pass', False, False
        self.connections, self.all = [], []
        self.lock = threading.Lock()
        self.listener = self.bound(0)
        self.listener.listen(QUEUE)
        self.port = self.listener.getsockname()[1]
        self.carried = 0  # octets, both ways
        self.start()

    @staticmethod
    def bound(port):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', port))
        return s

    # ---- deeds

    def swallow(self):
        self.mode = 'swallow'

    def deafen(self, number):
        with self.lock:
            self.all[number].deaf = True

    def stall(self):
        self.mode = 'stall'

    def resume(self):
        self.mode = 'pass'

    def say(self, number, octets):
        """To the connection of that number, which counts from 0 those that were ever made."""
        with self.lock:
            self.all[number].back.waiting += octets

    def cut(self):
        with self.lock:
            for connection in self.connections:
                connection.close()
            self.connections.clear()

    def refuse(self):
        """The port stays ours: it is one that Linux gives to anybody's connection."""
        with self.lock:
            self.refusing = True
            self.listener.close()
            self.listener = self.bound(self.port)
        self.cut()

    def accept(self):
        with self.lock:
            self.listener.listen(QUEUE)
            self.refusing = False

    # ---- what passed

    def alive(self):
        """How many connections there are; None while one is deaf: its ends have not found out yet, and say that all is well."""
        with self.lock:
            return None if any(connection.deaf for connection in self.connections) else len(self.connections)

    def octets(self):
        """All of it, connection by connection, one way and then the other."""
        with self.lock:
            return [bytes(way.kept) for connection in self.all for way in connection.ways() if way.kept is not None]

    def messages(self):
        """Every message that was published through here, or delivered, whole: (exchange, routing key, properties, body)."""
        return [message for octets in self.octets() for message in messages_of(octets)]

    # ---- its thread

    def run(self):
        while not self.ended:
            with self.lock:
                self.turn()

    def turn(self):
        selector = selectors.DefaultSelector()
        with selector:
            if not self.refusing:
                selector.register(self.listener, selectors.EVENT_READ, None)
            wanted = {}
            for connection in self.connections:
                for way in connection.ways():
                    if not way.ended and len(way.waiting) < HIGH and self.mode != 'stall':
                        wanted[way.source] = wanted.get(way.source, 0) | selectors.EVENT_READ
                    if way.waiting and self.mode == 'pass':
                        wanted[way.sink] = wanted.get(way.sink, 0) | selectors.EVENT_WRITE
            for sock, events in wanted.items():
                selector.register(sock, events)
            self.lock.release()
            try:
                ready = {key.fileobj: events for key, events in selector.select(0.02)}
            except (OSError, ValueError):  # closed meanwhile, by a deed
                ready = {}
            finally:
                self.lock.acquire()
        self.serve(ready)

    def serve(self, ready):
        if not self.refusing and self.listener in ready:
            self.take()
        for connection in list(self.connections):
            try:
                for way in connection.ways():
                    if not connection.closed:
                        self.carry(connection, way, ready)
            except OSError:
                connection.close()
            if connection.closed and connection in self.connections:
                self.connections.remove(connection)

    def take(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(('127.0.0.1', self.target), 5)
        except OSError:
            client.close()
            return
        for s in client, server:
            s.setblocking(False)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client, server, self.keep)
        self.connections.append(connection)
        self.all.append(connection)

    def carry(self, connection, way, ready):
        if ready.get(way.source, 0) & selectors.EVENT_READ and not way.ended:
            octets = way.source.recv(PIECE)
            if self.mode == 'swallow' or connection.deaf:
                connection.deaf = connection.deaf or bool(octets)
                way.ended = not octets
                return
            way.waiting += octets
            way.ended = not octets
            if way.kept is not None:
                way.kept += octets
        if way.waiting and ready.get(way.sink, 0) & selectors.EVENT_WRITE:
            sent = way.sink.send(way.waiting)
            self.carried += sent
            del way.waiting[:sent]
        if way.ended and not way.waiting:
            connection.close()

    def stop(self):
        self.ended = True
        self.join()
        self.cut()
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def frames_of(octets):
    """(type, channel, payload) of one direction of AMQP 0-9-1; what is not whole at the end is left."""
    at = 8 if octets[:4] == b'AMQP' else 0
    while at + 8 <= len(octets):
        kind, channel, size = struct.unpack_from('>BHI', octets, at)
        if at + 8 + size > len(octets):
            return
        if octets[at + 7 + size] != 0xCE:
            raise ValueError(f'no frame at {at}')
        yield kind, channel, octets[at + 7:at + 7 + size]
        at += 8 + size


def cancel_of(channel, tag):
    """What a broker says when it cancels a consumer (basic.cancel, nothing is to be answered)."""
    payload = struct.pack('>HHB', 60, 30, len(tag)) + tag.encode() + b'\1'
    return struct.pack('>BHI', METHOD, channel, len(payload)) + payload + b'\xce'


def short_string(octets, at):
    end = at + 1 + octets[at]
    return octets[at + 1:end].decode(), end


def opening_of(payload):
    """Exchange and routing key of a publish or deliver; None: another method."""
    method = struct.unpack_from('>HH', payload)
    if method == PUBLISH:
        exchange, at = short_string(payload, 6)
        return exchange, short_string(payload, at)[0]
    if method == DELIVER:
        _, at = short_string(payload, 4)
        exchange, at = short_string(payload, at + 9)  # after the tag (8) and `redelivered`
        return exchange, short_string(payload, at)[0]
    return None


def messages_of(octets):
    """Those of one direction of one connection, put together from their frames."""
    open_ones = {}  # by channel: [opening, size, properties, body]
    for kind, channel, payload in frames_of(octets):
        if kind == METHOD and opening_of(payload):
            open_ones[channel] = [opening_of(payload), None, b'', b'']
        elif kind == HEADER and channel in open_ones:
            open_ones[channel][1] = struct.unpack_from('>Q', payload, 4)[0]
            open_ones[channel][2] = payload[12:]
        elif kind == BODY and channel in open_ones:
            open_ones[channel][3] += payload
        if channel in open_ones and open_ones[channel][1] == len(open_ones[channel][3]):
            (exchange, key), _, properties, body = open_ones.pop(channel)
            yield exchange, key, properties, body

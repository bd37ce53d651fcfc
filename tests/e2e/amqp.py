"""AMQP 0-9-1 as far as tests need it, in plain Python: a client that may try what the program never does.

    with amqp.Client(port, vhost, user, password) as client:
        client.declare_queue('q', arguments={'x-queue-type': 'quorum'})
        client.publish('', 'q', b'body')            # 'ack', 'nack' or 'returned'
        client.get('q').body

One channel at a time. What the broker refuses is a Refused with its code and words; the broker has closed the channel
then, and the next call opens another one. With `tls`, an ssl.SSLContext, a certificate says who we are (EXTERNAL) unless a
password is given. Every wait ends after poller.LONG."""
import socket
import struct

import poller

METHOD, HEADER, BODY, HEARTBEAT, END = 1, 2, 3, 8, 0xCE
CONNECTION_CLOSE, CHANNEL_CLOSE = (10, 50), (20, 40)
NAMES = ('content_type', 'content_encoding', 'headers', 'delivery_mode', 'priority', 'correlation_id', 'reply_to', 'expiration',
         'message_id', 'timestamp', 'type', 'user_id', 'app_id')
FORMS = {'headers': 'table', 'delivery_mode': 'octet', 'priority': 'octet', 'timestamp': 'longlong'}


class Refused(Exception):
    """code: of AMQP (403: not permitted, 404: not there, 405: somebody else's, 406: with other arguments)."""

    def __init__(self, code, words):
        super().__init__(f'{code} {words}')
        self.code = code


def short(text):
    octets = text.encode()
    return bytes([len(octets)]) + octets


def long(octets):
    return struct.pack('>I', len(octets)) + octets


def table(entries):
    """Of texts, numbers, truth values and None."""
    out = b''
    for name, value in entries.items():
        out += short(name)
        if value is None:
            out += b'V'
        elif isinstance(value, bool):
            out += b't' + bytes([value])
        elif isinstance(value, int):
            out += b'l' + struct.pack('>q', value)
        else:
            out += b'S' + long(value.encode())
    return long(out)


class Message:
    """tag: for ack; properties: by name, `headers` as the octets of their table."""

    def __init__(self, arguments, properties, body):
        self.arguments, self.body, self.tag = arguments, body, None
        self.properties = {}
        flags, at = struct.unpack_from('>H', properties)[0], 2
        for bit, name in enumerate(NAMES):
            if flags & 0x8000 >> bit:
                size = {'octet': 1, 'longlong': 8}.get(FORMS.get(name))
                if size is None:
                    wide = name == 'headers'
                    size = struct.unpack_from('>I', properties, at)[0] if wide else properties[at]
                    at += 4 if wide else 1
                value = properties[at:at + size]
                self.properties[name] = value if name == 'headers' else int.from_bytes(value, 'big') if name in FORMS \
                    else value.decode()
                at += size


def pack_properties(properties):
    flags, out = 0, b''
    for bit, name in enumerate(NAMES):
        if name in properties:
            flags |= 0x8000 >> bit
            value = properties[name]
            form = FORMS.get(name)
            out += table(value) if form == 'table' else bytes([value]) if form == 'octet' else \
                struct.pack('>Q', value) if form == 'longlong' else short(value)
    return struct.pack('>H', flags) + out


class Client:
    def __init__(self, port, vhost='/', user='guest', password=None, tls=None, host='127.0.0.1', name=None):
        self.socket = socket.create_connection((host, port), poller.LONG)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=name or host)
        self.buffer, self.channel, self.confirms, self.opened = b'', 0, False, False
        try:
            self.log_in(vhost, user, password)
        except BaseException:
            self.socket.close()
            raise

    def log_in(self, vhost, user, password):
        self.socket.sendall(b'AMQP\0\0\x09\x01')
        self.wait((10, 10))
        mechanism = 'PLAIN' if password else 'EXTERNAL'
        response = f'\0{user}\0{password}'.encode() if password else b''
        self.send((10, 11), table({}) + short(mechanism) + long(response) + short('en_US'))
        tune = self.wait((10, 30))
        self.piece = struct.unpack_from('>I', tune, 2)[0] - 8  # of a body, in a frame
        self.send((10, 31), tune[:6] + b'\0\0')
        self.send((10, 40), short(vhost) + b'\0\0')
        self.wait((10, 41))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- frames

    def send(self, method, arguments=b''):
        self.frame(METHOD, struct.pack('>HH', *method) + arguments)

    def frame(self, kind, payload):
        channel = self.channel if self.opened else 0
        self.socket.sendall(struct.pack('>BHI', kind, channel, len(payload)) + payload + bytes([END]))

    def read(self, size):
        while len(self.buffer) < size:
            octets = self.socket.recv(1 << 16)
            if not octets:
                raise Refused(0, 'the connection was closed')
            self.buffer += octets
        octets, self.buffer = self.buffer[:size], self.buffer[size:]
        return octets

    def next_frame(self):
        kind, channel, size = struct.unpack('>BHI', self.read(7))
        payload = self.read(size)
        assert self.read(1)[0] == END
        return kind, channel, payload

    def wait(self, *methods):
        """The arguments of the next one of these methods; of several, with its number before."""
        while True:
            kind, _, payload = self.next_frame()
            if kind != METHOD:
                continue
            method = struct.unpack_from('>HH', payload)
            if method in (CONNECTION_CLOSE, CHANNEL_CLOSE):
                self.refused(method, payload)
            if method in methods:
                return payload[4:] if len(methods) == 1 else (method, payload[4:])

    def refused(self, method, payload):
        code, length = struct.unpack_from('>HB', payload, 4)
        words = payload[7:7 + length].decode()
        if method == CHANNEL_CLOSE:
            self.send((20, 41))
            self.opened = False
        raise Refused(code, words)

    def ask(self, method, arguments, answer):
        if not self.opened:
            self.channel += 1
            self.opened = True
            self.send((20, 10), short(''))
            self.wait((20, 11))
            self.confirms = False
        self.send(method, arguments)
        return self.wait(answer) if answer else None

    # ---- what can be asked

    def declare_exchange(self, name, kind='direct', passive=False, arguments=None):
        self.ask((40, 10), b'\0\0' + short(name) + short(kind) + bytes([passive | 2]) + table(arguments or {}), (40, 11))

    def delete_exchange(self, name):
        self.ask((40, 20), b'\0\0' + short(name) + b'\0', (40, 21))

    def declare_queue(self, name, passive=False, durable=True, exclusive=False, arguments=None):
        """(name, messages ready, consumers)"""
        bits = passive | durable << 1 | exclusive << 2 | exclusive << 3
        answer = self.ask((50, 10), b'\0\0' + short(name) + bytes([bits]) + table(arguments or {}), (50, 11))
        return (answer[1:1 + answer[0]].decode(), *struct.unpack_from('>II', answer, 1 + answer[0]))

    def bind(self, queue, exchange, key=''):
        self.ask((50, 20), b'\0\0' + short(queue) + short(exchange) + short(key) + b'\0' + table({}), (50, 21))

    def unbind(self, queue, exchange, key=''):
        self.ask((50, 50), b'\0\0' + short(queue) + short(exchange) + short(key) + table({}), (50, 51))

    def purge(self, queue):
        self.ask((50, 30), b'\0\0' + short(queue) + b'\0', (50, 31))

    def delete_queue(self, queue):
        self.ask((50, 40), b'\0\0' + short(queue) + b'\0', (50, 41))

    def publish(self, exchange, key, body, **properties):
        """'ack', 'nack' or 'returned': there is no queue for it."""
        if not self.opened or not self.confirms:
            self.ask((85, 10), b'\0', (85, 11))
            self.confirms = True
        self.send((60, 40), b'\0\0' + short(exchange) + short(key) + b'\1')
        self.frame(HEADER, struct.pack('>HHQ', 60, 0, len(body)) + pack_properties({'delivery_mode': 2, **properties}))
        for at in range(0, len(body), self.piece):
            self.frame(BODY, body[at:at + self.piece])
        method, _ = self.wait((60, 80), (60, 120), (60, 50))
        if method == (60, 50):  # its confirm comes all the same
            self.wait((60, 80))
            return 'returned'
        return 'ack' if method == (60, 80) else 'nack'

    def content(self, arguments):
        _, _, payload = self.next_frame()
        size = struct.unpack_from('>Q', payload, 4)[0]
        body = b''
        while len(body) < size:
            body += self.next_frame()[2]
        return Message(arguments, payload[12:], body)

    def get(self, queue):
        """The next message, to be acknowledged; None: there is none."""
        self.ask((60, 70), b'\0\0' + short(queue) + b'\0', None)
        method, arguments = self.wait((60, 71), (60, 72))
        if method == (60, 72):
            return None
        message = self.content(arguments)
        message.tag = struct.unpack_from('>Q', arguments)[0]
        return message

    def consume(self, queue):
        """Has the broker send what comes; read it with deliver()."""
        self.ask((60, 20), b'\0\0' + short(queue) + short('') + b'\0' + table({}), (60, 21))

    def deliver(self):
        arguments = self.wait((60, 60))
        message = self.content(arguments)
        message.tag = struct.unpack_from('>Q', arguments, 1 + arguments[0])[0]
        return message

    def ack(self, message):
        self.send((60, 80), struct.pack('>Q', message.tag) + b'\0')

    def requeue(self, message):
        self.send((60, 90), struct.pack('>Q', message.tag) + b'\1')

"""A codec of the tests' own, and devices written in Python: for what no other agent says or does.

Shares nothing with the poller nor with Net-SNMP. Values are (tag, content octets); the makers below
return them.
"""
import bisect
import socket
import threading

GET, GETNEXT, RESPONSE, SET, GETBULK, REPORT = 0xa0, 0xa1, 0xa2, 0xa3, 0xa5, 0xa8
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = (0x80, b''), (0x81, b''), (0x82, b'')
NULL = (5, b'')
NO_ERROR, TOO_BIG, NO_SUCH_NAME, GEN_ERR = 0, 1, 2, 5


def tlv(tag, body):
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 128 | len(octets)]) + octets + body


def number_octets(value):
    return value.to_bytes(max(value, ~value).bit_length() // 8 + 1, 'big', signed=True)


def subs_of(text):
    return tuple(int(sub) for sub in text.split('.'))


def oid_octets(text):
    subs, body = list(subs_of(text)), b''
    for sub in [subs[0] * 40 + (subs[1] if len(subs) > 1 else 0)] + subs[2:]:
        octets = [sub & 127]
        while sub > 127:
            sub >>= 7
            octets.insert(0, 128 | sub & 127)
        body += bytes(octets)
    return body


def integer(value):
    return 2, number_octets(value)


def string(value):
    return 4, value.encode() if isinstance(value, str) else value


def identifier(text):
    return 6, oid_octets(text)


def counter32(value):
    return 0x41, number_octets(value)


def gauge32(value):
    return 0x42, number_octets(value)


def timeticks(value):
    return 0x43, number_octets(value)


def opaque(octets):
    return 0x44, octets


def counter64(value):
    return 0x46, number_octets(value)


def ip_address(text):
    return 0x40, bytes(subs_of(text))


def message(version, community, pdu, request_id, status, index, varbinds):
    """varbinds: [(oid text, value)]"""
    rows = b''.join(tlv(0x30, tlv(6, oid_octets(oid)) + tlv(*value)) for oid, value in varbinds)
    body = b''.join(tlv(2, number_octets(field)) for field in (request_id, status, index))
    return tlv(0x30, tlv(2, number_octets(version)) + tlv(4, community) + tlv(pdu, body + tlv(0x30, rows)))


def split(data):
    """[(tag, content)] of a constructed value's content; ValueError when they do not fill it exactly."""
    found = []
    while data:
        if len(data) < 2:
            raise ValueError('cut')
        size, head = data[1], 2
        if size > 127:
            head += size & 127
            size = int.from_bytes(data[2:head], 'big')
        if len(data) < head + size:
            raise ValueError('cut')
        found.append((data[0], data[head:head + size]))
        data = data[head + size:]
    return found


def dotted(body):
    subs, value = [], 0
    for octet in body:
        value = value << 7 | octet & 127
        if octet < 128:
            subs.append(value)
            value = 0
    first = min(subs[0] // 40, 2)
    return '.'.join(str(sub) for sub in [first, subs[0] - 40 * first] + subs[1:])


class Request:
    """A v1 or v2c message. For GETBULK, status and index are non-repeaters and max-repetitions."""

    def __init__(self, data):
        (_, body), = split(data)
        (_, version), (_, self.community), (self.pdu, pdu) = split(body)
        (_, request_id), (_, status), (_, index), (_, rows) = split(pdu)
        self.version = int.from_bytes(version, 'big')
        self.id = int.from_bytes(request_id, 'big', signed=True)
        self.status = int.from_bytes(status, 'big')
        self.index = int.from_bytes(index, 'big')
        self.names = [dotted(split(row)[0][1]) for _, row in split(rows)]

    @property
    def repetitions(self):
        return self.index if self.pdu == GETBULK else 1

    def response(self, varbinds, status=NO_ERROR, index=0):
        return message(self.version, self.community, RESPONSE, self.id, status, index, varbinds)


class Device(threading.Thread):
    """answer(request) -> a datagram, a list of them, or None; called in a thread of its own, one
    request after the other. All requests are kept; request.client is who sent it. Use with `with`."""

    def __init__(self, answer, address='127.0.0.1', decode=Request):
        super().__init__(daemon=True)
        self.answer, self.decode, self.requests, self.fault, self.ended = answer, decode, [], None, False
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]

    def run(self):
        while not self.ended:
            try:
                data, client = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            try:
                request = self.decode(data)
                request.client = client
                self.requests.append(request)
                answers = self.answer(request) or []
                for datagram in [answers] if isinstance(answers, bytes) else answers:
                    self.socket.sendto(datagram, client)
            except Exception as fault:  # told where the device is left, not in the thread
                self.fault = self.fault or fault

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.join()
        self.socket.close()
        if self.fault:
            raise self.fault


class Tree:
    """An agent's MIB, {oid text: value}; answers GET, GETNEXT and GETBULK as RFC 3416 has it."""

    def __init__(self, objects):
        self.value = dict(objects)
        self.order = sorted(self.value, key=subs_of)
        self.keys = [subs_of(name) for name in self.order]

    def after(self, oid):
        """The next object's OID; None at the end."""
        place = bisect.bisect_right(self.keys, subs_of(oid))
        return self.order[place] if place < len(self.order) else None

    def varbind_after(self, oid):
        name = self.after(oid)
        return (name, self.value[name]) if name else (oid, END_OF_MIB)

    def rows(self, request, most=None):
        if request.pdu == GET:
            return [(name, self.value.get(name, NO_SUCH_INSTANCE)) for name in request.names]
        rows, names = [], request.names
        for _ in range(min(request.repetitions, most or request.repetitions)):
            step = [self.varbind_after(name) for name in names]
            rows += step
            names = [name for name, _ in step]
            if all(value == END_OF_MIB for _, value in step):
                break
        return rows

    def answer(self, request, most=None):
        rows = self.rows(request, most)
        missing = [n for n, (_, value) in enumerate(rows, 1) if value[0] in (0x80, 0x81, 0x82)]
        if request.version == 0 and missing:
            return request.response([(name, NULL) for name in request.names], NO_SUCH_NAME, missing[0])
        return request.response(rows)

"""SNMPv3 devices in Python: discovery, Reports, authentication (RFC 3412, 3414, 7860), no privacy.

An implementation of the tests' own, from the RFCs. A Device3 keeps the rules; a test changes one thing
of it (boots, engine ID, which datagram is answered when) and sees what the poller makes of it.
"""
import hashlib
import hmac
import time

import ber

AUTH, PRIV, REPORTABLE = 1, 2, 4
USM_STATS = '1.3.6.1.6.3.15.1.1.'
UNSUPPORTED_LEVEL, NOT_IN_WINDOW, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, DECRYPTION = (
    f'{USM_STATS}{n}.0' for n in range(1, 7))
DIGESTS = {'MD5': ('md5', 12), 'SHA': ('sha1', 12), 'SHA-224': ('sha224', 16), 'SHA-256': ('sha256', 24),
           'SHA-384': ('sha384', 32), 'SHA-512': ('sha512', 48)}  # name, octets kept


def localised_key(auth, passphrase, engine_id):
    """RFC 3414 appendix A.2; RFC 7860 section 9.3."""
    name = DIGESTS[auth][0]
    text = passphrase.encode()
    ku = hashlib.new(name, (text * (1048576 // len(text) + 1))[:1048576]).digest()
    return hashlib.new(name, ku + engine_id + ku).digest()


class Request3:
    """What a v3 message says. `scoped` is empty when it is encrypted."""

    def __init__(self, data):
        self.data = data
        (_, body), = ber.split(data)
        (_, version), (_, head), (_, security), scoped = ber.split(body)
        self.version = int.from_bytes(version, 'big')
        (_, msg_id), (_, _), (_, flags), (_, _) = ber.split(head)
        self.msg_id, self.flags = int.from_bytes(msg_id, 'big'), flags[0]
        (_, usm), = ber.split(security)
        (_, self.engine_id), (_, boots), (_, seconds), (_, self.user), (_, self.digest), _ = ber.split(usm)
        self.boots, self.seconds = int.from_bytes(boots, 'big'), int.from_bytes(seconds, 'big')
        self.names, self.pdu, self.id, self.status, self.index = [], None, 0, 0, 0
        if scoped[0] == 0x30:
            (_, self.context_engine), (_, self.context), (self.pdu, pdu) = ber.split(scoped[1])
            (_, request_id), (_, status), (_, index), (_, rows) = ber.split(pdu)
            self.id = int.from_bytes(request_id, 'big', signed=True)
            self.status, self.index = int.from_bytes(status, 'big'), int.from_bytes(index, 'big')
            self.names = [ber.dotted(ber.split(row)[0][1]) for _, row in ber.split(rows)]

    @property
    def repetitions(self):
        return self.index if self.pdu == ber.GETBULK else 1

    def is_signed_by(self, auth, key):
        name, size = DIGESTS[auth]
        blank = self.data.replace(self.digest, bytes(len(self.digest)), 1)
        return self.digest == hmac.new(key, blank, name).digest()[:size]


def build(request, engine, pdu, varbinds, **other):
    """A message that answers a request. engine: a Device3. other: msg_id, flags, key, status, index,
    boots, seconds, engine_id, user, context, request_id."""
    flags, key = other.get('flags', 0), other.get('key')
    rows = b''.join(ber.tlv(0x30, ber.tlv(6, ber.oid_octets(oid)) + ber.tlv(*value)) for oid, value in varbinds)
    number = lambda value: ber.tlv(2, ber.number_octets(value))
    body = (number(other.get('request_id', request.id)) + number(other.get('status', 0)) +
            number(other.get('index', 0)) + ber.tlv(0x30, rows))
    engine_id = other.get('engine_id', engine.engine_id)
    scoped = ber.tlv(0x30, ber.tlv(4, engine_id) + ber.tlv(4, other.get('context', b'')) + ber.tlv(pdu, body))
    size = DIGESTS[engine.auth][1] if flags & AUTH else 0

    def whole(digest):
        usm = (ber.tlv(4, engine_id) + number(other.get('boots', engine.boots)) +
               number(other.get('seconds', engine.seconds())) + ber.tlv(4, other.get('user', request.user)) +
               ber.tlv(4, digest) + ber.tlv(4, b''))
        head = number(other.get('msg_id', request.msg_id)) + number(65507) + ber.tlv(4, bytes([flags])) + number(3)
        return ber.tlv(0x30, number(3) + ber.tlv(0x30, head) + ber.tlv(4, ber.tlv(0x30, usm)) + scoped)
    blank = whole(bytes(size))
    if not size:
        return blank
    return whole(hmac.new(key or engine.key, blank, DIGESTS[engine.auth][0]).digest()[:size])


class Device3:
    """An authoritative engine with one user, and a ber.Tree. `answer` is for ber.Device(...,
    decode=usm.Request3)."""

    def __init__(self, objects, auth='SHA', passphrase='authpass1234', user=b'poller',
                 engine_id=bytes.fromhex('80001f8804') + b'python'):
        self.tree, self.auth, self.passphrase, self.user = ber.Tree(objects), auth, passphrase, user
        self.boots, self.start, self.engine_id = 5, time.monotonic() - 1000, engine_id
        self.key = localised_key(auth, passphrase, engine_id)

    def seconds(self):
        return int(time.monotonic() - self.start)

    def report(self, request, oid, **other):
        other.setdefault('user', request.user)
        return build(request, self, ber.REPORT, [(oid, ber.counter32(1))], **other)

    def response(self, request, **other):
        other.setdefault('flags', request.flags & AUTH)
        return build(request, self, ber.RESPONSE, self.tree.rows(request), **other)

    def fault(self, request):
        """The OID of the Report that a request deserves (RFC 3414 section 3.2), or None."""
        if request.engine_id != self.engine_id:
            return UNKNOWN_ENGINE
        if request.user != self.user:
            return UNKNOWN_USER
        if request.flags & PRIV:
            return UNSUPPORTED_LEVEL
        if request.flags & AUTH and not request.is_signed_by(self.auth, self.key):
            return WRONG_DIGEST
        if request.flags & AUTH and (request.boots != self.boots or abs(request.seconds - self.seconds()) > 150):
            return NOT_IN_WINDOW
        return None

    def answer(self, request):
        fault = self.fault(request)
        if fault == NOT_IN_WINDOW:
            return self.report(request, fault, flags=AUTH)
        return self.report(request, fault) if fault else self.response(request)

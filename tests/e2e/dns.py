"""Just enough of DNS for a test's own name server (RFC 1035 section 4): a question read, an answer made."""
import socket
import struct

A, AAAA = 1, 28
HEAD = 12
FOUND, SERVFAIL, NO_SUCH_NAME, REFUSED, TRUNCATED = 0x8180, 0x8182, 0x8183, 0x8185, 0x8380


def question(query):
    """(name, kind, where it ends)"""
    labels, at = [], HEAD
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1').lower())
        at += 1 + query[at]
    kind, = struct.unpack_from('!H', query, at + 1)
    return '.'.join(labels), kind, at + 5


def answer(query, flags=FOUND, addresses=(), pad=b''):
    """Addresses are of IPv4: whoever asks for others finds none."""
    _, kind, end = question(query)
    records = [struct.pack('!3HIH', 0xc000 | HEAD, A, 1, 60, 4) + socket.inet_aton(address)
               for address in (addresses if kind == A else ())]
    return query[:2] + struct.pack('!5H', flags, 1, len(records), 0, 0) + query[HEAD:end] + b''.join(records) + pad

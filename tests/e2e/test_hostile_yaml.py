#!/usr/bin/env python3
"""Hostile files: whatever is given as a configuration, a list, a secret or a MIB, the answer is an error that names
the place, in bounded time and memory, exit 2, and nothing is polled.

Memory is held by RLIMIT_AS, so what wants more dies instead of passing; time by TIME_S of the processor, which a
busy machine does not make more. Endless ones come by a FIFO or standard input.
"""
import os
import resource
import subprocess
import threading

import poller
import together

MEMORY = 768 << 20   # octets of address space, libraries and all
TIME_S = 60          # of the processor
PEAK_KIB = 64 << 10  # held at once, for what is refused at its beginning


def limits():
    if not poller.WITH_ASAN:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_S, TIME_S))


class Hostile(poller.Poll):
    def put(self, name, *pieces):
        """A file of pieces: octets, or (octets, how often)."""
        with open(self.path(name), 'wb') as f:
            for piece in pieces:
                octets, times = piece if isinstance(piece, tuple) else (piece, 1)
                while times > 0:
                    f.write(octets * min(times, 65536))
                    times -= 65536
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    def refuse(self, pattern, *words, peak=PEAK_KIB, **how):
        """It ends with status 2, these words on stderr and nothing on stdout."""
        how.setdefault('stdin', subprocess.DEVNULL)
        process = subprocess.Popen([poller.MULTISNMP, *map(str, words)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=limits, **how)
        said = [b'', b'']
        readers = [threading.Thread(target=self.drain, args=(stream, said, n))
                   for n, stream in enumerate((process.stdout, process.stderr))]
        for reader in readers:
            reader.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for reader in readers:
            reader.join()
        text = said[1].decode('utf-8')
        self.assertEqual(process.returncode, 2, text[:2000])
        self.assertEqual(said[0], b'')
        self.assertRegex(text, pattern)
        self.assertLess(len(text), 1 << 20)  # and it does not flood who reads it
        if not poller.WITH_ASAN:
            self.assertLess(usage.ru_maxrss, peak)

    @staticmethod
    def drain(stream, said, n):
        with stream:
            said[n] = stream.read()

    def refuse_yaml(self, pattern, *pieces, **how):
        self.refuse(pattern, '-f', self.put('h.yaml', *pieces), **how)


class Yaml(Hostile):
    def test_alias_bomb(self):
        bomb = b'a0: &a0 [x, x]\n' + b''.join(
            b'a%d: &a%d [%s]\n' % (n, n, b', '.join([b'*a%d' % (n - 1)] * 9)) for n in range(1, 40))
        self.refuse_yaml(r"h\.yaml:1:5: anchor '&a0'", bomb)

    def test_an_alias_of_itself(self):
        self.refuse_yaml(r'h\.yaml:1:8: anchor', b'hosts: &a [*a]\n')

    def test_depth(self):
        for piece in (b'[', b'{a: ', b'- ', b'? '):
            with self.subTest(piece):
                self.refuse_yaml(r'h\.yaml:\d+:\d+: ', b'hosts: \n ', (piece, 100000), b'\n')

    def test_depth_of_a_gigantic_line(self):
        self.refuse_yaml(r'h\.yaml:1:\d+: nested deeper', b'hosts: ', (b'[', 100 << 20))

    def test_nul(self):
        self.refuse_yaml(r'h\.yaml:2:6: a NUL octet', b'hosts:\n  - a\0b\n')
        self.refuse_yaml(r'h\.yaml:1:1: a NUL octet', (b'\0', 100 << 20))

    def test_not_utf8(self):
        for octets in (b'\xff', b'\xc0\x80', b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\xe2\x82'):
            with self.subTest(octets):
                self.refuse_yaml(r'h\.yaml:2:5: not UTF-8', b'hosts:\n  - ' + octets + b'\n')

    def test_other_encodings(self):
        for name in ('utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'):
            with self.subTest(name):
                self.refuse_yaml(r'h\.yaml:1:\d: (not UTF-8|a NUL)', 'hosts: [a]\n'.encode(name))

    def test_garbage(self):
        self.refuse_yaml(r'h\.yaml:1:\d+: ', (os.urandom(65536), 1600))

    def test_garbage_that_is_text(self):
        """Of each kind of text ten megabytes; what it is taken for is another matter."""
        for text in (b'%', b'a b ', b'a: b: c\n', b'\t', b'"', b'#', b'\n', b'- ', b'&', b'*a ', b'|\n', b'key\n'):
            with self.subTest(text):
                self.refuse_yaml(r'h\.yaml:\d+:\d+: ', b'hosts: x\n', (text, (10 << 20) // len(text)),
                                 b'\n?x', peak=MEMORY >> 10)

    def test_one_line(self):
        self.refuse_yaml(r'h\.yaml:1:9: ', b'hosts: [', (b'a', 100 << 20), b']\n', peak=MEMORY >> 10)

    def test_long_words(self):
        for key in (b'community', b'label', b'host', b'port', b'timeout', b'user', b'get', b'credential', b'engine_id'):
            with self.subTest(key):
                self.refuse_yaml(r'h\.yaml:\d+:\d+: ', b'hosts:\n  - {host: [a], ' + key + b': ', (b'9', 1 << 20),
                                 b'}\n', peak=MEMORY >> 10)

    def test_long_key(self):
        self.refuse_yaml(r'h\.yaml:1:1: ', (b'k', 10 << 20), b': 1\n', peak=MEMORY >> 10)
        self.refuse_yaml(r'h\.yaml:1:1: key longer', (b'k', 1000), b': 1\n')

    def test_many_keys(self):
        lines = b''.join(b'k%d: 1\n' % n for n in range(100000))
        self.refuse_yaml(r'h\.yaml:1:1: unknown key', (lines, 20), peak=MEMORY >> 10)

    def test_one_key_again_and_again(self):
        self.refuse_yaml(r'h\.yaml:2:1: ', (b'hosts: [a]\n', 1000000), peak=MEMORY >> 10)

    def test_huge_numbers(self):
        for key in (b'port', b'retries', b'timeout', b'deadline', b'per_host', b'max_repetitions', b'max_vars',
                    b'version', b'family'):
            for number in (b'9' * 400, b'-1', b'1e999', b'0x7fffffffffffffff', b'99999999999999999999s', b'nan'):
                with self.subTest((key, number)):
                    self.refuse_yaml(r'h\.yaml:1:\d+: ', b'defaults: {' + key + b': ' + number + b'}\n')

    def test_huge_targets(self):
        for host in (b'0.0.0.0/-1', b'10.0.0.0/99999999999999999999', b'::/0', b'10.0.0.1-99999999999',
                     b'1.2.3.4:99999999999999'):
            with self.subTest(host):
                self.refuse_yaml(r'h\.yaml:1:\d+: ', b'hosts: ["' + host + b'"]\n')


class NoFiles(Hostile):
    def test_directory(self):
        self.refuse('directory', '-f', self.folder)
        self.refuse('directory', '--targets', self.folder)

    def test_devices(self):
        self.refuse(r'/dev/zero:1:1: a NUL', '-f', '/dev/zero')
        self.refuse(r'/dev/zero:1:\d: ', '--targets', '/dev/zero')
        self.refuse(r'/dev/urandom:\d+:\d+: ', '-f', '/dev/urandom')

    def endless(self, text, write):
        try:
            with open(write, 'wb', buffering=0) if isinstance(write, str) else write as f:
                while True:
                    f.write(text * (65536 // len(text)))
        except OSError:
            pass  # it was given up

    def test_endless(self):
        for text, pattern in ((b'y\n', r':\d+:\d+: '), (b'[', r':1:\d+: nested'), (b'# comment\n', r':\d+:\d+: larger than 256 MiB')):
            with self.subTest(text):
                read, write = os.pipe()
                writer = threading.Thread(target=self.endless, args=(text, os.fdopen(write, 'wb', buffering=0)))
                writer.start()
                try:
                    self.refuse('standard input' + pattern, '-f', '-', stdin=read,
                                peak=MEMORY >> 10)
                finally:
                    os.close(read)
                    writer.join()

    def test_endless_fifo(self):
        os.mkfifo(self.path('fifo'))
        writer = threading.Thread(target=self.endless, args=(b'a: [', self.path('fifo')))
        writer.start()
        self.refuse(r'fifo:1:\d+: ', '-f', self.path('fifo'), peak=MEMORY >> 10)
        writer.join()


class Targets(Hostile):
    def test_garbage(self):
        for pieces in ((b'\0',), (b'\xff\n',), ((b'a', 100 << 20),), ((b'# ', 10 << 20),), ((b'%\n', 1000000),)):
            with self.subTest(pieces):
                self.refuse(r't:\d+:\d+: |t:\d+: ', '--targets', self.put('t', *pieces), peak=MEMORY >> 10)


class Secrets(Hostile):
    def test_community_file(self):
        hosts = self.write('hosts.yaml', 'hosts: [{host: 127.0.0.1, community_file: secret}]\n')
        for pieces in (((b'x', 100 << 20),), (b'a\0b',)):
            self.put('secret', *pieces)
            self.refuse(r"hosts\.yaml:1:\d+: community_file: .* is no text", '-f', hosts)
        os.unlink(self.path('secret'))
        os.mkdir(self.path('secret'))
        self.refuse(r'hosts\.yaml:1:\d+: community_file: .*directory', '-f', hosts)

    def test_devices(self):
        for device in ('/dev/zero', '/dev/urandom'):
            hosts = self.write('hosts.yaml', 'hosts: [{host: 127.0.0.1, community_file: %s}]\n' % device)
            self.refuse(r'hosts\.yaml:1:\d+: community_file: ', '-f', hosts)


class Mibs(Hostile):
    def test_garbage(self):
        """Net-SNMP's reader of MIB files does not free what it had of a broken one; the process ends soon."""
        os.mkdir(self.path('mibs'))
        options = 'print_suppressions=0:suppressions=' + self.write('leaks', 'leak:libnetsnmp\n')
        head = b'EVIL-MIB DEFINITIONS ::= BEGIN\n'
        for pieces in (((os.urandom(65536), 160),), ((b'\0', 10 << 20),), (head, (b'x', 10 << 20)),
                       (head, (b'{', 1000000)), (head, (b'"', 1000001)), (head, (b'a OBJECT IDENTIFIER ::= { a 1 }\n', 100)),
                       (head, b'a OBJECT IDENTIFIER ::= { b 1 }\nb OBJECT IDENTIFIER ::= { a 1 }\nEND\n')):
            with self.subTest(pieces[-1]):
                self.put('mibs/EVIL-MIB', *pieces)
                self.refuse('EVIL-MIB|evilObject', '-M', self.path('mibs'), '-m', 'EVIL-MIB', '-g', 'EVIL-MIB::evilObject.0',
                            '127.0.0.1', peak=MEMORY >> 10, env=dict(os.environ, LSAN_OPTIONS=options))


if __name__ == '__main__':
    together.main()

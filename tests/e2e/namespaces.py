"""Mounts and networks that nobody else sees, and that go with the process that made them; tests in such a world of their own.

    @namespaces.of_its_own('mount', 'net')
    def test_…(self): …

runs in a child of the test; what it mounts or configures ends with it. Needs root (for the program becomes `nobody`,
whom a user namespace of ours does not have); skipped, with the reason, where the system does not permit it.
"""
import array
import contextlib
import ctypes
import fcntl
import functools
import os
import shutil
import signal
import socket
import struct
import subprocess
import traceback
import unittest

FLAGS = {'mount': 0x00020000, 'net': 0x40000000}
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
OK, FAILED, SKIPPED = 0, 1, 2
IP = shutil.which('ip', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')


def call(name, *words):
    """Of the C library; OSError if it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*words) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f'{name}: {os.strerror(error)}')


def mount(source, target, kind='', flags=0, options=''):
    call('mount', os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode())


def enter(kinds):
    """There is no way back."""
    flags = 0
    for kind in kinds:
        flags |= FLAGS[kind]
    call('unshare', flags)
    if 'mount' in kinds:
        mount('none', '/', flags=MS_REC | MS_PRIVATE)
    if 'net' in kinds:
        loopback_up()


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = array.array('b', struct.pack('16sH14x', b'lo', 0))
        fcntl.ioctl(s, SIOCGIFFLAGS, request)
        flags, = struct.unpack_from('H', request, 16)
        struct.pack_into('H', request, 16, flags | IFF_UP)
        fcntl.ioctl(s, SIOCSIFFLAGS, request)


def ip(words):
    subprocess.run([IP, *words.split()], check=True, stdout=subprocess.DEVNULL)


def tmpfs(folder, options):
    """A disk of its own in that folder."""
    mount('tmpfs', folder, 'tmpfs', 0, options)


def remount(folder, options=''):
    """That disk with another size; without options it cannot be written to any more."""
    mount('tmpfs', folder, 'tmpfs', MS_REMOUNT | (0 if options else MS_RDONLY), options)


def bind(source, target):
    mount(source, target, flags=MS_BIND)


def bind_read_only(folder):
    """Whatever disk it is on."""
    bind(folder, folder)
    mount(folder, folder, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def body(test, case, kinds, tell):
    """In the child: how it went, and why not."""
    try:
        enter(kinds)
    except OSError as e:
        tell(f'no {" or ".join(kinds)} namespace: {e}')
        return SKIPPED
    case.subTest = lambda *_, **__: contextlib.nullcontext()  # or its failure would end here, unheard
    try:
        test(case)
        return OK
    except unittest.SkipTest as e:
        tell(str(e))
        return SKIPPED
    except BaseException:
        tell(traceback.format_exc())
        return FAILED
    finally:
        case.doCleanups()


def in_child(test, case, kinds):
    there, here = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(there)
        signal.alarm(300)
        try:
            os._exit(body(test, case, kinds, lambda text: os.write(here, text.encode()[-60000:])))
        finally:
            os._exit(FAILED)
    os.close(here)
    with os.fdopen(there, encoding='utf-8') as f:
        words = f.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), words


def of_its_own(*kinds):
    def decorate(test):
        @functools.wraps(test)
        def run(case):
            if os.geteuid() != 0:
                case.skipTest('needs root')
            if 'net' in kinds and not IP:
                case.skipTest('needs ip(8)')
            how, words = in_child(test, case, kinds)
            if how == SKIPPED:
                case.skipTest(words)
            if how != OK:
                case.fail(f'in its namespace ({how}):\n{words}')
        return run
    return decorate

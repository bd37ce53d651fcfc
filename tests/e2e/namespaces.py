"""Tests in a world of their own: mounts and networks that nobody else sees, and that go with the test's process.

    @namespaces.of_its_own('mount', 'net')
    def test_…(self): …

runs in a child of the test; what it mounts or configures ends with it. Needs root (for the program becomes `nobody`,
whom a user namespace of ours does not have); skipped, with the reason, where the system does not permit it.
"""
import contextlib
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import traceback
import unittest

FLAGS = {'mount': 0x00020000, 'net': 0x40000000}
MS_REC, MS_PRIVATE = 0x4000, 0x40000
OK, FAILED, SKIPPED = 0, 1, 2
IP = shutil.which('ip', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')


def libc():
    return ctypes.CDLL(None, use_errno=True)


def check(rc):
    if rc != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def enter(kinds):
    flags = 0
    for kind in kinds:
        flags |= FLAGS[kind]
    check(libc().unshare(flags))
    if 'mount' in kinds:
        check(libc().mount(None, b'/', None, MS_REC | MS_PRIVATE, None))
    if 'net' in kinds:
        ip('link set lo up')


def ip(words):
    subprocess.run([IP, *words.split()], check=True, stdout=subprocess.DEVNULL)


def tmpfs(folder, options):
    """A disk of its own in that folder."""
    check(libc().mount(b'tmpfs', os.fsencode(folder), b'tmpfs', 0, options.encode()))


def remount(folder, options):
    subprocess.run(['mount', '-o', f'remount,{options}', folder], check=True)


def bind(source, target):
    check(libc().mount(os.fsencode(source), os.fsencode(target), None, 0x1000, None))


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

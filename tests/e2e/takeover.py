"""Somebody else in a process of the program: ptrace(2) by ctypes.

`Taken` stops a child of a running poll and makes any system call in its name, by the child's own instruction and under
its own filters, as injected code would; it needs no hole in the program and no debugger on the machine. `trace` runs a
whole poll and tells each system call of all its processes, in order.

The registers are known for x86-64 only. Children are not dumpable, so all of this needs root."""
import ctypes
import ctypes.util
import errno
import os
import platform
import signal
import struct
import subprocess
import time

import poller

KNOWN = platform.machine() == 'x86_64' and poller.ROOT
REGISTERS = ('r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss '
             'fs_base gs_base ds es fs gs').split()
ARGUMENTS = ('rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9')
SYSCALL = b'\x0f\x05'
TRACEME, CONT, SINGLESTEP, GETREGS, SETREGS, ATTACH, DETACH, SYSCALL_STOP = 0, 7, 9, 12, 13, 16, 17, 24
SETOPTIONS, GET_SYSCALL_INFO = 0x4200, 0x420e
FOLLOW = 1 | 2 | 4 | 8 | 0x100000  # SYSGOOD, forks of each kind, and all die with us
WALL = 0x40000000
TRIES = 1000
ENTRY, EXIT = 1, 2

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=None, data=None):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f'ptrace({request}, {pid})')
    return result


def names():
    """{number: name} of all system calls of this machine that libseccomp knows."""
    lib = ctypes.CDLL(ctypes.util.find_library('seccomp') or 'libseccomp.so.2')
    lib.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p
    found = {}
    for number in range(512):
        name = lib.seccomp_syscall_resolve_num_arch(0, number)
        if name:
            found[number] = ctypes.string_at(name).decode()
    return found


class Killed(Exception):
    """The kernel ended the process for that call; the wait status is in args[0]."""


class Taken:
    """A process that waits in a system call, stopped. Octets among arguments are put below its stack."""

    def __init__(self, pid):
        self.pid = pid
        self.numbers = {name: number for number, name in names().items()}
        for _ in range(TRIES):
            ptrace(ATTACH, pid)
            os.waitpid(pid, WALL)
            self.before = self.registers()
            if self.is_in_call():
                return
            ptrace(DETACH, pid)
            time.sleep(0.01)
        raise RuntimeError('it does not wait in a system call')

    def is_in_call(self):
        """Whether it was stopped there; one that is still at work is not."""
        with open(f'/proc/{self.pid}/mem', 'rb', buffering=0) as memory:
            memory.seek(self.before['rip'] - 2)
            return memory.read(2) == SYSCALL

    def registers(self):
        room = (ctypes.c_ulonglong * len(REGISTERS))()
        ptrace(GETREGS, self.pid, None, ctypes.addressof(room))
        return dict(zip(REGISTERS, room))

    def set_registers(self, values):
        room = (ctypes.c_ulonglong * len(REGISTERS))(*[values[name] for name in REGISTERS])
        ptrace(SETREGS, self.pid, None, ctypes.addressof(room))

    def place(self, values):
        """The arguments as numbers; octets go well below the stack pointer."""
        at, numbers = (self.before['rsp'] - 8192) & ~0xf, []
        with open(f'/proc/{self.pid}/mem', 'r+b', buffering=0) as memory:
            for value in values:
                if isinstance(value, bytes):
                    memory.seek(at)
                    memory.write(value)
                    numbers.append(at)
                    at += (len(value) + 0x1f) & ~0xf
                else:
                    numbers.append(value % (1 << 64))
        return numbers

    def call(self, what, *values):
        """Its result, or -errno. `what` is a name or a number."""
        numbers = self.place(values) + [0] * (6 - len(values))
        registers = dict(self.before, rip=self.before['rip'] - 2, orig_rax=(1 << 64) - 1,
                         rax=self.numbers[what] if isinstance(what, str) else what, **dict(zip(ARGUMENTS, numbers)))
        self.set_registers(registers)
        ptrace(SINGLESTEP, self.pid)
        status = os.waitpid(self.pid, WALL)[1]
        if not os.WIFSTOPPED(status):
            raise Killed(status)
        if os.WSTOPSIG(status) != signal.SIGTRAP:
            raise RuntimeError(f'stopped by {os.WSTOPSIG(status)}')
        return ctypes.c_longlong(self.registers()['rax']).value

    def refuses(self, what, *values):
        """Whether the process cannot: 'refused', 'killed', or what came of it."""
        try:
            result = self.call(what, *values)
        except Killed as killed:
            return 'killed' if os.WTERMSIG(killed.args[0]) == signal.SIGSYS else killed.args[0]
        return 'refused' if result in (-errno.ENOSYS, -errno.EACCES) else result

    def release(self):
        """It goes on where it was."""
        self.set_registers(self.before)
        ptrace(DETACH, self.pid)


def info(pid):
    """(ENTRY, number, arguments) or (EXIT, result) of a process at a stop of that kind."""
    room = ctypes.create_string_buffer(88)
    ptrace(GET_SYSCALL_INFO, pid, len(room), ctypes.addressof(room))
    if room.raw[0] == ENTRY:
        number, *arguments = struct.unpack_from('7Q', room.raw, 24)
        return ENTRY, number, arguments
    return EXIT, struct.unpack_from('q', room.raw, 24)[0], None


def trace(words):
    """Runs it to its end. Its exit status, its pid, and [(pid, name, arguments, result)] of all that its processes
    called, in the order of the ends of the calls."""
    known, calls, begun = names(), [], {}
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               preexec_fn=lambda: libc.ptrace(TRACEME, 0, None, None))
    os.waitpid(process.pid, WALL)
    ptrace(SETOPTIONS, process.pid, None, FOLLOW)
    ptrace(SYSCALL_STOP, process.pid)
    while True:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            if pid == process.pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, pid, calls
            continue
        passed = os.WSTOPSIG(status)
        if passed == signal.SIGTRAP | 0x80:
            kind, number, arguments = info(pid)
            if kind == ENTRY:
                begun[pid] = known.get(number, number), arguments
            elif pid in begun:
                calls.append((pid, *begun.pop(pid), number))
        if passed in (signal.SIGTRAP | 0x80, signal.SIGTRAP, signal.SIGSTOP):
            passed = 0
        try:
            ptrace(SYSCALL_STOP, pid, None, passed)
        except ProcessLookupError:  # killed meanwhile
            pass

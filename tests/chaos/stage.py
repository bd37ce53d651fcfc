"""The stage of one round: namespaces of its own, so that what a round leaves behind is seen, whatever else runs.

A network of its own (only its loopback; port 53 is free for a name server, and every socket in it belongs to the round), mounts
of its own (/etc/hosts and resolv.conf, a /dev/shm that is empty, disks of a few kilobytes). The processes of a round
are those in its network. Rejected: a process namespace as well; it would end what is left instead of showing it.

Needs CAP_SYS_ADMIN. Without it the rounds run in the open: faults that need the stage are left out, processes are told by
a mark in their environment, and nothing is said about sockets and shared memory.
"""
import array
import ctypes
import fcntl
import os
import socket
import struct

import processes

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MARK = 'MULTISNMP_CHAOS'  # in the environment of all that a round starts

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *words):
    if getattr(libc, name)(*words) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f'{name}: {os.strerror(error)}')


def mount(source, target, kind=b'', flags=0, data=b''):
    call('mount', source.encode(), target.encode(), kind, flags, data)


def tmpfs(target, octets):
    mount('tmpfs', target, b'tmpfs', 0, b'size=%d' % octets)


def tmpfs_size(target, octets):
    mount('tmpfs', target, b'tmpfs', MS_REMOUNT, b'size=%d' % octets)


def read_only(target):
    mount(target, target, flags=MS_BIND)
    mount(target, target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = array.array('b', struct.pack('16sH14x', b'lo', 0))
        fcntl.ioctl(s, SIOCGIFFLAGS, request)
        flags, = struct.unpack_from('H', request, 16)
        struct.pack_into('H', request, 16, flags | IFF_UP)
        fcntl.ioctl(s, SIOCSIFFLAGS, request)


def available():
    """Tried in a child, for there is no way back."""
    pid = os.fork()
    if pid == 0:
        try:
            enter()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def enter():
    call('unshare', CLONE_NEWNS | CLONE_NEWNET)
    mount('none', '/', flags=MS_REC | MS_PRIVATE)
    loopback_up()
    tmpfs('/dev/shm', 1 << 20)


def name_files(folder, hosts, resolv):
    """What the resolver reads."""
    for name, text in (('hosts', hosts), ('resolv.conf', resolv)):
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='ascii') as f:
            f.write(text)
        os.chmod(path, 0o644)
        mount(path, os.path.realpath('/etc/' + name), flags=MS_BIND)


def adopt_orphans():
    """A process whose parent dies becomes ours: nothing escapes the look around afterwards."""
    call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def follow_parent():
    """For preexec_fn."""
    libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


# ---- what is left

def pids():
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def is_marked(pid, mark):
    try:
        with open(f'/proc/{pid}/environ', 'rb') as f:
            return mark.encode() in f.read()
    except OSError:
        return False


def is_in_network(pid, network):
    try:
        return os.readlink(f'/proc/{pid}/ns/net') == network
    except OSError:
        return False


def name_of(pid):
    lines = processes.status_of(pid)
    return f"{pid} {lines['Name']} {lines['State']}" if lines else None


def reap():
    """Orphans that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def still_there(known, mark, staged):
    """All of this round but those that are known."""
    network = os.readlink('/proc/self/ns/net')
    found = [pid for pid in pids() if pid not in known and pid != os.getpid()
             and (is_marked(pid, mark) or (staged and is_in_network(pid, network)))]
    return [name for name in map(name_of, found) if name]


def sockets():
    """Of this network: UDP, TCP that listens, sockets of the file system."""
    found = []
    for table in ('udp', 'udp6', 'tcp', 'tcp6', 'raw'):
        try:
            with open(f'/proc/self/net/{table}', encoding='ascii') as f:
                rows = [line.split() for line in f.readlines()[1:]]
        except OSError:
            continue
        found += [f'{table} {row[1]}' for row in rows if not table.startswith('tcp') or row[3] == '0A']
    return found

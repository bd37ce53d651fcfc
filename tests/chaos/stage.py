"""The stage of one round: namespaces of its own, so that what a round leaves behind is seen, whatever else runs.

A network of its own (only its loopback; port 53 is free for a name server, and every socket in it belongs to the round), mounts
of its own (/etc/hosts and resolv.conf, a /dev/shm that is empty, disks of a few kilobytes). The processes of a round
are those in its network. Rejected: a process namespace as well; it would end what is left instead of showing it.

Needs CAP_SYS_ADMIN. Without it the rounds run in the open: faults that need the stage are left out, processes are told by
a mark in their environment, and nothing is said about sockets and shared memory.
"""
import ctypes
import os

import namespaces
import processes

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MARK = 'MULTISNMP_CHAOS'  # in the environment of all that a round starts

libc = ctypes.CDLL(None)


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
    namespaces.enter(('mount', 'net'))
    namespaces.tmpfs('/dev/shm', 'size=1m')


def name_files(folder, hosts, resolv):
    """What the resolver reads."""
    for name, text in (('hosts', hosts), ('resolv.conf', resolv)):
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='ascii') as f:
            f.write(text)
        os.chmod(path, 0o644)
        namespaces.bind(path, os.path.realpath('/etc/' + name))


def adopt_orphans():
    """A process whose parent dies becomes ours: nothing escapes the look around afterwards."""
    namespaces.call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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

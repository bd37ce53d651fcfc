"""What /proc tells of the processes of a run; none of it is an error when a process has gone meanwhile."""
import os
import resource
import threading
import time

LARGEST = 1 << 28  # octets of a mapping of ours; AddressSanitizer's own have terabytes


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as f:
        return [int(word) for word in f.read().split()]


def children_or_none(pid):
    try:
        return children(pid)
    except OSError:
        return []


def status_of(pid):
    """The lines of its status by their names; none if it has gone."""
    try:
        with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as f:
            return dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
    except OSError:
        return {}


def numbers_of(pid):
    """The words of its stat from the state on; none if it has gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rpartition(')')[2].split()
    except OSError:
        return []


def state_of(pid):
    """R, S, T, Z …; None: there is no such process."""
    return next(iter(numbers_of(pid)), None)


def has_taken(pid, number):
    """A signal that was sent to it does not wait any more: its handler has run, if it has one."""
    status = status_of(pid)
    return not any(int(status.get(name, '0'), 16) >> number - 1 & 1 for name in ('SigPnd', 'ShdPnd'))


def ticks_of(pid):
    """Hundredths of a second that it has worked, for itself and in the kernel."""
    words = numbers_of(pid)
    return int(words[11]) + int(words[12]) if words else 0


def place_of(pid):
    """Where in the kernel it waits; empty: it does not, or nobody tells."""
    try:
        with open(f'/proc/{pid}/wchan', encoding='ascii') as f:
            told = f.read()
            return '' if told == '0' else told
    except OSError:
        return ''


def peak_kib(pid):
    """The most that it has held so far; 0: it has gone."""
    return int(status_of(pid).get('VmHWM', '0').split()[0])


def limit_memory(pid, more=0):
    """It may have the address space that it has, and so many octets more."""
    with open(f'/proc/{pid}/statm', encoding='ascii') as f:
        most = int(f.read().split()[0]) * resource.getpagesize() + more
    resource.prlimit(pid, resource.RLIMIT_AS, (most, resource.prlimit(pid, resource.RLIMIT_AS)[1]))


def sockets_of(pid):
    """The inodes of its sockets."""
    inodes = []
    try:
        for fd in os.listdir(f'/proc/{pid}/fd'):
            link = os.readlink(f'/proc/{pid}/fd/{fd}')
            if link.startswith('socket:['):
                inodes.append(link[8:-1])
    except OSError:
        pass
    return inodes


def inode_of_port(port):
    """Of the UDP socket there; None: nobody has it."""
    for table in '/proc/net/udp', '/proc/net/udp6':
        with open(table, encoding='ascii') as f:
            next(f)
            for line in f:
                words = line.split()
                if int(words[1].rsplit(':', 1)[1], 16) == port:
                    return words[9]
    return None


def wait_gone(pids, seconds):
    """How long it took until none of them is more than a zombie; None: longer than that."""
    start = time.monotonic()
    while any(state_of(pid) not in (None, 'Z', 'X') for pid in pids):
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.01)
    return time.monotonic() - start


class Peaks(threading.Thread):
    """Watches a poller and its children to the end; `most` is the largest peak of each process, in KiB."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most = process, {}
        self.start()

    def run(self):
        while self.process.poll() is None:
            for pid in [self.process.pid, *children_or_none(self.process.pid)]:
                self.most[pid] = max(self.most.get(pid, 0), peak_kib(pid))
            time.sleep(0.02)


def read_or_none(path):
    """What another process of the same user sees; None: it is not let."""
    try:
        with open(path, 'rb') as f:
            return f.read()
    except OSError:
        return None


def shared_memory(pid, at_least=1 << 16):
    """What it has mapped of memory without a file that is shared: (rights, octets) of each that is so large. None: it is not ours to
    see."""
    maps = read_or_none(f'/proc/{pid}/maps')
    if maps is None:
        return None
    found = []
    for line in maps.decode().splitlines():
        span, rights, *rest = line.split()
        low, high = (int(end, 16) for end in span.split('-'))
        if rights[3] == 's' and rest[3:4] == ['/dev/zero'] and high - low >= at_least:
            found.append((rights, high - low))
    return found


def writable_memory(pid):
    """The pieces of a process's own memory, or None where we may not look."""
    maps = read_or_none(f'/proc/{pid}/maps')
    if maps is None:
        return None
    pieces = []
    try:
        with open(f'/proc/{pid}/mem', 'rb', buffering=0) as mem:
            for line in maps.decode().splitlines():
                span, rights = line.split()[:2]
                low, high = (int(end, 16) for end in span.split('-'))
                if 'w' not in rights or high - low > LARGEST:
                    continue
                mem.seek(low)
                try:
                    pieces.append(mem.read(high - low))
                except OSError:  # nothing is there yet
                    pass
    except OSError:
        return None
    return pieces

"""The faults, a row each. A fault writes into the plan what is to be done, and what it excuses: a status, an exit status.
What no fault of the round excuses is a defect.

`kind`: of the kinds `end` and `output` a round has one fault at most, for a run ends once.
"""
import dataclasses
import signal
import typing


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    kind: str
    weight: int
    plan: typing.Callable       # plan(p)
    outputs: tuple = ()         # where it makes sense; (): everywhere
    stage: bool = False         # needs stage.py


STREAM, FILES, REPLACED = ('pipe',), ('file', 'old', 'append'), ('file', 'old')


# ---- workers

def kill(p, number, most=4):
    p.give_time()
    for _ in range(p.rng.randint(1, most)):
        p.kills += 1
        p.at('kill_child', number)


def kill_worker(p):
    kill(p, signal.SIGKILL)


def crash_worker(p):
    kill(p, p.rng.choice([signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE]))


def hang_worker(p):
    p.program = 'impatient'
    p.hangs = True
    kill(p, signal.SIGSTOP, 2)
    p.many_deaths = p.others_die = True  # on a busy machine 0.3 s are short for others, too


def no_memory(p):
    """More than it has now by so many KiB; a process that is refused memory ends itself."""
    p.give_time()
    if p.rng.random() < 0.5:
        p.add_breed('large')
    p.kills += 1
    p.at('limit_memory', p.rng.choice([0, 64, 256, 1024]), latest=0.3)


def poison(p):
    """A target whose answer kills the worker that decodes it (tests/e2e/poison.c), in the midst of its work."""
    p.add_breed('poison')
    p.many_deaths = True
    p.poison = p.rng.choice(['segv', 'segv', 'abort', 'exit', 'hang'])
    if p.poison == 'hang':
        p.program, p.hangs, p.others_die = 'impatient', True, True


def massacre(p):
    """No worker lives for longer than it takes to see it."""
    p.add_breed('silent')
    p.many_deaths = p.others_die = p.cancels = True
    p.exits |= {4}
    p.at('kill_all_that_are_born', latest=0.2)


def kill_resolver(p):
    p.give_time()
    p.add_breed('named')
    p.add_breed('unknown-name')
    for _ in range(p.rng.randint(1, 2)):
        p.kills += 1
        p.at(p.rng.choice(['kill_last_born']), signal.SIGKILL, latest=0.05)


def hang_resolver(p):
    p.program = 'impatient'
    p.hangs = p.many_deaths = p.others_die = True
    p.give_time()
    p.add_breed('named')
    p.kills += 1
    p.at('kill_last_born', signal.SIGSTOP, latest=0.05)


def suspend(p):
    """As Ctrl-Z or a laptop's lid, for longer than the second after which all waits begin anew."""
    p.give_time()
    p.at('suspend', 1.3)


def pause_master(p):
    p.give_time()
    p.at('pause_master', round(p.rng.uniform(0.05, 0.5), 3))


# ---- the master's end

def end_by(p, number):
    p.hold_open(128 + number)
    p.cancels = True
    p.exits |= {128 + number}
    p.at('signal', number)


def terminate(p):
    end_by(p, signal.SIGTERM)


def interrupt(p):
    end_by(p, signal.SIGINT)


def hang_up(p):
    end_by(p, signal.SIGHUP)


def interrupt_all(p):
    """As a terminal does: all processes get it."""
    end_by(p, signal.SIGINT)
    p.actions[-1] = (p.actions[-1][0], 'signal_all', (signal.SIGINT,))


def interrupt_twice(p):
    end_by(p, signal.SIGINT)
    p.actions.append((p.actions[-1][0] + p.rng.choice([0, 0, 0.001, 0.02]), 'signal', (signal.SIGINT,)))


def kill_master(p):
    p.hold_open(-signal.SIGKILL)
    p.takeover = True
    p.exits |= {-signal.SIGKILL}
    p.at('signal', signal.SIGKILL)


def deadline(p):
    p.deadline = p.rng.choice([1, 50, 200, 500])
    p.cancels = True
    if p.rng.random() < 0.5:
        p.add_breed('endless')
        p.sure = 1


# ---- the output

def slow_reader(p):
    p.reader = ('pause', round(p.rng.uniform(0, 0.3), 3), round(p.rng.uniform(0.1, 0.8), 3))


def trickle(p):
    p.reader = ('trickle', p.rng.choice([64, 700, 5000]))
    p.add_breed('good')


def closed_reader(p):
    after = p.rng.choice([0, 0, 1, 5000])
    p.reader = ('close', after)
    p.exits |= {141}
    if after == 0:
        p.sure = 141


def device_full(p):
    p.device = True
    p.sure = 3
    p.exits |= {3}


def disk_full(p):
    p.disk = p.rng.choice([12288, 20480, 65536])
    p.exits |= {3}
    p.takeover = True
    p.add_breed('good')


def file_limit(p):
    p.limits['RLIMIT_FSIZE'] = p.rng.choice([1, 1000, 20000])
    p.exits |= {3}


def folder_gone(p):
    p.gone = True
    p.give_time()
    p.exits |= {3}
    p.at('remove_folder')


def folder_read_only(p):
    p.read_only = True
    p.exits |= {3}
    p.sure = 3


def stdout_closed(p):
    p.no_stdout = True
    p.exits |= {3}
    p.sure = 3


def spool_full(p):
    """Records beyond a MiB find no room in TMPDIR: they lose their rows, and nobody else does."""
    p.spool = p.rng.choice([4096, 65536, 262144])
    p.add_breed('immense')
    p.latency = 0  # some hundred exchanges, one after the other
    p.exits |= {3}


def append_twice(p):
    """With records that take more than one write."""
    p.add_breed('large')
    p.runs = 2


def overlap(p):
    p.overlap = True
    p.give_time()
    p.at('second_run', earliest=0.01)


# ---- what the system gives

def few_descriptors(p):
    p.limits['RLIMIT_NOFILE'] = 64


def no_descriptors(p):
    p.limits['RLIMIT_NOFILE'] = p.rng.randint(4, 14)
    p.exits |= {2, 3, 4}
    p.many_deaths = p.others_die = p.cancels = True
    p.names = False


def silent_names(p):
    p.names = False
    p.add_breed('named-dns')
    p.add_breed('unknown-name')
    p.cancels = True
    if p.deadline is None:
        p.deadline = 600


def low_rate(p):
    p.rate = p.rng.choice([50, 200, 1000])
    if p.rate < 1000:
        p.deadline, p.cancels = p.deadline or 1500, True


def clock_jumps(p):
    p.clock = True
    p.give_time()
    for _ in range(p.rng.randint(1, 3)):
        p.at('set_clock', p.rng.choice([-86400, 86400, -3, 3600, 0]))


FAULTS = [
    Fault('worker killed', 'worker', 12, kill_worker),
    Fault('worker crashes', 'worker', 8, crash_worker),
    Fault('worker hangs', 'worker', 5, hang_worker),
    Fault('worker without memory', 'worker', 5, no_memory),
    Fault('target that kills workers', 'worker', 6, poison),
    Fault('no worker lives', 'worker', 1, massacre),
    Fault('resolver killed', 'worker', 5, kill_resolver, stage=True),
    Fault('resolver hangs', 'worker', 3, hang_resolver, stage=True),
    Fault('all suspended', 'worker', 2, suspend),
    Fault('master stopped for a while', 'worker', 4, pause_master),
    Fault('SIGTERM', 'end', 5, terminate),
    Fault('SIGINT', 'end', 3, interrupt),
    Fault('SIGHUP', 'end', 2, hang_up),
    Fault('SIGINT to all', 'end', 4, interrupt_all),
    Fault('two SIGINTs', 'end', 5, interrupt_twice),
    Fault('master killed', 'end', 7, kill_master),
    Fault('deadline', 'end', 6, deadline),
    Fault('reader pauses', 'output', 6, slow_reader, STREAM),
    Fault('reader trickles', 'output', 4, trickle, STREAM),
    Fault('reader closes', 'output', 6, closed_reader, STREAM),
    Fault('device full', 'output', 3, device_full, REPLACED),
    Fault('disk full', 'output', 8, disk_full, FILES, stage=True),
    Fault('file size limit', 'output', 5, file_limit, FILES + ('plain',)),
    Fault('output folder removed', 'output', 5, folder_gone, FILES),
    Fault('output folder read-only', 'output', 3, folder_read_only, FILES, stage=True),
    Fault('stdout closed', 'output', 2, stdout_closed, STREAM),
    Fault('no room for large records', 'output', 4, spool_full, STREAM + REPLACED, stage=True),
    Fault('two runs append', 'output', 8, append_twice, ('append',)),
    Fault('second run', 'output', 6, overlap, REPLACED),
    Fault('64 descriptors', 'system', 5, few_descriptors),
    Fault('few descriptors', 'limit', 2, no_descriptors),
    Fault('silent name server', 'system', 4, silent_names, stage=True),
    Fault('low rate', 'system', 4, low_rate),
    Fault('clock jumps', 'system', 6, clock_jumps),
]
ONCE = ('end', 'output', 'limit')
BARREN = 5  # deaths of each worker, as src/pool/master_children.c has it


def throw(p):
    """Faults of a round: none in one of eight, else up to five."""
    able = [f for f in FAULTS if (not f.outputs or p.output in f.outputs) and (p.staged or not f.stage)]
    taken = []
    for _ in range(p.rng.choice([0, 1, 1, 2, 2, 3, 4, 5])):
        fault = p.rng.choices(able, [f.weight for f in able])[0]
        if fault not in taken and not (fault.kind in ONCE and fault.kind in [t.kind for t in taken]):
            taken.append(fault)
    if p.by_file:  # its one group has no room for other settings
        taken = [f for f in taken if f.plan in (slow_reader, device_full, file_limit, few_descriptors)]
    for fault in taken:
        p.faults.append(fault.name)
        fault.plan(p)
    if p.kills >= BARREN * p.workers or p.program == 'impatient':
        p.exits |= {4}  # so many deaths in a row without a record may be: then it gives up
        p.cancels = True

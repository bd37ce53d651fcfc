"""What a round is going to be, from its seed alone: whom to poll, how, and which faults come when.

Nothing here starts or measures anything; the same seed and number give the same plan. (Not the same run: when the kernel
lets whom run is no part of a seed.)
"""
import dataclasses
import random

import breeds
import faults

LATEST = 0.7  # seconds: faults come up to then; a silent target's tries (0.1 + 0.2 + 0.4 s) take as long
SLOW = 4      # silent targets that may stand behind one slot of a window: 2.8 s
CLOSED = 7    # a port where nobody listens


@dataclasses.dataclass
class Target:
    breed: breeds.Breed
    shown: str    # `host` of its record
    address: str  # of its agent


@dataclasses.dataclass
class Entry:
    """A line of the list: one target, or a block of them."""
    breed: breeds.Breed
    words: dict
    targets: list


class Plan:
    def __init__(self, seed, number, staged):
        self.seed, self.number, self.staged = seed, number, staged
        self.rng = rng = random.Random(f'{seed}/{number}')
        self.actions = []       # (seconds after the start, method of actions.Actions, words)
        self.faults = []        # their names
        self.exits = {0, 1}     # what the exit status may be
        self.sure = None        # ... and is, if an endless target kept the run at work until then
        self.kills = 0          # workers that may die of the faults, at most
        self.many_deaths = False
        self.others_die = False # ... at work on whomever
        self.poison = None      # what the answers of the breed of that name do
        self.cancels = False    # an end from without: what is open is cancelled
        self.hangs = False      # sessions that hang are timeouts
        self.names = True       # the name server answers
        self.limits = {}        # RLIMIT_*
        self.clock = False
        self.program = 'real'
        self.reader = ('fast',)
        self.disk = None        # octets of the output's file system
        self.read_only = self.gone = self.device = False
        self.no_stdout = False
        self.spool = None       # octets of TMPDIR's file system
        self.takeover = False   # after the run another one takes its output
        self.runs = 1           # appending to one file
        self.overlap = False
        self.format = rng.choice(['jsonl', 'jsonl', 'text'])
        self.workers = rng.randint(1, 4)
        self.window = rng.choice([1, 4, 16, 64, 4096, 4096])
        self.output = rng.choices(['pipe', 'file', 'old', 'append', 'plain'], [5, 2, 3, 2, 1])[0]
        self.rate = self.deadline = None
        self.latency = rng.choice([0, 0, 0, 5, 20])  # ms, of all agents
        self.by_file = rng.random() < 0.15  # --targets instead of hosts:
        self.chosen = self.choose_breeds()
        faults.throw(self)
        self.entries = [entry for number, breed in enumerate(self.chosen) for entry in self.list_breed(number, breed)]
        rng.shuffle(self.entries)
        self.window = max(self.window, self.slow_targets() // (SLOW * self.workers))
        self.actions.sort(key=lambda action: action[0])

    # ---- for faults

    def at(self, action, *words, earliest=0.0, latest=LATEST):
        self.actions.append((round(self.rng.uniform(earliest, latest), 3), action, words))

    def last_action(self):
        return max((when for when, _, _ in self.actions), default=0)

    def add_breed(self, name):
        if breeds.BY_NAME[name] not in self.chosen:
            self.chosen.append(breeds.BY_NAME[name])

    def give_time(self):
        """Something that is not over before the faults come."""
        if self.rng.random() < 0.8:
            self.add_breed(self.rng.choice(['silent', 'too-late', 'lossy', 'dies', 'v3-silent']))

    def hold_open(self, status):
        """Half of the time something that only the fault ends, and then it must be seen to."""
        self.give_time()
        if self.rng.random() < 0.5:
            self.add_breed('endless')
            self.sure = status

    # ---- targets

    def may_be_chosen(self, breed):
        if self.by_file:
            return breed.where == 'park' and breed.asks is breeds.GET
        return breed.where in ('park', 'closed', 'tcp', 'tcp-silent') or self.staged

    def choose_breeds(self):
        able = [breed for breed in breeds.BREEDS if breed.weight and self.may_be_chosen(breed)]
        count = self.rng.choice([1, 2, 3, 4, 6, 8, 12])
        chosen = self.rng.choices(able, [breed.weight for breed in able], k=count)
        return list(dict.fromkeys(chosen))

    def list_breed(self, number, breed):
        """Entries of a breed, in a network of its own."""
        net = breeds.POISON_NET if breed.name == 'poison' else 10 + number
        left = self.rng.randint(1, max(1, min(breed.most, self.rng.choice([3, 20, 400]))))
        entries, third = [], 0
        while left > 0:
            entry = self.list_some(breed, f'127.{net}.{third}', left)
            left -= len(entry.targets)
            entries.append(entry)
            third += 1
        return entries

    def list_some(self, breed, net, most):
        where = breed.where
        if where in ('park', 'closed') and not breed.name.startswith('tcp') and most > 1 and self.rng.random() < 0.7:
            return self.list_block(breed, net, most)
        last = self.rng.randint(1, 250)
        address = f'{net}.{last}'
        dashed = address.replace('.', '-')
        written = {'name': f'h{dashed}.test', 'dns': f'd{dashed}.test', 'nowhere': f'n{dashed}.invalid'}.get(where, address)
        words = {'host': written}
        if breed.name.startswith('tcp'):
            words = {'host': f'tcp:{address}:PORT', 'label': f'{breed.name}-{dashed}'}
        elif self.rng.random() < 0.3 and not self.by_file:
            words['label'] = f'{breed.name} {dashed}'
        return Entry(breed, words, [Target(breed, words.get('label', words['host']), address)])

    def list_block(self, breed, net, most):
        if self.rng.random() < 0.5:
            first = self.rng.randint(0, 50)
            lasts = range(first, first + min(most, self.rng.randint(1, 200)))
            written = f'{net}.{first}-{lasts[-1]}'
        else:
            bits = min(most.bit_length() - 1, 8)
            lasts = range(1 << bits)
            written = f'{net}.0/{32 - bits}'
        return Entry(breed, {'host': written}, [Target(breed, f'{net}.{last}', f'{net}.{last}') for last in lasts])

    def slow_targets(self):
        return sum(target.breed.quiet != breeds.OK for target in self.targets)

    @property
    def targets(self):
        return [target for entry in self.entries for target in entry.targets]

    # ---- what the program reads

    def rules(self):
        """Of the simulated agents. Two breeds never share a network."""
        rules = {}
        for entry in self.entries:
            if entry.breed.rule:
                net = '.'.join(entry.targets[0].address.split('.')[:2])
                rules[net] = f'{net}.0.0/16:{entry.breed.rule}'
        return list(rules.values())

    def yaml(self, ports):
        """ports: {where: port}"""
        defaults = {'port': ports['park'], 'timeout': '100ms', 'retries': 2}
        if self.by_file:
            defaults.update(breeds.GET)
        lines = ['defaults: ' + flow(defaults), 'groups:']
        for breed in dict.fromkeys(entry.breed for entry in self.entries):
            port = {'port': CLOSED} if breed.where == 'closed' and not breed.name.startswith('tcp') else {}
            lines.append(f'  {breed.name}: ' + flow({**breed.asks, **port}))
        lines.append('hosts:' if self.entries and not self.by_file else 'hosts: []')
        if not self.by_file:
            for entry in self.entries:
                port = str(ports.get(entry.breed.where, CLOSED))
                host = entry.words['host'].replace('PORT', port)
                lines.append('  - ' + flow({**entry.words, 'host': host, 'group': entry.breed.name}))
        return '\n'.join(lines) + '\n'

    def command(self, path):
        """path(name) -> where it lies in the round's folder"""
        words = ['-f', path('hosts.yaml'), '-F', self.format, '-j', self.workers, '--window', self.window, '-s']
        if self.by_file:
            words += ['--targets', path('targets')]
        if self.output in ('file', 'old', 'append'):
            words += ['-o', '/dev/full' if self.device else path('out/result')]
        if self.output == 'append':
            words += ['--append']
        if self.rate:
            words += ['--rate', self.rate]
        if self.deadline:
            words += ['--deadline', f'{self.deadline}ms']
        return [str(word) for word in words]

    def story(self):
        """For a person."""
        lines = [f'faults: {", ".join(self.faults) or "none"}',
                 f'output: {self.output}, {self.format}; program: {self.program}']
        lines += [f'  at {when:.3f} s: {action} {words or ""}' for when, action, words in self.actions]
        counts = {}
        for target in self.targets:
            counts[target.breed.name] = counts.get(target.breed.name, 0) + 1
        lines.append('targets: ' + ', '.join(f'{count} {name}' for name, count in counts.items()))
        return '\n'.join(lines)


def flow(words):
    """A mapping on one line of YAML."""
    def value(v):
        return '[' + ', '.join(v) + ']' if isinstance(v, list) else f'"{v}"' if isinstance(v, str) else str(v)
    return '{' + ', '.join(f'{key}: {value(v)}' for key, v in words.items()) + '}'

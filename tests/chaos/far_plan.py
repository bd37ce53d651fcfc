"""What a round over a broker is going to be, from its seed alone: sites, agents, hosts, and which faults come when.

As in plan.py nothing here starts or measures anything. A fault is a row of FAULTS: its weight, and a function that draws whom it
hits and for how long; each becomes a deed of far_round.Round at a moment. What is left to a round is who has that role when the moment has come.
"""
import random

import rabbit

LATEST = 6.0       # seconds after the master's start: then silent hosts still have a second
SILENT_LASTS = 7   # seconds: 1 + 2 + 4
QUEUES_OLD = rabbit.OLD_ENOUGH + 1  # a broker is not killed before
PARTS = ('worker', 'cell', 'courier', 'supervisor')  # of an agent
STOPS = (0.05, 0.5, 3, 7, 12)  # seconds: heartbeats of workers are 5 and 10 s apart, a courier's PING likewise


class Plan:
    def __init__(self, seed, number):
        self.seed, self.number = seed, number
        self.rng = rng = random.Random(f'{seed}/far/{number}')
        self.sites = rng.choice([['default'], ['default'], ['default', 'south']])
        self.agents = [(f'{site}{i}', site) for site in self.sites for i in range(rng.choice([1, 2, 2, 3]) if site == 'default' else 1)]
        self.pace = ('-j', str(rng.randint(1, 3)), '--window', str(rng.choice([20, 40, 80])))
        self.blocks = [(f'127.{2 + at}.{third}.0/24', site) for at, site in enumerate(self.sites)
                       for third in range(rng.randint(4, 12) // len(self.sites))]
        self.silent, self.failing = rng.choice([0, 0, 1, 8]), rng.choice([0, 16])  # the last addresses of the first block
        self.patience = rng.choice([8, 12])
        self.deeds, self.faults, self.proxied = [], [], set()
        for row in rng.choices(FAULTS, [weight for weight, _ in FAULTS], k=rng.choice([1, 2, 2, 3, 3, 4, 6])):
            row[1](self)
        self.deeds.sort()

    def at(self, name, *words, earliest=0.1, latest=LATEST):
        """At a moment: a method of the round, and its words."""
        self.deeds.append((round(self.rng.uniform(earliest, latest), 2), name, words))
        self.faults.append(name if not words or words[0] not in PARTS else f'{name}_{words[0]}')

    def expected(self):
        """How many records of each status."""
        counts = {'ok': 256 * len(self.blocks) - self.silent - self.failing, 'timeout': self.silent, 'error': self.failing}
        return {status: count for status, count in counts.items() if count}

    def rules(self):
        """Of the simulated devices: the last rows of the first block differ."""
        net = self.blocks[0][0].rpartition('.')[0]
        rules = [f'{net}.{256 - self.silent}-255:silent'] if self.silent else []
        if self.failing:
            rules += [f'{net}.{256 - self.silent - self.failing}-{255 - self.silent}:gen-err']
        return [*rules, '*:late=100ms']

    def yaml(self, port):
        hosts = ''.join(f'  - {{host: {block}, site: {site}}}\n' for block, site in self.blocks)
        return (f'broker: {{patience: {self.patience}s}}\ndefaults: {{port: {port}, timeout: 1s, retries: 2}}\n'
                f'hosts:\n{hosts}')

    def any_agent(self):
        return self.rng.choice(self.agents)[0]

    def story(self):
        lines = [f'agents {", ".join(name for name, _ in self.agents)} with {" ".join(self.pace)}, patience {self.patience} s',
                 f'hosts: {self.expected()}']
        return '\n'.join(lines + [f'{when:6.2f} s {name} {" ".join(map(str, words))}' for when, name, words in self.deeds])


# ---- faults

def kill_part(p):
    p.at('kill_part', p.rng.choice(PARTS[:3]), p.any_agent())


def kill_supervisor(p):
    """Its children are to go by themselves; somebody starts it anew."""
    p.at('kill_part', 'supervisor', p.any_agent(), round(p.rng.uniform(0, 2), 2))


def agent_without_power(p):
    p.at('power_off', p.any_agent(), round(p.rng.uniform(0, 2), 2))


def drain(p):
    p.at('drain', p.any_agent(), round(p.rng.uniform(0, 2), 2))


def stop_part(p):
    p.at('stop_part', p.rng.choice(PARTS), p.any_agent(), p.rng.choice(STOPS))


def agent_that_sleeps(p):
    p.at('sleep_agent', p.any_agent(), p.rng.choice(STOPS))


def kill_masters_courier(p):
    p.at('kill_masters_courier')


def kill_master(p):
    """With its courier, or without; the run is taken up."""
    p.at('kill_master', p.rng.choice(['alone', 'tree']), round(p.rng.uniform(0, 2), 2))


def stop_master(p):
    p.at('stop_master', p.rng.choice(['alone', 'courier', 'tree']), p.rng.choice(STOPS))


def line(p):
    who = p.rng.choice(['master', p.any_agent()])
    p.proxied.add(who)
    deed = p.rng.choice(['cut', 'cut', 'stall', 'refuse', 'swallow'])
    p.at('line', deed, who, round(p.rng.uniform(0.05, 5), 2))


def kill_broker(p):
    p.at('kill_broker', round(p.rng.uniform(0, 1), 2), earliest=QUEUES_OLD)


def stop_broker(p):
    p.at('stop_broker', p.rng.choice(STOPS[:4]))


def alarm(p):
    p.at('alarm', round(p.rng.uniform(0.2, 3), 2))


def close_connections(p):
    p.at('close_connections')


FAULTS = [  # (weight, function)
    (6, kill_part), (3, kill_supervisor), (3, agent_without_power), (2, drain), (4, stop_part), (2, agent_that_sleeps),
    (3, kill_masters_courier), (3, kill_master), (2, stop_master), (4, line), (3, kill_broker), (2, stop_broker), (1, alarm),
    (1, close_connections),
]

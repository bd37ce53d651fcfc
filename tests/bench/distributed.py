#!/usr/bin/env python3
"""The benchmark of runs over a broker: what they cost beside a local run, what the master holds, what a broker carries.

usage: distributed.py [--rounds N] [--quick] [--out FILE] [cost|memory|rates ...]     (or: make bench-distributed)

cost    CPU per record: the master and the agent with all their processes together (the broker is not counted), against the
        local program; both in each round, one after the other; the median of the rounds' ratios counts.
memory  the master's largest resident size for 1,000,000 targets and for 10,000.
rates   records and batches a second over one node and over three, with the broker's own CPU: for the sizing table.

An agent lives for the run that is measured and is ended by SIGTERM, so that wait4 tells of all its processes. The broker and the
devices share the processors with all this: the CPU is the program's, the rates are this machine's."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'e2e')]

import processes  # noqa: E402
import rabbit  # noqa: E402
from harness import Agents, Bench, median  # noqa: E402

LIVE, MILLION, SMALL = 131072, 1048576, 16384
BATCH = 512
COST_LIMIT, MEMORY_LIMIT = 1.25, 4096  # times; KiB
LONG = 600


class Timed:
    """A process whose whole tree is accounted for when it has ended."""

    def __init__(self, bench, name, *words):
        self.log = os.path.join(bench.scratch, name + '.log')
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen([bench.multisnmp, *map(str, words)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.begun = time.monotonic()

    def end(self, number=None):
        """Waits for it (after a signal), and returns seconds of CPU and of the clock."""
        if number:
            self.process.send_signal(number)
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode not in (0, 128 + (number or 0)):
            with open(self.log, encoding='utf-8', errors='replace') as f:
                sys.exit(f'{self.log}: exit status {self.process.returncode}\n{f.read()[-3000:]}')
        return usage.ru_utime + usage.ru_stime, time.monotonic() - self.begun


def block_of(n):
    return f'127.16.0.0/{32 - (n - 1).bit_length()}'


def words_of(bench, port, n, *extra):
    return ('-q', '-F', 'jsonl', '-o', os.path.join(bench.scratch, 'out.jsonl'), '-p', port, *extra, block_of(n))


def check(bench, n):
    got = bench.count_ok()
    if got != (n, n):
        sys.exit(f'{got} records and ok ones of {n}')


def local_run(bench, port, n):
    cpu, wall = Timed(bench, 'local', *words_of(bench, port, n)).end()
    check(bench, n)
    return cpu / n, wall


def empty_file(bench):
    path = os.path.join(bench.scratch, 'agent.yaml')
    with open(path, 'w', encoding='ascii') as f:
        f.write('{}\n')
    return path


def start_agent(bench, url):
    return Timed(bench, 'agent', '--agent', '--broker', url, '-f', empty_file(bench), '--name', 'bench', '-q')


def remote_run(bench, port, n, url):
    """CPU per record of master and agent, and the master's seconds."""
    agent = start_agent(bench, url)
    cpu, wall = Timed(bench, 'master', '--broker', url, *words_of(bench, port, n)).end()
    check(bench, n)
    agents_cpu, _ = agent.end(signal.SIGTERM)
    return (cpu + agents_cpu) / n, wall, cpu / n


def cost(bench):
    n = LIVE // 4 if bench.quick else LIVE
    pairs = []
    with Agents(bench.agents) as agents, rabbit.Broker() as broker:
        for _ in range(bench.rounds):
            pairs.append((local_run(bench, agents.port, n), remote_run(bench, agents.port, n, broker.url())))
    bench.say()
    bench.say(f'One object of {n:,} devices, local and over a broker ({bench.rounds} rounds, medians)')
    local, remote, master = (median([pick(p) for p in pairs]) * 1e6 for pick in (
        lambda p: p[0][0], lambda p: p[1][0], lambda p: p[1][2]))
    bench.say(f'  local                  {local:7.2f} us of CPU per record, {median([p[0][1] for p in pairs]):.2f} s')
    bench.say(f'  master and agent       {remote:7.2f} us of CPU per record, {median([p[1][1] for p in pairs]):.2f} s')
    bench.say(f'    the master of that   {master:7.2f} us')
    ratio = median([p[1][0] / p[0][0] for p in pairs])
    bench.verdict(f'CPU per record, of the local run\'s (at most {COST_LIMIT})', ratio, ratio <= COST_LIMIT)


def peak_of_master(bench, port, n, url):
    agent = start_agent(bench, url)
    master = Timed(bench, 'master', '--broker', url, *words_of(bench, port, n))
    peaks = processes.Peaks(master.process)
    peaks.join(LONG)
    if master.process.returncode:
        sys.exit(f'the master of {n} ended with {master.process.returncode}')
    check(bench, n)
    agent.end(signal.SIGTERM)
    os.unlink(os.path.join(bench.scratch, 'out.jsonl'))
    return peaks.most[master.process.pid], max(kib for pid, kib in peaks.most.items() if pid != master.process.pid)


def memory(bench):
    large = MILLION // 4 if bench.quick else MILLION
    with Agents(bench.agents) as agents, rabbit.Broker() as broker:
        found = {n: peak_of_master(bench, agents.port, n, broker.url()) for n in (SMALL, large)}
    bench.say()
    bench.say('Peak memory of a run over a broker, MiB')
    for n, (master, courier) in found.items():
        bench.say(f'  {n:>9,} targets   master {master / 1024:6.1f}   its courier {courier / 1024:6.1f}')
    more = found[large][0] - found[SMALL][0]
    bench.verdict(f'the master\'s for {large:,} above that for {SMALL:,}, MiB (at most 4)', more / 1024, more <= MEMORY_LIMIT)


def rates(bench):
    n = LIVE // 4 if bench.quick else LIVE
    bench.say()
    bench.say(f'One object of {n:,} devices, one agent ({bench.rounds} rounds, medians)')
    for title, make in ('one node', rabbit.Broker), ('three nodes', rabbit.Cluster):
        runs = []
        with Agents(bench.agents) as agents, make() as broker:
            nodes = getattr(broker, 'brokers', None) or [broker]
            for _ in range(bench.rounds):
                before = sum(processes.ticks_of(node.process.pid) for node in nodes)
                _, wall, _ = remote_run(bench, agents.port, n, broker.url())
                ticks = sum(processes.ticks_of(node.process.pid) for node in nodes) - before
                runs.append((wall, ticks / os.sysconf('SC_CLK_TCK')))
        wall, cpu = (median([run[i] for run in runs]) for i in (0, 1))
        bench.say(f'  {title:<12} {n / wall:>9,.0f} records/s  {n / BATCH / wall:>7,.0f} batches/s  broker: '
                  f'{cpu / n * BATCH * 1e3:.2f} ms of CPU per batch')


SCENARIOS = {function.__name__: function for function in (cost, memory, rates)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--quick', action='store_true', help='fewer devices: to try the benchmark itself')
    parser.add_argument('--out', default='bench-distributed.txt')
    parser.add_argument('scenario', nargs='*', default=[], metavar='SCENARIO', help=' '.join(SCENARIOS))
    options = parser.parse_args()
    if not rabbit.SBIN or not rabbit.program_speaks_to_brokers():
        sys.exit('bench-distributed: needs rabbitmq-server, and a program built with librabbitmq')
    for name in options.scenario:
        if name not in SCENARIOS:
            parser.error(f'no scenario {name}')
    bench = Bench(options)
    bench.say(f'multisnmp over a broker: {os.cpu_count()} processors, {time.strftime("%Y-%m-%d")}, '
              f'{os.uname().sysname} {os.uname().release}')
    try:
        for name in options.scenario or SCENARIOS:
            SCENARIOS[name](bench)
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)
    with open(options.out, 'w', encoding='utf-8') as f:
        f.write('\n'.join(bench.lines) + '\n')
    print(f'\nwritten to {options.out}')


if __name__ == '__main__':
    main()

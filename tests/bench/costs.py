"""What a poll costs besides time: memory and system calls."""
import os
import re
import shutil
import subprocess
import time

from harness import Agents
from polls import LIVE, MILLION, SMALL, all_but, others


def peaks(bench, run):
    """KiB: the first process, the largest of its children, all together at one time."""
    peak = {"master": 0, "worker": 0, "all": 0}
    run(bench.scratch, sample=lambda p: sample(p, peak))
    bench.say(f"{run.name:<34}{run.records:>12,}{peak['master'] / 1024:>9.1f}{peak['worker'] / 1024:>15.1f}"
              f"{peak['all'] / 1024:>12.1f}")
    return peak


def memory(bench):
    bench.say()
    bench.say("Peak memory, MiB")
    bench.say(f"{'':<34}{'records':>12}{'first':>9}{'largest child':>15}{'all (Pss)':>12}")
    with Agents(bench.agents) as agents:
        for run in others(bench, agents.port, LIVE):
            peaks(bench, run)
        for n in (SMALL, MILLION):
            peak = peaks(bench, bench.ours(agents.port, "127.16.0.0/12", n, *all_but(n), name="(e) multisnmp",
                                        out="memory.jsonl"))
            os.unlink(os.path.join(bench.scratch, "memory.jsonl"))
    bench.verdict("master below 16 MiB", peak["master"] / 1024, 0 < peak["master"] < 16384)
    bench.verdict("worker below 32 MiB", peak["worker"] / 1024, 0 < peak["worker"] < 32768)


def field(path, name):
    try:
        with open(path) as f:
            return int(re.search(name + r":\s+(\d+)", f.read()).group(1))
    except (OSError, AttributeError):
        return 0


def sample(process, peak):
    while True:
        try:
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as f:
                children = f.read().split()
            state = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        peak["master"] = max(peak["master"], field(f"/proc/{process.pid}/status", "VmHWM"))
        for child in children:
            peak["worker"] = max(peak["worker"], field(f"/proc/{child}/status", "VmHWM"))
        peak["all"] = max(peak["all"], sum(field(f"/proc/{pid}/smaps_rollup", "Pss")
                                           for pid in [process.pid, *children]))
        time.sleep(0.01)


def syscalls(bench):
    bench.say()
    if not shutil.which("strace"):
        bench.say("System calls per record: strace is not installed")
        return
    n = 16384
    bench.say(f"System calls per record, {n:,} agents")
    with Agents(bench.agents) as agents:
        for run in [*others(bench, agents.port, n),
                    bench.ours(agents.port, "127.16.0.0/18", n, name="(e) multisnmp")]:
            calls = count_calls(bench, run)
            total = calls.pop("total", sum(calls.values()))
            most = sorted(calls.items(), key=lambda c: -c[1])[:5]
            bench.say(f"{run.name:<34}{total / n:>9.3f}  ("
                      + ", ".join(f"{name} {count / n:.3f}" for name, count in most) + ")")


def count_calls(bench, run):
    trace = os.path.join(bench.scratch, "strace")
    subprocess.run(["strace", "-f", "-c", "-U", "name,calls", "-o", trace, *run.argv], check=True,
                   stdout=subprocess.DEVNULL)
    with open(trace) as f:
        return {line.split()[0]: int(line.split()[1]) for line in f
                if len(line.split()) == 2 and line.split()[1].isdigit()}

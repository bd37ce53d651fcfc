"""What every scenario uses: the agents, a timed command, rounds, a table of medians, a verdict."""
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time


class Agents:
    """The simulated agents on a free port, ended by their own pid."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, "--port", "0", "--stop-after", "1800",
                                         "--with-parent", *options], stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.counters = json.loads(self.process.stdout.read().strip() or "{}")
        self.process.wait()


class Run:
    """One command, timed as a whole process tree; its output on a tmpfs."""

    def __init__(self, name, argv, records, stdin=None, env=None, preexec=None):
        self.name, self.argv, self.records = name, argv, records
        self.stdin, self.env, self.preexec = stdin, env, preexec

    def __call__(self, scratch, sample=None):
        out = open(os.path.join(scratch, "stdout"), "wb")
        stdin = open(self.stdin, "rb") if self.stdin else subprocess.DEVNULL
        epoch, start = time.time(), time.monotonic()
        process = subprocess.Popen(self.argv, stdin=stdin, stdout=out, stderr=subprocess.PIPE,
                                   env={**os.environ, **(self.env or {})}, preexec_fn=self.preexec)
        if sample:
            sample(process)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        err = process.stderr.read().decode(errors="replace")
        process.returncode = os.waitstatus_to_exitcode(status)
        out.close()
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "status": process.returncode,
                "stderr": err, "epoch": epoch, "per_record": (usage.ru_utime + usage.ru_stime) / self.records}


def median(values):
    return statistics.median(values)


def addresses(n, net="127.16"):
    return [f"{net}.{i // 256}.{i % 256}" for i in range(n)]


def tmpfs():
    for folder in ("/dev/shm", "/tmp"):
        if os.path.isdir(folder) and os.access(folder, os.W_OK):
            return folder
    return None


class Bench:
    def __init__(self, options):
        self.rounds, self.quick = options.rounds, options.quick
        self.multisnmp = os.environ.get("MULTISNMP", os.path.abspath("multisnmp"))
        self.agents = os.environ.get("SNMP_AGENTS", os.path.abspath("snmp-agents"))
        self.competitors = os.environ.get("BENCH_PROGRAMS", os.path.abspath("tests/bench"))
        self.scratch = tempfile.mkdtemp(prefix="multisnmp-bench.", dir=tmpfs())
        self.lines = []

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def program(self, name):
        return os.path.join(self.competitors, name)

    def ours(self, port, target, records, *extra, env=None, prefix=(), name="multisnmp", out="out.jsonl"):
        path = os.path.join(self.scratch, out)
        argv = [*prefix, self.multisnmp, "-q", "-F", "jsonl", "-o", path,
                "-p", port, *extra, target]
        return Run(name, argv, records, env=env)

    def count_ok(self, out="out.jsonl"):
        """How many records the file holds, and how many of them are ok."""
        ok = total = 0
        with open(os.path.join(self.scratch, out), "rb") as lines:
            for line in lines:
                total += 1
                ok += b'"status":"ok"' in line
        return total, ok

    def table(self, title, runs, first, rounds=None, check=None, unit="record"):
        """Runs all in turn; ratios against `first`, within each round. unit: what a run's `records` are."""
        rounds = rounds or self.rounds
        results = {r.name: [] for r in runs}
        for _ in range(rounds):
            for r in runs:
                results[r.name].append(r(self.scratch))
                if check:
                    check(r, results[r.name][-1])
        self.say()
        self.say(f"{title} ({rounds} rounds, medians)")
        self.say(f"{'':<34}{unit + 's/s':>12}{'wall s':>9}{'us CPU/' + unit:>17}{'wall ratio':>12}{'CPU ratio':>11}")
        for r in runs:
            walls = [x["wall"] for x in results[r.name]]
            base = results[first]
            wall_ratio = median([a["wall"] / r.records / (b["wall"] / self.records_of(runs, first))
                                 for a, b in zip(results[r.name], base)])
            cpu_ratio = median([a["per_record"] / b["per_record"] for a, b in zip(results[r.name], base)])
            self.say(f"{r.name:<34}{r.records / median(walls):>12,.0f}{median(walls):>9.3f}"
                     f"{median([x['per_record'] for x in results[r.name]]) * 1e6:>17.2f}"
                     f"{wall_ratio:>12.2f}{cpu_ratio:>11.2f}")
        return results

    @staticmethod
    def records_of(runs, name):
        return next(r.records for r in runs if r.name == name)

    def targets(self, addresses, name="targets"):
        """A file of targets that anybody may read."""
        path = os.path.join(self.scratch, name)
        with open(path, "w") as f:
            f.writelines(address + "\n" for address in addresses)
        os.chmod(self.scratch, 0o777)
        os.chmod(path, 0o644)
        return path

    def verdict(self, what, figure, good):
        self.say(f"  {'reached' if good else 'MISSED '}  {what}" + (f": {figure:.2f}" if figure else ""))

    @staticmethod
    def ratio(results, run, other, key="wall"):
        """Of two runs, the median of the rounds' ratios."""
        return median([a[key] / b[key] for a, b in zip(results[run.name], results[other.name])])

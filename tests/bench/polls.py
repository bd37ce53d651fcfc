"""GET of one object: from many hosts at once, from slow and silent ones, from a million."""
import os
import shutil
import subprocess
import sys

from harness import Agents, Run, addresses, median

LIVE, LATENCY, MILLION, SMALL, BLOCKING = 131072, 10000, 1000000, 10000, 32768
WINDOW = 4096  # multisnmp's default: (b) has as much in the air; (b') shows what else it can do
TIMEOUT_S, SILENT_RETRIES = 1.0, 1
UNAVOIDABLE_S = TIMEOUT_S * (1 + 2)  # the first wait and the doubled second one


def live(bench):
    n = LIVE // 4 if bench.quick else LIVE
    block = "127.16.0.0/%d" % (32 - (n - 1).bit_length())
    with Agents(bench.agents) as agents:
        port = agents.port
        runs = [
            Run("(a) limit: raw datagrams", [bench.program("raw"), port, "127.16.0.0", str(n)], n),
            bench.ours(port, block, n, name="(e) multisnmp"),
            bench.ours(port, block, n, "-j", "1", name="(e) multisnmp -j 1"),
        ]
        runs.append(sessions(bench, "(b) Net-SNMP's sessions", "select", WINDOW, port, n))
        for mode, window in (("select", 256), ("poll", WINDOW), ("poll", 256)):
            runs.append(sessions(bench, f"(b') {mode}, window {window}", mode, window, port, n))
        runs.append(Run("(a') limit, never fragmented",
                        [bench.program("raw"), port, "127.16.0.0", str(n), "df"], n))
        blocking = min(n, BLOCKING)
        for processes in ("2", "64"):
            runs.append(Run(f"(c) blocking, {processes} processes",
                            [bench.program("blocking"), processes, port, "127.16.0.0",
                             str(blocking), "1000", "2"], blocking))
        runs += peers(bench, port)

        def check(r, result):
            if r.name.startswith("(e)"):
                got = bench.count_ok()
                if got != (n, n):
                    sys.exit(f"{r.name}: {got} records and ok ones of {n}\n{result['stderr']}")

        results = bench.table(f"Live, zero latency: {n:,} agents, one object each", runs,
                              runs[0].name, check=check)
    for name, limit in (("CPU per record, of (a)'s", 2.0), ("wall, of (a)'s", 1.5)):
        key = "per_record" if name.startswith("CPU") else "wall"
        ratio = bench.ratio(results, runs[1], runs[0], key)
        bench.verdict(f"{name} (at most {limit})", ratio, ratio <= limit)
    for run in runs[3:7]:
        ratio = bench.ratio(results, run, runs[1])
        if run.name.startswith("(b)"):
            bench.verdict("rate, of (b)'s (at least 4)", ratio, ratio >= 4)
        else:
            bench.say(f"           rate, of {run.name}'s: {ratio:.2f}")


def sessions(bench, name, mode, window, port, n):
    """A session and a socket per host, `window` of them open: multisnmp's own window for (b)."""
    return Run(name, [bench.program("sessions"), mode, port, "127.16.0.0", str(n), "1000", "2", str(window)], n)


def peers(bench, port):
    """Other people's programs, each on as many hosts as it needs for about a second."""
    found = []
    if shutil.which("braa"):
        n = 2000
        found.append(Run("(d) braa", ["braa", f"public@127.16.0.0-127.16.{n // 256}.{n % 256 - 1}:{port}:.1.3.6.1.2.1.1.1.0"], n))
    if shutil.which("snmpget"):
        n = 400
        hosts = bench.targets([f"{address}:{port}" for address in addresses(n)], "hosts")
        found.append(Run("(d) snmpget, xargs -P 64", ["xargs", "-P", "64", "-I", "{}", "snmpget", "-v2c", "-c", "public",
                                                      "-On", "{}", "1.3.6.1.2.1.1.1.0"], n, stdin=hosts,
                         env={"MIBS": "", "SNMP_PERSISTENT_DIR": "/dev/null"}))
    return found


def latency(bench, stock=False):
    """10,000 agents at 50 ms, 10 % of them silent."""
    targets = bench.targets(addresses(LATENCY))
    env, prefix, who = None, (), ""
    if stock:
        env = {"LD_PRELOAD": bench.program("stock_rmem.so")}
        who = ", unprivileged at the stock rmem_max"
        if os.geteuid() == 0:
            prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with Agents(bench.agents, "--latency", "50ms", "--rule", "percent:10:silent") as agents:
        def run(extra, name, n):
            argv = [*prefix, bench.multisnmp, "-q", "-F", "jsonl", "-o",
                    os.path.join(bench.scratch, "latency.jsonl"), "-p", agents.port,
                    "-t", "1s", "-r", str(SILENT_RETRIES), *extra, "--targets", targets]
            return Run(name, argv, n, env=env)
        runs = [run(("-j", "2"), "(e) multisnmp -j 2", LATENCY)]
        if not stock:
            runs.append(Run("(b) Net-SNMP poll, all sessions open",
                            [bench.program("sessions"), "poll", agents.port, "127.16.0.0",
                             str(LATENCY), "1000", str(SILENT_RETRIES), str(LATENCY)], LATENCY))
        seen = []

        def check(r, result):
            if r.name.startswith("(e)"):
                seen.append(bench.count_ok("latency.jsonl"))

        results = bench.table(f"50 ms latency, 10 % silent: {LATENCY:,} agents{who}", runs, runs[0].name,
                              rounds=max(3, bench.rounds // 2), check=check)
    ratio = median([x["wall"] for x in results[runs[0].name]]) / UNAVOIDABLE_S
    bench.verdict(f"wall, of the unavoidable {UNAVOIDABLE_S:.0f} s (at most 1.15)", ratio, ratio <= 1.15)
    expected = (LATENCY, live_of(bench, LATENCY))
    bench.verdict(f"records, ok: {seen[-1]}, expected {expected}", 0, all(s == expected for s in seen))


def live_of(bench, n):
    """How many of the hosts the rule percent:10 leaves live: asked of the agents' own counters."""
    with Agents(bench.agents, "--rule", "percent:10:silent") as agents:
        subprocess.run([bench.program("sessions"), "poll", agents.port, "127.16.0.0", str(n), "200", "0", "256"],
                       stdout=open(os.path.join(bench.scratch, "count"), "wb"), check=True)
    with open(os.path.join(bench.scratch, "count"), "rb") as lines:
        return sum(b'"ok"' in line for line in lines)


def stock(bench):
    latency(bench, stock=True)


def million(bench):
    n = MILLION
    with Agents(bench.agents) as agents:
        small = bench.ours(agents.port, "127.16.0.0/12", SMALL, *all_but(SMALL),
                           name=f"multisnmp, {SMALL:,}", out="small.jsonl")
        large = bench.ours(agents.port, "127.16.0.0/12", n, *all_but(n), name=f"multisnmp, {n:,}", out="large.jsonl")
        results = bench.table("One CIDR line", [small, large], small.name, rounds=max(3, bench.rounds // 2))
        if bench.count_ok("large.jsonl") != (n, n):
            sys.exit(f"million: {bench.count_ok('large.jsonl')}")
        ratio = bench.ratio(results, large, small, "per_record")
        bench.verdict("CPU per record, of that at 10,000 (within 15 %)", ratio, ratio <= 1.15)
        os.unlink(os.path.join(bench.scratch, "large.jsonl"))


def all_but(n):
    """--exclude words that leave the first n addresses of 127.16.0.0/12."""
    words, at, end = [], n, 1 << 20
    base = 127 << 24 | 16 << 16
    while at < end:
        size = at & -at
        while at + size > end:
            size >>= 1
        a = base + at
        words += ["--exclude", "%d.%d.%d.%d/%d" % (a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, 33 - size.bit_length())]
        at += size
    return words


def others(bench, port, n):
    """(a), (b) and (c) on n agents: for the figures that are taken in runs of their own."""
    return [Run("(a) limit: raw datagrams", [bench.program("raw"), port, "127.16.0.0", str(n)], n),
            sessions(bench, "(b) Net-SNMP's sessions", "select", WINDOW, port, n),
            Run("(c) blocking, 64 processes", [bench.program("blocking"), "64", port, "127.16.0.0",
                                               str(n), "1000", "2"], n)]

"""Walks: a table of many hosts, and a million rows of one."""
import os
import shutil
import sys

from costs import peaks
from harness import Agents, Run, addresses

HOSTS, COLUMNS, ROWS, REPETITIONS = 1000, 22, 48, 25
MILLION, FEW = 1000000, 10000
IF_TABLE, IF_DESCR = "1.3.6.1.2.1.2.2", "1.3.6.1.2.1.2.2.1.2"


def count(path, word):
    found = 0
    with open(path, "rb") as f:
        for line in f:
            found += line.count(word)
    return found


def tables(bench):
    """ifTable, 22 columns of 48 rows: all of it, as fast as it goes."""
    n = HOSTS // 4 if bench.quick else HOSTS
    varbinds = n * COLUMNS * ROWS
    targets = bench.targets(addresses(n))
    with Agents(bench.agents, "--interfaces", str(ROWS)) as agents:
        port = agents.port
        runs = [bench.ours(port, targets, varbinds, *words, "--targets", name=f"(e) multisnmp {' '.join(words)}")
                for words in (("-w", "ifTable"), ("-j", "1", "-w", "ifTable"), ("--table", "ifTable"))]
        runs += others(bench, port, n, varbinds)

        def check(r, result):
            """All rows, nothing twice: else a figure is worth nothing."""
            if r.name.startswith("(e)"):
                got = (bench.count_ok(), count(os.path.join(bench.scratch, "out.jsonl"), b'{"oid":'))
            else:
                got = ((n, n), count(os.path.join(bench.scratch, "stdout"), b"\n"))
            if got != ((n, n), varbinds) or result["status"] != 0:
                sys.exit(f"{r.name}: {got} of {n} records and {varbinds} varbinds\n{result['stderr']}")

        results = bench.table(f"ifTable, {COLUMNS} columns of {ROWS} rows: {n:,} agents", runs, runs[0].name, check=check,
                              unit="varbind")
    for run in runs[3:]:
        ratio = bench.ratio(results, run, runs[0])
        if run.name.startswith("(d)"):
            bench.verdict("varbinds/s, of snmpbulkwalk's (at least 4)", ratio, ratio >= 4)
        else:
            bench.say(f"           varbinds/s, of {run.name}'s: {ratio:.2f}")


def others(bench, port, n, varbinds):
    """Net-SNMP: a process per host, and a session per host."""
    runs = [Run(f"(b) Net-SNMP's sessions, {window} open",
                [bench.program("walks"), port, "127.16.0.0", str(n), str(window), str(REPETITIONS), "." + IF_TABLE], varbinds)
            for window in (n, 64)]
    if shutil.which("snmpbulkwalk"):
        hosts = bench.targets([f"{address}:{port}" for address in addresses(n)], "hosts")
        runs.append(Run("(d) snmpbulkwalk, xargs -P 16",
                        ["xargs", "-P", "16", "-I", "{}", "snmpbulkwalk", "-v2c", "-c", "public", f"-Cr{REPETITIONS}", "-On",
                         "{}", "." + IF_TABLE], varbinds, stdin=hosts, env={"MIBS": "", "SNMP_PERSISTENT_DIR": "/dev/null"}))
    return runs


def rows(bench):
    """One record of a million rows: its speed, and that neither process grows with it."""
    with Agents(bench.agents, "--rule", f"127.16.0.1:rows={MILLION}", "--rule", f"127.16.0.2:rows={FEW}") as agents:
        def run(address, n):
            return bench.ours(agents.port, address, n, "-w", IF_DESCR, name=f"(e) multisnmp, {n:,} rows")
        large, small = run("127.16.0.1", MILLION), run("127.16.0.2", FEW)

        def check(r, result):
            got = count(os.path.join(bench.scratch, "out.jsonl"), b'{"oid":')
            if got != r.records or result["status"] != 0:
                sys.exit(f"{r.name}: {got} rows\n{result['stderr']}")

        bench.table("A column of one host", [large, small], large.name, rounds=3, check=check, unit="varbind")
        bench.say(f"{'peak memory, MiB':<34}{'varbinds':>12}{'first':>9}{'largest child':>15}{'all (Pss)':>12}")
        peaks(bench, small)
        peak = peaks(bench, large)
    bench.verdict("master below 16 MiB", peak["master"] / 1024, 0 < peak["master"] < 16384)
    bench.verdict("worker below 32 MiB", peak["worker"] / 1024, 0 < peak["worker"] < 32768)

"""SNMPv3: what an exchange costs, with how many engines; and that silent hosts keep nobody waiting."""
import json
import os
import re
import sys
from datetime import datetime

from harness import Agents, Run, addresses, median

ENGINES, FEW, CODEC = 10000, 100, 100000
STEPS = 20  # of a walk whose discovery hardly counts
LIVE, SILENT, LATENCY = 500, 500, "50ms"
USER = "poller:SHA-256:authority1:AES-128:secrecy123"
AS_USER = ("-v", "3", "-l", "authPriv", "-u", "poller", "-a", "SHA-256", "-A", "authority1", "-x", "AES", "-X", "secrecy123")


def engines(bench):
    """authPriv, SHA-256 and AES: CPU of all processes for an exchange, beside that of Net-SNMP's codec."""
    n = ENGINES // 4 if bench.quick else ENGINES
    walked = n // STEPS
    lists = {"many": addresses(n), "few": addresses(FEW) * (n // FEW), "walked": addresses(walked)}
    with Agents(bench.agents, "--user", USER, "--interfaces", str(STEPS)) as agents:
        def ours(which, name, *words):
            each = STEPS + 2 if words else 2
            return bench.ours(agents.port, bench.targets(lists[which], which), each * len(lists[which]), *AS_USER, "-s", *words,
                              "--targets", name=name)
        runs = [Run("(f) Net-SNMP's codec, one user", [bench.program("codec"), str(CODEC)], CODEC),
                ours("many", f"(e) multisnmp, {n:,} engines"), ours("few", f"(e) multisnmp, {FEW} engines"),
                ours("walked", f"(e) walks of {STEPS + 1} steps", "-w", "ifDescr", "--set", "max_repetitions=1")]

        def check(r, result):
            """What was sent is what was exchanged: a discovery and all others, where nothing was lost."""
            if not r.name.startswith("(e)"):
                return
            hosts = walked if r is runs[3] else n
            if bench.count_ok() != (hosts, hosts):
                sys.exit(f"{r.name}: {bench.count_ok()} records and ok ones of {hosts}\n{result['stderr']}")
            result["sent"] = int(re.search(r"^packets: (\d+) sent", result["stderr"], re.M).group(1))
            result["per_record"] = result["cpu"] / result["sent"]

        results = bench.table(f"SNMPv3 authPriv, SHA-256 and AES: {n:,} targets", runs, runs[0].name, check=check,
                              unit="exchange")
    for run, hosts in ((runs[1], n), (runs[3], walked)):
        sent = median([x["sent"] for x in results[run.name]]) / hosts
        ratio = bench.ratio(results, run, runs[0], "per_record")
        bench.verdict(f"CPU per exchange, of the codec's, a discovery and {sent - 1:.0f} a target (at most 2.5)", ratio, ratio <= 2.5)
    ratio = bench.ratio(results, runs[1], runs[2], "per_record")
    bench.verdict(f"CPU per exchange with {n:,} engines, of that with {FEW} (within 20 %)", ratio, ratio <= 1.2)


def silent(bench):
    """Live hosts beside as many that never answer."""
    live = addresses(LIVE)
    dead = addresses(SILENT, "127.17")
    alone = bench.targets(live, "alone")
    mixed = bench.targets([address for pair in zip(dead, live) for address in pair], "mixed")
    with Agents(bench.agents, "--user", USER, "--latency", LATENCY, "--rule", "127.17.0.0/16:silent") as agents:
        def ours(targets, name, n):
            return bench.ours(agents.port, targets, n, *AS_USER, "-t", "1s", "-r", "1", "--targets", name=name)
        runs = [ours(alone, f"(e) {LIVE} live ones alone", LIVE),
                ours(mixed, f"(e) and {SILENT} silent ones", LIVE + SILENT)]

        def check(r, result):
            result["done"], result["rtt"] = percentiles(bench, result["epoch"])

        results = bench.table(f"SNMPv3 at {LATENCY}", runs, runs[0].name, rounds=max(3, bench.rounds // 2), check=check)
    for key, what in (("done", "from the start to the record"), ("rtt", "of the first answer")):
        values = [median([x[key] for x in results[run.name]]) for run in runs]
        bench.say(f"           p99 of the live ones, {what}: {values[0]:.1f} ms alone, {values[1]:.1f} ms beside the silent")
        ratio = bench.ratio(results, runs[1], runs[0], key)
        bench.verdict(f"p99 {what}, of that alone (at most 2)", ratio, ratio <= 2)


def percentiles(bench, epoch):
    """p99 in ms, of the live ones: when their record was made, and how long the first answer took."""
    done, rtt = [], []
    with open(os.path.join(bench.scratch, "out.jsonl")) as lines:
        for line in lines:
            record = json.loads(line)
            if not record["host"].startswith("127.16."):
                continue
            if record["status"] != "ok":
                sys.exit(f"a live host: {line}")
            at = datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp()
            done.append((at - epoch) * 1000)
            rtt.append(record["rtt_ms"])
    if len(done) != LIVE:
        sys.exit(f"{len(done)} records of live hosts")
    return sorted(done)[LIVE * 99 // 100 - 1], sorted(rtt)[LIVE * 99 // 100 - 1]

#!/usr/bin/env python3
"""Off-path forgers: who knows everything but the 31 bits of an id gets nothing in, and takes nobody out.

A million forged answers go to the right ports of a poll that is under way: with the right community and the wrong
one, as v1, v2c and v3, as Responses and as Reports, from strangers, from the agents' addresses with another port
and, for root, from the very address and port that was asked. All of them name values that no agent has.

The workers' ports come from the agents' log, which says who asked: an attacker who has seen a question of another
host knows as much. The poll is paced, and one silent host keeps it alive until the blast is over, however slow the
machine is; it is then stopped by a signal.
"""
import json
import os
import signal
import subprocess
import unittest

import ber
import poller
import processes
import summary
import usm

BLASTER = os.path.join(os.path.dirname(poller.SNMP_AGENTS), 'tests', 'e2e', 'blaster')
FORGED = 1000000
PER_SECOND = 100000
HOSTS = """
defaults: {timeout: 1s, retries: 6}
hosts:
%s  - 127.21.0.0/20
  - {host: 127.22.0.0/22, version: 3, user: quiet}
  - {host: 127.23.0.0/22, version: 3, user: signed, auth: SHA-256, auth_pass: authority1}
  - {host: 127.24.0.0/23, version: 1}
  - {host: 127.25.0.1, timeout: 10m}
"""
AGAIN = 2000  # times that each of these is listed, first; one takes its time, so that some of it are always open
HOSTS_AGAIN = ('127.26.0.1', '::1')
LIVE = 4096 + 1024 + 1024 + 512 + AGAIN * len(HOSTS_AGAIN)
ID = 0x7f7f7f7f  # stands for the id in what is said; the blaster puts a new one there


def forged_v3(pdu, flags, user, varbinds):
    class Asked:  # what usm.build() wants to know of a request
        id, msg_id = ID, ID
    engine = usm.Device3({}, auth='SHA-256', passphrase='another one')
    Asked.user = user
    return usm.build(Asked, engine, pdu, varbinds, flags=flags)


def what_is_said():
    forged = [(poller.SYS_DESCR, ber.string('forged'))]
    for version in (0, 1):
        for community in (b'public', b'wrong'):
            yield ber.message(version, community, ber.RESPONSE, ID, 0, 0, forged)
    yield ber.message(1, b'public', ber.RESPONSE, ID, ber.GEN_ERR, 1, forged)
    yield ber.message(1, b'public', ber.REPORT, ID, 0, 0, forged)
    for user in (b'', b'quiet', b'signed'):
        yield forged_v3(ber.RESPONSE, 0, user, forged)
        for report in (usm.UNKNOWN_ENGINE, usm.UNKNOWN_USER, usm.NOT_IN_WINDOW):
            yield forged_v3(ber.REPORT, 0, user, [(report, ber.counter32(1))])
    yield forged_v3(ber.RESPONSE, usm.AUTH, b'signed', forged)
    yield forged_v3(ber.REPORT, usm.AUTH, b'signed', [(usm.NOT_IN_WINDOW, ber.counter32(1))])


@unittest.skipUnless(os.path.exists(BLASTER), 'no blaster on this system')
class Forgers(poller.Poll):
    def ports(self, log):
        """{(IPv6?, port)} of all workers, when each has asked somebody."""
        ports = set()
        def known():
            with open(log, encoding='ascii') as f:
                lines = [line.split() for line in f if line.endswith('\n')]
            ports.update((':' in words[1], int(words[2])) for words in lines)
            return len(ports) == 4
        self.wait_until(known, 'not all workers have asked over both families', 0.05)
        return ports

    def blast(self, ports, port):
        lines = [f'to {"::1" if v6 else "127.0.0.1"} {number}' for v6, number in ports]
        lines += ['from 127.77.0.1 0', 'from 127.21.0.1 0', 'from 127.22.0.1 0', 'from 127.23.0.1 0', 'from ::1 0']
        if poller.ROOT:
            lines += [f'spoof 127.{net}.0.{n} {port}' for net, n in ((21, 0), (22, 0), (23, 0), (24, 0), (26, 1))]
        for octets in what_is_said():
            offset = octets.index(ID.to_bytes(4, 'big'))
            lines.append(f'say {offset} {octets.hex()}')
        done = subprocess.run([BLASTER, str(FORGED), str(PER_SECOND)], input='\n'.join(lines) + '\n', text=True,
                              capture_output=True, timeout=poller.LONG, check=True)
        return done.stdout

    def test_a_million(self):
        log = self.path('log')
        agents = self.agents('127.25.0.1:silent', '127.26.0.1:late=100ms',
                             options=('--log', log, '--user', 'quiet', '--user', 'signed:SHA-256:authority1'))
        hosts = self.write('hosts.yaml', HOSTS % (''.join(f'  - "{host}"\n' for host in HOSTS_AGAIN) * AGAIN))
        with open(self.path('records'), 'wb') as out, open(self.path('said'), 'wb') as said:
            process = self.start_poller('-f', hosts, '-p', agents.port, '-F', 'jsonl', '-s', '-j', '2', '--rate', '500',
                                        stdout=out, stderr=said)
            blasted = self.blast(self.ports(log), agents.port)
            self.wait_for_records()
            peaks = {pid: processes.peak_kib(pid) for pid in [process.pid, *processes.children(process.pid)]}
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=poller.LONG)
        said = self.read('said')
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, said)
        self.check_records()
        self.check_counters(said, blasted)
        if not poller.WITH_ASAN:
            self.assertGreaterEqual(len(peaks), 3, peaks)  # the resolver is only there when it is asked
            self.assertLess(max(peaks.values()), 32768, peaks)

    def wait_for_records(self):
        self.wait_until(lambda: self.read('records').count('\n') >= LIVE, 'live hosts without a record', 0.2)

    def check_records(self):
        seen = {}
        for line in self.read('records').splitlines():
            record = json.loads(line)
            if record['host'] == '127.25.0.1':
                self.assertEqual(record['status'], 'cancelled', record)
                continue
            self.assertEqual(record['status'], 'ok', record)
            self.assertEqual([var['value'] for var in record['vars']], [f'Simulated agent {record["host"]}'], record)
            seen[record['host']] = seen.get(record['host'], 0) + 1
        self.assertEqual([seen.pop(host) for host in HOSTS_AGAIN], [AGAIN] * len(HOSTS_AGAIN))
        self.assertEqual(set(seen.values()), {1})
        self.assertEqual(sum(seen.values()) + AGAIN * len(HOSTS_AGAIN), LIVE)

    def check_counters(self, said, blasted):
        told = summary.Summary(said)
        count = told.count
        sent, spoofed = (int(word) for word in blasted.split()[1::2])
        arrived = count['foreign'] + count['malformed']
        print(f'forged: {sent} sent, {spoofed} of them from the address and port asked; {arrived} read, '
              f'{count["dropped"]} lost in our buffer', flush=True)
        self.assertEqual(sent, FORGED)
        self.assertEqual(count['malformed'], 0)  # all of them are good messages, of somebody else
        self.assertLessEqual(arrived + count['dropped'], sent)
        self.assertLess(count['duplicate'], 1000)  # more: forged ids meet those of questions that are over
        self.assertGreater(arrived, sent // 4)  # a slow machine loses some, and the tries make up for it
        self.assertEqual(count['received'], count['answered'] + count['duplicate'] + arrived)
        self.assertEqual(count['sent'], told.sends())


if __name__ == '__main__':
    unittest.main()

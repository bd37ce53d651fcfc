#!/usr/bin/env python3
"""Processes that are killed, hang, cannot start or kill each other: one record per target, whatever happens.

Faults of workers that need no help from inside are in test_workers.py as well; signals to a run in test_output.py."""
import json
import os
import re
import signal
import threading
import time
import unittest

import killers
import poller

MARK = 'xxxxxxxx'  # in the answers of agents with `long-values=40`, and of no other


class Faults(poller.Poll):
    def finish(self, process, status):
        """The records and the words of a run that was started, in a form that run_poller() cannot have."""
        out, err = process.communicate(timeout=poller.LONG)
        self.stderr = err.decode()
        self.assertEqual(process.returncode, status, self.stderr)
        return [json.loads(line) for line in out.splitlines()]

    def assert_each_once(self, records, count):
        self.assertEqual(len(records), count)
        self.assertEqual(len({r['host'] for r in records}), count)

    def wait_until(self, condition):
        end = time.monotonic() + poller.LONG
        while not condition():
            self.assertLess(time.monotonic(), end, 'waited in vain')
            time.sleep(0.01)

    def summary(self, line):
        """The numbers of a line of --summary, by their words."""
        text = re.search(rf'^{line}: (.*)$', self.stderr, re.MULTILINE).group(1)
        return {words[1]: int(words[0]) for words in (part.split() for part in text.split(', '))}


@killers.needs_poison
class DeadlyAnswers(Faults):
    """Answers that kill the worker that reads them, as a fault of a codec would."""

    def run_timed(self, agents, env, status):
        start = time.monotonic()
        records = self.poll('-s', '-j', '2', '-t', '1s', '-r', '1', '-p', agents.port, '127.20.0.0/20',
                            status=status, env=env)
        return records, time.monotonic() - start

    def one_among_silent_ones(self, address):
        agents = self.agents(f'{address}:long-values=40', '*:silent')
        records, without = self.run_timed(agents, None, 1)
        self.assertEqual([r['host'] for r in records if r['status'] == 'ok'], [address])
        records, seconds = self.run_timed(agents, killers.poisoned(MARK), 1)
        self.assert_each_once(records, 4096)
        self.assertEqual([r['host'] for r in records if r['status'] == 'crashed'], [address])
        self.assertEqual(sum(r['status'] == 'timeout' for r in records), 4095)
        self.assertEqual(self.summary('deaths'), {'processes': 3})
        # 3 s without; each death is an answer's way, a pause of 100 ms and the waits of its worker's targets anew
        self.assertLess(seconds, without + 2)

    def test_first_of_4096(self):
        self.one_among_silent_ones('127.20.0.0')

    def test_last_of_4096(self):
        self.one_among_silent_ones('127.20.15.255')

    def test_several(self):
        """Each kills three times and is `crashed`; nobody else is, whatever the manner of death."""
        agents = self.agents('every:16:long-values=40')
        for deed in 'segv', 'abort', 'exit':
            with self.subTest(deed=deed):
                records = self.poll('-s', '-j', '2', '-p', agents.port, '127.20.0.0/25', status=1,
                                    env=killers.poisoned(MARK, deed))
                self.assert_each_once(records, 128)
                crashed = sorted(int(r['host'].rsplit('.', 1)[1]) for r in records if r['status'] == 'crashed')
                self.assertEqual(crashed, list(range(0, 128, 16)))
                self.assertEqual(sum(r['status'] == 'ok' for r in records), 120)
                self.assertEqual(self.summary('deaths'), {'processes': 24})

    def test_no_other_than_those(self):
        """They are all that there is: nobody brings a record, and still the run has not failed."""
        agents = self.agents('*:long-values=40')
        records = self.poll('-j', '1', '-p', agents.port, '127.20.0.0/28', status=1,
                            env=killers.poisoned(MARK))
        self.assert_each_once(records, 16)
        self.assertEqual({r['status'] for r in records}, {'crashed'})
        self.assertEqual({r['message'] for r in records}, {'three workers died while at work on it'})

    def test_v3(self):
        agents = self.agents('127.20.0.3:long-values=40', options=('--user', 'poller:SHA-256:authority1:AES-128:secrecy123'))
        if os.environ.get('WITH_TLS') != 'yes':
            self.skipTest('the agents have no cryptography')
        records = self.poll('-v', '3', '-u', 'poller', '-l', 'authPriv', '-a', 'SHA-256', '-A', 'authority1', '-x', 'AES',
                            '-X', 'secrecy123', '-p', agents.port, '127.20.0.0/29', status=1, env=killers.poisoned(MARK))
        self.assert_each_once(records, 8)
        self.assertEqual([r['host'] for r in records if r['status'] == 'crashed'], ['127.20.0.3'])


if __name__ == '__main__':
    unittest.main()

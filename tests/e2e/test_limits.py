#!/usr/bin/env python3
"""What must stay bounded: descriptors, memory, what one device is hit with, and idle work."""
import os
import resource
import signal
import subprocess
import time
import unittest

import poller
import processes


class Limits(poller.Poll):
    def test_sixty_four_descriptors(self):
        agents = self.agents()
        records = self.poll('-p', agents.port, '127.11.0.0/18', '--exclude', '127.11.39.16-255',
                            '--exclude', '127.11.40.0/21', '--exclude', '127.11.48.0/20',
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        self.assertEqual(len(records), 10000)
        self.assertEqual({r['status'] for r in records}, {'ok'})

    def test_too_few_descriptors_to_begin(self):
        """Wherever they run out: exit status 3 or 4, and the old file or a record in it."""
        for most in range(4, 9):
            output = self.write('out', 'old\n')
            run = self.run_poller('-t', '100ms', '-r', '0', '-o', output, '127.11.0.1',
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                        (most, most)))
            self.assertIn(run.returncode, (3, 4), run.stderr)
            self.assertRegex(self.read('out'), r'\A(old|127\.11\.0\.1\t.*)\n\Z')

    def test_one_request_at_a_time(self):
        """A device that is asked for many objects sees one request after the other."""
        log = self.path('log')
        agents = self.agents(options=('--latency', '20ms', '--interfaces', '300', '--log', log))
        words = [word for n in range(1, 301) for word in ('-g', f'ifDescr.{n}')]
        self.poll('-p', agents.port, *words, '127.11.0.1')
        agents.stop()
        times = [float(line.split()[0]) for line in self.read('log').splitlines()]
        self.assertGreater(len(times), 2)
        for one, next_one in zip(times, times[1:]):
            self.assertGreaterEqual(next_one - one, 19.5)

    def test_window(self):
        agents = self.agents(options=('--latency', '30ms'))
        self.poll('-j', '2', '--window', '8', '-p', agents.port, '127.11.0.0/24')
        self.assertLessEqual(agents.counters()['max_pending'], 16)

    @unittest.skipIf(poller.WITH_ASAN, 'counts context switches')
    def test_waiting_costs_nothing(self):
        """Four silent hosts for 1.5 s: a handful of turns, no tick, no busy loop."""
        agents = self.agents('*:silent')
        process = subprocess.Popen([poller.MULTISNMP, '-q', '-t', '500ms', '-r', '1', '-j', '2', '-p',
                                    str(agents.port), '127.11.0.0/30'], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 1)
        self.assertLess(usage.ru_nvcsw, 200)
        self.assertLess(usage.ru_utime + usage.ru_stime, 0.5)

    @unittest.skipIf(poller.WITH_ASAN, 'measures memory')
    def test_memory_does_not_follow_the_targets(self):
        """A block of a million addresses is expanded as it is handed out."""
        agents = self.agents()
        process = self.start_poller('-q', '-p', agents.port, '127.16.0.0/12',
                                    stdout=subprocess.DEVNULL)
        peaks = processes.Peaks(process)
        peaks.join()
        self.assertEqual(process.returncode, 0)
        master = peaks.most.pop(process.pid)
        self.assertTrue(0 < master < 16384, master)
        self.assertTrue(peaks.most)
        self.assertLess(max(peaks.most.values()), 32768, peaks.most)

    def test_a_short_list_is_shared(self):
        """Eight targets and four workers: each has two, and so none idles with its share of a rate."""
        log = self.path('log')
        agents = self.agents(options=('--log', log))
        self.poll('--rate', '100', '-j', '4', '-p', agents.port, '127.11.0.0/29')
        agents.stop()
        ports = [line.split()[2] for line in self.read('log').splitlines()]
        self.assertEqual(sorted(ports.count(port) for port in set(ports)), [2, 2, 2, 2], ports)

    def test_rate(self):
        agents = self.agents()
        start = time.monotonic()
        records = self.poll('--rate', '200', '-j', '2', '-p', agents.port, '127.11.0.0-99')
        self.assertEqual(len(records), 100)
        self.assertGreater(time.monotonic() - start, 0.3)

    def test_rate_through_deaths(self):
        """It holds for all workers together, also while they die and are replaced; and the living take it up."""
        log = self.path('log')
        agents = self.agents(options=('--log', log))
        # more targets than may be leased: so the next worker has something to do as soon as it lives
        process = self.start_poller('-q', '--rate', '400', '-j', '3', '--window', '4', '-p', agents.port, '127.11.0.0/21',
                                    stdout=subprocess.DEVNULL)
        for _ in range(5):
            time.sleep(0.4)
            for pid in processes.children_or_none(process.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=poller.LONG)
        self.assertEqual(process.returncode, 0)
        agents.stop()
        times = [float(line.split()[0]) / 1000 for line in self.read('log').splitlines()]
        self.assertGreaterEqual(len(times), 2048)
        # in no second more than 400, and what half a second may have held up of a busy machine; a worker without
        # its share would ask all the rest in that time
        for at, later in zip(times, times[600:]):
            self.assertGreater(later - at, 1)
        self.assertLess(times[-1] - times[0], 2.5 * len(times) / 400)  # with a third of it for ever it would be 3

    def test_waits_double(self):
        """Up to eight times the first, at a device that never answers. An agent that a busy machine lets wait sees a
        question late, and the next one sooner after it: so one of five runs has to be undisturbed."""
        least = (40, 80, 160, 320, 320)
        seen = []
        while not seen or (len(seen) < 5 and any(wait <= bound - 1 for wait, bound in zip(seen[-1], least))):
            log = self.path(f'log{len(seen)}')
            agents = self.agents('*:silent', options=('--log', log))
            self.poll('-t', '40ms', '-r', '5', '-p', agents.port, '127.11.0.1', status=1)
            agents.stop()
            times = [float(line.split()[0]) for line in self.read(f'log{len(seen)}').splitlines()]
            seen.append([b - a for a, b in zip(times, times[1:])])
            self.assertEqual(len(seen[-1]), len(least))
        for wait, bound in zip(seen[-1], least):
            self.assertGreater(wait, bound - 1, seen)


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""The demo that the README promises: shows what it says, ends with 0, and leaves no process behind."""
import os
import re
import shutil
import subprocess
import unittest

DEMO = os.path.join(os.environ['ABS_SRCDIR'], 'tests', 'demo')


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # a session of its own: whoever is left in it afterwards was not stopped
        run = subprocess.Popen(['/bin/sh', DEMO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
        cls.output, _ = run.communicate(timeout=120)
        cls.status, cls.session = run.returncode, run.pid

    def test_status(self):
        self.assertEqual(self.status, 0, self.output)
        self.assertEqual(re.findall(r'^\[exit status (\d+)\]$', self.output, re.M),
                         ['0', '1', '0', '0', '1'], self.output)

    def test_text(self):
        text = self.output.split('\n--- ')[2]
        self.assertRegex(text, r'(?m)^localhost\t\S+\t\S+\t.')
        self.assertEqual(len(set(re.findall(r'(?m)^127\.1\.0\.[0-3]\t', text))), 4)
        self.assertRegex(text, r'(?m)^core-switch\tifHCInOctets\S*\tCounter64\t\d')
        self.assertRegex(text, r'(?m)^silent\t-\ttimeout\t.')
        self.assertRegex(text, r'(?m)^nobody-home\t-\t(unreachable|timeout)\t.')

    def test_jsonl_through_a_script(self):
        lines = self.output.split('\n--- ')[3].splitlines()
        status = dict(line.split()[:2] for line in lines if re.match(r'\S+ +\S+ +\d+ objects', line))
        expected = {'localhost': 'ok', 'core-switch': 'ok', 'silent': 'timeout'}
        expected.update({f'127.1.0.{n}': 'ok' for n in range(4)})
        self.assertEqual({host: status.get(host) for host in expected}, expected)
        if 'A real snmpd answers' in self.output:
            self.assertEqual(status.get('snmpd'), 'ok')

    def test_many_devices(self):
        self.assertRegex(self.output.split('\n--- ')[4], r'(?m)^ *4096 now\.jsonl$')

    @unittest.skipUnless(shutil.which('ps'), 'needs ps')
    def test_nothing_stays(self):
        run = subprocess.run(['ps', '-A', '-o', 'sess=,pid=,args='], capture_output=True, text=True,
                             check=True)
        left = [line for line in run.stdout.splitlines() if line.split()[0] == str(self.session)]
        self.assertEqual(left, [])


if __name__ == '__main__':
    unittest.main()

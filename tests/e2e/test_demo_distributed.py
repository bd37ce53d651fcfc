#!/usr/bin/env python3
"""The demo of a run over a broker: shows what it says, ends with 0, and leaves no process behind."""
import os
import re
import shutil
import subprocess
import unittest

import rabbit

DEMO = os.path.join(os.environ['ABS_SRCDIR'], 'tests', 'demo-distributed')
LONG = 400  # seconds: a broker starts


@rabbit.needs_broker
class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # a session of its own: whoever is left in it afterwards was not stopped
        run = subprocess.Popen(['python3', DEMO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, start_new_session=True)
        cls.output, _ = run.communicate(timeout=LONG)
        cls.status, cls.session = run.returncode, run.pid

    def test_every_record(self):
        self.assertEqual(self.status, 0, self.output)
        self.assertIn('records: 10000, of 10000 devices', self.output)
        self.assertIn('  north: 5000 ok', self.output)
        self.assertIn('  south: 5000 ok', self.output)
        self.assertIn('[exit status 0]', self.output)

    def test_the_death_is_in_the_middle(self):
        waiting = re.search(r'(\d+) batches wait for 0 agents', self.output)
        self.assertTrue(waiting and int(waiting.group(1)) > 0, self.output)

    def test_no_password_is_shown(self):
        self.assertNotIn(rabbit.PASSWORD, self.output)

    @unittest.skipUnless(shutil.which('ps'), 'needs ps')
    def test_nothing_stays(self):
        run = subprocess.run(['ps', '-A', '-o', 'sess=,pid=,stat=,args='], capture_output=True, text=True, check=True)
        left = [line for line in run.stdout.splitlines() if line.split()[0] == str(self.session) and 'Z' not in line.split()[2]]
        self.assertEqual(left, [])


if __name__ == '__main__':
    unittest.main(verbosity=2)

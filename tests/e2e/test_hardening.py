#!/usr/bin/env python3
"""The flags that --version says the program was hardened by are in the file: each leaves a mark that readelf finds."""
import re
import subprocess
import unittest

import poller

HARDENED = re.search(r'^hardened by (.*)$', poller.version(), re.MULTILINE)
FLAGS = HARDENED.group(1).split() if HARDENED else []
ELF = open(poller.MULTISNMP, 'rb').read(4) == b'\x7fELF'
# what a flag leaves, and where readelf shows it
MARKS = {
    '-pie': ('-h', r'Type: +DYN'),
    '-Wl,-z,relro': ('-l', r'GNU_RELRO'),
    '-Wl,-z,now': ('-d', r'BIND_NOW|FLAGS.*NOW'),
    '-fstack-protector-strong': ('--dyn-syms', r'__stack_chk_(fail|guard)'),
    '-D_FORTIFY_SOURCE=3': ('--dyn-syms', r' __[a-z]+_chk@'),
    '-D_FORTIFY_SOURCE=2': ('--dyn-syms', r' __[a-z]+_chk@'),
}


class Hardening(unittest.TestCase):
    def test_lines(self):
        """What the program is, what it was built with, what it was hardened by, what it speaks, each on a line."""
        lines = poller.version().splitlines()
        self.assertEqual(len(lines), 4, poller.version())
        self.assertTrue(lines[0].startswith('multisnmp '))
        self.assertRegex(lines[1], r'^built with Net-SNMP .*, sandbox: (linux|openbsd|macos|plain|none)$')
        self.assertRegex(lines[2], r'^hardened by (nothing$|-)')
        self.assertRegex(lines[3], r'^masters and agents: messages of version \d+$')

    @unittest.skipUnless(ELF and poller.have('readelf'), 'needs readelf, and a program of its kind')
    def test_marks(self):
        looked = 0
        for flag in FLAGS:
            if flag not in MARKS:
                continue
            option, mark = MARKS[flag]
            run = subprocess.run(['readelf', '-W', option, poller.MULTISNMP], capture_output=True, text=True, check=True)
            self.assertTrue(re.search(mark, run.stdout), f'{flag} left no mark')
            looked += 1
        self.assertTrue(looked or FLAGS == ['nothing'], FLAGS)

    @unittest.skipUnless(ELF and FLAGS != ['nothing'], 'switched off')
    def test_default(self):
        """What every compiler of such systems has is on unless it is all off."""
        for part in '-fstack-protector-strong', '-pie', '-Wl,-z,relro', '-Wl,-z,now':
            self.assertIn(part, FLAGS)


if __name__ == '__main__':
    unittest.main()

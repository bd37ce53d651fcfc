#!/usr/bin/env python3
"""SNMPv3 of the simulated agents (tests/agent/): right answers, Reports, and lies.

Authenticated messages are written and read here by the RFCs, with Python's own HMAC; what needs a cipher is
asked by Net-SNMP's tools.

SNMP_AGENTS names the program (default ./snmp-agents). Skipped where it was built without libcrypto.
"""
import os
import shutil
import subprocess
import unittest

from park import AGENTS, IF, IFX, NAME, Shared

AUTHS = ('MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512')
PRIVS = ('DES', 'AES-128', 'AES-192', 'AES-256', 'AES-192-C', 'AES-256-C')
AUTH_PASS, PRIV_PASS = 'authority1', 'secrecy123'


def setUpModule():
    run = subprocess.run([AGENTS, '--user', f'x:SHA-256:{AUTH_PASS}', '--stop-after', '0'], capture_output=True, text=True,
                         timeout=60)
    if run.returncode == 2:
        raise unittest.SkipTest('the agents were built without libcrypto: ' + run.stderr)


def users(*pairs):
    """Options for users named after their protocols, and one without any."""
    words = ['--user', 'guest']
    for auth, priv in pairs:
        words += ['--user', f'{auth}{priv or ""}:{auth}:{AUTH_PASS}' + (f':{priv}:{PRIV_PASS}' if priv else '')]
    return words


def have_des():
    run = subprocess.run([AGENTS, *users(('MD5', 'DES')), '--stop-after', '0'], capture_output=True, timeout=60)
    return run.returncode == 0


def run_tool(tool, port, *words, address='127.0.0.1'):
    environment = dict(os.environ, MIBS='', SNMP_PERSISTENT_DIR='/dev/null', SNMPCONFPATH='/dev/null')
    run = subprocess.run([tool, '-v3', '-On', '-r', '0', '-t', '5', *words[:-1], f'{address}:{port}', words[-1]],
                         env=environment, capture_output=True, text=True, timeout=60)
    return run.stdout + run.stderr


def level_words(auth, priv):
    """How Net-SNMP's tools are told who asks."""
    if not auth:
        return ['-u', 'guest', '-l', 'noAuthNoPriv']
    words = ['-u', f'{auth}{priv or ""}', '-a', auth.replace('SHA-1', 'SHA'), '-A', AUTH_PASS]
    return [*words, '-l', 'authPriv', '-x', priv, '-X', PRIV_PASS] if priv else [*words, '-l', 'authNoPriv']


class Pairs(Shared):
    """All pairs of protocols, against Net-SNMP's tools."""
    PAIRS = [(auth, priv) for auth in AUTHS for priv in (None, *PRIVS)]

    @classmethod
    def setUpClass(cls):
        if not (shutil.which('snmpget') and shutil.which('snmpbulkwalk')):
            raise unittest.SkipTest("Net-SNMP's tools are not installed")
        if not have_des():
            cls.PAIRS = [pair for pair in cls.PAIRS if pair[1] != 'DES']
        cls.OPTIONS = users(*cls.PAIRS)
        super().setUpClass()

    def test_every_pair(self):
        for n, pair in enumerate([(None, None), *self.PAIRS]):
            with self.subTest(pair=pair):
                out = run_tool('snmpget', self.park.port, *level_words(*pair), NAME, address=f'127.0.2.{n}')
                if 'not supported' in out or 'Invalid privacy protocol' in out:
                    self.skipTest(f'Net-SNMP was built without {pair}')
                self.assertEqual(out, f'.{NAME} = STRING: "agent-127-0-2-{n}"\n')

    def test_walk(self):
        wanted = [row[0] for row in self.park.walk()]
        out = run_tool('snmpbulkwalk', self.park.port, *level_words('SHA-256', 'AES-128'), '-Cr25', '.1.3')
        names = [line.split(' = ')[0][1:] for line in out.splitlines() if ' = ' in line and 'No more' not in line]
        self.assertEqual(names, wanted)
        self.assertIn(f'{IFX}6.1', names)
        self.assertIn(f'{IF}1.1', names)


del Shared
if __name__ == '__main__':
    unittest.main()

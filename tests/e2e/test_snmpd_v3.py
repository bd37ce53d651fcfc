#!/usr/bin/env python3
"""SNMPv3 against a real snmpd: every pair of protocols, and what it says, or does not, to whoever is wrong.

One snmpd knows a user for each pair, each with passphrases of its own; one run asks for all. A wrong
privacy passphrase or protocol and an unknown context are silence there (it drops what it cannot
decrypt, and answers no context that it does not have), so that is `timeout` with words. AES-256 and
AES-256-C differ only where the digest is shorter than the key: with SHA, not with SHA-256.
"""
import json
import unittest

import daemons
import poller

AUTHS = ('MD5', 'SHA', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512')
PRIVS = ('DES', 'AES', 'AES-192', 'AES-256', 'AES-192-C', 'AES-256-C')
PAIRS = [(auth, priv) for auth in AUTHS for priv in (None, *PRIVS)]
ENGINE_ID = '80001f8880aabbccdd0102'
SYS_LOCATION = '1.3.6.1.2.1.1.6.0'


def name_of(auth, priv):
    return f'{auth}_{priv or "none"}'


def user_lines():
    """A passphrase is 12 octets and of its own for each user."""
    lines = ['createUser nokeys', 'rouser nokeys noauth']
    for n, (auth, priv) in enumerate(PAIRS):
        name = name_of(auth, priv)
        words = f'{priv} privpass{n:04}' if priv else ''
        lines += [f'createUser {name} {auth} authpass{n:04} {words}',
                  f'rouser {name} {"authpriv" if priv else "auth"}']
    return '\n'.join(lines) + '\n'


CONF = user_lines() + f'''rocommunity public
sysLocation outside
exactEngineID 0x{ENGINE_ID}
createUser walker SHA authpass1234
view all included .1
group walkers usm walker
access walkers "" usm auth exact all none none
access walkers inner usm auth exact all none none
proxy -Cn inner -v 2c -c public 127.0.0.1:%d .1.3.6.1.2.1.1
'''


def keys_of(auth, priv, /, **other):
    n = PAIRS.index((auth, priv))
    keys = {'version': 3, 'user': name_of(auth, priv), 'auth': auth, 'auth_pass': f'authpass{n:04}'}
    if priv:
        keys.update(priv=priv, priv_pass=f'privpass{n:04}')
    keys.update(other)
    return {key: value for key, value in keys.items() if value is not None}


@unittest.skipUnless(daemons.SNMPD, 'snmpd is not installed')
class SnmpdV3(poller.Poll):
    @classmethod
    def setUpClass(cls):
        cls.inner = daemons.Snmpd('rocommunity public\nsysLocation inside\n')
        cls.addClassCleanup(cls.inner.stop)
        cls.snmpd = daemons.Snmpd(CONF % cls.inner.port)
        cls.addClassCleanup(cls.snmpd.stop)

    def hosts(self, entries, status=0, *words):
        """{label: record} of one run over {label: keys}; all are the same snmpd."""
        hosts = [{'host': f'127.0.0.1:{self.snmpd.port}', 'label': label, **keys}
                 for label, keys in entries.items()]
        path = self.write('hosts.yaml', json.dumps({
            'defaults': {'get': [SYS_LOCATION], 'timeout': '300ms', 'retries': 1}, 'hosts': hosts}))
        records = self.poll('-f', path, *words, status=status)
        self.assertEqual(sorted(record['host'] for record in records), sorted(entries))
        return {record['host']: record for record in records}

    def assert_fails(self, cases):
        """{label: (keys, status, pattern of its message)}, in one run."""
        records = self.hosts({label: keys for label, (keys, _, _) in cases.items()}, status=1)
        for label, (_, status, pattern) in cases.items():
            with self.subTest(case=label):
                self.assertEqual((records[label]['status'], records[label]['vars']), (status, []), records[label])
                self.assertRegex(records[label]['message'], pattern)
                self.assertNotRegex(records[label]['message'], r'(auth|priv)pass\d')
        return records

    def assert_values(self, record, values):
        self.assertEqual((record['status'], [var['value'] for var in record['vars']]), ('ok', values), record)

    def test_all_pairs(self):
        entries = {name_of(*pair): keys_of(*pair) for pair in PAIRS}
        entries['nokeys'] = {'version': 3, 'user': 'nokeys'}
        self.assertEqual(len(entries), 43)
        for label, record in self.hosts(entries, 0, '-t', '3s').items():
            with self.subTest(user=label):
                self.assert_values(record, ['outside'])
                self.assertEqual(record['tries'], 1)

    def test_options_of_the_command_line(self):
        record = self.one('-v', '3', '-u', 'SHA_AES', '-l', 'authPriv', '-a', 'SHA', '-A',
                          keys_of('SHA', 'AES')['auth_pass'], '-x', 'AES', '-X', keys_of('SHA', 'AES')['priv_pass'],
                          '-e', ENGINE_ID, '-g', SYS_LOCATION, f'127.0.0.1:{self.snmpd.port}')
        self.assert_values(record, ['outside'])

    def test_other_spellings(self):
        records = self.hosts({'one': keys_of('SHA', 'AES', auth='SHA-1', priv='AES-128')})
        self.assert_values(records['one'], ['outside'])

    # ---- engine ID

    def test_pinned_engine_id(self):
        records = self.hosts({'priv': keys_of('SHA-256', 'AES', engine_id=ENGINE_ID),
                              'auth': keys_of('MD5', None, engine_id=ENGINE_ID.upper()),
                              'none': {'version': 3, 'user': 'nokeys', 'engine_id': ENGINE_ID}})
        for record in records.values():
            self.assert_values(record, ['outside'])

    def test_wrong_pinned_engine_id(self):
        wrong = ENGINE_ID[:-1] + '3'
        self.assert_fails({'priv': (keys_of('SHA-256', 'AES', engine_id=wrong), 'auth', 'engine'),
                           'none': ({'version': 3, 'user': 'nokeys', 'engine_id': wrong}, 'auth', 'engine')})

    # ---- contexts

    def test_context(self):
        walker = {'version': 3, 'user': 'walker', 'auth': 'SHA', 'auth_pass': 'authpass1234'}
        records = self.hosts({'without': walker, 'empty': {**walker, 'context': ''},
                              'inner': {**walker, 'context': 'inner'}})
        self.assert_values(records['without'], ['outside'])
        self.assert_values(records['empty'], ['outside'])
        self.assert_values(records['inner'], ['inside'])

    def test_unknown_context(self):
        self.assert_fails({
            'priv': (keys_of('SHA', 'AES', context='nowhere'), 'timeout', 'discovery.* answered.*context'),
            'auth': (keys_of('SHA', None, context='nowhere'), 'timeout', 'discovery.* answered.*context')})

    # ---- who is wrong

    def test_wrong_authentication_passphrase(self):
        self.assert_fails({name_of(*pair): (keys_of(*pair, auth_pass='not the one'), 'auth', 'wrong digest')
                           for pair in PAIRS})

    def test_wrong_authentication_protocol(self):
        self.assert_fails({f'{right} {wrong}': (keys_of(right, priv, auth=wrong), 'auth', 'wrong digest')
                           for right in AUTHS for wrong in AUTHS if wrong != right for priv in (None, 'AES')})

    def test_unknown_user(self):
        self.assert_fails({'priv': (keys_of('SHA', 'AES', user='nobody'), 'auth', 'unknown user'),
                           'auth': (keys_of('SHA', None, user='nobody'), 'auth', 'unknown user'),
                           'none': ({'version': 3, 'user': 'nobody'}, 'auth', 'unknown user')})

    def test_wrong_privacy_passphrase(self):
        self.assert_fails({priv: (keys_of('SHA', priv, priv_pass='not the one'), 'timeout',
                                  'discovery.* answered.*pass') for priv in PRIVS})

    def test_wrong_privacy_protocol(self):
        """The words name what is likely. DES alone can tell, where the length is not one of its blocks':
        then it is a Report."""
        self.assert_fails({f'{right} {wrong}': (keys_of('SHA', right, priv=wrong), 'timeout',
                                                'discovery.* answered.*passphrase or protocol')
                           for right in PRIVS[1:] for wrong in PRIVS if wrong != right})
        records = self.hosts({wrong: keys_of('SHA', 'DES', priv=wrong) for wrong in PRIVS[1:]}, 1)
        for label, record in records.items():
            self.assertIn(record['status'], ('timeout', 'auth'), label)
            self.assertRegex(record['message'], '(?i)passphrase or protocol of privacy|discovery.* answered', label)

    def test_the_other_key_extension(self):
        for size in ('192', '256'):
            here, there = f'AES-{size}', f'AES-{size}-C'
            records = self.assert_fails({
                here: (keys_of('SHA', there, priv=here), 'timeout', rf'\b{there}\b'),
                there: (keys_of('SHA', here, priv=there), 'timeout', rf'\b{here}(?!-C)\b')})
            self.assertEqual({record['tries'] for record in records.values()}, {2})

    def test_the_other_key_extension_is_not_named_where_there_is_one(self):
        message = self.assert_fails({'one': (keys_of('SHA', 'AES', priv_pass='not the one'), 'timeout',
                                             'discovery')})['one']['message']
        self.assertNotIn('AES-256', message)

    def test_level_too_high(self):
        """The user has no keys for it: a Report."""
        self.assert_fails({
            'priv': (keys_of('SHA', None, priv='AES', priv_pass='privpass1234'), 'auth', 'level is not supported'),
            'auth': ({'version': 3, 'user': 'nokeys', 'auth': 'SHA', 'auth_pass': 'authpass1234'}, 'auth',
                     'level is not supported')})

    def test_level_too_low(self):
        """The view forbids it: an error-status."""
        self.assert_fails({
            'auth': (keys_of('SHA', 'AES', level='authNoPriv'), 'error', 'authorizationError'),
            'none': (keys_of('SHA', 'AES', level='noAuthNoPriv'), 'error', 'authorizationError')})

    def test_right_and_wrong_together(self):
        """All are one address and one engine ID: nobody's keys are taken for another's."""
        entries = {}
        for n in range(20):
            pair = PAIRS[n * 2 % len(PAIRS)]
            entries[f'right {n}'] = keys_of(*pair)
            entries[f'wrong {n}'] = keys_of(*pair, auth_pass='not the one')
        records = self.hosts(entries, 1, '-j', '1')
        for label, record in records.items():
            self.assertEqual(record['status'], 'ok' if label.startswith('right') else 'auth', record)


@unittest.skipUnless(daemons.SNMPD, 'snmpd is not installed')
class TwoDevices(poller.Poll):
    """FIELD.md: two devices with one engine ID; the same user name with other passphrases."""

    def test_same_engine_id_and_user_other_keys(self):
        snmpds = []
        for n in (1, 2, 3):
            snmpd = daemons.Snmpd(f'exactEngineID 0x{ENGINE_ID}\nsysLocation place {n}\n'
                                  f'createUser same SHA authpass000{n} AES privpass000{n}\nrouser same authpriv\n')
            self.addCleanup(snmpd.stop)
            snmpds.append(snmpd)
        hosts = [{'host': f'127.0.0.1:{snmpd.port}', 'label': f'{n}.{again}', 'auth_pass': f'authpass000{n}',
                  'priv_pass': f'privpass000{n}'} for again in range(5) for n, snmpd in enumerate(snmpds, 1)]
        path = self.write('hosts.yaml', json.dumps({
            'defaults': {'version': 3, 'user': 'same', 'auth': 'SHA', 'priv': 'AES', 'get': [SYS_LOCATION]},
            'hosts': hosts}))
        for workers in ('1', '4'):
            records = self.poll('-j', workers, '-f', path)
            self.assertEqual({record['host']: record['vars'][0]['value'] for record in records},
                             {host['label']: f'place {host["label"][0]}' for host in hosts})


if __name__ == '__main__':
    unittest.main()

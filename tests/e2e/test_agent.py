#!/usr/bin/env python3
"""The simulated agents (tests/agent/) do what they are asked to, right and wrong.

Other tests take the park's word for what a device did; this one looks at its datagrams, with a codec
of its own (park.py). Where Net-SNMP's tools are installed they must agree with what is read here; where they are
not, that class is skipped.

SNMP_AGENTS names the program (default ./snmp-agents).
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from park import (AGENTS, COUNTER32, COUNTER64, CONTACT, DESCR, END_OF_MIB, GAUGE32, GEN_ERR, GET, GETBULK, GETNEXT, IF, IFX,
                  INTEGER, IPADDRESS, NAME, NOT_WRITABLE, NO_SUCH_INSTANCE, NO_SUCH_NAME, NO_SUCH_OBJECT, OCTETS, OID, OPAQUE,
                  READ_ONLY, REPORT, RESPONSE, SET, SILENCE, SYSTEM, TIMETICKS, TOO_BIG, Answer, Park, Shared, integer, key,
                  message, oid, park, split)


class Mib(Shared):
    def test_every_address_is_an_agent_and_answers_itself(self):
        for n in range(1, 250, 7):
            address = f'127.{n}.3.{n}'
            answer = self.park.ask(address, names=[DESCR, NAME])
            self.assertEqual(answer.source, (address, self.park.port))
            self.assertEqual([row[2].decode() for row in answer.varbinds],
                             ['Simulated agent ' + address, 'agent-' + address.replace('.', '-')])

    def test_answer_repeats_id_version_community(self):
        for version in (0, 1):
            for request_id in (0, 1, 127, 128, 2**31 - 1, -1, -2**31):
                answer = self.park.ask('127.0.0.1', version=version, request_id=request_id)
                self.assertEqual((answer.id, answer.version, answer.community, answer.pdu),
                                 (request_id, version, b'public', RESPONSE))

    def test_awkward_values(self):
        for name, tag, value in (
                (SYSTEM + '2.0', OID, '1.3.6.1.4.1.8072.3.2.10'),
                (SYSTEM + '6.0', OCTETS, b'rack\t7\nroom "B" \x1b[31mred\x1b[0m C:\\lab'),
                (SYSTEM + '7.0', INTEGER, 72),
                ('1.3.6.1.2.1.2.1.0', INTEGER, 2),
                (IF + '2.1', OCTETS, b'eth0'),
                (IF + '5.1', GAUGE32, 2**32 - 1),
                (IF + '6.2', OCTETS, b'\x02\xff\x00\x01\x00\x02'),
                (IF + '22.1', OID, '0.0'),
                ('1.3.6.1.2.1.4.20.1.1.127.0.0.1', IPADDRESS, b'\x7f\0\0\1'),
                (IFX + '6.1', COUNTER64, 2**64 - 2),
                (IFX + '6.2', COUNTER64, 2**64 - 3),
                (IFX + '10.1', COUNTER64, 2**63),
                (IFX + '18.1', OCTETS, b''),
                ('1.3.6.1.4.1.2021.10.1.3.2', OCTETS, b'0.50'),
                ('1.3.6.1.4.1.2021.10.1.6.2', OPAQUE, b'\x9f\x78\x04\x3f\0\0\0')):
            self.assertEqual(self.park.value(name), (tag, value), name)

    def test_uptime_runs_in_hundredths(self):
        before = self.park.value(SYSTEM + '3.0')[1]
        time.sleep(0.2)
        tag, after = self.park.value(SYSTEM + '3.0')
        self.assertEqual(tag, TIMETICKS)
        self.assertTrue(20 <= after - before < 300, after - before)

    def test_what_is_not_there_v2c(self):
        for name in ('1.3.6.1.2.1.99', '1.3.6.1.2.1.1.8.0', '1.3', '2.100.3'):
            self.assertEqual(self.park.value(name)[0], NO_SUCH_OBJECT, name)
        for name in (SYSTEM + '1', SYSTEM + '1.1', SYSTEM + '1.0.0', IF + '1.0', IF + '1.3', IF + '1',
                     IF + '1.1.1', '1.3.6.1.2.1.4.20.1.1.127.0.0.2', '1.3.6.1.2.1.4.20.1.1.127'):
            self.assertEqual(self.park.value(name)[0], NO_SUCH_INSTANCE, name)
        answer = self.park.ask('127.0.0.1', GETNEXT, ['1.3.6.1.4.1.2021.10.1.6.3', '2.5'])
        self.assertEqual([(row[0], row[1]) for row in answer.varbinds],
                         [('1.3.6.1.4.1.2021.10.1.6.3', END_OF_MIB), ('2.5', END_OF_MIB)])

    def test_what_is_not_there_v1(self):
        for names, index in (([DESCR, IFX + '6.1'], 2), ([IF + '1.3', DESCR], 1)):
            answer = self.park.ask('127.0.0.1', names=names, version=0)
            self.assertEqual((answer.status, answer.index), (NO_SUCH_NAME, index))
            self.assertEqual([row[0] for row in answer.varbinds], names)
        answer = self.park.ask('127.0.0.1', GETNEXT, [DESCR, '2.5'], version=0)
        self.assertEqual((answer.status, answer.index), (NO_SUCH_NAME, 2))

    def test_walks_agree_and_advance(self):
        rows = self.park.walk()
        names = [row[0] for row in rows]
        self.assertEqual(names, sorted(set(names), key=key))
        self.assertEqual(len(rows), 7 + 1 + 22 * 2 + 2 + 3 + 2 + 19 * 2 + 4 * 3)
        self.assertEqual([row[0] for row in self.park.walk(pdu=GETBULK)], names)
        self.assertEqual([row[0] for row in self.park.walk(version=0)],
                         [row[0] for row in rows if row[1] != COUNTER64])

    def test_getnext_from_between(self):
        for name, following in ((IF + '1.0', IF + '1.1'), (IF + '1.1', IF + '1.2'), (IF + '1.2', IF + '2.1'),
                                (IF + '1.1.9', IF + '1.2'), (IF + '0', IF + '1.1'), (SYSTEM + '7', SYSTEM + '7.0'),
                                (SYSTEM + '7.0', '1.3.6.1.2.1.2.1.0'), (IF + '4294967295', '1.3.6.1.2.1.4.1.0'),
                                ('1.3.6.1.2.1.4.20.1.1.127', '1.3.6.1.2.1.4.20.1.1.127.0.0.1'),
                                ('1.3.6.1.2.1.4.20.1.1.128', '1.3.6.1.2.1.4.20.1.2.127.0.0.1')):
            answer = self.park.ask('127.0.0.1', GETNEXT, [name])
            self.assertEqual(answer.varbinds[0][0], following, name)

    def test_getbulk_shape(self):
        answer = self.park.ask('127.0.0.1', GETBULK, [DESCR, IF + '1', IF + '2'], status=1, index=3)
        self.assertEqual([row[0] for row in answer.varbinds],
                         [SYSTEM + '2.0', IF + '1.1', IF + '2.1', IF + '1.2', IF + '2.2', IF + '2.1', IF + '3.1'])
        answer = self.park.ask('127.0.0.1', GETBULK, [DESCR], status=5, index=-1)
        self.assertEqual(len(answer.varbinds), 1)
        answer = self.park.ask('127.0.0.1', GETBULK, [DESCR], index=0)
        self.assertEqual(answer.varbinds, [])
        self.assertTrue(self.park.is_silent('127.0.0.1', message(GETBULK, [DESCR], version=0, index=3)))

    def test_set_is_refused(self):
        for version, name, status in ((1, CONTACT, NOT_WRITABLE), (0, CONTACT, READ_ONLY), (0, '1.3.9', NO_SUCH_NAME)):
            answer = self.park.ask('127.0.0.1', SET, [name], version=version)
            self.assertEqual((answer.status, answer.index), (status, 1))

    def test_ipv6(self):
        with park() as p:
            p.speak_v6(self)
            answer = p.ask('::1')
            port = p.port
        self.assertEqual(answer.source[:2], ('::1', port))
        self.assertEqual(answer.varbinds[0][2], b'Simulated agent ::1')


class Large(Shared):
    OPTIONS = ('--interfaces', '10000', '--max-size', '1400')

    def test_ten_thousand_rows(self):
        self.assertEqual(self.park.value(IF + '1.10000'), (INTEGER, 10000))
        self.assertEqual(self.park.value(IF + '1.10001')[0], NO_SUCH_INSTANCE)
        answer = self.park.ask('127.0.0.1', GETNEXT, [IF + '1.10000'])
        self.assertEqual(answer.varbinds[0][0], IF + '2.1')

    def test_getbulk_fills_the_datagram_and_no_more(self):
        answer = self.park.ask('127.0.0.1', GETBULK, [IF + '2'], index=1000)
        self.assertTrue(1350 < len(answer.data) <= 1400, len(answer.data))
        self.assertEqual([row[0] for row in answer.varbinds],
                         [f'{IF}2.{n + 1}' for n in range(len(answer.varbinds))])

    def test_get_is_too_big(self):
        for version in (0, 1):
            answer = self.park.ask('127.0.0.1', names=[DESCR] * 40, version=version)
            self.assertEqual((answer.status, len(answer.varbinds)), (TOO_BIG, 40 if version == 0 else 0))
        # A request that is itself larger than an answer may be cannot be sent back.
        for pdu, status in ((GET, TOO_BIG), (SET, READ_ONLY)):
            answer = self.park.ask('127.0.0.1', pdu, [DESCR] * 200, version=0)
            self.assertEqual((answer.status, answer.varbinds), (status, []))

    def test_too_many_columns(self):
        self.assertEqual(self.park.ask('127.0.0.1', GETBULK, [DESCR] * 129, index=1).status, TOO_BIG)


RULES = (
    'silent', 'lose-first=2', 'late=300ms', 'late-first=300ms', 'duplicate', 'reorder', 'wrong-id', 'wrong-community',
    'wrong-version', 'wrong-pdu', 'wrong-pdu=8', 'other-address', 'other-port', 'truncated', 'truncated-head',
    'garbage', 'empty', 'empty-varbinds', 'fewer-varbinds', 'other-oid', 'bad-int', 'long-int', 'too-big=2',
    'too-big-empty=2', 'gen-err', 'error=16', 'error-index=9', 'error-index=0', 'no-such-name', 'no-such-name-v2',
    'huge', 'nonincreasing', 'decreasing', 'few-repetitions=3', 'trailing', 'drop-over=200', 'wrong-id,then-good', 'ok',
    'other-address,other-port,wrong-id,duplicate', 'only-first=2', 'rows=1000000', 'rows=7,sparse', 'types',
    'long-values=300', 'rows=9,loop-after=4', 'more-repetitions=2', 'rows=9,gen-err-row=4', 'end-gen-err', 'end-no-such-name')


class Behaviour(Shared):
    ADDRESS = {rule: f'127.0.1.{n + 1}' for n, rule in enumerate(RULES)}
    OPTIONS = tuple(option for rule, address in ADDRESS.items() for option in ('--rule', f'{address}:{rule}'))

    def ask(self, rule, *arguments, **fields):
        return self.park.ask(self.ADDRESS[rule], *arguments, **fields)

    def raw(self, rule):
        return self.park.raw(self.ADDRESS[rule])

    def timed(self, rule):
        start = time.monotonic()
        answer = self.ask(rule)
        self.assertEqual((answer.id, answer.status), (4711, 0))
        return time.monotonic() - start

    def test_silent(self):
        self.assertTrue(self.park.is_silent(self.ADDRESS['silent']))

    def test_lose_first(self):
        address = self.ADDRESS['lose-first=2']
        self.assertTrue(self.park.is_silent(address))
        self.assertTrue(self.park.is_silent(address))
        self.assertEqual(self.ask('lose-first=2').status, 0)
        self.assertEqual(self.ask('lose-first=2').status, 0)

    def test_late(self):
        for _ in range(2):
            self.assertTrue(0.3 <= self.timed('late=300ms') < 2)

    def test_late_first(self):
        address = self.ADDRESS['late-first=300ms']
        start = time.monotonic()
        self.park.send(address, message(GET, [DESCR], request_id=1))
        self.park.send(address, message(GET, [DESCR], request_id=2))
        self.assertEqual(Answer(*self.park.receive()).id, 2)
        self.assertEqual(Answer(*self.park.receive()).id, 1)
        self.assertTrue(0.3 <= time.monotonic() - start < 2)
        self.assertTrue(self.timed('late-first=300ms') < 0.3)

    def test_duplicate(self):
        first = self.raw('duplicate')
        self.assertEqual(self.park.receive(), first)
        self.assertIsNone(self.park.receive(SILENCE))

    def test_reorder(self):
        for request_id in (1, 2):
            self.park.send(self.ADDRESS['reorder'], message(GET, [DESCR], request_id=request_id))
        self.assertEqual([Answer(*self.park.receive()).id for _ in range(2)], [2, 1])

    def test_wrong_id(self):
        answer = self.ask('wrong-id')
        self.assertNotEqual(answer.id, 4711)
        self.assertEqual(answer.varbinds[0][1], OCTETS)

    def test_wrong_community(self):
        answer = self.ask('wrong-community')
        self.assertEqual((answer.id, answer.community), (4711, b'wrong'))

    def test_wrong_version(self):
        self.assertEqual(self.ask('wrong-version').version, 0)
        self.assertEqual(self.ask('wrong-version', version=0).version, 1)

    def test_wrong_pdu(self):
        self.assertEqual((self.ask('wrong-pdu').pdu, self.ask('wrong-pdu=8').pdu), (GET, REPORT))

    def test_other_address(self):
        mine = self.ADDRESS['other-address']
        source = self.ask('other-address').source
        self.assertEqual(source[1], self.park.port)
        self.assertNotEqual(source[0], mine)
        self.assertEqual(source[0].rsplit('.', 1)[0], mine.rsplit('.', 1)[0])

    def test_other_port(self):
        source = self.ask('other-port').source
        self.assertEqual(source[0], self.ADDRESS['other-port'])
        self.assertNotEqual(source[1], self.park.port)

    def test_truncated(self):
        data, _ = self.raw('truncated')
        whole, _ = self.park.raw('127.0.1.99')
        self.assertEqual(len(data), len(whole) // 2)
        self.assertIn(integer(4711), data)
        self.assertRaises(ValueError, split, data)

    def test_truncated_head(self):
        data, _ = self.raw('truncated-head')
        self.assertTrue(data.endswith(b'public'))

    def test_garbage(self):
        first, second = self.raw('garbage')[0], self.raw('garbage')[0]
        self.assertEqual((len(first), len(second)), (48, 48))
        self.assertNotEqual(first, second)

    def test_empty(self):
        self.assertEqual(self.raw('empty')[0], b'')

    def test_empty_varbinds(self):
        for pdu in (GET, GETNEXT, GETBULK):
            answer = self.ask('empty-varbinds', pdu, [DESCR, NAME], index=5 if pdu == GETBULK else 0)
            self.assertEqual((answer.status, answer.varbinds), (0, []))

    def test_fewer_varbinds(self):
        answer = self.ask('fewer-varbinds', GET, [DESCR, NAME])
        self.assertEqual((answer.status, [row[0] for row in answer.varbinds]), (0, [DESCR]))

    def test_other_oid(self):
        answer = self.ask('other-oid')
        self.assertEqual((answer.status, answer.varbinds[0][0]), (0, SYSTEM + '1.1'))

    def test_integers(self):
        self.assertIn(oid(DESCR) + b'\2\0', self.raw('bad-int')[0])
        self.assertIn(oid(DESCR) + b'\2\x09\1\2\3\4\5\6\7\x08\x09', self.raw('long-int')[0])

    def test_too_big(self):
        for rule, left in (('too-big=2', 3), ('too-big-empty=2', 0)):
            for version in (0, 1):
                self.assertEqual(self.ask(rule, GET, [DESCR, NAME], version=version).status, 0)
                answer = self.ask(rule, GET, [DESCR, NAME, CONTACT], version=version)
                self.assertEqual((answer.status, len(answer.varbinds)), (TOO_BIG, left))
            self.assertEqual(self.ask(rule, GETBULK, [IF + '1'], index=2).status, 0)
            self.assertEqual(self.ask(rule, GETBULK, [IF + '1'], index=3).status, TOO_BIG)

    def test_errors(self):
        for rule, status, index in (('gen-err', GEN_ERR, 1), ('error=16', 16, 1), ('error-index=9', GEN_ERR, 9),
                                    ('error-index=0', GEN_ERR, 0)):
            answer = self.ask(rule)
            self.assertEqual((answer.status, answer.index, answer.varbinds), (status, index, [(DESCR, 5, b'')]))

    def test_no_such_name(self):
        for rule in ('no-such-name', 'no-such-name-v2'):
            answer = self.ask(rule, GET, [DESCR, CONTACT, NAME], version=0)
            self.assertEqual((answer.status, answer.index), (NO_SUCH_NAME, 2))
            self.assertEqual(self.ask(rule, GETNEXT, [SYSTEM + '3.0']).varbinds[0][0], NAME)
        answer = self.ask('no-such-name', GET, [DESCR, CONTACT])
        self.assertEqual((answer.status, answer.varbinds[1][1]), (0, NO_SUCH_INSTANCE))
        answer = self.ask('no-such-name-v2', GET, [DESCR, CONTACT])
        self.assertEqual((answer.version, answer.status, answer.index), (1, NO_SUCH_NAME, 2))

    def test_huge(self):
        answer = self.ask('huge', GET, [DESCR, NAME])
        self.assertEqual(answer.varbinds[0][2], b'x' * 60000)
        self.assertEqual(answer.varbinds[1][1], OCTETS)

    def test_nonincreasing(self):
        step = lambda rule, name: self.ask(rule, GETNEXT, [name]).varbinds[0][0]
        self.assertEqual(step('nonincreasing', IF + '1'), IF + '1.1')
        self.assertEqual(step('nonincreasing', IF + '1.1'), IF + '1.1')
        self.assertEqual(step('decreasing', IF + '1.1'), IF + '1.2')
        self.assertEqual(step('decreasing', IF + '1.2'), IF + '1.1')
        for rule, rows in (('nonincreasing', '1111'), ('decreasing', '1212')):
            answer = self.ask(rule, GETBULK, [IF + '1'], index=4)
            self.assertEqual([row[0] for row in answer.varbinds], [f'{IF}1.{row}' for row in rows])

    def test_loop_after(self):
        answer = self.ask('rows=9,loop-after=4', GETBULK, [IF + '1'], index=6)
        self.assertEqual([row[2] for row in answer.varbinds], [1, 2, 3, 4, 1, 2])

    def test_only_first(self):
        self.assertEqual([self.ask('only-first=2').status for _ in range(2)], [0, 0])
        self.assertTrue(self.park.is_silent(self.ADDRESS['only-first=2']))

    def test_rows(self):
        answer = self.ask('rows=1000000', GET, ['1.3.6.1.2.1.2.1.0', IF + '1.1000000', IF + '1.1000001'])
        self.assertEqual([row[1:] for row in answer.varbinds],
                         [(INTEGER, 1000000), (INTEGER, 1000000), (NO_SUCH_INSTANCE, b'')])
        answer = self.ask('rows=1000000', GETBULK, [IF + '1.999999'], index=2)
        self.assertEqual([row[0] for row in answer.varbinds], [IF + '1.1000000', IF + '2.1'])

    def test_sparse(self):
        there = [(column, row) for column in range(1, 23) for row in range(1, 8) if column == 1 or (column + row) % 3]
        answer = self.ask('rows=7,sparse', GETBULK, [IF[:-1]], index=len(there))
        self.assertEqual([row[0] for row in answer.varbinds], [f'{IF}{column}.{row}' for column, row in there])
        self.assertEqual([row[1] for row in self.ask('rows=7,sparse', GET, [IF + '2.1', IF + '2.2', IFX + '1.5']).varbinds],
                         [NO_SUCH_INSTANCE, OCTETS, OCTETS])

    def test_types(self):
        playpen = '1.3.6.1.4.1.8072.9999.9999.'
        self.assertEqual(self.ask('ok', GET, [playpen + '1.0']).varbinds[0][1], NO_SUCH_OBJECT)
        answer = self.ask('types', GETBULK, [playpen[:-1]], index=26)
        self.assertEqual([row[0] for row in answer.varbinds], [f'{playpen}{n}.0' for n in range(1, 26)] + [f'{playpen}25.0'])
        self.assertEqual([row[1:] for row in answer.varbinds], [
            (INTEGER, -2**31), (INTEGER, 2**31 - 1), (OCTETS, 'Z\u00fcrich \u2713 \U0001f30d'.encode()), (OCTETS, b'\0\xff\x80\n'),
            (OCTETS, b'caf\xe9'), (OCTETS, b'\x07\xe8\x02\x1d\x0c\x22\x38\x05+\x01\0'), (OCTETS, b'\0\0\x5e\0\x53\1'),
            (OCTETS, b'\xa0\1'), (OCTETS, b''), (OCTETS, b'a\0b\x7f\xe2\x80\xaec'), (OID, '1.3.6.1.4.1.4294967295.0'),
            (OID, '2.999.3'), (OID, '1.3' + '.1' * 126), (IPADDRESS, b'\xc0\0\2\1'), (COUNTER32, 2**32 - 1),
            (GAUGE32, 3000000000), (TIMETICKS, 2**32 - 1), (COUNTER64, 2**64 - 1), (OPAQUE, b'\x9f\x78\4\xc0\x20\0\0'),
            (OPAQUE, b'\x9f\x79\x08\x40\x09\x21\xfb\x54\x44\x2d\x18'), (OPAQUE, b'\4\3abc'), (OPAQUE, b'\x9f\x7a\1\xff'),
            (OPAQUE, b'\x9f\x78\4\x7f\xc0\0\0'), (OPAQUE, b'\x9f\x79\x08\xff\xf0' + bytes(6)), (5, b''), (END_OF_MIB, b'')])

    def test_long_values(self):
        answer = self.ask('long-values=300', GET, [NAME, IFX + '18.1', IF + '1.1'])
        name = b'agent-' + self.ADDRESS['long-values=300'].replace('.', '-').encode()
        self.assertEqual([row[2] for row in answer.varbinds], [name + b'x' * (300 - len(name)), b'x' * 300, 1])

    def test_more_repetitions(self):
        self.assertEqual(len(self.ask('more-repetitions=2', GETBULK, [DESCR], index=3).varbinds), 5)

    def test_gen_err_row(self):
        rule = 'rows=9,gen-err-row=4'
        self.assertEqual(len(self.ask(rule, GETBULK, [IF + '1'], index=3).varbinds), 3)
        answer = self.ask(rule, GETBULK, [DESCR, IF + '1', IF + '2'], status=1, index=5)
        self.assertEqual((answer.status, answer.index, len(answer.varbinds)), (GEN_ERR, 2, 3))
        for pdu, name in ((GETNEXT, IF + '1.3'), (GET, IF + '1.4')):
            answer = self.ask(rule, pdu, [DESCR, name])
            self.assertEqual((answer.status, answer.index), (GEN_ERR, 2))

    def test_end(self):
        for rule, status in (('end-gen-err', GEN_ERR), ('end-no-such-name', NO_SUCH_NAME)):
            for pdu in (GETNEXT, GETBULK):
                answer = self.ask(rule, pdu, ['1.3.6.1.4.1.2021.10.1.6.2', '2.5'], index=1 if pdu == GETBULK else 0)
                self.assertEqual((answer.status, answer.index), (status, 2))
                self.assertEqual(self.ask(rule, pdu, [DESCR], index=1 if pdu == GETBULK else 0).status, 0)

    def test_few_repetitions(self):
        self.assertEqual(len(self.ask('few-repetitions=3', GETBULK, [DESCR], index=10).varbinds), 3)
        self.assertEqual(len(self.ask('few-repetitions=3', GETBULK, [DESCR], index=2).varbinds), 2)

    def test_trailing(self):
        data, source = self.raw('trailing')
        self.assertEqual(len(data), data[1] + 2 + 8)
        self.assertEqual(Answer(data[:-8], source).id, 4711)

    def test_drop_over(self):
        address = self.ADDRESS['drop-over=200']
        self.assertEqual(self.ask('drop-over=200').status, 0)
        self.assertTrue(self.park.is_silent(address, message(GETBULK, [IF + '1'], index=20)))

    def test_then_good(self):
        self.park.send(self.ADDRESS['wrong-id,then-good'], message(GET, [DESCR]))
        ids = [Answer(*self.park.receive()).id for _ in range(2)]
        self.assertNotEqual(ids[0], 4711)
        self.assertEqual(ids[1], 4711)

    def test_ok(self):
        self.assertEqual(self.ask('ok').varbinds[0][1], OCTETS)

    def test_several_at_once(self):
        rule = 'other-address,other-port,wrong-id,duplicate'
        first = self.ask(rule)
        second = Answer(*self.park.receive())
        self.assertEqual((first.data, first.source), (second.data, second.source))
        self.assertNotEqual(first.id, 4711)
        self.assertNotEqual(first.source[0], self.ADDRESS[rule])
        self.assertNotEqual(first.source[1], self.park.port)


class Matching(unittest.TestCase):
    def answering(self, rules, addresses, *options):
        with park(*[word for rule in rules for word in ('--rule', rule)], *options) as p:
            found = []
            for start in range(0, len(addresses), 50):
                for address in addresses[start:start + 50]:
                    p.send(address, message(GET, [DESCR]))
                # Once all are counted, whatever answers there are stand in our receive buffer.
                while p.counters()['received'] < min(start + 50, len(addresses)):
                    pass
                while (got := p.receive(0)) is not None:
                    found.append(got[1][0])
            return found

    def test_first_match_decides(self):
        block = [f'127.0.3.{n}' for n in range(1, 40)]
        for rules, wanted in (
                (['127.0.3.10-20:ok', '127.0.3.0/24:silent'], range(10, 21)),
                (['127.0.3.16/28:silent'], [*range(1, 16), *range(32, 40)]),
                (['every:3:silent'], [n for n in range(1, 40) if (127 * 2**24 + 3 * 256 + n) % 3]),
                (['127.0.3.7:ok', '*:silent'], [7]),
                (['percent:0:silent'], range(1, 40)),
                (['percent:100:silent'], [])):
            self.assertEqual(self.answering(rules, block), [f'127.0.3.{n}' for n in wanted], rules)

    def test_percent_is_fixed_and_even(self):
        block = [f'127.{n % 7}.{n // 200}.{n % 200 + 1}' for n in range(2000)]
        alive = self.answering(['percent:10:silent'], block)
        self.assertTrue(1740 <= len(alive) <= 1860, len(alive))
        self.assertEqual(self.answering(['percent:10:silent'], block, '--seed', '9'), alive)

    def test_lose_follows_the_seed(self):
        block = [f'127.0.4.{n}' for n in range(1, 255)] * 2
        outcomes = [self.answering(['*:lose=500'], block, '--seed', seed) for seed in ('1', '1', '2')]
        self.assertTrue(len(block) * 0.4 < len(outcomes[0]) < len(block) * 0.6, len(outcomes[0]))
        self.assertEqual(outcomes[0], outcomes[1])
        self.assertNotEqual(outcomes[0], outcomes[2])

    def test_ipv6_rule(self):
        with park('--rule', '::1:gen-err', '--rule', '*:ok') as p:
            self.assertEqual(p.ask('127.0.0.1').status, 0)
            p.speak_v6(self)
            self.assertEqual(p.ask('::1').status, GEN_ERR)


class Delay(unittest.TestCase):
    def test_latency_and_jitter(self):
        with park('--latency', '50ms', '--jitter', '30ms') as p:
            waits = []
            for _ in range(30):
                start = time.monotonic()
                p.ask('127.0.0.1')
                waits.append(time.monotonic() - start)
            self.assertTrue(min(waits) >= 0.05 and sorted(waits)[15] < 0.1, waits)
            self.assertTrue(max(waits) - min(waits) > 0.005, waits)

    def test_many_wait_in_order(self):
        with park('--latency', '300ms') as p:
            p.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            for n in range(100):
                p.send('127.0.0.1', message(GETBULK, [IF + '1'], request_id=n, index=n))
            self.assertEqual([Answer(*p.receive()).id for n in range(100)], list(range(100)))
            self.assertEqual(p.counters()['max_pending'], 100)


class Program(unittest.TestCase):
    def test_counters(self):
        p = Park('--rule', '127.0.0.2:silent', '--rule', '127.0.0.3:duplicate', '--community', 'mine')
        for address, data in (('127.0.0.1', message(GET, [DESCR])), ('127.0.0.1', b'\x30\x03\2\1\3'),
                              ('127.0.0.1', b'junk'), ('127.0.0.1', b''),
                              ('127.0.0.2', message(GET, [DESCR], community=b'mine')),
                              ('127.0.0.1', message(RESPONSE, [DESCR], community=b'mine'))):
            self.assertTrue(p.is_silent(address, data))
        p.ask('127.0.0.1', community=b'mine')
        p.ask('127.0.0.3', community=b'mine')
        wanted = {'received': 8, 'answered': 3, 'dropped': 1, 'duplicated': 1, 'bad_community': 1, 'version_3': 1,
                  'malformed': 2, 'unanswerable': 1, 'send_errors': 0, 'overflowed': 0, 'max_pending': 0}
        counters = p.counters()
        self.assertIn(counters.pop('overrun'), (0, None))
        self.assertEqual(counters, wanted)
        self.assertEqual(p.end(signal.SIGINT)['received'], 8)

    def test_requests_that_find_no_room_are_counted(self):
        with park('--receive-buffer', '4096') as p:
            p.process.send_signal(signal.SIGSTOP)
            for _ in range(100):
                p.send('127.0.0.1', message(GET, [DESCR]))
            p.process.send_signal(signal.SIGCONT)
            while p.receive(SILENCE):
                pass
            counters = p.counters()
            self.assertTrue(0 < counters['received'] < 100, counters)
            if counters['overrun'] is not None:
                self.assertEqual(counters['received'] + counters['overrun'], 100)

    def test_log(self):
        with tempfile.NamedTemporaryFile('r') as log, park('--log', log.name) as p:
            p.ask('127.0.0.7', GETBULK, [DESCR, NAME], request_id=-5, index=2)
            p.ask('127.0.0.8')
            lines = [line.split() for line in log]
            port = str(p.socket.getsockname()[1])
            self.assertEqual([line[1:] for line in lines], [['127.0.0.7', port, 'getbulk', '-5', '2'],
                                                            ['127.0.0.8', port, 'get', '4711', '1']])
            self.assertTrue(0 <= float(lines[1][0]) - float(lines[0][0]) < 5000)

    def test_ends_by_itself(self):
        run = subprocess.run([AGENTS, '--stop-after', '200ms'], capture_output=True, text=True, timeout=10)
        self.assertEqual(run.returncode, 0)
        self.assertEqual(json.loads(run.stdout.splitlines()[1])['received'], 0)

    def test_ends_with_its_parent(self):
        run = subprocess.run(['sh', '-c', '"$0" --with-parent --stop-after 60s & sleep 0.3', AGENTS],
                             capture_output=True, text=True, timeout=20)
        # Its stdout is ours: the run above is over only when the park has ended, too.
        self.assertIn('"received": 0', run.stdout)

    def test_given_port_and_address(self):
        with park('--bind', '127.0.0.9') as p:
            self.assertEqual(p.ask('127.0.0.9').status, 0)
            run = subprocess.run([AGENTS, '--bind', '127.0.0.9', '--port', str(p.port), '--stop-after', '1s'],
                                 capture_output=True, text=True, timeout=10)
            self.assertEqual((run.returncode, run.stdout), (1, ''))
            self.assertIn('in use', run.stderr)

    def test_wrong_use(self):
        for arguments in (['--rule', '127.0.0.1'], ['--rule', '127.0.0.1:sillent'], ['--rule', '127.0.0:silent'],
                          ['--rule', '127.0.0.9-4:silent'], ['--rule', '127.0.0.0/33:silent'],
                          ['--rule', 'every:0:silent'], ['--rule', 'percent:101:silent'], ['--rule', '*:silent=1'],
                          ['--rule', '*:lose'], ['--rule', '*:late=fast'], ['--port', '65536'], ['--port', '-1'],
                          ['--interfaces', '10001'], ['--latency', '2h'], ['--nonsense'], ['word'],
                          ['--max-size', '0'], ['--seed', '0']):
            run = subprocess.run([AGENTS, *arguments], capture_output=True, text=True, timeout=10)
            self.assertEqual((run.returncode, run.stdout), (2, ''), arguments)
            self.assertNotEqual(run.stderr, '')

    def test_help(self):
        run = subprocess.run([AGENTS, '--help'], capture_output=True, text=True, timeout=10)
        self.assertEqual(run.returncode, 0)
        for rule in RULES:
            for word in rule.split(','):
                self.assertIn(word.split('=')[0], run.stdout)

    def test_survives_noise(self):
        source = random.Random(1)
        seeds = [message(GET, [DESCR, CONTACT]), message(GETBULK, [IF + '1', IFX + '6'], status=1, index=50),
                 message(GETNEXT, ['1.3'], version=0), message(SET, [CONTACT])]
        rules = [word for n, rule in enumerate(RULES) for word in ('--rule', f'127.0.1.{n + 1}:{rule}')]
        with park(*rules) as p:
            for n in range(20000):
                data = bytearray(source.choice(seeds))
                for _ in range(source.randint(1, 4)):
                    data[source.randrange(len(data))] = source.randrange(256)
                p.send(f'127.0.1.{n % (len(RULES) + 1) + 1}', bytes(data[:source.randint(1, len(data) * 4)]))
            p.socket.close()
            p.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.assertEqual(p.ask('127.0.0.1').status, 0)


@unittest.skipUnless(shutil.which('snmpget') and shutil.which('snmpbulkwalk') and shutil.which('snmpwalk'),
                     "Net-SNMP's tools are not installed")
class NetSnmp(Shared):
    def run_tool(self, tool, version, *names):
        environment = dict(os.environ, MIBS='', SNMP_PERSISTENT_DIR='/dev/null', SNMPCONFPATH='/dev/null')
        run = subprocess.run([tool, '-v', version, '-c', 'public', '-On', '-Oe', '-Ox', '-r', '0', '-t', '5',
                              f'127.0.0.1:{self.park.port}', *names], env=environment, capture_output=True, timeout=60)
        return run.returncode, run.stdout.decode('utf-8', 'backslashreplace').splitlines()

    def names(self, lines):
        return [line.split(' = ')[0].lstrip('.') for line in lines if ' = ' in line and 'No more' not in line]

    def test_get(self):
        status, lines = self.run_tool('snmpget', '2c', SYSTEM + '2.0', IF + '5.1', IFX + '6.1',
                                      '1.3.6.1.4.1.2021.10.1.6.3', '1.3.6.1.2.1.4.20.1.1.127.0.0.1')
        self.assertEqual(status, 0)
        self.assertEqual([line.split(' = ')[1] for line in lines],
                         ['OID: .1.3.6.1.4.1.8072.3.2.10', 'Gauge32: 4294967295', 'Counter64: 18446744073709551614',
                          'Opaque: Float: 0.750000', 'IpAddress: 127.0.0.1'])

    def test_walks(self):
        ours = [row[0] for row in self.park.walk()]
        self.assertEqual(self.names(self.run_tool('snmpbulkwalk', '2c', '.1.3')[1]), ours)
        self.assertEqual(self.names(self.run_tool('snmpwalk', '2c', '.1.3')[1]), ours)
        self.assertEqual(self.names(self.run_tool('snmpwalk', '1', '.1.3')[1]),
                         [row[0] for row in self.park.walk(version=0)])


del Shared
if __name__ == '__main__':
    unittest.main()

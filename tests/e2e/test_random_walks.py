#!/usr/bin/env python3
"""Walks and tables of made-up devices: whatever their MIB, limits and manners, what comes out is what is there.

Each device has a tree of random shape (columns with holes, indexes of several parts, names that begin
with other names, sub-identifiers of all sizes) and random manners that are allowed: a short GETBULK
answer, one cut in the middle of a repetition, tooBig, a limit above which answers are lost, values
of any length. A seed makes the same device in every run, and is shown where what came out is not
what is there.
"""
import json
import random
import unittest

import ber
import poller

SEEDS = range(40)
ROOT = '1.3.6.1.4.1.32473'


def number(source):
    return source.choice((0, 1, 2, 3, 127, 128, 255, 16383, 16384, 2**31, 2**32 - 1, source.randrange(2**32)))


def value(source):
    size = source.choice((0, 1, 5, 30, 127, 128, 300))
    return source.choice((
        lambda: ber.integer(source.randrange(-2**31, 2**31)), lambda: ber.gauge32(source.randrange(2**32)),
        lambda: ber.counter64(source.randrange(2**64)), lambda: ber.timeticks(source.randrange(2**32)),
        lambda: ber.string(bytes(source.randrange(256) for _ in range(size))),
        lambda: ber.identifier(f'1.3.{number(source)}.{number(source)}'), lambda: ber.NULL))()


def tree(source):
    """{oid: value}: a table of its own below ROOT.2.1, other things around it."""
    objects = {}
    indexes = sorted({'.'.join(str(number(source)) for _ in range(source.choice((1, 1, 2, 5))))
                      for _ in range(source.choice((0, 1, 3, 20, 60)))})  # a set's order is another one in each run
    for column in source.sample(range(1, 60), source.choice((1, 2, 5, 40))):
        share = source.choice((0.2, 0.9, 1, 1))
        objects.update({f'{ROOT}.2.1.{column}.{index}': value(source)
                        for index in indexes if source.random() < share})
    for _ in range(source.choice((0, 1, 30))):
        objects[f'{ROOT}.{source.choice((1, 3, 4))}.' +
                '.'.join(str(number(source)) for _ in range(source.randint(1, 6)))] = value(source)
    if source.random() < 0.5:
        objects[f'{ROOT[:-1]}4.1.0'] = ber.integer(1)
    return objects


class Manners:
    """A device's; answers as its tree says."""

    def __init__(self, seed):
        source = random.Random(seed)
        self.tree = ber.Tree(tree(source))
        self.most = source.choice((None, None, 1, 7))
        self.cut = source.choice((None, None, 3, 10))
        self.too_big = source.choice((None, None, 450, 1000))
        self.lost = source.choice((None, None, None, 700))

    def answer(self, request):
        rows = self.tree.rows(request, self.most)
        if request.pdu == ber.GETBULK and self.cut and len(rows) > self.cut:
            rows = rows[:self.cut]
        data = request.response(rows) if request.version else self.tree.answer(request)
        if self.too_big and len(data) > self.too_big:
            return request.response([], ber.TOO_BIG)
        if self.lost and len(data) > self.lost:
            return None
        return data


def wanted_value(value):
    tag, octets = value
    if tag in (2, 0x41, 0x42, 0x43, 0x46):
        return int.from_bytes(octets, 'big', signed=tag == 2)
    if tag == 6:
        return ber.dotted(octets)
    return octets if tag == 4 else None


def got_value(var):
    if var['type'] == 'OCTET STRING':
        return bytes.fromhex(var['value']) if var.get('hex') else var['value'].encode()
    return var['value']


class RandomWalks(poller.Poll):
    def run_all(self, key, oid, *words):
        """{seed: record}, all devices in one run; what each has is in self.manners."""
        self.manners, hosts = {}, []
        for seed in SEEDS:
            self.manners[seed] = Manners(seed)
            device = ber.Device(self.manners[seed].answer)
            device.__enter__()
            self.addCleanup(device.__exit__)
            hosts.append({'host': f'127.0.0.1:{device.port}', 'label': str(seed), key: [oid]})
        path = self.write('hosts.yaml', json.dumps({'defaults': {'timeout': '200ms', 'retries': 5}, 'hosts': hosts}))
        return {int(record['host']): record for record in self.poll(*words, '-f', path)}

    def objects_below(self, seed, root):
        """(oid, value) as they should come."""
        known = self.manners[seed].tree
        return [(oid, wanted_value(known.value[oid])) for oid in known.order if (oid + '.').startswith(root + '.')]

    def assert_walks(self, root, *words):
        for seed, record in self.run_all('walk', root, *words).items():
            with self.subTest(seed=seed):
                self.assertEqual(record['status'], 'ok', record.get('message'))
                self.assertEqual([(var['oid'], got_value(var)) for var in record['vars']],
                                 self.objects_below(seed, root))

    def test_all_v2c(self):
        self.assert_walks('1.3')

    def test_subtree_v2c(self):
        self.assert_walks(ROOT + '.2')

    def test_subtree_v1(self):
        self.assert_walks(ROOT + '.2', '-v', '1')

    def test_side_by_side(self):
        self.assert_walks(ROOT, '--set', 'per_host=4')

    def assert_tables(self, *words):
        for seed, record in self.run_all('table', ROOT + '.2', *words).items():
            with self.subTest(seed=seed):
                self.assertEqual(record['status'], 'ok', record.get('message'))
                depth = ROOT.count('.') + 3

                def place(row):
                    subs = ber.subs_of(row[0])
                    return subs[depth + 1:], subs[depth]
                self.assertEqual([(var['oid'], got_value(var)) for var in record['vars']],
                                 sorted(self.objects_below(seed, ROOT + '.2'), key=place))

    def test_tables_v2c(self):
        self.assert_tables()

    def test_tables_v1(self):
        self.assert_tables('-v', '1')

    def test_tables_side_by_side(self):
        self.assert_tables('--set', 'per_host=8')


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""What fails around the program: disks that fill up, folders that go, readers that sleep, too few descriptors, too little memory.

Whatever it is: the old file or the new one, never half of one; an exit status and words that say which; and what was
not in the way goes on.
"""
import json
import os
import resource
import shutil
import signal
import time
import unittest

import namespaces
import poller
import processes
import together

COLUMN = '1.3.6.1.2.1.2.2.1.2'  # ifDescr
ALL_OK = {'ok'}


def hosts_of(text):
    return [json.loads(line)['host'] for line in text.splitlines()]


class Outside(poller.Poll):
    def started(self, *words, agents=None, **how):
        """A run that has asked its first device."""
        process = self.start_poller(*words, '-p', agents.port, **how)
        self.wait_until(lambda: agents.counters()['received'] > 0 or process.poll() is not None)
        return process

    def said(self, process, status):
        self.output_of(process, status)
        return self.stderr

    def disk(self, name, options):
        """A small disk in the test's folder."""
        os.mkdir(self.path(name))
        namespaces.tmpfs(self.path(name), options)
        os.chmod(self.path(name), 0o777)
        return self.path(name)


class Disks(Outside):
    """Disks of 64 KiB and the like, mounted by the test where nobody else sees them."""

    def poll_to(self, folder, targets, *words, status=3, agents=None):
        agents = agents or self.agents()
        run = self.run_poller('-F', 'jsonl', '-o', os.path.join(folder, 'now.jsonl'), '-p', agents.port, *words, targets)
        self.assertEqual(run.returncode, status, run.stderr)
        return run.stderr, agents

    def assert_old(self, folder):
        self.assertEqual(os.listdir(folder), ['now.jsonl'])
        with open(os.path.join(folder, 'now.jsonl'), encoding='utf-8') as f:
            self.assertEqual(f.read(), 'old\n')

    def disk_with_file(self, options):
        folder = self.disk('disk', options)
        self.write('disk/now.jsonl', 'old\n')
        return folder

    @namespaces.of_its_own('mount')
    def test_full_in_the_middle(self):
        """The polling ends with the first write that fails."""
        folder = self.disk_with_file('size=64k')
        said, agents = self.poll_to(folder, '127.40.0.0/14', '--rate', '50000')
        self.assertIn('No space left on device; the old file is as it was', said)
        self.assert_old(folder)
        self.assertLess(agents.counters()['received'], 1 << 17)

    @namespaces.of_its_own('mount')
    def test_full_at_the_end(self):
        """All of it is written in one go when the last record is there."""
        folder = self.disk_with_file('size=16k')
        said, agents = self.poll_to(folder, '127.40.0.0/25', '-t', '20s')
        self.assertIn('No space left', said)
        self.assertEqual(agents.counters()['received'], 128)
        self.assert_old(folder)

    @namespaces.of_its_own('mount')
    def test_no_file_more(self):
        """No inode is left for the temporary file: nothing is polled."""
        folder = self.disk_with_file('size=64k,nr_inodes=2')
        said, agents = self.poll_to(folder, '127.40.0.0/25')
        self.assertIn('No space left', said)
        self.assertEqual(agents.counters()['received'], 0)
        self.assert_old(folder)

    @namespaces.of_its_own('mount')
    def test_read_only(self):
        folder = self.disk_with_file('size=64k')
        namespaces.remount(folder)
        for words in ((), ('--append',)):
            said, agents = self.poll_to(folder, '127.40.0.0/25', *words)
            self.assertIn('Read-only file system', said)
            self.assertEqual(agents.counters()['received'], 0)
        self.assert_old(folder)

    @staticmethod
    def is_read_only(folder):
        """It is made so, if it is not being written at this moment."""
        try:
            namespaces.remount(folder)
        except OSError:
            return False
        return True

    @namespaces.of_its_own('mount')
    def test_read_only_in_the_middle(self):
        """An append, which holds no file open between its batches."""
        folder = self.disk_with_file('size=1m')
        agents = self.agents(options=('--latency', '200ms'))
        process = self.started('-F', 'jsonl', '--append', '-o', folder + '/now.jsonl', '--window', '1', '-j', '1',
                               '127.40.0.1-20', agents=agents)
        self.wait_until(lambda: os.path.getsize(folder + '/now.jsonl') > 4)
        self.wait_until(lambda: self.is_read_only(folder), pause=0.001)
        self.assertIn('Read-only file system', self.said(process, 3))
        lines = self.read('disk/now.jsonl').splitlines()
        self.assertEqual(lines[0], 'old')
        self.assertEqual(len(lines) - 1, len({json.loads(line)['host'] for line in lines[1:]}))

    @namespaces.of_its_own('mount')
    def test_append_leaves_whole_records(self):
        """Whatever fits and whatever does not: no half line; and when there is room again, the next run goes on there."""
        for size in (8, 68, 132, 400):
            folder = self.disk(f'disk{size}', f'size={size}k')
            name = f'disk{size}/now.jsonl'
            self.write(name, 'old\n')
            said, _ = self.poll_to(folder, '127.40.0.0/20', '--append')
            self.assertIn('No space left', said)
            lines = self.read(name).splitlines(keepends=True)
            self.assertEqual(lines[0], 'old\n')
            self.assertTrue(lines[-1].endswith('\n'))
            hosts = hosts_of(''.join(lines[1:]))
            self.assertEqual(len(hosts), len(set(hosts)))
            namespaces.remount(folder, 'size=4m')
            self.poll_to(folder, '127.40.0.0/24', '--append', status=0)
            again = self.read(name).splitlines()
            self.assertEqual(len(hosts_of('\n'.join(again[1:]))), len(hosts) + 256)

    @namespaces.of_its_own('mount')
    def test_append_of_a_record_that_does_not_fit(self):
        """A record larger than what the disk has left, of several writes: none of it stays."""
        folder = self.disk_with_file('size=2m')
        agents = self.agents('127.40.0.9:rows=100000', '*:rows=3')
        said, _ = self.poll_to(folder, '127.40.0.1-9', '--append', '-j', '1', '-w', COLUMN, agents=agents)
        self.assertIn('No space left', said)
        lines = self.read('disk/now.jsonl').splitlines()
        self.assertEqual(lines[0], 'old')
        for record in map(json.loads, lines[1:]):
            self.assertNotEqual(record['host'], '127.40.0.9')
            self.assertEqual(len(record['vars']), 3)

    @namespaces.of_its_own('mount')
    def test_standard_output_on_a_full_disk(self):
        folder = self.disk('disk', 'size=64k')
        agents = self.agents()
        with open(folder + '/out', 'wb') as out:
            process = self.start_poller('-F', 'jsonl', '-p', agents.port, '127.40.0.0/20', stdout=out)
            self.assertIn('cannot write standard output: No space left', self.said(process, 3))

    @namespaces.of_its_own('mount')
    def test_summary_on_a_full_disk(self):
        """What goes to stderr is not the result."""
        agents = self.agents()
        with open('/dev/full', 'wb') as full:
            process = self.start_poller('-s', '-p', agents.port, '127.40.0.0/28', stderr=full)
            out, _ = process.communicate(timeout=poller.LONG)
        self.assertEqual((process.returncode, out.count(b'\n')), (0, 16))

    def spool(self, size, *rules, targets, out=None, wait='5s'):
        """Walks whose large records wait on a disk of that size. {host: record}, and what was said."""
        folder = self.disk('spool', f'size={size}')
        agents = self.agents(*rules)
        run = self.run_poller('-F', 'jsonl', '-s', '-j', '2', '-t', wait, '-w', COLUMN, '-p', agents.port, targets,
                              *(('-o', self.path(out)) if out else ()), env={**os.environ, 'TMPDIR': folder})
        self.assertEqual(os.listdir(folder), [])
        text = self.read(out) if out else run.stdout
        records = {r['host']: r for r in map(json.loads, text.splitlines())}
        self.assertEqual(len(records), len(text.splitlines()))
        return records, run

    def assert_rows(self, record, count):
        self.assertEqual(record['status'], 'ok', record.get('message'))
        self.assertEqual([v['oid'] for v in record['vars']], [f'{COLUMN}.{n}' for n in range(1, count + 1)])

    @namespaces.of_its_own('mount')
    def test_endless_record_costs_only_itself(self):
        """One device fills the folder of large records: the others' are whole, though they wait there, too."""
        records, run = self.spool('12m', '127.40.0.7:rows=300000', '*:rows=4000,late=2ms', targets='127.40.0.1-12')
        self.assertEqual(run.returncode, 3, run.stderr)
        hog = records.pop('127.40.0.7')
        self.assertEqual((hog['status'], hog['vars']), ('cancelled', []))
        self.assertIn('No space left on device', hog['message'])
        self.assertEqual(len(records), 11)
        for record in records.values():
            self.assert_rows(record, 4000)
        self.assertIn('lost: 1 record without', run.stderr)
        self.assertEqual(run.stderr.count('cannot keep large records'), 1)

    @namespaces.of_its_own('mount')
    def test_others_find_no_room(self):
        """A large record rests on the disk while its device is silent: those that find no room get what it held."""
        agents = self.agents('*:rows=50000')
        alone = self.run_poller('-F', 'jsonl', '-w', COLUMN, '-p', agents.port, '127.40.0.7')
        asked, size = agents.counters()['received'], len(alone.stdout) * 21 // 20480  # KiB: it fits, the others too
        records, run = self.spool(f'{size}k', f'127.40.0.7:rows=50000,only-first={asked - 3}', '*:rows=10000,late=8ms',
                                  targets='127.40.0.4-8', wait='1s')
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual(records.pop('127.40.0.7')['status'], 'cancelled')
        self.assertEqual(len(records), 4)
        for record in records.values():
            self.assert_rows(record, 10000)

    @namespaces.of_its_own('mount')
    def test_room_is_used_again(self):
        """A dozen records of 3 MB, few at a time, by way of a disk that holds two or three."""
        folder_records, run = self.spool('16m', '*:rows=20000', targets='127.40.0.1-3')
        self.assertEqual(run.returncode, 0, run.stderr)
        for record in folder_records.values():
            self.assert_rows(record, 20000)

    @namespaces.of_its_own('mount')
    def test_result_is_whole_though_rows_are_lost(self):
        """With -o: the new file is there, one record a target, and the exit status says that something is missing."""
        self.write('out.jsonl', 'old\n')
        records, run = self.spool('1m', '127.40.0.2:rows=100000', '*:rows=10', targets='127.40.0.1-4', out='out.jsonl')
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual({host: r['status'] for host, r in records.items()},
                         {'127.40.0.1': 'ok', '127.40.0.2': 'cancelled', '127.40.0.3': 'ok', '127.40.0.4': 'ok'})


class Folders(Outside):
    def slow_run(self, *words, out=None, **how):
        """A run that is asking, and will have its answer in half a second."""
        self.park = self.agents('*:late=500ms')
        os.makedirs(self.path('folder'), exist_ok=True)
        return self.started('-t', '5s', '-o', out or self.path('folder/out'), *words, '127.41.0.1', agents=self.park, **how)

    def test_folder_removed(self):
        process = self.slow_run()
        shutil.rmtree(self.path('folder'))
        self.assertIn('No such file or directory', self.said(process, 3))
        self.assertEqual(os.listdir(self.folder), [])

    def test_folder_renamed(self):
        """The file goes where the folder went."""
        process = self.slow_run()
        os.rename(self.path('folder'), self.path('elsewhere'))
        self.assertEqual(self.said(process, 0), '')
        self.assertIn('127.41.0.1\t', self.read('elsewhere/out'))
        self.assertEqual(os.listdir(self.path('elsewhere')), ['out'])

    def test_temporary_file_removed(self):
        process = self.slow_run()
        os.remove(self.path('folder/.out.multisnmp'))
        self.assertIn('the old file is as it was', self.said(process, 3))
        self.assertEqual(os.listdir(self.path('folder')), [])

    def test_file_replaced_by_a_folder(self):
        process = self.slow_run()
        os.mkdir(self.path('folder/out'))
        self.assertIn("cannot rename the new", self.said(process, 3))
        self.assertEqual(os.listdir(self.path('folder')), ['out'])

    def test_folder_of_an_append_removed(self):
        process = self.slow_run('--append')
        shutil.rmtree(self.path('folder'))
        self.assertIn('cannot append', self.said(process, 3))

    def test_file_of_an_append_replaced_by_a_folder(self):
        process = self.slow_run('--append')
        os.remove(self.path('folder/out'))
        os.mkdir(self.path('folder/out'))
        self.assertIn('Is a directory', self.said(process, 3))

    def as_nobody(self):
        if not poller.ROOT:
            return {}
        os.chmod(self.folder, 0o755)
        os.makedirs(self.path('folder'), exist_ok=True)
        os.chown(self.path('folder'), poller.NOBODY, poller.NOBODY)
        return {'user': poller.NOBODY, 'group': poller.NOBODY, 'extra_groups': []}

    def test_folder_made_unwritable(self):
        """The temporary file is there already, but cannot be renamed nor removed."""
        who = self.as_nobody()
        process = self.slow_run(**who)
        os.chmod(self.path('folder'), 0o555)
        self.assertIn('Permission denied', self.said(process, 3))
        self.assertFalse(os.path.exists(self.path('folder/out')))
        os.chmod(self.path('folder'), 0o755)
        live = self.agents()  # what stayed behind blocks nobody
        run = self.run_poller('-o', self.path('folder/out'), '-p', live.port, '127.41.0.1', **who)
        self.assertEqual((run.returncode, os.listdir(self.path('folder'))), (0, ['out']), run.stderr)

    def test_file_of_an_append_made_unwritable(self):
        who = self.as_nobody()
        process = self.slow_run('--append', **who)
        os.chmod(self.path('folder/out'), 0o444)
        self.assertIn('Permission denied', self.said(process, 3))
        self.assertEqual(self.read('folder/out'), '')

    def test_unwritable_is_found_first(self):
        who = self.as_nobody()
        park = self.agents()
        os.makedirs(self.path('folder'), exist_ok=True)
        os.chmod(self.write('folder/out', 'old\n'), 0o444)
        os.chmod(self.path('folder'), 0o555)
        for words in ((), ('--append',)):
            run = self.run_poller('-o', self.path('folder/out'), *words, '-p', park.port, '127.41.0.1', **who)
            self.assertEqual(run.returncode, 3, run.stderr)
            self.assertIn('Permission denied', run.stderr)
        self.assertEqual(park.counters()['received'], 0)
        self.assertEqual(os.listdir(self.path('folder')), ['out'])
        os.chmod(self.path('folder'), 0o755)


class Readers(Outside):
    def closed(self, *fds):
        def close():
            for fd in fds:
                os.close(fd)
        return {'preexec_fn': close, 'stdin': None}

    def test_standard_output_closed_from_the_start(self):
        park = self.agents()
        run = self.run_poller('-p', park.port, '127.42.0.1', **self.closed(1))
        self.assertEqual(run.returncode, 3)
        self.assertIn('standard output is closed', run.stderr)
        self.assertEqual(park.counters()['received'], 0)

    def test_what_else_may_be_closed(self):
        """And with -o all of it: nothing goes where it does not belong."""
        park = self.agents()
        run = self.run_poller('-p', park.port, '127.42.0.1', **self.closed(0))
        self.assertEqual((run.returncode, run.stdout.count('\n'), run.stderr), (0, 1, ''))
        run = self.run_poller('-s', '-p', park.port, '127.42.0.1', **self.closed(2))
        self.assertEqual((run.returncode, run.stdout.count('\n')), (0, 1))
        for fds in ((0, 1, 2), (1, 2), (0, 2), (2,)):  # the folder, the temporary file, … would have them
            out = self.path('out' + ''.join(map(str, fds)))
            run = self.run_poller('-s', '-o', out, '-p', park.port, '127.42.0.1', '127.42.0.2:1', **self.closed(*fds))
            self.assertEqual(run.returncode, 1)
            with open(out, encoding='utf-8') as f:
                lines = sorted(f.read().splitlines())
            self.assertEqual([line.split('\t')[0] for line in lines], ['127.42.0.1', '127.42.0.2:1'], fds)
        run = self.run_poller('-p', park.port, '127.42.0.1', **self.closed(0, 1, 2))
        self.assertEqual(run.returncode, 3)

    def test_words_do_not_go_into_the_output(self):
        """Standard error is closed, so the temporary file would have its number when there is something to tell."""
        park = self.agents('*:late=500ms')
        process = self.started('-j', '1', '-t', '5s', '-o', self.path('out'), '127.42.0.1', agents=park,
                               **self.closed(1, 2))
        os.kill(processes.children(process.pid)[0], signal.SIGKILL)
        self.said(process, 0)
        self.assertRegex(self.read('out'), r'\A127\.42\.0\.1\t[^\n]*\n\Z')

    def test_reader_of_a_named_pipe_goes(self):
        park = self.agents()
        os.mkfifo(self.path('fifo'))
        process = self.start_poller('-o', self.path('fifo'), '-p', park.port, '127.64.0.0/10')
        with open(self.path('fifo'), 'rb') as f:
            self.assertTrue(f.readline())
        self.assertEqual(self.said(process, 141), '')
        self.assertLess(park.counters()['received'], 1 << 22)

    def test_a_million_and_a_slow_reader(self):
        """A pipe that is read in fits and starts: nothing is dropped, and no process grows with it."""
        park = self.agents()
        process = self.start_poller('-F', 'jsonl', '-j', '2', '-p', park.port, '127.80.0.0/12')
        peaks, lines, oks, pieces, rest = processes.Peaks(process), 0, 0, 0, b''
        seen = bytearray(1 << 20)
        mark = b'{"host":"127.'
        for piece in iter(lambda: os.read(process.stdout.fileno(), 1 << 20), b''):
            pieces += 1
            if pieces in (1, 200, 2000):
                time.sleep(1)
            whole, _, rest = (rest + piece).rpartition(b'\n')
            oks += whole.count(b'"status":"ok"')
            for line in whole.split(b'\n'):
                if line:
                    lines += 1
                    a, b, c = line[len(mark):line.index(b'"', len(mark))].split(b'.')
                    seen[int(a) - 80 << 16 | int(b) << 8 | int(c)] += 1
        self.said(process, 0)
        self.assertEqual((rest, lines, oks, set(seen)), (b'', 1 << 20, 1 << 20, {1}))
        peaks.join(poller.LONG)
        self.assertGreaterEqual(len(peaks.most), 3)
        if not poller.WITH_ASAN:
            self.assertLess(max(peaks.most.values()), 32 << 10, peaks.most)


class Descriptors(Outside):
    def worked(self, workers, limits):
        """The limits with which all records came."""
        self.park = self.agents('127.43.0.3:rows=20000', '*:rows=3')
        self.targets = ['localhost', *(f'127.43.0.{n}' for n in range(1, 8))]
        return [most for most in limits if self.works_with(most, workers)]

    def test_every_limit(self):
        """From none to spare to enough: all records, or an exit status and words; never a wait, never half."""
        worked = self.worked(1, range(4, 33))  # with 3 the loader finds no library
        self.assertTrue(worked)
        self.assertLessEqual(worked[0], 20)
        self.assertEqual(worked, list(range(worked[0], 33)))

    def test_every_limit_of_two_workers(self):
        worked = self.worked(2, range(4, 65))
        self.assertTrue(worked)
        self.assertEqual(worked, list(range(worked[0], 65)))

    def works_with(self, most, workers):
        out = self.write('out', 'old\n')
        run = self.run_poller('-F', 'jsonl', '-j', workers, '-t', '1s', '-r', '5', '-o', out, '-p', self.park.port,
                              '-w', COLUMN, *self.targets,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
        with self.subTest(most=most, workers=workers):
            self.assertIn(run.returncode, (0, 3, 4) if workers == 1 else (0, 2, 3, 4), run.stderr)
            self.assertTrue(run.returncode != 2 or "'ulimit -n' allows" in run.stderr, run.stderr)
            self.assert_whole(run)
            self.assertEqual(os.listdir(self.folder), ['out'])
        return run.returncode == 0

    def assert_whole(self, run):
        text = self.read('out')
        if text == 'old\n':
            self.assertNotEqual(run.returncode, 0)
            self.assertTrue(run.stderr.strip())
            return
        records = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(sorted(r['host'] for r in records), sorted(self.targets))
        for record in records:
            if record['status'] == 'ok':
                self.assertEqual(len(record['vars']), 20000 if record['host'] == '127.43.0.3' else 3)
        if run.returncode == 0:
            self.assertEqual({r['status'] for r in records}, ALL_OK)
        else:
            self.assertTrue(run.stderr.strip())

    def run_of_mortals(self):
        self.park = self.agents('*:late=100ms')
        process = self.start_poller('-F', 'jsonl', '-j', '1', '--window', '20', '-t', '5s', '-o', self.path('out'),
                                    '-p', self.park.port, '127.43.1.0-199')
        self.wait_until(lambda: self.park.counters()['received'] > 20)
        return process

    @unittest.skipIf(poller.WITH_ASAN, 'LeakSanitizer wants a descriptor at the end, and waits for it')
    def test_none_left_for_a_new_worker(self):
        """No worker can be born any more: what is open is cancelled, exit status 4, all records are there."""
        process = self.run_of_mortals()
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 4096))
        os.kill(processes.children(process.pid)[0], signal.SIGKILL)
        self.assertIn('cannot start a worker: Too many open files', self.said(process, 4))
        records = [json.loads(line) for line in self.read('out').splitlines()]
        self.assertEqual(len({r['host'] for r in records}), 200)
        self.assertEqual((len(records), {r['status'] for r in records}), (200, {'ok', 'cancelled'}))

    def test_none_left_for_a_while(self):
        process = self.run_of_mortals()
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 4096))
        os.kill(processes.children(process.pid)[0], signal.SIGKILL)
        time.sleep(0.3)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (256, 4096))
        self.said(process, 0)
        self.assertEqual(sorted(hosts_of(self.read('out'))), sorted(f'127.43.1.{n}' for n in range(200)))


@unittest.skipIf(poller.WITH_ASAN, 'its shadow needs terabytes of addresses')
class Memory(Outside):
    def assert_true(self, run, out, count):
        """All records, or the old file and an exit status; and no record says what is not so."""
        text = self.read(out)
        if text == 'old\n':
            self.assertNotEqual(run.returncode, 0)
            return False
        records = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(len({r['host'] for r in records}), count)
        self.assertEqual(len(records), count)
        for record in records:
            self.assertIn(record['status'], ('ok', 'crashed', 'cancelled'))
            if record['status'] == 'ok':
                self.assertEqual(len(record['vars']), 2000)
        return run.returncode == 0

    def test_every_limit(self):
        """Address space from far too little to enough, for all processes of the run."""
        park = self.agents('*:rows=2000')
        good = []
        for mib in (*range(4, 40, 2), *range(40, 200, 16)):
            out = self.write('out', 'old\n')
            run = self.run_poller('-F', 'jsonl', '-j', '2', '-t', '2s', '-o', out, '-p', park.port, '-w', COLUMN,
                                  '127.44.0.1-8', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                                                       (mib << 20, mib << 20)))
            with self.subTest(mib=mib):
                # 127: the dynamic loader finds no room for the libraries
                self.assertIn(run.returncode, (0, 1, 3, 4, 127), run.stderr)
                if self.assert_true(run, 'out', 8):
                    good.append(mib)
        self.assertTrue(good)
        self.assertGreater(good[0], 4)

    def held(self, *rules, more=()):
        """One worker and three large walks; its worker is who we are, or its limits were not ours to set."""
        self.park = self.agents(*rules)
        more = ('-f', self.write('hosts.yaml', 'run_as: root\nhosts: []\n'), *more) if poller.ROOT else more
        return self.start_poller('-F', 'jsonl', '-j', '1', '-t', '5s', '-o', self.path('out'), '-w', COLUMN, *more,
                                 '-p', self.park.port, '127.44.1.1-3')

    def test_worker_without_memory(self):
        """It ends, another one begins anew."""
        process = self.held('*:rows=200000,late=1ms')
        self.wait_until(lambda: self.park.counters()['received'] > 20)
        processes.limit_memory(processes.children(process.pid)[0])
        said = self.said(process, 0)
        self.assertIn('out of memory', said)
        self.assertIn('a worker exited with status 4', said)
        with open(self.path('out'), 'rb') as f:
            records = [json.loads(line) for line in f]
        self.assertEqual(sorted(r['host'] for r in records), ['127.44.1.1', '127.44.1.2', '127.44.1.3'])
        self.assertEqual({(r['status'], len(r['vars'])) for r in records}, {('ok', 200000)})

    def test_master_without_memory(self):
        """It says so and ends, its workers with it, and the file of before is whole; the next run takes over."""
        self.write('out', 'old\n')
        process = self.held('*:rows=200000,late=1ms')
        self.wait_until(lambda: self.park.counters()['received'] > 5)
        children = processes.children(process.pid)
        processes.limit_memory(process.pid)
        self.assertIn('out of memory', self.said(process, 4))
        self.assertEqual(self.read('out'), 'old\n')
        self.wait_until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in children), 'a worker stayed')
        run = self.run_poller('-o', self.path('out'), '-p', self.park.port, '127.44.1.1')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn('.out.multisnmp', os.listdir(self.folder))


if __name__ == '__main__':
    together.main()

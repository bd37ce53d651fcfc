"""What must hold after a round: the books are balanced, and nothing is left lying about.

Each check returns complaints. What a status may be is asked of the breed first (breeds.py), then of the round's faults.
"""
import collections
import json
import re

import breeds
import round as rounds
from summary import Summary

LATE = 0.06  # seconds that we were not let run: agents may have been late by a whole try then
MORE_DESCRIPTORS = 2  # a spool, an output that is locked for a batch


class Record:
    def __init__(self, host, status, rows, message):
        self.host, self.status, self.rows, self.message = host, status, rows, message


def whole_lines(text, torn):
    """(lines, complaints). torn: its last line may be half."""
    *lines, last = text.split('\n')
    return lines, [f'the last line has no end: {last[:200]!r}'] if last and not torn else []


def read_jsonl(text, torn):
    """(records, complaints)."""
    records = []
    lines, wrong = whole_lines(text, torn)
    for line in lines:
        try:
            r = json.loads(line)
            if list(r)[:7] != ['host', 'address', 'time', 'status', 'rtt_ms', 'tries', 'vars']:
                wrong.append(f'not the keys of a record: {line[:200]!r}')
            rows = [(v['name'], v['index'], v['value']) for v in r['vars']]
            records.append(Record(r['host'], r['status'], rows, r.get('message', '')))
        except (ValueError, KeyError, TypeError):
            wrong.append(f'not a record: {line[:200]!r}')
    return records, wrong


FAILED = re.compile(r'-\t(ok|timeout|unreachable|auth|error|malformed|resolve|crashed|cancelled|lost|partial)\t(.*)')


def read_text(text, torn):
    """Lines of one host side by side are one record; the line of its failure ends it."""
    records = []
    lines, wrong = whole_lines(text, torn)
    for line in lines:
        host, _, rest = line.partition('\t')
        if not records or records[-1].host != host or records[-1].message:
            records.append(Record(host, 'ok', [], ''))
        failed = FAILED.fullmatch(rest)
        if failed:
            records[-1].status, records[-1].message = failed[1], failed[2]
            continue
        columns = rest.split('\t')
        if len(columns) != 3 or '.' not in columns[0]:
            wrong.append(f'not a line of a record: {line[:200]!r}')
            continue
        name, _, index = columns[0].partition('.')
        records[-1].rows.append((name, index, columns[2]))
    return records, wrong


class Ledger:
    def __init__(self, played):
        self.r, self.p = played, played.plan
        self.run = played.runs[0]
        self.code = self.run.code
        self.died_late = self.code in (-1, -2, -15) and played.asked() > 0
        if self.died_late:  # by a signal that came when all was written: a shell knows no difference
            self.code = 128 - self.code
        self.errors = self.run.errors.decode('utf-8', 'replace')
        self.summary = Summary(self.errors)
        self.kills = self.p.kills
        self.late = played.lag > LATE
        self.dropped = self.summary.count.get('dropped', 0) > 0 or (played.counters['overrun'] or 0) > 0
        self.widened = self.late or self.dropped
        self.complaints = list(played.notes)

    def wrong(self, words):
        self.complaints.append(words)

    # ---- how it ended

    def check_exit(self):
        p, code = self.p, self.code
        if self.never_began():
            return
        if code not in p.exits:
            self.wrong(f'exit status {code}, expected one of {sorted(p.exits)}')
        if p.sure is None or code == p.sure or self.other_end():
            return
        if p.sure == 1 or p.sure in (3, 141) or self.r.actions.at_work_then:
            self.wrong(f'exit status {code}, and it must be {p.sure}')

    def never_began(self):
        """A signal came while the configuration was read: no one was asked, and nothing was touched."""
        return self.code in (-1, -2, -15) and 128 - self.code in self.p.exits

    def check_nothing(self):
        old = rounds.OLD.encode() if self.p.output in ('old', 'append') else None
        if self.r.counters['received'] or self.r.files not in ([], ['result'], ['plain']) or \
                (self.r.result or None) != old:
            self.wrong(f'ended by a signal in the midst of something: {self.r.files}, {self.r.counters}')

    def other_end(self):
        """An end by another fault of the same round."""
        return self.code in self.p.exits - {0, 1, self.p.sure}

    @property
    def whole(self):
        """All targets must have their records."""
        if self.p.reader[0] == 'close':
            return False  # what it had not read yet is gone with it
        if self.twice and self.code > 128 and self.p.output not in ('file', 'old'):
            return False
        return self.code in (0, 1, 4) or (self.code > 128 and self.code != 141) or (self.code == 3 and bool(self.p.spool))

    @property
    def twice(self):
        return 'two SIGINTs' in self.p.faults

    # ---- the output

    def output(self):
        """The text that should consist of records; None: there should be none."""
        if self.p.output == 'pipe':
            return self.run.output.decode()
        if self.r.result is None:
            return None
        text = self.r.result.decode()
        if self.p.output == 'append':
            if not text.startswith(rounds.OLD):
                self.wrong('what was in the file before is not there any more')
            return text[len(rounds.OLD):]
        return text

    def check_files(self):
        """Files in the output's folder; the result of before where there is no new one."""
        p, files = self.p, set(self.r.files)
        temporary = {name for name in files if name.startswith('.')}
        if temporary and self.code != -9:
            self.wrong(f'left behind: {temporary}')
        if files - temporary - {'result', 'plain'}:
            self.wrong(f'in the folder: {files}')

    def check_output(self):
        p = self.p
        if self.never_began():
            self.check_nothing()
            return
        text = self.output()
        if self.r.actions.thrown.get('remove_folder') and self.code not in (0, 1):
            return
        if self.r.actions.replaced or p.device:
            return
        replaced = p.output in ('file', 'old')
        if replaced and ((self.code in (3, -9) and not self.p.spool) or text in (None, rounds.OLD)):
            if not self.may_be_old():
                self.wrong(f'no result, though the exit status is {self.code}')
            elif text != (rounds.OLD if p.output == 'old' else None):
                self.wrong(f'the old file is not as it was: {text and text[:200]!r}')
            return
        self.check_records(text or '')

    def may_be_old(self):
        return self.code in (3, -9) or (self.twice and self.code > 128) or \
            (self.code in (2, 4) and 'few descriptors' in self.p.faults)

    def check_records(self, text):
        torn = self.may_be_torn()
        read = read_jsonl if self.p.format == 'jsonl' else read_text
        records, wrong = read(text, torn)
        self.complaints += wrong[:3]
        if torn and self.p.format == 'text':
            records = records[:-1]  # lines of it may be missing
        self.count(records)
        expected = {}
        for target in self.p.targets:
            expected.setdefault(target.shown, []).append(target)
        self.statuses = collections.Counter()
        for record in records:
            if record.host in expected:
                self.statuses[record.status] += 1
                self.check_record(record, expected[record.host][0])
        self.check_charges()
        crashed = self.statuses['crashed'] - sum(t.breed.name == 'poison' for t in self.p.targets)
        if crashed > self.kills // 3 and not self.p.others_die:
            self.wrong(f'{crashed} targets are crashed, for {self.kills} deaths')

    def check_charges(self):
        """What kills its workers does so three times, and is told each time."""
        for target in self.p.targets:
            charges = self.errors.count(f'while at work on {target.shown};')
            if target.breed.name == 'poison' and self.code in (0, 1) and not self.p.cancels and charges != 3:
                self.wrong(f'{target.shown} killed {charges} workers')

    def may_be_torn(self):
        """The last record may be half: who writes it, or who reads it, was gone at once."""
        if self.code == -9 or self.p.reader[0] == 'close':
            return True
        if self.p.output in ('pipe', 'plain'):
            return (self.code in (3, 141) and not self.p.spool) or (self.twice and self.code > 128)
        return False

    def count(self, records):
        got = collections.Counter(record.host for record in records)
        wanted = collections.Counter(target.shown for target in self.p.targets)
        if self.p.runs == 2:
            wanted.update(rounds.SECONDS)
            if self.r.runs[1].code != 0:
                self.wrong(f'the other run: exit {self.r.runs[1].code}: {self.r.runs[1].errors!r}')
        more, less = got - wanted, wanted - got
        if more:
            self.wrong(f'too many records: {dict(list(more.items())[:5])}')
        if not less:
            return
        if self.whole and not (self.code == 4 and 'few descriptors' in self.p.faults):
            self.wrong(f'no record: {sum(less.values())}, {dict(list(less.items())[:5])}')
        if self.p.runs == 2 and less.keys() & set(rounds.SECONDS):
            self.wrong('the other run: records are missing')

    # ---- a record

    def allowed(self, breed):
        p = self.p
        allowed = set(breed.quiet)
        if self.kills or p.many_deaths:
            allowed |= breed.again
            if self.kills >= 3 or p.others_die:
                allowed |= {'crashed'}
        if p.cancels:
            allowed |= {'cancelled', 'partial'}
        if p.spool and breed.rows > 2000:
            allowed |= {'cancelled'}
        if p.hangs and breed.name.startswith('tcp'):
            allowed |= {'timeout'}
        if breed.where in ('dns', 'nowhere', 'name') and (not p.names or p.hangs or p.others_die):
            allowed |= {'resolve'}
        if self.widened:
            allowed |= {'timeout', 'partial'}
        if self.widened or p.reader[0] != 'fast':  # who is not read stops asking
            allowed |= breed.widened
        return allowed

    def check_record(self, record, target):
        breed = target.breed
        if record.status not in self.allowed(breed):
            self.wrong(f'{record.host} ({breed.name}) is {record.status}: {record.message}; '
                       f'expected {sorted(self.allowed(breed))}')
        if record.status not in ('ok', 'partial') and record.rows:
            self.wrong(f'{record.host} ({breed.name}) is {record.status} and has rows')
        full = breeds.rows_of(breed, target.address)
        if record.status == 'ok' and len(record.rows) != len(full):
            self.wrong(f'{record.host} ({breed.name}): {len(record.rows)} rows of {len(full)}')
        if record.status == 'ok' or (record.status == 'partial' and breed.rows and 'walk' in breed.asks):
            self.compare(record, breed, full)

    def compare(self, record, breed, full):
        for got, wanted in zip(record.rows, full):
            if got[:2] != wanted[:2] or (wanted[2] is not None and got[2] != wanted[2]):
                self.wrong(f'{record.host} ({breed.name}): {got} and the agent has {wanted}')
                return

    # ---- the summary

    def check_summary(self):
        s, code = self.summary, self.code
        if not s.found:
            if (code in (0, 1) or (code > 128 and code != 141)) and not self.died_late:
                self.wrong('no summary')
            return
        if code in (0, 1):
            if hasattr(self, 'statuses') and self.p.reader[0] != 'close' and s.status != self.statuses:
                self.wrong(f'the summary counts {s.status}, the output {dict(self.statuses)}')
            if (s.status.keys() <= {'ok'}) != (code == 0):
                self.wrong(f'exit status {code} with {s.status}')
        deaths = self.kills or self.p.many_deaths
        if not deaths and code in (0, 1) or (not deaths and code > 128 and code != 141 and not self.twice):
            self.check_packets(s)
        elif s.count['sent'] > self.most_sent():
            self.wrong(f'{s.count["sent"]} sent, but the agents were asked {self.most_sent()} times')
        if deaths == 0 and s.deaths:
            self.wrong('processes died, and nobody killed them')

    def check_packets(self, s):
        sent = s.count['sent']
        if sent != s.sends():
            self.wrong(f'sent {sent}, but answered + refused + superseded + unanswered = {s.sends()}')
        if self.p.runs == 2:
            sent += Summary(self.r.runs[1].errors.decode()).count['sent']
        least, most = self.r.asked(), self.most_sent()
        if self.late and self.p.cancels:
            least -= self.r.asked_tcp  # a session that does not cancel in time is ended, with what it has counted
        if not least <= sent <= most:
            self.wrong(f'sent {sent}, but the agents were asked {least} to {most} times')

    def most_sent(self):
        """What the agents have counted, and at most three tries for each that has no agent."""
        nobody = sum(target.breed.where in ('closed', 'tcp-silent', 'tcp') for target in self.p.targets)
        return self.r.asked() + 3 * nobody

    # ----

    def check_errors(self):
        """Who throws nothing hears nothing."""
        if re.search(r'Assertion|ERROR: AddressSanitizer|runtime error|corrupt', self.errors):
            self.wrong('it says what no program should')
        said = [line for line in self.summary.other if 'multisnmp: ' in line]
        if not self.p.faults and said:
            self.wrong(f'no fault was thrown, but it says {said}')

    def check_left(self):
        for words in self.r.left:
            self.wrong(f'left behind: {words}')
        fds = self.r.fds
        if fds and min(fds[-5:]) - min(fds[:5]) > MORE_DESCRIPTORS:
            self.wrong(f'the master had {fds[0]} descriptors besides those of its children, and {fds[-1]} in the end')

    def check(self):
        for check in (self.check_exit, self.check_files, self.check_output, self.check_summary, self.check_errors,
                      self.check_left):
            check()
        return self.complaints

"""A reader of InfluxDB's line protocol that is as suspicious as its readers differ.

Where InfluxDB, Telegraf and the others disagree (a line end within quotes, a backslash in a tag, a key
twice) it raises LineError: what is read here is read alike by all of them.
https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
"""
import math
import re

LONG_MIN, LONG_MAX, UNSIGNED_MAX = -2**63, 2**63 - 1, 2**64 - 1
FLOAT = re.compile(r'[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?')
INTEGER = re.compile(r'(-?[0-9]+)([iu])')


class LineError(ValueError):
    pass


class Scanner:
    def __init__(self, line):
        self.line, self.at = line, 0

    def peek(self):
        return self.line[self.at:self.at + 1]

    def take(self, wanted):
        if self.peek() != wanted:
            raise LineError(f'{wanted!r} wanted at {self.at}: {self.line!r}')
        self.at += 1

    def word(self, escapes, ends, backslash=True):
        """Up to an unescaped octet of `ends`, which must come. Not empty."""
        word = ''
        while self.peek() not in ends:
            c = self.peek()
            if not c:
                raise LineError(f'ends in a word: {self.line!r}')
            self.at += 1
            if c == '\\':
                follows = self.peek()
                if follows and follows in escapes:
                    c = follows
                    self.at += 1
                elif not backslash or follows in ('', '\\', '"'):
                    raise LineError(f'a backslash that is read in two ways: {self.line!r}')
            elif c in escapes or c in '\t\r\0':
                raise LineError(f'{c!r} within a word: {self.line!r}')
            word += c
        if not word:
            raise LineError(f'an empty word: {self.line!r}')
        return word

    def string(self):
        self.take('"')
        text = ''
        while self.peek() != '"':
            c = self.peek()
            if not c or c in '\r\0':
                raise LineError(f'a string without an end, or a control: {self.line!r}')
            self.at += 1
            if c == '\\':
                c = self.peek()
                if not c or c not in '"\\':
                    raise LineError(f'a backslash that escapes nothing: {self.line!r}')
                self.at += 1
            text += c
        self.take('"')
        return text

    def value(self):
        if self.peek() == '"':
            return self.string()
        word = re.compile(r'[^, ]*').match(self.line, self.at).group()
        self.at += len(word)
        return number(word)


def number(word):
    whole = INTEGER.fullmatch(word)
    if whole:
        value = int(whole.group(1))
        least, most = (LONG_MIN, LONG_MAX) if whole.group(2) == 'i' else (0, UNSIGNED_MAX)
        if not least <= value <= most:
            raise LineError(f'{word} is out of range')
        return value
    if not FLOAT.fullmatch(word) or not math.isfinite(float(word)):
        raise LineError(f'{word!r} is no value')
    return float(word)


def pairs(scanner, value, into):
    """key=value, separated by commas."""
    while True:
        key = scanner.word(',= ', '=', backslash=False)
        scanner.take('=')
        if key in into:
            raise LineError(f'{key} comes twice')
        into[key] = value()
        if scanner.peek() != ',':
            return
        scanner.take(',')


def parse_line(line):
    """(measurement, tags, fields, time in ns)"""
    scanner, tags, fields = Scanner(line), {}, {}
    measurement = scanner.word(', ', ', ', backslash=False)
    if scanner.peek() == ',':
        scanner.take(',')
        pairs(scanner, lambda: scanner.word(',= ', ', '), tags)
    scanner.take(' ')
    pairs(scanner, scanner.value, fields)
    scanner.take(' ')
    time = line[scanner.at:]
    if not re.fullmatch(r'-?[0-9]+', time) or not LONG_MIN < int(time) < LONG_MAX:
        raise LineError(f'{time!r} is no time')
    return measurement, tags, fields, int(time)


def parse(octets):
    """All points of a file, which ends with a line end. Lines are cut before quotes are looked at."""
    text = octets.decode('utf-8')
    if text and not text.endswith('\n'):
        raise LineError('the last line has no end')
    return [parse_line(line) for line in text.split('\n')[:-1]]

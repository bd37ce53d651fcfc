"""What a real reader makes of each format: rows of (host, object, label, value), as octets and numbers.

object is NAME.INDEX where the name is known, else the OID. host and label are octets (label None: no
label), value is octets for strings, addresses and OIDs, else a number; a value that is marked as a
substitute is turned back. What has no value (noSuchObject) is None, where the format has it at all.
"""
import csv
import io
import json
import math
import re
import shutil
import subprocess
import sys

import line_protocol

try:
    import prometheus_client.parser as prometheus_parser
except ImportError:  # an interpreter of its own beside Debian's
    sys.path.append('/usr/lib/python3/dist-packages')
    try:
        import prometheus_client.parser as prometheus_parser
    except ImportError:
        prometheus_parser = None
PROMTOOL, JQ, SQLITE = (shutil.which(name) for name in ('promtool', 'jq', 'sqlite3'))
CSV_HEAD = 'host,address,time,status,rtt_ms,tries,oid,name,index,label,type,value,message'.split(',')
REAL = ('Float', 'Double')
TEXTS = ('OCTET STRING', 'OBJECT IDENTIFIER', 'IpAddress', 'Opaque')
# what acts on a terminal: all of it but the tabs between columns
ACTIVE = re.compile('[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]')
# what promtool has to say of our names, which are the MIBs' own
LINTS = ('no help text', 'counter metrics should have "_total" suffix',
         "metric names should be written in 'snake_case' not 'camelCase'",
         "label names should be written in 'snake_case' not 'camelCase'",
         'metric name should not include type', 'use base unit')


def unescape(text):
    r"""Octets, \xHH turned back."""
    return re.sub(rb'\\x([0-9a-f]{2})', lambda m: bytes([int(m.group(1), 16)]), text.encode())


def marked(values, key):
    """Octets under key, key_escaped or key_hex; None: there is none. Exactly one of them may be there."""
    found = [(end, values[key + end]) for end in ('', '_escaped', '_hex') if key + end in values]
    if not found:
        return None
    (end, text), = found
    return bytes.fromhex(text) if end == '_hex' else unescape(text) if end else text.encode()


def name_of(name, index, oid):
    return oid if not name else f'{name}.{index}' if index else name


def read_jsonl(octets):
    rows = []
    for line in octets.decode('utf-8').splitlines():
        record = json.loads(line)
        for var in record['vars']:
            value, label = var['value'], var.get('label')
            if isinstance(value, str) and var['type'] in TEXTS:
                value = bytes.fromhex(value) if var.get('hex') else value.encode()
            elif isinstance(value, str):
                value = float(value.replace('Infinity', 'inf'))
            if label is not None:
                label = bytes.fromhex(label) if var.get('label_hex') else label.encode()
            rows.append((record['host'].encode(), name_of(var['name'], var['index'], var['oid']), label, value))
    return rows


def jq(octets, program):
    return subprocess.run([JQ, '-c', program], input=octets, capture_output=True, check=True).stdout


def csv_records(octets):
    """Its rows as dicts."""
    lines = list(csv.reader(io.StringIO(octets.decode('utf-8'), newline=''), strict=True))
    assert lines and lines[0] == CSV_HEAD, lines[:1]
    assert all(len(line) == len(CSV_HEAD) for line in lines), [line for line in lines if len(line) != len(CSV_HEAD)][:2]
    return [dict(zip(CSV_HEAD, line)) for line in lines[1:]]


def csv_value(kind, text):
    if kind.endswith(' (hex)'):
        return bytes.fromhex(text)
    if kind in TEXTS:
        return text.encode()
    if kind in REAL:
        return float(text.replace('Infinity', 'inf'))
    return int(text) if text else None


def csv_label(text):
    return bytes.fromhex(text[2:]) if text.startswith('0x') else text.encode() or None


def read_csv(octets):
    return [(unescape(row['host']), name_of(row['name'], row['index'], row['oid']),
             csv_label(row['label']), csv_value(row['type'], row['value']))
            for row in csv_records(octets) if row['oid']]


def read_influx(octets):
    rows = []
    for measurement, tags, fields, _ in line_protocol.parse(octets):
        assert measurement == 'snmp', measurement
        if 'tries' in fields:
            assert len(tags) == 1, tags
            continue
        (key, value), = fields.items()
        if isinstance(value, str):
            name = re.sub('_(escaped|hex|special)$', '', key)
            value = float(value.replace('Infinity', 'inf')) if key.endswith('_special') else marked(fields, name)
        else:
            name = key
        if 'oid' in tags:
            assert name in ('integer', 'unsigned', 'float', 'string'), name
            name = tags['oid']
        else:
            name = name_of(name, tags.get('index'), None)
        rows.append((marked(tags, 'host'), name, marked(tags, 'label'), value))
    return rows


def prometheus_families(octets):
    """[(name, type, samples)], in the order of the file; what the parser lets pass is checked here."""
    text = octets.decode('utf-8')
    assert not text or text.endswith('\n')
    families = list(prometheus_parser.text_fd_to_metric_families(io.StringIO(text, newline='')))
    types = re.findall('^# TYPE ([^ ]+) ', text, re.MULTILINE)
    assert len(types) == len(set(types)), 'a family comes twice'
    seen, at = set(), None
    for line in text.split('\n')[:-1]:
        if line.startswith('# TYPE '):
            at = line.split(' ')[2]
            continue
        series = line.rpartition(' ')[0]
        assert re.match('[a-zA-Z_:][a-zA-Z0-9_:]*', line).group() == at, f'{line[:100]} stands below {at}'
        assert series not in seen, f'{series[:200]} comes twice'
        seen.add(series)
    assert sum(len(family.samples) for family in families) == len(seen)
    return families


def prometheus_value(sample):
    """The sample's value; a string's octets."""
    if sample.name.endswith('_info'):
        assert sample.value == 1
        return marked(sample.labels, 'value')
    return sample.value


def read_prometheus(octets):
    rows = []
    for family in prometheus_families(octets):
        for sample in family.samples:
            if sample.name in ('snmp_up', 'snmp_rtt_seconds'):
                continue
            name = re.sub('_info$' if family.type != 'counter' else '_total$', '', sample.name)  # the parser's own
            labels = dict(sample.labels)
            known = {key for key in labels if re.match('(host|index|oid|value)(_escaped|_hex)?$', key)}
            label = {re.sub('^.*?(_escaped|_hex)?$', r'label\1', key): labels[key] for key in labels if key not in known}
            rows.append((marked(labels, 'host'), labels.get('oid') or name_of(name, labels['index'], None),
                         marked(label, 'label'), prometheus_value(sample)))
    return rows


def promtool(octets):
    """What `promtool check metrics` has to say but of names: nothing."""
    if not PROMTOOL:
        return []
    run = subprocess.run([PROMTOOL, 'check', 'metrics'], input=octets, capture_output=True, check=False)
    said = [line for line in run.stderr.decode().splitlines() if line and not any(lint in line for lint in LINTS)]
    return said or ([f'status {run.returncode}'] if run.returncode not in (0, 3) else [])


def read_text(octets):
    """Values as octets, as they are shown; no label: it stands in brackets behind the object."""
    rows = []
    for line in octets.decode('utf-8').split('\n')[:-1]:
        columns = line.split('\t')
        assert len(columns) == 4, line
        assert not ACTIVE.search(line), ascii(line)
        host, what, kind, value = columns
        if what == '-':
            continue
        what, bracket, label = what.partition(' [')
        label = unescape(label[:-1]) if bracket else None
        if kind == 'OCTET STRING' and value.startswith('0x') or kind == 'Opaque':
            value = bytes.fromhex(value[2:])
        else:
            value = unescape(value)
        rows.append((unescape(host), what, label, value))
    return rows


def same(a, b):
    """Equal, and a NaN is a NaN."""
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def missing():
    """Which of the real readers are not installed."""
    wanted = {'python3-prometheus-client': prometheus_parser, 'prometheus (promtool)': PROMTOOL, 'jq': JQ,
              'sqlite3': SQLITE}
    return [name for name, found in wanted.items() if not found]

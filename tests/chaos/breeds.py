"""What a target can be: a row says how its agent behaves, how it is asked, and what may become of it.

`quiet` are the statuses of a round in which nothing interferes: one of these, and what it answered is compared with `rows`.
The ledger widens the set by what the round's faults may do (faults.py), and by nothing else.
"""
import dataclasses

OK, TIMEOUT, MALFORMED = {'ok'}, {'timeout'}, {'malformed'}
GET = {'get': ['sysName.0', 'sysDescr.0']}
V3 = {'version': '3', 'user': 'poller', 'auth': 'SHA-256', 'auth_pass': 'authority1', 'priv': 'AES', 'priv_pass': 'secrecy123'}
WRONG = {**V3, 'auth_pass': 'authority2'}
USER = 'poller:SHA-256:authority1:AES-128:secrecy123'
LONG_WAIT = {'timeout': '40s', 'retries': '0'}  # only an end from without ends such a target


def walk(column='ifDescr', **more):
    return {'walk': [column], **more}


def table(*columns, **more):
    return {'table': list(columns) or ['ifDescr', 'ifName'], **more}


@dataclasses.dataclass(frozen=True, eq=False)
class Breed:
    name: str
    rule: str            # of snmp-agents; None: nobody is there, or a peer of our own
    asks: dict           # settings of its group
    quiet: set
    rows: int = 0        # of a walk or table, if it is answered in full
    weight: int = 4
    most: int = 40       # targets of it in a round
    where: str = 'park'  # who answers: park, closed (a port of nobody), tcp (peers.py), name (hosts), dns, nowhere
    again: set = frozenset()  # what else it may be when it is asked again after a worker's death
    widened: set = frozenset()  # ... when a datagram more was lost than its rule says


BREEDS = [
    Breed('good', 'ok', GET, OK, weight=30, most=400),
    Breed('good-v1', 'ok', {**GET, 'version': '1'}, OK),
    Breed('walked', 'rows=40', walk(), OK, rows=40, weight=8),
    Breed('table', 'rows=60', table(), OK, rows=60, weight=8),
    Breed('wide', 'rows=60', table(per_host='4'), OK, rows=60),
    Breed('large', 'rows=2500', table(), OK, rows=2500, most=3),  # more than a frame: its record comes in parts
    Breed('immense', 'rows=9000', table(), OK, rows=9000, weight=1, most=2),  # more than is kept in memory
    Breed('huge', 'huge', GET, OK, most=5),
    Breed('silent', 'silent', GET, TIMEOUT, weight=12, most=200),
    Breed('endless', 'silent', {**GET, **LONG_WAIT}, TIMEOUT, weight=0, most=5),
    Breed('hurried', 'silent', {**GET, **LONG_WAIT, 'deadline': '150ms'}, {'cancelled'}),
    Breed('hurried-walk', 'rows=100000,late=30ms', walk(deadline='200ms'), {'partial'}, most=4,
          again={'cancelled'}, widened={'cancelled'}),
    # the network
    Breed('lossy', 'lose=300', GET, OK | TIMEOUT, weight=10, most=80),
    Breed('lossy-walk', 'rows=60,lose=100', walk(), OK | TIMEOUT | {'partial'}, rows=60),
    Breed('lossy-mixed', 'lose=200,duplicate,reorder,late=60ms', GET, OK | TIMEOUT, weight=8),
    Breed('second-try', 'lose-first=1', GET, OK),
    Breed('third-try', 'lose-first=2', GET, OK),
    Breed('duplicate', 'duplicate', GET, OK),
    Breed('reorder', 'reorder', GET, OK),
    Breed('duplicate-table', 'rows=60,duplicate,reorder', table(), OK, rows=60),
    Breed('late', 'late=30ms', GET, OK),
    Breed('late-try', 'late=160ms', GET, OK),      # the first try's answer comes when the second is out
    Breed('too-late', 'late=3s', GET, TIMEOUT),
    Breed('dies', 'rows=200,only-first=3', walk(max_repetitions='5'), {'partial'}, again=TIMEOUT),
    # liars
    Breed('garbage', 'garbage', GET, MALFORMED | TIMEOUT),
    Breed('empty', 'empty', GET, MALFORMED),
    Breed('truncated', 'truncated', GET, MALFORMED),
    Breed('truncated-head', 'truncated-head', GET, MALFORMED),
    Breed('bad-int', 'bad-int', GET, MALFORMED),
    Breed('no-varbinds', 'empty-varbinds', GET, MALFORMED),
    Breed('fewer-varbinds', 'fewer-varbinds', GET, MALFORMED),
    Breed('other-object', 'other-oid', GET, MALFORMED),
    Breed('trailing', 'trailing', GET, OK),
    Breed('wrong-id', 'wrong-id', GET, TIMEOUT),
    Breed('wrong-id-then-good', 'wrong-id,then-good', GET, OK),
    Breed('other-address', 'other-address', GET, TIMEOUT),
    Breed('other-address-taken', 'other-address', {**GET, 'any_source': 'true'}, OK),
    Breed('other-port', 'other-port', GET, TIMEOUT),
    Breed('wrong-community', 'wrong-community', GET, TIMEOUT),
    Breed('wrong-version', 'wrong-version', GET, TIMEOUT),
    Breed('wrong-pdu', 'wrong-pdu', GET, TIMEOUT),
    Breed('error', 'gen-err', GET, {'error'}),
    Breed('too-big', 'too-big=1', GET, OK),
    Breed('drops-large', 'rows=60,drop-over=700', walk(), OK, rows=60, widened={'partial'}),
    Breed('few', 'rows=30,few-repetitions=3', walk(), OK, rows=30),
    Breed('more', 'rows=30,more-repetitions=7', walk(), OK, rows=30),
    Breed('looping', 'rows=30,loop-after=20', walk(), {'partial'}),
    # SNMPv3
    Breed('v3', 'ok', {**GET, **V3}, OK, weight=8),
    Breed('v3-lossy', 'lose=200', {**GET, **V3}, OK | TIMEOUT),
    Breed('v3-table', 'rows=60', table(**V3), OK, rows=60),
    Breed('v3-boots', 'rows=60,boots-fall', table(max_repetitions='5', **V3), OK, rows=60),
    Breed('v3-silent', 'silent', {**GET, **V3}, TIMEOUT),
    Breed('v3-wrong-pass', 'ok', {**GET, **WRONG}, {'auth'}),
    Breed('v3-unknown', 'report=unknownUserNames', {**GET, **V3}, {'auth'}),
    # elsewhere
    Breed('nobody-home', None, GET, {'unreachable'}, where='closed', weight=6),
    Breed('tcp', None, GET, OK, where='tcp', most=12, weight=6),
    Breed('tcp-closed', None, GET, {'unreachable'}, where='closed', most=6),
    Breed('tcp-silent', None, GET, TIMEOUT, where='tcp-silent', most=4),
    Breed('named', 'ok', GET, OK, where='name', most=12, weight=8),
    Breed('named-dns', 'ok', GET, OK, where='dns', most=12),
    Breed('unknown-name', None, GET, {'resolve'}, where='nowhere', most=6),
    # kills who decodes its answer; only with the fault of that name
    Breed('poison', 'ok', GET, {'crashed'}, weight=0, most=2),
]
BY_NAME = {breed.name: breed for breed in BREEDS}
POISON_NET = 66  # of 127.66.0.0/16


def rows_of(breed, address):
    """[(object, index, value)] of a full answer; a value of None is not compared."""
    if 'get' in breed.asks:
        descr = None if breed.name == 'huge' else f'Simulated agent {address}'
        return [('sysName', '0', f'agent-{address.replace(".", "-")}'), ('sysDescr', '0', descr)]
    names = breed.asks.get('walk') or breed.asks['table']
    return [(name, str(row), f'eth{row - 1}') for row in range(1, breed.rows + 1) for name in names]

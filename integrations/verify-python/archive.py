"""The archive of a proof: container, canonical JSON, journal, log, Merkle trees (docs/proof-format.md)."""
import bisect, gzip, hashlib, json, re, struct, zlib
from itertools import groupby, pairwise
from urllib.parse import quote, unquote

HEX64 = re.compile(r'[0-9a-f]{64}\Z')
# Shapes: a type, a pattern, [of each item], (of these items), {member: of it}, {str: of every member}.
RECORD = {'aseq': int, 'mseq': int, 'mts': int, 'cseq': int, 'kind': str}
COMMAND = {'command': {'op': str}, 'answer': dict}
LEAF = {'e': {'mseq': int, 'mts': int, 'kind': str}, 'p': [int]}
SEGMENT = {'first': int, 'last': int, 'groups': {str: (int, HEX64)}}
RECEIPT = {'aseq': int, 'hash': str, 'kid': str, 'signature': str, 'signed_at': int}
ENVELOPE = {'assessment': str, 'end': int, 'records': [(HEX64, object, object)], 'receipts': [RECEIPT],
            'keys': [{'kid': str}], 'log': {'group': str, 'prev': HEX64, 'segments': [SEGMENT]}}

class CanNotTell(Exception):
    """Exit 2."""

class Differs(Exception):
    """Exit 1, at a place where it is known; `vague` where anything else says it better."""
    def __init__(self, reason, mseq=None, aseq=None, vague=False):
        super().__init__(reason)
        self.mseq, self.aseq, self.vague = mseq, aseq, vague

def need(good, error):
    if not good: raise error

def text(number):  # a decimal as records write it
    return '0' if number == 0 else f'{number.normalize():f}'

def ordered(value):
    if isinstance(value, dict):
        return {n: ordered(value[n]) for n in sorted(value, key=lambda n: n.encode('utf-16-be'))}
    return [ordered(v) for v in value] if isinstance(value, (list, tuple)) else value

def canonical(value):
    return json.dumps(ordered(value), ensure_ascii=False, separators=(',', ':'), default=text)

def members(pairs):
    need(len(dict(pairs)) == len(pairs), ValueError('a repeated member'))
    return dict(pairs)

def integer(digits):
    need(re.fullmatch('0|-?[1-9][0-9]*', digits) and abs(int(digits)) < 2**53,
         ValueError('not of the format'))
    return int(digits)

NUMBERS = dict.fromkeys(('parse_int', 'parse_float', 'parse_constant'), integer)

def fits(value, shape):
    if isinstance(shape, re.Pattern): return isinstance(value, str) and bool(shape.match(value))
    if isinstance(shape, list): return isinstance(value, list) and all(fits(v, shape[0]) for v in value)
    if isinstance(shape, tuple):
        return fits(value, [object]) and len(value) == len(shape) and all(map(fits, value, shape))
    if not isinstance(shape, dict) or not isinstance(value, dict):
        return shape is object or type(value) is shape
    return all(n in value and fits(value[n], s) for n,
               s in ({n: shape[str] for n in value} if str in shape else shape).items())

def parsed(data, shape, otherwise):  # the value of bytes that are their own canonical form and have a shape
    try:
        value = json.loads(data.decode(), object_pairs_hook=members, **NUMBERS)
        need(canonical(value).encode() == data and fits(value, shape), otherwise)
        return value
    except ValueError:
        raise otherwise from None

def unpack(data):
    """Files of a strict ZIP, and the names of those whose CRC does not hold."""
    need(len(data) >= 22, CanNotTell('truncated'))
    sign, disk, start, here, count, size, at, comment = struct.unpack('<4s4H2LH', data[-22:])
    good = sign == b'PK\5\6' and not (disk or start or comment) and here == count <= 20_000
    need(good and at + size + 22 == len(data), CanNotTell('truncated, or not a proof archive'))
    files, wrong, offset, total, central = {}, [], 0, 0, at
    for _ in range(count):
        sign, _made, *head, disk, _in, _out, local = struct.unpack('<4s6H3L5H2L', data[central:central + 46])
        _version, flags, method, _time, _date, crc, packed, plain, length, extra, comment = head
        raw, central = data[central + 46:central + 46 + length], central + 46 + length
        name, own = raw.decode(), struct.pack('<4s5H3L2H', b'PK\3\4', *head[:9], 0) + raw
        good = sign == b'PK\1\2' and not (flags & ~0x800 or extra or comment or disk)
        need(good and method in (0, 8) and local == offset and name not in files and data.startswith(own, offset),
             CanNotTell(f'two headers of {name} differ, or it is packed in a way of its own'))
        total, offset, inflater = total + plain, offset + len(own) + packed, zlib.decompressobj(-15)
        need(plain <= 512 * 2**20 and total <= 2**30, CanNotTell(f'{name} is larger than an archive may be'))
        content = data[offset - packed:offset]
        content = inflater.decompress(content, plain + 1) if method else content
        whole = not method or inflater.eof and not inflater.unused_data
        need(offset <= at and len(content) == plain and whole,
             CanNotTell(f'{name} has not the size that it says'))
        files[name], wrong = content, wrong + [name] * (zlib.crc32(content) != crc)
    need(offset == at and central == at + size, CanNotTell('there are bytes between the entries'))
    return files, wrong

def sha(data): return hashlib.sha256(data).digest()
def text_hash(words): return sha(words.encode()).hex()
def leaf_hash(value): return sha(b'\0' + canonical(value).encode())
def node_hash(left, right): return sha(b'\1' + left + right)

def root_of(low, high, shown, rest):
    """Root over the leaves low..high: `shown` (index, hash) are there, other subtrees in `rest`, reversed."""
    if not shown: return bytes.fromhex(rest.pop())
    if high - low == 1: return shown[0][1]
    middle = low + (1 << ((high - low - 1).bit_length() - 1))
    left = root_of(low, middle, [x for x in shown if x[0] < middle], rest)
    return node_hash(left, root_of(middle, high, [x for x in shown if x[0] >= middle], rest))

def read_journal(data):
    """The records and the hashes of their chain."""
    *lines, rest = data.split(b'\n')
    records, hashes, last = [], [], '0' * 64
    for n, line in enumerate(lines):
        no_record = Differs(f'line {n + 1} of the journal is no record', aseq=n)
        records.append(parsed(line, RECORD, no_record))
        need(records[n]['kind'] != 'command' or fits(records[n], COMMAND), no_record)
        last = sha(last.encode() + line).hex()
        hashes.append(last)
    need(not rest, Differs('the last line of the journal is cut off', aseq=len(records)))
    need(records, CanNotTell('the journal is empty'))
    return records, hashes

def read_envelope(data):
    unknown = CanNotTell('the envelope is not canonical JSON of a version that is known here')
    value = parsed(data, {'v': int}, unknown)
    need(value['v'] == 1, unknown)
    good = fits(value, ENVELOPE) and fits(value['log'].get('proofs', []), [(int, str, [HEX64])])
    need(good, Differs('the envelope has not the shape of the format'))
    return value

class Leaf:
    def __init__(self, line, stream, otherwise):
        value = parsed(line, LEAF, otherwise)
        self.event, self.before = value['e'], value['p']
        self.index, self.mark = value.get('i'), value.get('h')
        self.mseq, self.stream = self.event['mseq'], self.event.get('symbol', 'group')
        need(3 <= len(self.before) <= 6 and stream in (None, self.stream), otherwise)
        self.hash = leaf_hash({'e': self.event, 'p': self.before})

class Log:
    """Shown leaves of a proof by stream, and what shows that none is missing."""
    def __init__(self, log, files, fetch):
        self.segments, self.prev, self.findings, self.gaps = log['segments'], log['prev'], [], False
        self.streams, self.heads, head, last = {}, [], log['prev'], None
        for s in self.segments:
            need(s['first'] <= s['last'] and (last is None or last < s['first']),
                 Differs(f'the segments {s["first"]}..{s["last"]} are out of order', s['first']))
            leaves = sum(count for count, _ in s['groups'].values())
            self.gaps |= last not in (None, s['first'] - 1) or leaves < s['last'] - s['first'] + 1
            head, last = text_hash(canonical({**{n: s[n] for n in SEGMENT}, 'prev': head, 'v': 1})), s['last']
            self.heads.append(head)
        for number in log.get('cited', []): self.read_cited(number, fetch)
        for name in sorted(n for n in files if n.startswith('log/')):
            self.read_stream(name, *files[name].split(b'\n'))
        every = sorted((leaf for leaves in self.streams.values() for leaf in leaves),
                       key=lambda leaf: leaf.mseq)
        self.events = list({leaf.mseq: leaf for leaf in every}.values())
        self.findings += [Differs(f'event {b.mseq} is out of order', b.mseq) for a, b in pairwise(every)
                          if 'cited' not in log and (b.mseq == a.mseq or b.event['mts'] < a.event['mts'])]
        self.check_roots({(n, stream): hashes for n, stream, hashes in log.get('proofs', [])})
    def ended(self, mseq):  # how many segments end before an event
        return bisect.bisect_left(self.segments, mseq, key=lambda s: s['last'])
    def number_at(self, mseq):  # of the segment that holds an event
        n = self.ended(mseq)
        return n if n < len(self.segments) and self.segments[n]['first'] <= mseq else None
    def head_before(self, mseq): return ([None] + self.heads)[self.ended(mseq)]
    def group(self, stream, number):  # leaf count and root
        return self.segments[number]['groups'].get(stream, (0, ''))
    def read_stream(self, name, *lines):
        stream, last, good = unquote(name[4:-6]), 0, (-1, -1)
        encoded = quote(stream, safe='').replace('.', '%2E').replace('~', '%7E')
        need(f'log/{encoded}.jsonl' == name, CanNotTell(f'{name} is no part of a proof'))
        leaves = self.streams[stream] = []
        for line in lines if lines[-1] else lines[:-1]:
            leaf = Leaf(line, stream, Differs(f'a line of the log of {stream} behind {last} is no leaf of it',
                                              last + 1))
            leaf.segment, event = self.number_at(leaf.mseq), f'event {leaf.mseq} of {stream}'
            place, disorder = (leaf.segment, leaf.index), Differs(f'{event} is out of order', leaf.mseq)
            need(leaf.mseq > last, disorder)
            need(None not in place and type(leaf.index) is int,
                 Differs(f'{event} is in no segment', leaf.mseq))
            if leaf.hash.hex()[:8] != leaf.mark:
                self.findings.append(Differs(f'the {event} is not the one that was sealed', leaf.mseq))
            else:
                need(good < place and 0 <= leaf.index < self.group(stream, leaf.segment)[0], disorder)
                good = place
            leaves.append(leaf)
            last = leaf.mseq
        need(not lines[-1], Differs(f'the last line of the log of {stream} is cut off', last))
    def read_cited(self, number, fetch):
        need(number in range(len(self.heads)), Differs('a segment is cited that is not listed'))
        packed, counts = fetch(self.heads[number]), {}
        need(packed is not None, CanNotTell(f'the segment {self.heads[number]} is cited: see --segments'))
        for line in gzip.decompress(packed).split(b'\n')[:-1]:
            leaf = Leaf(line, None, CanNotTell('a segment file holds something that is no leaf'))
            leaf.segment, leaf.index = number, counts.get(leaf.stream, 0)
            counts[leaf.stream] = leaf.index + 1
            self.streams.setdefault(leaf.stream, []).append(leaf)
    def check_roots(self, paths):
        for stream, leaves in self.streams.items():
            for number, shown in groupby(leaves, key=lambda leaf: leaf.segment):
                shown, path = [(x.index, x.hash, x.mseq) for x in shown], paths.pop((number, stream), [])[::-1]
                count, root = self.group(stream, number)
                try:
                    good = root_of(0, count, shown, path).hex() == root and not path
                except (IndexError, RecursionError):
                    good = False
                wrong = Differs(f'a Merkle path of {stream} does not hold', shown[0][2], vague=True)
                self.findings += [] if good else [wrong]
        for number, stream in paths:
            mseq = self.segments[number]['first'] if number in range(len(self.segments)) else None
            self.findings.append(Differs(f'a Merkle path of {stream} is for nothing', mseq))
    def holes(self, stream):
        """Open intervals of mseq in which an event may lie that is not shown, and the leaf behind."""
        if self.segments and self.prev != '0' * 64: yield -1, self.segments[0]['first'], None
        shown = {n: list(g) for n, g in groupby(self.streams.get(stream, []), key=lambda leaf: leaf.segment)}
        for number, segment in enumerate(self.segments):
            at, index = segment['first'] - 1, 0
            for leaf in shown.get(number, []):
                if leaf.index != index: yield at, leaf.mseq, leaf
                at, index = leaf.mseq, leaf.index + 1
            if index < self.group(stream, number)[0]: yield at, segment['last'] + 1, None
    def missing(self, stream, after, upto):
        """The first event in (after, upto] that may be missing, as near as it is known."""
        for a, b, leaf in self.holes(stream):
            if a + 1 <= upto and b - 1 > after:
                leaves = self.streams.get(stream, [])
                behind = leaf or next((x for x in leaves if x.mseq >= b), None)
                named = {p for p in behind.before if a < p < b} if behind and stream != 'group' else set()
                mseq = min(named - {x.mseq for x in leaves}, default=max(a, 0) + 1)
                return [Differs(f'an event of {stream} after {a} and before {b} is missing', mseq)]
        return []

"""The archive of a proof: container, canonical JSON, journal, log lines, Merkle trees (docs/proof-format.md, 1 to 4)."""
import gzip
import hashlib
import json
import re
import struct
import zlib

MAX_INT = 2**53 - 1
HEX64 = re.compile(r'[0-9a-f]{64}\Z')
KINDS = {'header', 'command', 'phase', 'fill', 'order', 'floor', 'day', 'target', 'violation', 'withdrawn', 'verdict', 'checkpoint', 'sealed', 'warning', 'stop_out'}


class CanNotTell(Exception):
    """Exit 2."""


class Differs(Exception):
    """Exit 1, at a place: aseq and mseq where they are known."""
    def __init__(self, reason, mseq=None, aseq=None, vague=False):
        super().__init__(reason)
        self.reason, self.mseq, self.aseq, self.vague = reason, mseq, aseq, vague


# ---- canonical JSON -------------------------------------------------------------------------------------------
def canonical(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda n: n.encode('utf-16-be'))
        return '{' + ','.join(f'{canonical(n)}:{canonical(value[n])}' for n in names) + '}'
    if isinstance(value, list):
        return '[' + ','.join(map(canonical, value)) + ']'
    return json.dumps(value, ensure_ascii=False)


def _members(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError('a repeated member')
    return out


def _refuse(text):
    raise ValueError(f'{text} does not occur')


def _integer(text):
    value = int(text)
    if text == '-0' or abs(value) > MAX_INT:
        raise ValueError('not an integer of the format')
    return value


def parse(data):
    """The value of bytes that are their own canonical form, else ValueError."""
    text = data.decode('utf-8')
    value = json.loads(text, object_pairs_hook=_members, parse_float=_refuse, parse_constant=_refuse, parse_int=_integer)
    if canonical(value).encode('utf-8') != data:
        raise ValueError('not canonical')
    return value


# ---- container ------------------------------------------------------------------------------------------------
def unpack(data):
    """Files of a strict ZIP, and the names of those whose CRC does not hold."""
    try:
        return _unpack(data)
    except (struct.error, IndexError, UnicodeDecodeError, zlib.error) as error:
        raise CanNotTell(f'truncated, or not a proof archive: {error}') from None


def _unpack(data):
    sign, disk, start_disk, here, count, size, at, comment = struct.unpack('<4s4H2LH', data[-22:])
    if sign != b'PK\5\6' or disk or start_disk or here != count or comment or at + size + 22 != len(data) or count > 20_000:
        raise CanNotTell('truncated, or not a proof archive')
    files, wrong, offset, total, central = {}, [], 0, 0, at
    for _ in range(count):
        head = struct.unpack('<4s6H3L5H2L', data[central:central + 46])
        sign, _made, need, flags, method, time, date, crc, packed, plain, n_name, n_extra, n_comment, disk, _i, _e, local = head
        raw_name = data[central + 46:central + 46 + n_name]
        name = raw_name.decode('utf-8')
        central += 46 + n_name
        own = struct.pack('<4s5H3L2H', b'PK\3\4', need, flags, method, time, date, crc, packed, plain, n_name, 0) + raw_name
        bad = sign != b'PK\1\2' or flags & ~0x800 or method not in (0, 8) or n_extra or n_comment or disk or local != offset
        if bad or name in files or data[offset:offset + len(own)] != own:
            raise CanNotTell(f'two headers of {name} differ, or it is packed in a way that the format does not have')
        total += plain
        if plain > 512 * 2**20 or total > 2**30:
            raise CanNotTell(f'{name} is larger than an archive may be')
        offset += len(own)
        content = data[offset:offset + packed]
        offset += packed
        if method == 8:
            inflater = zlib.decompressobj(-15)
            content = inflater.decompress(content, plain + 1)
            if not inflater.eof or inflater.unused_data:
                raise CanNotTell(f'{name} cannot be inflated')
        if len(content) != plain or offset > at:
            raise CanNotTell(f'{name} has another size than it says')
        if zlib.crc32(content) != crc:
            wrong.append(name)
        files[name] = content
    if offset != at or central != at + size:
        raise CanNotTell('there are bytes between the entries')
    return files, wrong


def stream_file(stream):
    return 'log/' + ''.join(chr(b) if re.match(rb'[A-Za-z0-9_-]', bytes([b])) else f'%{b:02X}' for b in stream.encode()) + '.jsonl'


# ---- hashes ---------------------------------------------------------------------------------------------------
def sha(data):
    return hashlib.sha256(data).digest()


def text_hash(text):
    return sha(text.encode('utf-8')).hex()


def leaf_hash(data):
    return sha(b'\0' + data)


def node_hash(left, right):
    return sha(b'\1' + left + right)


def root_of(leaves):
    """Root of an RFC 6962 tree: full subtrees are merged as soon as they are there."""
    stack = []
    for leaf in leaves:
        height = 0
        while stack and stack[-1][0] == height:
            leaf, height = node_hash(stack.pop()[1], leaf), height + 1
        stack.append((height, leaf))
    if not stack:
        return sha(b'')
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def partial_root(count, shown, hashes):
    """Root of a tree of which only the leaves `shown` (index -> hash) are there; None where the hashes do not fit."""
    indexes, rest = sorted(shown), iter(hashes)

    def walk(low, high, shown_in):
        if not shown_in:
            return bytes.fromhex(next(rest))
        if high - low == 1:
            return shown[low]
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        left = walk(low, middle, [i for i in shown_in if i < middle])
        return node_hash(left, walk(middle, high, [i for i in shown_in if i >= middle]))

    try:
        root = walk(0, count, indexes)
    except (StopIteration, RuntimeError, KeyError):
        return None
    return root if next(rest, None) is None else None


def chain(lines):
    """Hashes of the journal's lines, each over the one before."""
    out, last = [], '0' * 64
    for line in lines:
        last = sha(last.encode() + line).hex()
        out.append(last)
    return out


# ---- parts ----------------------------------------------------------------------------------------------------
def split_lines(data):
    """Whole lines, and what is left behind the last line feed."""
    lines = data.split(b'\n')
    return lines[:-1], lines[-1]


def read_journal(data):
    lines, rest = split_lines(data)
    records = []
    for n, line in enumerate(lines):
        try:
            record = parse(line)
        except ValueError:
            raise Differs(f'line {n + 1} of the journal is not canonical JSON', aseq=n) from None
        if not isinstance(record, dict) or not all(isinstance(record.get(k), int) for k in ('aseq', 'mseq', 'mts', 'cseq')) or not isinstance(record.get('kind'), str):
            raise Differs(f'line {n + 1} of the journal is no record', aseq=n)
        if record['kind'] == 'command' and not all(isinstance(record.get(k), dict) for k in ('command', 'answer')):
            raise Differs(f'line {n + 1} of the journal is no command', aseq=n)
        records.append(record)
    if rest:
        raise Differs('the last line of the journal is cut off', aseq=len(records))
    if not records:
        raise CanNotTell('the journal is empty')
    return records, lines


def _is(value, *types):
    return isinstance(value, types) and not isinstance(value, bool)


def read_envelope(data):
    try:
        value = parse(data)
    except ValueError as error:
        raise CanNotTell(f'the envelope is not canonical JSON: {error}') from None
    if not isinstance(value, dict) or value.get('v') != 1:
        raise CanNotTell('the archive has a version that is not known here')
    log = value.get('log')
    good = (
        _is(value.get('assessment'), str) and _is(value.get('end'), int) and isinstance(log, dict)
        and all(isinstance(value.get(k), list) for k in ('records', 'receipts', 'keys'))
        and all(isinstance(r, list) and len(r) == 3 and isinstance(r[0], str) and HEX64.match(r[0]) for r in value['records'])
        and all(isinstance(r, dict) and _is(r.get('aseq'), int) and all(_is(r.get(k), str) for k in ('hash', 'kid', 'signature')) and _is(r.get('signed_at'), int) for r in value['receipts'])
        and all(isinstance(k, dict) and _is(k.get('kid'), str) for k in value['keys'])
        and _is(log.get('group'), str) and _is(log.get('prev'), str) and bool(HEX64.match(log['prev']))
        and isinstance(log.get('segments'), list) and isinstance(log.get('proofs', []), list)
        and all(isinstance(s, dict) and _is(s.get('first'), int) and _is(s.get('last'), int) and isinstance(s.get('groups'), dict)
                and all(isinstance(g, list) and len(g) == 2 and _is(g[0], int) and g[0] > 0 and isinstance(g[1], str) and HEX64.match(g[1]) for g in s['groups'].values()) for s in log['segments'])
        and all(isinstance(p, list) and len(p) == 3 and _is(p[0], int) and isinstance(p[1], str) and isinstance(p[2], list)
                and all(isinstance(h, str) and HEX64.match(h) for h in p[2]) for p in log.get('proofs', []))
    )
    if not good:
        raise Differs('the envelope has not the shape of the format')
    return value


class Leaf:
    __slots__ = ('event', 'mseq', 'index', 'before', 'stream', 'segment', 'hash')

    def __init__(self, event, index, before, stream):
        self.event, self.mseq, self.index, self.before, self.stream, self.segment = event, event['mseq'], index, before, stream, None
        self.hash = leaf_hash(canonical({'e': event, 'p': before}).encode())


def _leaf(line, stream, at, what):
    try:
        value = parse(line)
    except ValueError:
        raise Differs(f'{what} is not canonical JSON', mseq=at) from None
    event = value.get('e') if isinstance(value, dict) else None
    before = value.get('p') if isinstance(value, dict) else None
    good = (isinstance(event, dict) and _is(event.get('mseq'), int) and _is(event.get('mts'), int) and isinstance(event.get('kind'), str)
            and isinstance(before, list) and 3 <= len(before) <= 6 and all(_is(p, int) for p in before))
    if not good or (stream is not None and event.get('symbol', 'group') != stream):
        raise Differs(f'{what} is no leaf of it', mseq=at)
    return value, Leaf(event, value.get('i'), before, event.get('symbol', 'group'))


class Log:
    """Shown leaves of a proof by stream, with what shows that none is missing."""

    def __init__(self, log, files, fetch):
        self.segments, self.prev, self.findings, self.streams, self.unclear = log['segments'], log['prev'], [], {}, None
        self.heads, last, head = [], None, log['prev']
        for s in self.segments:
            if s['last'] < s['first'] or (last is not None and s['first'] <= last):
                raise Differs(f'the segments {s["first"]}..{s["last"]} are out of order', mseq=s['first'])
            if last is not None and s['first'] != last + 1 or sum(g[0] for g in s['groups'].values()) < s['last'] - s['first'] + 1:
                self.unclear = CanNotTell('numbers are missing in the log: a leader wrote on after a power failure')
            head = text_hash(canonical({'first': s['first'], 'groups': s['groups'], 'last': s['last'], 'prev': head, 'v': 1}))
            self.heads.append(head)
            last = s['last']
        if 'cited' in log:
            self._read_cited(log['cited'], fetch)
        else:
            for name in sorted(n for n in files if n.startswith('log/')):
                self._read_stream(name, files[name])
        self._check_order()
        self._check_roots(log.get('proofs', []))

    def _segment_of(self, mseq):
        low, high = 0, len(self.segments)
        while low < high:
            middle = (low + high) // 2
            if self.segments[middle]['last'] < mseq:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.segments) and self.segments[low]['first'] <= mseq else None

    def _read_stream(self, name, data):
        stream = re.sub(r'((?:%[0-9A-F]{2})+)', lambda m: bytes.fromhex(m[1].replace('%', '')).decode(), name[4:-6])
        if stream_file(stream) != name:
            raise CanNotTell(f'{name} is no part of a proof')
        lines, rest = split_lines(data)
        last, leaves, good = 0, [], None
        for n, line in enumerate(lines + ([rest] if rest else [])):
            value, leaf = _leaf(line, stream, last + 1, f'line {n + 1} of the log of {stream}')
            if leaf.mseq <= last:
                raise Differs(f'event {leaf.mseq} of {stream} is out of order', mseq=leaf.mseq)
            leaf.segment = self._segment_of(leaf.mseq)
            if leaf.segment is None or stream not in self.segments[leaf.segment]['groups'] or not _is(leaf.index, int):
                raise Differs(f'event {leaf.mseq} of {stream} is in no segment', mseq=leaf.mseq)
            near = good and good.segment == leaf.segment
            if leaf.hash.hex()[:8] != value.get('h'):
                self.findings.append(Differs(f'the event {leaf.mseq} of {stream} is not the one that was sealed', mseq=leaf.mseq))
            elif not 0 <= leaf.index < self.segments[leaf.segment]['groups'][stream][0] or near and leaf.index <= good.index:
                raise Differs(f'event {leaf.mseq} of {stream} is out of order', mseq=leaf.mseq)
            else:
                good = leaf
            leaves.append(leaf)
            last = leaf.mseq
        if rest:
            raise Differs(f'the last line of the log of {stream} is cut off', mseq=last)
        self.streams[stream] = leaves

    def _read_cited(self, cited, fetch):
        for number in cited:
            if not _is(number, int) or not 0 <= number < len(self.segments):
                raise Differs('a segment is cited that is not listed')
            segment, counts = self.segments[number], {}
            packed = fetch(self.heads[number])
            if packed is None:
                raise CanNotTell(f'the segment {self.heads[number]} (mseq {segment["first"]} to {segment["last"]}) is cited, not carried: give it with --segments')
            try:
                lines = gzip.decompress(packed).split(b'\n')[:-1]
            except (OSError, EOFError, zlib.error):
                raise CanNotTell('a segment file cannot be read') from None
            for line in lines:
                _, leaf = _leaf(line, None, segment['first'], 'a line of a segment file')
                if not segment['first'] <= leaf.mseq <= segment['last']:
                    continue
                leaf.segment, leaf.index = number, counts.get(leaf.stream, 0)
                counts[leaf.stream] = leaf.index + 1
                self.streams.setdefault(leaf.stream, []).append(leaf)

    def _check_order(self):
        self.events = sorted((leaf for leaves in self.streams.values() for leaf in leaves), key=lambda leaf: leaf.mseq)
        for a, b in zip(self.events, self.events[1:]):
            if b.mseq == a.mseq or b.event['mts'] < a.event['mts']:
                self.findings.append(Differs(f'event {b.mseq} of {b.stream} is out of order', mseq=b.mseq))

    def _check_roots(self, proofs):
        hashes = {(n, stream): h for n, stream, h in proofs}
        for stream, leaves in self.streams.items():
            by_segment = {}
            for leaf in leaves:
                by_segment.setdefault(leaf.segment, []).append(leaf)
            for number, shown in by_segment.items():
                segment = self.segments[number]
                count, root = segment['groups'].get(stream, [0, ''])
                path = hashes.pop((number, stream), None)
                if path is None and len(shown) == count:
                    got = root_of([leaf.hash for leaf in shown])
                else:
                    got = partial_root(count, {leaf.index: leaf.hash for leaf in shown}, path or []) if count else None
                if got is None or got.hex() != root:
                    self.findings.append(Differs(f'the Merkle path of {stream} in the segment {segment["first"]}..{segment["last"]} does not hold', mseq=shown[0].mseq, vague=True))
        for (number, stream) in hashes:
            mseq = self.segments[number]['first'] if 0 <= number < len(self.segments) else None
            self.findings.append(Differs(f'a Merkle path of {stream} is for nothing', mseq=mseq))

    # ---- completeness ---------------------------------------------------------------------------------------------
    def holes(self, stream):
        """Open intervals (a, b) of mseq in which an event of the stream may lie that is not shown, with the leaf behind."""
        if stream in self._holes_of:
            return self._holes_of[stream]
        out, by_segment = [], {}
        for leaf in self.streams.get(stream, []):
            by_segment.setdefault(leaf.segment, []).append(leaf)
        if self.segments and self.prev != '0' * 64:
            out.append((-1, self.segments[0]['first'], None))
        for number, segment in enumerate(self.segments):
            count = segment['groups'].get(stream, [0])[0]
            at, next_index = segment['first'] - 1, 0
            for leaf in by_segment.get(number, []):
                if leaf.index != next_index:
                    out.append((at, leaf.mseq, leaf))
                at, next_index = leaf.mseq, leaf.index + 1
            if next_index < count:
                out.append((at, segment['last'] + 1, None))
        self._holes_of[stream] = out
        return out

    _holes_of = None

    def missing(self, stream, after, upto):
        """The first event of the stream in (after, upto] that may be missing: its mseq, as near as the archive says."""
        if self._holes_of is None:
            self._holes_of = {}
        for a, b, leaf in self.holes(stream):
            if a + 1 <= upto and b - 1 > after:
                shown = {x.mseq for x in self.streams.get(stream, [])}
                leaf = leaf or next((x for x in self.streams.get(stream, []) if x.mseq >= b), None)
                named = [p for p in (leaf.before if leaf and stream != 'group' else []) if a < p < b and p not in shown]
                return Differs(f'an event of {stream} after {a} and before {b} is missing', mseq=min(named) if named else max(a, 0) + 1)
        return None

"""The archive of a proof: container, canonical JSON, journal, log, Merkle trees, signatures (docs/proof-format.md)."""
import bisect, hashlib, json, struct, zlib
from urllib.parse import quote, unquote
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

class CanNotTell(Exception): """Exit 2."""
class Differs(Exception):  # exit 1, with the event and the record where they are known
    def __init__(self, reason, mseq=None, aseq=None):
        super().__init__(reason)
        self.mseq, self.aseq = mseq, aseq
def need(good, error):
    if not good: raise error
def some(value, *names): return {n: value[n] for n in names}
def text(number): return '0' if number == 0 else f'{number.normalize():f}'  # a decimal as records write it
def canonical(value):
    def ordered(v):
        if isinstance(v, dict): return {n: ordered(v[n]) for n in sorted(v, key=lambda n: n.encode('utf-16-be'))}
        return [ordered(x) for x in v] if isinstance(v, (list, tuple)) else v
    return json.dumps(ordered(value), ensure_ascii=False, separators=(',', ':'), default=text)
def fits(value, **members):  # an object that has members of these types
    return isinstance(value, dict) and all(type(value.get(name)) is kind for name, kind in members.items())
def parsed(data, otherwise, **members):  # an object of bytes that are its canonical form
    def integer(digits):  # refuses fractions, and what lies beyond 2^53
        return int(digits) if abs(int(digits)) < 2**53 else None
    try:
        value = json.loads(data.decode(), parse_int=integer, parse_float=integer, parse_constant=integer)
        good = canonical(value).encode() == data and fits(value, **members)
    except ValueError:
        good = False
    need(good, otherwise)
    return value

def unpack(data):  # files of a strict ZIP, and the names of those whose CRC does not hold
    bad, files, wrong, offset, total = CanNotTell('truncated, or not a ZIP file of the strict kind'), {}, [], 0, 0
    sign, disk, start, here, count, size, at, comment = struct.unpack('<4s4H2LH', data[-22:].rjust(22, b'\0'))
    central, good = at, sign == b'PK\5\6' and not (disk or start or comment) and here == count <= 20_000
    need(good and at + size + 22 == len(data), bad)
    for _ in range(count):
        sign, _made, *head, disk, _in, _out, local = struct.unpack('<4s6H3L5H2L', data[central:central + 46])
        _version, flags, method, _time, _date, crc, packed, plain, length, extra, comment = head
        raw, central = data[central + 46:central + 46 + length], central + 46 + length
        name, own = raw.decode(), struct.pack('<4s5H3L2H', b'PK\3\4', *head[:9], 0) + raw
        need(sign == b'PK\1\2' and not (flags & ~0x800 or extra or comment or disk) and method in (0, 8), bad)
        need(local == offset and name not in files and data.startswith(own, offset), bad)
        total, offset = total + plain, offset + len(own) + packed
        need(plain <= 512 * 2**20 and total <= 2**30 and offset <= at, CanNotTell(f'{name} is too large'))
        content, inflater = data[offset - packed:offset], zlib.decompressobj(-15)
        if method:
            content = inflater.decompress(content, plain + 1)
            need(inflater.eof and not inflater.unused_data, bad)
        need(len(content) == plain, bad)
        files[name] = content
        wrong += [name] if zlib.crc32(content) != crc else []
    need(offset == at and central == at + size, bad)
    return files, wrong
def sha(data): return hashlib.sha256(data).digest()
def text_hash(words): return sha(words.encode()).hex()
def leaf_hash(value): return sha(b'\0' + canonical(value).encode())
def node_hash(left, right): return sha(b'\1' + left + right)
def root_of(low, high, shown, rest):  # over the leaves low..high: `shown` (index, hash) or else in `rest`, reversed
    if not shown: return bytes.fromhex(rest.pop())
    if high - low == 1: return shown[0][1]
    middle = low + (1 << ((high - low - 1).bit_length() - 1))
    left = root_of(low, middle, [x for x in shown if x[0] < middle], rest)
    return node_hash(left, root_of(middle, high, [x for x in shown if x[0] >= middle], rest))
def read_journal(data):  # the records and the hashes of their chain
    (*lines, rest), records, hashes = data.split(b'\n'), [], ['0' * 64]
    for n, line in enumerate(lines):
        no_record = Differs(f'line {n + 1} of the journal is no record', aseq=n)
        records.append(parsed(line, no_record, aseq=int, mseq=int, mts=int, cseq=int, kind=str))
        hashes.append(sha(hashes[n].encode() + line).hex())
    need(not rest, Differs('the last line of the journal is cut off', aseq=len(records)))
    return records, hashes[1:]
def read_envelope(data):
    unknown = CanNotTell('the envelope is not canonical JSON of a version that is known here')
    value, other = parsed(data, unknown, v=int), Differs('the envelope has not the shape of the format')
    need(value['v'] == 1, unknown)
    good = fits(value, assessment=str, end=int, records=list, receipts=list, keys=list, log=dict)
    need(good and all(map(is_receipt, value['receipts'])), other)
    need(fits(value['log'], group=str, prev=str, segments=list), other)
    need(all(fits(s, first=int, last=int, groups=dict) for s in value['log']['segments']), other)
    need('cited' not in value['log'], CanNotTell('a log that is cited is not covered'))
    return value

class Leaf:
    def __init__(self, line, stream, otherwise):
        value = parsed(line, otherwise, e=dict, p=list, i=int, h=str)
        self.event, self.before, self.index, self.mark = value['e'], value['p'], value['i'], value['h']
        need(fits(self.event, mseq=int, mts=int, kind=str) and self.event.get('symbol', 'group') == stream, otherwise)
        self.mseq, self.hash = self.event['mseq'], leaf_hash({'e': self.event, 'p': self.before})
    def stood(self):  # the newest quote, levels, state, trade and rates once this event is there
        event, stood = self.event, self.before + [0] * (6 - len(self.before))
        for at, kind in enumerate(('quote', 'levels', 'symbol_state', 'trade')):
            if event['kind'] == kind or at == 0 and 'bid' in event: stood[at] = self.mseq
        return stood

class Log:  # shown leaves of a proof by stream and segment, and what shows that none is missing
    def __init__(self, log, files):
        self.segments, self.prev, self.gaps, self.streams, self.heads = log['segments'], log['prev'], False, {}, []
        head, last = log['prev'], None
        for s in self.segments:
            disorder = Differs(f'the segments {s["first"]}..{s["last"]} are out of order', s['first'])
            need(s['first'] <= s['last'] and (last is None or last < s['first']), disorder)
            leaves = sum(count for count, _ in s['groups'].values())
            self.gaps |= last not in (None, s['first'] - 1) or leaves < s['last'] - s['first'] + 1
            head, last = text_hash(canonical({**some(s, 'first', 'last', 'groups'), 'prev': head, 'v': 1})), s['last']
            self.heads.append(head)
        for name in sorted(n for n in files if n.startswith('log/')): self.read_stream(name, *files[name].split(b'\n'))
        self.events = sorted((x for stream in self.streams for x in self.leaves(stream)), key=lambda leaf: leaf.mseq)
        for a, b in zip(self.events, self.events[1:]):
            good = a.mseq < b.mseq and a.event['mts'] <= b.event['mts']
            need(good, Differs(f'event {b.mseq} is out of order', b.mseq))
        self.check_roots({(n, stream): hashes for n, stream, hashes in log.get('proofs', [])})
    def ended(self, mseq):  # how many segments end before an event
        return bisect.bisect_left(self.segments, mseq, key=lambda s: s['last'])
    def number_at(self, mseq):  # of the segment that holds an event
        n = self.ended(mseq)
        return n if n < len(self.segments) and self.segments[n]['first'] <= mseq else None
    def group(self, stream, number): return self.segments[number]['groups'].get(stream, (0, ''))  # leaf count and root
    def leaves(self, stream): return [x for part in self.streams.get(stream, {}).values() for x in part]
    def read_stream(self, name, *lines):
        stream, last, place = unquote(name[4:-6]), 0, (-1, -1)
        encoded = quote(stream, safe='').replace('.', '%2E').replace('~', '%7E')
        need(f'log/{encoded}.jsonl' == name, CanNotTell(f'{name} is no part of a proof'))
        for line in lines if lines[-1] else lines[:-1]:
            leaf = Leaf(line, stream, Differs(f'a line of {name} behind event {last} is no leaf of it', last + 1))
            number, before = self.number_at(leaf.mseq), (last, place)
            good = number is not None and leaf.hash.hex()[:8] == leaf.mark
            need(good, Differs(f'the event {leaf.mseq} is not as it was sealed', leaf.mseq))
            last, place = leaf.mseq, (number, leaf.index)
            good = before[0] < last and before[1] < place and 0 <= leaf.index < self.group(stream, number)[0]
            need(good, Differs(f'event {leaf.mseq} of {stream} is out of order', leaf.mseq))
            self.streams.setdefault(stream, {}).setdefault(number, []).append(leaf)
        need(not lines[-1], Differs(f'the last line of {name} is cut off', last))
    def check_roots(self, paths):
        for stream, number, leaves in [(s, n, part) for s, shown in self.streams.items() for n, part in shown.items()]:
            (count, root), path = self.group(stream, number), paths.pop((number, stream), [])[::-1]
            try:
                good = root_of(0, count, [(x.index, x.hash) for x in leaves], path).hex() == root and not path
            except (IndexError, RecursionError, TypeError, ValueError):
                good = False
            need(good, Differs(f'a Merkle path of {stream} does not hold', leaves[0].mseq))
        need(not paths, Differs('a Merkle path is for nothing'))
    def need_whole(self, stream, after, upto):  # no hole can hold an event in (after, upto]
        holes = [(-1, self.segments[0]['first'])] if self.segments and self.prev != '0' * 64 else []
        for number, segment in enumerate(self.segments):
            at, index = segment['first'] - 1, 0
            for leaf in self.streams.get(stream, {}).get(number, []):
                holes += [(at, leaf.mseq)] if leaf.index != index else []
                at, index = leaf.mseq, leaf.index + 1
            holes += [(at, segment['last'] + 1)] if index < self.group(stream, number)[0] else []
        for a, b in [(a, b) for a, b in holes if a + 1 <= upto and b - 1 > after]:
            raise Differs(f'an event of {stream} after {a} and before {b} is missing', max(a, 0) + 1)
def is_receipt(r): return fits(r, assessment=str, aseq=int, hash=str, kid=str, signature=str, signed_at=int)
def path_root(leaf, path):  # over a leaf and its siblings from the leaf up; None where it has not the tree's shape
    at, end, siblings = path['index'], path['count'] - 1, iter(path['hashes'])
    while 0 <= at <= end and end:
        if at % 2 or at != end:
            other = bytes.fromhex(next(siblings, ''))
            leaf = node_hash(other, leaf) if at % 2 else node_hash(leaf, other)
        at, end = at // 2, end // 2
    return leaf.hex() if at == end == 0 and next(siblings, None) is None else None
def holds(receipt, key):
    link, at, path = some(receipt, 'assessment', 'aseq', 'hash'), receipt['signed_at'], receipt.get('path')
    try:
        commit = path and {'commit': path_root(leaf_hash(link), path), 'count': path['count'], 'signed_at': at}
        public, said = bytes.fromhex(key['public_key']), canonical(commit or {**link, 'signed_at': at}).encode()
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(receipt['signature']), said)
        return sha(public).hex()[:16] == key['kid']
    except Exception:  # a key, signature or path that is none too
        return False

def check_receipts(receipts, envelope, records, hashes, keys):  # of this chain, and by a trusted key where any is given
    for r in receipts:
        n, kid, at, trusted = r['aseq'], r['kid'], r['signed_at'], {k['kid']: k for k in keys}
        of_chain = 0 <= n < len(records) and (r['hash'], r['assessment']) == (hashes[n], envelope['assessment'])
        need(of_chain, Differs(f'the receipt of record {n} is not of this chain', aseq=n))
        if not keys: continue
        rotated = any(k['kid'] == kid and k.get('signed_by') in trusted for k in envelope['keys'])
        need(kid in trusted or not rotated, CanNotTell(f'the key {kid} is not given; a trusted one signed it'))
        key, what, mseq = trusted.get(kid), f'the signature of record {n}', records[n]['mseq']
        need(key, Differs(f'{what} is by a key that is not trusted', mseq, n))
        need(holds(r, key), Differs(f'{what} does not hold', mseq, n))
        valid = key['valid_from'] <= at <= (key.get('valid_to') or at)
        need(valid, Differs(f'{what} is by a key that was not valid then', mseq, n))
def check_signed(receipts, records):  # every verdict, every checkpoint and every answer to an order
    signed, order = {r['aseq'] for r in receipts}, None
    for n, r in enumerate([*records, {'kind': 'command', 'command': {'op': 'end'}, 'mseq': None}]):
        if r['kind'] == 'command':
            need(order is None, Differs(f'the order at {order} is not signed', r['mseq'], order))
            order = n if r['command']['op'] == 'order' else None
        order = None if n in signed else order
        need(n in signed or r['kind'] not in ('verdict', 'checkpoint'), Differs(f'{n} is not signed', r['mseq'], n))

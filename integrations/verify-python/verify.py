#!/usr/bin/env python3
"""An independent verifier of Assay's proofs: exit 0 it follows, 1 it does not, 2 can not tell."""
import argparse, json, pathlib, re, sys
from archive import RECEIPT, CanNotTell, Differs, Log, canonical, fits, need, text_hash
from archive import read_envelope, read_journal, unpack
from rules import Decider
from signatures import check_receipts, check_signed

COVERED = json.loads(pathlib.Path(__file__).with_name('covered.json').read_text(encoding='utf-8'))

def covered(kind, value):  # the table must list every member, and its value where only some are covered
    need(kind in COVERED, CanNotTell(f'{kind} is not covered'))
    for name in sorted(value):
        good = name in COVERED[kind] and (COVERED[kind][name] is None or value[name] in COVERED[kind][name])
        need(good, CanNotTell(f'{kind}: {name} {canonical(value[name])} is not covered'))

def read_documents(files, header):
    cited = {f'docs/{value}.json': name for name, value in header['docs'].items()}
    need(set(cited) <= set(files), CanNotTell('a document is missing'))
    for file in sorted(f for f in files if f.startswith('docs/')):
        same = text_hash(files[file].decode('utf-8', 'replace')) == file[5:-5]
        need(file in cited and same, Differs(f'{file} is not what the header cites', header['mseq'], 0))
    return {name: json.loads(files[file]) for file, name in cited.items()}

class Replay:
    """The archive's own commands over its own events; `spans` of exposure and `looks` of flat orders."""
    def __init__(self, records, log, end, docs):
        self.records, self.log, self.end, header = records, log, end, records[0]
        instruments = {n[11:]: d for n, d in docs.items() if n.startswith('instrument:')}
        ordered = {r['command'].get('symbol') for r in records if r['kind'] == 'command'
                   and r['command']['op'] == 'order'}
        parts = [('header', header), *(('phase', p) for p in header['phases'])]
        parts += [(r['rule'], r) for p in header['phases'] for r in p['rules']]
        for name in sorted(ordered & set(instruments)):
            parts += [('instrument', instruments[name]), ('commission', instruments[name]['commission'])]
        for kind, value in parts: covered(kind, value)
        self.account = a = Decider(header, instruments, docs[f'zone:{header["reset_zone"]}'])
        self.symbols = sorted({n for s in ordered if a.path(s) is not None for n in a.with_legs(s)})
        self.next, self.spans, self.looks = 0, [], []
    def step(self, at, work):  # one input, whose records must be the archive's next ones
        a, was = self.account, self.account.exposed()
        a.head = self.log.head_before(at)
        a.take_in(work)
        if was and not a.exposed(): self.spans[-1][1] = at
        if not was and a.exposed(): self.spans.append([a.mseq, self.end])
        for mine in a.records:
            n, mseq = mine['aseq'], mine['mseq']
            need(n < len(self.records), Differs(f'record {n} is missing', mseq, n))
            if canonical(mine) != canonical(self.records[n]):
                need(self.records[n]['kind'] in COVERED['records'],
                     CanNotTell(f'{self.records[n]["kind"]} is not covered'))
                raise Differs(f'record {n} is another one: the replay decides {canonical(mine)}', mseq, n)
        self.next = a.aseq
    def told(self):  # what the chain was told before the next event
        a = self.account
        while self.next < len(self.records) and self.records[self.next]['mseq'] == a.mseq:
            r, n = self.records[self.next], self.next
            c = {'op': 'create'} if n == 0 and r['kind'] == 'header' else r.get('command')
            sealed = r['kind'] == 'sealed' and a.unsealed
            number = self.log.number_at(a.unsealed[0]['mseq']) if sealed else None
            if c:
                need(r['cseq'] == a.cseq + 1, Differs(f'command {r["cseq"]} stands where {a.cseq + 1} should',
                                                      a.mseq, n))
                a.cseq, a.said = r['cseq'], r.get('answer', {}).get('detail')
                covered(c['op'], c)
                self.looks += [(a.mseq, n)] if c['op'] == 'order' and not a.exposed() else []
                self.step(a.mseq, lambda: self.command(c))
            elif number is None or self.log.segments[number]['last'] > a.mseq:
                return
            else:
                self.step(a.mseq, lambda: a.sealed(self.log.segments[number]['last'], self.log.heads[number]))
    def command(self, c):
        header = {n: v for n, v in self.records[0].items()
                  if n not in ('aseq', 'mseq', 'mts', 'cseq', 'kind')}
        if self.next == 0: self.account.write('header', **header)
        self.account.command(c)
    def run(self):
        a = self.account
        for leaf in self.log.events:
            if leaf.mseq > self.end: break
            self.told()
            a.mseq = max(a.mseq, leaf.mseq - 1)
            while (instant := a.deadline(leaf.event['mts'])) is not None:
                self.step(leaf.mseq, lambda: a.at_deadline(instant))
            self.step(leaf.mseq, lambda: a.event(leaf.event))
        self.told()
        left = self.records[self.next:self.next + 1]
        need(not left, left and Differs(f'record {self.next} follows from nothing', left[0]['mseq'],
                                        self.next))
    def missing(self):  # events that must be shown and are not
        shown = {leaf.mseq for leaf in self.log.events}
        for n, r in enumerate(self.records):
            if r['mseq'] and r['mseq'] not in shown:
                yield Differs(f'the event {r["mseq"]}, at which record {n} was stamped, is missing',
                              r['mseq'], n)
        for a, b in self.spans:
            for stream in (*self.symbols, 'group'): yield from self.log.missing(stream, a, b)
        for stamp, n in self.looks:
            since = []
            for stream in self.symbols: yield from self.look(stream, stamp, n, shown, since)
            if len(since) == len(self.symbols):
                yield from self.log.missing('group', min(since, default=stamp), stamp)
    def look(self, stream, stamp, n, shown, since):
        """The newest events of a symbol at an order that was given while flat."""
        leaves = self.log.streams.get(stream, [])
        newest = next((x for x in reversed(leaves) if x.mseq <= stamp), None)
        if newest is None:
            before = leaves[0].before if leaves else []
            named = max((p for p in before if p <= stamp), default=0) or stamp
            if (not leaves or any(before)) and self.log.missing(stream, 0, stamp):
                yield Differs(f'the newest event of {stream} at {stamp} is missing', named, n)
            return
        yield from self.log.missing(stream, newest.mseq, stamp)
        kind, stood = newest.event['kind'], newest.before + [0] * (6 - len(newest.before))
        for at, of_kind in enumerate(('bid' in newest.event, kind == 'levels', kind == 'symbol_state',
                                      kind == 'trade')):
            stood[at] = newest.mseq if of_kind else stood[at]
        for p in sorted(set(stood) - shown - {0}):
            yield Differs(f'the event {p} of {stream} stood at {stamp} and is missing', p, n)
        since.append(max(stood[0], stood[2]))

def check_chain(records, hashes, envelope):
    named = [r[0] for r in envelope['records']]
    for n, r in enumerate(records):
        if r['aseq'] != n:
            return [Differs(f'record {r["aseq"]} stands where {n} should', records[max(n - 1, 0)]['mseq'], n)]
        if hashes[n] not in named[n:n + 1]:
            return [Differs(f'the hash of record {n} does not hold', r['mseq'], n)]
    return [Differs(f'record {n + 1} is missing', r['mseq'], n + 1)] if len(named) > len(records) else []

def decide(records, log, end, files, found):
    """Adds what the replay finds; gives what is not covered."""
    header = records[0]
    try:
        need(header['kind'] == 'header' and header['aseq'] == 0,
             Differs('the first record is no header', header['mseq'], 0))
        replay = Replay(records, log, end, read_documents(files, header))
        try:
            replay.run()
        except Differs as difference:
            found.append(difference)
        found += replay.missing()
    except Differs as difference:
        found.append(difference)
    except CanNotTell as error:
        return error
    return None

def verify(data, keys, receipt, fetch):
    files, broken = unpack(data)
    for name in files:
        doc = re.fullmatch('docs/[0-9a-f]{64}.json', name)
        log = name.startswith('log/') and name.endswith('.jsonl')
        need(name in ('journal.jsonl', 'envelope.json') or doc or log,
             CanNotTell(f'{name} is no part of a proof'))
    need({'journal.jsonl', 'envelope.json'} <= set(files),
         CanNotTell('the journal or the envelope is missing'))
    envelope, (records, hashes) = read_envelope(files['envelope.json']), read_journal(files['journal.jsonl'])
    header, found = records[0], check_chain(records, hashes, envelope)
    whole = found[0].aseq if found else len(records)
    need(header['kind'] != 'header' or header.get('engine') == 1,
         CanNotTell('this version of the engine is not known here'))
    log = Log(envelope['log'], files, fetch)
    end, said = log.segments[-1]['last'] if log.segments else 0, envelope['end']
    found += log.findings
    found += [Differs(f'the archive says that it ends at {said}, its log at {end}',
                      min(end, said))] if end != said else []
    if header['kind'] == 'header' and envelope['log']['group'] != header.get('group'):
        found.append(Differs(f'the log is of the group {envelope["log"]["group"]}', header['mseq'], 0))
    unclear = decide(records, log, said, files, found)
    need(receipt is None or fits(receipt, RECEIPT), CanNotTell('the receipt has not the shape of one'))
    receipts = envelope['receipts'] + ([receipt] if receipt is not None else [])
    found += check_receipts(receipts, envelope, records, hashes, keys)
    found += check_signed(envelope['receipts'], records, whole)
    found += [Differs(f'the CRC-32 of {name} does not hold') for name in broken[:0 if found else 1]]
    for f in found:  # one without a record gets the one that stands at or behind its event
        if f.aseq is None:
            f.aseq = next((n for n, r in enumerate(records) if f.mseq is not None and r['mseq'] >= f.mseq),
                          None)
    first = sorted(found, key=lambda f: (f.vague, f.mseq or 0, len(records) if f.aseq is None else f.aseq))
    need(not first, first and first[0])
    need(unclear is None, unclear)
    need(not log.gaps, CanNotTell('numbers are missing in the log: a leader wrote on after a power failure'))
    need(keys, CanNotTell('no trusted key: everything follows, but nobody vouches for it'))
    return {'verdict': next((r['verdict'] for r in records if r['kind'] == 'verdict'), 'open'),
            'hash': hashes[-1]}

def answer(file, keys, receipt=None, segments=None):
    """Exit, reason, and the place of the first difference or the verdict, of files."""
    def fetch(head):
        path = pathlib.Path(segments or '', f'{head}.jsonl.gz')
        return path.read_bytes() if segments and path.exists() else None
    try:
        given = json.loads(pathlib.Path(keys).read_text())
        kept = receipt and json.loads(pathlib.Path(receipt).read_text())
        said = verify(pathlib.Path(file).read_bytes(), given['keys'] if isinstance(given, dict) else given,
                      kept, fetch)
        return {'exit': 0, 'reason': 'every record follows from the log and the commands', **said}
    except Differs as found:
        return {'exit': 1, 'reason': str(found), 'at': {'aseq': found.aseq, 'mseq': found.mseq}}
    except CanNotTell as error:
        return {'exit': 2, 'reason': str(error)}
    except Exception as error:  # an exit of 1 would say that the proof does not follow
        return {'exit': 2, 'reason': f'not readable: {type(error).__name__} {error}'}

if __name__ == '__main__':
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('file')
    options.add_argument('--keys', required=True, help='journal-keys.json, as /.well-known/ serves it')
    options.add_argument('--receipt', help='a receipt that must be in the chain')
    options.add_argument('--segments', help='folder with <head>.jsonl.gz')
    result = answer(**vars(options.parse_args()))
    print(f'{("it follows", "it does not follow", "can not tell")[result["exit"]]}: {result["reason"]}')
    print(*(f'{name}: {value}' for name, value in result.items() if name not in ('exit', 'reason')), sep='\n')
    sys.exit(result['exit'])

#!/usr/bin/env python3
"""An independent verifier of Assay's proofs: exit 0 it follows, 1 it does not, 2 can not tell."""
import argparse
import json
import os
import sys

from archive import HEX64, KINDS, CanNotTell, Differs, Log, canonical, chain, parse, read_envelope, read_journal, text_hash, unpack
from decide import Decider, Zone, check_covered
from signatures import check_receipt, check_signatures, load_keys


def read_documents(files, header):
    docs = header.get('docs')
    if not isinstance(docs, dict):
        raise Differs('the header cites no documents', header['mseq'], 0)
    cited, out = {}, {}
    for name in sorted(docs):
        cited[f'docs/{docs[name]}.json'] = name
        if f'docs/{docs[name]}.json' not in files:
            raise CanNotTell(f'the document {name} is missing')
    for file in sorted(f for f in files if f.startswith('docs/')):
        if file not in cited:
            raise Differs(f'{file} is cited by nothing', header['mseq'], 0)
        if text_hash(files[file].decode('utf-8', 'replace')) != file[5:-5]:
            raise Differs(f'the document {cited[file]} is not the one that the header cites', header['mseq'], 0)
    for name in docs:
        out[name] = json.loads(files[f'docs/{docs[name]}.json'])
    return out


class Replay:
    """The archive's own commands over its own events; `spans` of exposure and `looks` of flat orders for completeness."""

    def __init__(self, archive, docs):
        self.records, self.log, self.end = archive['records'], archive['log'], archive['envelope']['end']
        header = self.records[0]
        instruments = {n[11:]: d for n, d in docs.items() if n.startswith('instrument:')}
        check_covered(header, instruments)
        self.ordered = {r['command'].get('symbol') for r in self.records if r['kind'] == 'command' and r['command'].get('op') == 'order'}
        for name in self.ordered & set(instruments):
            if 'uncovered' in instruments[name]:
                raise CanNotTell(f'{instruments[name]["uncovered"]} is not covered')
        self.account = Decider(header, Zone(docs[f'zone:{header["reset_zone"]}'], header['reset_time']), instruments, self.head_before)
        self.next, self.spans, self.looks = 0, [], []

    def head_before(self, mseq):
        found = [h for s, h in zip(self.log.segments, self.log.heads) if s['last'] < mseq]
        return found[-1] if found else None

    def symbols(self):
        a = self.account
        return sorted({n for s in self.ordered if a.tradable(s) for n in (s, *a.legs(s))})

    def step(self, work):
        a = self.account
        was = a.exposed()
        a.take(work)
        if was and not a.exposed():
            self.spans[-1][1] = a.working_on
        if not was and a.exposed():
            self.spans.append([a.view.mseq, None])
        for mine in a.records:
            n = mine['aseq']
            if n >= len(self.records):
                raise Differs(f'record {n} is missing', mine['mseq'], n)
            if canonical(mine) != canonical(self.records[n]):
                if self.records[n]['kind'] not in KINDS:
                    raise CanNotTell(f'records of kind {self.records[n]["kind"]} are not covered')
                raise Differs(f'record {n} is {difference(self.records[n], mine)}', mine['mseq'], n)
        self.next = a.aseq

    def told(self):
        a = self.account
        a.working_on = a.view.mseq
        while self.next < len(self.records):
            r = self.records[self.next]
            if r['kind'] == 'header' and self.next == 0:
                r = {'command': {'op': 'create'}, 'cseq': r['cseq'], 'mseq': r['mseq'], 'kind': 'command'}
            command = r['kind'] == 'command'
            if r['mseq'] != a.view.mseq or not command and r['kind'] != 'sealed':
                return
            if command:
                if r['cseq'] != a.cseq + 1:
                    raise Differs(f'command {r["cseq"]} stands where {a.cseq + 1} should', a.view.mseq, self.next)
                a.cseq = r['cseq']
                if r['command'].get('op') == 'order' and not a.exposed():
                    self.looks.append((a.view.mseq, self.next))
                self.step(lambda: self.create(r['command']) if self.next == 0 else a.command(r['command']))
            else:
                if not a.unsealed:
                    return
                number = next((i for i, s in enumerate(self.log.segments) if s['first'] <= a.unsealed[0]['mseq'] <= s['last']), None)
                if number is None or self.log.segments[number]['last'] > a.view.mseq:
                    return
                self.step(lambda: a.sealed(self.log.segments[number]['last'], self.log.heads[number]))

    def create(self, command):
        a, header = self.account, self.records[0]
        a.write('header', **{n: v for n, v in header.items() if n not in ('aseq', 'mseq', 'mts', 'cseq', 'kind')})
        a.command(command)

    def run(self):
        a = self.account
        for leaf in self.log.events:
            if leaf.mseq > self.end:
                break
            self.told()
            e = leaf.event
            a.working_on, a.view.mseq = leaf.mseq, max(a.view.mseq, leaf.mseq - 1)
            while (instant := a.deadline(e['mts'])) is not None:
                self.step(lambda: a.at_deadline(instant))
            self.step(lambda: a.event(e))
        self.told()
        if self.next < len(self.records):
            r = self.records[self.next]
            raise Differs(f'record {self.next} follows from nothing', r['mseq'], self.next)

    # ---- completeness -------------------------------------------------------------------------------------------
    def missing(self):
        shown = {leaf.mseq: leaf for leaf in self.log.events}
        out = [Differs(f'the event {r["mseq"]}, at which record {n} was stamped, is missing', r['mseq'], n)
               for n, r in enumerate(self.records) if r['mseq'] and r['mseq'] not in shown]
        streams = self.symbols()
        for a, b in self.spans:
            out += [self.log.missing(s, a, b or self.end) for s in (*streams, 'group')]
        for stamp, n in self.looks:
            out += self.look(stamp, n, streams, shown)
        return [x for x in out if x]

    def look(self, stamp, n, streams, shown):
        out, since = [], []
        for s in streams:
            leaves = self.log.streams.get(s, [])
            newest = next((x for x in reversed(leaves) if x.mseq <= stamp), None)
            if newest is None:
                first = leaves[0] if leaves else None
                if not (first and not any(first.before)) and self.log.missing(s, 0, stamp):
                    named = max((p for p in first.before if p <= stamp), default=0) if first else 0
                    out.append(Differs(f'the newest event of {s} at {stamp} is missing', named or stamp, n))
                continue
            out.append(self.log.missing(s, newest.mseq, stamp))
            stood = newest.before + [0] * (6 - len(newest.before))
            kind = newest.event['kind']
            quoted = kind == 'quote' or kind == 'trade' and 'bid' in newest.event
            for at, is_it in enumerate((quoted, kind == 'levels', kind == 'symbol_state', kind == 'trade')):
                stood[at] = newest.mseq if is_it else stood[at]
            out += [Differs(f'the event {p} of {s} stood at {stamp} and is missing', p, n) for p in stood if p and p not in shown]
            since.append(max(stood[0], stood[2]))
        if len(since) == len(streams) and min(since, default=stamp) < stamp:
            out.append(self.log.missing('group', min(since), stamp))
        return out


def difference(theirs, mine):
    if theirs['kind'] != mine['kind']:
        return f'a {theirs["kind"]}, the replay decides a {mine["kind"]}'
    name = next(n for n in sorted({*theirs, *mine}) if theirs.get(n) != mine.get(n) or (n in theirs) != (n in mine))
    return f'another {mine["kind"]}: {name} is {canonical(theirs.get(name))[:300]}, the replay gives {canonical(mine.get(name))[:300]}'


def place(records, found):
    """A difference with the record that stands at or behind its event."""
    aseq = found.aseq
    if aseq is None and found.mseq is not None:
        aseq = next((n for n, r in enumerate(records) if r['mseq'] >= found.mseq), None)
    return (found.mseq if found.mseq is not None else 0, aseq if aseq is not None else len(records)), aseq


def verify(data, keys, receipt=None, fetch=lambda head: None):
    files, broken = unpack(data)
    for name in files:
        if not (name in ('journal.jsonl', 'envelope.json') or name.startswith('log/') and name.endswith('.jsonl')
                or name.startswith('docs/') and name.endswith('.json') and HEX64.match(name[5:-5])):
            raise CanNotTell(f'{name} is no part of a proof')
    for name in ('journal.jsonl', 'envelope.json'):
        if name not in files:
            raise CanNotTell(f'{name} is missing')
    envelope = read_envelope(files['envelope.json'])
    records, lines = read_journal(files['journal.jsonl'])
    header, found, unclear = records[0], [], None
    hashes = chain(lines)
    for n, (r, line) in enumerate(zip(records, lines)):
        named = envelope['records'][n][0] if n < len(envelope['records']) else None
        if r['aseq'] != n:
            found.append(Differs(f'record {r["aseq"]} stands where {n} should', records[max(n - 1, 0)]['mseq'], n))
        elif hashes[n] != named:
            found.append(Differs(f'the hash of record {n} does not hold', r['mseq'], n))
        if found:
            break
    whole = found[0].aseq if found else len(records)
    if not found and len(envelope['records']) > len(records):
        found.append(Differs(f'record {len(records)} is missing', records[-1]['mseq'], len(records)))
    if header['kind'] == 'header' and header.get('engine') != 1:
        raise CanNotTell(f'engine version {header.get("engine")} is not known here')
    log = Log(envelope['log'], files, fetch)
    found += log.findings
    end = log.segments[-1]['last'] if log.segments else 0
    if envelope['end'] != end:
        found.append(Differs(f'the archive says that it ends at {envelope["end"]}, its last segment at {end}', min(end, envelope['end'])))
    if header['kind'] == 'header' and header['aseq'] == 0:
        if envelope['log']['group'] != header.get('group'):
            found.append(Differs(f'the log is of the group {envelope["log"]["group"]}, the account\'s is {header.get("group")}', header['mseq'], 0))
        try:
            docs = read_documents(files, header)
            replay = Replay({'records': records, 'log': log, 'envelope': envelope}, docs)
            try:
                replay.run()
            except Differs as difference:
                found.append(difference)
            found += replay.missing()
        except Differs as difference:
            found.append(difference)
        except CanNotTell as error:
            unclear = error
    elif not found:
        found.append(Differs('the first record is no header', header['mseq'], 0))
    found += check_signatures(envelope, records, hashes, keys, whole)
    if receipt is not None:
        found += check_receipt(receipt, envelope, records, hashes, keys)
    if not found and broken:
        found.append(Differs(f'the CRC-32 of {broken[0]} does not hold'))
    if found:
        raise first(found, records)
    if unclear or log.unclear:
        raise unclear or log.unclear
    if not keys:
        raise CanNotTell('no trusted key: everything follows, but nobody vouches for it')
    verdict = next((r['verdict'] for r in records if r['kind'] == 'verdict'), 'open')
    return {'assessment': envelope['assessment'], 'verdict': verdict, 'records': len(records), 'events': len(log.events), 'end': end, 'hash': hashes[-1]}


def first(found, records):
    best = min([f for f in found if not f.vague] or found, key=lambda f: place(records, f)[0])
    best.aseq = place(records, best)[1]
    return best


def answer(file, keys, receipt=None, segments=None):
    """What `assay verify --json` prints, of files."""
    def fetch(head):
        path = os.path.join(segments or '', f'{head}.jsonl.gz')
        if not segments or not os.path.exists(path):
            return None
        with open(path, 'rb') as packed:
            return packed.read()

    try:
        with open(file, 'rb') as archive:
            data = archive.read()
        kept = None
        if receipt:
            with open(receipt, encoding='utf-8') as text:
                kept = json.load(text)
        return {'exit': 0, 'reason': 'every record follows from the log and the commands', 'summary': verify(data, load_keys(keys), kept, fetch)}
    except Differs as found:
        return {'exit': 1, 'reason': found.reason, 'at': {'aseq': found.aseq, 'mseq': found.mseq}}
    except CanNotTell as error:
        return {'exit': 2, 'reason': str(error)}
    except Exception as error:  # an exit of 1 would say that the proof does not follow
        return {'exit': 2, 'reason': f'not readable: {type(error).__name__} {error}'}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('file')
    options.add_argument('--keys', required=True, help='trusted keys: journal-keys.json or /.well-known/assay-journal-keys.json')
    options.add_argument('--receipt', help='a receipt that must be in the chain')
    options.add_argument('--segments', help='folder with <head>.jsonl.gz')
    options.add_argument('--json', action='store_true')
    args = options.parse_args()
    result = answer(args.file, args.keys, args.receipt, args.segments)
    if args.json:
        print(json.dumps(result))
    else:
        print(f'{("it follows", "it does not follow", "can not tell")[result["exit"]]}: {result["reason"]}')
        if 'at' in result:
            print(f'first difference: record {result["at"]["aseq"]}, event {result["at"]["mseq"]}')
        for name, value in result.get('summary', {}).items():
            print(f'{name}: {value}')
    return result['exit']


if __name__ == '__main__':
    sys.exit(main())

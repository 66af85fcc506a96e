"""An independent verifier of Assay's proofs: exit 0 it follows, 1 it does not, 2 can not tell."""
import argparse, json, pathlib, re, sys
from account import COVERED, Account
from archive import CanNotTell, Differs, Log, canonical, check_receipts, check_signed, is_receipt, need, read_envelope
from archive import read_journal, sha, unpack

def covered(kind, value):  # the table must list every member, and its value where only some are covered
    table = COVERED.get(kind, {})
    for name in sorted(value):
        good = name in table and (table[name] is None or value[name] in table[name])
        need(good, CanNotTell(f'{kind}: {name} {canonical(value[name])} is not covered'))

def read_documents(files, header):
    cited = {f'docs/{value}.json': name for name, value in header['docs'].items()}
    need(set(cited) <= set(files), CanNotTell('a document is missing'))
    for file in (f for f in files if f.startswith('docs/')):
        good = file in cited and sha(files[file]).hex() == file[5:-5]
        need(good, Differs(f'{file} is not what the header cites', header['mseq'], 0))
    return {name: json.loads(files[file]) for file, name in cited.items()}

class Replay:  # the archive's own commands over its own events; `spans` of exposure and `looks` of flat orders
    def __init__(self, header, records, log, end, docs):
        self.records, self.log, self.end, self.next, self.spans, self.looks = records, log, end, 0, [], []
        instruments = {n[11:]: d for n, d in docs.items() if n.startswith('instrument:')}
        ordered = {r['command'].get('symbol') for r in records if r.get('command', {}).get('op') == 'order'}
        traded = [instruments[name] for name in sorted(ordered & set(instruments))]
        parts = [('header', header), *(('phase', p) for p in header['phases'])]
        parts += [(r['rule'], r) for p in header['phases'] for r in p['rules']]
        parts += [('instrument', i) for i in traded] + [('commission', i['commission']) for i in traded]
        parts += [('conversion', leg) for i in traded for leg in i['conversions'].get(header['currency'], [])]
        for kind, value in parts: covered(kind, value)
        self.account = a = Account(header, instruments, docs[f'zone:{header["reset_zone"]}'])
        self.symbols = sorted({n for s in ordered if a.path(s) is not None for n in a.with_legs(s)})
    def step(self, at, work, *given):  # one input, whose records must be the archive's next ones
        a, was = self.account, self.account.exposed()
        a.head = ([None] + self.log.heads)[self.log.ended(at)]
        a.take_in(work, *given)
        if was and not a.exposed(): self.spans[-1][1] = at
        if not was and a.exposed(): self.spans.append([a.mseq, self.end])
        for mine in a.records:
            n, mseq = mine['aseq'], mine['mseq']
            need(n < len(self.records), Differs(f'record {n} is missing', mseq, n))
            kind, same = self.records[n]['kind'], canonical(mine) == canonical(self.records[n])
            need(same or kind in COVERED['records'], CanNotTell(f'{kind} is not covered'))
            need(same, Differs(f'record {n} is another one: the replay decides {canonical(mine)}', mseq, n))
        self.next = a.aseq
    def told(self):  # what the chain was told before the next event
        a = self.account
        while self.next < len(self.records) and self.records[self.next]['mseq'] == a.mseq:
            r, n = self.records[self.next], self.next
            if r['kind'] in ('command', 'header'):
                c, due = r.get('command', {'op': 'create'}), a.cseq + 1
                need(r['cseq'] == due, Differs(f'command {r["cseq"]} stands where {due} should', a.mseq, n))
                covered(c['op'], c)
                if c['op'] == 'order' and not a.exposed(): self.looks.append((a.mseq, n))
                a.cseq, a.said = due, r.get('answer')
                self.step(a.mseq, a.command, c)
            else:
                number = self.log.number_at(a.unsealed[0]['mseq']) if r['kind'] == 'sealed' and a.unsealed else None
                if number is None or self.log.segments[number]['last'] > a.mseq: return
                self.step(a.mseq, a.sealed, self.log.segments[number]['last'], self.log.heads[number])
    def run(self):
        a = self.account
        for leaf in self.log.events:
            self.told()
            a.mseq = max(a.mseq, leaf.mseq - 1)
            while (instant := a.deadline(leaf.event['mts'])) is not None: self.step(leaf.mseq, a.at_deadline, instant)
            self.step(leaf.mseq, a.event, leaf.event)
        self.told()
        for r in self.records[self.next:]: raise Differs('a record follows from nothing', r['mseq'], r['aseq'])
    def check_shown(self):  # what records stand on, spans of exposure, what orders saw that were given while flat
        shown, needed = {0, *(leaf.mseq for leaf in self.log.events)}, [(r['mseq'], r['aseq']) for r in self.records]
        whole = [(stream, a, b) for a, b in self.spans for stream in (*self.symbols, 'group')]
        for stamp, n in self.looks:
            since = []
            for stream in self.symbols:
                leaves = self.log.leaves(stream)
                newest = next((x for x in reversed(leaves) if x.mseq <= stamp), None)
                stood = newest.stood() if newest else []
                needed += [(mseq, n) for mseq in stood]
                since += [max(stood[0], stood[2])] if newest else []
                if newest or not leaves or any(leaves[0].before):
                    whole.append((stream, newest.mseq if newest else 0, stamp))
            if len(since) == len(self.symbols): whole.append(('group', min(since, default=stamp), stamp))
        for mseq, n in sorted(needed):
            need(mseq in shown, Differs(f'the event {mseq}, on which record {n} stands, is missing', mseq, n))
        for stream, a, b in whole: self.log.need_whole(stream, a, b)

def check_chain(records, hashes, envelope):
    named, end = [r[0] for r in envelope['records']], len(records)
    for n, r in enumerate(records):
        good = r['aseq'] == n and (n > 0 or r['kind'] == 'header')
        need(good, Differs(f'record {r["aseq"]} stands where {n} should', records[max(n - 1, 0)]['mseq'], n))
        need(hashes[n] in named[n:n + 1], Differs(f'the hash of record {n} does not hold', r['mseq'], n))
    need(len(named) == end, Differs(f'record {end} is missing', records[-1]['mseq'], end))

def verify(data, keys, receipt):
    files, broken = unpack(data)
    parts = re.compile(r'journal\.jsonl|envelope\.json|docs/[0-9a-f]{64}\.json|log/.*\.jsonl')
    need(all(map(parts.fullmatch, files)), CanNotTell('a file is no part of a proof'))
    need({'journal.jsonl', 'envelope.json'} <= set(files), CanNotTell('the journal or the envelope is missing'))
    need(receipt is None or is_receipt(receipt), CanNotTell('the receipt has not the shape of one'))
    envelope, (records, hashes) = read_envelope(files['envelope.json']), read_journal(files['journal.jsonl'])
    check_chain(records, hashes, envelope)
    header, log, end, unclear = records[0], Log(envelope['log'], files), envelope['end'], None
    last, group = log.segments[-1]['last'] if log.segments else 0, envelope['log']['group']
    need((end, group) == (last, header.get('group')), Differs(f'the log is of {group} and ends at {last}', last))
    try:
        replay = Replay(header, records, log, end, read_documents(files, header))
        replay.run()
        replay.check_shown()
    except CanNotTell as error:  # a signature that does not hold says more
        unclear = error
    check_signed(envelope['receipts'], records)
    check_receipts(envelope['receipts'] + ([receipt] if receipt else []), envelope, records, hashes, keys)
    need(not broken, Differs(f'the CRC-32 of {broken} does not hold'))
    need(unclear is None, unclear)
    need(not log.gaps, CanNotTell('numbers are missing in the log: a leader wrote on after a power failure'))
    need(keys, CanNotTell('no trusted key: everything follows, but nobody vouches for it'))
    return f'verdict {next((r["verdict"] for r in records if r["kind"] == "verdict"), "open")}, hash {hashes[-1]}'

def answer(file, keys, receipt=None):  # exit, reason, and the place of the difference, of files
    try:
        given, kept = (json.loads(pathlib.Path(name).read_text()) if name else None for name in (keys, receipt))
        return {'exit': 0, 'reason': 'it follows: ' + verify(pathlib.Path(file).read_bytes(), given['keys'], kept)}
    except Differs as found:
        return {'exit': 1, 'reason': f'it does not follow: {found}', 'at': {'aseq': found.aseq, 'mseq': found.mseq}}
    except Exception as error:  # not readable at all too: an exit of 1 would say that the proof does not follow
        return {'exit': 2, 'reason': f'can not tell: {error}' if isinstance(error, CanNotTell) else repr(error)}

if __name__ == '__main__':
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('file')
    options.add_argument('--keys', required=True, help='journal-keys.json, as /.well-known/ serves it')
    options.add_argument('--receipt', help='a receipt that must be in the chain')
    result = answer(**vars(options.parse_args()))
    print(result['reason'], *filter(None, [result.get('at')]))
    sys.exit(result['exit'])

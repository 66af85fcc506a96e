"""Rules, days, phases and deadlines of one account (docs/proof-format.md, 6 and 11)."""
import bisect, datetime
from account import ZERO, Account, Book, D, refusal
from archive import CanNotTell, canonical, need, text_hash

HOUR, DAY = 3_600_000, 86_400_000
RULES = ['profit_target', 'max_daily_loss', 'max_loss',
         'min_trading_days']  # in the order of the specification's table
LIFE = {'create': ('none', 'created', 'conflict'), 'start': ('created', 'started', 'assessment_ended'),
        'abandon': ('created started', 'abandoned', 'assessment_ended')}  # from, to, else
# State that only rules and orders move that are not covered.
RULE = {'left': None, 'best': None, 'sum': '0', 'positive': '0', 'allowed': None, 'due': None,
        'said_on': None, 'short': 0}
TRADES = {'closed': 0, 'running': [], 'ideas': [], 'lots': []}
REST = {'lock': None, 'pauses': {'count': 0, 'total': 0, 'since': None, 'until': None}, 'liquidations': [],
        'carry_at': None}

class Zone:
    def __init__(self, doc, time):
        self.at, self.offsets = doc['at'], [m * 60_000 for m in doc['offset']]
        self.of_day = (int(time[:2]) * 60 + int(time[3:])) * 60_000
    def offset(self, utc): return self.offsets[max(0, bisect.bisect_right(self.at, utc) - 1)]
    def utc(self, local):  # the first instant with that local time, or the one at which clocks jump over it
        there = [local - m for m in self.offsets if self.offset(local - m) == m]
        jumps = (at for at in self.at if at + self.offset(at) > local >= at + self.offset(at - 1))
        return min(there or jumps)
    def next(self, after):
        day = (after + self.offset(after)) // DAY * DAY + self.of_day
        return min(t for t in map(self.utc, (day - DAY, day, day + DAY, day + 2 * DAY)) if t > after)
    def date(self, utc):
        return str(datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=utc + self.offset(utc)))

def marks_of(quotes):
    return [{'symbol': n, 'mseq': q['mseq'], 'bid': D(q['bid']), 'ask': D(q['ask'])} for n,
            q in sorted(quotes.items())]

def some(value, *names): return {n: value[n] for n in names}

class Decider(Account):
    def __init__(self, header, instruments, zone):
        super().__init__(header, instruments)
        self.zone, self.head = Zone(zone, header['reset_time']), None
        self.warnings = header.get('warnings', [])
    def each(self):  # the phase's rules with their place and state
        return [(i, *x) for i, x in enumerate(zip(self.h['phases'][self.phase]['rules'], self.rules))]
    def exposed(self): return bool(self.book.positions or self.orders or self.closing or self.book.taken)
    def take_in(self, work):  # one input
        self.records, self.before = [], (self.book.phase, self.values(), [s['floor'] for s in self.rules])
        work()
        self.checkpoint = (self.checkpoint or (self.mts // HOUR + 1) * HOUR) if self.exposed() else None

    # Inputs
    def command(self, c):
        op, name, symbol, found = c['op'], c.get('order'), c.get('symbol'), []
        if op == 'order': return self.order(c) and self.evaluate()
        if op in LIFE:
            legal, becomes, no = LIFE[op]
            no = 'assessment_already_started' if (op, self.status) == ('start', 'started') else no
            answer = {'ok': True, 'status': becomes} if self.status in legal.split() else refusal(no)
        else:
            found = [o for o in self.orders if symbol in (None, o['symbol'])
                     and name in (None, o['id'], f'client:{o["client_id"]}')]
            good = found or op == 'cancel_all'
            answer = {'ok': True, 'cancelled': [o['id']
                                                for o in found]} if good else refusal('order_not_working')
        if not self.answer(c, answer): return None
        self.done(found, 'cancelled', reason='requested')
        if op == 'abandon': self.end_phase('abandoned')
        self.status = answer.get('status', self.status)
        if op == 'start': self.open_phase(0)
        return self.evaluate()
    def event(self, e):
        symbol, known = e.get('symbol'), e.get('symbol') in self.instruments
        def sizes(): return {(symbol, s, x.price): x.size for s in ('bid', 'ask')
                             for x in self.depth(symbol, s)} if known else {}
        was, _, now = sizes(), self.apply(e), sizes()
        for book in (self.book, *self.closing):
            book.taken = {k: t for k, t in book.taken.items() if now.get(k) == was.get(k)}
        self.closing = [book for book in self.closing if not self.close_out(book)]
        if known and self.status == 'started' and self.trading(symbol) and e['kind'] != 'source_changed':
            self.fill_resting(e)
        self.evaluate()
    def deadline(self, upto):  # the next instant at or before `upto` at which something is due
        due = [self.day['next'] if self.status == 'started' else None, self.checkpoint]
        return min((t for t in due if t is not None and t <= upto), default=None)
    def at_deadline(self, instant):
        self.mts = instant
        if self.status == 'started' and self.day['next'] == instant: self.reset()
        if self.checkpoint == instant:
            self.checkpoint += HOUR
            if self.exposed(): self.write('checkpoint', state_hash=text_hash(canonical(self.state())))
    def reset(self):
        self.evaluate(reset=True)
        if self.status != 'started': return
        for _, rule, state in self.each():
            state['days'] += self.day[rule['counts']] if 'counts' in rule else 0
            state['warned'] = 0
        self.new_day(self.day['k'] + 1)
        anchors = {str(i): self.anchor(r) for i, r, _ in self.each() if r['rule'] == 'max_daily_loss'}
        self.write('day', phase=self.phase, day=self.zone.date(self.mts), anchors=anchors, log_head=self.head,
                   **some(self.day, 'k', 'balance', 'equity'))
        self.set_floors()
        self.evaluate()
    def sealed(self, last, head):
        for u in [u for u in self.unsealed if u['mseq'] <= last]:
            self.unsealed.remove(u)
            self.write('sealed', verdict_aseq=u['aseq'], log_head=head)
    def state(self):  # what a checkpoint hashes
        def book(b):
            taken = [dict(zip(('symbol', 'side', 'price', 'size', 'mseq'), (*key, *t))) for key,
                     t in b.taken.items()]
            return {**vars(b), 'taken': taken}
        names, p = ('status', 'phase', 'cseq', 'aseq', 'orders', 'day', 'unsealed', 'synthetic',
                    'checkpoint'), self.provisional
        return {**REST, **some(vars(self), *names), 'book': book(self.book),
                'closing': [book(b) for b in self.closing],
                'rules': [{**RULE, **s} for s in self.rules], 'trades': {**TRADES, **self.trades},
                'provisional': p and {**p, 'marks': marks_of(p['marks'])}}

    # Phases
    def open_phase(self, phase):
        self.phase, self.book, self.trades = phase, Book(phase, self.b0), {'first_at': None, 'last_at': None}
        self.new_day(0)
        self.rules = [{'floor': None, 'high': self.b0 if r['rule'] == 'max_loss' else None,
                       'reached_at': None, 'days': 0,
                       'warned': 0} for r in self.h['phases'][phase]['rules']]
        postings = [{'ledger': 'account:cash', 'amount': self.b0},
                    {'ledger': 'house:capital', 'amount': -self.b0}]
        self.write('phase', phase=phase, status='opened', balance=self.b0, postings=postings)
        self.set_floors()
    def new_day(self, k):
        v = some(self.values(), 'balance', 'equity')
        self.day = {'k': k, 'start': self.mts, 'next': self.zone.next(self.mts), **v, 'high': v['equity'],
                    'opened': False,
                    'opened_and_closed': False, 'orders': 0, 'gross': ZERO}
    def end_phase(self, verdict, breach=None, values=None, dated=None):
        last, values = verdict != 'passed' or self.phase == len(self.h['phases']) - 1, values or self.values()
        if last:
            self.status = verdict
            self.unsealed.append({'aseq': self.aseq, 'mseq': self.mseq})
            self.write('verdict', verdict=verdict, phase=self.phase, log_head=self.head,
                       synthetic=list(self.synthetic),
                       **some(values, 'balance', 'equity'), **(dated or {}),
                       **some(breach or dict.fromkeys(('rule', 'value', 'limit')), 'rule', 'value', 'limit'))
        self.provisional = None
        self.done(self.orders, 'cancelled', reason=verdict if verdict == 'abandoned' else f'phase_{verdict}')
        self.closing += [] if self.close_out(self.book) else [self.book]
        if verdict != 'abandoned':
            self.write('phase', phase=self.phase, status=verdict, balance=self.book.balance, postings=[])
        self.book, self.day = Book(self.phase, self.book.balance), None if last else self.day
        if not last: self.open_phase(self.phase + 1)

    # Rules
    def anchor(self, rule):
        d, name = self.day, rule.get('anchor', 'initial')
        return {**d, 'max': max(d['balance'], d['equity']), 'initial': self.b0, 'day_high': d['high']}[name]
    def floor(self, rule):
        anchor, limit = self.anchor(rule), rule['limit']
        share = D(limit['ratio']) if 'ratio' in limit else D(limit.get('pct', '0')) / 100
        of = anchor if 'ratio' in limit or limit.get('of') == 'anchor' else self.b0
        return anchor - (D(limit['amount']) if 'amount' in limit else of * share)
    def set_floors(self):
        for i, rule, state in self.each():
            if 'limit' in rule and state['floor'] != self.floor(rule):
                state['floor'] = self.floor(rule)
                self.write('floor', phase=self.phase, rule=rule['rule'], index=i, floor=state['floor'])
    def evaluate(self, reset=False):  # one point: ratchet, compare, act; a breach wins over a target
        if self.status != 'started': return
        in_doubt, values = self.provisional and not self.resolved(), self.values()
        if self.status != 'started': return
        for _, rule, state in self.each():  # while a breach is in doubt too
            if rule.get('anchor') == 'day_high':
                self.day['high'] = max(self.day['high'], values['equity'])
                state['floor'] = self.floor(rule)
        if in_doubt: return
        floors = [s['floor'] if reset or r.get('tested') != 'reset' else None for _, r, s in self.each()]
        phase, before, were = self.before
        before, were = (before, were) if phase == self.phase and were else (values, floors)
        gaps = [{'rule': i, 'gap': before[r['metric']] - (floors[i] if were[i] is None else were[i])}
                for i, r, _ in self.each() if floors[i] is not None]
        marks = {n: self.quotes[n] for p in self.book.positions for n in self.with_legs(p['symbol'])}
        crossed, lost = self.crossed(values, floors, gaps), sorted(n for n in marks if not self.valid(n))
        self.warn(values)
        if crossed:
            self.violation(crossed, values, bool(lost), marks)
            if not lost: return self.end_phase('failed', crossed[0], values)
            self.done(self.orders, 'cancelled', reason='provisional_breach')
            positions = [some(p, 'symbol', 'quantity', 'cost') for p in self.book.positions]
            self.provisional = {'at': self.mts, 'mseq': self.mseq, 'balance': self.book.balance,
                                'positions': positions,
                                'marks': marks, 'waiting': lost, 'rule': crossed[0]['index'],
                                'before': gaps, 'floors': floors}
            return
        level = D(self.h.get('stop_out') or 0)
        need(lost or values['equity'] >= level * self.used(), CanNotTell('a stop-out is not covered'))
        self.targets(values)
    def crossed(self, values, floors, gaps):
        """Limits that are breached, the one that is got to first in front."""
        out = []
        for i, rule, gap in ((g['rule'], self.each()[g['rule']][1], g['gap']) for g in gaps):
            value, now = values[rule['metric']], values[rule['metric']] - floors[i]
            if now < 0 or rule['compare'] == 'lte' and now == 0:
                when = ZERO if gap <= 0 or gap == now else gap / (gap - now)
                said = {**some(rule, 'rule', 'metric', 'compare'), 'index': i, 'value': value,
                        'limit': floors[i]}
                out.append((when, RULES.index(rule['rule']), i, said))
        out.sort(key=lambda x: x[:3])
        return [x[3] for x in out[:1]] + sorted((x[3] for x in out[1:]), key=lambda x: x['index'])
    def violation(self, crossed, values, provisional, quotes, **dated):
        marks = [{**m, 'state': 'open' if dated else self.states[m['symbol']]} for m in marks_of(quotes)]
        self.write('violation', phase=self.phase, effect='hard', crossed=crossed[1:], provisional=provisional,
                   marks=marks, **dated, **some(values, 'balance', 'equity'),
                   **some(crossed[0], 'rule', 'index', 'value', 'limit'))
    def resolved(self):
        """A provisional breach once its symbols have valid marks: final, or withdrawn (then True)."""
        p, book = self.provisional, Book(self.phase, self.provisional['balance'])
        p['marks'].update({n: self.quotes[n] for n in p['waiting'] if self.valid(n)})
        p['waiting'], book.positions = [n for n in p['waiting'] if not self.valid(n)], p['positions']
        if p['waiting']: return False
        values = self.values(book, p['marks'])
        crossed, dated = self.crossed(values, p['floors'],
                                      p['before']), {'dated': {'mts': p['at'], 'mseq': p['mseq']}}
        if crossed:
            self.violation(crossed, values, False, p['marks'], **dated)
            return self.end_phase('failed', crossed[0], values, dated)
        i, rule, _ = self.each()[p['rule']]
        self.write('withdrawn', phase=self.phase, rule=rule['rule'], index=i, value=values[rule['metric']],
                   limit=p['floors'][i])
        self.provisional = None
        return True
    def warn(self, values):
        for i, rule, state in sorted(self.each(), key=lambda x: RULES.index(x[1]['rule'])):
            for fraction in self.warnings[state['warned']:] if state['floor'] is not None else []:
                value, start, limit = values[rule['metric']], self.anchor(rule), state['floor']
                if start <= limit or value > start - D(fraction) * (start - limit): break
                state['warned'] += 1
                said = {'fraction': D(fraction), 'value': value, 'limit': limit}
                self.write('warning', phase=self.phase, rule=rule['rule'], index=i, **said)
    def targets(self, values):
        flat, met = not self.book.positions and not self.orders, []
        for i, rule, state in self.each():
            if rule['rule'] == 'profit_target':
                goal = D(rule['amount']) if 'amount' in rule else self.b0 * D(rule['pct']) / 100
                there = values[rule['basis']] - self.b0 >= goal and (flat or not rule['require_flat'])
                if there and state['reached_at'] is None:
                    state['reached_at'] = self.mts
                    self.write('target', phase=self.phase, index=i, reached=True, value=values[rule['basis']])
                met.append(there or rule['sticky'] and state['reached_at'] is not None)
            elif rule['rule'] == 'min_trading_days':
                met.append(state['days'] + self.day[rule['counts']] >= rule['n'])
        if all(met) and any(rule['rule'] == 'profit_target' for _, rule, _ in self.each()):
            self.end_phase('passed')

"""Rules, days, phases and deadlines of one account; what a header asks for that is not covered here."""
import copy
import datetime

from account import HOUR, RULES, SCALES, ZERO, Account, Book, D, text
from archive import CanNotTell, canonical, text_hash

COVERED = {
    'profit_target': {'sticky': (True, False), 'require_flat': (True, False), 'basis': ('balance', 'equity'), 'effect': ('gate',)},
    'max_daily_loss': {'anchor': ('balance', 'equity', 'max', 'initial', 'day_high'), 'metric': ('equity', 'balance', 'min'),
                       'compare': ('lt', 'lte'), 'tested': ('always', 'reset'), 'effect': ('hard',)},
    'max_loss': {'mode': ('static',), 'lock': (None,), 'metric': ('equity', 'balance', 'min'), 'compare': ('lt', 'lte'), 'effect': ('hard',)},
    'min_trading_days': {'counts': ('opened', 'opened_and_closed'), 'effect': ('gate',)},
}
HEADER = {'engine': (1,), 'position_mode': ('netting',), 'queue_model': (False,), 'latency_ms': (0,), 'seeds': ([],)}
KNOWN = {'aseq', 'mseq', 'mts', 'cseq', 'kind', 'docs', 'currency', 'initial_balance', 'leverage', 'reset_zone', 'reset_time', 'phases', 'group',
         'max_pauses', 'max_pause_days', 'warnings', 'stop_out', *HEADER}
INSTRUMENT = {'spread_markup_ticks': ('0',), 'session_calendar': (None,), 'swap': (None,), 'funding': (None,), 'stale_limit_ms': (None,), 'trigger_price': ('touch',)}


def check_covered(header, instruments):
    def only(what, value, allowed):
        if value not in allowed:
            raise CanNotTell(f'{what} {value} is not covered')
    for name, allowed in HEADER.items():
        only(name, header.get(name, allowed[0]), allowed)
    only('the header member', next(iter(sorted(set(header) - KNOWN)), None), (None,))
    only('the currency', header['currency'], SCALES)
    for phase in header['phases']:
        only('a phase of kind', phase['kind'], ('evaluation',))
        for rule in phase['rules']:
            only('the rule', rule['rule'], COVERED)
            for name, allowed in COVERED[rule['rule']].items():
                only(f'{rule["rule"]}: {name}', rule.get(name), allowed)
    for name, i in instruments.items():
        for member, allowed in INSTRUMENT.items():
            if i.get(member, allowed[0]) not in allowed:
                i['uncovered'] = f'{name}: {member} {i[member]}'
        if 'probability_rate' in i['commission'] or i['kind'] == 'outcome':
            i['uncovered'] = f'{name}: outcome contracts'


class Zone:
    def __init__(self, doc, time):
        self.at, self.minutes = doc['at'], doc['offset']
        hour, minute = map(int, time.split(':'))
        self.of_day = (hour * 60 + minute) * 60_000

    def offset(self, utc):
        found = self.minutes[0]
        for at, minutes in zip(self.at, self.minutes):
            if at > utc:
                break
            found = minutes
        return found * 60_000

    def utc(self, local):
        """The first instant with that local time, or the one at which clocks jump over it."""
        there = [local - m * 60_000 for m in set(self.minutes) if self.offset(local - m * 60_000) == m * 60_000]
        return min(there) if there else next(at for at in self.at if at + self.offset(at) > local >= at + self.offset(at - 1))

    def next(self, after):
        day = (after + self.offset(after)) // 86_400_000 - 1
        while self.utc(day * 86_400_000 + self.of_day) <= after:
            day += 1
        return self.utc(day * 86_400_000 + self.of_day)

    def date(self, utc):
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=utc + self.offset(utc))).strftime('%Y-%m-%d')


class Decider(Account):
    def phase_rules(self):
        return self.h['phases'][self.phase]['rules']

    # ---- phases -----------------------------------------------------------------------------------------------
    def open_phase(self, phase):
        self.phase, self.book = phase, Book(phase, self.b0)
        self.new_day(0, self.b0, self.b0)
        self.rules = [{'floor': None, 'high': self.b0 if r['rule'] == 'max_loss' else None, 'reached_at': None, 'days': 0, 'warned': 0} for r in self.phase_rules()]
        self.trades = {'first_at': None, 'last_at': None}
        self.write('phase', phase=phase, status='opened', balance=text(self.b0),
                   postings=[{'ledger': 'account:cash', 'amount': text(self.b0)}, {'ledger': 'house:capital', 'amount': text(-self.b0)}])
        self.set_floors('max_daily_loss', 'max_loss')

    def new_day(self, k, balance, equity):
        self.day = {'k': k, 'start': self.view.mts, 'next': self.zone.next(self.view.mts), 'balance': balance, 'equity': equity, 'high': equity,
                    'opened': False, 'opened_and_closed': False, 'orders': 0, 'gross': ZERO}

    def end_phase(self, verdict, breach, dated=None, equity=None, balance=None):
        """A verdict, or the pass of a phase that is not the last."""
        last = verdict != 'passed' or self.phase == len(self.h['phases']) - 1
        if last:
            self.status = verdict
            self.unsealed.append({'aseq': self.aseq, 'mseq': self.view.mseq})
            at = {'dated': dated} if dated else {}
            equity = self.equity() if equity is None else equity
            balance = self.book.balance if balance is None else balance
            rule, value, limit = breach or (None, None, None)
            self.write('verdict', verdict=verdict, phase=self.phase, rule=rule, value=value, limit=limit, balance=text(balance), equity=text(equity),
                       log_head=self.head_before(self.working_on), synthetic=list(self.synthetic), **at)
        self.provisional = None
        self.cancel(list(self.orders), verdict if verdict == 'abandoned' else f'phase_{verdict}')
        if not self.close_out(self.book):
            self.closing.append(self.book)
        if verdict != 'abandoned':
            self.write('phase', phase=self.phase, status=verdict, balance=text(self.book.balance), postings=[])
        self.book = Book(self.phase, self.book.balance)
        if last:
            self.day = None
        else:
            self.open_phase(self.phase + 1)

    # ---- rules ------------------------------------------------------------------------------------------------
    def allowance(self, rule, anchor):
        limit = rule['limit']
        if 'amount' in limit:
            return D(limit['amount'])
        if 'ratio' in limit:
            return anchor * D(limit['ratio'])
        return (anchor if limit.get('of') == 'anchor' else self.b0) * D(limit['pct']) / 100

    def anchor(self, rule):
        if rule['rule'] == 'max_loss':
            return self.b0
        d = self.day
        return {'balance': d['balance'], 'equity': d['equity'], 'max': max(d['balance'], d['equity']), 'initial': self.b0, 'day_high': d['high']}[rule['anchor']]

    def set_floors(self, *names):
        for index, (rule, state) in enumerate(zip(self.phase_rules(), self.rules)):
            if rule['rule'] in names:
                floor = self.anchor(rule) - self.allowance(rule, self.anchor(rule))
                if floor == state['floor']:
                    continue
                state['floor'] = floor
                self.write('floor', phase=self.phase, rule=rule['rule'], index=index, floor=text(floor))

    def values(self, balance, equity):
        return {'balance': balance, 'equity': equity, 'min': min(balance, equity)}

    def lost(self):
        return [n for n in self.marked() if not self.view.of(n).valid()]

    def marked(self):
        return sorted({n for p in self.book.positions for n in (p['symbol'], *self.legs(p['symbol']))})

    def evaluate(self, reset=False):
        """One point: mark, ratchet, compare; a breach wins over a target."""
        if self.status != 'started':
            return
        if self.provisional and not self.resolve():
            return
        equity, balance = self.equity(), self.book.balance
        if any(r.get('anchor') == 'day_high' for r in self.phase_rules()):
            self.day['high'] = max(self.day['high'], equity)
        floors = []
        for rule, state in zip(self.phase_rules(), self.rules):
            if rule.get('anchor') == 'day_high':
                state['floor'] = self.day['high'] - self.allowance(rule, self.day['high'])
            floors.append(state['floor'] if reset or rule.get('tested') != 'reset' else None)
        book, symbols, before = self.before
        values = self.values(book.balance, self.equity(book, symbols)) if book.phase == self.phase else self.values(balance, equity)
        gaps = []
        for i, (rule, floor) in enumerate(zip(self.phase_rules(), floors)):
            if floor is not None:
                was = before[i] if i < len(before) and before[i] is not None and book.phase == self.phase else floor
                gaps.append((i, values[rule['metric']] - was))
        crossed = self.compare(self.values(balance, equity), floors, dict(gaps))
        self.warn(self.values(balance, equity))
        lost = self.lost()
        if not crossed:
            return self.evaluate() if not lost and self.stop_out() else self.targets(self.book.balance, self.equity())
        if not lost:
            return self.fail(crossed, balance, equity)
        self.violation(crossed, balance, equity, provisional=True)
        self.cancel(list(self.orders), 'provisional_breach')
        marks = {n: self.view.of(n).quote for n in self.marked()}
        self.provisional = {'at': self.view.mts, 'mseq': self.view.mseq, 'book': copy.deepcopy(self.book), 'marks': marks, 'waiting': lost,
                            'rule': crossed[0][0], 'before': gaps, 'floors': floors}

    def warn(self, values):
        rules = self.phase_rules()
        for i in sorted((i for i, s in enumerate(self.rules) if s['floor'] is not None), key=lambda i: (RULES.index(rules[i]['rule']), i)):
            state, value, start = self.rules[i], values[rules[i]['metric']], self.anchor(rules[i])
            for fraction in self.h.get('warnings', [])[state['warned']:]:
                if start <= state['floor'] or value > start - D(fraction) * (start - state['floor']):
                    break
                self.write('warning', phase=self.phase, rule=rules[i]['rule'], index=i, fraction=text(D(fraction)), value=text(value), limit=text(state['floor']))
                state['warned'] += 1

    def stop_out(self):
        """While equity is below a share of the used margin the largest loss is closed; True when something was."""
        tried, filled, level = set(), False, self.h.get('stop_out')
        while level is not None and self.book.positions:
            equity, used = self.equity(), self.used()
            able = [p for p in self.book.positions if p['id'] not in tried and self.view.of(p['symbol']).state == 'open']
            if equity >= D(level) * used or not able:
                break
            p = min(able, key=lambda p: (self.result(p, self.view.symbols), p['symbol'], p['id']))
            tried.add(p['id'])
            against, levels = self.meets(self.book, p['symbol'], 'sell' if p['quantity'] > 0 else 'buy')
            if any(free > 0 for _, free in levels):
                self.write('stop_out', phase=self.phase, position=p['id'], symbol=p['symbol'], equity=text(equity), used=text(used), level=text(D(level)))
                self.trade(self.book, 'stop_out', p['symbol'], 'sell' if p['quantity'] > 0 else 'buy', abs(p['quantity']))
                filled = True
        return filled

    def compare(self, values, floors, gaps):
        """Rules that are breached, the attributed one first: (index, value, floor)."""
        out = []
        for i, (rule, floor) in enumerate(zip(self.phase_rules(), floors)):
            if floor is None:
                continue
            value = values[rule['metric']]
            if value < floor or rule['compare'] == 'lte' and value == floor:
                gap = gaps[i]
                when = ZERO if gap <= 0 or gap == value - floor else gap / (gap - (value - floor))
                out.append((when, RULES.index(rule['rule']), i, value, floor))
        return [(i, value, floor) for _, _, i, value, floor in sorted(out)[:1]] + [x[2:] for x in sorted(sorted(out)[1:], key=lambda x: x[2])]

    def violation(self, crossed, balance, equity, provisional=False, dated=None, marks=None):
        rules, (i, value, floor) = self.phase_rules(), crossed[0]
        others = [{'rule': rules[j]['rule'], 'index': j, 'metric': rules[j]['metric'], 'value': text(v), 'limit': text(f), 'compare': rules[j]['compare']} for j, v, f in crossed[1:]]
        quotes = marks or {n: self.view.of(n).quote for n in self.marked()}
        shown = [{'symbol': n, 'mseq': q['mseq'], 'bid': text(D(q['bid'])), 'ask': text(D(q['ask'])), 'state': 'open' if marks else self.view.of(n).state} for n, q in sorted(quotes.items())]
        self.write('violation', phase=self.phase, rule=rules[i]['rule'], index=i, effect='hard', value=text(value), limit=text(floor), balance=text(balance),
                   equity=text(equity), crossed=others, provisional=provisional, marks=shown, **({'dated': dated} if dated else {}))

    def fail(self, crossed, balance, equity, dated=None, marks=None):
        self.violation(crossed, balance, equity, dated=dated, marks=marks)
        i, value, floor = crossed[0]
        self.end_phase('failed', (self.phase_rules()[i]['rule'], text(value), text(floor)), dated, equity, balance)

    def resolve(self):
        """A provisional breach once its symbols have valid marks: final, or withdrawn (then True)."""
        p = self.provisional
        for name in list(p['waiting']):
            if self.view.of(name).valid():
                p['waiting'].remove(name)
                p['marks'][name] = self.view.of(name).quote
        if p['waiting']:
            return False
        class Marked:
            def __init__(self, quote):
                self.quote = quote
        equity = self.equity(p['book'], {n: Marked(q) for n, q in p['marks'].items()})
        crossed = self.compare(self.values(p['book'].balance, equity), p['floors'], dict(p['before']))
        if crossed:
            self.fail(crossed, p['book'].balance, equity, {'mts': p['at'], 'mseq': p['mseq']}, p['marks'])
            return False
        i = p['rule']
        value = self.values(p['book'].balance, equity)[self.phase_rules()[i]['metric']]
        self.write('withdrawn', phase=self.phase, rule=self.phase_rules()[i]['rule'], index=i, value=text(value), limit=text(p['floors'][i]))
        self.provisional = None
        return True

    def targets(self, balance, equity):
        flat, met_all, has = not self.book.positions and not self.orders, True, False
        for i, (rule, state) in enumerate(zip(self.phase_rules(), self.rules)):
            if rule['rule'] == 'profit_target':
                value = balance if rule['basis'] == 'balance' else equity
                goal = D(rule['amount']) if 'amount' in rule else self.b0 * D(rule['pct']) / 100
                met = value - self.b0 >= goal and (flat or not rule['require_flat'])
                if met and state['reached_at'] is None:
                    state['reached_at'] = self.view.mts
                    self.write('target', phase=self.phase, index=i, reached=True, value=text(value))
                met_all, has = met_all and (met or rule['sticky'] and state['reached_at'] is not None), True
            elif rule['rule'] == 'min_trading_days':
                met_all = met_all and state['days'] + self.day[rule['counts']] >= rule['n']
        if has and met_all:
            self.end_phase('passed', None)

    # ---- inputs -----------------------------------------------------------------------------------------------
    def deadline(self, upto):
        """The next instant at or before `upto` at which something is due, or None."""
        due = [self.day['next']] if self.status == 'started' else []
        due += [self.checkpoint] if self.checkpoint is not None else []
        return min((t for t in due if t <= upto), default=None)

    def at_deadline(self, instant):
        self.view.mts = instant
        if self.status == 'started' and self.day['next'] == instant:
            self.reset()
        if self.checkpoint == instant:
            self.checkpoint += HOUR
            if self.exposed():
                self.write('checkpoint', state_hash=text_hash(canonical(self.deciding())))

    def reset(self):
        self.evaluate(reset=True)
        if self.status != 'started':
            return
        for rule, state in zip(self.phase_rules(), self.rules):
            if rule['rule'] == 'min_trading_days':
                state['days'] += self.day[rule['counts']]
        for state in self.rules:
            state['warned'] = 0
        self.new_day(self.day['k'] + 1, self.book.balance, self.equity())
        anchors = {str(i): text(self.anchor(r)) for i, r in enumerate(self.phase_rules()) if r['rule'] == 'max_daily_loss'}
        self.write('day', phase=self.phase, day=self.zone.date(self.view.mts), k=self.day['k'], balance=text(self.day['balance']), equity=text(self.day['equity']),
                   anchors=anchors, log_head=self.head_before(self.working_on))
        self.set_floors('max_daily_loss')
        self.evaluate()

    def event(self, e):
        symbol = e.get('symbol')
        sizes = {(s, x[0]): x[1] for s in ('bid', 'ask') for x in self.depth(symbol, s)} if symbol in self.instruments else {}
        self.view.apply(e)
        if symbol in self.instruments:
            now = {(s, x[0]): x[1] for s in ('bid', 'ask') for x in self.depth(symbol, s)}
            for book in (self.book, *self.closing):
                book.taken = [t for t in book.taken if t['symbol'] != symbol or now.get((t['side'], t['price'])) == sizes.get((t['side'], t['price']))]
        for book in list(self.closing):
            if self.close_out(book):
                self.closing.remove(book)
        if symbol in self.instruments:
            v = self.view.of(symbol)
            if self.status == 'started' and v.state == 'open' and v.valid() and e['kind'] in ('quote', 'trade', 'levels', 'symbol_state'):
                self.rest_fills(e)
        self.evaluate()

    def depth(self, symbol, side):
        return self.view.of(symbol).depth(side, self.instruments[symbol]['clip'])

    def sealed(self, last, head):
        for u in [u for u in self.unsealed if u['mseq'] <= last]:
            self.unsealed.remove(u)
            self.write('sealed', verdict_aseq=u['aseq'], log_head=head)

    # ---- state ------------------------------------------------------------------------------------------------
    def deciding(self):
        def plain(value):
            if isinstance(value, D):
                return text(value)
            if isinstance(value, dict):
                return {n: plain(v) for n, v in value.items()}
            return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value
        none = dict.fromkeys(('stop', 'trailing', 'expires_at', 'arrives_at', 'ahead', 'bracket', 'parent', 'oco', 'position'))
        orders = [{**none, **{n: v for n, v in o.items() if n != 'tif'}, 'time_in_force': o['tif'], 'reduce_only': False, 'post_only': False} for o in self.orders]
        rule = {'left': None, 'short': 0, 'best': None, 'sum': '0', 'positive': '0', 'allowed': None, 'due': None, 'said_on': None}
        p = self.provisional
        return plain({
            'status': self.status, 'phase': self.phase, 'cseq': self.cseq, 'aseq': self.aseq, 'book': vars(self.book), 'orders': orders, 'day': self.day,
            'rules': [{**rule, **r} for r in self.rules], 'trades': {**self.trades, 'closed': 0, 'running': [], 'ideas': [], 'lots': []},
            'lock': None, 'pauses': {'count': 0, 'total': 0, 'since': None, 'until': None}, 'liquidations': [], 'carry_at': None, 'closing': [vars(b) for b in self.closing], 'unsealed': self.unsealed,
            'synthetic': self.synthetic, 'checkpoint': self.checkpoint,
            'provisional': p and {
                'at': p['at'], 'mseq': p['mseq'], 'balance': p['book'].balance, 'waiting': p['waiting'], 'rule': p['rule'], 'floors': p['floors'],
                'positions': [{n: x[n] for n in ('symbol', 'quantity', 'cost')} for x in p['book'].positions],
                'marks': [{'symbol': n, 'bid': D(q['bid']), 'ask': D(q['ask']), 'mseq': q['mseq']} for n, q in sorted(p['marks'].items())],
                'before': [{'rule': i, 'gap': g} for i, g in p['before']]},
        })

"""One account decided again: market, money, fills, orders, days, rules (docs/proof-format.md, 6 and 11)."""
import bisect, copy, datetime, json, pathlib
from collections import defaultdict, namedtuple
from decimal import Context, Decimal as D, setcontext
from archive import CanNotTell, canonical, need, some, text, text_hash

setcontext(Context(prec=600, Emax=10**6, Emin=-10**6))  # rounds half-even
COVERED = json.loads(pathlib.Path(__file__).with_name('covered.json').read_text(encoding='utf-8'))
ZERO, PLACES, MOST_WORKING, HOUR, DAY = D(0), D('1e-18'), 200, 3_600_000, 86_400_000
UP, AGAINST = {'buy': 1, 'sell': -1, 'ask': 1, 'bid': -1}, {'buy': 'ask', 'sell': 'bid'}
TRIED = ('balance', 'positions', 'taken', 'day', 'orders', 'synthetic', 'trades', 'records', 'aseq')
RULES = ['profit_target', 'max_daily_loss', 'max_loss', 'min_trading_days']  # in the order of the specification's table
PLACE, Level = ('aseq', 'mseq', 'mts', 'cseq'), namedtuple('Level', 'price size kind event')

class Zone:
    def __init__(self, doc, time):
        self.at, self.offsets = doc['at'], [m * 60_000 for m in doc['offset']]
        self.of_day = (int(time[:2]) * 60 + int(time[3:])) * 60_000
    def local(self, utc): return utc + self.offsets[max(0, bisect.bisect_right(self.at, utc) - 1)]
    def utc(self, local):  # the first instant at which clocks show that time, or have jumped over it
        return min(t for t in (*self.at, *(local - m for m in self.offsets)) if self.local(t) >= local)
    def next(self, after):  # reset
        day = self.local(after) // DAY * DAY + self.of_day
        return min(t for t in map(self.utc, (day - DAY, day, day + DAY, day + 2 * DAY)) if t > after)
    def date(self, utc): return str(datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=self.local(utc)))

class Account:
    def __init__(self, header, instruments, zone):
        self.h, self.instruments, self.zone = header, instruments, Zone(zone, header['reset_time'])
        self.mseq = self.mts = self.phase = self.aseq = self.cseq = 0
        self.status, self.day, self.checkpoint, self.head, self.said = 'none', None, None, None, None
        self.quotes, self.levels, self.states, self.closing = {}, {}, defaultdict(lambda: 'open'), False
        self.orders, self.rules, self.each, self.unsealed, self.synthetic = [], [], [], [], []
        self.b0, self.cent = D(header['initial_balance']), D(1).scaleb(-COVERED['scales'][header['currency']])
        self.new_book(ZERO)
    def new_book(self, balance): self.balance, self.positions, self.taken = balance, {}, {}
    def write(self, kind, **members):
        self.records.append({**some(vars(self), *PLACE), 'kind': kind, **members})
        self.aseq += 1
    def apply(self, e):  # what an event does to the view of the market
        self.mseq, self.mts, kind, name = e['mseq'], e['mts'], e['kind'], e.get('symbol')
        need(kind in COVERED['events'] and e.get('state') != 'settled', CanNotTell(f'the event {kind} is not covered'))
        if kind == 'gap':
            lost = [*self.quotes, *self.states] if e['symbols'] is None else e['symbols']
            self.states.update({n: 'unknown' for n in lost if self.states[n] == 'open'})
        if kind == 'symbol_state': self.states[name] = e['state']
        if kind == 'levels': self.levels[name] = e
        if kind in ('quote', 'trade') and 'bid' in e:
            self.quotes[name], state = e, self.states[name]
            self.states[name] = 'open' if state == 'unknown' else state
    def valid(self, name): return name in self.quotes and self.states[name] != 'unknown'
    def trading(self, name): return self.valid(name) and self.states[name] == 'open'
    def depth(self, symbol, against):  # levels that a buyer ('ask') or a seller ('bid') meets, best first
        quote, levels, up = self.quotes.get(symbol), self.levels.get(symbol, {}).get(f'{against}s', []), UP[against]
        if quote is None or symbol not in self.instruments: return []
        touch, size = D(quote[against]), D(quote.get(f'{against}_size', self.instruments[symbol]['clip']))
        deeper = [Level(D(price), D(n), 'levels', self.levels[symbol]) for price, n in levels]
        worse = sorted((x for x in deeper if up * (x.price - touch) > 0), key=lambda x: up * x.price)
        return [Level(touch, size, 'quote', quote), *worse]
    def meets(self, symbol, side, limit):  # opposite levels at the limit or better, and what is free of each
        levels = [x for x in self.depth(symbol, AGAINST[side]) if limit is None or UP[side] * (x.price - limit) <= 0]
        return [(x, x.size - self.taken.get((symbol, AGAINST[side], x.price), [0])[0]) for x in levels]
    def take(self, symbol, side, quantity, levels):  # what is free from the best level on: level and part
        for level, free in levels:
            part = min(quantity, free)
            if part > 0:
                self.taken[symbol, AGAINST[side], level.price] = (level.size - free + part, self.mseq)
                quantity -= part
                yield level, part
    def path(self, symbol):  # legs from the instrument's currency to the account's, None where there are none
        i = self.instruments.get(symbol, {'quote': '', 'conversions': {}})
        return [] if i['quote'] == self.h['currency'] else i['conversions'].get(self.h['currency'])
    def with_legs(self, symbol): return [symbol, *(leg['symbol'] for leg in self.path(symbol))]
    def convert(self, amount, symbol):  # at the worse side for the trader; with rates and their events
        rates, seqs = [], []
        for leg in self.path(symbol):
            quote, direct = self.quotes[leg['symbol']], leg['direct']
            rate = D(quote['bid' if (amount >= 0) == direct else 'ask'])
            amount = amount * rate if direct else (amount / rate).quantize(PLACES)
            rates.append(('*' if direct else '/') + text(rate))
            seqs.append(quote['mseq'])
        return amount, ' '.join(rates) or '1', seqs
    def booked(self, amount, symbol):
        (value, rate, seqs), currency = self.convert(amount, symbol), self.instruments[symbol]['quote']
        return dict(amount=amount, currency=currency, rate=rate, rate_mseq=seqs, booked=value.quantize(self.cent))
    def mark(self, p): return D(self.quotes[p['symbol']]['bid' if p['quantity'] > 0 else 'ask'])
    def values(self):  # what rules measure
        equity = self.balance
        for p in self.positions.values():
            worth = p['quantity'] * D(self.instruments[p['symbol']]['contract_size']) * self.mark(p)
            equity += self.convert(worth - p['cost'], p['symbol'])[0]
        return {'balance': self.balance, 'equity': equity, 'min': min(self.balance, equity)}
    def margin(self, symbol, quantity, price):
        i = self.instruments[symbol]
        rate = max(D(i['margin_rate']), (D(1) / D(self.h['leverage'])).quantize(PLACES))
        return -self.convert(-abs(quantity) * price * rate * D(i['contract_size']), symbol)[0]
    def used(self): return sum(self.margin(s, p['quantity'], self.mark(p)) for s, p in self.positions.items())
    def closable(self, symbol, side):
        return max(ZERO, -UP[side] * self.positions[symbol]['quantity']) if symbol in self.positions else ZERO
    def adding(self):  # of each working order the part beyond what closes, orders before it counted first, at its price
        left = {}
        for o in self.orders:
            key, rest = (o['symbol'], o['side']), o['quantity'] - o['filled']
            beyond = rest - left.get(key, self.closable(*key))
            left[key] = max(ZERO, -beyond)
            yield o['symbol'], max(ZERO, beyond), o['price']
    def fill(self, order, symbol, side, quantity, price, liquidity, source):
        i, up, quote, event = self.instruments[symbol], UP[side], self.quotes[symbol], source.event
        size, rates, closes = D(i['contract_size']), i['commission'], min(quantity, self.closable(symbol, side))
        result, opened = None, {'id': order, 'opened_at': self.mts, 'opened_day': self.day['k']}
        p = self.positions.setdefault(symbol, {**opened, 'symbol': symbol, 'quantity': ZERO, 'cost': ZERO})
        if closes:
            released = (p['cost'] * closes / abs(p['quantity'])).quantize(PLACES)
            result = self.booked(-up * closes * price * size - released, symbol)
            p.update(quantity=p['quantity'] + up * closes, cost=p['cost'] - released)
            if p['opened_day'] == self.day['k']: self.day['opened_and_closed'] = True
        if quantity > closes:
            adds, self.day['opened'] = up * (quantity - closes), True
            p.update({} if p['quantity'] else opened)
            p.update(quantity=p['quantity'] + adds, cost=p['cost'] + adds * price * size)
        bps, per_lot = D(rates.get(f'{liquidity}_bps', rates.get('bps', '0'))), D(rates.get('per_lot', '0'))
        paid = quantity * price * size * bps / 10_000 + quantity * per_lot
        fee = self.booked(-paid, symbol) if paid else None
        amounts = [(x['booked'], house) for x, house in ((result, 'trading'), (fee, 'commission')) if x and x['booked']]
        postings = [{'ledger': ledger, 'amount': amount} for booked, house in amounts
                    for ledger, amount in (('account:cash', booked), (f'house:{house}', -booked))]
        self.balance += sum(booked for booked, _ in amounts)
        self.day['gross'] += result['booked'] if result else ZERO
        if not self.closing: self.trades = {'first_at': self.trades['first_at'] or self.mts, 'last_at': self.mts}
        self.synthetic += [n for n in [event.get('synthetic')] if n and n not in self.synthetic]
        shown = {n: event[n] for n in ('venue', 'mseq', 'ts', 'synthetic') if n in event}
        spread = up * (price - (D(quote['bid']) + D(quote['ask'])) / 2) * quantity * size
        self.write('fill', phase=self.phase, order=order, symbol=symbol, side=side, quantity=quantity, price=price,
                   liquidity=liquidity, instrument=f'{symbol}@{i["version"]}', result=result, fee=fee,
                   postings=postings, position=some(p, 'id', 'quantity', 'cost'), spread_cost=spread,
                   source={**some(source._asdict(), 'kind', 'price', 'size'), **shown})
        if not p['quantity']: del self.positions[symbol]
    def trade(self, name, symbol, side, quantity, limit=None):  # the marketable part; gives what is left
        levels, slippage = self.meets(symbol, side, limit), D(self.instruments[symbol]['slippage_bps'])
        for level, part in self.take(symbol, side, quantity, levels):
            self.fill(name, symbol, side, part, level.price, 'taker', level)
            quantity -= part
        walked = any(free > 0 for _, free in levels) and len(levels) == len(self.depth(symbol, AGAINST[side]))
        need(not (slippage and quantity and walked), CanNotTell('slippage beyond the depth is not covered'))
        return quantity
    def fill_resting(self, e):  # resting limits of the event's symbol, by arrival; a print is one sum for all of them
        symbol, printed = e['symbol'], D(e['size']) if e['kind'] == 'trade' else ZERO
        for o in [o for o in self.orders if o['symbol'] == symbol]:
            side, rest, limit = o['side'], o['quantity'] - o['filled'], o['price']
            levels = self.meets(symbol, side, limit)
            by_book = min(rest, sum((free for _, free in levels if free > 0), ZERO))
            by_print = min(rest, printed) if printed and UP[side] * (limit - D(e['price'])) > 0 else ZERO
            part = max(by_book, by_print)
            if part == 0: continue
            if by_print > by_book: printed, source = printed - part, Level(e['price'], e['size'], 'trade', e)
            else: source = list(self.take(symbol, side, part, levels))[0][0]
            o['filled'] += part
            self.fill(o['id'], symbol, side, part, limit, 'maker', source)
            if o['filled'] == o['quantity']: self.done([o], 'filled')
    def done(self, orders, status, **reason):
        for o in list(orders):
            self.orders = [x for x in self.orders if x is not o]
            self.write('order', phase=self.phase, order=o['id'], status=status, filled=o['filled'], **reason)
        return True
    def answer(self, command, ok, code=None, **members):  # of a refusal the code is decided, the rest is the record's
        said = {'ok': True, **members} if ok else {**self.said, 'ok': False, 'code': code}
        self.write('command', command=command, answer=said)
        return ok and said
    def refused(self, c, reduces, rests):  # the first reason against an order, in the order in which they are looked at
        symbol, i, limit = c['symbol'], self.instruments.get(c['symbol']), c['type'] == 'limit'
        if self.status != 'started': return f'assessment_{"not_started" if self.status == "created" else "ended"}'
        if self.path(symbol) is None: return 'symbol_not_tradable' if i else 'unknown_symbol'
        quantity, price = D(c['quantity']), D(c.get('price', '0'))
        if quantity > 0 and quantity % D(i['quantity_step']): return 'quantity_off_grid'
        if quantity <= 0 or quantity < D(i['min_quantity']): return 'quantity_too_small'
        if quantity > D(i['max_quantity']): return 'quantity_too_large'
        if limit and (price <= 0 or price % D(i['price_tick'])): return 'price_off_grid'
        for name in [] if reduces and rests else self.with_legs(symbol):
            if self.states[name] in ('closed', 'halted'): return f'market_{self.states[name]}'
            if not self.valid(name): return 'market_stale'
        if rests and len(self.orders) >= MOST_WORKING: return 'too_many_orders'
        price = price if limit else D(self.quotes[symbol][AGAINST[c['side']]])
        return 'notional_too_small' if quantity * price * D(i['contract_size']) < D(i['min_notional']) else None
    def order(self, c):
        symbol, side, quantity, limit = c['symbol'], c['side'], D(c['quantity']), c['type'] == 'limit'
        waits = sum(o['quantity'] - o['filled'] for o in self.orders if (o['symbol'], o['side']) == (symbol, side))
        reduces, rests = quantity + waits <= self.closable(symbol, side), limit and c.get('time_in_force') != 'ioc'
        if code := self.refused(c, reduces, rests): return self.answer(c, False, code)
        kept, name = copy.deepcopy(some(vars(self), *TRIED)), c.get('client_order_id')
        o = {**COVERED['unused']['order'], 'id': f'o{self.aseq}', 'symbol': symbol, 'side': side, 'type': c['type'],
             'time_in_force': c.get('time_in_force', 'gtc' if limit else 'ioc'), 'created_at': self.mts,
             'quantity': quantity, 'filled': ZERO, 'price': D(c['price']) if limit else None, 'client_id': name}
        answer, open_now = self.answer(c, True), all(map(self.trading, self.with_legs(symbol)))
        o['filled'] = quantity - self.trade(o['id'], symbol, side, quantity, o['price']) if open_now else ZERO
        status = 'filled' if o['filled'] == quantity else 'working' if rests else 'cancelled'
        self.orders += [o] if status == 'working' else []
        adding = list(self.adding())
        adds = o['filled'] > 0 or status == 'working' and adding[-1][1] > 0
        needed = self.used() + sum(self.margin(*of) for of in adding)
        if adds and not reduces and self.values()['equity'] < needed:
            vars(self).update(kept)
            return self.answer(c, False, 'insufficient_margin')
        reason = {'reason': 'no_liquidity'} if status == 'cancelled' else {}
        members = {'client_order_id': name, 'price': o['price'], 'status': status, **reason}
        view = some(o, 'id', 'symbol', 'side', 'type', 'time_in_force', 'created_at', 'quantity', 'filled')
        answer['order'] = {**view, **{n: v for n, v in members.items() if v is not None}}
        self.day['orders'] += 1
        return status == 'working' or self.done([o], status, **reason)
    def exposed(self): return bool(self.positions or self.orders or self.taken)
    def take_in(self, work, *given):  # one input
        self.records, self.before = [], (self.phase, self.values(), [s['floor'] for s in self.rules])
        work(*given)
        self.checkpoint = (self.checkpoint or (self.mts // HOUR + 1) * HOUR) if self.exposed() else None
    def command(self, c):
        op, gone, name, symbol = c['op'], [], c.get('order'), c.get('symbol')
        if self.aseq == 0: self.write('header', **{n: v for n, v in self.h.items() if n not in (*PLACE, 'kind')})
        if op == 'create':
            ok = self.answer(c, self.status == 'none', 'conflict', status='created')
            self.status = 'created' if ok else self.status
        elif op == 'start':
            code = 'assessment_already_started' if self.status == 'started' else 'assessment_ended'
            ok = self.answer(c, self.status == 'created', code, status='started')
            if ok: self.open_phase(0)
        elif op == 'order': ok = self.order(c)
        else:
            ids = [(o, ('client:%s' % o['client_id'], o['id'], None)) for o in self.orders]
            gone = [o for o, names in ids if name in names and symbol in (None, o['symbol'])]
            ok = self.answer(c, gone or op == 'cancel_all', 'order_not_working', cancelled=[o['id'] for o in gone])
        self.done(gone, 'cancelled', reason='requested')
        if ok: self.evaluate()
    def event(self, e):
        symbol = e.get('symbol')
        def sizes(): return {(symbol, s, x.price): x.size for s in AGAINST.values() for x in self.depth(symbol, s)}
        was, _, now = sizes(), self.apply(e), sizes()
        self.taken = {k: t for k, t in self.taken.items() if now.get(k) == was.get(k)}
        if self.closing: self.close_out()
        if self.status == 'started' and e['kind'] != 'source_changed' and self.trading(symbol): self.fill_resting(e)
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
        for _, rule, state in self.each:
            state.update(days=state['days'] + ('counts' in rule and self.day[rule['counts']]), warned=0)
        self.new_day(self.day['k'] + 1)
        anchors = {str(i): self.anchor(rule) for i, rule, _ in self.each if rule['rule'] == 'max_daily_loss'}
        self.write('day', phase=self.phase, day=self.zone.date(self.mts), anchors=anchors, log_head=self.head,
                   **some(self.day, 'k', 'balance', 'equity'))
        self.set_floors()
        self.evaluate()
    def sealed(self, last, head):
        for u in [u for u in self.unsealed if u['mseq'] <= last]:
            self.unsealed.remove(u)
            self.write('sealed', verdict_aseq=u['aseq'], log_head=head)
    def state(self):  # what a checkpoint hashes
        names, unused = ('symbol', 'side', 'price', 'size', 'mseq'), COVERED['unused']
        me = some(vars(self), 'status', 'phase', 'cseq', 'aseq', 'orders', 'day', 'unsealed', 'synthetic', 'checkpoint')
        taken = [dict(zip(names, (*key, *of))) for key, of in self.taken.items()]
        book = {**some(vars(self), 'phase', 'balance'), 'positions': [*self.positions.values()], 'taken': taken}
        rules, trades = [{**unused['rule'], **state} for state in self.rules], {**unused['trades'], **self.trades}
        books = {'day': None, 'book': self.ended, 'closing': [book]} if self.closing else {'book': book, 'closing': []}
        return {**unused['state'], **me, **books, 'rules': rules, 'trades': trades}
    def open_phase(self, phase):
        self.status, self.phase, self.trades = 'started', phase, {'first_at': None, 'last_at': None}
        self.new_book(self.b0)
        self.new_day(0)
        rules, state = self.h['phases'][phase]['rules'], {'floor': None, 'reached_at': None, 'days': 0, 'warned': 0}
        self.rules = [{**state, 'high': self.b0 if rule['rule'] == 'max_loss' else None} for rule in rules]
        self.each = [*zip(range(len(rules)), rules, self.rules)]
        postings = [{'ledger': 'account:cash', 'amount': self.b0}, {'ledger': 'house:capital', 'amount': -self.b0}]
        self.write('phase', phase=phase, status='opened', balance=self.b0, postings=postings)
        self.set_floors()
    def new_day(self, k):
        now = some(self.values(), 'balance', 'equity')
        self.day = {'k': k, 'start': self.mts, 'next': self.zone.next(self.mts), **now, 'high': now['equity'],
                    'opened': False, 'opened_and_closed': False, 'orders': 0, 'gross': ZERO}
    def end_phase(self, verdict, why):
        last = verdict == 'failed' or self.phase == len(self.h['phases']) - 1
        if last:
            self.status = verdict
            self.unsealed.append(some(vars(self), 'aseq', 'mseq'))
            self.write('verdict', verdict=verdict, phase=self.phase, log_head=self.head, synthetic=list(self.synthetic),
                       **some(why, 'rule', 'value', 'limit'), **some(self.values(), 'balance', 'equity'))
        self.done(self.orders, 'cancelled', reason=f'phase_{verdict}')
        self.close_out()
        need(last or not self.closing, CanNotTell('a next phase with positions of the one before is not covered'))
        self.write('phase', phase=self.phase, status=verdict, balance=self.balance, postings=[])
        self.ended = {'phase': self.phase, 'balance': self.balance, 'positions': [], 'taken': []}
        if not last: self.open_phase(self.phase + 1)
    def close_out(self):  # everything that the market allows, by symbol; the rest at the events that allow it
        for symbol, quantity in sorted((name, p['quantity']) for name, p in self.positions.items()):
            side = 'sell' if quantity > 0 else 'buy'
            if self.trading(symbol): self.trade('close', symbol, side, abs(quantity))
        self.closing = bool(self.positions)
        if not self.closing: self.taken = {}
    def anchor(self, rule):
        d, name = self.day, rule.get('anchor', 'initial')
        return {**d, 'max': max(d['balance'], d['equity']), 'initial': self.b0, 'day_high': d['high']}[name]
    def floor(self, rule):
        anchor, limit = self.anchor(rule), rule['limit']
        if 'amount' in limit: return anchor - D(limit['amount'])
        of = anchor if 'ratio' in limit or limit.get('of') == 'anchor' else self.b0
        return anchor - of * (D(limit['ratio']) if 'ratio' in limit else D(limit['pct']) / 100)
    def set_floors(self):
        for i, rule, state in self.each:
            if 'limit' in rule and state['floor'] != self.floor(rule):
                state['floor'] = self.floor(rule)
                self.write('floor', phase=self.phase, rule=rule['rule'], index=i, floor=state['floor'])
    def evaluate(self, reset=False):  # one point: ratchet, warn, compare, act; a breach wins over a target
        if self.status != 'started': return
        values = self.values()
        for _, rule, state in (x for x in self.each if x[1].get('anchor') == 'day_high'):
            self.day['high'] = max(self.day['high'], values['equity'])
            state['floor'] = self.floor(rule)
        self.warn(values)
        names = sorted({n for symbol in self.positions for n in self.with_legs(symbol)})
        known, crossed = all(map(self.valid, names)), self.crossed(values, reset)
        need(known or not crossed, CanNotTell('a breach by a mark that is not valid is not covered'))
        if crossed:
            marks = [{**some(self.quotes[n], 'symbol', 'mseq', 'bid', 'ask'), 'state': self.states[n]} for n in names]
            self.write('violation', phase=self.phase, effect='hard', crossed=crossed[1:], provisional=False,
                       marks=[{**m, 'bid': D(m['bid']), 'ask': D(m['ask'])} for m in marks],
                       **some(values, 'balance', 'equity'), **some(crossed[0], 'rule', 'index', 'value', 'limit'))
            return self.end_phase('failed', crossed[0])
        stopped = known and values['equity'] < D(self.h.get('stop_out') or 0) * self.used()
        need(not stopped, CanNotTell('a stop-out is not covered'))
        self.targets(values)
    def crossed(self, values, reset):  # limits that are breached, the one that is got to first in front
        out, (phase, before, floors) = [], self.before
        for i, rule, state in self.each:
            floor, metric = state['floor'], rule.get('metric')
            if floor is None or rule.get('tested') == 'reset' and not reset: continue
            now = gap = values[metric] - floor
            if phase == self.phase and floors: gap = before[metric] - (floor if floors[i] is None else floors[i])
            if now < 0 or rule['compare'] == 'lte' and now == 0:
                when = ZERO if gap <= 0 or gap == now else gap / (gap - now)
                said = {**some(rule, 'rule', 'metric', 'compare'), 'index': i, 'value': values[metric], 'limit': floor}
                out.append((when, RULES.index(rule['rule']), i, said))
        first = [min(out, key=lambda x: x[:3])] if out else []
        return [x[3] for x in first + [x for x in out if x not in first]]
    def warn(self, values):
        for i, rule, state in sorted(self.each, key=lambda x: RULES.index(x[1]['rule'])):
            for fraction in self.h.get('warnings', [])[state['warned']:] if 'limit' in rule else []:
                value, start, limit = values[rule['metric']], self.anchor(rule), state['floor']
                if start <= limit or value > start - D(fraction) * (start - limit): break
                state['warned'] += 1
                said = {'fraction': D(fraction), 'value': value, 'limit': limit}
                self.write('warning', phase=self.phase, rule=rule['rule'], index=i, **said)
    def targets(self, values):
        flat, met = not self.positions and not self.orders, {}
        for i, rule, state in self.each:
            if rule['rule'] == 'profit_target':
                goal = D(rule['amount']) if 'amount' in rule else self.b0 * D(rule['pct']) / 100
                there = values[rule['basis']] - self.b0 >= goal and (flat or not rule['require_flat'])
                if there and state['reached_at'] is None:
                    state['reached_at'] = self.mts
                    self.write('target', phase=self.phase, index=i, reached=True, value=values[rule['basis']])
                met[i] = there or rule['sticky'] and state['reached_at'] is not None
            if 'counts' in rule: met[i] = state['days'] + self.day[rule['counts']] >= rule['n']
        if met and all(met.values()):  # a phase without objectives never passes
            self.end_phase('passed', dict.fromkeys(('rule', 'value', 'limit')))

"""One account decided again: market, money, fills, orders (docs/proof-format.md, 6 and 11)."""
import copy
from collections import defaultdict, namedtuple
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, Context, Decimal as D, setcontext
from archive import CanNotTell, need, text

setcontext(Context(prec=600, Emax=10**6, Emin=-10**6))  # rounds half-even
SCALES = dict(USD=2, EUR=2, GBP=2, CHF=2, AUD=2, CAD=2, JPY=0, BTC=8, ETH=8, USDT=8, USDC=8)
ZERO, MOST_WORKING, PLACES = D(0), 200, D('1e-18')
UP, AGAINST = {'buy': 1, 'sell': -1, 'ask': 1, 'bid': -1}, {'buy': 'ask', 'sell': 'bid'}
Level = namedtuple('Level', 'price size kind event')
UNUSED = dict.fromkeys(('stop', 'trailing', 'expires_at', 'arrives_at', 'ahead', 'bracket', 'parent', 'oco',
                        'position'))
TRIED = ('book', 'day', 'orders', 'synthetic', 'trades', 'records',
         'aseq')  # what an order without margin gives back

def refusal(code, field=None, **more):
    return {'ok': False, 'code': code, **({'field': field} if field else {}), **more}

class Book:
    def __init__(self, phase, balance):
        self.phase, self.balance, self.positions, self.taken = phase, balance, [], {}
    def position(self, symbol): return next((p for p in self.positions if p['symbol'] == symbol), None)
    def closable(self, symbol, side):
        return max([ZERO] + [-UP[side] * p['quantity'] for p in self.positions if p['symbol'] == symbol])

class Account:
    def __init__(self, header, instruments):
        self.h, self.instruments, self.records, self.said = header, instruments, [], None
        self.mseq = self.mts = self.phase = self.aseq = self.cseq = 0
        self.quotes, self.levels, self.states = {}, {}, defaultdict(lambda: 'open')
        self.status, self.day, self.provisional, self.checkpoint = 'none', None, None, None
        self.orders, self.rules, self.closing, self.unsealed, self.synthetic = [], [], [], [], []
        self.b0, self.cent = D(header['initial_balance']), D(1).scaleb(-SCALES[header['currency']])
        self.book, self.trades = Book(0, ZERO), {'first_at': None, 'last_at': None}
    def write(self, kind, **members):
        place = {'aseq': self.aseq, 'mseq': self.mseq, 'mts': self.mts, 'cseq': self.cseq, 'kind': kind}
        self.records.append({**place, **members})
        self.aseq += 1

    # Market
    def apply(self, e):
        self.mseq, self.mts, kind, name = e['mseq'], e['mts'], e['kind'], e.get('symbol')
        if kind == 'gap':
            lost = [*self.quotes, *self.states] if e['symbols'] is None else e['symbols']
            self.states.update({n: 'unknown' for n in lost if self.states[n] == 'open'})
        elif kind == 'symbol_state' and e['state'] != 'settled':
            self.states[name] = e['state']
        elif kind == 'levels':
            self.levels[name] = e
        elif kind == 'quote' or kind == 'trade' and 'bid' in e:
            self.quotes[name], state = e, self.states[name]
            self.states[name] = 'open' if state == 'unknown' else state
        else:
            need(kind in ('trade', 'source_changed', 'clock'), CanNotTell(f'the event {kind} is not covered'))
    def valid(self, name): return name in self.quotes and self.states[name] != 'unknown'
    def trading(self, name): return self.valid(name) and self.states[name] == 'open'
    def depth(self, symbol, against):  # levels that a buyer ('ask') or a seller ('bid') meets, best first
        quote, levels, up = self.quotes.get(symbol), self.levels.get(symbol), UP[against]
        if quote is None: return []
        touch, size = D(quote[against]), D(quote.get(f'{against}_size', self.instruments[symbol]['clip']))
        deeper = [Level(D(p), D(n), 'levels', levels) for p, n in (levels[f'{against}s'] if levels else [])]
        deeper = sorted((x for x in deeper if up * (x.price - touch) > 0), key=lambda x: up * x.price)
        return [Level(touch, size, 'quote', quote), *deeper]
    def meets(self, book, symbol, side, limit=None):
        """Opposite levels at the limit or better, with what is free of each."""
        levels = [(x, book.taken.get((symbol, AGAINST[side], x.price), (ZERO,))[0])
                  for x in self.depth(symbol, AGAINST[side])]
        return [(x, x.size - taken) for x, taken in levels if limit is None
                or UP[side] * (x.price - limit) <= 0]
    def take(self, book, symbol, side, quantity, levels):
        """What is free from the best level on: level and part."""
        for level, free in levels:
            part, key = min(quantity, free), (symbol, AGAINST[side], level.price)
            if part > 0:
                book.taken[key] = (book.taken.get(key, (ZERO,))[0] + part, self.mseq)
                quantity -= part
                yield level, part

    # Money
    def path(self, symbol):  # legs from the instrument's currency to the account's, None where there are none
        i = self.instruments.get(symbol, {'quote': '', 'conversions': {}})
        return [] if i['quote'] == self.h['currency'] else i['conversions'].get(self.h['currency'])
    def with_legs(self, symbol):
        return [symbol, *(leg['symbol'] for leg in self.path(symbol) if not leg.get('peg'))]
    def convert(self, amount, symbol, quotes=None):
        """At the worse side for the trader; with rates and their events."""
        rates, seqs = [], []
        for leg in self.path(symbol):
            if leg.get('peg'):
                rates.append('peg')
                continue
            quote, direct = (quotes or self.quotes)[leg['symbol']], leg['direct']
            rate = D(quote['bid' if (amount >= 0) == direct else 'ask'])
            amount = amount * rate if direct else (amount / rate).quantize(PLACES)
            rates.append(('*' if direct else '/') + text(rate))
            seqs.append(quote['mseq'])
        return amount, ' '.join(rates) or '1', seqs
    def booked(self, amount, symbol):
        (value, rate, seqs), currency = self.convert(amount, symbol), self.instruments[symbol]['quote']
        return {'amount': amount, 'currency': currency, 'rate': rate, 'rate_mseq': seqs,
                'booked': value.quantize(self.cent)}
    def mark(self, p, quotes=None):
        return D((quotes or self.quotes)[p['symbol']]['bid' if p['quantity'] > 0 else 'ask'])
    def values(self, book=None, quotes=None):  # what rules measure
        book = book or self.book
        sized = ((p, p['quantity'] * D(self.instruments[p['symbol']]['contract_size'])) for p in book.positions)
        worths = ((p, size * self.mark(p, quotes)) for p, size in sized)
        equity = book.balance + sum(self.convert(worth - p['cost'], p['symbol'], quotes)[0] for p,
                                    worth in worths)
        return {'balance': book.balance, 'equity': equity, 'min': min(book.balance, equity)}
    def margin(self, symbol, quantity, price):
        i = self.instruments[symbol]
        rate = max(D(i['margin_rate']), (D(1) / D(self.h['leverage'])).quantize(PLACES))
        return -self.convert(-abs(quantity) * price * rate * D(i['contract_size']), symbol)[0]
    def used(self):
        return sum((self.margin(p['symbol'], p['quantity'], self.mark(p)) for p in self.book.positions), ZERO)
    def adding(self):  # each working order with its part beyond what closes, orders before it counted first
        left = {}
        for o in self.orders:
            key, rest = (o['symbol'], o['side']), o['quantity'] - o['filled']
            closes = left.get(key, self.book.closable(*key))
            left[key] = max(ZERO, closes - rest)
            yield o, max(ZERO, rest - closes)

    # Fills
    def fill(self, book, order, symbol, side, quantity, price, liquidity, source):
        i, s, quote, live = self.instruments[symbol], UP[side], self.quotes[symbol], book is self.book
        size, c, e, result, fee = D(i['contract_size']), i['commission'], source.event, None, None
        opened = {'id': order, 'opened_at': self.mts, 'opened_day': self.day and self.day['k']}
        p, closes = book.position(symbol), min(quantity, book.closable(symbol, side))
        adds = s * (quantity - closes)
        if p is None:
            p = {**opened, 'symbol': symbol, 'quantity': ZERO, 'cost': ZERO}
            book.positions.append(p)
        if closes:
            whole = closes == abs(p['quantity'])
            released = p['cost'] if whole else (p['cost'] * closes / abs(p['quantity'])).quantize(PLACES)
            result = self.booked(-s * closes * price * size - released, symbol)
            p.update(quantity=p['quantity'] + s * closes, cost=p['cost'] - released)
            if live and p['opened_day'] == self.day['k']: self.day['opened_and_closed'] = True
        if adds:
            p.update({} if p['quantity'] else opened)
            p.update(quantity=p['quantity'] + adds, cost=p['cost'] + adds * price * size)
            self.day['opened'] = True
        bps = D(c.get(f'{liquidity}_bps', c.get('bps', '0')))
        paid = quantity * price * size * bps / 10_000 + quantity * D(c.get('per_lot', '0'))
        fee = self.booked(-paid, symbol) if paid else None
        parts = [(entry['booked'], house) for entry,
                 house in ((result, 'trading'), (fee, 'commission')) if entry]
        postings = [{'ledger': ledger, 'amount': a} for amount, house in parts if amount
                    for ledger, a in (('account:cash', amount), (f'house:{house}', -amount))]
        book.balance += sum(amount for amount, _ in parts)
        if live:
            self.day['gross'] += result['booked'] if result else ZERO
            self.trades = {'first_at': self.trades['first_at'] or self.mts, 'last_at': self.mts}
        shown = {n: e[n] for n in ('venue', 'mseq', 'ts', 'synthetic') if n in e}
        self.synthetic += [n for n in [e.get('synthetic')] if n and n not in self.synthetic]
        self.write('fill', phase=book.phase, order=order, symbol=symbol, side=side, quantity=quantity,
                   price=price,
                   liquidity=liquidity, instrument=f'{symbol}@{i["version"]}', result=result, fee=fee,
                   postings=postings,
                   source={'kind': source.kind, 'price': source.price, 'size': source.size, **shown},
                   spread_cost=s * (price - (D(quote['bid']) + D(quote['ask'])) / 2) * quantity * size,
                   position={n: p[n] for n in ('id', 'quantity', 'cost')})
        if not p['quantity']: book.positions.remove(p)
    def trade(self, book, name, symbol, side, quantity, limit=None):  # the marketable part; what is left
        i, up, levels = self.instruments[symbol], UP[side], self.meets(book, symbol, side, limit)
        visible, bps = sum((free for _, free in levels if free > 0), ZERO), D(i['slippage_bps'])
        for level, part in self.take(book, symbol, side, quantity, levels):
            self.fill(book, name, symbol, side, part, level.price, 'taker', level)
            quantity -= part
        if quantity > 0 and visible > 0 and bps and len(levels) == len(self.depth(symbol, AGAINST[side])):
            step, tick, last = D(i['quantity_step']), D(i['price_tick']), levels[-1][0]
            part = min(quantity, (visible * D(i['cap_bps']) / bps / step).quantize(D(1), ROUND_FLOOR) * step)
            slipped = last.price * (1 + up * bps / 10_000 * part / visible)
            price = (slipped / tick).quantize(D(1), ROUND_CEILING if up > 0 else ROUND_FLOOR) * tick
            if part > 0 and price > 0 and (limit is None or up * (price - limit) <= 0):
                source = Level(price, visible, 'slippage', last.event)
                self.fill(book, name, symbol, side, part, price, 'taker', source)
                quantity -= part
        return quantity
    def fill_resting(self, e):  # resting limits of the event's symbol, by arrival
        symbol, printed = e['symbol'], D(e['size']) if e['kind'] == 'trade' else ZERO
        for o in [o for o in self.orders if o['symbol'] == symbol]:
            side, rest = o['side'], o['quantity'] - o['filled']
            levels = [(x, free) for x, free in self.meets(self.book, symbol, side, o['price']) if free > 0]
            by_book = min(rest, sum((free for _, free in levels), ZERO))
            by_print = min(rest, printed) if printed and UP[side] * (o['price'] - D(e['price'])) > 0 else ZERO
            part, source = max(by_book, by_print), Level(e.get('price'), e.get('size'), 'trade', e)
            if part <= 0: continue
            if by_print > by_book:
                printed -= part
            else:
                source = [level for level, _ in self.take(self.book, symbol, side, part, levels)][0]
            o['filled'] += part
            self.fill(self.book, o['id'], symbol, side, part, o['price'], 'maker', source)
            if o['filled'] == o['quantity']: self.done([o], 'filled')
    def done(self, orders, status, **reason):
        for o in list(orders):
            self.orders = [x for x in self.orders if x is not o]
            self.write('order', phase=self.phase, order=o['id'], status=status, filled=o['filled'], **reason)
    def close_out(self, book):  # everything that the market allows, by symbol; True when nothing is left
        for p in sorted(book.positions, key=lambda p: p['symbol']):
            side = 'sell' if p['quantity'] > 0 else 'buy'
            if self.trading(p['symbol']): self.trade(book, 'close', p['symbol'], side, abs(p['quantity']))
        return not book.positions

    # Orders
    def answer(self, command, answer):  # the detail of a refusal is taken as the record says it
        self.write('command', command=command, answer=answer if answer['ok']
                   else {**answer, 'detail': self.said})
        return answer['ok']
    def refusals(self, c, reduces):  # why an order is not accepted, in the order in which it is looked at
        i, symbol, limit = self.instruments.get(c['symbol']), c['symbol'], c['type'] == 'limit'
        rests = limit and c.get('time_in_force') != 'ioc'
        if self.status != 'started':
            yield refusal('assessment_not_started' if self.status == 'created' else 'assessment_ended')
        if self.path(symbol) is None:
            yield refusal('symbol_not_tradable' if i else 'unknown_symbol', 'symbol')
        def grid_of(value, grid, rounding): return (D(value) / grid).quantize(D(1), rounding) * grid
        quantity, step, tick = D(c['quantity']), D(i['quantity_step']), D(i['price_tick'])
        least = max(step, grid_of(i['min_quantity'], step, ROUND_CEILING))
        most = grid_of(i['max_quantity'], step, ROUND_FLOOR)
        nearest = min(most, max(least, grid_of(quantity, step, ROUND_HALF_DOWN)))
        if quantity <= 0: yield refusal('quantity_too_small', 'quantity', nearest=least)
        if quantity % step: yield refusal('quantity_off_grid', 'quantity', nearest=nearest)
        if quantity < least: yield refusal('quantity_too_small', 'quantity', nearest=least)
        if quantity > most: yield refusal('quantity_too_large', 'quantity', nearest=most)
        if limit and (D(c['price']) <= 0 or D(c['price']) % tick):
            yield refusal('price_off_grid', 'price', nearest=max(tick, grid_of(c['price'], tick, ROUND_HALF_DOWN)))
        if self.provisional and not reduces: yield refusal('account_locked')
        for name in [] if reduces and rests else self.with_legs(symbol):
            state = self.states[name]
            if state in ('closed', 'halted'): yield refusal(f'market_{state}', 'symbol')
            if not self.valid(name): yield refusal('market_stale', 'symbol', retryable=True)
        if rests and len(self.orders) >= MOST_WORKING: yield refusal('too_many_orders')
        notional = D(c['quantity']) * D(c['price'] if limit
                                        else self.quotes[symbol][AGAINST[c['side']]]) * D(i['contract_size'])
        if notional < D(i['min_notional']): yield refusal('notional_too_small', 'quantity')
    def order(self, c):
        symbol, side, quantity, limit = c['symbol'], c['side'], D(c['quantity']), c['type'] == 'limit'
        before = sum(o['quantity'] - o['filled'] for o in self.orders
                     if (o['symbol'], o['side']) == (symbol, side))
        reduces = quantity + before <= self.book.closable(symbol, side)
        no = next(self.refusals(c, reduces), None)
        if no: return self.answer(c, no)
        kept, answer = copy.deepcopy({n: getattr(self, n) for n in TRIED}), {'ok': True}
        o = {**UNUSED, 'id': f'o{self.aseq}', 'symbol': symbol, 'side': side, 'type': c['type'],
             'quantity': quantity, 'price': D(c['price']) if limit else None, 'filled': ZERO,
             'time_in_force': c.get('time_in_force', 'gtc' if limit else 'ioc'), 'created_at': self.mts,
             'client_id': c.get('client_order_id'), 'reduce_only': False, 'post_only': False}
        self.answer(c, answer)
        if all(map(self.trading, self.with_legs(symbol))):
            o['filled'] = quantity - self.trade(self.book, o['id'], symbol, side, quantity, o['price'])
        rests, reason = limit and o['time_in_force'] == 'gtc', {}
        status = 'filled' if o['filled'] == quantity else 'working' if rests else 'cancelled'
        self.orders += [o] if status == 'working' else []
        adding = list(self.adding())
        needed = self.used() + sum(self.margin(x['symbol'], n, x['price']) for x, n in adding)
        adds = o['filled'] > 0 or status == 'working' and adding[-1][1] > 0
        if adds and not reduces and self.values()['equity'] < needed:
            vars(self).update(kept)
            return self.answer(c, refusal('insufficient_margin', 'quantity'))
        if status == 'cancelled': reason = {'reason': 'no_liquidity'}
        view = {n: o[n] for n in ('id', 'symbol', 'side', 'type', 'time_in_force', 'created_at', 'quantity',
                                  'filled')}
        optional = {'client_order_id': o['client_id'], 'price': o['price'], **reason}
        answer['order'] = {**view, 'status': status, **{n: v for n, v in optional.items() if v is not None}}
        self.day['orders'] += 1
        if status != 'working': self.done([o], status, **reason)
        return True

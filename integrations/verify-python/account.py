"""One account decided again: orders, fills, ledger, rules, days, verdict (spec of the rules; docs/proof-format.md, 6 and 10)."""
import copy
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, Context, Decimal as D, setcontext

from archive import CanNotTell

setcontext(Context(prec=600, Emax=10**6, Emin=-10**6))
SCALES = {**dict.fromkeys(('USD', 'EUR', 'GBP', 'CHF', 'AUD', 'CAD'), 2), 'JPY': 0, **dict.fromkeys(('BTC', 'ETH', 'USDT', 'USDC'), 8)}
RULES = ['profit_target', 'max_daily_loss', 'max_loss', 'min_trading_days']  # in the order of the specification's table
ZERO, HOUR = D(0), 3_600_000
MAX_WORKING_ORDERS = 200


def text(value):
    return '0' if value == 0 else f'{value.normalize():f}'


def div(a, b):
    return (a / b).quantize(D('1e-18'), ROUND_HALF_EVEN)


def on_grid(value, grid, rounding):
    return (value / grid).quantize(D(1), rounding) * grid


def refusal(code, detail, **more):
    return {'ok': False, 'code': code, 'detail': detail, **more}


class Symbol:
    """Newest quote, levels and state of one symbol."""
    quote = levels = None
    state = 'open'

    def valid(self):
        return self.quote is not None and self.state != 'unknown'

    def depth(self, side, clip):
        """Levels that a buyer ('ask') or seller ('bid') meets, best first: price, size, what shows it, its event."""
        if self.quote is None:
            return []
        touch = D(self.quote[side])
        out = [(touch, D(self.quote.get(f'{side}_size', clip)), 'quote', self.quote)]
        if self.levels is not None:
            up = 1 if side == 'ask' else -1
            deeper = [(D(p), D(s)) for p, s in self.levels[f'{side}s'] if up * (D(p) - touch) > 0]
            out += [(p, s, 'levels', self.levels) for p, s in sorted(deeper, key=lambda x: up * x[0])]
        return out


class View:
    def __init__(self):
        self.mseq = self.mts = 0
        self.symbols = {}

    def of(self, symbol):
        return self.symbols.setdefault(symbol, Symbol())

    def apply(self, e):
        self.mseq, self.mts = e['mseq'], e['mts']
        kind = e['kind']
        if kind == 'gap':
            for name in self.symbols if e['symbols'] is None else e['symbols']:
                if self.of(name).state == 'open':
                    self.of(name).state = 'unknown'
        elif kind == 'quote' or (kind == 'trade' and 'bid' in e):
            s = self.of(e['symbol'])
            s.quote, s.state = e, 'open' if s.state == 'unknown' else s.state
        elif kind == 'levels':
            self.of(e['symbol']).levels = e
        elif kind == 'symbol_state':
            self.of(e['symbol']).state = e['state']
        elif kind not in ('trade', 'source_changed', 'clock'):
            raise CanNotTell(f'{kind} events are not covered')


class Book:
    def __init__(self, phase, balance):
        self.phase, self.balance, self.positions, self.taken = phase, balance, [], []

    def position(self, symbol):
        return next((p for p in self.positions if p['symbol'] == symbol), None)

    def quantity(self, symbol):
        p = self.position(symbol)
        return p['quantity'] if p else ZERO

    def free(self, symbol, side, level):
        return level[1] - sum((t['size'] for t in self.taken if (t['symbol'], t['side'], t['price']) == (symbol, side, level[0])), ZERO)


class Account:
    def __init__(self, header, zone, instruments, head_before):
        self.h, self.zone, self.instruments, self.head_before = header, zone, instruments, head_before
        self.view, self.records = View(), []
        self.status, self.phase, self.aseq, self.cseq = 'none', 0, 0, 0
        self.orders, self.day, self.rules, self.closing, self.unsealed, self.synthetic = [], None, [], [], [], []
        self.provisional, self.checkpoint, self.working_on, self.trades = None, None, 0, {'first_at': None, 'last_at': None}
        self.b0, self.scale = D(header['initial_balance']), D(1).scaleb(-SCALES[header['currency']])
        self.book, self.before = Book(0, ZERO), None

    # ---- records ----------------------------------------------------------------------------------------------
    def write(self, kind, **members):
        self.records.append({'aseq': self.aseq, 'mseq': self.view.mseq, 'mts': self.view.mts, 'cseq': self.cseq, 'kind': kind, **members})
        self.aseq += 1

    def exposed(self):
        return bool(self.book.positions or self.orders or self.closing or self.book.taken)

    def take(self, work):
        """One input: what it writes."""
        self.records = []
        self.before = (copy.deepcopy(self.book), {n: copy.copy(s) for n, s in self.view.symbols.items()}, [r['floor'] for r in self.rules])
        work()
        if not self.exposed():
            self.checkpoint = None
        elif self.checkpoint is None:
            self.checkpoint = (self.view.mts // HOUR + 1) * HOUR
        return self.records

    # ---- money ------------------------------------------------------------------------------------------------
    def convert(self, amount, symbol, symbols=None):
        """In account currency, at the worse side for the trader; with the rates used and the events they are of."""
        symbols, rates, seqs = symbols or self.view.symbols, [], []
        for leg in self.path(symbol):
            if leg.get('peg'):
                rates.append('peg')
                continue
            quote = symbols[leg['symbol']].quote
            rate = D(quote['bid' if (amount >= 0) == leg['direct'] else 'ask'])
            rates.append(('*' if leg['direct'] else '/') + text(rate))
            seqs.append(quote['mseq'])
            amount = amount * rate if leg['direct'] else div(amount, rate)
        return amount, ' '.join(rates) or '1', seqs

    def path(self, symbol):
        i = self.instruments[symbol]
        return [] if i['quote'] == self.h['currency'] else i['conversions'][self.h['currency']]

    def tradable(self, symbol):
        i = self.instruments.get(symbol)
        return i is not None and (i['quote'] == self.h['currency'] or self.h['currency'] in i['conversions'])

    def legs(self, symbol):
        return [leg['symbol'] for leg in self.path(symbol) if not leg.get('peg')]

    def mark(self, p, symbols):
        return D(symbols[p['symbol']].quote['bid' if p['quantity'] > 0 else 'ask'])

    def equity(self, book=None, symbols=None):
        book, symbols = book or self.book, symbols or self.view.symbols
        total = book.balance
        for p in book.positions:
            total += self.result(p, symbols)
        return total

    def result(self, p, symbols):
        worth = p['quantity'] * D(self.instruments[p['symbol']]['contract_size']) * self.mark(p, symbols) - p['cost']
        return self.convert(worth, p['symbol'], symbols)[0]

    def booked(self, amount, symbol):
        value, rate, seqs = self.convert(amount, symbol)
        return {'amount': text(amount), 'currency': self.instruments[symbol]['quote'], 'rate': rate, 'rate_mseq': seqs,
                'booked': text(value.quantize(self.scale, ROUND_HALF_EVEN))}

    def margin(self, symbol, quantity, price):
        i = self.instruments[symbol]
        rate = max(D(i['margin_rate']), div(D(1), D(self.h['leverage'])))
        return -self.convert(-abs(quantity) * price * rate * D(i['contract_size']), symbol)[0]

    def used(self):
        return sum((self.margin(p['symbol'], p['quantity'], self.mark(p, self.view.symbols)) for p in self.book.positions), ZERO)

    def free_margin(self):
        reserved = sum((self.margin(o['symbol'], adds, o['price']) for o, adds in zip(self.orders, self.adding())), ZERO)
        return self.equity() - self.used() - reserved

    def adding(self):
        """Of each working order the quantity beyond what reduces the position, orders before it counted first."""
        left, out = {}, []
        for o in self.orders:
            s = 1 if o['side'] == 'buy' else -1
            key = (o['symbol'], s)
            against = left.setdefault(key, max(ZERO, -s * self.book.quantity(o['symbol'])))
            rest = o['quantity'] - o['filled']
            left[key] = max(ZERO, against - rest)
            out.append(max(ZERO, rest - against))
        return out

    # ---- fills ------------------------------------------------------------------------------------------------
    def fill(self, book, order, symbol, side, quantity, price, liquidity, kind, event, shown=None):
        i, s = self.instruments[symbol], 1 if side == 'buy' else -1
        size, quote, result = D(i['contract_size']), self.view.of(symbol).quote, None
        p = book.position(symbol)
        if p is None:
            p = {'id': order, 'symbol': symbol, 'quantity': ZERO, 'cost': ZERO, 'opened_at': self.view.mts, 'opened_day': self.day['k']}
            book.positions.append(p)
        closes = min(quantity, max(ZERO, -s * p['quantity']))
        if closes:
            released = p['cost'] if closes == abs(p['quantity']) else div(p['cost'] * closes, abs(p['quantity']))
            result = self.booked(-s * closes * price * size - released, symbol)
            p['quantity'], p['cost'] = p['quantity'] + s * closes, p['cost'] - released
            if book is self.book and p['opened_day'] == self.day['k']:
                self.day['opened_and_closed'] = True
        if quantity > closes:
            if not p['quantity']:
                p.update(id=order, opened_at=self.view.mts, opened_day=self.day['k'])
            self.day['opened'] = True
            p['quantity'], p['cost'] = p['quantity'] + s * (quantity - closes), p['cost'] + s * (quantity - closes) * price * size
        c = i['commission']
        bps = c.get(f'{liquidity}_bps', c.get('bps', '0'))
        paid = quantity * price * size * D(bps) / 10_000 + quantity * D(c.get('per_lot', '0'))
        fee = self.booked(-paid, symbol) if paid else None
        postings = []
        if book is self.book:
            self.day['gross'] += D(result['booked']) if result else ZERO
            self.trades = {'first_at': self.trades['first_at'] or self.view.mts, 'last_at': self.view.mts}
        for entry, house in ((result, 'trading'), (fee, 'commission')):
            amount = D(entry['booked']) if entry else ZERO
            book.balance += amount
            if amount:
                postings += [{'ledger': 'account:cash', 'amount': text(amount)}, {'ledger': f'house:{house}', 'amount': text(-amount)}]
        source = {'kind': kind, 'venue': event['venue'], 'mseq': event['mseq'], 'price': shown[0] if kind == 'trade' else text(shown[0]),
                  'size': shown[1] if kind == 'trade' else text(shown[1]), 'ts': event['ts']}
        if 'synthetic' in event:
            source['synthetic'] = event['synthetic']
            if event['synthetic'] not in self.synthetic:
                self.synthetic.append(event['synthetic'])
        middle = (D(quote['bid']) + D(quote['ask'])) / 2
        self.write('fill', phase=book.phase, order=order, symbol=symbol, side=side, quantity=text(quantity), price=text(price), liquidity=liquidity,
                   source=source, instrument=f'{symbol}@{i["version"]}', result=result, fee=fee, postings=postings,
                   spread_cost=text(s * (price - middle) * quantity * size),
                   position={'id': p['id'], 'quantity': text(p['quantity']), 'cost': text(p['cost'])})
        if not p['quantity']:
            book.positions.remove(p)

    def took(self, book, symbol, side, price, size):
        for t in book.taken:
            if (t['symbol'], t['side'], t['price']) == (symbol, side, price):
                t['size'], t['mseq'] = t['size'] + size, self.view.mseq
                return
        book.taken.append({'symbol': symbol, 'side': side, 'price': price, 'size': size, 'mseq': self.view.mseq})

    def meets(self, book, symbol, side, limit=None):
        """Opposite levels at `limit` or better with what is free of each."""
        against = 'ask' if side == 'buy' else 'bid'
        levels = self.view.of(symbol).depth(against, self.instruments[symbol]['clip'])
        up = 1 if side == 'buy' else -1
        levels = [x for x in levels if limit is None or up * (x[0] - limit) <= 0]
        return against, [(x, book.free(symbol, against, x)) for x in levels]

    def trade(self, book, name, symbol, side, quantity, limit=None):
        """The marketable part; what is left of the quantity."""
        i, up = self.instruments[symbol], 1 if side == 'buy' else -1
        against, levels = self.meets(book, symbol, side, limit)
        visible, rest = sum((free for _, free in levels if free > 0), ZERO), quantity
        for level, free in levels:
            part = min(rest, free)
            if part > 0:
                self.took(book, symbol, against, level[0], part)
                self.fill(book, name, symbol, side, part, level[0], 'taker', level[2], level[3], level)
                rest -= part
        bps = D(i['slippage_bps'])
        if rest > 0 and visible > 0 and bps and len(levels) == len(self.meets(book, symbol, side)[1]):
            part = min(rest, on_grid(visible * D(i['cap_bps']) / bps, D(i['quantity_step']), ROUND_FLOOR))
            last = levels[-1][0]
            exact = last[0] * (1 + up * bps / 10_000 * part / visible)
            price = on_grid(exact, D(i['price_tick']), ROUND_CEILING if up > 0 else ROUND_FLOOR)
            if part > 0 and price > 0 and (limit is None or up * (price - limit) <= 0):
                self.fill(book, name, symbol, side, part, price, 'taker', 'slippage', last[3], (price, visible))
                rest -= part
        return rest

    def rest_fills(self, e):
        """Resting limits of the event's symbol by arrival."""
        symbol = e['symbol']
        printed = D(e['size']) if e['kind'] == 'trade' else ZERO
        for o in list(self.orders):
            if o['symbol'] != symbol:
                continue
            side, up, rest = o['side'], 1 if o['side'] == 'buy' else -1, o['quantity'] - o['filled']
            against, levels = self.meets(self.book, symbol, side, o['price'])
            levels = [(x, f) for x, f in levels if f > 0]
            by_book = min(rest, sum((f for _, f in levels), ZERO))
            by_print = min(rest, printed) if printed and up * (o['price'] - D(e['price'])) > 0 else ZERO
            part = max(by_book, by_print)
            if part <= 0:
                continue
            if by_print > by_book:
                printed -= part
                kind, event, shown = 'trade', e, (e['price'], e['size'])
            else:
                first = levels[0][0]
                kind, event, shown, left = first[2], first[3], first, part
                for level, free in levels:
                    used = min(left, free)
                    if used > 0:
                        self.took(self.book, symbol, against, level[0], used)
                        left -= used
            o['filled'] += part
            self.fill(self.book, o['id'], symbol, side, part, o['price'], 'maker', kind, event, shown)
            if o['filled'] == o['quantity']:
                self.orders.remove(o)
                self.write('order', phase=self.phase, order=o['id'], status='filled', filled=text(o['filled']))

    def close_out(self, book):
        """Everything that the market allows, by symbol; True when nothing is left."""
        for p in sorted(book.positions, key=lambda p: p['symbol']):
            s = self.view.of(p['symbol'])
            if s.state == 'open' and s.valid():
                self.trade(book, 'close', p['symbol'], 'sell' if p['quantity'] > 0 else 'buy', abs(p['quantity']))
        return not book.positions

    def cancel(self, orders, reason):
        for o in orders:
            self.orders.remove(o)
            self.write('order', phase=self.phase, order=o['id'], status='cancelled', filled=text(o['filled']), reason=reason)

    # ---- commands ---------------------------------------------------------------------------------------------
    def command(self, c):
        op = c['op']
        if op == 'create':
            answer = refusal('conflict', 'The assessment exists already.') if self.status != 'none' else {'ok': True, 'status': 'created'}
            if answer['ok']:
                self.status = 'created'
        elif op == 'start':
            answer = {'ok': True, 'status': 'started'}
            if self.status == 'started':
                answer = refusal('assessment_already_started', 'The assessment was started before.')
            elif self.status != 'created':
                answer = self.ended()
        elif op == 'abandon':
            answer = {'ok': True, 'status': 'abandoned'} if self.status in ('created', 'started') else self.ended()
        elif op in ('cancel', 'cancel_all'):
            if op == 'cancel':
                found = [o for o in self.orders if c['order'] in (o['id'], f'client:{o["client_id"]}')]
                answer = {'ok': True, 'cancelled': [o['id'] for o in found]} if found else refusal('order_not_working', f'No working order {c["order"]}.')
            else:
                found = [o for o in self.orders if c.get('symbol', o['symbol']) == o['symbol']]
                answer = {'ok': True, 'cancelled': [o['id'] for o in found]}
        elif op == 'order':
            return self.order(c)
        else:
            raise CanNotTell(f'the command {op} is not covered')
        self.write('command', command=c, answer=answer)
        if not answer['ok'] or op == 'create':
            return None
        if op == 'start':
            self.status = 'started'
            self.open_phase(0)
        elif op == 'abandon':
            self.end_phase('abandoned', None)
        else:
            self.cancel(found, 'requested')
        self.evaluate()

    def ended(self):
        return refusal('assessment_ended', f'The assessment has ended: {self.status}.')

    def refused(self, c, i):
        """Why an order is not accepted, in the order in which it is looked at."""
        if self.status == 'created':
            return refusal('assessment_not_started', 'Start the assessment first.')
        if self.status != 'started':
            return self.ended()
        if i is None:
            return refusal('unknown_symbol', f'{c["symbol"]} is not an instrument of this account.', field='symbol')
        if not self.tradable(c['symbol']):
            return refusal('symbol_not_tradable', f'{c["symbol"]} has no conversion path to {self.h["currency"]}.', field='symbol')
        quantity, step = D(c['quantity']), D(i['quantity_step'])
        if quantity <= 0:
            return refusal('quantity_too_small', 'The quantity must be above zero.', field='quantity')
        if quantity % step:
            legal = text(max(step, on_grid(quantity, step, ROUND_HALF_DOWN)))
            return refusal('quantity_off_grid', f'The quantity must be a multiple of {text(step)}; the nearest is {legal}.', field='quantity', nearest=legal)
        for bound, word, code in ((D(i['min_quantity']), 'least', 'quantity_too_small'), (D(i['max_quantity']), 'largest', 'quantity_too_large')):
            if quantity < bound if word == 'least' else quantity > bound:
                return refusal(code, f'The {word} quantity is {text(bound)}.', field='quantity', nearest=text(bound))
        tick = D(i['price_tick'])
        if c['type'] == 'limit' and D(c['price']) <= 0:
            return refusal('price_off_grid', 'The price must be above zero.', field='price', nearest=text(tick))
        if c['type'] == 'limit' and D(c['price']) % tick:
            legal = text(max(tick, on_grid(D(c['price']), tick, ROUND_HALF_DOWN)))
            return refusal('price_off_grid', f'The price must be a multiple of {text(tick)}; the nearest is {legal}.', field='price', nearest=legal)
        s = 1 if c['side'] == 'buy' else -1
        pending = sum((o['quantity'] - o['filled'] for o in self.orders if (o['symbol'], o['side']) == (c['symbol'], c['side'])), ZERO)
        reduces = quantity + pending <= -s * self.book.quantity(c['symbol'])
        if self.provisional and not reduces:
            return refusal('account_locked', 'A provisional breach is being decided: only orders that reduce exposure are accepted.')
        rests = c['type'] == 'limit' and c.get('time_in_force') != 'ioc'
        for name in [] if reduces and rests else [c['symbol'], *self.legs(c['symbol'])]:
            v = self.view.of(name)
            if v.state in ('closed', 'settled'):
                return refusal('market_closed', f'{name} is closed.', field='symbol')
            if v.state == 'halted':
                return refusal('market_halted', f'{name} is halted.', field='symbol')
            if not v.valid():
                return refusal('market_stale', f'There is no valid quote of {name} now.', field='symbol', retryable=True)
        if rests and len(self.orders) >= MAX_WORKING_ORDERS:
            return refusal('too_many_orders', f'At most {MAX_WORKING_ORDERS} orders may work at once.')
        price = D(c['price']) if c['type'] == 'limit' else D(self.view.of(c['symbol']).quote['ask' if s > 0 else 'bid'])
        if quantity * price * D(i['contract_size']) < D(i['min_notional']):
            return refusal('notional_too_small', f'The least notional is {text(D(i["min_notional"]))} {i["quote"]}.', field='quantity')
        return reduces

    def order(self, c):
        odd = set(c) - {'op', 'symbol', 'side', 'type', 'quantity', 'price', 'time_in_force', 'client_order_id'}
        if odd or c['type'] not in ('market', 'limit') or c.get('time_in_force', 'gtc') not in ('gtc', 'ioc'):
            raise CanNotTell(f'{c["type"]} orders with {sorted(odd) or c.get("time_in_force")} are not covered')
        why = self.refused(c, self.instruments.get(c['symbol']))
        if isinstance(why, dict):
            self.write('command', command=c, answer=why)
            return
        name, limit = f'o{self.aseq}', c['type'] == 'limit'
        tif = c.get('time_in_force', 'gtc' if limit else 'ioc')
        o = {'id': name, 'client_id': c.get('client_order_id'), 'symbol': c['symbol'], 'side': c['side'], 'type': c['type'], 'tif': tif,
             'price': D(c['price']) if limit else None, 'quantity': D(c['quantity']), 'filled': ZERO, 'created_at': self.view.mts}
        kept = copy.deepcopy((self.book, self.day, self.orders, self.synthetic, self.trades))
        at, self.records, self.aseq = (self.records, self.aseq), [], self.aseq + 1
        open_market = all(self.view.of(n).state == 'open' and self.view.of(n).valid() for n in (c['symbol'], *self.legs(c['symbol'])))
        rest = self.trade(self.book, name, c['symbol'], c['side'], o['quantity'], o['price']) if open_market else o['quantity']
        o['filled'] = o['quantity'] - rest
        rests = limit and tif == 'gtc'
        if rest and rests:
            self.orders.append(o)
        free = self.free_margin() if not why else ZERO
        if free < 0 and (o['filled'] or self.adding()[-1] > 0):
            self.book, self.day, self.orders, self.synthetic, self.trades = kept
            answer = refusal('insufficient_margin', f'After this order {text(-free)} {self.h["currency"]} of margin would be missing for {c["symbol"]}.', field='quantity')
            self.records, self.aseq = at
            self.write('command', command=c, answer=answer)
            return
        status = 'filled' if not rest else 'working' if rests else 'cancelled'
        view = {'id': name, 'symbol': c['symbol'], 'side': c['side'], 'type': c['type'], 'time_in_force': tif, 'quantity': text(o['quantity']),
                'filled': text(o['filled']), 'status': status, 'created_at': o['created_at']}
        if o['client_id'] is not None:
            view['client_order_id'] = o['client_id']
        if limit:
            view['price'] = text(o['price'])
        more = {'reason': 'no_liquidity'} if status == 'cancelled' else {}
        fills, self.records, after = self.records, at[0], self.aseq
        self.aseq = at[1]
        self.write('command', command=c, answer={'ok': True, 'order': {**view, **more}})
        self.records += fills
        self.aseq = after
        self.day['orders'] += 1
        if status != 'working':
            self.write('order', phase=self.phase, order=name, status=status, filled=text(o['filled']), **more)
        self.evaluate()

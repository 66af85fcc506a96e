"""A grid of 100 resting limit orders on one instrument, told quote by quote what to place and cancel."""

import gc
import time

from engine import QUIET, VENUE, engine_of, pair
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy


class GridStrategy(Strategy):
    def __init__(self, instrument, quantity, actions, last):
        super().__init__(QUIET)
        self.instrument = instrument
        self.quantity = quantity
        self.actions = actions
        self.last = last
        self.orders = {}
        self.names = {}
        self.fills = []
        self.at = -1
        self.due = iter(sorted(actions))
        self.next = next(self.due)

    def on_start(self):
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick):
        self.at += 1
        if self.at == self.next:
            for action in self.actions[self.at]:
                self.act(*action)
            self.next = next(self.due, -1)
        if self.at == 0:
            gc.disable()
            self.cpu_from = time.process_time()
            self.wall_from = time.perf_counter()
        elif self.at == self.last:
            self.seconds = time.perf_counter() - self.wall_from
            self.cpu_seconds = time.process_time() - self.cpu_from
            gc.enable()

    def act(self, op, name, side, price):
        if op == "cancel":
            self.cancel_order(self.orders.pop(name))
            return
        order = self.order_factory.limit(self.instrument.id, side, self.quantity, price)
        self.orders[name] = order
        self.names[order.client_order_id] = name
        self.submit_order(order)

    def on_order_filled(self, event):
        self.fills.append(self.names[event.client_order_id])


class Bench:
    def __init__(self, world):
        places = world["digits"]
        self.instrument = pair(world["symbol"], places, 0, world["fee_bps"], "0.01")
        self.quantity = Quantity(world["quantity"], 0)
        self.balance = world["initial"]
        size = Quantity(world["size"], 0)
        sides = {"buy": OrderSide.BUY, "sell": OrderSide.SELL, None: None}
        price = lambda tick: None if tick is None else Price(tick / 10**places, places)
        self.grids = {}
        for grid in world["grids"]:
            quotes = [
                QuoteTick(self.instrument.id, price(bid), price(ask), size, size, at, at)
                for bid, ask, at in (
                    (bid, ask, (world["start"] + i * world["quote_ms"]) * 1_000_000)
                    for i, (bid, ask) in enumerate(zip(grid["bids"], grid["asks"]))
                )
            ]
            actions = {
                at: [(a["op"], a["order"], sides[a.get("side")], price(a.get("tick"))) for a in actions]
                for at, actions in grid["actions"]
            }
            self.grids[grid["name"]] = quotes, actions

    def run(self, asked):
        quotes, actions = self.grids[asked["grid"]]
        engine = engine_of(self.instrument, self.balance, 100, quotes)
        strategy = GridStrategy(self.instrument, self.quantity, actions, len(quotes) - 1)
        engine.add_strategy(strategy)
        engine.run()
        position = engine.portfolio.net_position(self.instrument.id)
        account = engine.portfolio.account(VENUE)
        outcome = {
            "seconds": strategy.seconds,
            "cpuSeconds": strategy.cpu_seconds,
            "fills": strategy.fills,
            "working": engine.cache.orders_open_count(),
            "position": float(position),
            "balance": float(account.balance_total(self.instrument.quote_currency).as_decimal()),
        }
        engine.dispose()
        return outcome

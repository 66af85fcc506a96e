"""A recording of trades from its file to the result, a market order at every 12th trade."""

import gc
import gzip
import json
import time

from engine import QUIET, engine_of, pair
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AggressorSide, OrderSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy

SIDES = {"buy": AggressorSide.BUYER, "sell": AggressorSide.SELLER}


class Alternating(Strategy):
    """Buys and sells in turn, counting trades from the first at which both sides have been printed."""

    def __init__(self, instrument, quantity, every, orders):
        super().__init__(QUIET)
        self.instrument = instrument
        self.quantity = quantity
        self.every = every
        self.left = orders
        self.unseen = set(SIDES.values())
        self.count = 0
        self.side = OrderSide.BUY
        self.fills = []

    def on_start(self):
        self.subscribe_trade_ticks(self.instrument.id)

    def on_trade_tick(self, tick):
        if self.unseen:
            self.unseen.discard(tick.aggressor_side)
            if self.unseen:
                return
        self.count += 1
        if self.count % self.every or self.left == 0:
            return
        self.left -= 1
        self.submit_order(self.order_factory.market(self.instrument.id, self.side, self.quantity))
        self.side = OrderSide.SELL if self.side == OrderSide.BUY else OrderSide.BUY

    def on_order_filled(self, event):
        self.fills.append((event.ts_event // 1_000_000, float(event.last_qty), float(event.last_px)))


class Bench:
    def __init__(self, world):
        self.world = world
        self.price_places = world["price_places"]
        self.size_places = world["size_places"]
        self.instrument = pair(world["symbol"], self.price_places, self.size_places, world["fee_bps"], "1")

    def ticks(self):
        with gzip.open(self.world["file"]) as file:
            rows = json.loads(file.read())
        instrument_id, price_places, size_places = self.instrument.id, self.price_places, self.size_places
        return [
            TradeTick(
                instrument_id,
                Price(price, price_places),
                Quantity(size, size_places),
                SIDES[side],
                TradeId(trade_id),
                ms * 1_000_000,
                ms * 1_000_000,
            )
            for ms, trade_id, _, side, price, size, _ in rows
        ]

    def run(self, _):
        gc.disable()
        cpu_from, wall_from = time.process_time(), time.perf_counter()
        ticks = self.ticks()
        engine = engine_of(self.instrument, self.world["initial"], 1, ticks, trade_execution=True)
        strategy = Alternating(
            self.instrument,
            Quantity(self.world["quantity"], self.size_places),
            self.world["every"],
            self.world["orders"],
        )
        engine.add_strategy(strategy)
        run_from = time.perf_counter()
        engine.run()
        end = time.perf_counter()
        outcome = {
            "seconds": end - wall_from,
            "runSeconds": end - run_from,
            "cpuSeconds": time.process_time() - cpu_from,
            "seen": strategy.count,
            "fills": strategy.fills,
        }
        engine.dispose()
        gc.enable()
        return outcome

"""NautilusTrader's backtest engine at its fastest: no log, no analysis, no database, no rate limit on orders, none of the venue's options."""

from decimal import Decimal

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import Currency
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity

VENUE = Venue("SIM")
QUIET = StrategyConfig(log_events=False, log_commands=False)
UNLIMITED = "1000000000/00:00:01"


def currency(code):
    return Currency.from_internal_map(code) or Currency(code, 8, 0, code, CurrencyType.CRYPTO)


def pair(symbol, price_places, size_places, fee_bps, margin):
    base, quote = symbol.split("/")
    fee = Decimal(fee_bps) / 10_000
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(symbol), VENUE),
        raw_symbol=Symbol(symbol),
        base_currency=currency(base),
        quote_currency=currency(quote),
        price_precision=price_places,
        size_precision=size_places,
        price_increment=Price(10**-price_places, price_places),
        size_increment=Quantity(10**-size_places, size_places),
        margin_init=Decimal(margin),
        margin_maint=Decimal(margin),
        maker_fee=fee,
        taker_fee=fee,
        ts_event=0,
        ts_init=0,
    )


def engine_of(instrument, balance, leverage, data, **venue):
    """A margin account with netting positions, pre-trade checks on, as ours."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(max_order_submit_rate=UNLIMITED, max_order_modify_rate=UNLIMITED),
            run_analysis=False,
            load_state=False,
            save_state=False,
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=instrument.quote_currency,
        starting_balances=[Money(balance, instrument.quote_currency)],
        default_leverage=Decimal(leverage),
        use_message_queue=False,
        support_contingent_orders=False,
        support_gtd_orders=False,
        use_position_ids=False,
        use_reduce_only=False,
        **venue,
    )
    engine.add_instrument(instrument)
    engine.add_data(data, sort=False)
    return engine

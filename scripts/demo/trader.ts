import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { TierDocument } from '@assay/core/contracts/wire/tier'
import { quotesOf } from '@assay/core/domain/engine/valuation'
import type { MarketView } from '@assay/core/domain/engine/view'
import { convert } from '@assay/core/domain/instruments/convert'
import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { abs, add, type Dec, dec, div, mul, neg, ONE, sub, ZERO } from '@assay/core/domain/money/dec'
import type { Sight, Strategy } from '@assay/core/domain/strategies/strategy'
import type { Client } from './client.ts'
import { Refused } from './client.ts'

/**
 * A bot with a strategy: it knows the market from the log's events as they come, its position and cash from its
 * own fills, and nothing else. Money in the symbol's quote currency.
 */
export class Trader {
  orders = 0
  private position: Dec = ZERO
  private flow: Dec = ZERO
  ended: string | null = null

  constructor(
    private readonly api: Client,
    private readonly assessment: string,
    private readonly instrument: Instrument,
    private readonly tier: TierDocument,
    private readonly strategy: Strategy,
    private readonly view: MarketView,
  ) {}

  /** Looks at the newest event; true when it sent an order, whose answer has come then. */
  async look(symbol: string): Promise<boolean> {
    if (this.ended !== null || symbol !== this.instrument.symbol) return false
    const sight = this.sight()
    const order = sight && this.strategy.decide(sight)
    if (!order) return false
    const answer = await this.send({ ...order, client_order_id: `demo-${++this.orders}` })
    for (const fill of answer?.fills ?? []) {
      const quantity = dec(fill.quantity)
      const worth = mul(mul(quantity, dec(this.instrument.contract_size)), dec(fill.price))
      this.position = order.side === 'buy' ? add(this.position, quantity) : sub(this.position, quantity)
      this.flow = add(this.flow, order.side === 'buy' ? neg(worth) : worth)
      this.flow = sub(this.flow, this.toQuote(abs(dec(fill.fee))))
    }
    return true
  }

  private async send(order: object): Promise<OrderAnswer | null> {
    for (;;) {
      try {
        return await this.api.post<OrderAnswer>(`/api/assessments/${this.assessment}/orders`, order)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        if (error.code === 'assessment_ended') this.ended = error.code
        else if (error.status === 429 || error.status === 503) {
          await Bun.sleep((error.retryAfterS ?? 1) * 1000)
          continue
        } else if (
          error.code !== 'insufficient_margin' &&
          error.code !== 'market_stale' &&
          error.code !== 'market_halted'
        )
          throw error
        return null
      }
    }
  }

  /** Account currency -> quote currency at the newest quotes; 1 where they are the same. */
  private toQuote(amount: Dec): Dec {
    const path = this.instrument.quote === this.tier.currency ? [] : this.instrument.conversions[this.tier.currency]!
    const rate = convert(ONE, path, quotesOf(this.view))
    return rate ? div(amount, rate.value) : ZERO
  }

  private sight(): Sight | null {
    const symbol = this.view.symbol(this.instrument.symbol)
    if (!symbol?.quote || symbol.status !== 'open') return null
    const { bid, ask } = symbol.quote
    const initial = this.toQuote(dec(this.tier.initial_balance))
    const cash = add(initial, this.flow)
    const held = mul(mul(this.position, dec(this.instrument.contract_size)), bid.price)
    const target = this.tier.phases[0]!.rules.find((r) => r.rule === 'profit_target')
    const clip = dec(this.instrument.clip)
    return {
      symbol: symbol.symbol,
      mts: this.view.mts,
      bid: bid.price,
      ask: ask.price,
      bidSize: bid.size ?? clip,
      askSize: ask.size ?? clip,
      initial,
      balance: cash,
      equity: add(cash, held),
      freeMargin: cash,
      position: this.position,
      target: target && 'pct' in target && target.pct ? mul(initial, mul(dec(target.pct), dec('0.01'))) : null,
      step: dec(this.instrument.quantity_step),
      minQuantity: dec(this.instrument.min_quantity),
      tick: dec(this.instrument.price_tick),
      takerBps: dec(this.instrument.commission.taker_bps ?? this.instrument.commission.bps ?? '0'),
    }
  }
}

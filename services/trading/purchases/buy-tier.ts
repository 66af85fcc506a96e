import { AssayError } from '@assay/core/contracts/errors'
import { purchaseCompleted, purchaseFailed } from '@assay/core/contracts/topics/payment'
import type { PurchaseResource, TierResource } from '@assay/core/contracts/wire/purchase'
import { dec, isZero } from '@assay/core/domain/money/dec'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { Checkout } from '@assay/core/ports/payments/port'
import type { TradingDeps, Verb } from '../deps.ts'
import { once } from '../idempotency/once.ts'
import { tierOnSale } from '../tiers/get-tier.ts'
import { publishOutcome } from './publish-outcome.ts'
import { PURCHASE_COLUMNS, type PurchaseRow, purchaseOf } from './purchase-row.ts'

/**
 * Buys a tier as it is on sale now. The purchase is recorded before the provider is asked, under the id that is the
 * provider's idempotency key, so that nobody pays twice. A refused payment is recorded too; throws payment_refused.
 */
export async function buyTier({
  ctx,
  input,
  deps,
}: Verb<{ tier_id: string; key?: string | undefined }>): Promise<PurchaseResource> {
  const actor = requireScope(ctx, 'trading:write')
  const tier = await tierOnSale(deps, actor.tenant, input.tier_id)
  const asked = { ctx, route: 'POST /api/purchases', key: input.key, body: { tier_id: input.tier_id } }
  return once<PurchaseResource>(deps, asked, async ({ subject, keep }) => {
    await recordPurchase(deps, subject, actor, tier)
    const checkout = await pay(deps, subject, tier)
    const refused = checkout.status === 'refused' ? refusalOf(checkout) : null
    const purchase = await deps.db.tx(async (sql) => {
      const settled = await settlePurchase(sql, subject, checkout, actor)
      await keep(sql, refused ? { refusal: refused } : { value: settled })
      return settled
    })
    if (refused) throw new AssayError(refused.code, refused.detail)
    return purchase
  })
}

const refusalOf = (checkout: Checkout) => ({
  code: 'payment_refused' as const,
  detail: `The payment was refused${checkout.reason ? `: ${checkout.reason}` : ''}.`,
})

async function recordPurchase(deps: TradingDeps, id: string, actor: Actor, tier: TierResource): Promise<void> {
  await deps.db.query(
    `insert into trading.purchase (id, tenant, user_id, tier_id, tier_version, tier_hash, tier, amount, currency, status, provider)
     values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, 'pending', $10) on conflict (id) do nothing`,
    [
      id,
      actor.tenant,
      actor.userId,
      tier.id,
      tier.version,
      tier.hash,
      JSON.stringify(tier.document),
      tier.document.price,
      tier.document.currency,
      deps.payments.provider,
    ],
  )
}

/** A tier that costs nothing needs no provider. */
async function pay(deps: TradingDeps, id: string, { document }: TierResource): Promise<Checkout> {
  if (isZero(dec(document.price))) return { id: 'free', url: null, status: 'paid' }
  return deps.payments.checkout({
    purchaseId: id,
    amount: document.price,
    currency: document.currency,
    description: document.name,
    idempotencyKey: id,
  })
}

async function settlePurchase(sql: Sql, id: string, checkout: Checkout, actor: Actor): Promise<PurchaseResource> {
  const [row] = await sql.query<PurchaseRow>(
    `update trading.purchase p set status = $2, checkout_id = $3, checkout_url = $4, reason = $5, updated_at = now()
     where id = $1 returning ${PURCHASE_COLUMNS}`,
    [id, checkout.status, checkout.id, checkout.url, checkout.reason ?? null],
  )
  const purchase = purchaseOf(row!)
  if (checkout.status === 'pending') return purchase
  const { tier_id, amount, currency } = purchase
  const facts = { purchase_id: id, user_id: actor.userId, tenant: actor.tenant, tier_id, amount, currency }
  await recordAudit(sql, {
    action: checkout.status === 'paid' ? 'payment.completed' : 'payment.refused',
    actor: actor.userId,
    tenant: actor.tenant,
    detail: { purchase: id, tier: tier_id, amount, currency },
  })
  if (checkout.status === 'paid') await publishOutcome(sql, purchaseCompleted, facts)
  else await publishOutcome(sql, purchaseFailed, { ...facts, reason: checkout.reason ?? 'refused' })
  return purchase
}

import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import { iso } from '../time.ts'

export interface PurchaseRow extends Row {
  id: string
  user_id: string
  tier_id: string
  tier_version: number
  tier_hash: string
  preset: PurchaseResource['preset']
  amount: string
  currency: string
  status: PurchaseResource['status']
  reason: string | null
  provider: string
  checkout_id: string | null
  checkout_url: string | null
  assessment_id: string | null
  created_at: Date
}
export const PURCHASE_COLUMNS = `p.id, p.user_id, p.tier_id, p.tier_version, p.tier_hash, p.tier -> 'preset' as preset, p.amount, p.currency, p.status, p.reason, p.provider,
  p.checkout_id, p.checkout_url, p.created_at, (select a.id from trading.assessment a where a.purchase_id = p.id) as assessment_id`

export const purchaseOf = (row: PurchaseRow): PurchaseResource => ({
  id: row.id,
  user_id: row.user_id,
  tier_id: row.tier_id,
  tier_version: row.tier_version,
  tier_hash: row.tier_hash,
  preset: row.preset,
  amount: str(dec(row.amount)),
  currency: row.currency,
  status: row.status,
  reason: row.reason,
  checkout: { provider: row.provider, id: row.checkout_id, url: row.checkout_url },
  assessment_id: row.assessment_id,
  created_at: iso(row.created_at),
})

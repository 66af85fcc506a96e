import type { Scope } from '@assay/core/contracts/scopes'
import type { Row } from '@assay/core/ports/db/port'
import type { ApiKey } from './schemas.ts'

export interface ApiKeyRow extends Row {
  id: string
  user_id: string
  name: string
  prefix: string
  last4: string
  scopes: Scope[]
  requests_per_minute: number | null
  orders_per_second: number | null
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
  addresses: string[]
}
export const API_KEY_COLUMNS =
  'id, user_id, name, prefix, last4, scopes, requests_per_minute, orders_per_second, created_at, expires_at, last_used_at, addresses'

export const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  last4: row.last4,
  scopes: row.scopes,
  limits: {
    requests_per_minute: row.requests_per_minute ?? undefined,
    orders_per_second: row.orders_per_second ?? undefined,
  },
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at?.toISOString() ?? null,
  last_used_at: row.last_used_at?.toISOString() ?? null,
  addresses: row.addresses,
})

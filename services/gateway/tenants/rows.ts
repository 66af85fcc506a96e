import type { Row } from '@assay/core/ports/db/port'
import type { Tenant } from './schemas.ts'

export interface TenantRow extends Row {
  id: string
  name: string
  plan: string
  mfa_required: boolean
  allow_addresses: string[]
  deny_addresses: string[]
  created_at: Date
}
export const TENANT_COLUMNS = 'id, name, plan, mfa_required, allow_addresses, deny_addresses, created_at'

export const toTenant = (row: TenantRow): Tenant => ({
  id: row.id,
  name: row.name,
  plan: row.plan,
  mfa_required: row.mfa_required,
  allow_addresses: row.allow_addresses,
  deny_addresses: row.deny_addresses,
  created_at: row.created_at.toISOString(),
})

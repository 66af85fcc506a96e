import { PLAN_NAMES } from '@assay/core/contracts/plans'
import { isAddressRange } from '@assay/core/kernel/proxies'
import { z } from 'zod'
import { TenantId } from '../auth/schemas.ts'

/** Addresses or ranges of one list. */
export const ADDRESSES_MAX = 100

const name = z.string().trim().min(1).max(100)
const plan = z.enum(PLAN_NAMES)
const addresses = z
  .array(z.string().max(50).refine(isAddressRange, 'must be an address or a CIDR range'))
  .max(ADDRESSES_MAX)
const lists = {
  mfa_required: z.boolean().optional().describe('Operators and admins need a second factor'),
  allow_addresses: addresses.optional().describe('Who comes from elsewhere is refused; empty: all may come'),
  deny_addresses: addresses.optional().describe('Refused, whatever is allowed'),
}

export const TenantBody = z.strictObject({ id: TenantId, name, plan: plan.default('standard'), ...lists })
export type TenantBody = z.output<typeof TenantBody>

export const TenantChange = z
  .strictObject({ name: name.optional(), plan: plan.optional().describe('The house only'), ...lists })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    error: 'says nothing that is to change',
  })
export type TenantChange = z.infer<typeof TenantChange>

export const Tenant = z.object({
  id: z.string(),
  name: z.string(),
  plan: z.string(),
  mfa_required: z.boolean(),
  allow_addresses: z.array(z.string()),
  deny_addresses: z.array(z.string()),
  created_at: z.iso.datetime(),
})
export type Tenant = z.infer<typeof Tenant>

export const SCOPES = [
  'trading:read',
  'trading:write',
  'orders:write',
  'market:read',
  'keys:write',
  'account:read',
  'account:write',
  'users:read',
  'users:write',
  'tenants:write',
  'audit:read',
  'bot:control',
  'ops:metrics',
  'ops:write',
] as const
export type Scope = (typeof SCOPES)[number]
export const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text)
const BOT: readonly Scope[] = ['trading:read', 'orders:write', 'market:read']
const TRADER: readonly Scope[] = [...BOT, 'trading:write', 'keys:write', 'account:read', 'account:write']
/** What a role may hold; an API key or an agent's token holds a subset. Operators act in their own tenant only. */
export const ROLE_SCOPES: Readonly<Record<string, readonly Scope[]>> = {
  trader: TRADER,
  bot: BOT,
  operator: SCOPES,
  admin: SCOPES,
  service: SCOPES,
}
/** The tenant of those who run the platform: its operators and admins act in every tenant. */
export const HOUSE_TENANT = 'default'
export const isHouse = ({ role, tenant }: { role: string; tenant: string }): boolean =>
  tenant === HOUSE_TENANT && (role === 'operator' || role === 'admin')

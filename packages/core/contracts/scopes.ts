export const SCOPES = [
  'trading:read',
  'trading:write',
  'orders:write',
  'market:read',
  'keys:write',
  'ops:metrics',
  'ops:write',
] as const
export type Scope = (typeof SCOPES)[number]
const TRADER: readonly Scope[] = ['trading:read', 'trading:write', 'orders:write', 'market:read', 'keys:write']
/** What a role may hold; an API key holds a subset. */
export const ROLE_SCOPES: Readonly<Record<string, readonly Scope[]>> = {
  trader: TRADER,
  bot: ['trading:read', 'orders:write', 'market:read'],
  operator: SCOPES,
  admin: SCOPES,
  service: SCOPES,
}

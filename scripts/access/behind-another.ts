/** Guards that no walk can miss, as another one stands before them: `file | part of the line`, and which one that is. */
export const BEHIND_ANOTHER: Readonly<Record<string, string>> = {
  'services/trading/access.ts | ? null : tenantOf(ctx)':
    'it chooses whether row security is behind the predicates, which the walk leaves out: services/trading/access.test.ts',
  'services/gateway/auth/database.ts | if (isHouse(actor)) return outside':
    'it chooses whether row security is behind the predicates, which the walk leaves out: services/gateway/row-security.test.ts',
  'services/gateway/api-keys/issue-key.ts | select count(*)': 'a bound of keys, no guard',
  'services/gateway/api-keys/rotate-key.ts | select count(*)': 'a bound of keys, no guard',
  'services/trading/idempotency/once.ts | requireActor(ctx)': 'every verb that calls it has asked for its scope',
}

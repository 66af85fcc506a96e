/** Guards that no walk can miss: `file | part of the line, as it is or becomes`, and what stands before or behind them. */
export const BEHIND_ANOTHER: Readonly<Record<string, string>> = {
  'services/trading/idempotency/once.ts | requireActor(ctx)': 'every verb that calls it has asked for its scope',
  'services/trading/access.ts | ? null : tenantOf(ctx)':
    'it chooses whether row security is behind the predicates, which the walk leaves out: services/trading/access.test.ts',
  'services/gateway/auth/database.ts | if (isHouse(actor)) return outside':
    'it chooses whether row security is behind the predicates, which the walk leaves out: services/gateway/row-security.test.ts',
  'services/gateway/api-keys/issue-key.ts | select count(*)': 'a bound of keys, no guard',
  'services/gateway/api-keys/rotate-key.ts | select count(*)': 'a bound of keys, no guard',
  'services/gateway/auth/check.ts | requireActor(ctx)': 'a user that does not exist is refused alike',
  'services/gateway/auth/database.ts | delete from user_keys': 'of the user who is erased: erase-user.test.ts',
  'services/gateway/invitations/invite.ts | select count(*)': 'a bound of invitations, no guard',
  'services/gateway/invitations/list-invitations.ts | $2::text is null or $2::text is not null':
    'a filter of who asks; the predicate of the tenant is before it',
  'services/gateway/users/list-users.ts | $2::text is null or $2::text is not null':
    'a filter of who asks; the predicate of the tenant is before it',
  'services/gateway/pin/unlock-pin.ts | where user_id = $1': 'there is one account with a PIN',
  'services/gateway/privacy/erase-user.ts | from users u where id = $1 and tenant = $2':
    'a second look at a row that subject.ts has found to be theirs to erase',
  'services/gateway/usage/list-usage.ts | tenant !== undefined && ': 'what follows narrows to the own tenant as well',
  "services/gateway/users/authority.ts | actor.role === 'admin' && true)":
    'another tenant is refused before: governs, invite.ts',
  'services/gateway/users/house-operators.ts | where tenant = $1': 'the last operator of the house: users.test.ts',
  'services/gateway/users/house-operators.ts | isHouse(actor)': 'the last operator of the house: users.test.ts',
}

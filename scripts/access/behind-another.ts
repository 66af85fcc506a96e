/** Guards that no walk can miss: `file | part of the line, as it is or becomes`, and what stands before or behind them. */
export const BEHIND_ANOTHER: Readonly<Record<string, string>> = {
  'services/trading/idempotency/once.ts | requireActor(ctx)': 'every verb that calls it has asked for its scope',
  "services/trading/idempotency/once.ts | '$1::text is not null and user_id = $2":
    'the user beside it is of one tenant; the primary key, by which a key is claimed, holds both',
  'services/trading/access.ts | isOfHouse(actor) && !':
    "seesTenant narrows an agent to its user's rows; this keeps row security behind it: services/trading/access.test.ts",
  'services/trading/access.ts | ? null : tenantOf(ctx)':
    'it chooses whether row security is behind the predicates, which the walk leaves out: services/trading/access.test.ts',
  'services/gateway/auth/database.ts | if (isHouse(actor)) return outside':
    'it chooses whether row security is behind the predicates, which the walk leaves out: services/gateway/row-security.test.ts',
  'services/gateway/auth/check.ts | requireActor(ctx)': 'a user that does not exist is refused alike',
  'services/gateway/privacy/erase-user.ts | from users u where id = $1 and tenant = $2':
    'a second look at a row that subject.ts has found to be theirs to erase',
  "services/gateway/users/authority.ts | actor.role === 'admin' && true)":
    'another tenant is refused before: governs, invite.ts',
  'services/gateway/users/house-operators.ts | isHouse(actor)':
    'only users of the house leave it, and only the house or they themselves make them: without it more is refused',
}

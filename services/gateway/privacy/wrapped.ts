/** Columns that a key of the secrets store sealed itself, and how: a move to another store seals them anew. */
export interface WrappedColumn {
  table: string
  column: string
  /** the column that names the row in the context */
  id: string
  /** of the secrets store */
  key: string
  context: (id: string) => string
}
export const USER_KEYS: WrappedColumn = {
  table: 'gateway.user_keys',
  column: 'wrapped',
  id: 'user_id',
  key: 'gateway.users',
  context: (id) => `gateway.user_keys.wrapped/${id}`,
}
export const INVITED: WrappedColumn = {
  table: 'gateway.invitations',
  column: 'sealed_email',
  id: 'id',
  key: 'gateway.invitations',
  context: (id) => `gateway.invitations.sealed_email/${id}`,
}

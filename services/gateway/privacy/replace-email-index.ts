import { randomBytes } from 'node:crypto'
import type { Db } from '@assay/core/ports/db/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { createAuthDatabase } from '../auth/database.ts'
import { INVITATIONS, type InvitationRow, openEmail } from '../invitations/rows.ts'
import { JWT_SECRETS } from '../tokens/signing-keys.ts'
import { createPersonalFields } from './personal-fields.ts'
import { USER_KEYS } from './wrapped.ts'

/** The key that a replacement is on the way to: while it is there, no gateway starts. */
const NEXT = 'email_index_next'
const BATCH = 100

type Store = Pick<Secrets, 'getSecret' | 'setSecret' | 'addSecret' | 'deleteSecret' | 'encrypt' | 'decrypt'>

/** Half of the e-mails would be found by another key than this gateway's. */
export async function refuseHalfIndexed(secrets: Pick<Secrets, 'getSecret'>): Promise<void> {
  if ((await secrets.getSecret(JWT_SECRETS, NEXT)) !== null)
    throw new Error('The key that e-mails are found by is being replaced: ./assay rotate email-index ends it.')
}

export interface Indexed {
  users: number
  invitations: number
}
/**
 * E-mails are found by a new key. No gateway may run: it would find nobody, and take a known e-mail for a new one.
 * Killed at any point, the same call goes on with the same key; nothing is lost by doing all of it again.
 */
export async function replaceEmailIndex(db: Db, secrets: Store): Promise<Indexed> {
  const service = db.as('gateway')
  await refuseOtherStore(service, secrets)
  const indexKey = await secrets.addSecret(JWT_SECRETS, NEXT, randomBytes(32).toString('base64url'))
  const database = createAuthDatabase(service, createPersonalFields({ secrets, indexKey, now: Date.now }))
  // letters to whoever has an e-mail know it by the old key
  await service.query(
    `update letters l set user_id = u.id from users u
      where l.user_id is null and l.data->>'email_index' = u.email_index`,
  )
  const indexed: Indexed = { users: 0, invitations: 0 }
  await eachBatch(
    (after) =>
      database.query<{ id: string; email: string }>(
        `select id, email from users where id > $1 and email_index is not null order by id limit ${BATCH}`,
        [after],
      ),
    async ({ id, email }) => {
      // a destroyed key: there is no e-mail to be found by
      if (email === '') return
      await service.query('update users set email_index = $2 where id = $1', [id, database.emailIndex(email)])
      indexed.users++
    },
  )
  await eachBatch(
    (after) => service.query<InvitationRow>(`${INVITATIONS} where id > $1 order by id limit ${BATCH}`, [after]),
    async (row) => {
      const email = await openEmail({ sealing: secrets }, row)
      await service.query('update invitations set email_index = $2 where id = $1', [row.id, database.emailIndex(email)])
      indexed.invitations++
    },
  )
  await secrets.setSecret(JWT_SECRETS, 'email_index', indexKey)
  await secrets.deleteSecret(JWT_SECRETS, NEXT)
  return indexed
}

/** Fails where the secrets are another platform's: its gateways would not start any more once this has begun. */
async function refuseOtherStore(service: Pick<Db, 'query'>, secrets: Store): Promise<void> {
  const [row] = await service.query<{ id: string; wrapped: string }>(
    'select user_id as id, wrapped from user_keys limit 1',
  )
  if (row) await secrets.decrypt(USER_KEYS.key, row.wrapped, USER_KEYS.context(row.id))
}

async function eachBatch<T extends { id: string }>(
  read: (after: string) => Promise<T[]>,
  work: (row: T) => Promise<void>,
): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const rows = await read(after)
    for (const row of rows) await work(row)
    if (rows.length < BATCH) return
    after = rows.at(-1)!.id
  }
}

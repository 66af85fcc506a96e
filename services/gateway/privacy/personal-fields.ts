import { createHmac, randomBytes } from 'node:crypto'
import { AssayError } from '@assay/core/contracts/errors'
import type { Row, Sql } from '@assay/core/ports/db/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { KEY_BYTES, seal, unseal } from '@assay/core/ports/secrets/seal'
import { normalizeEmail } from '../users/email.ts'
import { USER_KEYS } from './wrapped.ts'

/** Columns of users that say who somebody is. */
export const PERSONAL_COLUMNS = ['email', 'pending_email', 'name', 'image'] as const
export type PersonalColumn = (typeof PERSONAL_COLUMNS)[number]

type Query = Pick<Sql, 'query'>
export interface PersonalFields {
  /** what a user is found by: users.email_index */
  emailIndex(email: string): string
  /** a new key of a user, as user_keys has it */
  newKey(userId: string): Promise<string>
  /** what a personal column of a user's row is written as */
  seal(sql: Query, field: { userId: string; column: PersonalColumn }, value: string): Promise<string>
  /** the rows with every sealed value opened; empty where its key was destroyed */
  open<T extends Row>(sql: Query, rows: T[]): Promise<T[]>
  /** nothing of this user is opened by what this process remembers */
  forget(userId: string): void
}
export interface PersonalFieldsParts {
  secrets: Pick<Secrets, 'encrypt' | 'decrypt'>
  /** of the keyed hash of e-mails */
  indexKey: string
  /** ms */
  now: () => number
}

/** `s1.<user>.<sealed>`: a value says whose key opens it, the place it stands in is authenticated. */
const SEALED = /^s1\.([0-9a-f-]{36})\.(.+)$/
const REMEMBERED = 10_000
const REMEMBERED_MS = 300_000
/** Keys asked of a secrets server at once. */
const AT_ONCE = 16

const place = (column: string, userId: string) => `gateway.users.${column}/${userId}`

export function createPersonalFields({ secrets, indexKey, now }: PersonalFieldsParts): PersonalFields {
  const keys = new Map<string, { key: Uint8Array; until: number }>()

  function remember(userId: string, key: Uint8Array): Uint8Array {
    keys.delete(userId)
    if (keys.size >= REMEMBERED) keys.delete(keys.keys().next().value!)
    keys.set(userId, { key, until: now() + REMEMBERED_MS })
    return key
  }
  function known(userId: string): Uint8Array | undefined {
    const entry = keys.get(userId)
    return entry && entry.until > now() ? entry.key : undefined
  }

  /** While the store is away, what this process remembers is not forgotten. */
  async function unwrapped(userId: string, wrapped: string): Promise<Uint8Array> {
    try {
      return remember(userId, await secrets.decrypt(USER_KEYS.key, wrapped, USER_KEYS.context(userId)))
    } catch (error) {
      const old = keys.get(userId)
      if (old && error instanceof AssayError && error.code === 'unavailable') return old.key
      throw error
    }
  }

  /** Keys of these users; those that were destroyed are missing. */
  async function keysOf(sql: Query, userIds: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>()
    const asked: string[] = []
    for (const userId of userIds) {
      const key = known(userId)
      if (key) found.set(userId, key)
      else asked.push(userId)
    }
    if (asked.length === 0) return found
    const rows = await sql.query<{ user_id: string; wrapped: string }>(
      'select user_id, wrapped from user_keys where user_id = any($1::uuid[])',
      [asked],
    )
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      const unwrap = async ({ user_id, wrapped }: (typeof rows)[number]) => {
        found.set(user_id, await unwrapped(user_id, wrapped))
      }
      await Promise.all(rows.slice(at, at + AT_ONCE).map(unwrap))
    }
    return found
  }

  return {
    emailIndex: (email) =>
      createHmac('sha256', indexKey)
        .update(`gateway.users.email\0${normalizeEmail(email)}`)
        .digest('hex'),

    async newKey(userId) {
      const key = new Uint8Array(randomBytes(KEY_BYTES))
      const wrapped = await secrets.encrypt(USER_KEYS.key, key, USER_KEYS.context(userId))
      remember(userId, key)
      return wrapped
    },

    async seal(sql, { userId, column }, value) {
      const key = (await keysOf(sql, [userId])).get(userId)
      if (!key) throw new Error('the user of a personal field has no key')
      return `s1.${userId}.${seal(key, Buffer.from(value), place(column, userId))}`
    },

    async open(sql, rows) {
      const found = sealedIn(rows)
      if (found.length === 0) return rows
      const opened = await keysOf(sql, [...new Set(found.map(({ userId }) => userId))])
      for (const { row, column, userId, sealed } of found) {
        const key = opened.get(userId)
        const value = key ? new TextDecoder().decode(unseal(key, sealed, place(column, userId))) : ''
        Object.assign(row, { [column]: value })
      }
      return rows
    },

    forget: (userId) => void keys.delete(userId),
  }
}

interface SealedValue {
  row: Row
  column: string
  userId: string
  sealed: string
}

/** Throws for a value that was moved to another user's row. */
function sealedIn(rows: readonly Row[]): SealedValue[] {
  const found: SealedValue[] = []
  for (const row of rows) {
    for (const column of PERSONAL_COLUMNS) {
      const value = row[column]
      const match = typeof value === 'string' ? SEALED.exec(value) : null
      if (!match) continue
      const [, userId, sealed] = match as unknown as [string, string, string]
      if ((row.user_id ?? row.id ?? userId) !== userId) throw new Error(`${column} of another user stands in this row`)
      found.push({ row, column, userId, sealed })
    }
  }
  return found
}

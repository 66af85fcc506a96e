import type { AccessRow, Caller } from '../../scripts/access/table.ts'
import { Objects, TIER } from '../access/objects.ts'
import { Credentials, gather, ownerOf, type Person, personOf } from '../access/people.ts'
import { type Asked, REQUESTS } from '../access/requests.ts'
import { openWorld } from '../access/world.ts'
import type { Operation } from './operations.ts'
import { toldRequests } from './told.ts'

export const ROLES = ['anonymous', 'trader', 'bot', 'operator', 'admin', 'house', 'agent'] as const satisfies Caller[]
export type Role = (typeof ROLES)[number]
interface Asker {
  role: Role
  owner: Person
  credential: string | null
}
/** Objects are used up: after so many requests a person gets new ones. */
const RENEWED_AFTER = 25

/** The people of the access table on a platform of their own, and what the table says of them. */
export async function openCast(rows: readonly AccessRow[]) {
  const world = await openWorld()
  const people = await gather(world)
  for (const { tenant, token } of [people.olga, people.bella, people.hank])
    await world.take('POST', '/api/tiers', { credential: token, body: { ...TIER, name: `Walk of ${tenant}` } })
  const credentials = new Credentials(world, people)
  const owned = new Map<Person, { objects: Objects; used: number }>()
  const rowOf = new Map<string, AccessRow>()
  for (const row of rows)
    if (row.credential !== 'without' && row.object !== 'user' && row.object !== 'tenant' && !rowOf.has(row.route))
      rowOf.set(row.route, row)
  // what nobody may do with the own, but with another one's of the tenant
  for (const row of rows)
    if (row.object === 'user' && grantsSome(row) && !grantsSome(rowOf.get(row.route))) rowOf.set(row.route, row)
  /** where the table knows no such caller, one with what its role may hold */
  const asking = ({ name }: Operation, role: Role): Pick<AccessRow, 'needs' | 'credential'> => {
    const row = rowOf.get(name)
    return row && row.status[role] !== null ? row : { needs: '-', credential: '-' }
  }

  const told = toldRequests(world)

  /** A request may have asked a second factor of a whole tenant, or shut its addresses out: nobody could go on. */
  const openTenants = () =>
    world.deps.db.query(
      `update gateway.tenants set mfa_required = false, allow_addresses = default, deny_addresses = default
        where id in ('default', 'acme', 'beta')`,
    )

  function objectsOf(owner: Person, isRead: boolean): Objects {
    const known = owned.get(owner)
    if (known && known.used < RENEWED_AFTER) {
      known.used += isRead ? 0 : 1
      return known.objects
    }
    const objects = new Objects(world, owner)
    owned.set(owner, { objects, used: 0 })
    return objects
  }

  async function ask({ name, method }: Operation, { role, owner, credential }: Asker): Promise<Asked> {
    const objects = objectsOf(owner, method === 'GET')
    const sender = personOf(people, role)
    const object = rowOf.get(name)?.object === 'user' ? 'user' : 'own'
    return (await REQUESTS[name]?.({ objects, owner, sender, caller: role, object, credential })) ?? {}
  }

  return {
    world,
    /** people that no request may name: without them nobody could go on */
    reserved: new Set(Object.values(people).map(({ id }) => id)),
    credential: (operation: Operation, role: Role): Promise<string | null> =>
      credentials.of(role, asking(operation, role)),
    lost: (operation: Operation, role: Role): void => credentials.forget(role, asking(operation, role)),
    /** A request of the route that is right in everything but perhaps who sends it; nothing, where its people are gone. */
    async right(operation: Operation, role: Role, credential: string | null): Promise<Asked> {
      if (operation.method !== 'GET') await openTenants()
      if (told[operation.name]) return told[operation.name]!().catch(() => ({}))
      const owner = ownerOf(people, role, rowOf.get(operation.name)?.object === 'user' ? 'user' : 'own')
      try {
        return await ask(operation, { role, owner, credential })
      } catch {
        // a request has ended the session that its objects are made with
        const { email, password } = owner
        const login = await world.send('POST', '/api/auth/login', { body: { email, password } })
        if (login.status !== 200) return {}
        owner.token = login.body.token
        owned.delete(owner)
        return ask(operation, { role, owner, credential }).catch(() => ({}))
      }
    },
    /** new objects for all */
    renew: (): void => owned.clear(),
    /** whether the table grants it */
    allowed: ({ name }: Operation, role: Role): boolean => {
      if (told[name]) return role === 'anonymous' || role === 'trader'
      return isGrant(rowOf.get(name)?.status[role])
    },
  }
}
const isGrant = (status: number | null | undefined): boolean => typeof status === 'number' && status < 300
const grantsSome = (row: AccessRow | undefined): boolean => row !== undefined && Object.values(row.status).some(isGrant)
export type Cast = Awaited<ReturnType<typeof openCast>>

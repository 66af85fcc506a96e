import { type AccessRow, CALLERS, type Caller } from '../../scripts/access/table.ts'
import { Objects, TIER } from './objects.ts'
import {
  Credentials,
  gather,
  isKnownById,
  knownTo,
  type Name,
  ownerOf,
  type People,
  type Person,
  personOf,
} from './people.ts'
import { type Asked, REQUESTS } from './requests.ts'
import { changesBetween, openRows, type Rows } from './rows.ts'
import { subscribe } from './subscribe.ts'
import { type Answer, openWorld, type World, whyOf } from './world.ts'

const OWNERS: readonly Name[] = ['ann', 'amy', 'olga', 'adam', 'bob', 'hank', 'hugo', 'opal']
const READS = new Set(['GET', 'SUBSCRIBE'])
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

export interface Walk {
  world: World
  people: People
  credentials: Credentials
  /** from now on new objects of the same people */
  renew(): void
  /** what differs from the table, and every leak; one line each */
  row(row: AccessRow, how?: { toTheFirst: boolean }): Promise<string[]>
  /** requests sent so far, and how many of them were refused */
  counted: { sent: number; refused: number }
  close(): Promise<void>
}

/** Real people with real objects, and for each cell of the table a request that only the caller makes wrong. */
export async function openWalk(opened: Promise<World> = openWorld()): Promise<Walk> {
  const world = await opened
  return walkOf(world).catch(async (error) => {
    await world.close()
    throw error
  })
}

async function walkOf(world: World): Promise<Walk> {
  const counted = { sent: 0, refused: 0 }
  const parts = await gatherParts(world, counted)
  for (const { tenant, token } of [parts.people.olga, parts.people.bella, parts.people.hank]) {
    await world.take('POST', '/api/tiers', { credential: token, body: { ...TIER, name: `Walk of ${tenant}` } })
    const body = { kind: 'holidays', dates: [{ date: '2024-12-25' }] }
    await world.take('PUT', `/api/calendars/days-of-${tenant}`, { credential: token, body })
  }
  await stand(parts)
  return {
    world,
    counted,
    people: parts.people,
    credentials: parts.credentials,
    renew() {
      parts.standing = standingOf(world, parts.people)
    },
    async row(row, how) {
      const wrong: string[] = []
      for (const caller of CALLERS) {
        if (how?.toTheFirst && wrong.length > 0) break
        const expected = row.status[caller]
        if (expected === null) continue
        for (const line of await tryCell(parts, { row, caller, expected }))
          wrong.push(`line ${row.line}: ${caller}, ${row.credential} the scope, object ${row.object}: ${line}`)
      }
      return wrong
    },
    close: () => world.close(),
  }
}

async function gatherParts(world: World, counted: Walk['counted']): Promise<Parts> {
  const people = await gather(world)
  const standing = standingOf(world, people)
  const rows = await openRows(world.deps.db)
  const credentials = new Credentials(world, people)
  return { world, people, standing, credentials, rows, seen: null, markers: new Map(), counted }
}
const standingOf = (world: World, people: People) =>
  new Map(OWNERS.map((name) => [people[name], new Objects(world, people[name], true)]))
/** Everybody gets what the refused requests ask for. */
async function stand(parts: Parts): Promise<void> {
  await Promise.all([...parts.standing.values()].map((objects) => objects.make()))
  parts.markers = await markersOf(parts.world, parts.people, parts.standing)
}

interface Parts {
  world: World
  people: People
  standing: ReadonlyMap<Person, Objects>
  credentials: Credentials
  rows: () => Promise<Rows>
  seen: { writes: number; rows: Rows } | null
  markers: ReadonlyMap<Person, readonly string[]>
  counted: Walk['counted']
}
/** As they were after the last refusal, where nothing was written since. */
async function rowsNow({ world, rows, seen }: Parts): Promise<Rows> {
  return seen?.writes === world.writes ? seen.rows : rows()
}
interface Cell {
  row: AccessRow
  caller: Caller
  expected: number
}

async function tryCell(parts: Parts, { row, caller, expected }: Cell): Promise<string[]> {
  const { world, people, credentials, counted } = parts
  const [method, template] = row.route.split(' ') as [string, string]
  const owner = ownerOf(people, caller, row.object)
  const isRefusal = expected >= 400
  const usesUp = !READS.has(method) && !isRefusal
  const objects = usesUp ? new Objects(world, owner) : parts.standing.get(owner)!
  const credential = await credentials.of(caller, row)
  const sender = personOf(people, caller)
  const asked = (await REQUESTS[row.route]?.({ objects, owner, caller, sender, object: row.object, credential })) ?? {}
  const path = pathOf(template, asked)
  const before = isRefusal ? await rowsNow(parts) : null
  const { body, headers } = asked
  const answer = await send(world, { method, path, credential: asked.credential ?? credential, asked })
  counted.sent++
  if (asked.ends && answer.status < 300) credentials.forget(caller, row)

  const wrong: string[] = []
  const alike = asked.alike?.includes(expected) ? asked.alike : [expected]
  if (!alike.includes(answer.status))
    wrong.push(
      `${method} ${path}: ${answer.status}, not ${expected}: ${answer.text.slice(0, 300)}${answer.status >= 500 ? whyOf(world.faults, answer.body) : ''}`,
    )
  wrong.push(...leaksIn(answer, { parts, caller, sent: path + JSON.stringify(body ?? '') }))
  if (before === null) return wrong
  counted.refused++
  const after = await parts.rows()
  parts.seen = { writes: world.writes, rows: after }
  const changed = changesBetween(before, after)
  if (changed.length > 0) wrong.push(`the refusal changed ${changed.join(', ')}`)
  // who is refused learns nothing by a request that is wrong as well
  if (expected === 401 && WITH_BODY.has(method) && body !== undefined) {
    const again = await world.send(method, path, { credential, body: '{"nonsense":', headers })
    counted.sent++
    if (![400, 401].includes(again.status)) wrong.push(`with nonsense as its body: ${again.status}`)
    const list = await world.send(method, path, { credential, body: [], headers })
    counted.sent++
    if (list.status !== 401) wrong.push(`with a list as its body: ${list.status}`)
  }
  return wrong
}

interface Request {
  method: string
  path: string
  credential: string | null
  asked: Asked
}
function send(world: World, { method, path, credential, asked: { body, headers } }: Request): Promise<Answer> {
  if (method === 'SUBSCRIBE') return subscribe(world.url, decodeURIComponent(path), credential)
  return world.ask(method, path, { credential, body, headers })
}

function pathOf(template: string, { params = {}, query }: Asked): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name]
    if (value === undefined) throw new Error(`${template}: tests/access/requests.ts says nothing of ${name}`)
    return encodeURIComponent(value)
  })
  return query ? `${path}?${query}` : path
}

/** Names of people and of their objects in an answer to somebody who may not know of them. */
function leaksIn(answer: Answer, { parts, caller, sent }: { parts: Parts; caller: Caller; sent: string }): string[] {
  const known = new Set(knownTo(parts.people, caller))
  const home = personOf(parts.people, caller)?.tenant ?? 'default'
  const ofTenants = ['acme', 'beta'].filter((tenant) => tenant !== home && caller !== 'house')
  const told = answer.text + JSON.stringify([...answer.headers])
  const operates = caller === 'operator' || caller === 'admin'
  const foreign = ofTenants
    .flatMap((tenant) => [`Walk of ${tenant}`, `days-of-${tenant}`, `"id":"${tenant}"`])
    .filter((marker) => told.includes(marker))
    .map((marker) => `LEAK of a tenant: ${marker}`)
  const personal = [...parts.markers].flatMap(([person, markers]) =>
    known.has(person)
      ? []
      : markers
          .filter((marker) => !(operates && marker === person.id && isKnownById(person)))
          .filter((marker) => told.includes(marker) && !sent.includes(marker))
          .map((marker) => `LEAK of ${person.name}: ${marker}`),
  )
  return [...foreign, ...personal]
}

async function markersOf(
  world: World,
  people: People,
  standing: ReadonlyMap<Person, Objects>,
): Promise<Map<Person, readonly string[]>> {
  const markers = new Map<Person, readonly string[]>()
  for (const person of Object.values(people)) {
    const made = await world.deps.db.query<{ id: string }>(
      `select id from trading.purchase where user_id = $1 union all select id from trading.assessment where user_id = $1
       union all select id::text from gateway.api_keys where user_id::text = $1
       union all select id::text from gateway.sessions where user_id::text = $1`,
      [person.id],
    )
    const own = standing.has(person) ? made.map(({ id }) => id) : []
    markers.set(person, [person.id, person.email, `${person.name} of ${person.tenant}`, ...own])
  }
  return markers
}

import { ROLE_SCOPES, type Scope } from '@assay/core/contracts/scopes'
import { AGENT_SCOPE_NAMES } from '@assay/services/gateway/oauth/scopes'
import { newPkce, openBrowser } from '@assay/services/gateway/oauth/testing/browser'
import { signAccessToken } from '@assay/services/gateway/tokens/sign-access-token'
import { decodeJwt } from 'jose'
import type { AccessRow, Caller, ObjectOf } from '../../scripts/access/table.ts'
import { OPERATOR, PIN, type World } from './world.ts'

export interface Person {
  name: string
  id: string
  email: string
  password: string
  role: 'trader' | 'operator' | 'admin'
  tenant: string
  token: string
  refreshToken: string
}
/** acme: a trader, another one, an operator, an admin; beta: whose objects nobody of acme may see; default: the house. */
const CAST = {
  ann: ['trader', 'acme'],
  amy: ['trader', 'acme'],
  olga: ['operator', 'acme'],
  adam: ['admin', 'acme'],
  bob: ['trader', 'beta'],
  bella: ['operator', 'beta'],
  hank: ['operator', 'default'],
  hugo: ['trader', 'default'],
  opal: ['operator', 'default'],
} as const satisfies Record<string, readonly [Person['role'], string]>
export type Name = keyof typeof CAST
export type People = Readonly<Record<Name, Person>>

export interface Login {
  token: string
  refresh_token: string
}

export async function gather(world: World): Promise<People> {
  const { db } = world.deps
  await db.query(
    `insert into gateway.tenants (id, name) values ('acme', 'Acme'), ('beta', 'Beta') on conflict do nothing`,
  )
  // logins are answered at multiples of 100 ms
  const joined = (Object.keys(CAST) as Name[]).map(async (name) => [name, await join(world, name)] as const)
  const people = Object.fromEntries(await Promise.all(joined)) as People
  world.house = people.hank
  return people
}

async function join(world: World, name: Name): Promise<Person> {
  const [role, tenant] = CAST[name]
  const login =
    name === 'opal' ? OPERATOR : { email: `${name}@${tenant}.example`, password: `${name} has a long password` }
  if (name === 'opal') {
    const { token, refresh_token } = await world.take<Login>('POST', '/api/auth/login', { body: login })
    return { name, id: String(decodeJwt(token).sub), ...login, role, tenant, token, refreshToken: refresh_token }
  }
  return register(world, { name, role, tenant, ...login })
}

/** Somebody new, with a role and a tenant from the start. */
export async function register(
  world: World,
  { name, role, tenant, email, password }: Pick<Person, 'name' | 'role' | 'tenant' | 'email' | 'password'>,
): Promise<Person> {
  const login = { email, password }
  const body = { ...login, name: `${name} of ${tenant}` }
  const { user } = await world.take<{ user: { id: string } }>('POST', '/api/auth/register', { body })
  await world.deps.db.query('update gateway.users set role = $2, tenant = $3 where id = $1', [user.id, role, tenant])
  const { token, refresh_token } = await world.take<Login>('POST', '/api/auth/login', { body: login })
  return { name, id: user.id, ...login, role, tenant, token, refreshToken: refresh_token }
}

/** Somebody whom no row speaks of. */
export const newcomer = (world: World, role: Person['role'] = 'trader', tenant = 'acme'): Promise<Person> => {
  const name = `new-${crypto.randomUUID().slice(0, 8)}`
  const login = { email: `${name}@${tenant}.example`, password: `${name} is long enough` }
  return register(world, { name, role, tenant, ...login })
}

/** The person behind a caller; null: nobody's credential. */
export function personOf(people: People, caller: Caller): Person | null {
  switch (caller) {
    case 'anonymous':
    case 'service':
      return null
    case 'operator':
      return people.olga
    case 'admin':
      return people.adam
    case 'house':
    case 'house_agent':
      return people.hank
    case 'pin':
      return people.opal
    default:
      return people.ann
  }
}
/** Whose object a row speaks of. */
export function ownerOf(people: People, caller: Caller, object: ObjectOf): Person {
  if (object === 'tenant') return people.bob
  const own = personOf(people, caller) ?? people.ann
  if (object !== 'user') return own
  return own.tenant === 'default' ? people.hugo : people.amy
}
/** Who acts for the platform in other tenants: there its id stands in what it has done, and no more of it. */
export const isKnownById = (person: Person): boolean => person.tenant === 'default' && person.role !== 'trader'
/** Whom a caller may learn of: itself, an operator its tenant, the house everybody. */
export function knownTo(people: People, caller: Caller): Person[] {
  const own = personOf(people, caller)
  const all = Object.values(people)
  if (!own) return []
  if (caller === 'house') return all
  const leads = caller === 'operator' || caller === 'admin'
  return all.filter((person) => person === own || (leads && person.tenant === own.tenant))
}

const REDIRECT = 'https://agent.example/callback'
type Asks = Pick<AccessRow, 'needs' | 'credential'>
/** What callers send, made once each. */
export class Credentials {
  private readonly made = new Map<string, Promise<string | null>>()

  constructor(
    private readonly world: World,
    private readonly people: People,
  ) {}

  of(caller: Caller, { needs, credential }: Asks): Promise<string | null> {
    const name = `${caller} ${needs} ${credential}`
    const made = this.made.get(name) ?? this.make(caller, { needs, credential })
    this.made.set(name, made)
    return made
  }
  /** to be made anew: a request has ended it */
  forget(caller: Caller, { needs, credential }: Asks): void {
    this.made.delete(`${caller} ${needs} ${credential}`)
  }

  /** Each of a session of its own: what ends one leaves the others. */
  private async make(caller: Caller, { needs, credential }: Asks) {
    if (caller === 'anonymous') return null
    if (caller === 'service') return this.world.serviceToken
    if (caller === 'pin') return (await this.world.take<Login>('POST', '/api/auth/login', { body: { pin: PIN } })).token
    const person = personOf(this.people, caller)!
    const held = ROLE_SCOPES[person.role]!
    const without = held.filter((scope) => scope !== needs)
    if (caller === 'agent' || caller === 'house_agent') {
      const others = AGENT_SCOPE_NAMES.filter((scope) => scope !== needs)
      return this.grant(person, credential === 'with' ? [needs as Scope] : others)
    }
    const scopes = credential === 'without' ? without : credential === 'with' ? [needs as Scope] : ROLE_SCOPES.bot!
    if (caller === 'bot') return this.key(person, scopes)
    const { token } = await this.login(person)
    return credential === 'without' ? this.mint(token, without) : token
  }

  /** What the user lets a registered client do, by the pages. */
  private async grant({ email, password }: Person, scopes: readonly Scope[]): Promise<string> {
    this.client ??= this.world.take<{ client_id: string }>('POST', '/oauth/register', {
      body: { client_name: 'An agent', redirect_uris: [REDIRECT] },
    })
    const { client_id } = await this.client
    const { verifier, challenge } = newPkce()
    const asked = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: REDIRECT,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: scopes.join(' '),
    })
    this.world.writes++
    const browser = openBrowser((request) => fetch(request), this.world.url)
    const login = await browser.open(`/oauth/authorize?${asked}`)
    const consent = await browser.submit(login, '/oauth/login', { email, password })
    const back = consent.location ? consent : await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
    const code = back.location?.searchParams.get('code')
    if (!code) throw new Error(`no code: ${back.status} ${back.location ?? back.text}`)
    const body = { grant_type: 'authorization_code', client_id, redirect_uri: REDIRECT, code, code_verifier: verifier }
    const given = await fetch(`${this.world.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(body) })
    return ((await given.json()) as { access_token: string }).access_token
  }
  private client: Promise<{ client_id: string }> | undefined
  private login({ email, password }: Person): Promise<Login> {
    return this.world.take<Login>('POST', '/api/auth/login', { body: { email, password } })
  }
  private async key(person: Person, scopes: readonly Scope[]): Promise<string> {
    const body = { name: 'a bot', scopes }
    return (await this.world.take<{ key: string }>('POST', '/api/api-keys', { credential: person.token, body })).key
  }
  /** A token of the same session that holds other scopes, signed by the platform's key. */
  private mint(token: string, scopes: readonly Scope[]): Promise<string> {
    const claims = decodeJwt(token)
    return signAccessToken(this.world.keys, { ...claims, jti: crypto.randomUUID(), scope: scopes.join(' ') })
  }
}

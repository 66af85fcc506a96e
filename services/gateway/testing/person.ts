import { createHmac } from 'node:crypto'
import type { NewUser } from '../users/create-user.ts'
import type { Answer, World } from './world.ts'

export const PASSWORD = 'correct horse battery'

/** The code of an authenticator app, RFC 6238, from the key as a person types it in. */
export function appCode(secret: string, nowMs: number): string {
  const bits = [...secret]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 30_000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export interface Person {
  email: string
  id: string
  address: string
  /** asks with the token of the last login */
  ask(method: string, path: string, body?: unknown): Promise<Answer>
  login(more?: object, from?: object): Promise<Answer>
  refresh(refreshToken: string, from?: object): Promise<Answer>
  token: string
}

let people = 0

/** A user with a password at an address of its own, logged in once. */
export async function newPerson(world: World, user: Partial<NewUser> = {}): Promise<Person> {
  const n = people++
  const email = user.email ?? `someone${n}@assay.example`
  const made = await world.createUser({ password: PASSWORD, role: 'trader', ...user, email })
  const address = `10.77.${n >> 8}.${n & 255}`
  const person: Person = {
    email,
    id: made.id,
    address,
    token: '',
    ask: (method, path, body) => world.ask(method, path, { body, token: person.token, address }),
    async login(more = {}, from = {}) {
      const body = { email, password: PASSWORD, ...more }
      const answer = await world.ask('POST', '/api/auth/login', { body, address, ...from })
      if (answer.status === 200) person.token = answer.body.token
      return answer
    },
    refresh: (refresh_token, from = {}) =>
      world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address, ...from }),
  }
  await person.login()
  return person
}

/** Turns the person's second factor on; what then makes its codes, and its recovery codes. */
export async function withFactor(world: World, person: Person) {
  const { body } = await person.ask('POST', '/api/auth/totp/enable', { password: PASSWORD })
  const code = () => {
    // each code is good once
    world.time.now += 30_000
    return appCode(body.secret, world.time.now)
  }
  const shown = await person.ask('POST', '/api/auth/totp/verify', { code: code() })
  if (shown.status !== 200) throw new Error(JSON.stringify(shown.body))
  return { code, recovery: shown.body.recovery_codes as string[] }
}

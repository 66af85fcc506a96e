import { expect, test } from 'bun:test'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { AssayError } from '../contracts/errors.ts'
import type { Actor } from './context.ts'
import { createTokenVerifier, TOKEN_AUDIENCE, TOKEN_ISSUER } from './verify-token.ts'

const START = Date.UTC(2026, 0, 5) / 1_000
const keys = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
const header: JWTHeaderParameters = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' }
const claims: JWTPayload = {
  iss: TOKEN_ISSUER,
  aud: TOKEN_AUDIENCE,
  sub: 'user-1',
  sid: 'session-1',
  jti: 'jti-1',
  iat: START,
  exp: START + 900,
  scope: 'trading:read orders:write unheard:of',
  role: 'trader',
  tenant: 'default',
  plan: 'standard',
}
const sign = (
  changes: { header?: object; claims?: object } = {},
  key: CryptoKey | Uint8Array = keys.privateKey,
): Promise<string> =>
  new SignJWT({ ...claims, ...changes.claims }).setProtectedHeader({ ...header, ...changes.header }).sign(key)

function setUp(
  sources: {
    session?: () => Promise<{ epoch: number } | null>
    apiKeyActor?: (key: string) => Promise<Actor | null>
    isCurrent?: () => boolean
    audiences?: readonly string[]
    issuer?: (issuer: string) => boolean
    refusedAddress?: (actor: Actor, address: string | undefined) => void
  } = {},
) {
  const counts = { lookUps: 0 }
  const time = { now: START * 1_000 }
  const verifier = createTokenVerifier({
    clock: { now: () => time.now, monotonic: () => time.now, sleep: () => Promise.resolve() },
    publicKey: async (kid) => (kid === 'k1' ? keys.publicKey : undefined),
    apiKeyActor: async () => null,
    ...sources,
    async session() {
      counts.lookUps++
      return sources.session ? sources.session() : { epoch: 0 }
    },
    maxCached: 100,
  })
  const refuses = async (token: string) =>
    expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  return { verifier, refuses, counts, time }
}

test('a valid token gives its actor, with known scopes only, and is looked up once (V7.2.1)', async () => {
  const { verifier, counts } = setUp()
  const token = await sign()
  const actor = await verifier.verify(token)
  expect(actor).toEqual({
    userId: 'user-1',
    role: 'trader',
    tenant: 'default',
    plan: 'standard',
    scopes: ['trading:read', 'orders:write'],
    sessionId: 'session-1',
    expiresAt: (START + 900) * 1_000,
  })
  expect(await verifier.verify(token)).toBe(actor)
  expect(counts.lookUps).toBe(1)
})

test('what is known at once is what was verified, until it ends, is revoked, or nobody is heard of revocations', async () => {
  const heard = { current: true }
  const { verifier, time } = setUp({
    isCurrent: () => heard.current,
    apiKeyActor: async () => ({
      userId: 'u',
      role: 'bot',
      tenant: 'default',
      plan: 'standard',
      scopes: [],
      keyId: 'k',
    }),
  })
  const token = await sign()
  expect(verifier.known!(token)).toBeUndefined()
  const actor = await verifier.verify(token)
  expect(verifier.known!(token)).toBe(actor)
  expect(verifier.known!(`${token}x`)).toBeUndefined()
  heard.current = false
  expect(verifier.known!(token)).toBeUndefined()
  heard.current = true
  verifier.revokeSession('session-1')
  expect(verifier.known!(token)).toBeUndefined()
  const other = await sign({ claims: { sid: 'session-2' } })
  await verifier.verify(other)
  verifier.revokeUser('user-1')
  expect(verifier.known!(other)).toBeUndefined()
  await verifier.verify(other)
  time.now += 900_000
  expect(verifier.known!(other)).toBeUndefined()
  // a key may be bound to addresses: it is always asked about
  await verifier.verify('assay_key')
  expect(verifier.known!('assay_key')).toBeUndefined()
})

test('a token with any one character changed is refused (V9.1.1)', async () => {
  const { verifier, refuses } = setUp()
  const token = await sign()
  await verifier.verify(token)
  for (let at = 0; at < token.length - 1; at += 7) {
    await refuses(token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1))
  }
})

test('alg none, HMAC with the public key, RSA, another key and a key that the token brings are refused (V9.1.2, V9.1.3)', async () => {
  const { refuses } = setUp()
  const [, payload] = (await sign()).split('.')
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid: 'k1' })).toString('base64url')
  await refuses(`${none}.${payload}.`)
  const publicJwk = await exportJWK(keys.publicKey)
  await refuses(await sign({ header: { alg: 'HS256' } }, Buffer.from(JSON.stringify(publicJwk).padEnd(64))))
  const rsa = await generateKeyPair('RS256')
  await refuses(await sign({ header: { alg: 'RS256' } }, rsa.privateKey))
  const other = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  await refuses(await sign({}, other.privateKey))
  await refuses(await sign({ header: { jwk: await exportJWK(other.publicKey) } }, other.privateKey))
  await refuses(await sign({ header: { kid: 'k2' } }))
  await refuses(await sign({ header: { kid: undefined } }))
})

test('another type, issuer or audience and a missing claim are refused (V9.2.1, V9.2.2, V9.2.3, V10.3.1)', async () => {
  const { refuses } = setUp()
  await refuses(await sign({ header: { typ: 'JWT' } }))
  for (const changed of [
    { iss: 'someone' },
    { aud: 'another-api' },
    { aud: undefined },
    { sub: undefined },
    { sid: undefined },
    { jti: undefined },
    { iat: undefined },
    { exp: undefined },
    { role: 'root' },
    { scope: undefined },
    { nbf: START + 60 },
  ])
    await refuses(await sign({ claims: changed }))
  for (const text of ['', '.', '..', 'a.b.c', 'assay_unknown']) await refuses(text)
})

test('a token ends at its expiry, remembered or not (V9.2.1)', async () => {
  const { verifier, refuses, time } = setUp()
  const [seen, unseen] = [await sign(), await sign({ claims: { jti: 'jti-2' } })]
  time.now = (START + 900) * 1_000 - 1
  await verifier.verify(seen)
  time.now += 1
  await refuses(seen)
  await refuses(unseen)
})

test('a revoked session ends all its tokens at once and no other session', async () => {
  let live = true
  const { verifier, refuses } = setUp({ session: async () => (live ? { epoch: 0 } : null) })
  const mine = [await sign(), await sign({ claims: { jti: 'jti-2' } })]
  const other = await sign({ claims: { sid: 'session-2' } })
  for (const token of [...mine, other]) await verifier.verify(token)
  live = false
  verifier.revokeSession('session-1')
  for (const token of mine) await refuses(token)
  await verifier.verify(other)
})

test('a session revoked while its token is being looked up is not remembered as live', async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<{ epoch: number }>()
  const { verifier } = setUp({
    session: () => {
      asked.resolve()
      return answer.promise
    },
  })
  const token = await sign()
  const outcome = verifier.verify(token).then(
    () => 'accepted',
    (error) => error.code,
  )
  await asked.promise
  verifier.revokeSession('session-1')
  answer.resolve({ epoch: 0 })
  expect(await outcome).toBe('unauthorized')
})

test('an API key is looked up once, until it is revoked or expires', async () => {
  const found: Actor = { userId: 'u', role: 'bot', tenant: 'default', plan: 'standard', scopes: [], keyId: 'key-1' }
  let actor: Actor | null = { ...found, expiresAt: START * 1_000 + 500 }
  const { verifier, refuses, time } = setUp({ apiKeyActor: async () => actor })
  expect(await verifier.verify('assay_one')).toMatchObject({ keyId: 'key-1' })
  time.now += 500
  await refuses('assay_one')
  actor = found
  await verifier.verify('assay_one')
  actor = null
  await verifier.verify('assay_one')
  verifier.revokeKey('key-1')
  await refuses('assay_one')
})

test('a key without an end is asked for again after a minute: what nobody told of it is found then', async () => {
  let actor: Actor | null = { userId: 'u', role: 'bot', tenant: 'default', plan: 'standard', scopes: [], keyId: 'k' }
  const { verifier, refuses, time } = setUp({ apiKeyActor: async () => actor })
  await verifier.verify('assay_one')
  actor = null
  time.now += 59_999
  await verifier.verify('assay_one')
  time.now += 1
  await refuses('assay_one')
})

test('what a user was issued before its epoch is refused at once, remembered or not, and what is issued after is good', async () => {
  let epoch = 3
  const { verifier, refuses } = setUp({ session: async () => ({ epoch }) })
  const issued = (at: number, jti: string, sub = 'user-1') => sign({ claims: { epoch: at, jti, sub, sid: `s-${sub}` } })
  const [seen, unseen, other] = [await issued(3, 'a'), await issued(3, 'b'), await issued(3, 'c', 'user-2')]
  await verifier.verify(seen)
  await verifier.verify(other)
  epoch = 4
  await verifier.verify(seen)
  verifier.revokeUser('user-1')
  await refuses(seen)
  await refuses(unseen)
  await verifier.verify(other)
  await verifier.verify(await issued(4, 'd'))
  await refuses(await sign({ claims: { epoch: undefined } }))
  await refuses(await sign({ claims: { epoch: -1 } }))
})

test("a user's revocation in the middle of a look-up makes it look again: a key that lives on is accepted, another is not", async () => {
  const found: Actor = { userId: 'u', role: 'bot', tenant: 'default', plan: 'standard', scopes: [], keyId: 'key-1' }
  for (const after of [{ ...found, role: 'trader' as const }, null]) {
    const answers: (Actor | null)[] = [found, after]
    const asked = Promise.withResolvers<void>()
    const revoked = Promise.withResolvers<void>()
    const { verifier } = setUp({
      async apiKeyActor() {
        const answer = answers.shift()!
        asked.resolve()
        await revoked.promise
        return answer
      },
    })
    const outcome = verifier.verify('assay_one').then(({ role }) => role, String)
    await asked.promise
    verifier.revokeUser('u')
    revoked.resolve()
    expect(await outcome).toMatch(after ? /^trader$/ : /unauthorized/)
  }
})

test('while it is not known what was revoked, every use of a credential is a look-up', async () => {
  let current = true
  let live = true
  const { verifier, refuses, counts } = setUp({
    isCurrent: () => current,
    session: async () => (live ? { epoch: 0 } : null),
    apiKeyActor: async () =>
      live ? { userId: 'u', role: 'bot', tenant: 'default', plan: 'standard', scopes: [], keyId: 'k' } : null,
  })
  const token = await sign()
  for (let i = 0; i < 3; i++) await verifier.verify(token)
  await verifier.verify('assay_one')
  expect(counts.lookUps).toBe(1)
  current = false
  await verifier.verify(token)
  await verifier.verify(token)
  expect(counts.lookUps).toBe(3)
  live = false
  await refuses(token)
  await refuses('assay_one')
})

test('where nobody can be asked what was revoked, a remembered credential is not let through', async () => {
  let away = false
  const { verifier } = setUp({
    isCurrent: () => !away,
    session: async () => {
      if (away) throw new AssayError('unavailable', 'gateway does not answer.')
      return { epoch: 0 }
    },
  })
  const token = await sign()
  await verifier.verify(token)
  away = true
  const outcome = await verifier.verify(token).then(
    () => 'accepted',
    (error) => error.code,
  )
  expect(outcome).toBe('unavailable')
})

test('a service takes tokens for its own audiences and no others: one for another service is refused', async () => {
  const api = setUp()
  const mcp = setUp({ audiences: ['https://assay.example/mcp'] })
  const [forApi, forMcp] = [await sign(), await sign({ claims: { aud: 'https://assay.example/mcp' } })]
  await api.verifier.verify(forApi)
  await mcp.verifier.verify(forMcp)
  await api.refuses(forMcp)
  await mcp.refuses(forApi)
})

test('a key that is bound to addresses is refused from any other, remembered or not, and each refusal is told', async () => {
  const actor: Actor = {
    userId: 'u',
    role: 'bot',
    tenant: 'default',
    plan: 'standard',
    scopes: [],
    keyId: 'k',
    addresses: ['203.0.113.0/28', '2001:db8::1'],
  }
  const told: (string | undefined)[] = []
  const { verifier } = setUp({ apiKeyActor: async () => actor, refusedAddress: (_, address) => told.push(address) })
  const from = (address?: string) =>
    verifier.verify('assay_one', address).then(
      () => 'accepted',
      (error) => error.code,
    )
  expect(await from('203.0.113.16')).toBe('unauthorized')
  expect(await from('203.0.113.15')).toBe('accepted')
  expect(await from('2001:db8::1')).toBe('accepted')
  expect(await from('203.0.113.16')).toBe('unauthorized')
  expect(await from()).toBe('unauthorized')
  expect(told).toEqual(['203.0.113.16', '203.0.113.16', undefined])
})

test('requests that come together with one unknown credential cost one look-up', async () => {
  const { verifier, counts } = setUp()
  const token = await sign()
  await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)))
  expect(counts.lookUps).toBe(1)
})

test('the number of remembered credentials is bounded', async () => {
  const { verifier, counts } = setUp()
  const tokens = await Promise.all(Array.from({ length: 150 }, (_, i) => sign({ claims: { jti: `${i}` } })))
  for (const token of tokens) await verifier.verify(token)
  expect(counts.lookUps).toBe(150)
  for (const token of tokens.slice(50)) await verifier.verify(token)
  expect(counts.lookUps).toBe(150)
  await verifier.verify(tokens[0]!)
  expect(counts.lookUps).toBe(151)
})

test("a token names us as its issuer, by our name or by the platform's address, and says which client acts", async () => {
  const { verifier, refuses } = setUp({ issuer: (issuer) => issuer === 'https://assay.example' })
  const token = await sign({
    claims: { iss: 'https://assay.example', aud: ['assay-api', 'https://assay.example'], client_id: 'c1' },
  })
  expect(await verifier.verify(token)).toMatchObject({ userId: 'user-1', clientId: 'c1' })
  await refuses(await sign({ claims: { iss: 'https://evil.example' } }))
  await refuses(await sign({ claims: { iss: undefined } }))
  await refuses(await sign({ claims: { iss: 'https://assay.example', aud: 'https://assay.example/mcp' } }))
  await setUp().refuses(token)
})

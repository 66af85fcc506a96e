import { expect, test } from 'bun:test'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
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
  sources: { sessionLives?: () => Promise<boolean>; apiKeyActor?: (key: string) => Promise<Actor | null> } = {},
) {
  const counts = { lookUps: 0 }
  const time = { now: START * 1_000 }
  const verifier = createTokenVerifier({
    clock: { now: () => time.now, monotonic: () => time.now, sleep: () => Promise.resolve() },
    publicKey: async (kid) => (kid === 'k1' ? keys.publicKey : undefined),
    sessionLives: async () => {
      counts.lookUps++
      return (await sources.sessionLives?.()) ?? true
    },
    apiKeyActor: sources.apiKeyActor ?? (async () => null),
    maxCached: 100,
  })
  const refuses = async (token: string) =>
    expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  return { verifier, refuses, counts, time }
}

test('a valid token gives its actor, with known scopes only, and is looked up once', async () => {
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

test('a token with any one character changed is refused', async () => {
  const { verifier, refuses } = setUp()
  const token = await sign()
  await verifier.verify(token)
  for (let at = 0; at < token.length - 1; at += 7) {
    await refuses(token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1))
  }
})

test('alg none, HMAC with the public key, RSA, another key and a key that the token brings are refused', async () => {
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

test('another type, issuer or audience and a missing claim are refused', async () => {
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

test('a token ends at its expiry, remembered or not', async () => {
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
  const { verifier, refuses } = setUp({ sessionLives: async () => live })
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
  const answer = Promise.withResolvers<boolean>()
  const { verifier } = setUp({
    sessionLives: () => {
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
  answer.resolve(true)
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

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { isScope } from '../contracts/scopes.ts'
import { SERVICES } from '../contracts/services.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Actor } from './context.ts'

/** Names of certificates: `trading.assay.internal`. */
export const peerName = (service: string): string => `${service}.assay.internal`
/** Carries the service token between services. */
export const SERVICE_TOKEN = 'x-assay-service'

const ALGORITHM = 'ES256'
const TYPE = 'assay-service+jwt'
const LIFETIME_S = 60
/** A minted token is used until this long before its end. */
const SPARE_MS = 15_000
/** Verified and minted tokens remembered: each caller makes a few a minute, and one for each user it asks for. */
const MOST_KNOWN = 1_000

/** The user, key or agent that a service asks for (the claim `act`): what its own access token would say. */
const actClaim = z.object({
  sub: z.string().min(1),
  role: z.enum(['trader', 'operator', 'admin', 'bot', 'service']),
  tenant: z.string().min(1),
  plan: z.string().min(1),
  scope: z.string(),
  sid: z.string().optional(),
  key: z.string().optional(),
  client_id: z.string().optional(),
})
const toAct = (actor: Actor): z.infer<typeof actClaim> => ({
  sub: actor.userId,
  role: actor.role,
  tenant: actor.tenant,
  plan: actor.plan,
  scope: actor.scopes.join(' '),
  ...(actor.sessionId && { sid: actor.sessionId }),
  ...(actor.keyId && { key: actor.keyId }),
  ...(actor.clientId && { client_id: actor.clientId }),
})
const toActor = (act: z.infer<typeof actClaim>): Actor => ({
  userId: act.sub,
  role: act.role,
  tenant: act.tenant,
  plan: act.plan,
  scopes: act.scope.split(' ').filter(isScope),
  ...(act.sid && { sessionId: act.sid }),
  ...(act.key && { keyId: act.key }),
  ...(act.client_id && { clientId: act.client_id }),
})

export interface PeerCredentials {
  /** PEM of the CA, of the own certificate, of its key */
  ca: string
  cert: string
  key: string
}
export interface ServiceTokens {
  /** this service's word to `service`, signed by the key of its certificate; the same one for most of a minute */
  mint(service: string, act?: Actor): Promise<string>
  /** the service that speaks, by a certificate of the CA that names one of ours; null: not one of ours */
  verify(token: string): Promise<Caller | null>
}
export interface Caller {
  service: string
  /** for whom it asks, where it says so */
  act?: Actor
}

/**
 * Bun's server tells no handler whose certificate a connection has shown, so the caller says it again: a token that
 * carries the certificate and is signed by its key, for one callee, for a minute (RFC 7515 x5c, RFC 8725).
 */
export function createServiceTokens(
  self: string,
  credentials: PeerCredentials,
  clock: Pick<Clock, 'now'>,
): ServiceTokens {
  const minted = new Map<string, { until: number; token: Promise<string> }>()
  const known = new Map<string, { until: number; caller: Caller }>()
  let last = parse(credentials)
  /** The credentials as they are now: they may be renewed in place. */
  const parsed = (): Parsed => {
    if (last.cert !== credentials.cert || last.ca !== credentials.ca) {
      last = parse(credentials)
      minted.clear()
      known.clear()
    }
    return last
  }

  async function read(token: string): Promise<{ until: number; caller: Caller } | null> {
    try {
      let certificate: X509Certificate | undefined
      const { payload } = await jwtVerify(
        token,
        ({ x5c }) => {
          certificate = x5c?.[0] ? new X509Certificate(Buffer.from(x5c[0], 'base64')) : undefined
          if (!certificate || !isIssued(certificate, parsed().issuer, clock.now()))
            throw new errors.JWSInvalid('certificate')
          return certificate.publicKey
        },
        {
          algorithms: [ALGORITHM],
          typ: TYPE,
          audience: peerName(self),
          currentDate: new Date(clock.now()),
          requiredClaims: ['iss', 'iat', 'exp'],
          maxTokenAge: LIFETIME_S,
          clockTolerance: 5,
        },
      )
      const service = SERVICES.find(({ name }) => peerName(name) === payload.iss)?.name
      if (!service || !certificate?.checkHost(peerName(service))) return null
      const act = payload.act === undefined ? undefined : toActor(actClaim.parse(payload.act))
      return { caller: { service, ...(act && { act }) }, until: payload.exp! * 1_000 }
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof z.ZodError || isBadCertificate(error)) return null
      throw error
    }
  }

  return {
    mint(service, actor) {
      const { signer, x5c } = parsed()
      const now = clock.now()
      const act = actor && toAct(actor)
      const name = act ? `${service} ${JSON.stringify(act)}` : service
      const last = minted.get(name)
      if (last && last.until > now) return last.token
      const token = new SignJWT(act ? { act } : {})
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, x5c })
        .setIssuer(peerName(self))
        .setAudience(peerName(service))
        .setIssuedAt(Math.floor(now / 1_000))
        .setExpirationTime(Math.floor(now / 1_000) + LIFETIME_S)
        .sign(signer)
      minted.delete(name)
      if (minted.size >= MOST_KNOWN) minted.delete(minted.keys().next().value!)
      minted.set(name, { until: now + LIFETIME_S * 1_000 - SPARE_MS, token })
      return token
    },
    async verify(token) {
      parsed()
      const remembered = known.get(token)
      if (remembered && remembered.until > clock.now()) return remembered.caller
      known.delete(token)
      const verified = await read(token)
      if (!verified) return null
      if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!)
      known.set(token, verified)
      return verified.caller
    },
  }
}

interface Parsed extends Pick<PeerCredentials, 'ca' | 'cert'> {
  issuer: X509Certificate
  signer: ReturnType<typeof createPrivateKey>
  x5c: string[]
}
const parse = ({ ca, cert, key }: PeerCredentials): Parsed => ({
  ca,
  cert,
  issuer: new X509Certificate(ca),
  signer: createPrivateKey(key),
  x5c: [new X509Certificate(cert).raw.toString('base64')],
})

const isIssued = (certificate: X509Certificate, issuer: X509Certificate, now: number): boolean =>
  certificate.checkIssued(issuer) &&
  certificate.verify(issuer.publicKey) &&
  Date.parse(certificate.validFrom) <= now &&
  now < Date.parse(certificate.validTo)

const isBadCertificate = (error: unknown): boolean =>
  /^ERR_(OSSL|INVALID|CRYPTO)/.test(String((error as { code?: unknown } | null)?.code)) || error instanceof TypeError

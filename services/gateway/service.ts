import { readFileSync } from 'node:fs'
import { countAsked } from '@assay/core/kernel/cached'
import type { Actor } from '@assay/core/kernel/context'
import { createPublicUrl } from '@assay/core/kernel/public-url'
import { beatHeart, createHearing, forgetRevoked } from '@assay/core/kernel/revocations'
import type { Deps, Service } from '@assay/core/kernel/service'
import { isApiKey } from '@assay/core/kernel/verify-token'
import { Elysia } from 'elysia'
import { Counter } from 'prom-client'
import { trackAddressRefusals } from './api-keys/address-refusals.ts'
import { trackKeyUse } from './api-keys/key-use.ts'
import { CHECKPOINT_EVERY_MS, openAudit } from './audit/open-audit.ts'
import { sweep } from './auth/sweep.ts'
import { type Config, config } from './config.ts'
import { openIdentity } from './identity.ts'
import { createPostOffice } from './letters/post-office.ts'
import { openGate } from './limits/open-gate.ts'
import { createDocumentReader } from './oauth/clients/read-document.ts'
import { sweepOAuth } from './oauth/sweep-oauth.ts'
import { pinSettings } from './pin/pin-settings.ts'
import { applyRetention } from './privacy/apply-retention.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { auditRoutes } from './routes/audit.ts'
import { authRoutes } from './routes/auth.ts'
import { internalRoutes } from './routes/internal.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { jwksRoutes } from './routes/jwks.ts'
import { oauthRoutes } from './routes/oauth.ts'
import { passwordRoutes } from './routes/passwords.ts'
import { privacyRoutes } from './routes/privacy.ts'
import { secondFactorRoutes } from './routes/second-factor.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { tenantRoutes } from './routes/tenants.ts'
import { usageRoutes } from './routes/usage.ts'
import { userRoutes } from './routes/users.ts'
import { openProxy } from './routing/open-proxy.ts'
import { makeFirstOperator } from './users/first-operator.ts'

const MINUTE = 60_000
/** Made from all services. */
const DOCUMENT = new URL('../../openapi/assay.json', import.meta.url)
const UPKEEP_EVERY_MS = 10 * MINUTE
const USAGE_EVERY_MS = 2_000

export const gateway: Service<typeof config> = {
  name: 'gateway',
  config,
  async create(deps, lifecycle) {
    const { clock, production } = deps
    const onLimitHit = limitHits(deps)
    // services in processes of their own, other gateways among them, learn by the bus what is revoked here
    const hearing = deps.peers.url === null ? undefined : createHearing(clock)
    const publicUrl = createPublicUrl(deps.config.PUBLIC_URL, production)
    const readDocument = createDocumentReader({ local: !production })
    const identity = await openIdentity({
      db: deps.db,
      secrets: deps.secrets,
      clock,
      limits: deps.limiter,
      idleMs: deps.config.SESSION_TIMEOUT_MINUTES * MINUTE,
      pepper: deps.config.PASSWORD_PEPPER,
      requireFactor: deps.config.ASSAY_REQUIRE_MFA,
      pin: pinSettings(
        deps.config.BOT_CONTROL_PIN,
        deps.config.BOT_CONTROL_ACCOUNT ?? deps.config.ASSAY_OPERATOR_EMAIL,
        deps.config.BOT_CONTROL_ADDRESSES,
      ),
      onLimitHit,
      onCacheAsked: countAsked(deps.metrics),
      onAddressRefused: (actor, address) => refusedAddresses.saw(actor, address),
      isCurrent: hearing?.isCurrent,
      isIssuer: publicUrl.isOurs,
    })
    const refusedAddresses = trackAddressRefusals(identity)
    const keyUse = trackKeyUse(identity)
    const audit = await openAudit(deps, identity.database)
    const { gate, flushUsage, sweepUsage } = openGate(deps, {
      database: identity.database,
      onLimitHit,
      onLeft: audit.refusals.saw,
    })
    const notices: string[] = []
    const proxy = openProxy(deps, lifecycle)

    lifecycle.defer('gateway key use', keyUse.flush)
    lifecycle.background('gateway key use', (signal) => every(MINUTE, keyUse.flush, signal))
    lifecycle.defer('gateway refused addresses', refusedAddresses.flush)
    lifecycle.background('gateway refused addresses', (signal) => every(MINUTE, refusedAddresses.flush, signal))
    lifecycle.defer('gateway audit', audit.close)
    lifecycle.background('gateway refusals', (signal) => every(MINUTE, audit.refusals.flush, signal))
    lifecycle.background('gateway checkpoints', (signal) => every(CHECKPOINT_EVERY_MS, audit.checkpoint, signal))
    lifecycle.defer('gateway usage', flushUsage)
    lifecycle.background('gateway usage', (signal) => every(USAGE_EVERY_MS, flushUsage, signal))
    lifecycle.background('gateway letters', createPostOffice(deps, identity, deps.config.PUBLIC_URL ?? ''))
    lifecycle.background('gateway upkeep', (signal) => every(UPKEEP_EVERY_MS, upkeep, signal))

    const app = new Elysia({ name: 'gateway' })
      .use(authRoutes(identity))
      .use(auditRoutes(identity))
      .use(privacyRoutes({ ...identity, call: deps.call, exporting: new Map() }))
      .use(secondFactorRoutes(identity))
      .use(sessionRoutes(identity))
      .use(passwordRoutes(identity))
      .use(userRoutes(identity))
      .use(tenantRoutes(identity))
      .use(invitationRoutes(identity))
      .use(apiKeyRoutes(identity))
      .use(jwksRoutes(identity.keys))
      .use(oauthRoutes({ ...identity, publicUrl, limits: deps.limiter, readDocument }))
      .use(usageRoutes({ database: identity.database, flush: flushUsage }))
      .use(internalRoutes(identity))

    return {
      app,
      ...(proxy && { elsewhere: proxy.elsewhere, websocket: proxy.websocket }),
      document: () => JSON.parse(readFileSync(DOCUMENT, 'utf8')),
      consumers: [audit.consumer],
      tokens: {
        known: identity.verifier.known,
        isCurrent: identity.verifier.isCurrent,
        verify(credential, address) {
          const verifying = identity.verifier.verify(credential, address)
          return isApiKey(credential) ? verifying.then((actor) => noted(actor, address)) : verifying
        },
      },
      health: () => {
        const away = deps.limiter.away()
        const told = proxy?.health() ?? {}
        if (away === null) return told
        const reason = `limits: each process counts for itself, nobody can log in: ${away}`
        return { ...told, degraded: [reason, ...(told.degraded ?? [])] }
      },
      gate,
      notices: () => notices,
      async start() {
        const { ASSAY_OPERATOR_EMAIL: email, ASSAY_OPERATOR_PASSWORD: password } = deps.config
        notices.push(...(await makeFirstOperator({ email, password, production }, identity)))
        if (production && !deps.config.PUBLIC_URL)
          notices.push('PUBLIC_URL is unset: there is no OAuth, and mails have no links.')
        if (!hearing) return
        await forgetRevoked(identity.verifier, hearing, { ...deps, lifecycle })
        beatHeart({ ...deps, lifecycle })
      },
    }

    function noted(actor: Actor, address: string | undefined): Actor {
      if (actor.keyId) keyUse.used(actor, address)
      return actor
    }

    async function upkeep(): Promise<void> {
      await identity.keys.rotate()
      await sweep(identity)
      await sweepOAuth(identity)
      await sweepUsage()
      await applyRetention(identity)
    }

    /** A failure is tried again at the next turn. */
    async function every(ms: number, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await clock.sleep(ms, signal).catch(() => {})
        if (!signal.aborted) await work().catch((error) => deps.log.error({ err: error }, 'gateway upkeep failed'))
      }
    }
  },
}

function limitHits({ metrics }: Deps<Config>): (name: string) => void {
  const hits = new Counter({
    name: 'rate_limit_hits_total',
    help: 'Requests refused by a limit',
    labelNames: ['class'],
    registers: [metrics],
  })
  return (name) => hits.inc({ class: name })
}

import nodeVault, { type client as NodeVault } from 'node-vault'
import type { Logger } from 'pino'
import { AssayError } from '../../contracts/errors.ts'
import type { Clock } from '../clock/port.ts'
import { within } from '../clock/within.ts'
import { SecretsError } from './port.ts'
import { logIn, type VaultLogin, type VaultToken } from './vault-login.ts'

export interface VaultClientOptions {
  address: string
  login: VaultLogin
  /** PEM of the authority that signed the server's certificate */
  ca?: string | undefined
  clock: Clock
  log: Pick<Logger, 'info' | 'warn'>
  /** told of every operation, before it is tried */
  onOperation?: ((operation: string) => void) | undefined
  /** longest wait for one answer */
  timeoutMs?: number
}
/** What a request came to: the body, or that there is nothing (404), with what the server said about it. */
export interface VaultAnswer {
  found: boolean
  // biome-ignore lint/suspicious/noExplicitAny: bodies are checked where they are used
  body: any
}
type Work = (vault: NodeVault) => Promise<unknown>

const TRIES = 2
const PAUSE_MS = 150
/** After a failure others are told at once for this long. */
const REST_MS = 500
const RETRY_LOGIN_MS = 1_000
const SEALED_OR_BUSY = new Set([412, 429, 472, 473, 500, 502, 503, 504])

/** A logged-in client: its token is renewed, and taken anew when it is lost; nothing waits for longer than its time. */
export class VaultClient {
  readonly #vault: NodeVault
  readonly #timeoutMs: number
  #token: VaultToken | undefined
  #login: Promise<void> | undefined
  #away: string | null = null
  #restUntil = 0
  readonly #closing = new AbortController()

  private constructor(readonly options: VaultClientOptions) {
    this.#timeoutMs = options.timeoutMs ?? 2_000
    this.#vault = nodeVault({
      endpoint: options.address,
      token: 'none',
      // its own prints bodies
      debug: () => {},
      requestOptions: { timeout: this.#timeoutMs, ...(options.ca !== undefined && { ca: options.ca }) },
    })
    this.#vault.token = ''
  }

  /** Logged in, or an error that says why not. */
  static async open(options: VaultClientOptions): Promise<VaultClient> {
    const client = new VaultClient(options)
    try {
      await client.#ensureLogin()
    } catch (error) {
      const { cause, message } = error as Error
      throw new SecretsError(
        `VAULT_ADDR: no login at ${options.address}: ${cause instanceof Error ? cause.message : message}`,
      )
    }
    void client.#keepToken()
    return client
  }

  get clock(): Clock {
    return this.options.clock
  }
  get log(): VaultClientOptions['log'] {
    return this.options.log
  }
  get signal(): AbortSignal {
    return this.#closing.signal
  }
  away(): string | null {
    return this.#away
  }

  /** AssayError unavailable: the server is away or sealed. SecretsError: it refuses. `once`: not to be repeated. */
  async request(operation: string, work: Work, { once = false } = {}): Promise<VaultAnswer> {
    this.options.onOperation?.(operation)
    if (this.clock.monotonic() < this.#restUntil) throw this.#unavailable()
    for (let tried = 1; ; tried++) {
      try {
        await this.#ensureLogin()
        return await this.#tryOnce(operation, work)
      } catch (error) {
        if (!isAway(error) || once || tried >= TRIES) throw error
        await this.clock.sleep(PAUSE_MS)
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'))
  }

  async #tryOnce(operation: string, work: Work): Promise<VaultAnswer> {
    try {
      return await this.#answerOf(work)
    } catch (error) {
      // the token may have ended; a policy that refuses does so again
      if (statusOf(error) !== 403 || this.options.login.method === 'token') throw this.#explained(operation, error)
      this.#token = undefined
      await this.#ensureLogin()
      return await this.#answerOf(work).catch((again) => {
        throw this.#explained(operation, again)
      })
    }
  }

  async #answerOf(work: Work): Promise<VaultAnswer> {
    try {
      const body = await within(this.#timeoutMs, work(this.#vault))
      this.#answered()
      return { found: true, body }
    } catch (error) {
      if (statusOf(error) !== 404) throw error
      this.#answered()
      return { found: false, body: (error as Refusal).response.body }
    }
  }

  #ensureLogin(): Promise<void> {
    if (this.#token) return Promise.resolve()
    this.#login ??= this.#logIn().finally(() => {
      this.#login = undefined
    })
    return this.#login
  }

  async #logIn(): Promise<void> {
    const { login, log, onOperation } = this.options
    onOperation?.('login')
    try {
      this.#token = await within(this.#timeoutMs, logIn(this.#vault, login, log))
      this.#vault.token = this.#token.token
      this.#answered()
    } catch (error) {
      throw this.#explained('login', error)
    }
  }

  /** Renews the token after two thirds of its time; where that fails, logs in anew. */
  async #keepToken(): Promise<void> {
    while (!this.signal.aborted) {
      const token = this.#token
      const waitMs = token ? Math.max(RETRY_LOGIN_MS, (token.ttlMs * 2) / 3) : RETRY_LOGIN_MS
      await this.clock.sleep(Number.isFinite(waitMs) ? waitMs : 3_600_000, this.signal).catch(() => {})
      if (this.signal.aborted || (token && token !== this.#token) || token?.ttlMs === Number.POSITIVE_INFINITY) continue
      await this.#renewToken(token).catch((error) =>
        this.log.warn({ reason: (error as Error).message }, 'the token of the secrets server was not renewed'),
      )
    }
  }

  async #renewToken(token: VaultToken | undefined): Promise<void> {
    if (!token) return this.#ensureLogin()
    if (token.renewable) {
      const { body } = await this.request('token-renew', (vault) => vault.tokenRenewSelf())
      const ttlMs = Number(body.auth.lease_duration) * 1_000
      // at its longest life a token is renewed to less and less
      if (ttlMs >= token.ttlMs / 2 || this.options.login.method === 'token') {
        this.#token = { ...token, ttlMs }
        return
      }
    } else if (this.options.login.method === 'token') {
      throw new SecretsError('VAULT_TOKEN cannot be renewed')
    }
    this.#token = undefined
    await this.#ensureLogin()
  }

  #answered(): void {
    if (this.#away !== null) this.log.info({}, 'the secrets server is back')
    this.#away = null
    this.#restUntil = 0
  }

  /** Without the request: an error of the HTTP client holds its token and body. */
  #explained(operation: string, error: unknown): Error {
    const status = statusOf(error)
    if (error instanceof AssayError || error instanceof SecretsError) return error
    if (status !== undefined && !SEALED_OR_BUSY.has(status))
      return new SecretsError(
        `The secrets server refuses ${operation}: ${(error as Error).message.trim().replace(/\s+/g, ' ')}`,
      )
    const { code, message } = error as { code?: string; message?: string }
    const reason = status === undefined ? code || message || 'no answer' : (message ?? String(status))
    if (this.#away === null) this.log.warn({ reason }, 'the secrets server is away')
    this.#away = reason
    this.#restUntil = this.clock.monotonic() + REST_MS
    return this.#unavailable()
  }
  #unavailable(): AssayError {
    const cause = new Error(this.#away ?? 'no answer')
    return new AssayError('unavailable', 'A store this needs is not available now.', { retryAfterS: 1, cause })
  }
}

interface Refusal extends Error {
  response: { statusCode: number; body: unknown }
}
const statusOf = (error: unknown): number | undefined => (error as Partial<Refusal>).response?.statusCode
export const isAway = (error: unknown): boolean => error instanceof AssayError && error.code === 'unavailable'

import type { Clock } from '../clock/port.ts'
import type { KafkaConnection, KafkaSettings } from './connection.ts'

/** The configured cluster does not serve this process: it is away, or does not let it in. */
export class KafkaUnreachableError extends Error {
  override name = 'KafkaUnreachableError'
}

const START_MS = 30_000
const PAUSE_MS = 500
/** While something goes on, an answer is asked for so often, and missed when it does not come for so long. */
const EVERY_MS = 2_000
const MISSED_MS = 15_000

/** What `act` gives. KafkaUnreachableError where the cluster does not answer within `limitMs`, or stops answering meanwhile: the client itself would wait for ever. */
export async function whileReachable<T>(
  connection: KafkaConnection,
  clock: Clock,
  act: () => Promise<T>,
  limitMs = START_MS,
): Promise<T> {
  await reach(connection, clock, limitMs)
  const done = new AbortController()
  const missed = Promise.withResolvers<never>()
  const watch = async () => {
    for (;;) {
      await clock.sleep(EVERY_MS, done.signal)
      await reach(connection, clock, MISSED_MS)
    }
  }
  watch().catch((error) => done.signal.aborted || missed.reject(error))
  try {
    return await Promise.race([act(), missed.promise])
  } finally {
    done.abort()
  }
}

/** Resolves when a broker let this client in and answered. */
export async function reach(connection: KafkaConnection, clock: Clock, limitMs = START_MS): Promise<void> {
  const { settings } = connection
  const until = clock.monotonic() + limitMs
  for (;;) {
    const cluster = connection.cluster()
    const limit = new AbortController()
    try {
      const answered = cluster.connect().then(() => cluster.refreshMetadata())
      answered.catch(() => {})
      await Promise.race([answered, after(until - clock.monotonic(), clock, limit.signal)])
      return
    } catch (cause) {
      const refusal = refusalOf(cause, settings)
      if (refusal) throw new KafkaUnreachableError(refusal)
      if (clock.monotonic() + PAUSE_MS >= until) throw new KafkaUnreachableError(silence(settings, limitMs, cause))
    } finally {
      limit.abort()
      void cluster.disconnect().catch(() => {})
    }
    await clock.sleep(PAUSE_MS)
  }
}

async function after(ms: number, clock: Clock, signal: AbortSignal): Promise<never> {
  await clock.sleep(ms, signal)
  throw new Error('no answer')
}

/** What asking again does not mend. */
function refusalOf(error: unknown, settings: KafkaSettings): string | null {
  const { name, code, type } = rootOf(error)
  const at = settings.brokers.join(', ')
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'UNSUPPORTED_SASL_MECHANISM') {
    const { mechanism = 'none', username = '' } = settings.sasl ?? {}
    return `Kafka at ${at} refuses the user ${username} by ${mechanism}: see KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.`
  }
  if (typeof code === 'string' && CERTIFICATE.test(code))
    return `The certificate of Kafka at ${at} is not trusted (${code}): see KAFKA_TLS_CA_FILE.`
  return null
}
const CERTIFICATE = /CERT|SIGNATURE|ISSUER|ALTNAME/

function silence({ brokers, tls, sasl }: KafkaSettings, limitMs: number, error: unknown): string {
  const how = [tls ? 'with TLS' : 'without TLS', sasl ? 'with a password' : 'without a password'].join(', ')
  const { message } = rootOf(error)
  return `Kafka at ${brokers.join(', ')} does not answer (asked ${how}, for ${Math.round(limitMs / 1000)} s): ${message}`
}

interface ClientError {
  name: string
  message: string
  type?: string
  /** of the socket; a number where the broker says it */
  code?: string | number
  cause?: ClientError
}
function rootOf(error: unknown): ClientError {
  const { cause } = error as ClientError
  return cause ? rootOf(cause) : (error as ClientError)
}

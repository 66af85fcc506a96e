import { createTransport } from 'nodemailer'
import type { Clock } from '../clock/port.ts'
import { within } from '../clock/within.ts'
import { messageOf } from './message.ts'
import { type Mail, MailError } from './port.ts'

export interface SmtpOptions {
  /** smtp://[user:password@]host[:587], smtps://… for TLS from the first byte */
  url: string
  from: string
  /** PEM of the server's authority; absent: those of the system */
  ca?: string | undefined
  clock: Pick<Clock, 'now'>
  timeouts?: Partial<SmtpTimeouts>
}
export interface SmtpTimeouts {
  connectMs: number
  /** silence of the server */
  silenceMs: number
  /** one letter in all */
  sendMs: number
}
const TIMEOUTS: SmtpTimeouts = { connectMs: 10_000, silenceMs: 15_000, sendMs: 30_000 }
const SUBMISSION = 587
const SUBMISSIONS = 465

/**
 * Letters over SMTP, by TLS always: from the first byte (smtps) or after STARTTLS, without which nothing is said. Only a
 * server on this machine may do without.
 */
export function openSmtp({ url, from, ca, clock, timeouts }: SmtpOptions): Mail {
  const { connectMs, silenceMs, sendMs } = { ...TIMEOUTS, ...timeouts }
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? SUBMISSIONS : SUBMISSION),
    secure,
    requireTLS: !secure && !isLoopback(hostname),
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    tls: { minVersion: 'TLSv1.2', ...(ca && { ca }) },
    dnsTimeout: connectMs,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  let failure: { reason: string; at: number } | undefined

  /** Whether the server is there is known of its last answer. */
  async function told<T>(work: Promise<T>): Promise<T> {
    try {
      const answer = await within(sendMs, work)
      failure = undefined
      return answer
    } catch (cause) {
      const error = toMailError(cause)
      failure = error.permanent ? undefined : { reason: error.message, at: clock.now() }
      throw error
    }
  }

  return {
    kind: 'smtp',
    async send(letter) {
      const message = messageOf(letter, from)
      await told(transport.sendMail(message))
    },
    away: () => failure?.reason ?? null,
    look: async () => void (await told(transport.verify()).catch(() => {})),
    async close() {
      transport.close()
    },
  }
}

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host)

/** The server's words are not repeated: they may hold the address. */
function toMailError(cause: unknown): MailError {
  const { code, responseCode, command } = cause as { code?: string; responseCode?: number; command?: string }
  const isRefusal = responseCode !== undefined && responseCode >= 500
  const isOfLetter = isRefusal && (code === 'EENVELOPE' || code === 'EMESSAGE')
  const reason = responseCode === undefined ? (code ?? 'no answer in time') : `it answered ${responseCode}`
  return new MailError(`mail server: ${reason}${command ? ` (${command})` : ''}`, isOfLetter, { cause })
}

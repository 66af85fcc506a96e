import { createHash } from 'node:crypto'
import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { openLogFile } from './log-file.ts'
import { textLine } from './log-text.ts'

const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'pin',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
  'apiKey',
  'ticket',
  'ENCRYPTION_KEY',
]
const EMAIL_FIELDS = ['email']

export interface LogOptions {
  level: string
  /** absent: text on a terminal, else JSON */
  format?: 'json' | 'text'
  /** data folder: also writes logs/assay.log and logs/error.log there */
  home?: string
  /** takes the lines in place of standard output */
  out?: { write(line: string): void }
}
export interface Log {
  logger: Logger
  close(): void
}

/** JSON lines with ISO 8601 UTC time; secrets are cut out, e-mail addresses only hashed. */
export function openLog({ level, format, home, out = process.stdout }: LogOptions): Log {
  const asText = (format ?? (process.stdout.isTTY ? 'text' : 'json')) === 'text'
  const files = home ? [openLogFile(join(home, 'logs'), 'assay.log'), openLogFile(join(home, 'logs'), 'error.log')] : []
  const streams = [
    { level: 'trace' as const, stream: { write: (line: string) => void out.write(asText ? textLine(line) : line) } },
    ...files.map((stream, index) => ({ level: index === 0 ? ('trace' as const) : ('error' as const), stream })),
  ]
  const logger = pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths(), censor: (value, path) => censor(value, path.at(-1)) },
    },
    pino.multistream(streams),
  )
  return {
    logger,
    close() {
      for (const file of files) file.close()
    },
  }
}

const redactedPaths = (): string[] =>
  [...SECRET_FIELDS, ...EMAIL_FIELDS].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

function censor(value: unknown, field: string | undefined): string {
  if (!field || !EMAIL_FIELDS.includes(field) || typeof value !== 'string') return '[redacted]'
  return `sha256:${createHash('sha256').update(value.trim().toLowerCase()).digest('hex').slice(0, 16)}`
}

import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { batchLines } from './log/batch.ts'
import { openLogFile } from './log/file.ts'
import { MASKS, maskBelow, maskInside } from './log/mask.ts'
import { textLine } from './log/text.ts'

export interface LogOptions {
  level: string
  /** absent: text on a terminal, else JSON */
  format?: 'json' | 'text'
  /** data folder: also writes logs/assay.log and logs/error.log there */
  home?: string
  /** logs/<name>.log and logs/<name>.error.log instead */
  name?: string
  /** takes the lines in place of standard output */
  out?: { write(line: string): void }
}
export interface Log {
  logger: Logger
  close(): void
}

/** JSON lines with ISO 8601 UTC time; secrets are cut out, e-mail addresses only hashed. */
export function openLog({ level, format, home, name, out: given }: LogOptions): Log {
  const batch = given ? undefined : batchLines(process.stdout)
  const out = given ?? batch!
  if (batch) process.on('exit', batch.flush)
  const asText = (format ?? (process.stdout.isTTY ? 'text' : 'json')) === 'text'
  const files = home ? logNames(name).map((file) => openLogFile(join(home, 'logs'), file)) : []
  const streams = [
    { level: 'trace' as const, stream: { write: (line: string) => void out.write(asText ? textLine(line) : line) } },
    ...files.map((stream, index) => ({ level: index === 0 ? ('trace' as const) : ('error' as const), stream })),
  ]
  const logger = pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: maskBelow },
      serializers: { ...MASKS, err: (error) => maskInside(pino.stdSerializers.err(error)) },
    },
    pino.multistream(streams),
  )
  return {
    logger,
    close() {
      batch?.flush()
      if (batch) process.off('exit', batch.flush)
      for (const file of files) file.close()
    },
  }
}

/** All lines, and errors only. */
const logNames = (name: string | undefined): [string, string] =>
  name ? [`${name}.log`, `${name}.error.log`] : ['assay.log', 'error.log']

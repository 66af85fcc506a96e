const COLOURS: Readonly<Record<string, string>> = {
  warn: '\x1b[33m',
  error: '\x1b[31m',
  fatal: '\x1b[31m',
  debug: '\x1b[2m',
  trace: '\x1b[2m',
}
const RESET = '\x1b[0m'

/** A JSON log line as a person reads it: `12:30:01.250 warn  message  key=value`. */
export function textLine(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const cause = err && typeof err === 'object' && 'stack' in err ? `\n${String(err.stack)}` : ''
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${msg ?? ''}`
  const colour = COLOURS[String(level)]
  return `${colour ? `${colour}${head}${RESET}` : head}${rest ? `  ${rest}` : ''}${cause}\n`
}

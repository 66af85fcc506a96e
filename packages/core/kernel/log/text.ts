const COLOURS: Readonly<Record<string, string>> = {
  warn: '\x1b[33m',
  error: '\x1b[31m',
  fatal: '\x1b[31m',
  debug: '\x1b[2m',
  trace: '\x1b[2m',
}
const RESET = '\x1b[0m'
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
/** A text from outside begins no line of its own and moves no cursor. */
const oneLine = (text: string): string =>
  text.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A JSON log line as a person reads it: `12:30:01.250 warn  message  key=value`. */
export function textLine(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields)
    .map(([name, value]) => `${name}=${oneLine(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(' ')
  const cause =
    err && typeof err === 'object' && 'stack' in err ? `\n${String(err.stack).split('\n').map(oneLine).join('\n')}` : ''
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${oneLine(String(msg ?? ''))}`
  const colour = COLOURS[String(level)]
  return `${colour ? `${colour}${head}${RESET}` : head}${rest ? `  ${rest}` : ''}${cause}\n`
}

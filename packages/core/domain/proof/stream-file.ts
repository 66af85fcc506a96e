/** Names of a stream's file: bytes other than A-Z a-z 0-9 _ - are written %XX (upper case hex, UTF-8), so a name has one spelling. */
const PREFIX = 'log/'
const SUFFIX = '.jsonl'

export function streamFile(stream: string): string {
  let name = ''
  for (const byte of new TextEncoder().encode(stream)) {
    const char = String.fromCharCode(byte)
    name += /[A-Za-z0-9_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return `${PREFIX}${name}${SUFFIX}`
}
/** The stream of a file name; null when it is not one, or not its one spelling. */
export function streamOfFile(file: string): string | null {
  if (!file.startsWith(PREFIX) || !file.endsWith(SUFFIX)) return null
  try {
    const stream = decodeURIComponent(file.slice(PREFIX.length, -SUFFIX.length))
    return streamFile(stream) === file ? stream : null
  } catch {
    return null
  }
}

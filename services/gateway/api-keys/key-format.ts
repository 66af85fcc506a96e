const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX = 'assay_'
/** 178 bits: at least 128 stay secret when prefix and last four characters are shown. */
const RANDOM_LENGTH = 30
const CHECKSUM_LENGTH = 6
const SHAPE = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`)

/** `assay_` + 30 random base62 characters + 6 of CRC-32, so that secret scanners and typos are told apart without a lookup. */
export function newApiKey(): string {
  const body = PREFIX + randomBase62(RANDOM_LENGTH)
  return body + checksum(body)
}

/** Whether the text is a key by shape and checksum; says nothing about its being known. */
export function isApiKey(text: string): boolean {
  if (!SHAPE.test(text)) return false
  const body = text.slice(0, -CHECKSUM_LENGTH)
  return checksum(body) === text.slice(-CHECKSUM_LENGTH)
}

/** What is stored and looked up: a key has enough entropy to need no slow hash. */
export const hashApiKey = (key: string): string => new Bun.CryptoHasher('sha256').update(key).digest('hex')

/** The parts shown to its owner ever after. */
export const shownParts = (key: string): { prefix: string; last4: string } => ({
  prefix: key.slice(0, PREFIX.length + 4),
  last4: key.slice(-4),
})

function checksum(body: string): string {
  let rest = Bun.hash.crc32(body)
  let text = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = ALPHABET[rest % 62] + text
    rest = Math.floor(rest / 62)
  }
  return text
}

function randomBase62(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // 248 = 4 * 62: a larger byte would make the first characters likelier
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]
    }
  }
  return text
}

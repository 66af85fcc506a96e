/** What a reader or a check says of an archive. */
export interface Finding {
  reason: string
  mseq: number | null
  aseq: number | null
  /** it says that something is wrong, not exactly where: named only when nothing better is known */
  vague?: true
}
/** Nothing can be said: exit 2. */
export class UnreadableError extends Error {}
/** Something does not hold and nothing after it can be read: exit 1 at this place. */
export class FoundError extends Error {
  constructor(readonly finding: Finding) {
    super(finding.reason)
  }
}
export const found = (reason: string, place: Partial<Finding> = {}): FoundError =>
  new FoundError({ reason, mseq: null, aseq: null, ...place })

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** A part as text; not UTF-8: it does not follow. */
export function textOf(bytes: Uint8Array, name: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw found(`${name} is not UTF-8`)
  }
}

export const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0
export const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v)

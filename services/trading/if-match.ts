import { AssayError } from '@assay/core/contracts/errors'
import { z } from 'zod'

/** What a document is changed under: it must still be the one that was read (`If-Match`), or not be there (`If-None-Match: *`). */
export const IfMatchHeaders = z.looseObject({
  'if-match': z.string().max(200).optional(),
  'if-none-match': z.string().max(200).optional(),
})
export interface IfMatch {
  ifMatch?: string | undefined
  ifNoneMatch?: string | undefined
}
export const ifMatchOf = (headers: z.output<typeof IfMatchHeaders>): IfMatch => ({
  ifMatch: headers['if-match'],
  ifNoneMatch: headers['if-none-match'],
})
/** The ETag of a document: its content hash. */
export const tagOf = (hash: string): string => `"${hash}"`

/** Throws precondition_failed when the document in force (null: none) is not the one that the caller knows. */
export function requireMatch({ ifMatch, ifNoneMatch }: IfMatch, hash: string | null): void {
  const refuse = (): never => {
    throw new AssayError('precondition_failed', hash === null ? 'It is not there.' : 'Read it again: it has changed.')
  }
  if (ifNoneMatch?.trim() === '*' && hash !== null) refuse()
  if (ifMatch === undefined) return
  const known = ifMatch.split(',').map((tag) => tag.trim())
  if (hash === null || !(known.includes('*') || known.includes(tagOf(hash)))) refuse()
}

import type { Row } from '@assay/core/ports/db/port'

export interface OAuthClient {
  id: string
  /** by its own account */
  name: string
  redirectUris: readonly string[]
}
export interface ClientRow extends Row {
  id: string
  kind: 'document' | 'registered'
  name: string
  redirect_uris: string[]
  fresh_until: Date | null
}
export const toClient = ({ id, name, redirect_uris }: ClientRow): OAuthClient => ({
  id,
  name,
  redirectUris: redirect_uris,
})
/** A client that names itself by the URL of its metadata document. */
export const isDocumentId = (id: string): boolean => /^https?:\/\//.test(id)

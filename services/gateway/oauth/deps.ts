import type { PublicUrl } from '@assay/core/kernel/public-url'
import type { Limits } from '@assay/core/ports/limits/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import type { DocumentReader } from './clients/read-document.ts'

/** What the verbs of the authorization server work with, beside identity. */
export interface OAuthDeps extends GatewayDeps {
  publicUrl: PublicUrl
  /** of registrations and of documents read */
  limits: Limits
  readDocument: DocumentReader
}
export interface OAuthVerb<Input> extends Verb<Input> {
  deps: OAuthDeps
}

import type { Asker } from '../authorize/request.ts'
import { isDocumentId } from '../clients/client.ts'
import { isOwned } from '../clients/redirect-uri.ts'
import { type Html, html } from './html.ts'

/** What is known of a program, as against what it calls itself. */
export function clientFacts({ clientId, redirectUri }: Asker): Html {
  const { host, protocol } = new URL(redirectUri)
  const to = isOwned(redirectUri) ? host : protocol === 'http:' ? 'a program on this computer' : protocol
  const who = isDocumentId(clientId) ? new URL(clientId).host : 'not verified: it registered itself'
  return html`<dl class="soft"><dt>Published by</dt><dd>${who}</dd><dt>Answer goes to</dt><dd>${to}</dd></dl>`
}

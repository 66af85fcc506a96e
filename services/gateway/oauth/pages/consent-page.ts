import type { AuthorizationRequest } from '../authorize/request.ts'
import { AGENT_SCOPES } from '../scopes.ts'
import { clientFacts } from './client-facts.ts'
import { html } from './html.ts'
import { alert, layout } from './layout.ts'

export interface ConsentPage {
  request: AuthorizationRequest
  ticket: string
  email: string
  /** how long what is allowed lasts at most */
  hours: number
  problem?: string
}

export const consentPage = ({ request, ticket, email, hours, problem }: ConsentPage): string =>
  layout(
    `Allow ${request.clientName}?`,
    html`${alert(problem)}
<p>You are signed in as <strong>${email}</strong>. <strong>${request.clientName}</strong> asks to act for you.</p>
${clientFacts(request)}
<form method="post" action="/oauth/consent">
<input type="hidden" name="ticket" value="${ticket}">
<fieldset><legend>It may</legend>
${request.scopes.map(
  (
    scope,
  ) => html`<label class="scope"><input type="checkbox" name="scope" value="${scope}" checked><span>${AGENT_SCOPES[scope]} <code>${scope}</code></span></label>
`,
)}</fieldset>
<p class="soft">Untick what it should not do. It learns who you are: name and e-mail. It never gets your password, your keys or your account's settings. This ends after ${hours} hours at most, or when you end the session in your sessions list.</p>
<div class="buttons"><button class="act" type="submit" name="decision" value="allow">Allow</button><button type="submit" name="decision" value="deny">Do not allow</button></div>
</form>`,
  )

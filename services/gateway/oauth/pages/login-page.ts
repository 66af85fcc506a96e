import type { Asker } from '../authorize/request.ts'
import { clientFacts } from './client-facts.ts'
import { html } from './html.ts'
import { alert, layout } from './layout.ts'

export interface LoginPage {
  asker: Asker
  /** the sealed request */
  sealed: string
  email?: string
  problem?: string
}

/** Logs in, every time: no cookie of ours lets a client in without its user. */
export const loginPage = ({ asker, sealed, email = '', problem }: LoginPage): string =>
  layout(
    'Sign in',
    html`${alert(problem)}
<p><strong>${asker.clientName}</strong> asks to use your Assay account. Sign in, then decide what it may do.</p>
${clientFacts(asker)}
<form method="post" action="/oauth/login">
<input type="hidden" name="request" value="${sealed}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="254" value="${email}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="128">
<label for="totp">Code of your authenticator</label>
<input id="totp" name="totp" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="40" aria-describedby="totp-hint">
<p id="totp-hint" class="soft">Only if you have set one up; a recovery code does too.</p>
<div class="buttons"><button class="act" type="submit">Sign in</button></div>
</form>
<p class="soft">Give your password to this page only, never to the program itself.</p>`,
  )

import { recordAudit } from '@assay/core/kernel/audit'
import type { Row, Sql } from '@assay/core/ports/db/port'
import type { OAuthDeps, OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import type { Parameters } from '../parameters.ts'
import { hashSecretText } from '../secret-text.ts'
import { allow } from './give-code.ts'
import { denied, type Reply, refusal } from './reply.ts'
import type { AuthorizationRequest } from './request.ts'

export interface Deciding {
  form: Parameters
  base: string
  browser: string | null
}
interface TicketRow extends Row {
  session_id: string
  user_id: string
  tenant: string
  request: AuthorizationRequest
}

/** What the user answered on the consent page, once; fewer scopes than were asked for is an answer too. */
export async function decide({ input, deps }: OAuthVerb<Deciding>): Promise<Reply> {
  return deps.database.inTransaction(async (sql) => {
    const ticket = await takeTicket(sql, input, deps)
    if (!ticket)
      throw new OAuthError('invalid_request', 'This page is too old, was answered already, or is of another browser.')
    const { request, session_id: sessionId, user_id: userId } = ticket
    const ticked = new Set(input.form.all('scope'))
    const scopes = request.scopes.filter((scope) => ticked.has(scope))
    if (input.form.get('decision') === 'allow' && scopes.length > 0)
      return allow(sql, { request, scopes, sessionId, userId, base: input.base, deps })
    await sql.query('delete from sessions where id = $1', [sessionId])
    await recordAudit(sql, {
      action: 'oauth.denied',
      actor: userId,
      tenant: ticket.tenant,
      detail: { client: request.clientId },
    })
    return refusal(request, input.base, denied())
  })
}

async function takeTicket(sql: Sql, { form, browser }: Deciding, { clock }: OAuthDeps): Promise<TicketRow | undefined> {
  const text = form.need('ticket')
  if (!browser) return undefined
  const [ticket] = await sql.query<TicketRow>(
    `delete from oauth_tickets t using sessions s, users u
      where t.hash = $1 and t.browser_hash = $2 and t.expires_at > $3 and s.id = t.session_id and s.expires_at > $3
        and u.id = s.user_id and u.disabled_at is null
      returning t.session_id, t.request, s.user_id, u.tenant`,
    [hashSecretText(text), hashSecretText(browser), new Date(clock.now())],
  )
  return ticket
}

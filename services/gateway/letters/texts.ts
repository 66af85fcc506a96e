import type { LetterKind } from './queue-letter.ts'

export interface LetterText {
  subject: string
  text: string
}
export interface LetterFacts {
  /** where the platform is reached, no slash at its end */
  base: string
  token?: string
  /** words that came with the letter */
  data: Record<string, string>
}

const NOT_YOU = 'If it was not you, reset your password and tell an operator.'
const call = (base: string, path: string, members: string): string => `POST ${base}${path}\n{${members}}`

/** What letters say. Nothing in them is a stranger's word: whoever types a name or an address writes nobody a letter. */
const TEXTS: Readonly<Record<LetterKind, (facts: LetterFacts) => LetterText>> = {
  password_reset: ({ base, token }) => ({
    subject: 'Reset your Assay password',
    text: `Somebody asked to reset the password of the Assay account of this address.

Token, good once and for 30 minutes:
${token}

${call(base, '/api/auth/password/reset', '"token": "...", "password": "the new one"')}

All sessions end then. If it was not you, do nothing: your password stays.`,
  }),
  email_verify: ({ base, token }) => ({
    subject: 'Confirm your e-mail',
    text: `An Assay account was given this address.

Token that confirms it, good once and for 24 hours:
${token}

${call(base, '/api/auth/email/verify', '"token": "..."')}

If it was not you, do nothing.`,
  }),
  invitation: ({ base, token, data }) => ({
    subject: 'You are invited to Assay',
    text: `You may join the tenant ${data.tenant} of Assay as ${data.role}.

Token, good once and for 7 days:
${token}

${call(base, `/api/invitations/${data.invitation}/accept`, '"token": "...", "password": "one you choose"')}`,
  }),
  password_changed: () => ({
    subject: 'Your Assay password was changed',
    text: `The password of your Assay account was changed and all its sessions were ended. Its API keys still work: look through
them, and delete what you do not know.\n\n${NOT_YOU}`,
  }),
  email_change_asked: () => ({
    subject: 'Your Assay account is to have another e-mail',
    text: `Somebody who knows the password of your Assay account asked to change its e-mail. That happens
once the new address is confirmed.\n\n${NOT_YOU}`,
  }),
  new_device: ({ data }) => ({
    subject: 'A new device of your Assay account',
    text: `Your Assay account was used to log in on a device that was not seen before, from the network
${data.network ?? 'unknown'}.\n\n${NOT_YOU}`,
  }),
  second_factor_changed: ({ data }) => ({
    subject: `The second factor of your Assay account was turned ${data.how}`,
    text: `The second factor of your Assay account was turned ${data.how}, and its other sessions were ended.\n\n${NOT_YOU}`,
  }),
}

/** Of an address that has an account: whoever gave it learns nothing, its owner does. */
export const TAKEN: LetterText = {
  subject: 'Your e-mail and Assay',
  text: `Somebody gave this address for an Assay account. It belongs to yours already, so nothing was changed.
You can log in with it as before.`,
}

export const letterText = (kind: LetterKind, facts: LetterFacts): LetterText => {
  const { subject, text } = TEXTS[kind](facts)
  return { subject, text: `${text}\n` }
}

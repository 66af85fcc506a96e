/** Every action that the audit log may tell, and what it says. Whoever audits something new adds it here. */
export const AUDIT_ACTIONS = {
  'user.created': 'A user was made.',
  'user.renamed': 'A user changed the own name.',
  'user.role_changed': "An operator changed a user's role.",
  'user.moved': 'The house moved a user to another tenant.',
  'user.disabled': 'An operator disabled a user: sessions ended, keys are refused.',
  'user.enabled': 'An operator let a disabled user in again.',
  'user.unlocked': "An operator forgot a user's failed logins and the lock of the PIN.",
  'email.verified': 'A user proved the e-mail.',
  'email.change_asked': 'A user asked for another e-mail.',
  'email.changed': 'A user proved another e-mail, which took the place of the old one.',
  'password.changed': 'A user changed the password; all sessions ended.',
  'password.reset': 'A password was set by a letter; all sessions ended.',
  'password.drawn': "The first operator's drawn password had ended unchanged: the start set another one.",
  'invitation.made': 'An operator invited somebody.',
  'invitation.revoked': 'An operator took an invitation back.',
  'invitation.accepted': 'An invited person became a user.',
  'tenant.created': 'The house made a tenant.',
  'tenant.changed': 'An operator changed a tenant.',
  login: 'Somebody logged in.',
  'login.failed': 'A login was refused.',
  logout: 'A session was ended by its user.',
  'session.ended': 'A session was ended by its user or an operator.',
  'second_factor.enabled': 'A user turned the second factor on.',
  'second_factor.disabled': 'A user turned the second factor off.',
  'second_factor.shown': 'A user showed the second factor again, for an act that wants it fresh.',
  'recovery_code.used': 'A recovery code took the place of the second factor.',
  'device.enrolled': 'A device was enrolled at a login.',
  'device.removed': 'An enrolled device was removed; its sessions ended.',
  'pin.locked': 'The PIN was tried too often: it is locked until an operator unlocks it.',
  'pin.unlocked': 'An operator unlocked the PIN.',
  'session.refreshed': 'A refresh token was traded.',
  'session.reuse_detected': 'A refresh token was used again: its session was ended.',
  'api_key.issued': 'An API key was made.',
  'api_key.rotated': 'An API key was replaced; both work until the old one ends.',
  'api_key.address_refused': 'An API key was used from an address it is not bound to.',
  'api_key.revoked': 'An API key was ended.',
  'api_key.used': 'An API key was used for the first time on a day, or from a network it was not seen from that day.',
  'authorization.refused': 'Requests were refused: 401 with a credential, 403, or logins as 429; `count` of them.',
  'oauth.client_registered': 'A program registered as an OAuth client.',
  'oauth.allowed': 'A user allowed a client what it asked for, or a part of it.',
  'oauth.denied': 'A user did not allow what a client asked for.',
  'oauth.granted': 'A client traded its code for tokens.',
  'oauth.code_misused': 'A code came a second time, or from somebody else: what it gave was ended.',
  'oauth.revoked': 'A client ended its grant.',
  'signing_key.replaced': 'Access tokens are signed by a new key.',
  'secret.read': 'A service read a secret, for the first time on a day.',
  'secret.written': 'A service wrote or deleted a secret.',
  'assessment.operated': "An operator acted on somebody else's assessment; what was done is in its journal.",
  'payment.completed': 'A purchase was paid.',
  'payment.refused': 'A payment was refused.',
  'journals.extended': 'Journals of assessments grew: orders by the hash of the record they reach to.',
  'tier.created': 'An operator put a tier on sale.',
  'tier.changed': 'An operator changed a tier.',
  'tier.retired': 'An operator took a tier off sale.',
  'calendar.changed': 'An operator put a calendar in force.',
  'privacy.exported': "Somebody exported a user's data.",
  'privacy.erased': "A user's personal data was erased.",
} as const satisfies Record<string, string>
export type AuditAction = keyof typeof AUDIT_ACTIONS

/** What an entry's detail may hold: the chain hashes its canonical JSON, which has whole numbers only. */
export type AuditValue = string | number | boolean | null | AuditValue[] | { [name: string]: AuditValue }

export interface AuditEntry {
  action: AuditAction
  /** user id, `anonymous`, or the name of a service */
  actor: string
  /** whose chain it joins: the tenant of the object, where there is one */
  tenant: string
  /** ids and words, never an e-mail or a secret: an entry is never changed or deleted */
  detail: Record<string, AuditValue>
}

import type { CredentialSource } from '../db/credentials.ts'

/** Who a TOTP key is shown as in the app that makes its codes. */
export interface TotpLabel {
  issuer: string
  account: string
}
/** Secrets by path and key (`secret/data/jwt`), and keys by name that never leave the adapter. */
export interface Secrets {
  getSecret(path: string, key: string): Promise<string | null>
  setSecret(path: string, key: string, value: string): Promise<void>
  /** sets it where nothing is set, whoever tries at the same moment: what is set then, this value or another's */
  addSecret(path: string, key: string, value: string): Promise<string>
  deleteSecret(path: string, key: string): Promise<void>
  /** paths, never values; at most 1000, ascending */
  listSecrets(prefix: string): Promise<string[]>
  /** AEAD; `context` is authenticated, not stored: the same context must be given to decrypt */
  encrypt(keyName: string, plain: Uint8Array, context: string): Promise<string>
  decrypt(keyName: string, sealed: string, context: string): Promise<Uint8Array>
  /** a new TOTP key in place of any other of that name: its otpauth:// URL, which nothing tells again */
  createTotp(name: string, label: TotpLabel): Promise<string>
  /** the code of this moment, RFC 6238: 6 digits, 30 s, SHA-1 */
  generateTotp(name: string): Promise<string>
  /** the code is that of now, or one step beside it, and was not used before */
  verifyTotp(name: string, code: string): Promise<boolean>
  /** there is no such key from now on; none of that name is no error */
  deleteTotp(name: string): Promise<void>
  /** database logins that are renewed and issued anew behind the pool; throws SecretsError where nothing issues them */
  databaseCredentials(): Promise<CredentialSource>
  /** a new database login now; the one before ends when its requests are done */
  rotateDatabaseCredentials(): Promise<void>
  /** why the store can't be asked now, or null */
  away(): string | null
  close(): Promise<void>
}

/** What was asked can't be done; the message never holds a value. */
export class SecretsError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'SecretsError'
  }
}

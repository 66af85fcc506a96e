/** Secrets by path and key (`secret/data/jwt`), and encryption under a named key that never leaves the adapter. */
export interface Secrets {
  getSecret(path: string, key: string): Promise<string | null>
  setSecret(path: string, key: string, value: string): Promise<void>
  deleteSecret(path: string, key: string): Promise<void>
  listSecrets(prefix: string): Promise<string[]>
  /** AEAD; `context` is authenticated, not stored: the same context must be given to decrypt */
  encrypt(keyName: string, plain: Uint8Array, context: string): Promise<string>
  decrypt(keyName: string, sealed: string, context: string): Promise<Uint8Array>
  close(): Promise<void>
}

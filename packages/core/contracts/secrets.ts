/** What a service may read and write in the secrets server: its policy is made from this. */
export interface SecretAccess {
  /** below secret/data/ */
  paths: readonly string[]
  /** TOTP keys: logins */
  totp?: boolean
}
/** Each service of services.ts. Encryption keys are named `<service>.<purpose>`, and only that service uses them. */
export const SECRET_ACCESS: Readonly<Record<string, SecretAccess>> = {
  gateway: { paths: ['jwt', 'audit-keys'], totp: true },
  'market-data': { paths: [] },
  trading: { paths: ['journal-keys'] },
  websocket: { paths: [] },
}
/** The role of the database engine that issues the platform's logins. */
export const DATABASE_ROLE = 'postgres-role'

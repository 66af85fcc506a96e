import type { CredentialSource, Credentials } from './credentials.ts'

/** The login that new connections use. Those made under one before are old: they go as soon as they are free. */
export class Logins {
  private generation = 0
  private readonly born = new WeakMap<object, number>()
  private readonly listeners = new Set<() => void>()
  private stop = () => {}

  private constructor(
    private readonly source: CredentialSource,
    private credentials: Credentials,
  ) {}

  static async open(source: CredentialSource): Promise<Logins> {
    const logins = new Logins(source, await source.current())
    logins.stop = source.subscribe((credentials) => logins.take(credentials))
    return logins
  }

  get latest(): Credentials {
    return this.credentials
  }

  /** Notes that `connection` is made under the latest login. */
  made(connection: object): Credentials {
    this.born.set(connection, this.generation)
    return this.credentials
  }
  isOld(connection: object): boolean {
    return this.born.get(connection) !== this.generation
  }

  /** The server refused the login: asks the source; true when there is another one now. */
  async refused(): Promise<boolean> {
    const before = this.generation
    this.take(await this.source.current())
    return this.generation !== before
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener)
  }

  async close(): Promise<void> {
    this.stop()
    this.listeners.clear()
    await this.source.close()
  }

  private take(credentials: Credentials): void {
    const { user, password } = this.credentials
    if (credentials.user === user && credentials.password === password) return
    this.credentials = credentials
    this.generation++
    for (const listener of this.listeners) listener()
  }
}

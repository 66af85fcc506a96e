/** A real server on loopback: how tests, benches and `assay stack` hold one. */
export interface Server {
  name: ServerName
  version: string
  /** of the process that runs now; another one after restart */
  readonly pid: number
  /** host:port, or a URL where its clients want one */
  address: string
  /** its data and its log (server.log) */
  folder: string
  /** every port it listens on, by what it serves */
  ports: Readonly<Record<string, number>>
  /** the variables that point Assay at it */
  env: Readonly<Record<string, string>>
  /** SIGSTOP and SIGCONT reach its children too; a SIGKILL is waited for, so that restart can follow */
  signal(signal: ServerSignal): Promise<void>
  /** asks it to end, kills it after a while; no error when it has ended */
  stop(): Promise<void>
  /** the same data, ports and flags; stops it first when it still runs */
  restart(): Promise<void>
}
export const SERVER_NAMES = ['postgres', 'kafka', 'redis', 'openbao', 'versitygw'] as const
export type ServerName = (typeof SERVER_NAMES)[number]
export type ServerSignal = 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM' | 'SIGINT'

export interface StartOptions {
  /** its own; made when missing, kept by stop */
  folder: string
  /** absent: any free one */
  port?: number
  /** outlives this process; absent: ends with it */
  detached?: boolean
  /** absent: 120 s; a JVM on a loaded machine took 59 */
  readyMs?: number
}
/** Variables that point at servers. */
export type Addresses = Readonly<Record<string, string | undefined>>
/** One line per step for a person. */
export type Progress = (line: string) => void

/** A server was started and did not come up: its last words, and who sits on its port. */
export class ServerStartError extends Error {
  override name = 'ServerStartError'
  constructor(
    message: string,
    /** one of its ports that another process listens at */
    readonly takenPort?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** A server cannot be had here: says which one, why, and what to do. */
export class ServerMissingError extends Error {
  constructor(
    readonly server: ServerName,
    reason: string,
    todo: string,
  ) {
    super(`${server} cannot be had: ${reason}\n  -> ${todo}`)
    this.name = 'ServerMissingError'
  }
}

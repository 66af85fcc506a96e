import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SERVER_NAMES, type Server, type ServerName } from '../stack/server.ts'
import { SERVERS } from '../stack/servers/all.ts'
import { settle } from '../stack/settle.ts'

/** The servers of one run, for every suite of it: each suite takes a database, prefix or path of its own. */
export interface TestServers {
  servers: readonly Server[]
  /** ASSAY_TEST_<variable> for each variable that points at one */
  env: Readonly<Record<string, string>>
  stop(): Promise<void>
}
export interface TestServerOptions {
  folder: string
  /** of a database that is there already: none is started */
  databaseUrl?: string
  progress(line: string): void
}

/** Installs and starts all; when one cannot be had none is left running, and the error names every missing one. */
export async function startTestServers({ folder, databaseUrl, progress }: TestServerOptions): Promise<TestServers> {
  const names = SERVER_NAMES.filter((name) => name !== 'postgres' || !databaseUrl)
  await settle(names.map((name) => SERVERS[name].install(progress)))
  const servers: Server[] = []
  const stop = () => Promise.all(servers.map((server) => server.stop())).then(() => {})
  try {
    await settle(names.map(async (name) => void servers.push(await startOne(name, folder))))
  } catch (error) {
    await stop()
    throw error
  }
  const variables = Object.assign({}, ...servers.map(({ env }) => env), databaseUrl && { DATABASE_URL: databaseUrl })
  return { servers, env: forSuites(variables), stop }
}

function startOne(name: ServerName, folder: string): Promise<Server> {
  const own = join(folder, name)
  mkdirSync(own, { recursive: true })
  return SERVERS[name].start({ folder: own })
}

const forSuites = (variables: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [`ASSAY_TEST_${name}`, value]))

/** Said at the start of a run: what the suites talk to. */
export const describeServer = ({ name, version, pid, address }: Server): string =>
  `server ${name.padEnd(10)} ${version.padEnd(10)} process ${String(pid).padEnd(7)} ${address}`

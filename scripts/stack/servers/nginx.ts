import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { getuid } from 'node:process'
import { hasDebianPackages, unpackDebian } from '../debian.ts'
import { installOnce, onPath, step } from '../installed.ts'
import { lastLines, stopProcess } from '../launch.ts'
import { isFree } from '../ports.ts'
import { descendants } from '../processes.ts'
import type { Progress } from '../server.ts'

/** Of Debian 12; the library is the one a slim system lacks. */
const PACKAGES = ['nginx', 'libpcre2-8-0']
const READY_MS = 20_000
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

export interface NginxOptions {
  /** of its configuration, log and temporary files */
  folder: string
  /** a whole nginx.conf */
  configuration: string
  /** one of the ports it listens on: ready when it is taken */
  port: number
}
/** nginx in the foreground, as it stands in front of the platform or as a bench's peer. */
export interface Nginx {
  version: string
  /** of the processes that serve; the master only watches them */
  workers(): number[]
  stop(): Promise<void>
}
interface Installation {
  version: string
  program: string
  environment: Record<string, string>
}

/** One of this machine, else Debian's unpacked into `.servers`. */
export async function installNginx(progress: Progress = () => {}): Promise<Installation> {
  const present = onPath('nginx')
  const found = present && (await probe(present))
  if (found) return found
  if (!hasDebianPackages()) throw new Error('nginx cannot be had: it is not on the PATH, and this is no Debian')
  const folder = await installOnce({ name: 'nginx-debian', progress }, async (making) => {
    progress('nginx: downloading the packages of Debian (1 MB)')
    await unpackDebian(PACKAGES, making)
  })
  const libraries = join(folder, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`)
  const unpacked = await probe(join(folder, 'usr/sbin/nginx'), { LD_LIBRARY_PATH: libraries })
  if (!unpacked) throw new Error(`${folder} holds no nginx that runs`)
  return unpacked
}

async function probe(program: string, environment: Record<string, string> = {}): Promise<Installation | undefined> {
  const said = await step([program, '-v'], { env: environment }).catch(() => '')
  const version = /nginx\/([\d.]+)/.exec(said)?.[1]
  return version ? { version, program, environment } : undefined
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { version, program, environment } = await installNginx()
  const folder = resolve(options.folder)
  mkdirSync(folder, { recursive: true })
  const at = join(folder, 'nginx.conf')
  // where Debian's build wants to write, only the system's nginx may
  const paths = TEMPORARY.map((name) => `${name}_temp_path ${join(folder, name)};`).join(' ')
  writeFileSync(
    at,
    options.configuration.replace(/^http \{$/m, (line) => `${line} ${paths}`),
  )
  const log = join(folder, 'server.log')
  const own = ['-p', folder, '-e', log, '-c', at]
  // its workers write into the folder too
  const user = getuid?.() === 0 ? 'user root;' : ''
  const globals = ['-g', `daemon off; pid ${join(folder, 'nginx.pid')}; ${user}`]
  await step([program, '-t', ...own, ...globals], { env: environment })
  const child = Bun.spawn([program, ...own, ...globals], { env: environment, stdio: ['ignore', 'ignore', 'ignore'] })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  const end = performance.now() + READY_MS
  while (await isFree(options.port)) {
    if (child.exitCode !== null || performance.now() > end) {
      child.kill('SIGKILL')
      throw new Error(`nginx ${version} did not start\n${lastLines(folder)}`)
    }
    await Bun.sleep(20)
  }
  return {
    version,
    workers: () => descendants(child.pid),
    async stop() {
      await stopProcess({ pid: child.pid, stopSignal: 'SIGTERM', ended: () => child.exitCode !== null })
      await child.exited
      process.off('exit', kill)
    },
  }
}

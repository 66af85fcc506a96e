import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { installOnce, onPath, step } from '../installed.ts'
import { launch } from '../launch.ts'
import { freePorts, HOST } from '../ports.ts'
import { type Addresses, type Progress, type Server, ServerMissingError, type StartOptions } from '../server.ts'

const VERSION = '1.8.0'
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`
const BUCKET = 'assay'

export interface VersitygwInstallation {
  version: string
  program: string
}

/** Speaks S3 over a folder; built once from its Go module into `.servers`. */
export async function installVersitygw(progress: Progress): Promise<VersitygwInstallation> {
  const name = `versitygw-${VERSION}`
  const folder = await installOnce({ name, progress }, async (making) => {
    if (!onPath('go')) throw new ServerMissingError('versitygw', 'go is not on the PATH', 'install Go 1.25 or later')
    progress(`versitygw: building ${VERSION} from its Go module (about 5 minutes, once)`)
    await step(['go', 'install', '-ldflags', '-s -w', MODULE], { env: { GOBIN: making, CGO_ENABLED: '0' } })
  })
  return { version: VERSION, program: join(folder, 'versitygw') }
}

/** Keys of its own folder, one bucket. */
export async function startVersitygw(options: StartOptions, progress: Progress = () => {}): Promise<Server> {
  const { version, program } = await installVersitygw(progress)
  const folder = resolve(options.folder)
  mkdirSync(join(folder, 'data', BUCKET), { recursive: true, mode: 0o700 })
  const port = options.port ?? (await freePorts(1))[0]!
  const { id, secret } = keysOf(folder)
  const url = `http://${HOST}:${port}`
  const env = {
    S3_ENDPOINT: url,
    S3_BUCKET: BUCKET,
    S3_REGION: 'us-east-1',
    S3_ACCESS_KEY_ID: id,
    S3_SECRET_ACCESS_KEY: secret,
  }
  return launch(
    {
      name: 'versitygw',
      version,
      address: url,
      folder,
      ports: { s3: port },
      env,
      environment: { ROOT_ACCESS_KEY: id, ROOT_SECRET_KEY: secret },
      command: [program, '--port', `${HOST}:${port}`, 'posix', join(folder, 'data')],
      isReady: () => answersVersitygw(env),
    },
    options,
  )
}

/** Any answer: without a signature it is a refusal. */
export const answersVersitygw = ({ S3_ENDPOINT = '' }: Addresses): Promise<boolean> =>
  fetch(S3_ENDPOINT, { signal: AbortSignal.timeout(3_000) }).then(
    () => true,
    () => false,
  )

function keysOf(folder: string): { id: string; secret: string } {
  const file = join(folder, 'keys.json')
  if (!existsSync(file)) {
    const random = () => crypto.randomUUID().replaceAll('-', '')
    writeFileSync(file, JSON.stringify({ id: random().slice(0, 20), secret: random() }), { mode: 0o600 })
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { id: string; secret: string }
}

import { homeOfConfig } from '../instance.ts'
import { parseOptions, UsageError } from '../options.ts'
import { ServerMissingError, ServerStartError } from '../stack/server.ts'
import { envFile, lowerStack, raiseStack, type StackStatus, stackFolder, stackStatus } from '../stack/stack.ts'

export const summary =
  'up [--native] | down [--wipe] | status: PostgreSQL, Kafka, Redis, OpenBao and an S3 server on loopback, by Docker Compose or natively; --wipe drops their data'

const ACTIONS = ['up', 'down', 'status'] as const
type Action = (typeof ACTIONS)[number]
/** Their words say what to do. */
const KNOWN = [ServerMissingError, ServerStartError, AggregateError]

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    wipe: { type: 'boolean', default: false },
    native: { type: 'boolean', default: false },
  })
  const [action, more] = positionals
  if (!ACTIONS.includes(action as Action) || more) throw new UsageError(`one of ${ACTIONS.join(' | ')}`)
  if (values.wipe && action !== 'down') throw new UsageError('--wipe goes with down')
  if (values.native && action !== 'up') throw new UsageError('--native goes with up')
  const home = homeOfConfig()
  if (action === 'up') return up(home, values.native)
  return action === 'down' ? down(home, values.wipe) : status(home)
}

async function up(home: string, native: boolean): Promise<number> {
  try {
    const env = await raiseStack(home, say, { native })
    console.log(
      `\n${Object.entries(env)
        .map(([name, value]) => `${name}=${isSecret(name) ? '(secret)' : hide(value)}`)
        .join('\n')}`,
    )
    console.log(`\nwith the secrets in ${envFile(home)}\n  set -a; . ${envFile(home)}; set +a; ./assay up`)
    return 0
  } catch (error) {
    if (!KNOWN.some((kind) => error instanceof kind)) throw error
    console.error(`assay stack: ${(error as Error).message}`)
    return 1
  }
}

async function down(home: string, wipe: boolean): Promise<number> {
  await lowerStack(home, say, wipe)
  console.log(wipe ? `stopped; ${stackFolder(home)} is gone` : `stopped; data stays in ${stackFolder(home)}`)
  return 0
}

async function status(home: string): Promise<number> {
  const all = await stackStatus(home)
  for (const one of all) console.log(row(one))
  return all.every(({ healthy }) => healthy) ? 0 : 1
}

function row({ name, about, running, healthy }: StackStatus): string {
  const state = healthy ? 'healthy' : running ? 'does not answer' : 'not running'
  const where = running && about ? `process ${about.pid}  ${about.address}` : ''
  return `${name.padEnd(10)} ${(about?.version ?? '').padEnd(16)} ${state.padEnd(16)} ${where}`.trimEnd()
}

const start = performance.now()
const say = (line: string) => console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}`)
const isSecret = (name: string) => /TOKEN|SECRET|KEY/.test(name)
/** The password in a URL. */
const hide = (value: string) => value.replace(/:[^:/@]+@/, ':***@')

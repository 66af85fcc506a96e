import { cpSync, rmSync } from 'node:fs'
import { capture } from '../capture.ts'
import { copyRepository } from '../mutate/copy.ts'
import type { Mutant } from '../mutate/sites.ts'
import { UsageError } from '../options.ts'
import { ROOT } from '../root.ts'
import { BEHIND_ANOTHER } from './behind-another.ts'
import { allowAnyScope, findGuards, GUARDED, routesBehind } from './guards.ts'

const WORKERS = 2
const LIMIT_MS = 300_000
const AUTH = 'packages/core/kernel/auth.ts'
/** Row security would hide that a predicate is missing: it is another line of defence, with tests of its own. */
const WITHOUT_ROW_SECURITY = { ASSAY_ACCESS_ROW_SECURITY: 'off', ASSAY_TEST_ADAPTERS: 'embedded' }

export interface GuardOptions {
  under?: string | undefined
  only?: string | undefined
  list: boolean
  json: boolean
}
interface Tried {
  guard: Mutant
  /** the first row that failed; null: the walk passed without the guard */
  by: string | null
}

/** Takes each guard away in turn and walks docs/access.csv: the walk must fail every time. */
export async function mutateGuards({ under, only, list, json }: GuardOptions): Promise<number> {
  if (list) {
    for (const guard of chosen(findGuards(await readSources(ROOT, under)), only)) console.log(lineOf(guard))
    return 0
  }
  const copies = await copyRepository(only === undefined ? WORKERS : 1)
  const clean = () => {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true })
  }
  process.once('exit', clean)
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    // made from the schema, not checked in
    for (const copy of copies) cpSync(`${ROOT}prisma/generated`, `${copy}prisma/generated`, { recursive: true })
    // from the copy: the checkout may change while this runs
    const guards = chosen(findGuards(await readSources(copies[0]!, under)), only)
    for (const copy of copies) await Bun.write(copy + AUTH, allowAnyScope(await Bun.file(copy + AUTH).text()))
    const first = [...new Set(guards.map(({ file }) => routesBehind(file)))]
    const wrong = await walk(copies[0]!, first.includes('') ? '' : first.join('|'))
    if (wrong !== null) throw new UsageError(`the walk fails with every guard in its place: ${wrong}`)
    const tried = await tryAll(guards, copies, json)
    return report(tried, { whole: under === undefined && only === undefined, json })
  } finally {
    process.off('exit', clean)
    clean()
  }
}

async function readSources(root: string, under: string | undefined): Promise<Map<string, string>> {
  const prefix = under?.replace(/^\.?\//, '') ?? ''
  const sources = new Map<string, string>()
  for (const folder of GUARDED) {
    for (const path of [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(root)].sort()) {
      if (/\.test\.ts$|\/testing\/|node_modules/.test(path) || !path.startsWith(prefix)) continue
      sources.set(path, await Bun.file(root + path).text())
    }
  }
  if (sources.size === 0) throw new UsageError(`${under}: no source of ${GUARDED.join(', ')}`)
  return sources
}

function chosen(guards: Mutant[], only: string | undefined): Mutant[] {
  if (only === undefined) return guards
  const guard = guards.find(({ n }) => String(n) === only)
  if (!guard) throw new UsageError(`--only ${only}: the guards are 1 to ${guards.length}`)
  return [guard]
}

async function tryAll(guards: Mutant[], copies: string[], json: boolean): Promise<Tried[]> {
  const tried: Tried[] = []
  const waiting = guards.slice()
  const worker = async (copy: string) => {
    for (let guard = waiting.shift(); guard; guard = waiting.shift()) {
      const by = await without(guard, copy)
      tried.push({ guard, by })
      if (!json)
        console.log(`${by === null ? 'PASSED ' : 'failed '} ${lineOf(guard)}${by === null ? '' : `\n          ${by}`}`)
    }
  }
  await Promise.all(copies.map(worker))
  return tried.sort((a, b) => a.guard.n - b.guard.n)
}

async function without(guard: Mutant, copy: string): Promise<string | null> {
  const original = await Bun.file(copy + guard.file).text()
  const text = guard.file === AUTH ? allowWhereAsked(guard.text) : guard.text
  await Bun.write(copy + guard.file, text)
  try {
    const first = routesBehind(guard.file)
    return (first ? await walk(copy, first) : null) ?? (await walk(copy, ''))
  } finally {
    await Bun.write(copy + guard.file, original)
  }
}
const allowWhereAsked = (text: string): string => {
  try {
    return allowAnyScope(text)
  } catch {
    // this guard is the one that asks
    return text
  }
}

/** The first thing that is wrong; null: the walk passed. */
async function walk(copy: string, routes: string): Promise<string | null> {
  const { code, output } = await capture([process.execPath, 'test', '--bail', './tests/access/access.test.ts'], {
    cwd: copy,
    env: { ...WITHOUT_ROW_SECURITY, ASSAY_ACCESS_ROUTES: routes },
    timeoutMs: LIMIT_MS,
  })
  if (code === 0) return null
  const lines = output.split('\n')
  const told =
    lines.find((line) => /line \d+: /.test(line)) ?? lines.find((line) => /^error|\(fail\)/.test(line.trim()))
  return (told ?? `it ended with ${code}`).trim().slice(0, 200)
}

const lineOf = ({ n, file, line, label, was }: Mutant): string =>
  `${String(n).padStart(4)}  ${file}:${line}  ${label}:  ${was.slice(0, 120)}`

function report(tried: Tried[], { whole, json }: { whole: boolean; json: boolean }): number {
  const passed = tried.filter(({ by }) => by === null)
  const explained = passed.filter(({ guard }) => reasonOf(guard) !== undefined)
  const open = passed.filter(({ guard }) => reasonOf(guard) === undefined)
  if (json) {
    console.log(
      JSON.stringify({ guards: tried.length, failed: tried.length - passed.length, explained: explained.length }),
    )
    return open.length > 0 ? 1 : 0
  }
  for (const { guard } of explained) console.log(`behind another guard: ${lineOf(guard)}\n          ${reasonOf(guard)}`)
  for (const { guard } of open) console.log(`NOT SEEN: ${lineOf(guard)}\n        + ${guard.becomes}`)
  if (whole)
    for (const [file, text] of Object.keys(BEHIND_ANOTHER).map((key) => key.split(' | ') as [string, string]))
      if (!passed.some(({ guard }) => guard.file === file && guard.was.includes(text)))
        console.log(`explains nothing any more: ${file} | ${text}`)
  console.log(
    `the walk failed for ${tried.length - passed.length} of ${tried.length} guards; ${explained.length} stand behind another`,
  )
  return open.length > 0 ? 1 : 0
}

const reasonOf = ({ file, was }: Mutant): string | undefined =>
  Object.entries(BEHIND_ANOTHER).find(([key]) => {
    const [path, text] = key.split(' | ') as [string, string]
    return path === file && was.includes(text)
  })?.[1]

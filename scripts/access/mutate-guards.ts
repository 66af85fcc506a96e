import { cpSync, rmSync } from 'node:fs'
import { environment } from '@assay/core/kernel/config'
import { copyRepository } from '../mutate/copy.ts'
import type { Mutant } from '../mutate/sites.ts'
import { UsageError } from '../options.ts'
import { ROOT } from '../root.ts'
import { BEHIND_ANOTHER } from './behind-another.ts'
import { allowAnyScope, findGuards, GUARDED, type Guard, switchable } from './guards.ts'

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
  guard: Guard
  /** the first row that failed; null: the walk passed without the guard */
  by: string | null
  /** rows on whose way it stands */
  steps: number
  /** it is part of a constant of its module */
  atImport: boolean
  broke?: string
}

/** Takes each guard away in turn and walks docs/access.csv: the walk must fail every time. */
export async function mutateGuards({ under, only, list, json }: GuardOptions): Promise<number> {
  if (list) {
    for (const guard of chosen(findGuards(await readSources(ROOT)), { under, only })) console.log(lineOf(guard))
    return 0
  }
  const [copy] = (await copyRepository(1)) as [string]
  const clean = () => rmSync(copy, { recursive: true, force: true })
  process.once('exit', clean)
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    // made from the schema, not checked in
    cpSync(`${ROOT}prisma/generated`, `${copy}prisma/generated`, { recursive: true })
    // from the copy: the checkout may change while this runs
    const sources = await readSources(copy)
    const guards = findGuards(sources)
    for (const [file, text] of sources) {
      const its = guards.filter((guard) => guard.file === file)
      if (its.length > 0) await Bun.write(copy + file, switchable(text, its))
    }
    await Bun.write(copy + AUTH, allowAnyScope(await Bun.file(copy + AUTH).text()))
    const { tried, broke } = await tryAll(chosen(guards, { under, only }), { copy, json })
    const code = report(tried, { whole: under === undefined && only === undefined && broke === null, json })
    if (broke !== null) throw new UsageError(`the walk broke off:\n${broke}`)
    return code
  } finally {
    process.off('exit', clean)
    clean()
  }
}

async function readSources(root: string): Promise<Map<string, string>> {
  const sources = new Map<string, string>()
  for (const folder of GUARDED) {
    for (const path of [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(root)].sort()) {
      if (/\.test\.ts$|\/testing\/|node_modules/.test(path)) continue
      sources.set(path, await Bun.file(root + path).text())
    }
  }
  return sources
}

function chosen(guards: Guard[], { under, only }: Pick<GuardOptions, 'under' | 'only'>): Guard[] {
  const prefix = under?.replace(/^\.?\//, '') ?? ''
  const found = guards.filter(
    ({ n, file }) => file.startsWith(prefix) && (only === undefined || only.split(',').includes(String(n))),
  )
  if (found.length === 0) throw new UsageError(`no guard of ${GUARDED.join(', ')} is asked for; see --list`)
  return found
}

/** One process for all of them: what a guard lets through is seen before the next one is taken away. */
async function tryAll(
  guards: Guard[],
  { copy, json }: { copy: string; json: boolean },
): Promise<{ tried: Tried[]; broke: string | null }> {
  const list = `${copy}guards.json`
  await Bun.write(list, JSON.stringify(guards.map(({ n, label }) => ({ n, label }))))
  const child = Bun.spawn([process.execPath, 'test', './tests/access/guards-away.ts'], {
    cwd: copy,
    env: { ...environment(), ...WITHOUT_ROW_SECURITY, ASSAY_ACCESS_GUARDS: list, TMPDIR: copy },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const end = () => child.kill()
  process.once('exit', end)
  const errors = new Response(child.stderr).text()
  const tried: Tried[] = []
  let rest = ''
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines.filter((line) => line.startsWith('GUARD '))) {
      const { n, ...told } = JSON.parse(line.slice(6)) as { n: number } & Omit<Tried, 'guard'>
      const one = { guard: guards.find((guard) => guard.n === n)!, ...told }
      tried.push(one)
      if (!json) console.log(`${one.by === null ? 'PASSED ' : 'failed '} ${lineOf(one.guard)}\n          ${wayOf(one)}`)
    }
  }
  const code = await child.exited
  process.off('exit', end)
  return { tried, broke: code === 0 ? null : (await errors).trim() }
}
const wayOf = ({ by, steps, atImport, broke }: Tried): string => {
  if (by !== null) return by.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 160)
  if (broke !== undefined) return `IT BROKE OFF: ${broke.slice(0, 160)}`
  if (atImport) return "decided when it is imported: it can't be taken away"
  return steps === 0 ? 'no request is asked for it' : `${steps} rows pass without it`
}

const lineOf = ({ n, file, line, label, was }: Mutant): string =>
  `${String(n).padStart(4)}  ${file}:${line}  ${label}:  ${was.slice(0, 120)}`

function report(tried: Tried[], { whole, json }: { whole: boolean; json: boolean }): number {
  const passed = tried.filter(({ by }) => by === null)
  const explained = passed.filter(({ guard }) => reasonOf(guard) !== undefined)
  const open = passed.filter(({ guard, broke }) => reasonOf(guard) === undefined || broke !== undefined)
  if (json) {
    console.log(
      JSON.stringify({ guards: tried.length, failed: tried.length - passed.length, explained: explained.length }),
    )
    return open.length > 0 ? 1 : 0
  }
  for (const { guard } of explained) console.log(`behind another guard: ${lineOf(guard)}\n          ${reasonOf(guard)}`)
  for (const one of open)
    console.log(`NOT SEEN: ${lineOf(one.guard)}\n        + ${one.guard.becomes}\n          ${wayOf(one)}`)
  if (whole)
    for (const [file, text] of Object.keys(BEHIND_ANOTHER).map((key) => key.split(' | ') as [string, string]))
      if (
        !passed.some(({ guard }) => guard.file === file && (guard.was.includes(text) || guard.becomes.includes(text)))
      )
        console.log(`explains nothing any more: ${file} | ${text}`)
  console.log(
    `the walk failed for ${tried.length - passed.length} of ${tried.length} guards; ${explained.length} stand behind another`,
  )
  return open.length > 0 ? 1 : 0
}

const reasonOf = ({ file, was, becomes }: Mutant): string | undefined =>
  Object.entries(BEHIND_ANOTHER).find(([key]) => {
    const [path, text] = key.split(' | ') as [string, string]
    return path === file && (was.includes(text) || becomes.includes(text))
  })?.[1]

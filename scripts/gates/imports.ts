import { dirname, join, normalize } from 'node:path'
import { ROOT } from '../root.ts'
import { isTest, sourceFiles } from '../sources.ts'
import type { Gate } from './gate.ts'

/** Right may import left. */
const LAYERS = ['domain', 'contracts', 'ports', 'kernel', 'testing']
/** What the domain may use: its own files, and libraries without I/O, clock or randomness. */
const PURE = /^(@noble\/|zod$|fflate$|\.\.?\/)/
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*'([^']+)'|import\s*\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s*'([^']+)'/g

export const imports: Gate = {
  name: 'import law',
  async check() {
    const problems: string[] = []
    for (const path of sourceFiles()) {
      const text = await Bun.file(ROOT + path).text()
      for (const target of importsOf(text)) {
        const reason = breach(path, target, isTypeOnly(text, target))
        if (reason) problems.push(`${path}: ${target}: ${reason}`)
      }
      if (readsEnvironment(path, text)) problems.push(`${path}: process.env is read in kernel/config.ts only`)
    }
    return problems
  },
}

export const importsOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')

const isTypeOnly = (text: string, target: string): boolean =>
  new RegExp(`import type [^;]*?from '${target.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}'`).test(text)

const readsEnvironment = (path: string, text: string): boolean =>
  /process\.env\b/.test(text) &&
  path !== 'packages/core/kernel/config.ts' &&
  path !== 'scripts/gates/imports.ts' &&
  !isTest(path)

/** Why a file may not import this, or undefined. */
export function breach(path: string, target: string, typeOnly = false): string | undefined {
  const from = place(path)
  const to = place(resolveTarget(path, target))
  if (from.layer === 'domain' && !isTest(path) && !PURE.test(target))
    return 'domain is pure: itself, @noble, zod, fflate'
  if (to.layer === 'testing' && from.layer !== 'testing' && !isTestSupport(path)) return 'testing is for tests only'
  if (from.layer && to.layer && !isTestSupport(path) && LAYERS.indexOf(to.layer) > LAYERS.indexOf(from.layer)) {
    // the service descriptor names the types of the ports it hands out; nothing runs
    return typeOnly && from.layer === 'ports' ? undefined : `${from.layer} may not import ${to.layer}`
  }
  if (from.layer && to.service) return 'core imports no service'
  if (from.service && to.service && from.service !== to.service)
    return `a service imports no other (${from.service} -> ${to.service})`
  return undefined
}

const isTestSupport = (path: string): boolean =>
  isTest(path) ||
  path.includes('/testing/') ||
  path.endsWith('/contract.ts') ||
  path.startsWith('bench/') ||
  path.startsWith('tests/') ||
  path.startsWith('scripts/')

function resolveTarget(path: string, target: string): string {
  if (target.startsWith('.')) return normalize(join(dirname(path), target))
  return target.replace(/^@assay\/core\//, 'packages/core/').replace(/^@assay\/services\//, 'services/')
}

function place(path: string): { layer?: string; service?: string } {
  const layer = /^packages\/core\/([^/]+)\//.exec(path)?.[1]
  if (layer && LAYERS.includes(layer)) return { layer }
  const service = /^services\/([^/]+)\//.exec(path)?.[1]
  return service ? { service } : {}
}

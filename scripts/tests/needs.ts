import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { ROOT } from '../root.ts'

/** What a suite needs of the world, read from its own text and that of the test code it stands on. */
export interface Needs {
  /** the shared servers, once real adapters are asked for */
  servers: boolean
  /** nothing of it can run without real servers */
  onlyReal: boolean
}

/** Test code: followed. What is tested is not: it names servers for other reasons. */
const isTestCode = (path: string) => /^tests\/|\/testing\/|\/contract\.ts$/.test(path)
/** Offers both kinds: what is used of it is in the suite. */
const isLibrary = (path: string) => path.startsWith('packages/core/testing/')
const SHARED = /\bdescribe(Adapters|Real|Kafka)\(|ASSAY_TEST_/
/** Says nothing on embedded adapters; */
const REAL = /^describe(Real|Kafka)\(/m
/** this says something there. */
const ELSE = /^(test|describe|describeAdapters|databases|for)\b/m
/** What starts servers. */
const STARTS = /^scripts\/stack\/(servers\/|stack\.ts$)/

export function needsOf(suite: string): Needs {
  const texts = [...closure(suite)]
  const own = texts.some(([path, text]) => importsOf(path, text).some((one) => STARTS.test(one)))
  const [[, self] = ['', '']] = texts
  return {
    servers: own || texts.some(([path, text]) => !isLibrary(path) && SHARED.test(text)),
    onlyReal: own || (REAL.test(self) && !ELSE.test(self)),
  }
}

/** The suite and the test code it imports, by path. */
function closure(suite: string): Map<string, string> {
  const texts = new Map<string, string>()
  const open = [suite]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (texts.has(path)) continue
    const text = readFileSync(join(ROOT, path), 'utf8')
    texts.set(path, text)
    open.push(...importsOf(path, text).filter(isTestCode))
  }
  return texts
}

function importsOf(path: string, text: string): string[] {
  const named = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1]!)
  const paths = named.map((name) => {
    if (name.startsWith('.')) return normalize(join(dirname(path), name))
    if (name.startsWith('@assay/core/')) return `packages/core/${name.slice(12)}.ts`
    return name.startsWith('@assay/services/') ? `services/${name.slice(16)}.ts` : ''
  })
  return paths.filter((one) => one.endsWith('.ts') && existsSync(join(ROOT, one)))
}

import { join } from 'node:path'
import type { SourceFile } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/async'

/** path inside the repository -> text */
export type Sources = ReadonlyMap<string, string>

const ROOT = '/sources'
const PROJECT = `${ROOT}/tsconfig.json`
/** Nothing but the files themselves: no library, no imports. */
const OPTIONS = { noLib: true, noResolve: true, types: [] }

/** The syntax trees of TypeScript texts. The compiler reads no disk: only what is given here exists for it. */
export async function parseSources<T>(sources: Sources, use: (path: string, tree: SourceFile) => T): Promise<T[]> {
  const files = new Map([...sources].map(([path, text]) => [join(ROOT, path), text]))
  files.set(PROJECT, JSON.stringify({ compilerOptions: OPTIONS, files: [...sources.keys()] }))
  const folders = new Set([...files.keys()].flatMap(parents))
  const api = new API({
    cwd: ROOT,
    fs: {
      readFile: (path) => files.get(path) ?? null,
      fileExists: (path) => files.has(path),
      directoryExists: (path) => folders.has(path),
      getAccessibleEntries: () => ({ files: [], directories: [] }),
      realpath: (path) => path,
    },
  })
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [PROJECT] })
    const { program } = snapshot.getProject(PROJECT)!
    const results: T[] = []
    for (const path of sources.keys()) {
      const tree = await program.getSourceFile(join(ROOT, path))
      if (!tree) throw new Error(`${path}: not parsed`)
      const [wrong] = await program.getSyntacticDiagnostics(join(ROOT, path))
      if (wrong) throw new Error(`${path}: ${wrong.text}`)
      results.push(use(path, tree))
    }
    return results
  } finally {
    await api.close()
  }
}

function parents(path: string): string[] {
  const cut = path.lastIndexOf('/')
  return cut <= 0 ? ['/'] : [path.slice(0, cut), ...parents(path.slice(0, cut))]
}

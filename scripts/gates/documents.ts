import { existsSync } from 'node:fs'
import { ROOT } from '../root.ts'
import type { Gate } from './gate.ts'

/** `path/file.ts:name` in docs/walk.md */
const STEP = /`([\w./-]+\.ts):(\w+)`/g

/** Every file and function that docs/walk.md names is there. */
export const documents: Gate = {
  name: 'walks',
  async check() {
    const text = await Bun.file(`${ROOT}docs/walk.md`).text()
    const problems: string[] = []
    for (const [, path, name] of text.matchAll(STEP)) {
      if (!existsSync(ROOT + path)) problems.push(`docs/walk.md names ${path}, which is not there`)
      else if (!declares(await Bun.file(ROOT + path).text(), name!))
        problems.push(`docs/walk.md names ${name} in ${path}, which is not there`)
    }
    return problems
  },
}

const declares = (source: string, name: string): boolean =>
  new RegExp(
    `(function\\*?|class|const|let|async|get|private|public)\\s+(async\\s+)?\\*?${name}\\b|^\\s+(async\\s+)?${name}\\s*[(:<]`,
    'm',
  ).test(source)

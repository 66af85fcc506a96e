import { targets } from '../generate/targets.ts'
import { ROOT } from '../root.ts'
import type { Gate } from './gate.ts'

export const generated: Gate = {
  name: 'generated files',
  async check() {
    const problems: string[] = []
    for (const { path, make } of targets) {
      const file = Bun.file(ROOT + path)
      const now = (await file.exists()) ? await file.text() : undefined
      if (now !== (await make())) problems.push(`${path} is not what its sources say: ./assay generate`)
    }
    return problems
  },
}

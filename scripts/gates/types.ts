import { capture, tool } from '../capture.ts'
import type { Gate } from './gate.ts'

export const types: Gate = {
  name: 'types',
  async check() {
    const { code, output } = await capture(tool('typescript/bin/tsc', '-p', '.', '--pretty', 'false'))
    return code === 0 ? [] : output.trim().split('\n')
  },
}

import { capture, tool } from '../capture.ts'
import type { Gate } from './gate.ts'

export const lint: Gate = {
  name: 'lint',
  async check() {
    const { code, output } = await capture(
      tool('@biomejs/biome/bin/biome', 'ci', '--colors=off', '--max-diagnostics=50', '--error-on-warnings'),
    )
    return code === 0
      ? []
      : [...output.trim().split('\n'), 'format and safe fixes: node_modules/.bin/biome check --write']
  },
}

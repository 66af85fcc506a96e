import { capture } from '../capture.ts'
import type { Gate } from './gate.ts'

type Advisories = Record<string, { severity: string; title: string; url: string }[]>
const TIMEOUT_MS = 20_000

/** Known vulnerabilities of production dependencies, where the registry answers. */
export const vulnerabilities: Gate = {
  name: 'vulnerabilities',
  async check() {
    const { code, output } = await capture([process.execPath, 'audit', '--json', '--prod'], { timeoutMs: TIMEOUT_MS })
    const json = output.slice(output.indexOf('{'))
    if (!json.startsWith('{')) {
      this.note = `the registry does not answer audits (${code === 124 ? 'time-out' : output.trim().split('\n')[0]})`
      return []
    }
    return Object.entries(JSON.parse(json) as Advisories).flatMap(([name, list]) =>
      list
        .filter(({ severity }) => severity === 'high' || severity === 'critical')
        .map(({ severity, title, url }) => `${name}: ${severity}: ${title} ${url}`),
    )
  },
}

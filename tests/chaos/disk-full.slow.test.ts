import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditElsewhere } from './kill-run.ts'
import { buy, keyFor, logIn } from './people.ts'
import { freePort, startPlatform } from './platform.ts'
import { fillDisk, mountSmallDisk } from './small-disk.ts'

setDefaultTimeout(180_000)
const folder = mkdtempSync(join(tmpdir(), 'assay-disk-'))
const disk = mountSmallDisk(join(folder, 'disk'), 320)
if (!disk)
  console.log('skipped: no tmpfs can be mounted here; segments.test.ts gives the market log a write that fails')
afterAll(() => {
  disk?.unmount()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  status: number
  code?: string
}

describe.skipIf(!disk)('a full disk', () => {
  test('refuses what increases risk, takes what reduces it, and recovers by itself when there is space', async () => {
    const home = join(disk!.path, 'home')
    mkdirSync(home)
    const platform = startPlatform({
      home,
      port: await freePort(),
      log: join(folder, 'platform.log'),
      env: { LOG_LEVEL: 'error' },
    })
    const seen = new Map<string, number>()
    try {
      expect(await platform.ready(30_000)).toBe(true)
      const key = await keyFor(platform.url, 'disk', await logIn(platform.url))
      const id = await buy(platform.url, key, 'two-step-100k-usd', 'disk')
      const post = async (path: string, body: object): Promise<Answer> => {
        const answer = await fetch(`${platform.url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(15_000),
        })
        const { code } = (await answer.json()) as { code?: string }
        const said = `${answer.status} ${code ?? ''}`.trim()
        seen.set(said, (seen.get(said) ?? 0) + 1)
        return { status: answer.status, ...(code ? { code } : {}) }
      }
      const order = (side: 'buy' | 'sell', quantity = '0.01') =>
        post(`/api/assessments/${id}/orders`, { symbol: 'BTC/USD', side, type: 'market', quantity })
      const becomes = async (
        what: string,
        side: 'buy' | 'sell',
        wanted: (answer: Answer) => boolean,
      ): Promise<void> => {
        const end = performance.now() + 30_000
        for (;;) {
          const answer = await order(side)
          if (wanted(answer)) return
          if (performance.now() > end) throw new Error(`${what}: ${JSON.stringify([...seen])}`)
          await Bun.sleep(50)
        }
      }
      const isReady = async (wanted: boolean): Promise<void> => {
        const end = performance.now() + 30_000
        for (;;) {
          const answer = await fetch(`${platform.url}/ready`)
          const said = await answer.text()
          if (answer.ok === wanted) return
          if (performance.now() > end) throw new Error(`/ready is not ${wanted}: ${said}`)
          await Bun.sleep(50)
        }
      }
      const taken = ({ status }: Answer) => status === 201
      const refused = ({ code }: Answer) => code === 'disk_full'
      for (let n = 0; n < 4; n++) await becomes('before', 'buy', taken)

      const release = fillDisk(disk!.path)
      await becomes('refused while the reserve is used', 'buy', refused)
      await becomes('reducing while the reserve is used', 'sell', taken)
      console.log(`the reserve is used: ${JSON.stringify([...seen])}`)

      const releaseMore = fillDisk(disk!.path)
      await isReady(false)
      await becomes('refused when nothing fits', 'buy', ({ status }) => status === 503)
      // whatever is asked now gets an answer: refused, or not known yet
      for (let n = 0; n < 20; n++) {
        await Promise.all(Array.from({ length: 20 }, () => order('sell', '0.00001')))
        await post('/api/purchases', { tier_id: 'demo-usd' })
      }
      console.log(`nothing fits: ${JSON.stringify([...seen])}`)

      releaseMore()
      release()
      await isReady(true)
      await becomes('taken again', 'buy', taken)
      expect([...seen.keys()].filter((said) => said.startsWith('500'))).toEqual([])
      expect(await platform.signal('SIGTERM')).toBe(0)
      const { findings, counted } = await auditElsewhere(home, '')
      console.log(`recovered: ${JSON.stringify([...seen])}; ${counted['journal records']} journal records`)
      expect(findings).toEqual([])
    } finally {
      await platform.signal('SIGKILL')
    }
  })
})

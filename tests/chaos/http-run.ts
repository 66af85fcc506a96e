/** Traders over HTTP against a recording that plays at its own pace: where their orders fall is chance. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { orderNear } from './order-near.ts'
import { ask, buy, keyFor, logIn } from './people.ts'
import { freePort, startPlatform } from './platform.ts'
import { seeded } from './seeded.ts'

export interface HttpRun {
  folder: string
  recording: string
  seed: number
}
export interface Traded {
  /** files */
  proofs: string[]
  journals: { assessment: string; records: string[] }[]
}
const TRADERS = 2
const ORDERS = 40
/** 24 recorded hours in about 30 s */
const SPEED = 3_000

export async function tradeOverHttp({ folder, recording, seed }: HttpRun): Promise<Traded> {
  mkdirSync(folder, { recursive: true })
  const home = join(folder, 'home')
  const platform = startPlatform({
    home,
    port: await freePort(),
    log: join(folder, 'platform.log'),
    env: { FEEDS: `replay:${recording}?speed=${SPEED}&symbol=XRP/ETH` },
  })
  try {
    if (!(await platform.ready(30_000))) throw new Error(`not ready: see ${folder}/platform.log`)
    const key = await keyFor(platform.url, 'http', await logIn(platform.url))
    const assessments: string[] = []
    for (let n = 0; n < TRADERS; n++) assessments.push(await buy(platform.url, key, 'demo-eth', `http-${n}`))
    await Promise.all(assessments.map((id, n) => trade(platform.url, key, id, seeded(seed + n))))
    for (const id of assessments) await ask(platform.url, `/api/assessments/${id}/abandon`, key, {})
    const proofs: string[] = []
    for (const id of assessments) proofs.push(await saveProof(platform.url, key, id, folder))
    await platform.signal('SIGTERM')
    return { proofs, journals: await journalsOf(home, assessments, folder) }
  } finally {
    await platform.signal('SIGKILL')
  }
}

async function trade(url: string, key: string, id: string, random: () => number): Promise<void> {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  for (let n = 0; n < ORDERS; n++) {
    const near = { symbol: 'XRP/ETH', side: pick(['buy', 'sell'] as const), quantity: pick(['20', '57', '133']) }
    const price = pick([0.00141, 0.00144, 0.00147])
    const order =
      random() < 0.5 ? { ...near, type: 'market' } : orderNear(random, { ...near, price, digits: 6, within: 0.01 })
    // a refusal is part of the journal like a fill
    await ask(url, `/api/assessments/${id}/orders`, key, order).catch(() => {})
    if (random() < 0.1) await ask(url, `/api/assessments/${id}/positions/XRP-ETH/close`, key, {}).catch(() => {})
    await Bun.sleep(random() * 150)
  }
}
/** Once the segment behind the verdict has ended: the recording makes one a recorded minute. */
async function saveProof(url: string, key: string, id: string, folder: string): Promise<string> {
  const end = performance.now() + 60_000
  for (;;) {
    const answer = await fetch(`${url}/api/assessments/${id}/proof`, { headers: { authorization: `Bearer ${key}` } })
    const bytes = await answer.arrayBuffer()
    if (answer.status === 200) {
      const file = join(folder, `${id}.proof`)
      writeFileSync(file, new Uint8Array(bytes))
      return file
    }
    if (answer.status !== 202 || performance.now() > end)
      throw new Error(`no proof of ${id}: ${answer.status} ${new TextDecoder().decode(bytes)}`)
    await Bun.sleep(100)
  }
}
async function journalsOf(home: string, assessments: string[], folder: string): Promise<Traded['journals']> {
  const copy = join(folder, 'pg')
  cpSync(join(home, 'pg'), copy, { recursive: true })
  const db = await PGlite.create(copy)
  try {
    const journals: Traded['journals'] = []
    for (const assessment of assessments) {
      const { rows } = await db.query<{ record: string }>(
        'select record from trading.journal where account = $1 order by aseq',
        [assessment],
      )
      journals.push({ assessment, records: rows.map(({ record }) => record) })
    }
    return journals
  } finally {
    await db.close()
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Several trading processes over one database and one market log, in one process: each asks the others by their URLs. */
import { PeerError, type Peers } from '@assay/core/kernel/peers'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { until } from '@assay/core/testing/until'
import { dbLeases, type Leases } from '../engine/leases.ts'
import { ASK_PATH, type Ask, LOOK_PATH } from '../engine/router.ts'
import { sqlStore } from '../engine/sql-store.ts'
import { type TestEngine, testEngine } from '../engine/testing.ts'
import { SLOTS } from '../engine/types.ts'

export interface Replica extends TestEngine {
  name: string
  leases: Leases
  /** asked by others how often */
  asked: number
  /** as SIGTERM: hands over, then closes */
  drain(): Promise<void>
  /** as kill -9: no word to anybody; its rows stand for as long as its leases, shortened here */
  kill(): Promise<void>
}
export interface Replicas {
  all: Map<string, Replica>
  /** what happens to a call on its way to the owner, and to the answer */
  wire: { to: (name: string) => void | Promise<void>; back: (name: string) => void | Promise<void> }
  start(name: string): Promise<Replica>
  /** every slot has its owner and each its share */
  balanced(): Promise<void>
  close(): Promise<void>
}
export interface ReplicasOptions {
  db: Db
  marketlog: MarketLog
  /** as each process has it */
  lockstep: () => Lockstep
}
const SLOT_NUMBERS = Array.from({ length: SLOTS }, (_, slot) => slot)

export function openReplicas({ db, marketlog, lockstep }: ReplicasOptions): Replicas {
  const all = new Map<string, Replica>()
  const wire: Replicas['wire'] = { to: () => {}, back: () => {} }
  const peers: Pick<Peers, 'fetch'> = {
    async fetch(_service, url, path, call) {
      const name = url.slice('https://'.length)
      const replica = all.get(name)
      if (!replica) throw new PeerError(`${url}: ECONNREFUSED`, false)
      if (path === LOOK_PATH) {
        await replica.engine.look()
        return Response.json({})
      }
      if (path !== ASK_PATH) throw new Error(path)
      replica.asked++
      await wire.to(name)
      const told = await replica.engine.answer(JSON.parse(call!.body as string) as Ask)
      // who was killed meanwhile has said nothing
      if (all.get(name) !== replica) throw new PeerError(`${url}: ECONNRESET`, true)
      await wire.back(name)
      return Response.json(told)
    },
  }
  return {
    all,
    wire,
    async start(name) {
      const leases = dbLeases(db, systemClock, { id: name, url: `https://${name}` })
      const store = sqlStore(db)
      const t = await testEngine({ store, leases, marketlog, lockstep: lockstep(), peers, lookMs: 50 })
      const replica: Replica = {
        ...t,
        name,
        leases,
        asked: 0,
        async drain() {
          await t.engine.handOver()
          all.delete(name)
          await t.close()
        },
        async kill() {
          all.delete(name)
          t.engine.drain = async () => {}
          t.engine.handOver = async () => {}
          await t.close()
          await db.query('update trading.slot set expires_at = now() where owner = $1', [name])
          await db.query('update trading.owner set expires_at = now() where id = $1', [name])
        },
      }
      all.set(name, replica)
      return replica
    },
    balanced: () =>
      until(
        'every slot has its owner and each its share',
        () => {
          const held = [...all.values()].map((r) => SLOT_NUMBERS.filter((slot) => r.leases.serves(slot)).length)
          return held.reduce((a, b) => a + b, 0) === SLOTS && Math.max(...held) - Math.min(...held) <= 1
        },
        15_000,
      ),
    async close() {
      for (const replica of all.values()) await replica.kill()
      await db.query(`update trading.account set mseq = 0, status = 'abandoned', exposed = false`)
      await db.query('delete from trading.owner')
    },
  }
}

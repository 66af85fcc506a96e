// Run by `assay mutate --scopes` in a copy whose guards can be taken away while it runs: not a test by itself.

import { test } from 'bun:test'
import { environment } from '@assay/core/kernel/config'
import { readAccess } from '../../scripts/access/table.ts'
import { asked, take } from './asked-guards.ts'
import { BESIDE_THE_TABLE } from './beside-the-table.ts'
import { openWalk, type Walk } from './walk.ts'

interface Wanted {
  n: number
  label: string
}
interface Step {
  name: string
  reads: boolean
  /** what guards of this kind would refuse: for want of the scope, or for whose the object is */
  refuses: 'scope' | 'owner' | null
  /** what is wrong; null: nothing */
  walk: (walk: Walk) => Promise<string | null>
  /** how often each guard was asked with all of them in their places */
  asks: ReadonlyMap<number, number>
}
const HOURS = 3 * 3_600_000
const { rows } = await readAccess()
/** decided once for all: such a guard can't be taken away later */
const atImport = [...asked.keys()]

const STEPS: Omit<Step, 'asks'>[] = [
  ...rows.map(
    (row): Omit<Step, 'asks'> => ({
      name: `line ${row.line}, ${row.object}`,
      reads: /^(GET|SUBSCRIBE) /.test(row.route),
      refuses: row.credential === 'without' ? 'scope' : /user|tenant/.test(row.object) ? 'owner' : null,
      walk: async (walk: Walk) => (await walk.row(row, { toTheFirst: true }))[0] ?? null,
    }),
  ),
  ...Object.entries(BESIDE_THE_TABLE).map(([name, walk]) => ({
    name,
    reads: false,
    refuses: null,
    walk: (of: Walk) => walk(of).then(() => null),
  })),
]
const tryStep = ({ name, walk: tried }: Omit<Step, 'asks'>, walk: Walk): Promise<string | null> =>
  tried(walk).catch((error: Error) => `${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 400)}`)
/** Those on whose way this guard stands; first what it most likely refuses, reads before what leaves something behind. */
function asking({ n, label }: Wanted, steps: readonly Step[]): Step[] {
  const kind = /scope/.test(label) ? 'scope' : 'owner'
  const rank = ({ refuses, reads, asks }: Step) =>
    (refuses === kind ? 0 : 2_000) + (reads ? 0 : 1_000) - Math.min(999, asks.get(n)!)
  return steps.filter(({ asks }) => asks.has(n)).sort((a, b) => rank(a) - rank(b))
}

test(
  'the walk fails without each guard',
  async () => {
    const wanted = (await Bun.file(environment().ASSAY_ACCESS_GUARDS!).json()) as Wanted[]
    let walk = await openWalk()
    const reopen = async () => {
      await walk.close().catch(() => {})
      walk = await openWalk()
    }
    const without = async (n: number, step: Step) => {
      take(n)
      try {
        return await tryStep(step, walk)
      } finally {
        take(0)
      }
    }
    /** What the guard let through may stand in the way of what is made anew. */
    const afterwards = (step: Step) => {
      if (!step.reads) walk.renew()
      return tryStep(step, walk)
    }
    /** What fails without this guard, and only without it: limits and what was left behind fail a walk as well. */
    async function differs(n: number, step: Step): Promise<string | null> {
      const wrong = await without(n, step)
      if (wrong === null) return null
      if ((await afterwards(step)) === null) return wrong
      await reopen()
      const before = await tryStep(step, walk)
      if (before !== null) throw new Error(`with every guard in its place: ${before}`)
      const again = await without(n, step)
      if (again !== null) await reopen()
      return again
    }
    async function notice(guard: Wanted, steps: readonly Step[]): Promise<string | null> {
      for (const step of asking(guard, steps)) {
        const wrong = await differs(guard.n, step)
        if (wrong !== null) return wrong
      }
      return null
    }

    try {
      const steps: Step[] = []
      for (const step of STEPS) {
        asked.clear()
        const wrong = await tryStep(step, walk)
        if (wrong !== null) throw new Error(`with every guard in its place: ${wrong}`)
        steps.push({ ...step, asks: new Map(asked) })
      }
      const asker = process.ppid
      for (const guard of wanted) {
        if (process.ppid !== asker) throw new Error('whoever asked is gone')
        const told = await notice(guard, steps).then(
          (by) => ({ by }),
          (error: Error) => ({ by: null, broke: error.message }),
        )
        const { n } = guard
        const of = { n, steps: asking(guard, steps).length, atImport: atImport.includes(n) }
        console.log(`GUARD ${JSON.stringify({ ...of, ...told })}`)
      }
    } finally {
      await walk.close()
    }
  },
  HOURS,
)

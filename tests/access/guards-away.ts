// Run by `assay mutate --scopes` in a copy whose guards can be taken away while it runs: not a test by itself.
import { test } from 'bun:test'
import { environment } from '@assay/core/kernel/config'
import { AWAY, routesBehind } from '../../scripts/access/guards.ts'
import { readAccess } from '../../scripts/access/table.ts'
import { BESIDE_THE_TABLE } from './beside-the-table.ts'
import { openWalk, type Walk } from './walk.ts'

interface Asked {
  n: number
  file: string
  /** it is known not to be seen */
  explained: boolean
}
const HOUR = 3_600_000
const READS = /^(GET|SUBSCRIBE) /
const { rows } = await readAccess()
const routes = [...new Set(rows.map(({ route }) => route))]
/** guards before what changes or ends people and their sessions */
const CHANGES_PEOPLE = /gateway\/(?!api-keys|audit|usage|invitations)|kernel/
const take = (n: number): void => void Object.assign(globalThis, { [AWAY]: n })

/** What is wrong on this route; null: nothing. */
async function walkRoute(walk: Walk, route: string): Promise<string | null> {
  for (const row of rows.filter((row) => row.route === route)) {
    const [wrong] = await walk.row(row).catch((error: Error) => [`line ${row.line}: ${error.message}`])
    if (wrong) return wrong
  }
  return null
}
const beside = (walk: Walk, name: string): Promise<string | null> =>
  BESIDE_THE_TABLE[name]!(walk).then(
    () => null,
    (error: Error) => `${name}: ${error.message.split('\n')[0]}`,
  )

test(
  'the walk fails without each guard',
  async () => {
    const asked = (await Bun.file(environment().ASSAY_ACCESS_GUARDS!).json()) as Asked[]
    const walk = await openWalk()
    const sound = new Set<string>()
    /** What passes with every guard in its place, and does not without this one. */
    async function differs(n: number, name: string, ask: () => Promise<string | null>): Promise<string | null> {
      take(0)
      if (!sound.has(name)) {
        const wrong = await ask()
        if (wrong !== null) throw new Error(`with every guard in its place: ${wrong}`)
        sound.add(name)
      }
      take(n)
      try {
        return await ask()
      } finally {
        take(0)
      }
    }
    for (const { n, file, explained } of asked) {
      const first = new RegExp(routesBehind(file) || 'nothing')
      const near = routes.filter((route) => first.test(route))
      const others = explained ? [] : routes.filter((route) => !first.test(route))
      let by: string | null = null
      let harmless = true
      for (const route of near) {
        by ??= await differs(n, route, () => walkRoute(walk, route))
        harmless &&= by === null || READS.test(route)
        if (by) break
      }
      for (const name of by ? [] : Object.keys(BESIDE_THE_TABLE)) {
        by ??= await differs(n, name, () => beside(walk, name))
        harmless &&= by === null
      }
      for (const route of by ? [] : others) {
        by ??= await differs(n, route, () => walkRoute(walk, route))
        harmless &&= by === null || READS.test(route)
      }
      console.log(`GUARD ${JSON.stringify({ n, by })}`)
      // what the guard let through may stand in the way of what is made anew
      if (!harmless)
        await walk.renew(CHANGES_PEOPLE.test(file) ? 'people' : 'objects').catch(() => walk.renew('people'))
    }
    await walk.close()
  },
  HOUR,
)

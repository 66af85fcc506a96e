import { afterAll, beforeAll, expect, test } from 'bun:test'
import { SERVICES } from '@assay/core/contracts/services'
import { describeReal } from '@assay/core/testing/adapters'
import { type AccessRow, readAccess } from '../../scripts/access/table.ts'
import { openSplitWorld, type SplitWorld } from './split-world.ts'
import { openWalk, type Walk } from './walk.ts'

const { rows } = await readAccess()
const routes = [...new Set(rows.map(({ route }) => route))]
const statuses = ({ status: { anonymous, ...known } }: AccessRow) =>
  Object.values(known).filter((status) => status !== null)
const isGranted = (row: AccessRow) => statuses(row).some((status) => status < 400)

/** Of each route a row that grants, and one that refuses: for whose the object is, where it has an owner, else for want of the scope. */
function sampleOf(route: string): AccessRow[] {
  const its = rows.filter((row) => row.route === route)
  const granted = its.find(isGranted) ?? its[0]!
  const refused =
    its.find((row) => row.object === 'tenant' && row.credential === 'with') ??
    its.find(({ credential }) => credential === 'without')
  return refused && refused !== granted ? [granted, refused] : [granted]
}

describeReal('docs/access.csv, walked over services in processes of their own', () => {
  let world: SplitWorld
  let walk: Walk
  beforeAll(async () => {
    world = await openSplitWorld()
    walk = await openWalk(Promise.resolve(world))
  }, 500_000)
  afterAll(async () => {
    if (walk)
      console.log(
        `${routes.length} routes, ${walk.counted.sent} requests, ${walk.counted.refused} refused without a change`,
      )
    await world?.close()
  }, 120_000)

  test('each service is a process of its own, which answers nobody without a certificate', async () => {
    const processes = world.processes()
    expect(new Set(processes.map(({ service }) => service))).toEqual(new Set(SERVICES.map(({ name }) => name)))
    expect(new Set([process.pid, ...processes.map(({ pid }) => pid)]).size).toBe(processes.length + 1)
    for (const { url } of processes)
      expect(
        await fetch(`${url}/health`, { tls: { rejectUnauthorized: false } }).then(
          ({ status }) => status,
          () => 'refused',
        ),
      ).toBe('refused')
  })
  test.each(routes)(
    '%s: behind the gateway callers get what the table says, refusals change nothing, nobody learns of others',
    async (route) => {
      const wrong: string[] = []
      for (const row of sampleOf(route)) wrong.push(...(await walk.row(row)))
      expect(wrong).toEqual([])
    },
    60_000,
  )
})

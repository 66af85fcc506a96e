import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { environment } from '@assay/core/kernel/config'
import { readAccess } from '../../scripts/access/table.ts'
import { BESIDE_THE_TABLE } from './beside-the-table.ts'
import { openWalk, type Walk } from './walk.ts'

const { rows, problems } = await readAccess()
/** of mutants and in haste: only routes that match */
const only = new RegExp(environment().ASSAY_ACCESS_ROUTES ?? '')
const routes = [...new Set(rows.map(({ route }) => route))].filter((route) => only.test(route))

describe('docs/access.csv, walked on the platform with real objects of every party', () => {
  let walk: Walk
  beforeAll(async () => {
    walk = await openWalk()
  }, 120_000)
  afterAll(async () => {
    const { sent, refused } = walk.counted
    console.log(`${routes.length} routes, ${sent} requests, ${refused} of them refused without a change`)
    await walk.close()
  })

  test('the table is one', () => expect(problems).toEqual([]))
  test.each(routes)(
    '%s: each caller gets what the table says, refusals change nothing, nobody learns of others',
    async (route) => {
      const wrong: string[] = []
      for (const row of rows.filter((row) => row.route === route)) wrong.push(...(await walk.row(row)))
      expect(wrong).toEqual([])
    },
    60_000,
  )
  test.each(Object.keys(BESIDE_THE_TABLE))('%s', (name) => BESIDE_THE_TABLE[name]!(walk), 60_000)
})

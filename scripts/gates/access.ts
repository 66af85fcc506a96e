import { gapsOf, readAccess, servedRoutes } from '../access/table.ts'
import type { Gate } from './gate.ts'

/** docs/access.csv says of every served route what each caller gets, with and without the scope, of whose objects. */
export const access: Gate = {
  name: 'access table',
  async check() {
    const { rows, problems } = await readAccess()
    return [...problems, ...gapsOf(rows, await servedRoutes())]
  },
}

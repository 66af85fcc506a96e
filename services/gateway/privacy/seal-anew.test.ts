import { afterAll, beforeAll, expect, test } from 'bun:test'
import { replaceOwnKey } from '@assay/core/ports/secrets/encryption-key'
import { openSecretsFile, rewrapSecretsFile } from '@assay/core/ports/secrets/file'
import { createAuthDatabase } from '../auth/database.ts'
import { findInvitation, openEmail } from '../invitations/rows.ts'
import { newPerson } from '../testing/person.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { findUser } from '../users/rows.ts'
import { createPersonalFields } from './personal-fields.ts'
import { sealAnew } from './seal-anew.ts'

let world: World
beforeAll(async () => {
  world = await openWorld(UNLIMITED)
}, 30_000)
afterAll(() => world.database.drop())

test("what the secrets file's keys sealed is sealed anew after their replacement; the keys from before open none of it (V11.2.2)", async () => {
  const { home, db } = world.database
  const house = await newPerson(world, { role: 'operator' })
  const invited = { email: 'guest@assay.example', role: 'trader' }
  const { id } = (await house.ask('POST', '/api/invitations', invited)).body
  const log = { warn() {} }
  const before = await openSecretsFile({ home, log })
  await replaceOwnKey(home, (from, to) => rewrapSecretsFile(home, from, to))
  const after = await openSecretsFile({ home, log })

  const readable = async (secrets: typeof before) => {
    const personal = createPersonalFields({ secrets, indexKey: 'of this test', now: Date.now })
    const database = createAuthDatabase(db.as('gateway'), personal)
    const user = await findUser(database, house.id).then(
      (found) => found?.email,
      () => 'closed',
    )
    const invitation = await findInvitation(database, id)
    return [user, await openEmail({ sealing: secrets }, invitation!).catch(() => 'closed')]
  }
  const all = [house.email, invited.email]
  expect([await readable(before), await readable(after)]).toEqual([all, all])
  // the first operator, this one, and the invitation
  expect(await sealAnew(db, after)).toBe(3)
  expect([await readable(before), await readable(after)]).toEqual([['closed', 'closed'], all])
  // again, as after a kill
  expect(await sealAnew(db, after)).toBe(3)
  expect(await readable(after)).toEqual(all)
})

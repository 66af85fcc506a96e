import { identityErased } from '@assay/core/contracts/topics/identity'
import { onceInSql } from '@assay/core/kernel/inbox'
import { erasePersonal } from '@assay/core/kernel/personal-data'
import type { Consumer } from '@assay/core/kernel/service'
import type { Db } from '@assay/core/ports/db/port'
import { TRADING_TABLES } from '../privacy/tables.ts'

const GROUP = 'trading.privacy'

/** What the law lets go of a user goes; money and verdicts stay under an id that names nobody any more. */
export const onIdentityErased = (db: Db): Consumer => ({
  group: GROUP,
  topics: [identityErased],
  async handle({ envelope }) {
    const { user_id } = identityErased.schema.parse(envelope.data)
    await onceInSql(db, { group: GROUP, id: envelope.id }, (sql) => erasePersonal(sql, TRADING_TABLES, user_id))
  },
})

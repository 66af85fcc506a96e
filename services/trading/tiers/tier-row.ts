import type { TierResource } from '@assay/core/contracts/wire/purchase'
import type { TierDocument } from '@assay/core/contracts/wire/tier'
import type { Row } from '@assay/core/ports/db/port'

export interface TierRow extends Row {
  id: string
  version: number
  hash: string
  document: TierDocument
}
export const tierOf = ({ id, version, hash, document }: TierRow): TierResource => ({ id, version, hash, document })

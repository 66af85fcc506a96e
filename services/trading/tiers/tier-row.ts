import type { TierResource } from '@assay/core/contracts/wire/purchase'
import type { TierDocument } from '@assay/core/contracts/wire/tier'
import type { TierModel } from '../../../prisma/generated/models.ts'

/** The document was parsed when it was put on sale. */
export const tierOf = ({ id, version, hash, document }: TierModel): TierResource => ({
  id,
  version,
  hash,
  document: document as TierDocument,
})

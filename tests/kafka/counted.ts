import { defineTopic } from '@assay/core/contracts/topics/topic'
import { z } from 'zod'

export const COUNTED = defineTopic({
  name: 'test.counted',
  summary: '',
  schema: z.object({ n: z.int() }),
  key: 'k',
  producer: 'test',
  partitions: 6,
  retentionDays: 1,
})

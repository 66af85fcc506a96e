import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeAdapters } from '../../testing/adapters.ts'
import { testBucket } from '../../testing/bucket.ts'
import { systemClock } from '../clock/system.ts'
import { blobsContract } from './contract.ts'
import { openBlobFolder } from './folder.ts'
import { openS3Blobs } from './s3.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-blobs-'))
afterAll(() => rmSync(folder, { recursive: true }))

describeAdapters(
  'blobs',
  {
    embedded: async () => openBlobFolder(join(folder, 'blobs')),
    real: () => openS3Blobs({ ...testBucket(), clock: systemClock }),
  },
  blobsContract,
)

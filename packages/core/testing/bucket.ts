import { environment } from '../kernel/config.ts'
import type { S3Options } from '../ports/blobs/s3.ts'

/** The bucket that suites use: each takes a path of its own in it. */
export function testBucket(): Omit<S3Options, 'clock'> {
  const needed = (name: string): string => {
    const value = environment()[name]
    if (!value) throw new Error(`${name} is not set: ./assay test starts an S3 server and sets it.`)
    return value
  }
  return {
    endpoint: needed('ASSAY_TEST_S3_ENDPOINT'),
    bucket: needed('ASSAY_TEST_S3_BUCKET'),
    accessKeyId: needed('ASSAY_TEST_S3_ACCESS_KEY_ID'),
    secretAccessKey: needed('ASSAY_TEST_S3_SECRET_ACCESS_KEY'),
    region: 'us-east-1',
    path: `test-${crypto.randomUUID()}/`,
  }
}

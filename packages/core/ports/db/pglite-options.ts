import { PGlite, type PGliteOptions } from '@electric-sql/pglite'

/**
 * 32 MB of shared buffers keep the process near 200 MB. wal_init_zero off: zero-filling each new 16 MB segment would
 * stall every commit for 80 to 180 ms. enable_seqscan off: a plan made while a table was small still uses its index
 * when the table has grown (there is no autovacuum whose ANALYZE would make a new one).
 */
export const pgliteOptions = (folder: string): PGliteOptions => ({
  dataDir: folder,
  startParams: [
    ...PGlite.defaultStartParams,
    '-c',
    'shared_buffers=32MB',
    '-c',
    'wal_init_zero=off',
    '-c',
    'enable_seqscan=off',
    '-c',
    'timezone=UTC',
  ],
})

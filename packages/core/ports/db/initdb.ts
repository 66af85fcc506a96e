// A program: makes a database folder at the path it is given.
import { PGlite } from '@electric-sql/pglite'
import { pgliteOptions } from './pglite-options.ts'

const folder = process.argv[2]
if (folder === undefined) throw new Error('initdb: which folder?')
const pglite = await PGlite.create(pgliteOptions(folder))
await pglite.close()

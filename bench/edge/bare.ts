/** The bare upstream behind nginx: no duties, the same answer. */
import { ANSWER } from './answer.ts'

const server = Bun.serve({ hostname: '127.0.0.1', port: 0, development: false, fetch: () => Response.json(ANSWER) })
// the bench failed or was stopped
process.on('disconnect', () => process.exit())
process.send!(server.port)

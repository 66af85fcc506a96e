/** Orders beside the ticks, from a process of their own: `bun orders.ts URL KEY ASSESSMENT...` until it is told to stop. */
import { client } from '../../scripts/demo/client.ts'
import { trade } from '../start/traders.ts'

const [url, key, ...assessments] = process.argv.slice(2) as [string, string, ...string[]]
const load = trade({ bot: client(url, key), assessments }, { symbol: 'S0/USD', quantity: '1' })
process.on('disconnect', () => process.exit())
process.on('message', async () => process.send!(await load.stop()))

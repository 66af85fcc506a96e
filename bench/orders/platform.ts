/** The platform of `./assay up` in a process of its own; with the argument `one`, one transaction for each order. Tells its parent how late its timers fire. */
import { environment } from '@assay/core/kernel/config'
import { closeOnSignals, startPlatform } from '@assay/core/kernel/run'
import { services } from '../../services/all.ts'
import { sqlStore } from '../../services/trading/engine/sql-store.ts'
import { tradingWith } from '../../services/trading/service.ts'
import { watchLag } from '../measure/lag.ts'
import { oneByOne } from './one-by-one.ts'

const peer = tradingWith((db) => oneByOne(sqlStore(db)))
const started = await startPlatform({
  services: process.argv[2] === 'one' ? services.map((s) => (s.name === peer.name ? peer : s)) : services,
  env: environment(),
  port: 0,
})
closeOnSignals(started.close)
// the bench failed or was stopped
process.on('disconnect', () => process.exit())

let lag = watchLag()
process.on('message', (asked: 'reset' | 'report') => {
  const seen = lag()
  lag = watchLag()
  if (asked === 'report') process.send!({ p99: seen.at(0.99), max: seen.at(1) })
})
process.send!(started.url)

/** The whole platform in a process of its own; says how late its main thread was between `measure` and `tell`. */
import { environment } from '@assay/core/kernel/config'
import { closeOnSignals, startPlatform } from '@assay/core/kernel/run'
import { services } from '../../services/all.ts'
import { watchLag } from '../measure/lag.ts'

const started = await startPlatform({ services, env: environment(), port: 0 })
closeOnSignals(started.close)
// the bench failed or was stopped
process.on('disconnect', () => process.exit())
let lag = watchLag()
process.on('message', (word) => {
  if (word === 'tell') process.send!({ lagMs: lag().at(0.99) })
  if (word === 'measure') {
    lag()
    lag = watchLag()
  }
})
process.send!({ port: started.port })

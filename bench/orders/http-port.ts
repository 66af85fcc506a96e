import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { OPERATOR } from '../start/platform.ts'
import { signUp } from '../start/traders.ts'
import type { ClientsPlan, ClientsReport, ClientsRun } from './clients.ts'

export interface HttpLoad extends ClientsReport {
  ordersPerS: number
  /** how late timers of the platform's main thread fired, ms */
  lag: { p99: number; max: number }
}
export interface HttpRig {
  run(until: ClientsRun): Promise<HttpLoad>
  close(): Promise<void>
}
const SYMBOL = 'BTC/USD'
const QUANTITY = '0.001'

/** A whole platform on the simulated market and its clients, each side a process of its own. */
export async function httpRig(
  commits: 'together' | 'one',
  clients: number,
  env: Record<string, string> = {},
): Promise<HttpRig> {
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const platform = child('platform.ts', [commits], {
    ASSAY_HOME: home,
    FEEDS: 'sim',
    ASSAY_OPERATOR_EMAIL: OPERATOR.email,
    ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
    ...env,
  })
  const url = await platform.heard<string>()
  while (!(await fetch(`${url}/ready`)).ok) await Bun.sleep(20)
  const { bot, key, assessments } = await signUp(url, clients)
  const { bid } = await bot.get<{ bid: string }>(`/api/market/ticker/${encodeURIComponent(SYMBOL)}`)
  const plan: ClientsPlan = {
    port: Number(new URL(url).port),
    key,
    symbol: SYMBOL,
    quantity: QUANTITY,
    far: String(Math.floor(Number(bid) / 2)),
    assessments,
  }
  const traders = child('clients.ts', [], {})
  await traders.ask({ plan })
  return {
    async run(until) {
      platform.tell('reset')
      const report = await traders.ask<ClientsReport>({ run: until })
      const lag = await platform.ask<HttpLoad['lag']>('report')
      return { ...report, lag, ordersPerS: (report.orders * 1000) / report.tookMs }
    },
    async close() {
      await traders.end()
      await platform.end()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** A process of this folder that talks in messages, one answer to each question. */
function child(file: string, argv: string[], env: Record<string, string>) {
  let next = Promise.withResolvers<unknown>()
  const spawned = Bun.spawn([process.execPath, `${import.meta.dir}/${file}`, ...argv], {
    env: { ...environment(), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    ipc: (message) => next.resolve(message),
    onExit: (_process, code) => {
      if (code) next.reject(new Error(`${file} ended with ${code}`))
    },
  })
  const heard = async <T>(): Promise<T> => {
    const message = (await next.promise) as T
    next = Promise.withResolvers()
    return message
  }
  return {
    heard,
    tell: (message: unknown) => spawned.send(message),
    ask<T>(message: unknown): Promise<T> {
      spawned.send(message)
      return heard<T>()
    },
    end() {
      spawned.kill('SIGTERM')
      return spawned.exited
    },
  }
}

import type { Row } from '@assay/core/ports/db/port'
import type { Logger } from 'pino'
import { findProvable, makeProof, type ProofDeps } from './make-proof.ts'

const EVERY_MS = 10_000
const BATCH = 8
const LOOKED_AT = 256
const GROUP = 'main'
const PIN = 'trading proofs'

/**
 * Makes the proof of every assessment that ended and keeps it, whatever happens to the log later; the log is held from
 * what the oldest one still without a kept proof stands on.
 */
export async function keepProofs(deps: ProofDeps, log: Logger, signal: AbortSignal): Promise<void> {
  const { clock } = deps.trading
  while (!signal.aborted) {
    try {
      await holdLog(deps)
      for (const id of await sealedWithoutProof(deps)) {
        if (signal.aborted) return
        const provable = await findProvable(deps, id)
        if (provable && provable !== 'unsealed' && provable.final) await makeProof(deps, provable)
      }
    } catch (err) {
      log.error({ err }, 'proofs could not be kept')
    }
    await clock.sleep(EVERY_MS, signal).catch(() => {})
  }
}

async function sealedWithoutProof(deps: ProofDeps): Promise<string[]> {
  const rows = await deps.trading.db.query<Row & { account: string }>(
    `select distinct j.account from trading.journal j
     where j.kind = 'sealed' and not exists (select from trading.proof p where p.account = j.account) limit ${LOOKED_AT}`,
  )
  // where several processes share the slots each keeps the proofs of its own
  return rows
    .map(({ account }) => account)
    .filter((account) => deps.trading.engine.owns(account))
    .slice(0, BATCH)
}

/** The newest quote, levels and state of each symbol before the oldest header may be much older than the header. */
async function holdLog(deps: ProofDeps): Promise<void> {
  const { db, marketlog } = deps.trading
  const [oldest] = await db.query<Row & { mseq: string | null }>(
    `select min(j.mseq) as mseq from trading.journal j
     where j.kind = 'header' and not exists (select from trading.proof p where p.account = j.account)`,
  )
  const from = Number(oldest?.mseq ?? (await marketlog.end(GROUP))?.mseq ?? 1)
  const carry = await marketlog.carry(GROUP, Math.max(1, from))
  marketlog.pin(GROUP, PIN, Math.min(carry.from, ...carry.events.map((e) => e.mseq)))
}

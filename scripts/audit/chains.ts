import { createHash } from 'node:crypto'
import type { Ask, Audited, Finding } from './finding.ts'

interface Row {
  aseq: number
  kind: string
  record: string
  hash: string
}
interface Account {
  account: string
  aseq: number
  cseq: number
  hash: string
  state: Record<string, unknown>
  state_hash: string
}
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** JSON with sorted members: what the hash of a state is made of. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

/**
 * Journals: every chain gapless from 0 and hashed as docs/proof-format.md says, its commands numbered without a gap, its
 * end the account's, the stored state the one that was hashed.
 */
export async function auditChains(ask: Ask): Promise<Audited> {
  const findings: Finding[] = []
  const accounts = (await ask(
    'select account, aseq::int, cseq::int, hash, state, state_hash from trading.account order by account',
  )) as unknown as Account[]
  let records = 0
  for (const account of accounts) {
    const rows = (await ask(
      'select aseq::int, kind, record, hash from trading.journal where account = $1 order by aseq',
      [account.account],
    )) as unknown as Row[]
    records += rows.length
    findings.push(...auditChain(account, rows), ...auditState(account))
  }
  const orphans = await ask(
    'select distinct account from trading.journal j where not exists (select from trading.account a where a.account = j.account)',
  )
  for (const { account } of orphans)
    findings.push({ rule: 'a journal has its account', place: String(account), said: 'none' })
  return { findings, counted: { accounts: accounts.length, 'journal records': records } }
}

function auditChain(account: Account, rows: readonly Row[]): Finding[] {
  const findings: Finding[] = []
  const report = (rule: string, aseq: number, said: string) =>
    findings.push({ rule, place: `${account.account}/${aseq}`, said })
  let hash = '0'.repeat(64)
  let commands = 0
  for (const [at, row] of rows.entries()) {
    if (row.aseq !== at) report('a journal has no gap', at, `record ${row.aseq} stands there`)
    hash = sha256(hash + row.record)
    if (hash !== row.hash) {
      report('a record hashes to what is stored', row.aseq, `${hash} is not ${row.hash}`)
      return findings
    }
    const said = JSON.parse(row.record) as { aseq: number; kind: string; cseq: number }
    if (said.aseq !== row.aseq || said.kind !== row.kind)
      report('a row says what its record says', row.aseq, row.record)
    if (said.kind === 'command' && said.cseq !== ++commands)
      report('commands are numbered without a gap', row.aseq, `${said.cseq} is number ${commands}`)
  }
  if (account.aseq !== rows.length)
    report('the account ends where its journal ends', account.aseq, `${rows.length} records`)
  if (account.hash !== hash)
    report('the account ends where its journal ends', account.aseq, `${account.hash} is not ${hash}`)
  if (account.cseq !== commands)
    report('commands are numbered without a gap', account.aseq, `${account.cseq} of ${commands}`)
  return findings
}

/** Account and place are no part of what is hashed. */
function auditState({ account, state, state_hash }: Account): Finding[] {
  const { account: _account, mseq: _mseq, mts: _mts, ...deciding } = state
  const hash = sha256(sorted(deciding))
  if (hash === state_hash) return []
  return [{ rule: 'the stored state hashes to its state_hash', place: account, said: `${hash} is not ${state_hash}` }]
}

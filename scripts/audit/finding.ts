/** Asks the database; numeric and int8 come as strings, jsonb parsed. */
export type Ask = (sql: string, params?: unknown[]) => Promise<Record<string, unknown>[]>

/** Something that must not be: which rule it breaks, and where. */
export interface Finding {
  rule: string
  place: string
  said: string
}
export interface Audited {
  findings: Finding[]
  /** how much was looked at, by name */
  counted: Record<string, number>
}

/** A rule in SQL: every row of the query breaks it. */
export interface Rule {
  rule: string
  sql: string
}

const SHOWN = 20
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Rows that break the rules: the first ones of each, and how many there are. */
export async function auditRules(ask: Ask, rules: readonly Rule[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { rule, sql } of rules) {
    const rows = await ask(sql)
    for (const { place, ...rest } of rows.slice(0, SHOWN))
      findings.push({ rule, place: String(place), said: JSON.stringify(rest, plain) })
    if (rows.length > SHOWN) findings.push({ rule, place: '…', said: `and ${rows.length - SHOWN} more` })
  }
  return findings
}

export async function count(ask: Ask, tables: Record<string, string>): Promise<Record<string, number>> {
  const counted: Record<string, number> = {}
  for (const [name, table] of Object.entries(tables)) {
    const [row] = await ask(`select count(*)::int as n from ${table}`)
    counted[name] = Number(row!.n)
  }
  return counted
}

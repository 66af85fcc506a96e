import { ContainerError } from '@assay/core/domain/proof/container'
import { compileHeader } from '@assay/core/domain/proof/documents'
import { type Explained, explain, parsePlace } from '@assay/core/domain/proof/explain'
import { FoundError, UnreadableError } from '@assay/core/domain/proof/findings'
import { readArchive } from '@assay/core/domain/proof/read-archive'
import { parseOptions, UsageError } from '../options.ts'
import { loadProof, segmentFiles } from '../proof/inputs.ts'

export const summary = 'says why: marks, equity line by line, floors, at the verdict or any place of a proof'
const USAGE = `usage: assay explain FILE|ID [--at aseq|m<mseq>|TIME] [--segments DIR|URL] [--json]
  ID: of an assessment on a running platform, with [--url URL] [--token TOKEN]`

export async function run(argv: string[]): Promise<number> {
  try {
    const told = await tell(argv)
    if (told.json) console.log(JSON.stringify(told.explained))
    else print(told.explained)
    return 0
  } catch (error) {
    throw INPUT.some((kind) => error instanceof kind) ? new UsageError((error as Error).message) : error
  }
}
const INPUT = [RangeError, ContainerError, UnreadableError, FoundError]

async function tell(argv: string[]): Promise<{ explained: Explained; json: boolean }> {
  const { values, positionals } = parseOptions(argv, {
    at: { type: 'string' },
    segments: { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const [name, ...more] = positionals
  if (!name || more.length > 0) throw new UsageError(USAGE)
  const bytes = await loadProof(name, { url: values.url, token: values.token })
  const { records, documents, envelope, log } = await readArchive(bytes, segmentFiles(values.segments))
  const header = records[0]
  if (header?.kind !== 'header') throw new UsageError('the journal has no header')
  const story = {
    compiled: compileHeader(header, documents),
    assessment: envelope.assessment,
    records,
    segments: log.segments,
  }
  const explained = await explain(
    story,
    parsePlace(values.at, records),
    log.events().map(({ event }) => event),
  )
  return { explained, json: values.json }
}

const at = (mts: number): string => new Date(mts).toISOString()
function print(told: Explained): void {
  const { currency } = told
  console.log(`record ${told.at.aseq}, event ${told.at.mseq}, ${at(told.at.mts)}, phase ${told.phase}`)
  if (told.verdict) {
    const { verdict, rule, value, limit } = told.verdict
    console.log(`verdict: ${verdict}${rule ? ` by ${rule}: ${value} against ${limit}` : ''}`)
  }
  if (told.violation) {
    const { rule, value, limit, crossed, provisional } = told.violation
    console.log(
      `violation: ${rule}${provisional ? ' (provisional)' : ''}: ${value} against ${limit}${crossed.length ? `, also crossed: ${crossed.map((c) => c.rule).join(', ')}` : ''}`,
    )
  }
  if (told.text) console.log(`it says: ${told.text}`)
  console.log('\nmarks')
  for (const m of told.marks) console.log(`  ${m.symbol}  ${m.bid} / ${m.ask}  m${m.mseq}  ${m.state}`)
  console.log('\nequity')
  console.log(`  balance ${told.equity.balance} ${currency}`)
  for (const line of told.equity.lines) console.log(`  ${line.text}`)
  console.log(`  equity ${told.equity.balance} + ${told.equity.floating} = ${told.equity.total} ${currency}`)
  console.log('\nrules')
  for (const r of told.rules)
    console.log(
      `  ${r.rule}: ${r.metric} ${r.value} against ${r.floor} (${r.compare}): ${r.crossed ? 'crossed' : `${r.remaining} left`}`,
    )
  const shown = new Set(told.rules.map(({ index }) => index))
  for (const s of told.standing.filter(({ index }) => !shown.has(index))) {
    const met = s.met === null ? '' : s.met ? ', met' : ', not met'
    console.log(
      `  ${s.rule}[${s.index}]  ${s.value ? `${s.value} of` : `${s.metric}: none;`} ${s.limit}${met} (${s.effect})`,
    )
  }
  if (told.story.length > 0) console.log('\non the way')
  for (const line of told.story) console.log(`  ${at(line.mts)}  m${line.mseq}  ${line.text}`)
  console.log('\nfloors')
  for (const f of told.floors)
    console.log(
      `  ${at(f.mts)}  m${f.mseq}  ${f.rule}[${f.index}]  ${f.floor}${f.cause === 'high_water' ? '  (high-water mark)' : ''}`,
    )
}

import { createPublicKey, verify } from 'node:crypto'
import type { VerifySignature } from '@assay/core/domain/journal/keys'
import { verifyProof } from '@assay/core/domain/proof/verify'
import { bunHash } from '@assay/core/ports/marketlog/bun-hash'
import { parseOptions, UsageError } from '../options.ts'
import { loadAgainst, loadKeys, loadProof, loadReceipt, segmentFiles } from '../proof/inputs.ts'

export const summary = 'decides a proof again without the server: exit 0 it follows, 1 it does not, 2 can not tell'
const USAGE = `usage: assay verify FILE|ID [--keys FILE] [--receipt FILE] [--against FILE|DIR] [--segments DIR|URL] [--json]
  ID: of an assessment on a running platform, with [--url URL] [--token TOKEN]`

export async function run(argv: string[]): Promise<number> {
  try {
    return await verifyFile(argv)
  } catch (error) {
    if (error instanceof UsageError) throw error
    // an exit of 1 would say that the proof does not follow
    console.error(error)
    return 2
  }
}

async function verifyFile(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    keys: { type: 'string' },
    receipt: { type: 'string' },
    segments: { type: 'string' },
    against: { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const [name, ...more] = positionals
  if (!name || more.length > 0) throw new UsageError(USAGE)
  const segments = segmentFiles(values.segments)
  const bytes = await loadProof(name, { url: values.url, token: values.token })
  const result = await verifyProof(bytes, {
    keys: await loadKeys(values.keys),
    tree: bunHash(),
    verifySignature: nativeVerify,
    ...(values.receipt ? { receipt: await loadReceipt(values.receipt) } : {}),
    ...(values.against ? { against: await loadAgainst(values.against) } : {}),
    ...(segments ? { segments } : {}),
  })
  if (values.json) console.log(JSON.stringify(result))
  else print(result)
  return result.exit
}

const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const nativeVerify: VerifySignature = (publicKey, text, signature) => {
  if (!/^[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return false
  const key = createPublicKey({
    key: Buffer.concat([SPKI, Buffer.from(publicKey, 'hex')]),
    format: 'der',
    type: 'spki',
  })
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'hex'))
}

const ANSWERS = { 0: 'it follows', 1: 'it does not follow', 2: 'can not tell' } as const
function print({ exit, reason, at, summary: seen }: Awaited<ReturnType<typeof verifyProof>>): void {
  console.log(`${ANSWERS[exit]}: ${reason}`)
  if (at) console.log(`first difference: record ${at.aseq ?? '?'}, event ${at.mseq ?? '?'}`)
  if (!seen) return
  console.log(`assessment ${seen.assessment}: ${seen.verdict}`)
  console.log(`${seen.records} records decided again from ${seen.events} events, up to event ${seen.end}`)
  console.log(`chain ends in ${seen.hash}`)
}

import { describe, expect, test } from 'bun:test'
import type { AssayError } from '@assay/core/contracts/errors'
import type { Answer } from '@assay/core/domain/engine/types'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import type { RefusalCode, Reply } from './engine/types.ts'
import { takenAnswer } from './engine-reply.ts'

const refused = (code: RefusalCode, retryAfterS?: number): Reply => ({
  kind: 'refused',
  code,
  detail: 'd',
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
})
const answered = (answer: Answer): Reply => ({ kind: 'answer', answer, receipt: {} as Receipt, replayed: false })
function thrown(reply: Reply): AssayError {
  try {
    takenAnswer(reply)
  } catch (error) {
    return error as AssayError
  }
  throw new Error('nothing was thrown')
}

describe('what the engine did not take', () => {
  test.each<[RefusalCode, number, number | undefined]>([
    ['queue_full', 429, 1],
    ['engine_behind', 503, 1],
    ['unavailable', 503, 1],
    ['disk_full', 503, 1],
    ['outcome_unknown', 504, undefined],
    ['client_order_id_conflict', 409, undefined],
    ['not_found', 404, undefined],
  ])('%s leaves as its status, with Retry-After where it passes', (code, status, retryAfterS) => {
    const error = thrown(refused(code))
    expect([error.code, error.status, error.options.retryAfterS]).toEqual([code, status, retryAfterS])
  })
  test('an outcome that nobody knows says under which id to ask for the order', () => {
    const reply: Reply = { kind: 'refused', code: 'outcome_unknown', detail: 'd', order: 'client:x' }
    expect(thrown(reply).options.order).toBe('client:x')
  })
  test('the engine’s own time to wait goes first', () => {
    expect(thrown(refused('disk_full', 5)).options.retryAfterS).toBe(5)
  })
})

test('a refusal keeps its field, the nearest legal value and whether the id is free again', () => {
  const refusal = {
    ok: false as const,
    code: 'market_stale',
    detail: 'd',
    field: 'symbol',
    nearest: '1',
    retryable: true,
  }
  expect(thrown(answered(refusal)).options).toEqual({ field: 'symbol', nearest: '1', retryable: true, retryAfterS: 1 })
})
test('a code that the catalogue of errors lacks is masked', () => {
  expect(thrown(answered({ ok: false, code: 'made_up', detail: 'd' })).status).toBe(500)
})
test('what was done passes through', () => {
  expect(takenAnswer(answered({ ok: true, cancelled: ['o1'] })).answer).toEqual({ ok: true, cancelled: ['o1'] })
})

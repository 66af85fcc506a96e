import type { Ctx } from './context.ts'

/** W3C traceparent of a call that belongs to this request: its trace with a span of ours; without one a trace begins here. */
export function traceparentOf(ctx: Ctx, given: string | null = null): string {
  const flags = ctx.trace && given ? given.slice(-2) : '01'
  ctx.trace ??= randomHex(32)
  return `00-${ctx.trace}-${randomHex(16)}-${flags}`
}

/** Drawn for many at once: one at a time, they cost a request more than its limits do. */
const DRAWN = new Uint8Array(4096)
let digits = ''
let used = 0
function randomHex(count: number): string {
  if (used + count > digits.length) {
    digits = Buffer.from(crypto.getRandomValues(DRAWN)).toString('hex')
    used = 0
  }
  used += count
  return digits.slice(used - count, used)
}

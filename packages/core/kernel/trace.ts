import type { Ctx } from './context.ts'

/** W3C traceparent of a call that belongs to this request: its trace with a span of ours; without one a trace begins here. */
export function traceparentOf(ctx: Ctx, given: string | null = null): string {
  const flags = ctx.trace && given ? given.slice(-2) : '01'
  ctx.trace ??= crypto.randomUUID().replaceAll('-', '')
  return `00-${ctx.trace}-${nextSpan()}-${flags}`
}

const process_ = crypto.randomUUID().slice(0, 8)
let spans = 0
function nextSpan(): string {
  spans = (spans + 1) >>> 0
  return process_ + spans.toString(16).padStart(8, '0')
}

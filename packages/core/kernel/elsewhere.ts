import type { Server } from 'bun'
import type { AnswerHeaders } from './answer-headers.ts'
import type { Ctx } from './context.ts'

/**
 * Services in other processes, whose paths a gateway answers with what they answer. Their routes are not this process's:
 * the edge asks here before it looks for one.
 */
export interface Elsewhere {
  /** whose path it is; undefined: this process's own, or nobody's */
  ownerOf(path: string): string | undefined
  /** undefined: it became a WebSocket */
  answer(service: string, asked: AskedElsewhere): Promise<Response | undefined>
}
export interface AskedElsewhere {
  request: Request
  ctx: Ctx
  /** those that every answer has */
  headers: AnswerHeaders
  server: Server<unknown> | null | undefined
}

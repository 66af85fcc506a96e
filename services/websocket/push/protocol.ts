import { z } from 'zod'
import { LIMITS } from '../limits.ts'

const id = z.union([z.string().max(64), z.int()])
const channels = z.array(z.string().min(1).max(200)).min(1).max(LIMITS.channelsPerOp)
const seq = z.int().nonnegative()

/** What a client may send. `from` is the last seq it has, for all the channels or by channel. */
export const ClientOp = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('subscribe'),
    id: id.optional(),
    channels,
    from: z.union([seq, z.record(z.string(), seq)]).optional(),
  }),
  z.object({ op: z.literal('unsubscribe'), id: id.optional(), channels }),
  z.object({ op: z.literal('renew'), id: id.optional(), token: z.string().min(1).max(8192) }),
  z.object({ op: z.literal('ping'), id: id.optional() }),
])
export type ClientOp = z.infer<typeof ClientOp>
export type Op<Name extends ClientOp['op']> = Extract<ClientOp, { op: Name }>

/** What the server sends. `seq` is the source's; `kind: 'mark'` exempts a message from the client's drop rule. */
export interface ServerMessage {
  type: 'ack' | 'error' | 'event' | 'snapshot' | 'gap' | 'pong'
  id?: string | number
  channel?: string
  seq?: number
  ts: number
  kind?: 'mark'
  mseq?: number
  /** how many events this one stands for besides itself: conflated, not lost */
  skipped?: number
  data: unknown
}

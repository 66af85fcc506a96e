import { ERRORS, type ErrorCode } from '@assay/core/contracts/errors'
import { connect } from '@assay/services/websocket/testing/client'
import type { Answer } from './world.ts'

/** A subscription as if it were a request: 200 for a channel that opens, else the status of its error. */
export async function subscribe(url: string, channel: string, credential: string | null): Promise<Answer> {
  const protocols = credential === null ? [] : ['bearer', credential]
  const client = await connect(`${url.replace('http', 'ws')}/ws`, { protocols }).catch(() => null)
  // a browser is not told why
  if (!client) return answer(401, '')
  client.send({ op: 'subscribe', channels: [channel] })
  const first = await client.next(({ type }) => type === 'ack' || type === 'error')
  const code = (first as { data?: { code?: ErrorCode } }).data?.code
  client.socket.close()
  await client.closed
  return answer(first.type === 'ack' ? 200 : code ? ERRORS[code][0] : 500, JSON.stringify(client.messages))
}

const answer = (status: number, text: string): Answer => ({ status, headers: new Headers(), text, body: null })

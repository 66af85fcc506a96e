import type { PeerAnswer } from '@assay/core/kernel/peer-exchange'
import { stateOf } from '@assay/core/kernel/request'
import type { Server } from 'bun'
import { answerHeaders, type SetHeaders } from './headers.ts'
import type { Replica } from './replica.ts'

/** What an answer is written to: Elysia's `set`, and the server whose connection it goes to. */
export interface Answering {
  request: Request
  set: { status?: number | string; headers: object }
  server: Server<unknown> | null
  replica: Replica
  times: StreamTimes
}
export interface StreamTimes {
  /** server-sent events: a comment after so long without one, so that nothing between closes the connection */
  eventsIdleMs: number
  /** any other stream ends when nothing came for so long */
  streamIdleMs: number
}
export const STREAM_TIMES: StreamTimes = { eventsIdleMs: 15_000, streamIdleMs: 60_000 }

const KEEP_ALIVE = new TextEncoder().encode(':\n\n')
const LF = 10

/** A service's answer as the handler's: bytes where it is whole, else a stream. */
export function passOn(answer: PeerAnswer, to: Answering): Uint8Array | Response {
  const { status, headers, body } = answer
  const { set, request } = to
  set.status = status
  // bytes with `set` cost a third of a Response: Elysia would take that one apart and make another
  if (body instanceof Uint8Array) {
    answerHeaders(set.headers as SetHeaders, headers)
    return body
  }
  const given: SetHeaders = {}
  answerHeaders(given, headers, true)
  const init = { status, headers: pairsOf(given) }
  if (body === null) return new Response(null, init)
  const state = stateOf(request)
  if (state && given['content-length'] === undefined) state.streams = true
  // its own clock ends it from here on
  to.server?.timeout(request, 0)
  return new Response(watched(body, given, to), init)
}

const pairsOf = (headers: SetHeaders): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((one): [string, string] => [name, one])
      : [[name, String(value)] as [string, string]],
  )

/** The stream, as long as its source lives: read no faster than the client takes it. */
function watched(body: ReadableStream<Uint8Array>, headers: SetHeaders, { replica, times }: Answering) {
  const isEvents = /^text\/event-stream\b/i.test(String(headers['content-type'])) && !headers['content-encoding']
  const reader = body.getReader()
  let heardAt = performance.now()
  let isBetweenEvents = true
  let timer: ReturnType<typeof setInterval> | undefined
  let release = () => {}
  const end = () => {
    clearInterval(timer)
    release()
  }
  const idleMs = isEvents ? times.eventsIdleMs : times.streamIdleMs
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const fail = (reason: string) => {
        end()
        reader.cancel().catch(() => {})
        controller.error(new Error(reason))
      }
      release = replica.hold(() => {
        if (!isEvents) return fail(`${replica.service} is away`)
        // its client takes the end of a stream of events as a reason to ask again
        end()
        reader.cancel().catch(() => {})
        controller.close()
      })
      timer = setInterval(
        () => {
          if (performance.now() - heardAt < idleMs) return
          if (!isEvents) return fail(`nothing from ${replica.service} for ${idleMs} ms`)
          // a client that takes nothing gets nothing on top
          if (!isBetweenEvents || (controller.desiredSize ?? 0) < 0) return
          heardAt = performance.now()
          controller.enqueue(KEEP_ALIVE)
        },
        Math.max(10, idleMs / 4),
      )
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        heardAt = performance.now()
        if (done) {
          end()
          controller.close()
          return
        }
        isBetweenEvents = value.at(-1) === LF && (value.at(-2) === LF || value.at(-3) === LF)
        controller.enqueue(value)
      } catch (error) {
        end()
        controller.error(error)
      }
    },
    cancel(reason) {
      end()
      return reader.cancel(reason)
    },
  })
}

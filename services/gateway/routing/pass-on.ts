import type { AskedElsewhere } from '@assay/core/kernel/elsewhere'
import type { PeerAnswer } from '@assay/core/kernel/peer-exchange'
import { stateOf } from '@assay/core/kernel/request'
import { answerHeaders, type SetHeaders } from './headers.ts'
import type { Replica } from './replica.ts'

/** Where an answer goes. */
export interface Answering extends AskedElsewhere {
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

/** A service's answer as its client gets it: bytes where it is whole, else a stream. */
export function passOn(answer: PeerAnswer, to: Answering): Response {
  const { status, headers, body } = answer
  const given: SetHeaders = to.headers
  const isWhole = body instanceof Uint8Array
  answerHeaders(given, headers, !isWhole)
  const init = { status, headers: initOf(given) }
  if (isWhole || body === null) return new Response(body, init)
  const state = stateOf(to.request)
  if (state && given['content-length'] === undefined) state.streams = true
  // its own clock ends it from here on
  to.server?.timeout(to.request, 0)
  return new Response(watched(body, given, to), init)
}

/** Bun takes one value of a name from an object; pairs may repeat it. */
function initOf(headers: SetHeaders): Record<string, string> | [string, string][] {
  if (!Array.isArray(headers['set-cookie'])) return headers as Record<string, string>
  return pairsOf(headers)
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

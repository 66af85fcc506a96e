import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { AssayError } from '../contracts/errors.ts'
import { useOwnWords } from '../contracts/wire/words.ts'
import { type AnswerHeaders, asInit, headersOf } from './answer-headers.ts'
import { challenge } from './challenge.ts'
import { compressed } from './compress.ts'
import { createEntrance, type EntranceOptions } from './edge-entrance.ts'
import type { Elsewhere } from './elsewhere.ts'
import { checkInput } from './input.ts'
import type { RequestMetrics } from './metrics.ts'
import { type Problem, toAssayError, toProblem } from './problem.ts'
import type { PublicUrl } from './public-url.ts'
import { credentialOf, ctxOf, isInternalPath, pathOf, type RequestState, requestId, stateOf } from './request.ts'
import { writeRequestLine } from './request-line.ts'
import { createRouteTable, type RouteEntry } from './route-table.ts'

export interface EdgeOptions extends EntranceOptions {
  log: Logger
  metrics: RequestMetrics
  /** of the platform, for challenges */
  publicUrl?: Pick<PublicUrl, 'of'>
  /** all routes of the app, asked at the first path that none matches */
  routes: () => readonly RouteEntry[]
  /** what answers the paths of services in other processes */
  elsewhere?: () => Elsewhere | undefined
}

/** Gives the routes of a service their `ctx`, typed; the edge made it before any route was chosen. */
export const withCtx = new Elysia({ name: 'kernel.ctx' }).derive({ as: 'scoped' }, ({ request }) => ({
  ctx: ctxOf(request),
}))

type Next = (request: Request) => unknown

/** The only global hooks: request id, identity, limits, security headers, error mapping, one wide log line per request. */
export function edge(options: EdgeOptions) {
  const { log, clock, metrics } = options
  const entrance = createEntrance(options)
  const methodsOf = createRouteTable(options.routes)
  const gate = () => options.gate?.()
  useOwnWords()

  function finish(request: Request, state: RequestState, route: string | undefined, status: number): void {
    const ms = clock.monotonic() - state.startedAt
    metrics.finished({ method: request.method, route: route ?? 'none', status, seconds: ms / 1000 })
    if (!state.internal) {
      gate()?.left(state.ctx, state.limited, { status, ms, code: state.error?.code, entered: state.entered })
    }
    writeRequestLine(log, request, state, { route, status, ms })
  }

  /** Once per request, when it has its answer and the connection is still open. */
  function leave(request: Request, answer: unknown): unknown {
    const state = stateOf(request)
    if (!state) return answer
    // nothing: it became a WebSocket
    const status = answer instanceof Response ? answer.status : 101
    finish(request, state, state.route ?? state.matched, status)
    // services share a process or a fast network
    if (state.internal || state.streams || !(answer instanceof Response) || request.method === 'HEAD') return answer
    const accepted = request.headers.get('accept-encoding')
    return accepted === null ? answer : compressed(answer, { accepted, path: state.path, onDone: metrics.compressed })
  }
  /** Elysia answers its errors; what fails beyond them still ends. */
  function fail(request: Request, error: unknown): never {
    const state = stateOf(request)
    if (state) finish(request, state, state.route ?? state.matched, 500)
    throw error
  }

  /** By the service whose path it is: one in another process, or a route of this one. */
  function proceed(request: Request, entered: Request | Response, next: Next): unknown {
    if (entered instanceof Response) return leave(request, entered)
    const state = stateOf(request)!
    const elsewhere = options.elsewhere?.()
    const service = elsewhere?.ownerOf(state.path)
    if (!elsewhere || !service) {
      const answering = next(entered)
      if (!(answering instanceof Promise)) return leave(request, answering)
      return answering.then(
        (answer) => leave(request, answer),
        (error) => fail(request, error),
      )
    }
    state.route = service
    return elsewhere
      .answer(service, { request: entered, ctx: state.ctx, headers: state.answered, server: entrance.listener })
      .then(
        (answer) => leave(request, answer),
        (error) => refuse(request, error),
      )
  }
  /** What ends before Elysia sees it is answered here. */
  function refuse(request: Request, error: unknown): unknown {
    const headers = stateOf(request)?.answered ?? headersOf(requestId(request.headers))
    const { status, problem } = problemOf(request, toAssayError(error, undefined), headers)
    return leave(request, new Response(JSON.stringify(problem), { status, headers: asInit(headers) }))
  }
  /** An error as its client gets it; its headers go to those of the answer. */
  function problemOf(
    request: Request,
    error: AssayError,
    headers: AnswerHeaders,
  ): { status: number; problem: Problem } {
    const state = stateOf(request)
    if (state) state.error = error
    headers['content-type'] = 'application/problem+json'
    if (error.options.retryAfterS !== undefined) headers['retry-after'] = String(error.options.retryAfterS)
    const sent = credentialOf(request.headers) !== undefined
    const asked = challenge(error, { sent, base: options.publicUrl?.of(request) ?? null })
    if (asked) headers['www-authenticate'] = asked
    const path = state?.path ?? pathOf(request.url)
    return { status: error.status, problem: toProblem(error, path, state?.ctx.requestId ?? requestId(request.headers)) }
  }

  return new Elysia({ name: 'kernel.edge' })
    .wrap(((next: Next) => (request: Request) => {
      try {
        const entering = entrance.enter(request)
        if (!(entering instanceof Promise)) return proceed(request, entering, next)
        return entering.then(
          (entered) => proceed(request, entered, next),
          (error) => refuse(request, error),
        )
      } catch (error) {
        return refuse(request, error)
      }
    }) as unknown as Parameters<Elysia['wrap']>[0])
    .onTransform({ as: 'global' }, ({ params, query, body, request, route, set }) => {
      const state = stateOf(request)
      if (state) {
        state.matched = route
        set.headers = state.answered as typeof set.headers
      }
      // whatever the URL made of it: what is routed decides
      if (isInternalPath(route) && !state?.internal) throw new AssayError('not_found', 'No route has this path.')
      checkInput({ params, query, body })
    })
    .onError({ as: 'global' }, ({ code, error, request, route, set }) => {
      const state = stateOf(request)
      if (state && route) state.matched = route
      // what fails before the routes' first hook, as a body that is not JSON
      if (state) set.headers = Object.assign(state.answered, set.headers) as typeof set.headers
      let mapped = toAssayError(error, code)
      const methods = code === 'NOT_FOUND' && state ? methodsOf(state.path) : []
      if (methods.length > 0) {
        mapped = new AssayError('method_not_allowed', `This path has ${methods.join(', ')}.`)
        set.headers.allow = methods.join(', ')
      }
      const { status, problem } = problemOf(request, mapped, set.headers as AnswerHeaders)
      set.status = status
      return problem
    })
}

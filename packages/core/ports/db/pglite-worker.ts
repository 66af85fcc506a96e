/// <reference lib="webworker" />
// PGlite in a thread of its own: on the main thread every statement would stop timers and sockets.
import { PGlite } from '@electric-sql/pglite'
import { pgliteOptions } from './pglite-options.ts'
import type { FromPglite, ToPglite } from './pglite-protocol.ts'

declare const self: DedicatedWorkerGlobalScope

interface Session {
  id: number
  role: string | null
}
const sessions = new Map<number, Session>()
let waiting: { session: Session; bytes: Uint8Array }[] = []
/** the role in effect, null: the owner; undefined: not known */
let entered: string | null | undefined
/** who is inside a transaction: all others wait */
let holder: Session | null = null
let pglite: PGlite

const post = (message: FromPglite, move: ArrayBufferLike[] = []) => self.postMessage(message, move as ArrayBuffer[])

self.onmessage = async ({ data: message }: MessageEvent<ToPglite>) => {
  switch (message.kind) {
    case 'open':
      return open(message.folder)
    case 'connect':
      sessions.set(message.session, { id: message.session, role: message.role })
      return
    case 'send':
      waiting.push({ session: sessions.get(message.session)!, bytes: message.bytes })
      return work()
    case 'disconnect':
      return disconnect(sessions.get(message.session)!)
    case 'close':
      await pglite.close()
      return post({ kind: 'closed' })
  }
}

async function open(folder: string): Promise<void> {
  try {
    pglite = await PGlite.create(pgliteOptions(folder))
    post({ kind: 'opened' })
  } catch (error) {
    post({ kind: 'failed', message: String(error) })
  }
}

/**
 * A plan that was kept since its tables were small may scan them whole, and PGlite has no autovacuum whose ANALYZE would
 * replace it: after this time plans are made anew, from the sizes of then.
 */
const PLANS_LIVE_MS = 5_000
let plannedAt = performance.now()

/** PGlite is one session: it serves one message at a time, and one transaction at a time. */
function work(): void {
  for (;;) {
    const next = holder ? waiting.findIndex(({ session }) => session === holder) : 0
    const task = waiting[next]
    if (!task) return
    waiting.splice(next, 1)
    if (!holder && performance.now() - plannedAt > PLANS_LIVE_MS) {
      pglite.execProtocolRawSync(simpleQuery('discard plans'))
      plannedAt = performance.now()
    }
    answer(task.session, task.bytes)
  }
}

function answer(session: Session, bytes: Uint8Array): void {
  const refused = entered === session.role ? undefined : enter(session.role)
  const answered = refused ?? pglite.execProtocolRawSync(bytes)
  holder = transactionStatus(answered) === 'I' ? null : session
  post({ kind: 'answer', session: session.id, bytes: answered }, [answered.buffer])
}

/** Takes the role and its search path; the answer's bytes when the server refuses the role. */
function enter(role: string | null): Uint8Array | undefined {
  const sql =
    role === null
      ? 'reset role; reset search_path'
      : `reset role; set role "${role}"; set search_path to "${role}", bus`
  const answered = pglite.execProtocolRawSync(simpleQuery(sql))
  const refused = failed(answered)
  entered = refused ? undefined : role
  return refused ? answered : undefined
}

function disconnect(session: Session): void {
  sessions.delete(session.id)
  waiting = waiting.filter((task) => task.session !== session)
  if (holder === session) {
    pglite.execProtocolRawSync(simpleQuery('rollback'))
    holder = null
  }
  work()
}

function simpleQuery(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`)
  const message = Buffer.alloc(5 + text.length)
  message.write('Q')
  message.writeInt32BE(4 + text.length, 1)
  text.copy(message, 5)
  return message
}

/** The last message of a finished exchange is ReadyForQuery, whose last byte is I, T or E. */
function transactionStatus(answered: Uint8Array): string {
  const ready = answered.at(-6) === 'Z'.charCodeAt(0)
  return ready ? String.fromCharCode(answered.at(-1)!) : 'unfinished'
}

function failed(answered: Uint8Array): boolean {
  const view = new DataView(answered.buffer, answered.byteOffset, answered.length)
  for (let at = 0; at < answered.length; at += 1 + view.getInt32(at + 1)) {
    if (answered[at] === 'E'.charCodeAt(0)) return true
  }
  return false
}

import { connect, createServer } from 'node:net'

export const HOST = '127.0.0.1'
const ASK_MS = 3_000

/** Below those that systems give to outgoing connections: one of them could sit on a port while its server is down. */
const FROM = 20_000
const UNTIL = 32_000
const TRIES = 200
const TABLES_FROM = 10_000
const TABLE = 300

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count && tries < TRIES; tries++) {
    const port = FROM + Math.floor(Math.random() * (UNTIL - FROM))
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  if (ports.size < count) throw new Error(`no ${count} free ports between ${FROM} and ${UNTIL}`)
  return [...ports]
}

/** The first of 300 free ports in a row, enough for a port table of three replicas; where `freePorts` gives none. */
export async function freePortTable(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const first = TABLES_FROM + Math.floor(Math.random() * ((FROM - TABLES_FROM) / TABLE - 1)) * TABLE
    const free = await Promise.all(Array.from({ length: TABLE }, (_, n) => isFree(first + n)))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${TABLE} free ports in a row between ${TABLES_FROM} and ${FROM}`)
}

async function listen(asked: number): Promise<{ close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(asked, HOST, resolve)
  })
  return { close: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Sends a request and waits for an answer that `isWhole`; undefined when none comes in time. */
export async function ask(
  port: number,
  request: string | Uint8Array,
  isWhole: (bytes: string) => boolean,
): Promise<string | undefined> {
  const answer = Promise.withResolvers<string | undefined>()
  const socket = connect({ port, host: HOST })
  let bytes = ''
  socket.setEncoding('latin1')
  socket.on('data', (more: string) => {
    bytes += more
    if (isWhole(bytes)) answer.resolve(bytes)
  })
  socket.on('error', () => answer.resolve(undefined))
  socket.on('close', () => answer.resolve(undefined))
  const timer = setTimeout(() => answer.resolve(undefined), ASK_MS)
  socket.write(request)
  try {
    return await answer.promise
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** A server of ours may listen there. */
export const isFree = (port: number): Promise<boolean> =>
  listen(port).then(
    ({ close }) => close().then(() => true),
    () => false,
  )

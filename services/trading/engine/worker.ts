/** The engine's own thread: market log in, decisions out. Statements, JSON and signatures are made on the main thread. */
import { serveOwner } from './owner-thread.ts'
import type { Wire } from './rpc.ts'

serveOwner(globalThis as unknown as Wire)

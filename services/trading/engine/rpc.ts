import { Places } from '@assay/core/kernel/places'

/**
 * Calls between two threads over a message port, typed by the interfaces of both sides. What one turn of the loop sends
 * travels in one message, in order, as JSON text: half the cost of a structured clone. Texts that a method carries travel
 * beside it as they are. One-way methods answer nothing and must not throw.
 */
export interface Wire {
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}
type Frame =
  | readonly [kind: 'call', id: number, method: string, args: unknown[]]
  | readonly [kind: 'send', method: string, args: unknown[]]
  | readonly [kind: 'value', id: number, value: unknown]
  | readonly [kind: 'error', id: number, message: string]
/** How the arguments of a one-way method travel: `put` sends a text beside them, `take` reads the next one of that length. */
export interface Packer {
  pack(args: readonly unknown[], put: (text: string) => number): unknown[]
  unpack(args: readonly unknown[], take: (length: number) => string): unknown[]
}
type Method = (...args: never[]) => unknown
/** What the other side sees of an interface: every call is a promise, a one-way call returns at once. */
export type Remote<T, OneWay extends keyof T> = {
  [K in keyof T as T[K] extends Method ? K : never]: T[K] extends (...args: infer A) => infer R
    ? K extends OneWay
      ? (...args: A) => void
      : (...args: A) => Promise<Awaited<R>>
    : never
}

/** Serves `local` on the wire and gives the other side's interface. */
export function connect<T extends object, OneWay extends keyof T & string>(
  wire: Wire,
  local: object,
  oneWay: readonly OneWay[],
  packers: Record<string, Packer> = {},
): Remote<T, OneWay> {
  const sends = new Set<string>(oneWay)
  const pending = new Places<{ resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let out: Frame[] = []
  let texts: string[] = []
  const post = (frame: Frame): void => {
    if (out.push(frame) > 1) return
    // a message wakes the other thread, which costs more than what it carries: all requests of a turn go in one
    setImmediate(() => {
      const message = [JSON.stringify(out), texts.join('')]
      out = []
      texts = []
      wire.postMessage(message)
    })
  }
  const run = (method: string, args: unknown[]): unknown =>
    (local as Record<string, (...a: unknown[]) => unknown>)[method]!(...args)
  async function answer(id: number, method: string, args: unknown[]): Promise<void> {
    try {
      post(['value', id, await run(method, args)])
    } catch (error) {
      post(['error', id, error instanceof Error ? error.message : String(error)])
    }
  }
  wire.addEventListener('message', (event) => {
    const [frames, beside] = event.data as [string, string]
    let at = 0
    const take = (length: number) => {
      at += length
      return beside.slice(at - length, at)
    }
    for (const frame of JSON.parse(frames) as Frame[]) {
      switch (frame[0]) {
        case 'call':
          void answer(frame[1], frame[2], frame[3])
          break
        case 'send':
          run(frame[1], packers[frame[1]]?.unpack(frame[2], take) ?? frame[2])
          break
        case 'value':
          pending.take(frame[1])?.resolve(frame[2])
          break
        case 'error':
          pending.take(frame[1])?.reject(new Error(frame[2]))
          break
      }
    }
  })
  const pack = (method: string, args: unknown[]): unknown[] => {
    const beside: string[] = []
    const packed = packers[method]?.pack(args, (text) => {
      beside.push(text)
      return text.length
    })
    if (beside.length > 0) texts.push(beside.join(''))
    return packed ?? args
  }
  const call = (method: string, args: unknown[]): unknown => {
    if (sends.has(method)) return post(['send', method, pack(method, args)])
    return new Promise((resolve, reject) => {
      post(['call', pending.put({ resolve, reject }), method, args])
    })
  }
  return new Proxy(
    {},
    {
      // a promise must not take the proxy for one of its own
      get: (_target, method) =>
        method === 'then' || typeof method === 'symbol' ? undefined : (...args: unknown[]) => call(method, args),
    },
  ) as Remote<T, OneWay>
}

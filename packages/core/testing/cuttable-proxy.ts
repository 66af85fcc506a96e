import { connect, createServer, type Socket } from 'node:net'

export interface CuttableProxy {
  /** of the server, through the proxy */
  url: string
  /** from now on answers don't come through; what is sent does */
  swallowAnswers(): void
  /** connections end at once; new ones work again */
  cut(): void
  close(): Promise<void>
}

/** A way to the server of `url` whose answers can be lost after the server acted. */
export async function cuttableProxy(url: string, host = '127.0.0.1'): Promise<CuttableProxy> {
  const target = new URL(url)
  const pairs = new Set<{ near: Socket; far: Socket; deaf: boolean }>()
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    const pair = { near, far, deaf: false }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => {
      if (!pair.deaf) near.write(bytes)
    })
    for (const socket of [near, far]) socket.on('close', end).on('error', end)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const through = new URL(url)
  through.hostname = host
  through.port = String((server.address() as { port: number }).port)
  return {
    url: through.href,
    swallowAnswers() {
      for (const pair of pairs) pair.deaf = true
    },
    cut() {
      for (const { near } of [...pairs]) near.destroy()
    },
    close: () =>
      new Promise((resolve) => {
        for (const { near } of [...pairs]) near.destroy()
        server.close(() => resolve())
      }),
  }
}

import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { createGunzip } from 'node:zlib'

export function isGzip(file: string): boolean {
  const head = Buffer.alloc(2)
  const handle = openSync(file, 'r')
  try {
    return readSync(handle, head, 0, 2, 0) === 2 && head[0] === 0x1f && head[1] === 0x8b
  } finally {
    closeSync(handle)
  }
}

/** The text of a file in chunks, unzipped where it is gzip. A gzip stream that ends early ends the text; `onTorn` hears of it. */
export async function* textOf(
  file: string,
  onBytes?: (bytes: number) => void,
  onTorn?: (reason: string) => void,
): AsyncGenerator<string> {
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  let bytes = 0
  source.on('data', (chunk) => {
    bytes += chunk.length
    onBytes?.(bytes)
  })
  const zipped = isGzip(file)
  const stream = zipped ? source.pipe(createGunzip()) : source
  source.on('error', (error) => stream.destroy(error))
  const decoder = new TextDecoder()
  try {
    for await (const chunk of stream) yield decoder.decode(chunk as Uint8Array, { stream: true })
  } catch (error) {
    if (!zipped || !String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    onTorn?.((error as Error).message)
  } finally {
    source.destroy()
  }
  const rest = decoder.decode()
  if (rest) yield rest
}

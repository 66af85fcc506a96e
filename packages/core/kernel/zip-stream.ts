import { Zip, ZipDeflate } from 'fflate'

export interface ZipFile {
  name: string
  parts: AsyncIterable<string>
}

/** A zip that is made while it is read: as much of it is in memory as a part of one file. */
export function zipStream(files: AsyncIterable<ZipFile>): ReadableStream<Uint8Array> {
  const chunks = zipChunks(files)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 1 },
  )
}

async function* zipChunks(files: AsyncIterable<ZipFile>): AsyncGenerator<Uint8Array, undefined> {
  let made: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    made.push(chunk)
  })
  const taken = (): Uint8Array[] => {
    const out = made.filter((chunk) => chunk.length > 0)
    made = []
    return out
  }
  const text = new TextEncoder()
  for await (const { name, parts } of files) {
    const file = new ZipDeflate(name, { level: 6 })
    zip.add(file)
    for await (const part of parts) {
      file.push(text.encode(part))
      yield* taken()
    }
    file.push(new Uint8Array(), true)
    yield* taken()
  }
  zip.end()
  yield* taken()
  return undefined
}

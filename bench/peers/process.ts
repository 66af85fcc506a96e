/** A peer in another language: its process, by lines. Every wait ends. */

const TAIL = 2000

/** Runs a command to its end. Throws with the end of what it said when it fails. */
export async function run(command: string[], timeoutMs: number): Promise<void> {
  const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'pipe', timeout: timeoutMs })
  const said = await new Response(child.stderr).text()
  const code = await child.exited
  if (code !== 0) throw new Error(`${command.slice(0, 4).join(' ')} ended with ${code}: ${said.slice(-TAIL).trim()}`)
}

export interface Lines {
  write(line: string): void
  /** the next line of stdout; throws when the process ends or says nothing in time */
  read(timeoutMs: number): Promise<string>
  /** ends stdin and waits for the end */
  close(): Promise<void>
}
export function startLines(command: string[], cwd: string): Lines {
  const child = Bun.spawn(command, { cwd, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
  const said = new Response(child.stderr).text()
  const lines = linesOf(child.stdout)
  return {
    write(line) {
      child.stdin.write(`${line}\n`)
      child.stdin.flush()
    },
    async read(timeoutMs) {
      const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      const { value, done } = await lines.next().finally(() => clearTimeout(late))
      if (!done) return value
      throw new Error(`${command[0]} ended with ${await child.exited}: ${(await said).slice(-TAIL).trim()}`)
    },
    async close() {
      child.stdin.end()
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await child.exited
      clearTimeout(late)
    },
  }
}
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop()!
    yield* parts
  }
  return undefined
}

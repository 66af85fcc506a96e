import { expect, test } from 'bun:test'
import { batchLines } from './batch.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('lines of one turn are one write, in order, and the next turn writes without being asked again', async () => {
  const written: string[] = []
  const batch = batchLines({ write: (text) => written.push(text) })
  for (const line of ['a\n', 'b\n', 'c\n']) batch.write(line)
  expect(written).toEqual([])
  await turn()
  batch.write('d\n')
  await turn()
  expect(written).toEqual(['a\nb\nc\n', 'd\n'])
})
test('what is long does not wait, and what waits can be written at once', async () => {
  const written: number[] = []
  const batch = batchLines({ write: (text) => written.push(text.length) })
  batch.write('x'.repeat(70_000))
  batch.write('y')
  batch.flush()
  batch.flush()
  await turn()
  expect(written).toEqual([70_000, 1])
})
test('a process that ends by itself, by an error or by exit() has written every line', async () => {
  const ends = ['', 'process.exit(3)', "throw new Error('broken')", 'await Promise.reject(new Error("broken"))']
  for (const end of ends) {
    const script = `
      const { openLog } = await import('${import.meta.dir}/../log.ts')
      const log = openLog({ level: 'info', format: 'json' })
      for (let n = 0; n < 1000; n++) log.logger.info({ n }, 'line')
      ${end}`
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'ignore' })
    const said = await new Response(child.stdout).text()
    expect([end, said.trim().split('\n').length]).toEqual([end, 1_000])
  }
}, 60_000)

import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answersRedis, startRedis } from './redis.ts'

test('a password with spaces, quotes and other alphabets lets in; another one does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-redis-'))
  const server = await startRedis({ folder, password: 'two words, a "quote" and ключ' })
  try {
    expect(await answersRedis(server.env)).toBe(true)
    expect(await answersRedis({ REDIS_URL: server.env.REDIS_URL!.replace('two', 'three') })).toBe(false)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)

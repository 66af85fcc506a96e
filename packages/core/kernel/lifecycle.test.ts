import { expect, test } from 'bun:test'
import { createLifecycle } from './lifecycle.ts'

function collected() {
  const errors: string[] = []
  const log = {
    info() {},
    warn() {},
    debug() {},
    error: (fields: object) => void errors.push((fields as { name: string }).name),
  }
  return { log: log as never, errors }
}

test('closes run in reverse order, one after the other, once', async () => {
  const { log } = collected()
  const order: string[] = []
  const lifecycle = createLifecycle({ log })
  lifecycle.defer('db', () => void order.push('db'))
  lifecycle.defer('engine', async () => {
    await Bun.sleep(2)
    order.push('engine')
  })
  lifecycle.defer('http', () => void order.push('http'))
  await Promise.all([lifecycle.close(), lifecycle.close()])
  expect(order).toEqual(['http', 'engine', 'db'])
})
test('a close that fails or hangs does not keep the others from closing', async () => {
  const { log, errors } = collected()
  let closed = false
  const lifecycle = createLifecycle({ log, closeTimeoutMs: 10 })
  lifecycle.defer('db', () => {
    closed = true
  })
  lifecycle.defer('hangs', () => new Promise(() => {}))
  lifecycle.defer('fails', () => {
    throw new Error('no')
  })
  await lifecycle.close()
  expect(errors).toEqual(['fails', 'hangs'])
  expect(closed).toBe(true)
})
test('closing aborts background tasks and waits for them before anything closes', async () => {
  const { log } = collected()
  const order: string[] = []
  const lifecycle = createLifecycle({ log })
  lifecycle.defer('db', () => void order.push('db'))
  lifecycle.background('loop', async (signal) => {
    while (!signal.aborted) await Bun.sleep(1)
    order.push('loop ended')
  })
  await lifecycle.close()
  expect(order).toEqual(['loop ended', 'db'])
})
test('a background task that fails is logged, and reported when it is fatal', async () => {
  const { log, errors } = collected()
  const fatal = Promise.withResolvers<unknown>()
  const lifecycle = createLifecycle({ log, onFatal: fatal.resolve })
  lifecycle.background('minor', async () => Promise.reject(new Error('a')))
  lifecycle.background('major', async () => Promise.reject(new Error('b')), { fatal: true })
  expect(String(await fatal.promise)).toContain('b')
  expect(errors.sort()).toEqual(['major', 'minor'])
})

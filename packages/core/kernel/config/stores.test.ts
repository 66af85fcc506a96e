import { expect, test } from 'bun:test'
import { readConfig } from '../config.ts'
import { redisUrl } from './stores.ts'

const refusals = (env: Record<string, string>): string[] => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    return (error as { problems: { variable: string }[] }).problems.map(({ variable }) => variable)
  }
}

test('Redis is named by a URL, by its parts, or by the alias of Dragonfly', () => {
  const urlOf = (env: Record<string, string>) => redisUrl(readConfig(env).platform)
  expect(urlOf({})).toBeUndefined()
  expect(urlOf({ REDIS_URL: 'rediss://:x@cache:6380' })).toBe('rediss://:x@cache:6380')
  expect(urlOf({ DRAGONFLYDB_URL: 'redis://dragonfly:6379' })).toBe('redis://dragonfly:6379')
  expect(urlOf({ REDIS_HOST: 'cache' })).toBe('redis://cache:6379')
  expect(urlOf({ REDIS_HOST: 'cache', REDIS_PORT: '6380', REDIS_PASSWORD: 'p@ss:w' })).toBe(
    'redis://:p%40ss%3Aw@cache:6380',
  )
})

test.each([
  [{ REDIS_URL: 'http://cache' }, ['REDIS_URL']],
  [{ REDIS_URL: 'redis://a', REDIS_HOST: 'b' }, ['REDIS_HOST']],
  [{ REDIS_PASSWORD: 'x' }, ['REDIS_PASSWORD']],
  [{ VAULT_ADDR: 'https://vault:8200' }, ['VAULT_ADDR']],
  [{ VAULT_ADDR: 'https://vault:8200', VAULT_ROLE_ID: 'r' }, ['VAULT_SECRET_ID']],
  [{ VAULT_ADDR: 'https://vault:8200', VAULT_TOKEN: 't', VAULT_DATABASE_ROLE: 'd' }, ['VAULT_DATABASE_ROLE']],
  [{ S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'k' }, ['S3_SECRET_ACCESS_KEY']],
  [{ S3_BUCKET: 'b', S3_ENDPOINT: 'minio:9000' }, ['S3_ENDPOINT']],
  [{ VAULT_ADDR: 'https://vault:8200', VAULT_KUBERNETES_ROLE: 'gateway', S3_BUCKET: 'b', REDIS_HOST: 'c' }, []],
])('%j: what is half said or contradicts itself is named', (env, named) => {
  expect(refusals(env as Record<string, string>)).toEqual(named as string[])
})

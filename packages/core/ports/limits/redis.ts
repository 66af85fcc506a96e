import type { RedisServer } from '../cache/redis-server.ts'
import { batched } from './batch.ts'
import { decide } from './gcra.ts'
import type { Limit, Limits } from './port.ts'
import { countReplicas } from './replicas.ts'

export interface RedisLimitsOptions {
  redis: RedisServer
  /** ms, for tests; absent: the server's clock, which all replicas share */
  now?: () => number
}

/**
 * The first half of gcra.ts in one round trip, in the same doubles: what is used of each limit, before this request. KEYS
 * one arrival per limit, ARGV points and window of each, then the time. Lua's tostring keeps 14 digits, hence the format.
 * An arrival that has passed may expire: a little later by the server's clock, much later when another clock decides.
 */
const TAKE = `
local now = tonumber(ARGV[#ARGV])
local slack = 60000
if not now then
  slack = 1000
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local answer = {}
for i = 1, #KEYS do
  local window = tonumber(ARGV[2 * i])
  local interval = window / ARGV[2 * i - 1]
  local used = math.max(tonumber(redis.call('GET', KEYS[i]) or 0) - now, 0)
  if used + interval - window <= 1e-6 then
    redis.call('SET', KEYS[i], now + (used + interval), 'PX', math.ceil(used + interval) + slack)
  end
  answer[i] = string.format('%.17g', used)
end
return answer`

const REFUND = `
local arrival = redis.call('GET', KEYS[1])
if arrival then
  redis.call('SET', KEYS[1], string.format('%.17g', tonumber(arrival) - tonumber(ARGV[1])), 'KEEPTTL')
end`

/** Limits that all replicas share. The keys of one client stand in one slot of a cluster. */
export function createRedisLimits({ redis, now }: RedisLimitsOptions): Limits {
  const time = () => now?.() ?? ''
  const script = redis.script(TAKE)
  // in a cluster each client's keys are elsewhere
  const used = redis.cluster
    ? (keys: string[], bounds: number[]) => script(keys, [...bounds, time()]) as Promise<string[]>
    : batched(script, time)
  const refund = redis.script(REFUND)
  const replicas = countReplicas(redis)
  const keyOf = (client: string, name: string): string => redis.key('limit', client, name)

  return {
    async take(client, limits) {
      replicas.join()
      const keys: string[] = []
      const bounds: number[] = []
      for (const { name, points, windowMs } of limits) {
        keys.push(keyOf(client, name))
        bounds.push(points, windowMs)
      }
      const answer = await used(keys, bounds)
      return limits.map((limit, index) => decide(limit, Number(answer[index])))
    },
    async refund(client, { name, points, windowMs }: Limit) {
      await refund([keyOf(client, name)], [windowMs / points])
    },
    async forget(client, { name }) {
      await redis.call((server) => server.del(keyOf(client, name)))
    },
    replicas: replicas.count,
    away: redis.away,
    close: replicas.leave,
  }
}

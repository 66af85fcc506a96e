import type { RedisServer } from '../cache/redis-server.ts'
import type { Decision, Limit, Limits } from './port.ts'
import { countReplicas } from './replicas.ts'

export interface RedisLimitsOptions {
  redis: RedisServer
  /** ms, for tests; absent: the server's clock, which all replicas share */
  now?: () => number
}

/**
 * The steps of gcra.ts in one round trip, in the same doubles: KEYS one arrival per limit, ARGV points and window of each,
 * then the time. Lua's tostring keeps 14 digits, hence the formats. An arrival that has passed may expire: a little later
 * by the server's clock, much later when another clock decides.
 */
const TAKE = `
local now = tonumber(ARGV[#ARGV])
local slack = 60000
if not now then
  slack = 1000
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
end
local answer = {}
for i = 1, #KEYS do
  local window = tonumber(ARGV[2 * i])
  local interval = window / tonumber(ARGV[2 * i - 1])
  local arrival = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
  local used = arrival - now
  local wait = used + interval - window
  local after = used
  if wait <= 1e-6 then
    after = used + interval
    redis.call('SET', KEYS[i], string.format('%.17g', now + after), 'PX', math.ceil(after) + slack)
    wait = 0
  end
  answer[3 * i - 2] = string.format('%.17g', wait)
  answer[3 * i - 1] = string.format('%.17g', after)
  answer[3 * i] = string.format('%.17g', math.max(0, math.floor((window - after) / interval + 1e-6)))
end
return answer`

const REFUND = `
local arrival = redis.call('GET', KEYS[1])
if arrival then
  redis.call('SET', KEYS[1], string.format('%.17g', tonumber(arrival) - tonumber(ARGV[1])), 'KEEPTTL')
end`

/** Limits that all replicas share. The keys of one client stand in one slot of a cluster. */
export function createRedisLimits({ redis, now }: RedisLimitsOptions): Limits {
  const script = { take: redis.script(TAKE), refund: redis.script(REFUND) }
  const replicas = countReplicas(redis)
  const keyOf = (client: string, name: string): string => redis.key('limit', client, name)

  return {
    async take(client, limits) {
      replicas.join()
      const keys = limits.map(({ name }) => keyOf(client, name))
      const bounds = limits.flatMap(({ points, windowMs }) => [points, windowMs])
      const answer = (await script.take(keys, [...bounds, now?.() ?? ''])) as string[]
      return limits.map((_, index) => decisionOf(answer.slice(3 * index, 3 * index + 3)))
    },
    async refund(client, { name, points, windowMs }: Limit) {
      await script.refund([keyOf(client, name)], [windowMs / points])
    },
    async forget(client, { name }) {
      await redis.call((server) => server.del(keyOf(client, name)))
    },
    replicas: replicas.count,
    away: redis.away,
    close: replicas.leave,
  }
}

function decisionOf([wait, after, remaining]: string[]): Decision {
  const retryAfterMs = Number(wait)
  return { allowed: retryAfterMs === 0, remaining: Number(remaining), retryAfterMs, resetMs: Number(after) }
}

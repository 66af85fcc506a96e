import type { RedisServer } from '../cache/redis-server.ts'

/** A process says every so often that it lives, and learns how many do. */
const HEARTBEAT_MS = 5_000
const DEAD_AFTER_MS = 3 * HEARTBEAT_MS
const SAY = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ${DEAD_AFTER_MS})
redis.call('PEXPIRE', KEYS[1], ${2 * DEAD_AFTER_MS})
return redis.call('ZCARD', KEYS[1])`

export interface Replicas {
  /** begins to say so */
  join(): void
  /** as last seen; what it was when the server went away */
  count(): number
  leave(): Promise<void>
}

/** Processes that enforce limits together. */
export function countReplicas(redis: RedisServer): Replicas {
  const say = redis.script(SAY)
  const key = redis.key('replicas', 'limits')
  const id = crypto.randomUUID()
  let seen = 1
  let timer: ReturnType<typeof setInterval> | undefined

  async function beat(): Promise<void> {
    try {
      seen = Math.max(1, Number(await say([key], [id])))
    } catch {
      // away: what was seen last still holds
    }
  }
  return {
    join() {
      if (timer !== undefined) return
      timer = setInterval(beat, HEARTBEAT_MS)
      timer.unref()
      void beat()
    },
    count: () => seen,
    async leave() {
      if (timer === undefined) return
      clearInterval(timer)
      await redis.call((client) => client.zrem(key, id)).catch(() => {})
    },
  }
}

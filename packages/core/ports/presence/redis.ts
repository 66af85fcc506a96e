import { AssayError } from '../../contracts/errors.ts'
import type { RedisServer } from '../cache/redis-server.ts'
import { Held } from './held.ts'
import type { Presence } from './port.ts'

export interface RedisPresenceOptions {
  redis: RedisServer
  /** a seat that nobody renews is over after so long; its process renews it three times in that */
  ttlMs?: number
}
/** People whose seats are renewed in one go: the connection stays free for others between. */
const RENEWED_AT_ONCE = 200

/** One sorted set for each: seats by the time they are over, by the server's clock. */
const TIME = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`
const ENTER = `${TIME}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`
/** Also of seats that the server forgot or never heard of: they are taken all the same. */
const RENEW = `${TIME}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])`
const LIST = `${TIME}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')`

/** The presence that all processes share. */
export function createRedisPresence({ redis, ttlMs = 30_000 }: RedisPresenceOptions): Presence {
  const held = new Held()
  const leaving = new Set<Promise<void>>()
  const enter = redis.script(ENTER)
  const renew = redis.script(RENEW)
  const list = redis.script(LIST)
  const keyOf = (who: string): string => redis.key('presence', who)
  let timer: ReturnType<typeof setInterval> | undefined
  let beating = false

  async function beat(): Promise<void> {
    if (beating) return
    beating = true
    try {
      const everybody = held.everybody()
      for (let at = 0; at < everybody.length; at += RENEWED_AT_ONCE) {
        await Promise.all(
          everybody.slice(at, at + RENEWED_AT_ONCE).map(async (who) => {
            const ids = held.of(who)
            if (ids.length > 0) await renew([keyOf(who)], [ttlMs, ...ids])
          }),
        )
      }
    } catch {
      // away: the next beat tells what is held then
    } finally {
      beating = false
    }
  }
  function begin(): void {
    if (timer !== undefined) return
    timer = setInterval(beat, ttlMs / 3)
    timer.unref()
  }
  async function taken(who: string, id: string, most: number): Promise<boolean> {
    try {
      return Number(await enter([keyOf(who)], [ttlMs, most, id])) === 1
    } catch (error) {
      if (error instanceof AssayError && error.code === 'unavailable') return true
      throw error
    }
  }
  async function leave(who: string, id: string): Promise<void> {
    if (!held.delete(who, id)) return
    const left = redis
      .call((client) => client.zrem(keyOf(who), id))
      .then(
        () => {},
        () => {},
      )
    leaving.add(left)
    await left
    leaving.delete(left)
  }

  return {
    async enter(who, most) {
      const id = crypto.randomUUID()
      if (!held.add(who, id, most)) return null
      begin()
      let isTaken = false
      try {
        isTaken = await taken(who, id, most)
      } finally {
        // a beat may have told of it meanwhile
        if (!isTaken) void leave(who, id)
      }
      return isTaken ? { id, leave: () => leave(who, id) } : null
    },
    list: async (who) => (await list([keyOf(who)], [])) as string[],
    away: redis.away,
    async close() {
      clearInterval(timer)
      for (const who of held.everybody()) for (const id of held.of(who)) void leave(who, id)
      await Promise.all(leaving)
    },
  }
}

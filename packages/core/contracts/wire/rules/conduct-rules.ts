/** When positions may stand, and what is looked at for review. */
import { z } from 'zod'
import { consequence, time, weekDay, zone } from './limit.ts'

const name = z.string().min(1).max(64)

export const WeekendFlat = z.strictObject({
  rule: z.literal('weekend_flat'),
  day: weekDay.default(5),
  time,
  zone,
  effect: consequence,
})
export const SessionFlat = z.strictObject({
  rule: z.literal('session_flat'),
  minutes: z.int().min(0).max(1440),
  effect: consequence,
})
export const NewsWindow = z.strictObject({
  rule: z.literal('news_window'),
  calendar: name,
  before_s: z.int().min(0).max(86_400),
  after_s: z.int().min(0).max(86_400),
  impact: z
    .array(z.enum(['low', 'medium', 'high']))
    .min(1)
    .max(3)
    .default(['high']),
  also: z.record(z.string().min(1).max(15), z.array(z.string().min(1).max(64)).max(500)).default({}),
  forbids: z
    .array(z.enum(['open', 'close', 'activation', 'stop_trigger']))
    .min(1)
    .max(4),
  effect: z.enum(['hard', 'soft', 'gate', 'flag']).default('gate'),
})
export const Detectors = z.strictObject({
  rule: z.literal('detectors'),
  detect: z
    .array(z.enum(['hedging', 'martingale', 'grid', 'copied', 'latency']))
    .min(1)
    .max(5),
  effect: z.literal('flag').default('flag'),
})

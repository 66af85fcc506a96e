import { AssayError } from '@assay/core/contracts/errors'

const MINUTE = 60_000
export const RESOLUTIONS = {
  '1m': MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '1h': 60 * MINUTE,
  '4h': 240 * MINUTE,
  '1d': 1440 * MINUTE,
} as const
export type Resolution = keyof typeof RESOLUTIONS
export const RESOLUTION_NAMES = Object.keys(RESOLUTIONS) as [Resolution, ...Resolution[]]

/** Points of an equity history, at most. */
export const POINTS_MAX = 1000

const count = (from: number, to: number, step: number): number =>
  Math.max(0, Math.floor(to / step) - Math.floor(from / step))

/**
 * The instants of a resolution in (from, to], ms; without one the finest that gives at most POINTS_MAX. Throws
 * validation_failed when there are more.
 */
export function instantsOf(
  from: number,
  to: number,
  asked?: Resolution,
): { resolution: Resolution; instants: number[] } {
  const resolution = asked ?? RESOLUTION_NAMES.find((name) => count(from, to, RESOLUTIONS[name]) <= POINTS_MAX) ?? '1d'
  const step = RESOLUTIONS[resolution]
  const points = count(from, to, step)
  if (points > POINTS_MAX) {
    throw new AssayError(
      'validation_failed',
      `That is ${points} points of ${resolution}; at most ${POINTS_MAX} are given.`,
      {
        field: 'resolution',
      },
    )
  }
  const first = (Math.floor(from / step) + 1) * step
  return { resolution, instants: Array.from({ length: points }, (_, i) => first + i * step) }
}

/** One measured number beside its peer's, both taken in the same run. `ratio` > 1: ours is better; null without a peer. */
export interface Figure {
  figure: string
  unit: string
  ours: number
  peer: number | null
  /** name, version and how it was tuned */
  peer_name: string | null
  ratio: number | null
  samples: number
}
type Better = 'higher' | 'lower'
export interface Measured {
  figure: string
  unit: string
  better: Better
  ours: number
  samples: number
  peer?: { name: string; value: number }
}
export function figureOf({ figure, unit, better, ours, samples, peer }: Measured): Figure {
  const ratio = peer ? round(better === 'higher' ? ours / peer.value : peer.value / ours) : null
  return {
    figure,
    unit,
    ours: round(ours),
    peer: peer ? round(peer.value) : null,
    peer_name: peer?.name ?? null,
    ratio,
    samples,
  }
}
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
const round = (value: number) => Number(value.toPrecision(4))

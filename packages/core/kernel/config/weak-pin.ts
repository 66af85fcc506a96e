/** Runs of neighbours on the keys, and what lists of used PINs begin with. */
const RUNS = ['01234567890', '09876543210', '147258369', '963852741', '159753', '753159', '123654', '456123', '159357']
const USUAL = /^(112233|332211|121212|696969|520520|520131|131420|102030|246810|135790|007007|420420|654123|789456)$/

/** Why this PIN is among the first that somebody would try, or undefined. */
export function pinWeakness(pin: string): string | undefined {
  const distinct = new Set(pin).size
  if (distinct < 3) return 'has fewer than three different digits'
  if (RUNS.some((run) => run.includes(pin)) || USUAL.test(pin)) return 'is a run of neighbours or a usual one'
  if (pin.slice(0, 3) === pin.slice(3) || pin.slice(0, 3) === [...pin.slice(3)].reverse().join(''))
    return 'repeats its first half'
  if (/^(19|20)\d\d(0[1-9]|1[0-2])$/.test(pin)) return 'is a month of a year'
  if (/^(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d\d$/.test(pin)) return 'is a date'
  if (/^\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/.test(pin)) return 'is a date'
  return undefined
}

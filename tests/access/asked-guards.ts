import { AWAY } from '../../scripts/access/guards.ts'

/** How often each guard of the copy was asked since this was last cleared. To be imported before what it watches. */
export const asked = new Map<number, number>()
let away = 0
/** 0: every guard is in its place */
export function take(n: number): void {
  away = n
}

Object.assign(globalThis, {
  [AWAY]: (n: number) => {
    asked.set(n, (asked.get(n) ?? 0) + 1)
    return n === away
  },
})

import type { Movable } from '@assay/core/kernel/moved'

/** Expected, and explained by its words alone. */
export class MigrateError extends Error {}

/** One line for a person: which part, what happened. */
export type Say = (part: Movable | 'folder', line: string) => void

export const counted = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${n === 1 ? what : `${what}s`}`

/** An instant as REST shows it. */
export const iso = (ms: number | string | Date): string =>
  (ms instanceof Date ? ms : new Date(Number(ms))).toISOString()
export const isoOrNull = (ms: number | string | null): string | null => (ms === null ? null : iso(ms))

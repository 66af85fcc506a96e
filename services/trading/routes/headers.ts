import { z } from 'zod'

/** Honoured where something is made: the first answer is kept for 24 hours. */
export const IdempotencyHeaders = z.looseObject({ 'idempotency-key': z.string().optional() })

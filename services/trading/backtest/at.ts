import { z } from 'zod'

/** A time of a script: ISO 8601 with a zone, or milliseconds. */
export const At = z.union([z.iso.datetime({ offset: true }), z.int()], 'must be ISO 8601 with a zone, or milliseconds')
export const msOf = (at: z.output<typeof At>): number => (typeof at === 'number' ? at : Date.parse(at))

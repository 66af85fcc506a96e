import { z } from 'zod'
import { SERVICES } from '../../contracts/services.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 }

/** true | false, 1 | 0, yes | no, on | off. */
export const flag = () =>
  z
    .string()
    .regex(/^(true|false|1|0|yes|no|on|off)$/i, 'must be true or false')
    .transform((text) => /^(true|1|yes|on)$/i.test(text))

/** Comma-separated; empty unless set. */
export const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item))

/** A number of bytes: `1048576`, `64 MiB`, `20 GiB`. */
export const size = (byDefault: string) =>
  z
    .string()
    .default(byDefault)
    .transform((text, ctx) => {
      const match = /^(\d+)\s*(KiB|MiB|GiB|TiB|)$/i.exec(text.trim())
      if (match) return Number(match[1]) * UNITS[match[2]!.toUpperCase()]!
      ctx.addIssue('must be a size such as 512 MiB or 20 GiB')
      return z.NEVER
    })

const MOST_REPLICAS = 16

/** `trading=3,market-data=2`: how many processes of a service run; those not named have one. */
export const replicas = () =>
  z
    .string()
    .default('')
    .transform((text, ctx) => {
      const counts: Record<string, number> = {}
      for (const part of text.split(',').filter(Boolean)) {
        const match = /^([\w-]+)=(\d{1,2})$/.exec(part.trim())
        const count = Number(match?.[2])
        if (match && count >= 1 && count <= MOST_REPLICAS && SERVICES.some(({ name }) => name === match[1])) {
          counts[match[1]!] = count
          continue
        }
        ctx.addIssue(`must be like trading=3,market-data=2 (1 to ${MOST_REPLICAS}): ${part} is not`)
        return z.NEVER
      }
      return counts
    })

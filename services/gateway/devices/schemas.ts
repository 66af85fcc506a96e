import { z } from 'zod'

export const Device = z.object({
  id: z.uuid(),
  name: z.string(),
  current: z.boolean().describe('The session that asks was opened on it'),
  address: z.string().describe('Where it was seen last'),
  created_at: z.iso.datetime(),
  seen_at: z.iso.datetime(),
})
export type Device = z.infer<typeof Device>

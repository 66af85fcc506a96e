import { z } from 'zod'
import { PASSWORD_MAX } from '../auth/schemas.ts'

export const ExportQuery = z.object({
  user_id: z.uuid().optional().describe('Of the tenant: operators only. Absent: the own data'),
})
export type ExportQuery = z.output<typeof ExportQuery>

export const EraseBody = z.object({
  password: z.string().min(1).max(PASSWORD_MAX).describe('Of who asks, again: this cannot be undone'),
  user_id: z.uuid().optional().describe('Of the tenant: operators only. Absent: the own account'),
})
export type EraseBody = z.infer<typeof EraseBody>

export const Erased = z.object({
  success: z.literal(true),
  user_id: z.uuid(),
  kept: z
    .array(z.object({ table: z.string(), why: z.string() }))
    .describe('What the law keeps; it names the user by id only'),
})
export type Erased = z.infer<typeof Erased>

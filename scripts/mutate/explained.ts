import { z } from 'zod'
import { ROOT } from '../root.ts'

/**
 * Why a mutant lives: `equivalent`, no input tells it apart (it stays a survivor); or why it runs into its time limit:
 * `loops`, it can not end (it counts as killed).
 */
const EXPLANATION = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** for people: file and change as they were */
  site: z.string().min(1),
  kind: z.enum(['equivalent', 'loops']),
  why: z.string().min(1),
})
export type Explanation = z.infer<typeof EXPLANATION>

export const EXPLAINED = 'scripts/mutate/survivors.json'
/** By the mutant's id: a changed statement needs its explanation anew. */
export async function readExplained(): Promise<Map<string, Explanation>> {
  const list = z.array(EXPLANATION).parse(await Bun.file(ROOT + EXPLAINED).json())
  const byId = new Map(list.map((explanation) => [explanation.id, explanation]))
  if (byId.size < list.length) throw new Error(`${EXPLAINED}: an id stands twice`)
  return byId
}

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWholeFile } from '../ports/files/write-whole.ts'

/** What moves from a data folder to a server, and the variable that then names where it is. */
export const MOVABLE = {
  database: { variable: 'DATABASE_URL', what: 'database' },
  kafka: { variable: 'KAFKA_BROKERS', what: 'market log and topics' },
  secrets: { variable: 'VAULT_ADDR', what: 'secrets' },
  blobs: { variable: 'S3_BUCKET', what: 'blobs' },
} as const
export type Movable = keyof typeof MOVABLE

const mark = z.object({
  id: z.string(),
  at: z.string(),
  /** where each part went; no credentials */
  to: z.partialRecord(z.enum(['database', 'kafka', 'secrets', 'blobs']), z.string()),
})
export type MovedMark = z.infer<typeof mark>

const fileIn = (home: string): string => join(home, 'moved.json')

export class MovedError extends Error {
  constructor(home: string, { at, to }: MovedMark, missing: readonly Movable[]) {
    const places = missing.map((part) => `its ${MOVABLE[part].what} to ${to[part]}`).join(', ')
    const variables = missing.map((part) => MOVABLE[part].variable).join(', ')
    super(
      `${home} was moved at ${at}: ${places}. Start with ${variables}, or delete ${fileIn(home)} to go on with the old data, which knows nothing of what happened since.`,
    )
    this.name = 'MovedError'
  }
}

export const markMoved = (home: string, moved: MovedMark): Promise<void> =>
  writeWholeFile(fileIn(home), `${JSON.stringify(moved, null, 2)}\n`)
export const unmarkMoved = (home: string): void => rmSync(fileIn(home), { force: true })

/** Null: the folder's data is still the truth. */
export function readMoved(home: string): MovedMark | null {
  let text: string
  try {
    text = readFileSync(fileIn(home), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return mark.parse(JSON.parse(text))
}

/** What has moved to a server is not served from the folder any longer: MovedError where the configuration would. */
export function refuseMoved(
  home: string,
  platform: Partial<Record<(typeof MOVABLE)[Movable]['variable'], string | readonly string[] | undefined>>,
): void {
  const moved = readMoved(home)
  if (!moved) return
  const missing = (Object.keys(moved.to) as Movable[]).filter((part) => !platform[MOVABLE[part].variable]?.length)
  if (missing.length > 0) throw new MovedError(home, moved, missing)
}

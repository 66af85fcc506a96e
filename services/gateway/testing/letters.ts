import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openMailFolder } from '@assay/core/ports/mail/folder'
import { type LetterOutcome, sendLetters } from '../letters/send-letters.ts'
import type { World } from './world.ts'

export interface ReceivedLetter {
  to: string
  subject: string
  text: string
  /** what it asks to be sent back */
  token: string | undefined
}
export interface Letters {
  /** sends what is due; the letters that came since the last call, oldest first */
  arrived(): Promise<ReceivedLetter[]>
  /** the newest of those that came since the last call to this person; throws when there is none */
  to(email: string): Promise<ReceivedLetter>
  outcomes: LetterOutcome[]
}

/** What the post office of the world sends, through the adapter that writes files. */
export function openLetters(world: World): Letters {
  const folder = join(world.database.home, 'mail')
  const mail = openMailFolder({ folder, from: 'Assay <assay@platform.example>' })
  const seen = new Set<string>()
  const outcomes: LetterOutcome[] = []
  const options = {
    deps: world.identity,
    mail,
    base: 'https://assay.example',
    onOutcome: (_: string, outcome: LetterOutcome) => void outcomes.push(outcome),
  }
  async function arrived(): Promise<ReceivedLetter[]> {
    await sendLetters(options)
    const names = (existsSync(folder) ? readdirSync(folder) : []).filter(
      (name) => name.endsWith('.eml') && !seen.has(name),
    )
    for (const name of names) seen.add(name)
    return names.sort().map((name) => parse(readFileSync(join(folder, name), 'utf8')))
  }
  return {
    arrived,
    outcomes,
    async to(email) {
      const letter = (await arrived()).findLast(({ to }) => to === email)
      if (!letter) throw new Error('no letter came')
      return letter
    },
  }
}

function parse(source: string): ReceivedLetter {
  const at = source.indexOf('\n\n')
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(source.slice(0, at))?.[1] ?? ''
  const text = source
    .slice(at + 2)
    .replace(/=\n/g, '')
    .replace(/=3D/g, '=')
  return { to: header('To'), subject: header('Subject'), text, token: /assaym_[\w-]+/.exec(text)?.[0] }
}

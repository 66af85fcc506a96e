import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { writeWholeFile } from '../files/write-whole.ts'
import { messageOf } from './message.ts'
import type { Mail } from './port.ts'

/** The oldest letters go when there are more. */
export const LETTERS_KEPT = 1_000

export interface MailFolder {
  folder: string
  from: string
  /** default LETTERS_KEPT */
  kept?: number
}

/** Letters as files that any mail program opens, `<id>.eml`, for their owner's eyes only: where no mail server is configured. */
export function openMailFolder({ folder, from, kept = LETTERS_KEPT }: MailFolder): Mail {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  return {
    kind: 'folder',
    async send(letter) {
      const { message } = await composer.sendMail(messageOf(letter, from))
      await writeWholeFile(join(folder, `${letter.id}.eml`), message as Buffer)
      const letters = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort()
      for (const name of letters.slice(0, -kept)) await rm(join(folder, name), { force: true })
    },
    away: () => null,
    async close() {},
  }
}

import type { Letter } from './port.ts'

const TEXT_MAX = 64 * 1024
const SUBJECT_MAX = 200
/** One address and nothing else: no list, no name, no line break, nothing that a mail program would read as syntax. */
const ADDRESS = /^[^\s@<>()[\],;:"\\]{1,64}@[^\s@<>()[\],;:"\\]{1,190}$/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const CONTROL = /[\u0000-\u001f\u007f]/

/** What nodemailer is given. Throws RangeError for what could become a second header or a second recipient. */
export function messageOf({ id, to, subject, text }: Letter, from: string) {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new RangeError('A letter has a uuid.')
  if (!ADDRESS.test(to) || CONTROL.test(to)) throw new RangeError('A letter goes to one address.')
  if (CONTROL.test(subject) || subject.length > SUBJECT_MAX) throw new RangeError('A subject is one short line.')
  if (text.length > TEXT_MAX) throw new RangeError(`A letter has at most ${TEXT_MAX} characters.`)
  return {
    from,
    to: { name: '', address: to },
    subject,
    text,
    messageId: `<${id}@${domainOf(from)}>`,
    headers: { 'auto-submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const domainOf = (from: string): string => /@([^\s<>]+)/.exec(from)?.[1] ?? 'localhost'

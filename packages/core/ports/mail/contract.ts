import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Letter, Mail } from './port.ts'

/** A mail as it arrived. */
export interface Arrived {
  to: string[]
  /** headers, a blank line, the text; lines end in \n */
  source: string
}
export interface MailUnderTest {
  mail: Mail
  /** in the order of arrival */
  arrived(): Promise<Arrived[]>
  close(): Promise<void>
}
export const letter = (more: Partial<Letter> = {}): Letter => ({
  id: Bun.randomUUIDv7(),
  to: 'ann@traders.example',
  subject: 'Your e-mail',
  text: 'One line.\nAnother.\n',
  ...more,
})

/** What every way of mail guarantees. */
export function mailContract(open: () => Promise<MailUnderTest>): void {
  let under: MailUnderTest
  beforeAll(async () => {
    under = await open()
  })
  afterAll(() => under.close())
  const refusal = (sent: Promise<void>) =>
    sent.then(
      () => 'sent',
      (error) => error,
    )

  test('a letter arrives whole at its one address, from the configured sender', async () => {
    const sent = letter()
    await under.mail.send(sent)
    const [{ to, source } = { to: [], source: '' }] = (await under.arrived()).slice(-1)
    expect(to).toEqual(['ann@traders.example'])
    expect(source).toContain('From: Assay <assay@platform.example>\n')
    expect(source).toContain('To: ann@traders.example\n')
    expect(source).toContain('Subject: Your e-mail\n')
    expect(source).toContain(`Message-ID: <${sent.id}@platform.example>\n`)
    expect(source.replace(/\n+$/, '')).toEndWith('\n\nOne line.\nAnother.')
  })
  test('letters of other alphabets arrive as they were written', async () => {
    await under.mail.send(letter({ subject: 'Grüße', text: 'Ünïcode ✓\n' }))
    const { source } = (await under.arrived()).at(-1)!
    const encoded = source.split('\n\n')[1]!.replace(/=\n/g, '')
    const bytes = encoded.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    expect(Buffer.from(bytes, 'latin1').toString()).toContain('Ünïcode ✓')
    expect(source).toContain('Subject: =?UTF-8?')
  })
  test('a line of one dot and lines that look like headers stay in the text', async () => {
    await under.mail.send(letter({ text: 'before\n.\nBcc: eve@evil.example\nafter\n' }))
    const { to, source } = (await under.arrived()).at(-1)!
    expect(to).toEqual(['ann@traders.example'])
    expect(source).toContain('\nbefore\n.\nBcc: eve@evil.example\nafter')
  })
  test.each([
    { to: 'ann@traders.example\r\nBcc: eve@evil.example' },
    { to: 'ann@traders.example, eve@evil.example' },
    { to: 'Ann <ann@traders.example>' },
    { to: '"ann@traders.example" <eve@evil.example>' },
    { to: 'ann' },
    { subject: 'Hello\r\nBcc: eve@evil.example' },
    { subject: 'x'.repeat(201) },
    { text: 'x'.repeat(70_000) },
    { id: '../../etc/passwd' },
  ])('what could become another header, recipient or file is refused: %j', async (more) => {
    const before = (await under.arrived()).length
    expect(await refusal(under.mail.send(letter(more)))).toBeInstanceOf(RangeError)
    expect(await under.arrived()).toHaveLength(before)
  })
  test('a way of mail that works is not away', () => {
    expect(under.mail.away()).toBeNull()
  })
}

import { expect, test } from 'bun:test'
import { type ConfigError, readConfig } from '../config.ts'

const problems = (env: Record<string, string>) => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    return (error as ConfigError).problems.map(({ variable }) => variable)
  }
}

test('a mail server needs a sender, and a sender is one address', () => {
  expect(problems({ SMTP_URL: 'smtps://u:p@mail.example' })).toEqual(['MAIL_FROM'])
  expect(problems({ SMTP_URL: 'smtp://mail.example:25', MAIL_FROM: 'Assay <a@b.example>' })).toEqual([])
  expect(problems({ MAIL_FROM: 'a@b.example' })).toEqual([])
  for (const MAIL_FROM of ['nobody', 'a@b.example, c@d.example', 'A <a@b.example>\r\nBcc: x@y.example'])
    expect(problems({ MAIL_FROM })).toEqual(['MAIL_FROM'])
})
test('the address of the mail server is a URL of smtp or smtps, and its authority belongs to it', () => {
  for (const SMTP_URL of ['mail.example:587', 'https://mail.example', 'smtp://'])
    expect(problems({ SMTP_URL, MAIL_FROM: 'a@b.example' })).toEqual(['SMTP_URL'])
  expect(problems({ SMTP_CA_FILE: '/ca.pem' })).toEqual(['SMTP_CA_FILE'])
})
test('without a mail server letters come from this machine', () => {
  const { SMTP_URL, MAIL_FROM } = readConfig({}).platform
  expect([SMTP_URL, MAIL_FROM]).toEqual([undefined, 'Assay <assay@localhost>'])
})

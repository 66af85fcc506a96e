import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { Registry } from 'prom-client'
import { systemClock } from '../ports/clock/system.ts'
import { letter } from '../ports/mail/contract.ts'
import { startSmtpServer } from '../testing/smtp-server.ts'
import { until } from '../testing/until.ts'
import { readConfig } from './config.ts'
import type { HealthSource } from './health.ts'
import { openMail } from './stores.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-open-mail-'))
afterAll(() => rmSync(home, { recursive: true }))

function open(env: Record<string, string>) {
  const sources: (() => HealthSource)[] = []
  const mail = openMail({
    config: readConfig({ ASSAY_HOME: home, ...env }),
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    clock: systemClock,
    keep: (_, port) => port,
    tell: (source) => void sources.push(source),
  })
  return { mail, health: () => sources.map((source) => source()) }
}

test('without SMTP_URL letters are files in the data folder, and health has nothing to say of them', async () => {
  const { mail, health } = open({})
  const sent = letter()
  await mail.send(sent)
  expect(readdirSync(join(home, 'mail'))).toEqual([`${sent.id}.eml`])
  expect(health()).toEqual([])
})
test('with SMTP_URL they go to the server, and health says when it is away and when it is back', async () => {
  const server = await startSmtpServer({})
  const { mail, health } = open({ SMTP_URL: server.url, MAIL_FROM: 'Assay <assay@platform.example>' })
  await mail.send(letter())
  expect(server.arrived.map(({ to }) => to)).toEqual([['ann@traders.example']])
  expect(health()).toEqual([{ stores: { mail: { kind: 'smtp' } } }])
  await server.close()
  await mail.send(letter()).catch(() => {})
  expect(health()[0]!.degraded).toEqual([expect.stringContaining('mail: smtp is away: mail server')])
  const back = await startSmtpServer({ port: server.port })
  // it is asked as often as health is, every 2 s at most
  await until('it is back', () => health()[0]!.degraded === undefined, 10_000)
  await mail.close()
  await back.close()
})

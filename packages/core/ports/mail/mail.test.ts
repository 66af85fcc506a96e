import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../../../../scripts/stack/certificate.ts'
import { type SmtpServer, startSmtpServer } from '../../testing/smtp-server.ts'
import { systemClock } from '../clock/system.ts'
import { letter, mailContract } from './contract.ts'
import { openMailFolder } from './folder.ts'
import { MailError } from './port.ts'
import { openSmtp, type SmtpOptions } from './smtp.ts'

const from = 'Assay <assay@platform.example>'
const folders: string[] = []
const newFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'assay-mail-')))
  return join(folders.at(-1)!, 'mail')
}
/** An authority and its certificate for this machine. */
async function authority() {
  const files = await makeCertificate(newFolder())
  const [ca, cert, key] = [files.caFile, files.certFile, files.keyFile].map((file) => readFileSync(file, 'utf8'))
  return { ca: ca!, certificate: { cert: cert!, key: key! } }
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})
const outcome = (sent: Promise<void>) =>
  sent.then(
    () => 'sent' as const,
    (error: unknown) => error,
  )

describe('mail (folder)', () => {
  mailContract(async () => {
    const folder = newFolder()
    return {
      mail: openMailFolder({ folder, from }),
      async arrived() {
        const names = readdirSync(folder).sort()
        const sources = names.map((name) => readFileSync(join(folder, name), 'utf8'))
        return sources.map((source) => ({ to: [/^To: (.*)$/m.exec(source)![1]!], source }))
      },
      async close() {},
    }
  })
  test('only the owner of the process reads the letters, and the newest are kept', async () => {
    const folder = newFolder()
    const mail = openMailFolder({ folder, from, kept: 3 })
    const letters = Array.from({ length: 5 }, () => letter())
    for (const one of letters) await mail.send(one)
    await mail.send(letters[4]!)
    expect(readdirSync(folder).sort()).toEqual(letters.slice(2).map(({ id }) => `${id}.eml`))
    expect(statSync(join(folder, `${letters[4]!.id}.eml`)).mode & 0o077).toBe(0)
    expect(statSync(folder).mode & 0o077).toBe(0)
  })
})

describe('mail (smtp)', async () => {
  const { ca, certificate } = await authority()
  const smtp = (server: SmtpServer, more: Partial<SmtpOptions> = {}) =>
    openSmtp({ url: server.url, from, ca, clock: systemClock, ...more })

  mailContract(async () => {
    const server = await startSmtpServer({ tls: certificate, login: { user: 'assay', pass: 'a b:c@d' } })
    const mail = smtp(server)
    return {
      mail,
      arrived: async () => server.arrived,
      async close() {
        await mail.close()
        await server.close()
      },
    }
  })

  test('over smtps and over STARTTLS the letter and the password travel encrypted', async () => {
    for (const implicit of [true, false]) {
      const server = await startSmtpServer({ tls: certificate, implicit, login: { user: 'u', pass: 'p' } })
      const mail = smtp(server)
      await mail.send(letter())
      expect(server.arrived.map(({ secure }) => secure)).toEqual([true])
      await mail.close()
      await server.close()
    }
  })
  test('nothing is said to a server whose certificate is not of the authority', async () => {
    const server = await startSmtpServer({ tls: certificate, implicit: true })
    const stranger = (await authority()).ca
    const mail = smtp(server, { ca: stranger })
    expect(await outcome(mail.send(letter()))).toBeInstanceOf(MailError)
    expect(server.arrived).toEqual([])
    await mail.close()
    await server.close()
  })
  test('a server elsewhere that offers no TLS gets no letter', async () => {
    const server = await startSmtpServer({})
    // the same server by an address that is not the loopback's
    const mail = smtp(server, { url: server.url.replace('127.0.0.1', '0.0.0.0') })
    const refused = await outcome(mail.send(letter()))
    expect(refused).toMatchObject({ name: 'MailError', permanent: false })
    expect(server.arrived).toEqual([])
    await mail.close()
    await server.close()
  })
  test('an unknown recipient is a permanent refusal that says no address, and the server is not away', async () => {
    const server = await startSmtpServer({ tls: certificate, refuse: { to: 'nobody@traders.example', code: 550 } })
    const mail = smtp(server)
    const refused = (await outcome(mail.send(letter({ to: 'nobody@traders.example' })))) as MailError
    expect(refused).toMatchObject({ name: 'MailError', permanent: true })
    expect(refused.message).not.toContain('nobody')
    expect(mail.away()).toBeNull()
    await mail.close()
    await server.close()
  })
  test.each([{ refuse: { to: 'ann@traders.example', code: 451 } }, { login: { user: 'u', pass: 'another' } }])(
    'a busy server or a wrong password of ours is worth another try: %j',
    async (server) => {
      const started = await startSmtpServer({ tls: certificate, ...server })
      const mail = smtp(started, { url: started.url.replace('another', 'wrong') })
      expect(await outcome(mail.send(letter()))).toMatchObject({ permanent: false })
      expect(mail.away()).toMatch(/^mail server: it answered \d{3}/)
      await mail.close()
      await started.close()
    },
  )
  test('a server that is away is told of until it answers again', async () => {
    const server = await startSmtpServer({ tls: certificate })
    const mail = smtp(server)
    await server.close()
    expect(await outcome(mail.send(letter()))).toMatchObject({ permanent: false })
    expect(mail.away()).toContain('mail server')
    const again = await startSmtpServer({ tls: certificate, port: server.port })
    await mail.look!()
    expect(mail.away()).toBeNull()
    await mail.close()
    await again.close()
  })
  test.each([
    { kind: 'says nothing', greeting: '', drip: '' },
    { kind: 'answers a little for ever', greeting: '220 hello\r\n', drip: '250-and more\r\n' },
  ])('a server that $kind is given up after the time-out', async ({ greeting, drip }) => {
    const silent = createServer((socket) => {
      socket.on('error', () => {})
      socket.write(greeting)
      const timer = setInterval(() => drip && socket.write(drip), 20)
      socket.on('close', () => clearInterval(timer))
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const timeouts = { connectMs: 100, silenceMs: 100, sendMs: 400 }
    const mail = openSmtp({ url: `smtp://127.0.0.1:${port}`, from, clock: systemClock, timeouts })
    const began = performance.now()
    expect(await outcome(mail.send(letter()))).toMatchObject({ permanent: false })
    expect(performance.now() - began).toBeLessThan(2_000)
    await mail.close()
    silent.close()
  })
})

import { SMTPServer } from 'smtp-server'
import type { Arrived } from '../ports/mail/contract.ts'

export interface SmtpServerOptions {
  /** absent: the server offers no TLS */
  tls?: { cert: string; key: string }
  /** TLS from the first byte */
  implicit?: boolean
  login?: { user: string; pass: string }
  /** a recipient that is refused, with this code */
  refuse?: { to: string; code: number }
  /** 0: any */
  port?: number
}
export interface SmtpServer {
  /** with the login */
  url: string
  port: number
  arrived: (Arrived & { secure: boolean })[]
  close(): Promise<void>
}

/** A real SMTP server on 127.0.0.1 that keeps what it is given. */
export async function startSmtpServer(options: SmtpServerOptions): Promise<SmtpServer> {
  const { tls, implicit = false, login, refuse, port: wanted = 0 } = options
  const arrived: SmtpServer['arrived'] = []
  const server = new SMTPServer({
    ...(tls && { cert: tls.cert, key: tls.key }),
    secure: implicit,
    authOptional: !login,
    disabledCommands: [...(tls ? [] : ['STARTTLS' as const]), ...(login ? [] : ['AUTH' as const])],
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      if (username === login?.user && password === login?.pass) done(null, { user: username })
      else done(Object.assign(new Error('no'), { responseCode: 535 }))
    },
    onRcptTo({ address }, _session, done) {
      if (address === refuse?.to) done(Object.assign(new Error(`no ${address}`), { responseCode: refuse.code }))
      else done()
    },
    onData(stream, { envelope, secure }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('end', () => {
        const source = Buffer.concat(chunks).toString('utf8').replace(/\r\n/g, '\n')
        arrived.push({ to: envelope.rcptTo.map(({ address }) => address), source, secure })
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  const { port } = server.server.address() as { port: number }
  const user = login ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.pass)}@` : ''
  return {
    url: `${implicit ? 'smtps' : 'smtp'}://${user}127.0.0.1:${port}`,
    port,
    arrived,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

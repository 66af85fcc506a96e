import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { PublicPortConfig } from './config/public-port.ts'
import { ConfigError } from './config.ts'

export interface Certificate {
  cert: string
  key: string
}
/** Certificate and key of the public port; null: it is plain. ConfigError: unreadable, over, or not a pair. */
export function readCertificate(config: PublicPortConfig, now = Date.now()): Certificate | null {
  const { HTTPS_CERT_FILE: certFile, HTTPS_KEY_FILE: keyFile } = config
  if (!certFile || !keyFile) return null
  const cert = readAs('HTTPS_CERT_FILE', () => readFileSync(certFile, 'utf8'))
  const key = readAs('HTTPS_KEY_FILE', () => readFileSync(keyFile, 'utf8'))
  checkPair({ cert, key }, { now, files: ['HTTPS_CERT_FILE', 'HTTPS_KEY_FILE'] })
  return { cert, key }
}

export interface PairCheck {
  now: number
  /** variables of certificate and key */
  files: readonly [cert: string, key: string]
  /** a name that it must have */
  host?: string
}
/** ConfigError where they can't be used together. */
export function checkPair({ cert, key, ca }: Certificate & { ca?: string }, { now, files, host }: PairCheck): void {
  const [certFile, keyFile] = files
  const parsed = readAs(certFile, () => new X509Certificate(cert))
  const own = readAs(keyFile, () => createPrivateKey(key))
  if (Date.parse(parsed.validTo) <= now) refuse(certFile, `the certificate ended at ${parsed.validTo}`)
  if (!parsed.checkPrivateKey(own)) refuse(keyFile, 'is not the key of the certificate')
  if (host && !parsed.checkHost(host)) refuse(certFile, `the certificate is not for ${host}`)
  if (ca !== undefined && !parsed.checkIssued(new X509Certificate(ca))) refuse(certFile, 'is not of the CA beside it')
}

function readAs<T>(variable: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    return refuse(variable, `cannot be read: ${(cause as Error).message}`)
  }
}
function refuse(variable: string, reason: string): never {
  throw new ConfigError([{ variable, reason }])
}

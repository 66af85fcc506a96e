import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from './config.ts'
import type { PublicPortConfig } from './public-port.ts'

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
  const parsed = readAs('HTTPS_CERT_FILE', () => new X509Certificate(cert))
  const own = readAs('HTTPS_KEY_FILE', () => createPrivateKey(key))
  if (Date.parse(parsed.validTo) <= now) refuse('HTTPS_CERT_FILE', `the certificate ended at ${parsed.validTo}`)
  if (!parsed.checkPrivateKey(own)) refuse('HTTPS_KEY_FILE', 'is not the key of the certificate')
  return { cert, key }
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

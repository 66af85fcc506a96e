import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { step } from './installed.ts'

export interface Certificate {
  caFile: string
  certFile: string
  keyFile: string
}

/** A CA of the folder's own and a certificate of it for localhost and 127.0.0.1, ten years. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const at = (name: string) => join(folder, name)
  const made = { caFile: at('ca.pem'), certFile: at('server.pem'), keyFile: at('server.key') }
  if (existsSync(made.certFile)) return made
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(at('extensions'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const ca = ['req', '-x509', ...key, '-subj', '/CN=assay test CA', '-days', '3650']
  await step(['openssl', ...ca, '-keyout', at('ca.key'), '-out', made.caFile])
  await step(['openssl', 'req', ...key, '-subj', '/CN=localhost', '-keyout', made.keyFile, '-out', at('server.csr')])
  const issuer = ['-CA', made.caFile, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '3650']
  const files = ['-in', at('server.csr'), '-extfile', at('extensions'), '-out', made.certFile]
  await step(['openssl', 'x509', '-req', ...issuer, ...files])
  return made
}

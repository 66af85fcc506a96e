import 'reflect-metadata'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type PeerCredentials, peerName } from './service-token.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const DAY_MS = 86_400_000
const CA_DAYS = 365
/** A clock of another machine may be this much behind. */
const BEHIND_MS = 60_000

/** A certificate authority for the services of one platform. */
export interface LocalCa {
  /** PEM, public */
  readonly ca: string
  /** a new key and its certificate for `<name>.assay.internal`; both roles of a connection */
  issue(name: string, lifetimeMs: number): Promise<PeerCredentials>
}

/** The CA kept in `folder` (mode 700, files 600); made at the first call, and anew when less than a tenth of its year is left. */
export async function openLocalCa(folder: string, now = Date.now()): Promise<LocalCa> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const [certFile, keyFile] = [join(folder, 'ca.pem'), join(folder, 'ca.key')]
  if (existsSync(certFile) && existsSync(keyFile)) {
    const certificate = new X509Certificate(readFileSync(certFile, 'utf8'))
    if (certificate.notAfter.getTime() - now > (CA_DAYS * DAY_MS) / 10) {
      return withKey(certificate, await importKey(readFileSync(keyFile, 'utf8')))
    }
  }
  const { certificate, key } = await makeCa(now)
  writePrivate(keyFile, await exportKey(key))
  writePrivate(certFile, certificate.toString('pem'))
  return withKey(certificate, key)
}

/** A CA that nobody keeps: for tests. */
export async function makeLocalCa(): Promise<LocalCa> {
  const { certificate, key } = await makeCa(Date.now())
  return withKey(certificate, key)
}

async function makeCa(now: number): Promise<{ certificate: X509Certificate; key: CryptoKey }> {
  const keys = (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Assay services',
    notBefore: new Date(now - BEHIND_MS),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  return { certificate, key: keys.privateKey }
}

function withKey(certificate: X509Certificate, signingKey: CryptoKey): LocalCa {
  const ca = certificate.toString('pem')
  return {
    ca,
    async issue(name, lifetimeMs) {
      const keys = (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair
      const now = Date.now()
      const issued = await X509CertificateGenerator.create({
        subject: `CN=${name}`,
        issuer: certificate.subject,
        notBefore: new Date(now - BEHIND_MS),
        notAfter: new Date(now + lifetimeMs),
        signingAlgorithm: ALGORITHM,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension(SERVER_AND_CLIENT),
          new SubjectAlternativeNameExtension([{ type: 'dns', value: peerName(name) }]),
        ],
      })
      return { ca, cert: issued.toString('pem'), key: await exportKey(keys.privateKey) }
    },
  }
}

export interface CredentialFiles {
  TLS_CA_FILE: string
  TLS_CERT_FILE: string
  TLS_KEY_FILE: string
}
/** Writes them where a process reads them, each file at once and for its owner only. */
export function writeCredentials(folder: string, name: string, { ca, cert, key }: PeerCredentials): CredentialFiles {
  const files = {
    TLS_CA_FILE: join(folder, 'ca.pem'),
    TLS_CERT_FILE: join(folder, `${name}.pem`),
    TLS_KEY_FILE: join(folder, `${name}.key`),
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writePrivate(files.TLS_CA_FILE, ca)
  writePrivate(files.TLS_KEY_FILE, key)
  writePrivate(files.TLS_CERT_FILE, cert)
  return files
}

function writePrivate(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const exportKey = async (key: CryptoKey): Promise<string> =>
  PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
const importKey = (pem: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ALGORITHM, true, ['sign'])

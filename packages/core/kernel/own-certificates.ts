import type { Clock } from '../ports/clock/port.ts'
import { type Certificate, checkPair, readCertificate } from './certificate.ts'
import type { PlatformConfig } from './config.ts'
import { mutualTls, type Port, tryTls } from './listen.ts'
import { type Network, readCredentials } from './network.ts'
import type { Renewable } from './renewal.ts'
import { peerName } from './service-token.ts'

export interface OwnCertificates {
  settings: PlatformConfig
  network: Network | undefined
  /** of the public port; read at each of its begins */
  shown: { certificate: Certificate | null }
  main: Port
  /** the gateway's second port; `main` of the others */
  forPeers: Port
  clock: Pick<Clock, 'now'>
}

/** What this process shows: on its public port, and to its peers, as a server, as a client and in its service tokens. */
export function certificatesOf({ settings, network, shown, main, forPeers, clock }: OwnCertificates): Renewable[] {
  const found: Renewable[] = []
  const { HTTPS_CERT_FILE: cert, HTTPS_KEY_FILE: key } = settings
  if (shown.certificate && cert && key) {
    let next = shown.certificate
    found.push({
      name: 'public',
      files: [cert, key],
      read() {
        next = readCertificate(settings, clock.now()) ?? next
        tryTls(next)
        return next.cert
      },
      use() {
        shown.certificate = next
        main.renew()
      },
    })
  }
  if (network) {
    let next = network.credentials
    found.push({
      name: 'peers',
      files: [settings.TLS_CA_FILE!, settings.TLS_CERT_FILE!, settings.TLS_KEY_FILE!],
      read() {
        next = readCredentials(settings)
        checkPair(next, { now: clock.now(), host: peerName(network.self), files: ['TLS_CERT_FILE', 'TLS_KEY_FILE'] })
        tryTls(mutualTls({ credentials: next }))
        return next.cert
      },
      use() {
        network.renew(next)
        forPeers.renew()
      },
    })
  }
  return found
}

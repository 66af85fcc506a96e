import { readFileSync } from 'node:fs'
import { environment } from '@assay/core/kernel/config'
import { peerName } from '@assay/core/kernel/service-token'

/** The health check of the image: exit 0 when the process in this container is ready. */
const TIMEOUT_MS = 4_000

const { PORT = '8000', ASSAY_PEER_URL: peerUrl, ASSAY_INSTANCE: instance = '', ...env } = environment()
const service = instance.replace(/-\d+$/, '')

/** The gateway's public port is plain; the others listen by mutual TLS, and are asked as one of them. */
const [url, options] =
  peerUrl && service !== 'gateway'
    ? [`https://127.0.0.1:${new URL(peerUrl).port}`, { tls: { ...credentials(), serverName: peerName(service) } }]
    : [`http://127.0.0.1:${PORT}`, {}]

function credentials() {
  const read = (name: 'TLS_CA_FILE' | 'TLS_CERT_FILE' | 'TLS_KEY_FILE') => readFileSync(env[name]!, 'utf8')
  return { ca: read('TLS_CA_FILE'), cert: read('TLS_CERT_FILE'), key: read('TLS_KEY_FILE'), rejectUnauthorized: true }
}

const signal = AbortSignal.timeout(TIMEOUT_MS)
const answer = await fetch(`${url}/ready`, { redirect: 'manual', signal, ...options }).catch((error) => {
  console.error(`${url}: ${error.message}`)
})
if (answer && !answer.ok) console.error(`${url}: ${answer.status} ${(await answer.text()).slice(0, 500)}`)
process.exit(answer?.ok ? 0 : 1)

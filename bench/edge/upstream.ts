/** What stands behind both gateways: a bare Bun server that wants a certificate of the CA; 200 bytes of JSON. */
import { readFileSync } from 'node:fs'

const [ca, cert, key, ...ports] = process.argv.slice(2)
const pem = (path: string | undefined) => readFileSync(path!, 'utf8')
const body = JSON.stringify({ id: crypto.randomUUID(), status: 'active', balance: '100000.00', note: 'x'.repeat(110) })
const answer = { headers: { 'content-type': 'application/json' } }
const ready = JSON.stringify({ ready: true, draining: false, probes: {} })
const health = JSON.stringify({ degraded: [], stores: {} })

for (const port of ports) {
  Bun.serve({
    hostname: '127.0.0.1',
    port: Number(port),
    idleTimeout: 255,
    tls: { ca: pem(ca), cert: pem(cert), key: pem(key), requestCert: true, rejectUnauthorized: true },
    routes: {
      '/ready': () => new Response(ready, answer),
      '/health': () => new Response(health, answer),
    },
    fetch: () => new Response(body, answer),
  })
}
// the bench failed or was stopped
process.on('disconnect', () => process.exit())
process.send!('ready')

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@assay/core/ports/clock/system'
import { openVault } from '@assay/core/ports/secrets/vault'
import { describeReal } from '@assay/core/testing/adapters'
import { type TestVault, testVault } from '@assay/core/testing/vault'
import { makeCertificate } from '../../scripts/stack/certificate.ts'

const log = { info: () => {}, warn: () => {} }
const MOUNT = `kubernetes-${crypto.randomUUID()}`
const POD = { namespace: 'assay', serviceaccount: { name: 'gateway', uid: 'u-1' } }
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A service account's token; what makes it true is the answer of the API server, which this test plays. */
const now = Math.floor(Date.now() / 1_000)
const podToken = (secret: string) =>
  [
    encoded({ alg: 'RS256', typ: 'JWT' }),
    encoded({
      sub: 'system:serviceaccount:assay:gateway',
      iat: now - 60,
      nbf: now - 60,
      exp: now + 600,
      'kubernetes.io': POD,
    }),
    Buffer.from(secret).toString('base64url'),
  ].join('.')

describeReal('login by the pod’s service account', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-pod-'))
  const tokenFile = join(folder, 'token')
  let server: TestVault
  const genuine = podToken('genuine')
  let reviewer: Bun.Server<undefined>
  const review = async (request: Request) => {
    const asked = (await request.json()) as { spec: { token: string } }
    const authenticated = asked.spec.token === genuine
    const user = { username: 'system:serviceaccount:assay:gateway', uid: POD.serviceaccount.uid, groups: [] }
    const status = authenticated ? { authenticated, user } : { authenticated }
    return Response.json({ ...asked, status }, { status: 201 })
  }
  beforeAll(async () => {
    const { caFile, certFile, keyFile } = await makeCertificate(folder)
    const tls = { cert: Bun.file(certFile), key: Bun.file(keyFile) }
    reviewer = Bun.serve({ port: 0, hostname: '127.0.0.1', tls, fetch: review })
    server = await testVault()
    await server.admin('POST', `sys/auth/${MOUNT}`, { type: 'kubernetes' })
    await server.admin('POST', `auth/${MOUNT}/config`, {
      kubernetes_host: `https://127.0.0.1:${reviewer.port}`,
      kubernetes_ca_cert: readFileSync(caFile, 'utf8'),
      disable_local_ca_jwt: true,
      token_reviewer_jwt: genuine,
    })
    await server.admin('PUT', `sys/policies/acl/${MOUNT}`, {
      policy: `path "${server.mounts.kv}/*" { capabilities = ["create", "read", "update", "patch"] }`,
    })
    await server.admin('POST', `auth/${MOUNT}/role/gateway`, {
      bound_service_account_names: 'gateway',
      bound_service_account_namespaces: 'assay',
      token_policies: MOUNT,
      token_ttl: '1h',
    })
  })
  afterAll(async () => {
    await server.admin('DELETE', `sys/auth/${MOUNT}`)
    await server.admin('DELETE', `sys/policies/acl/${MOUNT}`)
    await server.close()
    await reviewer.stop(true)
    rmSync(folder, { recursive: true })
  })
  const open = (role = 'gateway') =>
    openVault({
      ...server.options,
      log,
      clock: systemClock,
      login: { method: 'kubernetes', role, tokenFile, mount: MOUNT },
    })

  test('a token that the cluster vouches for gets in, read anew at each login; another one, or another role, does not', async () => {
    writeFileSync(tokenFile, podToken('forged'))
    expect(await open().catch((error: Error) => error.message)).toContain('no login at')
    writeFileSync(tokenFile, `${genuine}\n`)
    expect(await open('trading').catch((error: Error) => error.message)).toContain('no login at')
    const secrets = await open()
    await secrets.setSecret('secret/data/pod', 'k', 'v')
    expect(await secrets.getSecret('secret/data/pod', 'k')).toBe('v')
    await secrets.close()
  })
})

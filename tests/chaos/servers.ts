/** The five real servers, each behind a proxy of its own, and what can happen to one of them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type FaultProxy, startFaultProxy } from '../../scripts/stack/fault-proxy.ts'
import { freePorts } from '../../scripts/stack/ports.ts'
import type { Server, ServerName } from '../../scripts/stack/server.ts'
import { startKafka } from '../../scripts/stack/servers/kafka.ts'
import { type Openbao, startOpenbao } from '../../scripts/stack/servers/openbao.ts'
import { startPostgres } from '../../scripts/stack/servers/postgres.ts'
import { startRedis } from '../../scripts/stack/servers/redis.ts'
import { startVersitygw } from '../../scripts/stack/servers/versitygw.ts'
import { settle } from '../../scripts/stack/settle.ts'
import { vaultAdmin } from '../../scripts/vault/admin.ts'
import { setUpVault } from '../../scripts/vault/setup.ts'

export const FAULTS = ['killed', 'stopped', 'delayed', 'cut', 'reset', 'deaf'] as const
/** killed: -9 and started again; stopped: SIGSTOP; deaf: what the server answers is swallowed; the others: the network */
export type Fault = (typeof FAULTS)[number]

export interface Behind {
  server: Server
  proxy: FaultProxy
}
export interface Servers {
  of: Readonly<Record<ServerName, Behind>>
  /** the variables that point Assay at the proxies */
  env: Readonly<Record<string, string>>
  /** of the database, past the proxy: for who looks from outside */
  direct: { database: string; brokers: string; vault: Openbao }
  close(): Promise<void>
}
/** Each way: beyond every patience of the platform's with one server. */
const DELAY_MS = 2_500
/** One silence after the other: what was under way at its begin is lost, and its connection with it. */
const DEAF_MS = 1_500
/** A watch waits for its answers longer before it says anything. */
const KAFKA_DEAF_MS = 4_500
const HEARING_MS = 500

/** On the data of `folder`, also that of an earlier call. */
export async function startServers(folder: string): Promise<Servers> {
  const at = (name: ServerName) => {
    mkdirSync(join(folder, name), { recursive: true })
    return join(folder, name)
  }
  const [kafkaPort] = await freePorts(1)
  const [postgres, kafka, redis, openbao, versitygw] = (await settle<Server>([
    startPostgres({ folder: at('postgres') }),
    startKafka({ folder: at('kafka'), advertisedPort: kafkaPort! }),
    startRedis({ folder: at('redis') }),
    startOpenbao({ folder: at('openbao') }),
    startVersitygw({ folder: at('versitygw') }),
  ])) as [Server, Server & { proxiedPort: number }, Server, Openbao, Server]
  const behind = async (server: Server, target: number, port = 0): Promise<Behind> => ({
    server,
    proxy: await startFaultProxy({ target, port }),
  })
  const of = {
    postgres: await behind(postgres, postgres.ports.postgres!),
    kafka: await behind(kafka, kafka.proxiedPort, kafkaPort!),
    redis: await behind(redis, redis.ports.redis!),
    openbao: await behind(openbao, openbao.ports.api!),
    versitygw: await behind(versitygw, versitygw.ports.s3!),
  }
  const vault = vaultAdmin({ VAULT_ADDR: openbao.address, VAULT_TOKEN: openbao.rootToken })
  await setUpVault({ vault, folder: join(folder, 'logins'), renew: false, progress: () => {} })
  const database = postgres.env.DATABASE_URL!
  return {
    of,
    env: {
      ...versitygw.env,
      DATABASE_URL: throughProxy(database, of.postgres.proxy),
      KAFKA_BROKERS: of.kafka.proxy.address,
      REDIS_URL: `redis://${of.redis.proxy.address}`,
      VAULT_ADDR: `http://${of.openbao.proxy.address}`,
      VAULT_TOKEN: openbao.rootToken,
      S3_ENDPOINT: `http://${of.versitygw.proxy.address}`,
    },
    direct: { database, brokers: kafka.address, vault: openbao },
    async close() {
      await Promise.all(Object.values(of).map(({ proxy }) => proxy.close()))
      await settle(Object.values(of).map(({ server }) => server.stop()))
    },
  }
}

const throughProxy = (url: string, proxy: FaultProxy): string => {
  const through = new URL(url)
  through.port = String(proxy.port)
  return through.href
}

/** Begins the fault; what it gives ends it. */
export async function begin({ server, proxy }: Behind, fault: Fault): Promise<() => Promise<void>> {
  switch (fault) {
    case 'killed':
      await server.signal('SIGKILL')
      return () => server.restart()
    case 'stopped':
      await server.signal('SIGSTOP')
      return () => server.signal('SIGCONT')
    case 'deaf':
      return silences(proxy, server.name === 'kafka' ? KAFKA_DEAF_MS : DEAF_MS)
    case 'delayed':
      proxy.delay(DELAY_MS)
      break
    case 'reset':
      proxy.reset()
      break
    case 'cut':
      await proxy.cut()
  }
  return () => proxy.heal()
}

function silences(proxy: FaultProxy, deafMs: number): () => Promise<void> {
  const over = new AbortController()
  const ended = (async () => {
    while (!over.signal.aborted) {
      proxy.swallow('down')
      await pause(deafMs, over.signal)
      await proxy.heal()
      await pause(HEARING_MS, over.signal)
    }
  })()
  return () => {
    over.abort()
    return ended
  }
}
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
    if (signal.aborted) resolve()
  })

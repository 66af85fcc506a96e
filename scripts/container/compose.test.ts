import { describe, expect, test } from 'bun:test'
import { peerPort, SERVICES } from '@assay/core/contracts/services'
import { VARIABLES } from '@assay/core/contracts/variables'
import { ROOT } from '../root.ts'
import { DEFAULT_REPLICAS, planProcesses } from '../supervise/plan.ts'

interface Container {
  command?: string[]
  environment: Record<string, string>
  read_only?: boolean
  cap_drop?: string[]
  networks: string[]
  ports?: string[]
  volumes: { source: string; target: string; read_only: boolean; volume: { subpath: string } }[]
  healthcheck?: { test?: string[]; disable?: boolean }
  depends_on?: Record<string, { condition: string }>
}
const read = async (name: string) =>
  Bun.YAML.parse(await Bun.file(`${ROOT}${name}`).text()) as { services: Record<string, Container> }
const { services } = await read('docker-compose.yml')

const SERVERS = ['postgres', 'redis', 'kafka', 'vault', 'blobs']
const replicas = Object.fromEntries(DEFAULT_REPLICAS.split(',').map((part) => part.split('=') as [string, string]))
const counts = Object.fromEntries(Object.entries(replicas).map(([name, count]) => [name, Number(count)]))
const planned = planProcesses({ home: '/data', env: {}, replicas: counts, basePort: 8000 })

describe('docker-compose.yml', () => {
  test('has the processes of `up --distributed`, their servers and what prepares them, and nothing else', () => {
    const processes = planned.map(({ instance }) => instance)
    expect(Object.keys(services).sort()).toEqual([...processes, ...SERVERS, 'prepare'].sort())
  })
  test.each(planned.map(({ service, instance }) => [instance, service] as const))(
    '%s runs its service, is reached at its port and mounts its own credentials alone',
    (instance, service) => {
      const container = services[instance]!
      const entry = SERVICES.find(({ name }) => name === service)!
      const replica = Number(instance.split('-').at(-1))
      expect(container.command).toEqual([service])
      expect(container.environment).toMatchObject({
        ASSAY_INSTANCE: instance,
        ASSAY_PEER_URL: `https://${instance}:${peerPort(entry, replica, 8000)}`,
        ASSAY_REPLICAS: DEFAULT_REPLICAS,
      })
      expect(container.volumes.map(({ source, read_only, volume }) => [source, read_only, volume.subpath])).toEqual([
        ['credentials', true, instance],
      ])
      expect(container).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
    },
  )
  test('only the gateway is reached from outside', () => {
    const outside = Object.keys(services).filter((name) => services[name]!.ports)
    expect(outside).toEqual(['gateway-0'])
  })
  test('a process waits for every server to be healthy and for what prepares them', () => {
    for (const { instance } of planned) {
      const waits = services[instance]!.depends_on!
      for (const server of SERVERS) expect(waits[server]?.condition).toBe('service_healthy')
      expect(waits.prepare?.condition).toBe('service_completed_successfully')
    }
    for (const server of SERVERS) expect(services[server]!.healthcheck?.test).toBeArray()
  })
  test('sets only variables that this release knows', () => {
    const known = new Set(VARIABLES.filter(({ later }) => !later).map(({ name }) => name))
    const set = planned.flatMap(({ instance }) => Object.keys(services[instance]!.environment))
    expect([...new Set(set)].filter((name) => !known.has(name))).toEqual([])
  })
})

test.each(['docker-compose.dev.yml', 'docker-compose.prod.yml'])(
  '%s names containers of docker-compose.yml',
  async (file) => {
    const over = await read(file)
    expect(Object.keys(over.services).filter((name) => !services[name])).toEqual([])
    for (const { instance } of planned) expect(over.services[instance]).toBeDefined()
  },
)

test('the image is built from a Dockerfile that runs as nobody special, with a health check', async () => {
  const dockerfile = await Bun.file(`${ROOT}Dockerfile`).text()
  const last = dockerfile.split(/^FROM /m).at(-1)!
  expect(last).toMatch(/^USER 1000:1000$/m)
  expect(last).toMatch(/^HEALTHCHECK /m)
  const pinned = JSON.parse(await Bun.file(`${ROOT}package.json`).text()).packageManager.split('@')[1]
  expect(dockerfile).toContain(`FROM oven/bun:${pinned}-slim AS base`)
})

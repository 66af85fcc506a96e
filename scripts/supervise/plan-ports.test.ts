import { expect, test } from 'bun:test'
import { planProcesses } from './plan.ts'
import { takenPorts } from './plan-ports.ts'

test('a port of the plan that another process has is said with the instance it was for and its holder', async () => {
  const other = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const plan = planProcesses({ home: '/home', env: {}, replicas: {}, basePort: other.port })
  const said = await takenPorts(plan)
  other.stop(true)
  expect(
    said.filter((line) => line.startsWith(`port ${other.port} of gateway-0 is taken by process ${process.pid} (`)),
  ).toHaveLength(1)
  expect((await takenPorts(plan)).some((line) => line.startsWith(`port ${other.port} `))).toBe(false)
})

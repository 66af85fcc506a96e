import { expect, test } from 'bun:test'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import { depsFor, inTenant, maySee, ownerFilter } from './access.ts'
import type { TradingDeps } from './deps.ts'

const own = { db: { forTenant: (tenant: string) => ({ narrowedTo: tenant }) } } as unknown as TradingDeps
const of = (role: Actor['role'], tenant: string): Ctx => ({
  requestId: 'r',
  address: '127.0.0.1',
  actor: { userId: 'u', role, tenant, scopes: [], plan: 'standard' },
})

test('row security is behind every caller but an operator or admin of the house', () => {
  for (const role of ['trader', 'operator', 'admin', 'bot', 'service'] as const)
    expect([depsFor(own, of(role, 'acme')).rowsOf, depsFor(own, of(role, 'acme')).db]).toEqual([
      'acme',
      { narrowedTo: 'acme' } as never,
    ])
  expect(depsFor(own, of('trader', 'default')).rowsOf).toBe('default')
  expect(depsFor(own, { requestId: 'r', address: '127.0.0.1', actor: null }).rowsOf).toBe('default')
  for (const role of ['operator', 'admin'] as const) {
    const deps = depsFor(own, of(role, 'default'))
    expect([deps.rowsOf, deps.db === own.db]).toEqual([null, true])
  }
})

test('an agent reaches what is its user’s own, as the consent page says, whatever the role of that user reaches', () => {
  const person: Actor = { userId: 'u', role: 'operator', tenant: 'default', scopes: [], plan: 'standard' }
  const rows = [
    { tenant: 'default', userId: 'u' },
    { tenant: 'default', userId: 'other' },
    { tenant: 'acme', userId: 'other' },
  ]
  const reached = (actor: Actor) => rows.map((row) => maySee(actor, row))
  expect(reached(person)).toEqual([true, true, true])
  const agent: Actor = { ...person, clientId: 'assayc_x' }
  expect(reached(agent)).toEqual([true, false, false])
  expect([ownerFilter(person), ownerFilter(agent)]).toEqual([null, 'u'])
  expect(inTenant(agent, 'a.tenant', '$1')).toBe('a.tenant = $1')
  expect(depsFor(own, { requestId: 'r', address: '127.0.0.1', actor: agent }).rowsOf).toBe('default')
})

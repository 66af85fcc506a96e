import { expect } from 'bun:test'
import type { Person } from './people.ts'
import type { Walk } from './walk.ts'

interface Item {
  id: string
  tenant: string
}

/** What is in lists, where a row of the table can only say that there is one. */
export const LISTS: Readonly<Record<string, (walk: Walk) => Promise<void>>> = {
  'an operator lists the own tenant alone; the house the one it asks for': async ({ world, people }) => {
    const { olga, hank } = people
    const tenantsIn = async ({ token: credential }: Person, list: string) => {
      const { items } = await world.take<{ items: Item[] }>('GET', list, { credential })
      return new Set(items.map((item) => item.tenant))
    }
    for (const tenant of ['acme', 'beta']) {
      const body = { email: `guest-${crypto.randomUUID()}@new.example`, tenant }
      await world.take('POST', '/api/invitations', { credential: hank.token, body })
    }
    for (const list of ['users', 'invitations'])
      expect({
        list,
        own: await tenantsIn(olga, `/api/${list}?limit=500`),
        other: await tenantsIn(olga, `/api/${list}?limit=500&tenant=beta`),
        asked: await tenantsIn(hank, `/api/${list}?limit=500&tenant=beta`),
      }).toEqual({ list, own: new Set(['acme']), other: new Set(), asked: new Set(['beta']) })
  },
  'usage is one’s own, an operator’s tenant’s, the house’s of all; nobody else learns whether there is any': async ({
    world,
    people,
  }) => {
    const { ann, amy, olga, hank, bob } = people
    const tenantsIn = async ({ token: credential }: Person, query = '') => {
      const { items } = await world.take<{ items: Item[] }>('GET', `/api/usage?limit=500${query}`, { credential })
      return [...new Set(items.map((item) => item.tenant))].sort()
    }
    await world.take('GET', '/api/users/me', { credential: bob.token })
    await world.take('GET', '/api/users/me', { credential: amy.token })
    await world.send('GET', '/api/tiers')
    expect(await tenantsIn(ann)).toEqual(['acme'])
    for (const query of [`&user_id=${bob.id}`, '&tenant=beta', `&tenant=beta&user_id=${bob.id}`, '&user_id=anonymous'])
      expect({ query, seen: await tenantsIn(olga, query) }).toEqual({ query, seen: [] })
    expect(await tenantsIn(olga, `&user_id=${amy.id}`)).toEqual(['acme'])
    expect(await tenantsIn(olga, '&tenant=acme')).toEqual(['acme'])
    expect(await tenantsIn(hank, '&tenant=beta')).toEqual(['beta'])
    expect(await tenantsIn(hank, `&user_id=${bob.id}`)).toEqual(['beta'])
    expect(await tenantsIn(hank, '&user_id=anonymous')).not.toEqual([])
  },
}

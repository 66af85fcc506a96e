import { expect, test } from 'bun:test'
import { AWAY, allowAnyScope, findGuards, switchable } from './guards.ts'

const SOURCE = `
/** requireScope(ctx, 'trading:read') is not meant */
export function list(ctx: Ctx, deps: Deps) {
  const actor = requireScope(ctx, 'trading:read')
  if (!isHouse(actor) && actor.tenant !== deps.tenant) return \`tenant = $1 of \${ctx.id}\`
  const narrowed = ownerFilter(actor)
  return [narrowed, 'where user_id = $2', 'update users set tenant = $1']
}
`
const guards = findGuards(new Map([['services/trading/list.ts', SOURCE]]))

test('guards are found in code and in SQL, not in comments, nor what a row is set to', () => {
  expect(guards.map(({ line, label }) => `${line} ${label}`)).toEqual([
    '4 the scope is not asked for',
    '5 everybody is of the house',
    '5 the tenant is not compared',
    '5 the predicate is forgotten',
    '6 whose rows is forgotten',
    '7 the predicate is forgotten',
  ])
})
test('a source with switches is the source until a guard is taken away, each alone, and says which were asked', () => {
  const code = `${switchable(SOURCE, guards)}
    const requireScope = (ctx, scope) => ({ tenant: 'mine', scope })
    const isHouse = () => false
    const ownerFilter = () => 'me'`
  const script = new Bun.Transpiler({ loader: 'ts' }).transformSync(code).replace(/export\s*\{[^}]*\};?|export /g, '')
  const list = new Function(`${script}; return list`)() as (ctx: object, deps: object) => unknown
  const asked = new Set<number>()
  const away = (gone: number, tenant = 'other') => {
    asked.clear()
    Object.assign(globalThis, { [AWAY]: (n: number) => asked.add(n) && n === gone })
    try {
      return list({ id: 7 }, { tenant })
    } finally {
      Object.assign(globalThis, { [AWAY]: undefined })
    }
  }
  expect(list({ id: 7 }, { tenant: 'other' })).toBe('tenant = $1 of 7')
  expect(away(0)).toBe('tenant = $1 of 7')
  expect([...asked]).toEqual([1, 2, 3, 4])
  expect(away(0, 'mine')).toEqual(['me', 'where user_id = $2', 'update users set tenant = $1'])
  expect([away(2), away(3)]).toEqual([away(0, 'mine'), away(0, 'mine')])
  expect(away(4)).toBe('$1::text is not null of 7')
  expect(away(5, 'mine')).toEqual([null, 'where user_id = $2', 'update users set tenant = $1'])
  expect(away(6, 'mine')).toEqual(['me', 'where $2::text is not null', 'update users set tenant = $1'])
})
test('a guard that is a statement stays one, whatever ends the line before', () => {
  const source = `export const f = (actor: Actor) => {
  if (actor.gone) throw new Error('gone')
  requirePromoter(actor, 'acme', ['admin'])
}`
  const found = findGuards(new Map([['services/gateway/f.ts', source]]))
  const code = new Bun.Transpiler({ loader: 'ts' }).transformSync(switchable(source, found))
  const asked: unknown[] = []
  const f = new Function('requirePromoter', `${code.replace(/export /g, '')}; return f`)((...said: unknown[]) =>
    asked.push(said),
  )
  f({})
  expect([found.length, asked]).toEqual([1, [[{}, 'acme', ['admin']]]])
})
test('the kernel still asks for scopes where the tool looks for it', async () => {
  const auth = await Bun.file(new URL('../../packages/core/kernel/auth.ts', import.meta.url)).text()
  expect(allowAnyScope(auth)).toContain(`(scope as string) === '*' || actor.scopes.includes(scope)`)
})

import { SCOPES } from '@assay/core/contracts/scopes'
import type { Mutant } from '../mutate/sites.ts'

/** Where those stand who are asked by callers. */
export const GUARDED = ['services', 'packages/core/kernel']
/** A file that decides about a caller; others select by a user or tenant that was decided before. */
const ABOUT_A_CALLER = /\b(requireScope|requireActor|requireHouse|openAssessment|isHouse|Actor)\b/
/** kernel/auth.ts of the copies holds this scope to be held by everybody. */
const ANY_SCOPE = `('*' as never)`
const NOBODY = `(ctx.actor ?? ({ userId: '0190a6a0-0000-7000-8000-000000000000', role: 'trader', tenant: 'acme', scopes: [], plan: 'standard' } as never))`

const scope = `'(?:${SCOPES.join('|')})'`
interface Rule {
  label: string
  finds: RegExp
  becomes: (match: RegExpExecArray) => string
}
/** Each takes one guard away: what it would refuse or hide is let through. */
const RULES: readonly Rule[] = [
  {
    label: 'the scope is not asked for',
    finds: new RegExp(
      `(?<=\\b(?:require\\w+|openAssessment)\\([^;\\n]*?(?<!includes)[(,]\\s*)${scope}(?=\\s*,?\\s*\\))`,
      'g',
    ),
    becomes: () => ANY_SCOPE,
  },
  {
    label: 'the scope is held to be there',
    finds: new RegExp(`[\\w.]+\\.scopes\\.includes\\((?:${scope}|scope)\\)`, 'g'),
    becomes: () => 'true',
  },
  { label: 'nobody need be known', finds: /(?<=void )requireActor\(ctx\)/g, becomes: () => 'ctx' },
  { label: 'nobody need be known', finds: /(?<== |return )requireActor\(ctx\)/g, becomes: () => NOBODY },
  { label: 'everybody is of the house', finds: /\bisHouse\([\w.]+\)(?!:)/g, becomes: () => 'true' },
  { label: 'everybody is an operator', finds: /\bseesTenant\(actor\)/g, becomes: () => 'true' },
  { label: 'whose rows is forgotten', finds: /\bownerFilter\(actor\)/g, becomes: () => 'null' },
  {
    label: "the tenant's predicate is forgotten",
    finds: /\binTenant\(actor, '[^']+', '(\$\d+)'\)/g,
    becomes: ([, place]) => `'${place}::text is not null'`,
  },
  {
    label: 'may be seen by everybody',
    finds: /\b(?:maySee|governs)\((?!actor: )[^()]*(?:\{[^}]*\})?\)/g,
    becomes: () => 'true',
  },
  {
    label: 'the tenant is not compared',
    finds: /\b[\w.?]*\btenant (===|!==) (?:[\w.?]+\.)?tenant\b/g,
    becomes: ([, operator]) => String(operator === '==='),
  },
  {
    label: 'the user is not compared',
    finds: /\b[\w.?]+ (===|!==) actor\.userId\b/g,
    becomes: ([, operator]) => String(operator === '==='),
  },
  {
    label: 'the predicate is forgotten',
    finds: /(?:\b\w+\.)?\b(?:tenant|user_id) = (\$\d+|\$\{\w+\})/g,
    becomes: ([, place]) => `${place}::text is not null`,
  },
]

/** Every guard of these sources, each taken away alone, in order. */
export function findGuards(sources: ReadonlyMap<string, string>): Mutant[] {
  const found: Omit<Mutant, 'n'>[] = []
  for (const [file, text] of sources) {
    if (!ABOUT_A_CALLER.test(text)) continue
    const here: (Omit<Mutant, 'n'> & { at: number })[] = []
    for (const { label, finds, becomes } of RULES) {
      for (const match of text.matchAll(finds)) {
        const at = match.index
        if (isNoGuard(text, at)) continue
        const changed = text.slice(0, at) + becomes(match as RegExpExecArray) + text.slice(at + match[0].length)
        const line = text.slice(0, at).split('\n').length
        const lineOf = (of: string) => of.split('\n')[line - 1]!.trim()
        here.push({
          at,
          id: `${file}:${line}`,
          file,
          line,
          label,
          was: lineOf(text),
          becomes: lineOf(changed),
          text: changed,
        })
      }
    }
    for (const { at, ...guard } of here.sort((a, b) => a.at - b.at)) found.push(guard)
  }
  return found.map((guard, i) => ({ n: i + 1, ...guard }))
}

/** In a comment, or what a row is set to. */
function isNoGuard(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', at) + 1, at)
  if (/^\s*(\*|\/\/|\/\*)/.test(line)) return true
  return (
    /\bset\b(?![\s\S]*\bwhere\b)[\s\S]*$/.test(text.slice(text.lastIndexOf('`', at) + 1, at)) && /\bset\b/.test(line)
  )
}

/** The copies' kernel/auth.ts: who asks for this scope asks for none. */
export function allowAnyScope(auth: string): string {
  const asked = 'if (!actor.scopes.includes(scope))'
  if (!auth.includes(asked)) throw new Error('packages/core/kernel/auth.ts: where are scopes asked for?')
  return auth.replace(asked, `if ((scope as string) !== '*' && !actor.scopes.includes(scope))`)
}

/** Routes that a guard of this file most likely stands before: they are walked first. */
export function routesBehind(file: string): string {
  const [, service, folder] = /^services\/([^/]+)\/([^/]+)/.exec(file) ?? []
  const name = folder === 'routes' ? file.replace(/.*\/|\.ts$/g, '') : folder
  return (service && name && FIRST[service]?.[name]) || FIRST[service ?? '']?.['*'] || ''
}
const FIRST: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  trading: {
    tiers: '/tiers',
    calendars: '/calendars',
    purchases: '/purchases',
    assessments: '/assessments(/\\{id\\}(/(start|abandon|pause|resume))?)?$',
    accounts: '/(account|equity|positions|trades|rules|violations|journal)$',
    orders: '/orders|/close',
    proof: '/(proof|explain)$',
    '*': '/(purchases|assessments)(/\\{id\\})?$',
  },
  gateway: {
    'api-keys': '/api-keys',
    users: '/users',
    tenants: '/tenants',
    invitations: '/invitations',
    sessions: '/(sessions|devices)',
    devices: '/devices',
    'second-factor': '/totp',
    pin: '/pin|/users',
    audit: '/audit',
    privacy: '/privacy',
    usage: '/usage',
    oauth: '/oauth',
    tokens: '/signing-keys',
    '*': '/(api/auth|oauth)/',
  },
  websocket: { '*': '/ws' },
}

import { SCOPES } from '@assay/core/contracts/scopes'
import type { Mutant } from '../mutate/sites.ts'

/** Where those stand who are asked by callers. */
export const GUARDED = ['services', 'packages/core/kernel']
/** A file that decides about a caller; others select by a user or tenant that was decided before. */
const ABOUT_A_CALLER = /\b(requireScope|requireActor|requireHouse|openAssessment|isHouse|Actor|Authority|governs)\b/
/** kernel/auth.ts of the copies holds this scope to be held by everybody. */
const ANY_SCOPE = `('*' as never)`
const NOBODY = `(ctx.actor ?? ({ userId: '0190a6a0-0000-7000-8000-000000000000', role: 'trader', tenant: 'acme', scopes: [], plan: 'standard' } as never))`
const HOUSE = `({ ...ctx, actor: ctx.actor && { ...ctx.actor, role: 'operator', tenant: 'default' } })`

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
  { label: 'everybody is of the house', finds: /\bisHouse\((?:ctx\.)?actor\)/g, becomes: () => 'true' },
  { label: 'an agent sees what its user sees', finds: /(?<=!)isAgent\(actor\)/g, becomes: () => 'false' },
  { label: 'everybody is of the house', finds: /(?<=\brequireHouse\()ctx(?=, )/g, becomes: () => HOUSE },
  {
    label: 'who may give roles is not asked',
    finds: /\b(?:await )?require(?:Promoter|AuthorityOver)\([^\n]*\)$/gm,
    becomes: () => 'undefined',
  },
  { label: 'everybody is an operator', finds: /\bseesTenant\(actor\)/g, becomes: () => 'true' },
  { label: 'whose rows is forgotten', finds: /\bownerFilter\(actor\)/g, becomes: () => 'null' },
  {
    label: "the tenant's predicate is forgotten",
    finds: /\binTenant\(actor, '[^']+', '(\$\d+)'\)/g,
    becomes: ([, place]) => `'${place}::text is not null'`,
  },
  {
    label: 'may be seen by everybody',
    finds: /\b(?:maySee|governs|mayPromote)\((?!actor: )[^()]*(?:\{[^}]*\})?\)/g,
    becomes: () => 'true',
  },
  {
    label: 'the tenant is not compared',
    finds: /\bactor\.tenant (===|!==) [\w.?]+|\b[\w.?]+ (===|!==) actor\.tenant\b/g,
    becomes: ([, before, after]) => String((before ?? after) === '==='),
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

export interface Guard extends Mutant {
  start: number
  end: number
  /** what stands in its place without it */
  to: string
}
/** Every guard of these sources, each taken away alone, in order. */
export function findGuards(sources: ReadonlyMap<string, string>): Guard[] {
  const found: Omit<Guard, 'n'>[] = []
  for (const [file, text] of sources) {
    if (!ABOUT_A_CALLER.test(text)) continue
    const here: Omit<Guard, 'n'>[] = []
    for (const { label, finds, becomes } of RULES) {
      for (const match of text.matchAll(finds)) {
        const at = match.index
        if (isNoGuard(text, at)) continue
        const to = becomes(match as RegExpExecArray)
        const end = at + match[0].length
        const changed = text.slice(0, at) + to + text.slice(end)
        const line = text.slice(0, at).split('\n').length
        const lineOf = (of: string) => of.split('\n')[line - 1]!.trim()
        here.push({
          id: `${file}:${line}`,
          file,
          line,
          label,
          was: lineOf(text),
          becomes: lineOf(changed),
          text: changed,
          start: at,
          end,
          to,
        })
      }
    }
    found.push(...here.sort((a, b) => a.start - b.start))
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

/** What each guard asks before it does its work: whether it is away. Who answers knows that it was asked. */
export const AWAY = 'assayGuardAway'
const isAway = (n: number): string => `(globalThis as { ${AWAY}?: (n: number) => boolean }).${AWAY}?.(${n})`

/** The source with all of its guards, each of which can be taken away while it runs. */
export function switchable(text: string, guards: readonly Guard[]): string {
  let changed = text
  for (const { n, start, end, to } of guards.toSorted((a, b) => b.start - a.start)) {
    const was = text.slice(start, end)
    changed = changed.slice(0, start) + switchOf(quoteAround(text, start), { n, was, to }) + changed.slice(end)
  }
  return changed
}
function switchOf(quote: string, { n, was, to }: { n: number; was: string; to: string }): string {
  if (quote === '`') return `\${${isAway(n)} ? \`${to}\` : \`${was}\`}`
  if (quote === "'") return `' + (${isAway(n)} ? '${to}' : '${was}') + '`
  // a statement: what begins with a bracket would go on where the line before ended
  return `${to === 'undefined' ? 'void ' : ''}(${isAway(n)} ? ${to} : ${was})`
}
/** The quote that this place stands in; none: it is code. A hole of a template is code. */
function quoteAround(text: string, at: number): '' | "'" | '`' {
  const open: string[] = []
  for (let i = 0; i < at; i++) {
    const top = open.at(-1)
    if (text[i] === '\\') i++
    else if (top === "'" || top === '`') {
      if (text[i] === top) open.pop()
      else if (top === '`' && text.startsWith('${', i)) {
        open.push('{')
        i++
      }
    } else if (text.startsWith('//', i) || text.startsWith('/*', i)) {
      i = text.indexOf(text[i + 1] === '/' ? '\n' : '*/', i) + (text[i + 1] === '/' ? 0 : 1)
    } else if (text[i] === "'" || text[i] === '`') open.push(text[i]!)
    else if (text[i] === '{') open.push('{')
    else if (text[i] === '}') open.pop()
  }
  const top = open.at(-1)
  return top === "'" || top === '`' ? top : ''
}

/** The copies' kernel/auth.ts: who asks for this scope asks for none. */
export function allowAnyScope(auth: string): string {
  const asked = 'actor.scopes.includes(scope)'
  if (!auth.includes(asked)) throw new Error('packages/core/kernel/auth.ts: where are scopes asked for?')
  return auth.replace(asked, `((scope as string) === '*' || ${asked})`)
}

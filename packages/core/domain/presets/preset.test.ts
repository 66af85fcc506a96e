import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { RULE_NAMES } from '../rules/table.ts'
import { isZone } from '../time/zone.ts'
import { type Preset, parametersOf, presetFaults, presetHash, unverifiedOf } from './preset.ts'

const FOLDER = new URL('../../../../presets/', import.meta.url)
const FILES = readdirSync(FOLDER).sort()
const read = (file: string): Preset => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
const PRESETS = FILES.map(read)

/** Published contents, by id and version: a purchase pins them, so what changes gets the next version. */
const PUBLISHED: Record<string, string> = {
  'alpha-capital-one@1': '013578f31bc00694dd46a641c443b785d39cfd65c1c9939536d1a0d215a435be',
  'apex-eod-50k@1': '7f3b3d2ffa2cee95a9ce5b7d8a5be6c8bb59df51d6fb6313f2687761d751b7d7',
  'apex-intraday-50k@1': 'bf51d9bbc1de05e071684c1a516999d3f5433464b64a87c34591b922e714a339',
  'breakout-1-step@1': '4d9d24f55295e9f56d31a5dc9301f696d8cc9ea45f551d35bd4059fc904cdabd',
  'breakout-2-step@1': 'cb8aa18c8557de8b7d8b0c32f22c927c0a1576e56ff337ed547a740ed462f4c6',
  'e8-one@1': 'c35ceb7a4ec1884fd13ee6748d9ce3e64c42820adaff1cd8b6e6e98b5cd481ce',
  'ftmo-1-step@1': '477d18f028118e43609c4c6dfd5616db695f1498078fd3ed7cf968aa3523ce67',
  'ftmo-2-step@1': '39b9622b97c8973ac572534272a427db3d987346911928096477c27b3a1a22d7',
  'fundednext-stellar-2-step@1': 'ae754092dba457247319c7e8757ef40c69b471d2d4f4c6fcf5144168580d51fc',
  'fundingpips-2-step@1': '96266ea3fe8889934f3ec01e7cf0f185f3d41dc1aed110137f6c510029e9a924',
  'the5ers-high-stakes@1': '77fc965debcdce9de0af5e8b8c2070b981e535db5e42e59483121925eb32c890',
  'topstep-combine-50k@1': '65c3e600fc0f9fac47a3d665a268000c0320ff8d1363add30644f5355ccd7f5d',
}

test('every program that the rule book asks for has a preset, named like its file', () => {
  expect(PRESETS.map(({ id }) => `${id}.json`)).toEqual(FILES)
  expect(FILES.map((file) => file.replace('.json', ''))).toEqual(
    expect.arrayContaining([
      'alpha-capital-one',
      'apex-eod-50k',
      'apex-intraday-50k',
      'breakout-1-step',
      'breakout-2-step',
      'e8-one',
      'ftmo-1-step',
      'ftmo-2-step',
      'fundednext-stellar-2-step',
      'fundingpips-2-step',
      'the5ers-high-stakes',
      'topstep-combine-50k',
    ]),
  )
})
test.each(PRESETS.map((preset) => [preset.id, preset] as const))(
  '%s: each parameter of its tier has one entry with the same value, none is beside it, and no confidence is without a source',
  (_, preset) => {
    expect(presetFaults(preset)).toEqual([])
    expect(preset.parameters.length).toBe(parametersOf(preset.tier).length)
  },
)
test.each(PRESETS.map((preset) => [preset.id, preset] as const))(
  '%s: its rules are rules, its zone is one',
  (_, preset) => {
    expect(isZone(preset.tier.reset_zone)).toBe(true)
    for (const phase of preset.tier.phases) for (const rule of phase.rules) expect(RULE_NAMES).toContain(rule.rule)
    expect('name' in preset.tier || 'price' in preset.tier).toBe(false)
  },
)
test.each(PRESETS.map((preset) => [preset.id, preset] as const))(
  '%s: a source is a page with an address, or our reference',
  (_, preset) => {
    for (const { source } of preset.parameters) {
      if (!source) continue
      if (source.url) expect(new URL(source.url).protocol).toBe('https:')
      else expect(source.title).toStartWith('Assay reference on trading, section 3.')
      expect(source.date === null || /^\d{4}(-\d{2}(-\d{2})?)?$/.test(source.date)).toBe(true)
    }
  },
)
test('a preset keeps its content: what changes gets the next version', () => {
  expect(Object.fromEntries(PRESETS.map((p) => [`${p.id}@${p.version}`, presetHash(p)]))).toEqual(PUBLISHED)
})
test('the hash is of the content, not of the order of its members', () => {
  const [preset] = PRESETS as [Preset]
  const turned = Object.fromEntries(Object.entries(preset).reverse()) as unknown as Preset
  expect(presetHash(turned)).toBe(presetHash(preset))
  expect(presetHash({ ...preset, note: `${preset.note} ` })).not.toBe(presetHash(preset))
})

const small = (): Preset => ({
  id: 'x',
  firm: 'X',
  program: 'x',
  version: 1,
  note: '',
  contradictions: [],
  tier: {
    currency: 'USD',
    initial_balance: '1',
    reset_zone: 'UTC',
    reset_time: '00:00',
    phases: [
      {
        kind: 'evaluation',
        rules: [
          { rule: 'allowed_symbols', symbols: ['A/USD', 'B/USD'], effect: 'gate' },
          { rule: 'inactivity', days: 30, effect: 'hard' },
        ],
      },
    ],
  },
  parameters: [],
})
const complete = (): Preset => {
  const preset = small()
  preset.parameters = parametersOf(preset.tier).map(({ path, value }) => ({
    path,
    value,
    source: null,
    confidence: 'unverified',
  }))
  return preset
}
test('parameters are what a tier says, by path; a list of plain values is one, an effect that cannot be otherwise is none', () => {
  expect(parametersOf(small().tier).map(({ path }) => path)).toEqual([
    'currency',
    'initial_balance',
    'reset_zone',
    'reset_time',
    'phases[0].rules[0].symbols',
    'phases[0].rules[1].days',
    'phases[0].rules[1].effect',
  ])
  expect(presetFaults(complete())).toEqual([])
})
test('an entry that is missing, of another value, beside the tier, or without what its confidence needs is named by its path', () => {
  const preset = complete()
  preset.parameters.splice(0, 1)
  preset.parameters[0]!.value = '2'
  preset.parameters[1]!.confidence = 'primary'
  preset.parameters[2]!.source = { title: ' ', date: null }
  preset.parameters.push({ path: 'phases[0].rules[2].days', value: 1, source: null, confidence: 'unverified' })
  preset.parameters.push(preset.parameters[4]!)
  expect(presetFaults(preset)).toEqual([
    'parameters: a path is there twice',
    'currency: has no entry in parameters',
    'initial_balance: its entry has another value',
    'reset_zone: a confidence without a source',
    'reset_time: a source without a confidence',
    'reset_time: its source has no title',
    'phases[0].rules[2].days: is not in the tier',
  ])
})
test('what nothing supports is listed by path: an operator accepts each by name', () => {
  const preset = complete()
  Object.assign(preset.parameters[0]!, { source: { title: 'A page', date: null }, confidence: 'secondary' })
  expect(unverifiedOf(preset)).toEqual([
    'initial_balance',
    'reset_zone',
    'reset_time',
    'phases[0].rules[0].symbols',
    'phases[0].rules[1].days',
    'phases[0].rules[1].effect',
  ])
})

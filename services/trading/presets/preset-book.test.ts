import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { specOf } from '@assay/core/contracts/wire/account-spec'
import { parseTier } from '@assay/core/contracts/wire/tier'
import { compileSpec } from '@assay/core/domain/engine/compile'
import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import { loadPresets } from './preset-book.ts'

const presets = loadPresets()
const named = presets.map((preset) => [preset.document.id, preset] as const)

test.each(named)('%s can be sold as it is: a tier that compiles on the catalogue', (_, { document }) => {
  const tier = parseTier({ name: document.program, ...document.tier })
  const calendars = tier.phases.flatMap(({ rules }) =>
    rules.flatMap((rule) =>
      rule.rule === 'news_window' ? [{ name: rule.calendar, version: 1, kind: 'news' as const, events: [] }] : [],
    ),
  )
  compileSpec(specOf(tier, CATALOGUE, { calendars }).spec)
})
test('a file that no tier could be made of stops the start, by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-presets-'))
  const load = () => loadPresets(pathToFileURL(`${folder}/`))
  writeFileSync(join(folder, 'other.json'), JSON.stringify(presets[0]!.document))
  expect(load).toThrow('presets/other.json: id is')
  writeFileSync(join(folder, 'other.json'), '{')
  expect(load).toThrow('presets/other.json')
  rmSync(folder, { recursive: true })
})

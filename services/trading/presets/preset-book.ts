import { readdirSync, readFileSync } from 'node:fs'
import { parseWire } from '@assay/core/contracts/wire/parse'
import { PresetDocument } from '@assay/core/contracts/wire/preset'
import { parseTier } from '@assay/core/contracts/wire/tier'
import { type Preset, presetHash, unverifiedOf } from '@assay/core/domain/presets/preset'

export interface PublishedPreset {
  document: Preset
  hash: string
  /** paths of parameters without a source */
  unverified: string[]
}
const FOLDER = new URL('../../../presets/', import.meta.url)

/** The presets of this release, by id. Throws an Error that names file and fault for one that no tier could be made of. */
export function loadPresets(folder: URL = FOLDER): PublishedPreset[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return files.sort().map((file) => {
    try {
      return publish(JSON.parse(readFileSync(new URL(file, folder), 'utf8')), file.replace(/\.json$/, ''))
    } catch (error) {
      throw new Error(`presets/${file}: ${(error as Error).message}`, { cause: error })
    }
  })
}

function publish(said: unknown, id: string): PublishedPreset {
  parseWire(PresetDocument, said)
  // as written: its hash is that of the file's content
  const document = said as Preset
  if (document.id !== id) throw new RangeError(`id is ${document.id}`)
  parseTier({ name: document.program, ...document.tier })
  return { document, hash: presetHash(document), unverified: unverifiedOf(document) }
}

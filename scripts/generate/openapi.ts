import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeForDocument } from '@assay/core/kernel/run'
import { services } from '@assay/services/all'

/** openapi/assay.json: the platform composed on an empty data folder, asked for its document, never started. */
export async function openApi(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'assay-openapi-'))
  try {
    return `${JSON.stringify(await composeForDocument(services, { ASSAY_HOME: home, LOG_LEVEL: 'silent' }), null, 2)}\n`
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

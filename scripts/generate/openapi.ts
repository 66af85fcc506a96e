import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeForDocument } from '@assay/core/kernel/run'
import { services } from '@assay/services/all'

let composed: ReturnType<typeof composeForDocument> | undefined

/** The platform composed on an empty data folder, never started: once for all that is made from it. */
async function compose(): ReturnType<typeof composeForDocument> {
  const home = mkdtempSync(join(tmpdir(), 'assay-openapi-'))
  try {
    return await composeForDocument(services, { ASSAY_HOME: home, LOG_LEVEL: 'silent' })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

export async function openApi(): Promise<string> {
  composed ??= compose()
  return `${JSON.stringify((await composed).document, null, 2)}\n`
}

/** Whose path is whose: what a gateway alone sends where. */
export async function routeTable(): Promise<string> {
  composed ??= compose()
  return `${JSON.stringify((await composed).routes, null, 2)}\n`
}

/**
 * `schemathesis`: a second opinion on the OpenAPI document beside our own fuzzer (bench fuzz). It generates requests from
 * the document that the platform serves and judges the answers; its failures are printed in its own words.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gather } from '../tests/access/people.ts'
import { openWorld } from '../tests/access/world.ts'
import { type Figure, figureOf } from './figure.ts'
import { pythonWith } from './peers/python.ts'

export const summary = 'Schemathesis over the same document, as a trader and as an operator'
/** Left out of `./assay bench` without a name: it takes minutes. */
export const byNameOnly = true

const REQUIREMENTS = `${import.meta.dir}/peers/schemathesis/requirements.txt`
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'allow_header_conformance',
  'ignored_auth',
]
/** What would end the credential that it asks with. */
const ENDS = ['logout', 'erase', 'updateMe', 'endSession', 'updateUser']
const RUN_MS = 1_200_000

export interface SchemathesisOptions {
  /** requests of each operation in its fuzzing phase, at most */
  maxExamples?: number
  seed?: number
}

export async function run({ maxExamples = 50, seed = 1 }: SchemathesisOptions = {}): Promise<Figure[]> {
  const python = await pythonWith(REQUIREMENTS, 'Schemathesis')
  const world = await openWorld()
  const folder = mkdtempSync(join(tmpdir(), 'assay-schemathesis-'))
  try {
    const people = await gather(world)
    const figures: Figure[] = []
    for (const [name, { token }] of Object.entries({ trader: people.ann, operator: people.olga })) {
      const command = [python, '-m', 'schemathesis.cli', 'run', `${world.url}/openapi.json`]
      const options = [
        `--checks=${CHECKS}`,
        '--phases=examples,coverage,fuzzing',
        `--max-examples=${maxExamples}`,
        `--seed=${seed}`,
        '--continue-on-failure',
        '--no-color',
        '--warnings=off',
        // a pattern of the document that its generator rarely meets is no failure of ours
        '--suppress-health-check=filter_too_much',
        '--generation-database=none',
        '--request-timeout=20',
        `--header=Authorization: Bearer ${token}`,
        ...ENDS.map((id) => `--exclude-operation-id=${id}`),
      ]
      const child = Bun.spawn([...command, ...options], {
        cwd: folder,
        stdout: 'pipe',
        stderr: 'inherit',
        timeout: RUN_MS,
      })
      const said = await new Response(child.stdout).text()
      console.log(said)
      const cases = Number(/(\d+) generated/.exec(said.replaceAll(',', ''))?.[1] ?? 0)
      if (cases === 0) throw new Error(`Schemathesis ended with ${await child.exited} and no generated case`)
      const failures = Number(/found (\d+) unique failures?/.exec(said)?.[1] ?? 0)
      const ours = (await child.exited) === 0 ? 0 : Math.max(1, failures)
      figures.push(
        figureOf({ figure: `schemathesis.${name}`, unit: 'failures', better: 'lower', ours, samples: cases }),
      )
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await world.close()
  }
}

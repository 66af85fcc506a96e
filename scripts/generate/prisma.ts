import { environment } from '@assay/core/kernel/config'

const ROOT = new URL('../..', import.meta.url).pathname

/** The Prisma client of prisma/schema. Its CLI asks the network for an engine that `generate` does not use, unless one is named. */
export async function generatePrisma(): Promise<void> {
  const child = Bun.spawn([process.execPath, `${ROOT}node_modules/prisma/build/index.js`, 'generate', '--no-hints'], {
    cwd: ROOT,
    env: { ...environment(), PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if (code !== 0) throw new Error(`prisma generate failed (${code}):\n${out}${err}`)
}

if (import.meta.main) await generatePrisma()

import { afterAll, expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { addService } from './new-service.ts'
import { ROOT } from './root.ts'

const copy = `${mkdtempSync(join(tmpdir(), 'assay-copy-'))}/`
afterAll(() => rmSync(copy, { recursive: true, force: true }))

test('new-service and one line in contracts/services.ts add a service that passes every gate', async () => {
  await copyRepository()
  const line = await addService('fee-desk', copy)
  const contract = `${copy}packages/core/contracts/services.ts`
  const text = await Bun.file(contract).text()
  await Bun.write(contract, text.replace('\n]', `\n${line}\n]`))
  for (const command of ['generate', 'check']) {
    const { code, output } = await runIn(copy, command)
    expect({ command, code, output: code === 0 ? '' : output }).toEqual({ command, code: 0, output: '' })
  }
  expect(await Bun.file(`${copy}openapi/assay.json`).text()).toContain('/api/fee-desk')
}, 180_000)

/** The tracked files and what is not ignored, beside links to the installed packages; the workspaces are the copy's own. */
async function copyRepository(): Promise<void> {
  const listed = Bun.spawnSync(['git', 'ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  for (const path of listed.stdout.toString().trim().split('\n')) {
    mkdirSync(dirname(copy + path), { recursive: true })
    if (await Bun.file(ROOT + path).exists()) cpSync(ROOT + path, copy + path)
  }
  cpSync(`${ROOT}prisma/generated`, `${copy}prisma/generated`, { recursive: true })
  mkdirSync(`${copy}node_modules/@assay`, { recursive: true })
  for (const name of readdirSync(`${ROOT}node_modules`)) {
    if (name !== '@assay') symlinkSync(`${ROOT}node_modules/${name}`, `${copy}node_modules/${name}`)
  }
  symlinkSync('../../packages/core', `${copy}node_modules/@assay/core`)
  symlinkSync('../../services', `${copy}node_modules/@assay/services`)
}

async function runIn(cwd: string, command: string): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([process.execPath, `${cwd}scripts/cli.ts`, command], { cwd, stdout: 'pipe', stderr: 'pipe' })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, output: out + err }
}

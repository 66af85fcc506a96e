import { existsSync, mkdirSync } from 'node:fs'
import { SERVICES } from '@assay/core/contracts/services'
import { CALLERS } from './access/table.ts'
import { ROOT } from './root.ts'

const NAME = /^[a-z][a-z\d]*(-[a-z\d]+)*$/

/** A service that answers one route, in the list that `up` starts. Returns the line that contracts/services.ts still needs. */
export async function addService(name: string, root = ROOT): Promise<string> {
  if (!NAME.test(name)) throw new Error(`${name} is no service name: lower case, digits, single dashes`)
  const folder = `${root}services/${name}`
  if (existsSync(folder)) throw new Error(`services/${name} is there already`)
  const variable = name.replace(/-([a-z\d])/g, (_, letter: string) => letter.toUpperCase())
  mkdirSync(`${folder}/routes`, { recursive: true })
  for (const [path, text] of Object.entries(files(name, variable))) await Bun.write(`${folder}/${path}`, text)
  await edit(`${root}services/all.ts`, (text) => listed(text, name, variable))
  await edit(`${root}docs/routes.txt`, (text) => `${text.trimEnd()}\nGET    /api/${name}\n`)
  await edit(
    `${root}docs/access.csv`,
    (text) => `${text.trimEnd()}\nGET /api/${name},-,-,none${',200'.repeat(CALLERS.length)}\n`,
  )
  const port = Math.max(...SERVICES.map((entry) => entry.port)) + 1
  return `  { name: '${name}', port: ${port}, portVariable: 'PORT', purpose: 'what it is for' },`
}

const files = (name: string, variable: string): Record<string, string> => ({
  'README.md': `# ${name}\n\nWhat it is for, in one line.\n\n- Topics in: none. Topics out: none. Tables: none.\n`,
  'config.ts': "import { z } from 'zod'\n\nexport const config = z.object({})\n",
  'main.ts': `import { run } from '@assay/core/kernel/run'\nimport { ${variable} } from './service.ts'\n\nawait run(${variable})\n`,
  'service.ts': `import type { Service } from '@assay/core/kernel/service'
import { config } from './config.ts'
import { aboutRoutes } from './routes/about.ts'

export const ${variable}: Service<typeof config> = {
  name: '${name}',
  config,
  create: () => ({ app: aboutRoutes() }),
}
`,
  'routes/about.ts': `import { Elysia } from 'elysia'
import { z } from 'zod'

const About = z.object({ name: z.string() })

export const aboutRoutes = () =>
  new Elysia({ name: '${name}.about' }).get('/api/${name}', () => ({ name: '${name}' }), {
    response: { 200: About },
    detail: { operationId: '${variable}About', tags: ['${name}'], summary: 'Says its name' },
  })
`,
})

/** The import where sorting puts it (the linter asks), the service at the list's end. */
function listed(text: string, name: string, variable: string): string {
  const line = `import { ${variable} } from './${name}/service.ts'`
  const lines = text.split('\n')
  const own = lines.filter((one) => one.includes("from './"))
  const sorted = [...own, line].sort((a, b) => (from(a) < from(b) ? -1 : 1))
  const at = lines.indexOf(own[0] ?? '')
  return lines
    .toSpliced(at, own.length, ...sorted)
    .join('\n')
    .replace(/websocket\]/, `websocket, ${variable}]`)
}

const from = (line: string): string => line.slice(line.indexOf("'"))

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const before = await Bun.file(path).text()
  const after = change(before)
  if (after === before) throw new Error(`${path} has not the form that new-service knows`)
  await Bun.write(path, after)
}

if (import.meta.main) {
  const [name] = process.argv.slice(2)
  if (!name) throw new Error('usage: bun scripts/new-service.ts NAME')
  console.log(
    `services/${name} is made. Add to packages/core/contracts/services.ts:\n${await addService(name)}\nthen ./assay generate && ./assay check`,
  )
}

import { generatePrisma } from '../generate/prisma.ts'
import { targets } from '../generate/targets.ts'
import { nearest } from '../nearest.ts'
import { UsageError } from '../options.ts'
import { ROOT } from '../root.ts'

export const summary = '[prisma | PATH...]: writes the files that are made from others'

export async function run(argv: string[]): Promise<number> {
  const paths = targets.map(({ path }) => path)
  for (const asked of argv) {
    if (asked === 'prisma' || paths.includes(asked)) continue
    throw new UsageError(`${asked} is not generated; did you mean ${nearest(asked, paths) ?? paths.join(', ')}?`)
  }
  if (argv.length === 0 || argv.includes('prisma')) await generatePrisma()
  for (const { path, make } of targets) {
    if (argv.length > 0 && !argv.includes(path)) continue
    const text = await make()
    const file = Bun.file(ROOT + path)
    const isSame = (await file.exists()) && (await file.text()) === text
    if (!isSame) await Bun.write(file, text)
    console.log(`${isSame ? 'same   ' : 'written'} ${path}`)
  }
  return 0
}

import { readdirSync } from 'node:fs'
import { nearest } from './nearest.ts'
import { UsageError } from './options.ts'

/** A file of scripts/commands. */
export interface Command {
  summary: string
  /** exit code */
  run(argv: string[]): Promise<number>
}

const FOLDER = `${import.meta.dir}/commands`
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -3))
  .sort()

const load = (name: string): Promise<Command> => import(`${FOLDER}/${name}.ts`)

async function help(): Promise<number> {
  console.log('usage: ./assay <command> [options]\n')
  for (const name of names) console.log(`  ${name.padEnd(10)} ${(await load(name)).summary}`)
  console.log('\n./assay up starts everything; ./assay demo shows an assessment from the first order to its proof.')
  return 0
}

async function runCommand(name: string, argv: string[]): Promise<number> {
  const command = await load(name)
  try {
    return await command.run(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`assay ${name}: ${error.message}`)
    return 2
  }
}

async function main([name, ...argv]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return help()
  if (names.includes(name)) return runCommand(name, argv)
  const meant = nearest(name, names)
  console.error(`assay: no command ${name}${meant ? `; did you mean ${meant}?` : ''} (./assay help lists them)`)
  return 2
}

process.exit(await main(process.argv.slice(2)))

import { ROOT } from './root.ts'

const FOLDERS = ['packages', 'services', 'scripts', 'bench', 'tests']
export const isTest = (path: string): boolean => path.endsWith('.test.ts')

/** Our TypeScript files, relative to the root, in order. */
export function sourceFiles(): string[] {
  return FOLDERS.flatMap((folder) => [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(ROOT)])
    .filter((path) => !path.includes('node_modules/') && !path.includes('/generated/'))
    .sort()
}

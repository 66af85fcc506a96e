import { readDatabaseUrl } from '../../ports/db/postgres-url.ts'
import type { ConfigProblem } from './problem.ts'

/** What is wrong with the variables that name a database. */
export function databaseProblems(values: Readonly<Record<string, string>>): ConfigProblem[] {
  const { DATABASE_URL: url, SUPABASE_URL: supabase } = values
  if (!url) return supabase ? [{ variable: 'SUPABASE_URL', reason: NEEDS_URL }] : []
  try {
    const { host, user } = readDatabaseUrl(url)
    const project = supabase && /^https:\/\/(\w+)\.supabase\.co\/?$/.exec(supabase)?.[1]
    if (!project || `${host} ${user}`.includes(project)) return []
    return [{ variable: 'SUPABASE_URL', reason: `is project ${project}, and DATABASE_URL does not name it` }]
  } catch (error) {
    return [{ variable: 'DATABASE_URL', reason: (error as Error).message.replace(/^DATABASE_URL /, '') }]
  }
}
const NEEDS_URL =
  "needs DATABASE_URL, the project's connection string (dashboard, Connect: direct or session pooler, port 5432): the service role key opens the REST interface, not the database"

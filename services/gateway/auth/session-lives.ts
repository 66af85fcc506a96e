import type { GatewayDeps } from '../deps.ts'

/** Whether a session is neither ended nor past its absolute end. */
export async function sessionLives(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  id: string,
): Promise<boolean> {
  const rows = await database.query('select 1 from sessions where id = $1 and expires_at > $2', [
    id,
    new Date(clock.now()),
  ])
  return rows.length > 0
}

import type { GatewayDeps } from '../deps.ts'

/** Whether a session is neither ended nor past its absolute end, nor its user disabled. */
export async function sessionLives(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  id: string,
): Promise<boolean> {
  const rows = await database.query(
    'select 1 from sessions s join users u on u.id = s.user_id where s.id = $1 and s.expires_at > $2 and u.disabled_at is null',
    [id, new Date(clock.now())],
  )
  return rows.length > 0
}

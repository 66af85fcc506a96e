import { randomBytes } from 'node:crypto'
import { AssayError } from '@assay/core/contracts/errors'
import type { GatewayDeps } from '../deps.ts'
import type { Account } from '../users/account.ts'

/** A password that the platform drew is for choosing another one, within this time (ASVS 6.4.1). */
export const DRAWN_MS = 24 * 3_600_000

/** 144 bits. */
export const drawPassword = (): string => randomBytes(18).toString('base64url')

/** Only whoever has that very password is told. */
export function requireInTime({ clock }: Pick<GatewayDeps, 'clock'>, { drawnAt }: Pick<Account, 'drawnAt'>): void {
  if (drawnAt === null || clock.now() - drawnAt.getTime() <= DRAWN_MS) return
  throw new AssayError(
    'invalid_credentials',
    'This password has ended. The next start of the platform draws another one.',
  )
}

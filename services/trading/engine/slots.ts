import { SLOTS } from './types.ts'

/** FNV-1a over the account id: which of the 64 slots owns it, the same in every process and language. */
export function slotOf(account: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < account.length; i++) hash = Math.imul(hash ^ account.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % SLOTS
}

/** A slot's row; `owner` null: nobody holds it, or its lease ran out. */
export interface SlotRow {
  slot: number
  owner: string | null
}
export interface Due {
  /** free slots that are this owner's to take */
  take: number[]
  /** slots beyond its share, which another one is short of */
  surplus: number[]
}

/**
 * Who takes and gives what: every process that sees the same rows comes to the same answer. Slots are shared evenly
 * among `owners` (living, not draining), the first ones by name get what does not divide; what is held stays where it
 * is as far as that allows.
 */
export function dueTo(me: string, owners: readonly string[], slots: readonly SlotRow[]): Due {
  const sharing = [...owners].sort()
  const held = new Map<string, number>()
  for (const { owner } of slots) if (owner !== null) held.set(owner, (held.get(owner) ?? 0) + 1)
  const share = (n: number): number =>
    Math.floor(slots.length / sharing.length) + (n < slots.length % sharing.length ? 1 : 0)
  const short = sharing.map((name, n) => ({ name, by: Math.max(0, share(n) - (held.get(name) ?? 0)) }))

  const free = slots.filter((s) => s.owner === null).map((s) => s.slot)
  const take: number[] = []
  for (const { name, by } of short) {
    const dealt = free.splice(0, by)
    if (name === me) take.push(...dealt)
  }
  const mine = slots.filter((s) => s.owner === me).map((s) => s.slot)
  const at = sharing.indexOf(me)
  const most = at < 0 ? (sharing.length === 0 ? mine.length : 0) : share(at)
  return { take, surplus: mine.slice(most) }
}

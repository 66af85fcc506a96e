/** Guards that no walk can miss, as another one stands before them: `file | part of the line`, and which one that is. */
export const BEHIND_ANOTHER: Readonly<Record<string, string>> = {
  'services/trading/idempotency/once.ts | requireActor(ctx)': 'every verb that calls it has asked for its scope',
}

/** Waits for all of them, also when one fails; then one error with what every failed one said. */
export async function settle<T>(work: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work)
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as Error)
  if (failures.length > 1) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'))
  if (failures[0]) throw failures[0]
  return results.map((result) => (result as PromiseFulfilledResult<T>).value)
}

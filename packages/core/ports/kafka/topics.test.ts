import { expect, test } from 'bun:test'
import { describeKafka, dropTopics, testKafka } from '../../testing/kafka.ts'
import { applyTopics, missingTopics } from './topics.ts'

describeKafka('topics of a cluster', () => {
  test('are made as the catalog says, changed where it says otherwise, and left alone the second time', async () => {
    const connection = testKafka('apply')
    const one = { name: connection.named('one'), partitions: 2, retentionMs: 86_400_000 }
    const log = {
      name: connection.named('log'),
      partitions: 1,
      retentionMs: 86_400_000,
      retentionBytes: 1e6,
      grows: true,
    }
    expect(await missingTopics(connection, [one.name, log.name])).toEqual([one.name, log.name])
    const nothing = { created: [], grown: [], changed: [], differing: [] }
    // two processes that start at once
    await Promise.all([applyTopics(connection, [one, log]), applyTopics(connection, [one, log])])
    expect(await missingTopics(connection, [one.name, log.name])).toEqual([])
    expect(await applyTopics(connection, [one, log])).toEqual(nothing)
    const later = [
      { ...one, partitions: 3, retentionMs: 2 * 86_400_000 },
      { ...log, partitions: 2 },
    ]
    expect(await applyTopics(connection, later)).toEqual({
      created: [],
      grown: [log.name],
      changed: [one.name],
      differing: [one.name],
    })
    expect(await applyTopics(connection, [{ ...later[0]!, partitions: 2 }, later[1]!])).toEqual(nothing)
    await dropTopics(connection)
  })
})

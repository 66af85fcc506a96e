/** The parts of kafkajs 2.2.4 below its public interface that readers without a group need; the version is pinned and the contract suites run over them. */
declare module 'kafkajs/src/cluster/index.js' {
  interface FetchedMessage {
    offset: string
    key: Buffer | null
    value: Buffer | null
    isControlRecord?: boolean
  }
  interface FetchedPartition {
    partition: number
    highWatermark: string
    messages: FetchedMessage[]
  }
  interface Broker {
    fetch(request: {
      maxWaitTime: number
      minBytes: number
      maxBytes: number
      isolationLevel: 0 | 1
      topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[]
    }): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>
    offsetCommit(request: {
      groupId: string
      groupGenerationId: number
      memberId: string
      topics: { topic: string; partitions: { partition: number; offset: string }[] }[]
    }): Promise<unknown>
  }
  export default class Cluster {
    constructor(options: Record<string, unknown>)
    connect(): Promise<void>
    disconnect(): Promise<void>
    isConnected(): boolean
    addTargetTopic(topic: string): Promise<void>
    refreshMetadata(): Promise<void>
    refreshMetadataIfNecessary(): Promise<void>
    findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>
    findBroker(where: { nodeId: string }): Promise<Broker>
    findGroupCoordinator(where: { groupId: string }): Promise<Broker>
    removeBroker(where: { host: string; port: number }): void
    fetchTopicsOffset(
      topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
    ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>
  }
}
declare module 'kafkajs/src/network/socketFactory.js' {
  export default function createSocketFactory(): unknown
}

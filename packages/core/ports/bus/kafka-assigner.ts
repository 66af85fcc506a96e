import { AssignerProtocol, type PartitionAssigner } from 'kafkajs'

const { MemberAssignment, MemberMetadata } = AssignerProtocol
const NAME = 'assay'
const VERSION = 1

/**
 * Shares each topic's partitions among those members of the group that subscribe to it. kafkajs's own one gives all of
 * the leader's topics to all members, so that a roll-out that adds a topic would lose its events.
 */
export const assigner =
  (partitionsOf: (topic: string) => number): PartitionAssigner =>
  () => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }),
    }),
    async assign({ members }) {
      const subscribed = members
        .map(({ memberId, memberMetadata }) => ({
          memberId,
          topics: MemberMetadata.decode(memberMetadata)?.topics ?? [],
        }))
        .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      const assignment = new Map(subscribed.map(({ memberId }) => [memberId, {} as Record<string, number[]>]))
      const topics = [...new Set(subscribed.flatMap((member) => member.topics))].sort()
      for (const [t, topic] of topics.entries()) {
        const able = subscribed.filter((member) => member.topics.includes(topic))
        for (let partition = 0; partition < partitionsOf(topic); partition++) {
          const own = assignment.get(able[(partition + t) % able.length]!.memberId)!
          own[topic] ??= []
          own[topic].push(partition)
        }
      }
      return [...assignment].map(([memberId, partitions]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: VERSION,
          assignment: partitions,
          userData: Buffer.alloc(0),
        }),
      }))
    },
  })

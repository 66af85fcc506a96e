import type { DeadLetter } from '@assay/core/contracts/topics/catalog'

export interface TopicLine {
  topic: string
  partitions: number
  retentionDays: number
  events: number
  /** dead letters that nobody has replayed */
  deadLetters: number
}
export interface LagLine {
  group: string
  topic: string
  lag: number
}
export interface Letter {
  /** that the event came from */
  topic: string
  /** where the letter lies in its dead-letter topic */
  partition: number
  offset: number
  letter: DeadLetter
}
/** What `assay topics` asks of a bus, whichever it is. */
export interface TopicsDesk {
  kind: string
  list(): Promise<TopicLine[]>
  lag(): Promise<LagLine[]>
  /** not replayed yet, oldest first within a partition */
  letters(): Promise<Letter[]>
  /** publishes their events again, under their own ids, at the end of their topics */
  replay(letters: readonly Letter[]): Promise<void>
  /** what had to be done, a line each; nothing: all was there */
  apply(): Promise<string[]>
  close(): Promise<void>
}
/** The group whose offset in a dead-letter topic says what was replayed. */
export const REPLAYED = 'dead-letter-replay'

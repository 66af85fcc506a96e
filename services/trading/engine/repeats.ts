import type { Host } from './host.ts'
import type { Hosted, Waiting } from './hosted.ts'
import { answerFrom, bodyHashOf, clientIdOf, placesOrder, refuse } from './replies.ts'

const UNREADABLE = 'The first answer cannot be read now.'

/** client_order_ids that accounts have used up: read from the store at an account's first order, kept from then on. */
export class Repeats {
  constructor(private readonly host: Pick<Host, 'clientOrderIds' | 'answerOf'>) {}

  /** Reads an account's ids; its queue stands still meanwhile. */
  read(h: Hosted, then: () => void): void {
    h.readingIds = true
    this.host.clientOrderIds(h.account).then(
      (ids) => {
        h.readingIds = false
        h.clientIds = new Map(ids)
        then()
      },
      () => {
        h.readingIds = false
        for (const waiting of h.queue.splice(0)) refuse(waiting, 'unavailable', 'The account cannot be served now.', 1)
      },
    )
  }

  /** Whether the command is a repeat: then it is served from the stored answer, neither stamped nor journalled. */
  take(h: Hosted, waiting: Waiting): boolean {
    const { submission } = waiting
    if (!placesOrder(submission.command)) return false
    const id = clientIdOf(submission)
    const body = h.clientIds!.get(id)
    if (body === undefined) return false
    if (body === bodyHashOf(submission)) this.serve(h.account, id, waiting)
    else refuse(waiting, 'client_order_id_conflict', `client_order_id ${id} was used with another body.`)
    return true
  }
  private serve(account: string, id: string, waiting: Waiting): void {
    this.host.answerOf(account, id).then(
      (stored) => (stored ? answerFrom(waiting, stored, true) : refuse(waiting, 'unavailable', UNREADABLE, 1)),
      () => refuse(waiting, 'unavailable', UNREADABLE, 1),
    )
  }
}

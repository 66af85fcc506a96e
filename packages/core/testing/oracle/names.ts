import type { Answer, Command } from '../../domain/engine/types.ts'

/** The engine names an order by its record, the oracle by the client's id: `@c5.tp` in a command is either's own name. */
export class Names {
  private readonly clients = new Map<string, string>()
  private readonly orders = new Map<string, string>()

  learn(account: string, command: Command, answer: Answer): void {
    if (!answer.ok || !answer.order) return
    if (command.op !== 'order' && command.op !== 'close') return
    this.clients.set(`${account} ${answer.order.id}`, command.client_order_id!)
    this.orders.set(`${account} ${command.client_order_id}`, answer.order.id)
  }
  of(account: string, order: string): string {
    const [id, ...rest] = order.split('.')
    const known = this.clients.get(`${account} ${id}`)
    return known === undefined ? order : [known, ...rest].join('.')
  }
  private order(account: string, name: string): string | undefined {
    const [id, ...rest] = name.slice(1).split('.')
    const known = this.orders.get(`${account} ${id}`)
    return known === undefined ? undefined : [known, ...rest].join('.')
  }
  /** Null: it names what never was. */
  resolve(account: string, command: Command): Command | null {
    const copy = { ...command } as Record<string, unknown>
    for (const key of ['order', 'position']) {
      const name = copy[key]
      if (typeof name !== 'string' || !name.startsWith('@')) continue
      copy[key] = this.order(account, name)
      if (copy[key] === undefined) return null
    }
    return copy as unknown as Command
  }
}
export function named(command: Command): Command {
  const copy = { ...command } as Record<string, unknown>
  for (const key of ['order', 'position']) {
    if (typeof copy[key] === 'string') copy[key] = (copy[key] as string).replace(/^(@|client:)/, '')
  }
  return copy as unknown as Command
}

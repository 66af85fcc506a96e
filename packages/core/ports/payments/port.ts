export interface Checkout {
  id: string
  url: string | null
  status: 'paid' | 'pending' | 'refused'
  reason?: string
}
/** amount: plain decimal string in `currency`; the same idempotencyKey never pays twice and returns the first checkout. */
export interface Payments {
  readonly provider: string
  checkout(order: {
    purchaseId: string
    amount: string
    currency: string
    description: string
    idempotencyKey: string
  }): Promise<Checkout>
  close(): Promise<void>
}

/** What the gateway counts apart; a request belongs to one of them (kernel/limit-class.ts). */
export const COUNTED_CLASSES = ['default', 'orders', 'auth', 'payments', 'exports'] as const
export type CountedClass = (typeof COUNTED_CLASSES)[number]

/** What a plan may lack. */
export const FEATURES = {
  live: 'live push',
  api_keys: 'API keys',
  proofs: 'proofs',
} as const
export type Feature = keyof typeof FEATURES

/** What a tenant's plan allows; not an assessment's tier. Absent classes: as everybody, or no quota. */
export interface Plan {
  features: readonly Feature[]
  /** requests per minute of one client, in times of RATE_LIMIT_PER_MINUTE */
  rate: Partial<Record<CountedClass, number>>
  /** orders per second of an API key that has no limit of its own */
  keyOrdersPerSecond: number
  /** requests of one client under way at once */
  concurrent: number
  /** requests of all of the tenant's clients together, per day */
  perDay: Partial<Record<CountedClass, number>>
}

const EVERYTHING = Object.keys(FEATURES) as Feature[]
const timesOf = (times: number) => ({ default: times, orders: times, exports: times })

export const PLANS = {
  free: {
    features: ['live'],
    rate: {},
    keyOrdersPerSecond: 10,
    concurrent: 32,
    perDay: { default: 20_000, orders: 20_000, exports: 100 },
  },
  standard: { features: EVERYTHING, rate: {}, keyOrdersPerSecond: 100, concurrent: 256, perDay: {} },
  pro: { features: EVERYTHING, rate: timesOf(5), keyOrdersPerSecond: 500, concurrent: 512, perDay: {} },
  enterprise: { features: EVERYTHING, rate: timesOf(20), keyOrdersPerSecond: 1_000, concurrent: 1_024, perDay: {} },
} as const satisfies Record<string, Plan>
export type PlanName = keyof typeof PLANS
export const PLAN_NAMES = Object.keys(PLANS) as [PlanName, ...PlanName[]]

/** A plan that this release does not know allows what the least one does. */
export const planOf = (name: string): Plan => (Object.hasOwn(PLANS, name) ? PLANS[name as PlanName] : PLANS.free)

/** The closed set of codes: HTTP status and title. `type` on the wire is `urn:assay:error:<code>`. */
export const ERRORS = {
  malformed_body: [400, 'The body is not valid JSON'],
  bad_request: [400, 'The request is not valid'],
  unauthorized: [401, 'Authentication is needed'],
  invalid_credentials: [401, 'E-mail or password is wrong'],
  second_factor_required: [401, 'The code of the second factor is needed'],
  payment_refused: [402, 'The payment was refused'],
  forbidden: [403, 'Not allowed'],
  plan_required: [403, 'The plan does not have this'],
  pin_locked: [403, 'The PIN is locked'],
  step_up_required: [403, 'The second factor must be shown again'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  conflict: [409, 'Conflict'],
  client_order_id_conflict: [409, 'This client_order_id was used with another body'],
  idempotency_in_progress: [409, 'The first request with this key is still running'],
  assessment_not_started: [409, 'The assessment has not started'],
  assessment_ended: [409, 'The assessment has ended'],
  assessment_already_started: [409, 'The assessment was already started'],
  order_not_working: [409, 'The order is not working any more'],
  account_locked: [409, 'Only orders that reduce exposure are accepted now'],
  assessment_paused: [409, 'The assessment is paused'],
  assessment_not_paused: [409, 'The assessment is not paused'],
  pause_not_allowed: [409, 'The assessment cannot be paused now'],
  position_not_open: [409, 'The position is not open'],
  preset_not_accepted: [409, 'The preset has parameters without a source'],
  precondition_failed: [412, 'It has changed meanwhile'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body has another type'],
  validation_failed: [422, 'A field is not valid'],
  idempotency_key_reused: [422, 'This Idempotency-Key was used with another body'],
  unknown_symbol: [422, 'Unknown symbol'],
  symbol_not_tradable: [422, 'This symbol cannot be traded in this account'],
  price_off_grid: [422, 'The price is not on the price grid'],
  quantity_off_grid: [422, 'The quantity is not on the quantity grid'],
  quantity_too_small: [422, 'The quantity is too small'],
  quantity_too_large: [422, 'The quantity is too large'],
  notional_too_small: [422, 'The notional is too small'],
  insufficient_margin: [422, 'The free margin is not enough'],
  too_many_orders: [422, 'Too many working orders'],
  market_closed: [422, 'The market is closed'],
  market_halted: [422, 'The market is halted'],
  market_stale: [422, 'The market data is stale'],
  order_expired: [422, 'The order would be expired already'],
  would_take: [422, 'A post-only order would trade at once'],
  nothing_to_reduce: [422, 'There is no position that it could reduce'],
  bracket_inconsistent: [422, 'An exit of the bracket is on the wrong side of its entry'],
  oco_inconsistent: [422, 'A leg of the pair is on the wrong side of the market'],
  not_amendable: [422, 'This cannot be changed'],
  rule_refused: [422, 'A rule of the phase refuses this order'],
  no_liquidity: [422, 'Nothing to trade against'],
  not_supported: [422, 'Not supported yet'],
  rate_limited: [429, 'Too many requests'],
  queue_full: [429, 'Too many commands are waiting for this account'],
  internal: [500, 'Something went wrong'],
  unavailable: [503, 'Not available now'],
  engine_behind: [503, 'The engine is behind the market'],
  disk_full: [503, 'The disk is full'],
  outcome_unknown: [504, 'The outcome is not known yet'],
} as const satisfies Record<string, readonly [number, string]>
export type ErrorCode = keyof typeof ERRORS
export const statusOf = (code: ErrorCode): number => ERRORS[code][0]

export interface ErrorOptions {
  field?: string
  nearest?: string
  retryAfterS?: number
  /** the same request may succeed later; its client_order_id is not used up */
  retryable?: boolean
  /** of outcome_unknown: under which id the order is found, `client:<id>` */
  order?: string
  errors?: { field: string; detail: string }[]
  /** of forbidden: what the credential lacks */
  scope?: string
  cause?: unknown
}
/** The one error type: `detail` is public text, `cause` stays in the log. Anything else that is thrown is masked as `internal`. */
export class AssayError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    readonly options: ErrorOptions = {},
  ) {
    super(`${code}: ${detail}`, { cause: options.cause })
    this.name = 'AssayError'
  }
  get status(): number {
    return statusOf(this.code)
  }
}

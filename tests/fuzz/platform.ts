/** The platform as the fuzzer asks it: every limit counts, none is met. */
export const LIMITS_OFF = {
  FEEDS: 'sim',
  TRUSTED_PROXIES: '127.0.0.1',
  LOG_LEVEL: 'error',
  RATE_LIMIT_PER_MINUTE: '100000000',
  RATE_LIMIT_PER_HOUR: '100000000',
  RATE_LIMIT_PER_DAY: '100000000',
}

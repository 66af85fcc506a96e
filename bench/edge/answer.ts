/** What both sides answer. */
export const ANSWER = { symbol: 'BTC/USD', bid: '64250.10', ask: '64250.20', sequence: 1_234_567 }

/** Why the server ends a connection; each travels with its reason. 1009 (message too large) is the protocol's own. */
export const CLOSE = {
  goingAway: [1001, 'The server is closing; connect again and resume with `from`'],
  tooLarge: [1009, 'The message is too large'],
  expired: [4401, 'The token expired; renew it in-band before its end'],
  revoked: [4403, 'The session was revoked'],
  tooSlow: [4408, 'Too many unsent bytes; connect again and resume with `from`'],
  silent: [4410, 'Nothing was heard from the client'],
  tooManyOps: [4429, 'Too many operations are waiting'],
} as const satisfies Record<string, readonly [number, string]>
export type CloseReason = keyof typeof CLOSE

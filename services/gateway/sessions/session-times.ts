const MINUTE = 60_000

/** A session ends twelve hours after its login, whatever happens in it. */
export const SESSION_MS = 12 * 60 * MINUTE
/** What an access token lives at most; shorter when a session idles out earlier. */
export const ACCESS_TOKEN_MS = 15 * MINUTE
/** How long the answer of a refresh can be asked for again by the client that lost it. */
export const REFRESH_GRACE_MS = 10_000

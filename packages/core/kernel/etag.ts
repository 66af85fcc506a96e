interface Mapped {
  request: Request
  responseValue: unknown
  set: { status?: number | string; headers: Record<string, string | number> }
}

/** `mapResponse` of list routes: the list gets its ETag, a caller that has it already a 304. */
export function etag({ request, responseValue, set }: Mapped): Response | undefined {
  if (set.status !== undefined && set.status !== 200) return undefined
  const tag = `W/"${Bun.hash(JSON.stringify(responseValue)).toString(36)}"`
  set.headers.etag = tag
  const known = request.headers
    .get('if-none-match')
    ?.split(',')
    .map((text) => text.trim())
  if (!known?.some((text) => text === tag || text === '*')) return undefined
  return new Response(null, { status: 304, headers: set.headers as Record<string, string> })
}

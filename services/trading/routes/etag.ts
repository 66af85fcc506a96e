/** Answers a list with its ETag, or 304 to a caller that has it already. */
export function withEtag<T>(
  request: Request,
  set: { headers: Record<string, string | number> },
  body: T,
): T | Response {
  const etag = `W/"${Bun.hash(JSON.stringify(body)).toString(36)}"`
  const asked = request.headers.get('if-none-match')
  if (asked?.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*')) {
    return new Response(null, { status: 304, headers: { etag } })
  }
  set.headers.etag = etag
  return body
}

const PLACES_ORDER = /^\/api\/assessments\/[^/]+\/(orders|positions\/[^/]+\/close)\/?$/

/** Under which name the order of a POST is found whose answer was lost, `client:<id>`; undefined: it places none. */
export function lostOrder(path: string, body: Uint8Array | undefined, requestId: string): string | undefined {
  if (!PLACES_ORDER.test(path)) return undefined
  // as the engine names it: an order without a client_order_id gets the request id
  return `client:${clientOrderId(body) ?? requestId}`
}

function clientOrderId(body: Uint8Array | undefined): string | undefined {
  try {
    const { client_order_id: id } = JSON.parse(new TextDecoder().decode(body)) as { client_order_id?: unknown }
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

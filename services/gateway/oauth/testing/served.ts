import { type Server, serve } from 'bun'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type { World } from '../../testing/world.ts'

export interface Served {
  base: string
  /** claims of the last token that the resource accepted */
  seen: () => JWTPayload | undefined
  stop(): Promise<void>
}

/** The gateway on a port, with a small MCP server at /mcp that knows it by its documents only. */
export function serveWorld(world: World): Served {
  let seen: JWTPayload | undefined
  const server: Server<undefined> = serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 30,
    fetch: (request) => (new URL(request.url).pathname === '/mcp' ? resource(request) : world.handle(request)),
  })
  const base = `http://127.0.0.1:${server.port}`
  const keys = createRemoteJWKSet(new URL(`${base}/.well-known/jwks.json`))

  async function resource(request: Request): Promise<Response> {
    const token = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
    try {
      const { payload } = await jwtVerify(token ?? '', keys, { issuer: base, audience: `${base}/mcp`, typ: 'at+jwt' })
      seen = payload
    } catch {
      const challenge = `Bearer ${token ? 'error="invalid_token", ' : ''}resource_metadata="${base}/.well-known/oauth-protected-resource/mcp"`
      return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })
    }
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const { id, method } = (await request.json()) as { id?: number; method: string }
    if (id === undefined) return new Response(null, { status: 202 })
    if (method === 'initialize') return Response.json({ jsonrpc: '2.0', id, result: INITIALIZED })
    if (method === 'tools/list') return Response.json({ jsonrpc: '2.0', id, result: { tools: TOOLS } })
    return Response.json({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'Method not found' } })
  }

  return { base, seen: () => seen, stop: () => server.stop(true) }
}

const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'small', version: '1' },
}
const TOOLS = [{ name: 'account_show', inputSchema: { type: 'object' } }]

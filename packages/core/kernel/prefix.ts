import { pathOf } from './request.ts'
import { createRouteTable, type RouteEntry } from './route-table.ts'

const PREFIX = '/api'
type Fetch = (request: Request) => Response | Promise<Response>

/** `/tiers` is `/api/tiers` where no route has the first name and one has the second. */
export function withoutPrefix(routes: () => readonly RouteEntry[]): (next: Fetch) => Fetch {
  const methodsOf = createRouteTable(routes)
  return (next) => (request) => {
    const path = pathOf(request.url)
    if (path.startsWith(`${PREFIX}/`) || methodsOf(path).length > 0) return next(request)
    if (methodsOf(PREFIX + path).length === 0) return next(request)
    const at = request.url.indexOf(path, request.url.indexOf('://') + 3)
    return next(new Request(request.url.slice(0, at) + PREFIX + request.url.slice(at), request))
  }
}

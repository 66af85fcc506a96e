export interface RouteEntry {
  method: string
  path: string
}

/** What a gateway alone hands on: no route of its own. */
const ELSEWHERE = '/*'

/** Methods that a path has, by the routes of the app: what a 405 says in `Allow`. Empty: no such path. */
export function createRouteTable(routes: () => readonly RouteEntry[]): (path: string) => string[] {
  let patterns: { match: RegExp; method: string }[] | undefined
  return (path) => {
    patterns ??= routes()
      .filter(({ path }) => path !== ELSEWHERE)
      .map((route) => ({ match: pattern(route.path), method: route.method }))
    return [...new Set(patterns.filter(({ match }) => match.test(path)).map(({ method }) => method))].sort()
  }
}

const pattern = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace(/\*/g, '.*')}/?$`,
  )

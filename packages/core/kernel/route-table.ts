export interface RouteEntry {
  method: string
  path: string
}

/**
 * Methods that a path has, by the routes of the app: what a 405 says in `Allow`. Empty: no such path. Of `/x/{id}` and
 * `/x/preview`, the path `/x/preview` is the latter's alone, as the document says.
 */
export function createRouteTable(routes: () => readonly RouteEntry[]): (path: string) => string[] {
  let patterns: { match: RegExp; method: string; names: number }[] | undefined
  return (path) => {
    patterns ??= routes().map(({ path, method }) => ({
      match: pattern(path),
      method,
      names: path.split(':').length,
    }))
    const its = patterns.filter(({ match }) => match.test(path))
    const fewest = Math.min(...its.map(({ names }) => names))
    return [...new Set(its.filter(({ names }) => names === fewest).map(({ method }) => method))].sort()
  }
}

const pattern = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace(/\*/g, '.*')}/?$`,
  )

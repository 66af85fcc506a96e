import { engineContent } from './engine-content.ts'
import { envExample } from './env-example.ts'
import { openApi, routeTable } from './openapi.ts'
import { topicsPage } from './topics-page.ts'
import { zones } from './zones.ts'

/** Files that are made from others and checked in. */
export const targets: readonly { path: string; make: () => string | Promise<string> }[] = [
  { path: '.env.example', make: envExample },
  { path: 'docs/topics.md', make: topicsPage },
  { path: 'openapi/assay.json', make: openApi },
  { path: 'packages/core/domain/engine/content.json', make: engineContent },
  { path: 'packages/core/domain/time/zones.json', make: zones },
  { path: 'services/gateway/routing/routes.json', make: routeTable },
]

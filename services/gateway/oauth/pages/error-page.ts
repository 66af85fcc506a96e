import { html } from './html.ts'
import { alert, layout } from './layout.ts'

/** What cannot be told to the client, because it is not sure who that is. */
export const errorPage = (problem: string): string =>
  layout(
    'This request cannot be answered',
    html`${alert(problem)}
<p>Nothing was sent to the program that brought you here. Go back to it and try again; if this page returns, tell whoever makes it.</p>`,
  )

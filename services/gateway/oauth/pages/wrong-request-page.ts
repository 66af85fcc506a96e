import { html } from './html.ts'
import { alert, layout } from './layout.ts'

/** A program asked for something wrong: who reads it decides whether to go to its site, which may be anybody's. */
export const wrongRequestPage = ({ name, problem, to }: { name: string; problem: string; to: string }): string =>
  layout(
    'The program asked for something wrong',
    html`${alert(problem)}
<p><strong>${name}</strong> brought you here with a request that cannot be answered. Nobody is signed in by it.</p>
<p><a href="${to}">Back to ${new URL(to).host}</a></p>`,
  )

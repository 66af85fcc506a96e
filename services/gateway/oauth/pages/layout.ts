import { createHash } from 'node:crypto'
import { Html, html } from './html.ts'

/** Colours keep 4.5:1 against their grounds in both schemes. */
const STYLE = `
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#16181d;--soft:#4a5160;--line:#8a92a3;--act:#1746a2;--on-act:#fff;--warn:#9b1c1c;--warn-ground:#fdecec}
@media (prefers-color-scheme:dark){:root{--ground:#101216;--card:#1a1d23;--ink:#f1f3f6;--soft:#b6bdca;--line:#7d8798;--act:#9dbdff;--on-act:#0c1a38;--warn:#ffb4b4;--warn-ground:#3a1618}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:28rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.75rem;overflow-wrap:anywhere}
h1{font-size:1.375rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1rem;margin:1.25rem 0 .5rem}
p{margin:0 0 .75rem;overflow-wrap:anywhere}
.brand{font-weight:700;letter-spacing:.02em;margin:0 0 1.25rem}
.soft{color:var(--soft);font-size:.9375rem}
label{display:block;font-weight:600;margin:1rem 0 .25rem}
input[type=email],input[type=password],input[type=text]{width:100%;font:inherit;padding:.625rem .75rem;color:inherit;background:transparent;border:1px solid var(--line);border-radius:.375rem}
fieldset{border:1px solid var(--line);border-radius:.375rem;margin:1rem 0;padding:.5rem 1rem}
legend{font-weight:600;padding:0 .25rem}
.scope{display:grid;grid-template-columns:auto 1fr;gap:.625rem;font-weight:400;margin:.5rem 0}
.scope input{width:1.25rem;height:1.25rem;margin:.125rem 0 0}
code{font-size:.875rem;color:var(--soft)}
.buttons{display:flex;gap:.75rem;margin:1.5rem 0 1rem;flex-wrap:wrap}
main>:last-child,form>:last-child{margin-bottom:0}
main>form+p{margin-top:1rem}
button{font:inherit;font-weight:600;padding:.625rem 1.25rem;min-height:2.75rem;border-radius:.375rem;border:1px solid var(--act);background:transparent;color:var(--act);cursor:pointer}
button.act{background:var(--act);color:var(--on-act)}
:focus-visible{outline:3px solid var(--act);outline-offset:2px}
.alert{background:var(--warn-ground);color:var(--warn);border:1px solid currentcolor;border-radius:.375rem;padding:.625rem .875rem;margin:0 0 1rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem .75rem;margin:0 0 1rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** A page of ours: no script, nothing from elsewhere. */
export const layout = (title: string, content: Html): string =>
  html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${title} · Assay</title><style>${new Html(STYLE)}</style></head>
<body><main><p class="brand">Assay</p><h1>${title}</h1>${content}</main></body></html>
`.text

/** Headers of such a page; `formTo`: the origin that its form may lead to beside our own. */
export const pageHeaders = (formTo?: string): Record<string, string> => ({
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${formTo ? `'self' ${formTo}` : "'none'"}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'`,
  // with no-referrer a browser would send Origin: null with our own forms
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
})

export const alert = (text: string | undefined): Html | null =>
  text ? html`<p class="alert" role="alert">${text}</p>` : null

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A piece of a page: what is put into it is escaped, unless it is such a piece itself. */
export class Html {
  constructor(readonly text: string) {}
}
type Part = string | number | Html | null | readonly Html[]

export function html(parts: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(parts.reduce((text, part, at) => text + textOf(values[at - 1] ?? null) + part))
}
function textOf(part: Part): string {
  if (part === null) return ''
  if (part instanceof Html) return part.text
  if (Array.isArray(part)) return part.map((one: Html) => one.text).join('')
  return String(part).replace(/[&<>"']/g, (sign) => ENTITIES[sign]!)
}

import type { Answer } from '../types.ts'

export type Refusal = Extract<Answer, { ok: false }>
export const refuse = (code: string, detail: string, more: Partial<Refusal> = {}): Refusal => ({
  ok: false,
  code,
  detail,
  ...more,
})

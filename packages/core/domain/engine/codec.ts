/** The stored form of what decides: JSON-native, decimals as strings, snake_case names. A codec reads back what it wrote. */
import { type Dec, dec, str } from '../money/dec.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export interface Codec<T> {
  encode(value: T): Json
  // biome-ignore lint/suspicious/noExplicitAny: reads back what encode wrote
  decode(stored: any): T
}

export const decimal: Codec<Dec> = { encode: str, decode: dec }
/** JSON-native as it is. */
export const plain = <T>(): Codec<T> => ({ encode: (value) => value as Json, decode: (stored) => stored })
export const nullable = <T>(codec: Codec<T>): Codec<T | null> => ({
  encode: (value) => (value === null ? null : codec.encode(value)),
  decode: (stored) => (stored === null ? null : codec.decode(stored)),
})
export const list = <T>(codec: Codec<T>): Codec<T[]> => ({
  encode: (values) => values.map((value) => codec.encode(value)),
  decode: (stored) => stored.map((value: Json) => codec.decode(value)),
})
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Every field of T, each with its codec: one that is left out does not compile. */
export function record<T extends object>(fields: { [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const each = (Object.keys(fields) as (keyof T & string)[]).map((name) => ({
    name,
    stored: snake(name),
    codec: fields[name] as Codec<unknown>,
  }))
  // members as canonical JSON has them: what writes it finds them in order
  const inOrder = each.toSorted((a, b) => (a.stored < b.stored ? -1 : 1))
  return {
    encode(value) {
      const out: { [key: string]: Json } = {}
      for (const { name, stored, codec } of inOrder) out[stored] = codec.encode(value[name])
      return out
    },
    decode(from) {
      const out = {} as Record<string, unknown>
      for (const { name, stored, codec } of each) out[name] = codec.decode(from[stored])
      return out as T
    },
  }
}

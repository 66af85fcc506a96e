/** Arrays in the server's binary form: nothing is quoted on this side and nothing parsed on the other. */
const TYPES = {
  boolean: 16,
  bigint: 20,
  integer: 23,
  text: 25,
  json: 114,
  uuid: 2950,
} as const
export type BinaryType = keyof typeof TYPES
export const isBinaryType = (type: string): type is BinaryType => type in TYPES

const HEADER = 20
const NULL = -1
let scratch = Buffer.allocUnsafe(1 << 16)

/** A parameter of type `type[]`. bigint items are safe integers, uuid and json items their text. */
export function binaryArray(type: BinaryType, items: readonly (string | number | boolean | null)[]): Uint8Array {
  scratch.writeInt32BE(items.length === 0 ? 0 : 1, 0)
  scratch.writeInt32BE(0, 4)
  scratch.writeInt32BE(TYPES[type], 8)
  if (items.length === 0) return new Uint8Array(scratch.subarray(0, 12))
  scratch.writeInt32BE(items.length, 12)
  scratch.writeInt32BE(1, 16)
  let at = HEADER
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!
    // in UTF-8 a UTF-16 unit takes at most three bytes
    reserve(at + 20 + (typeof item === 'string' ? item.length * 3 : 0))
    if (item === null) {
      scratch.writeInt32BE(NULL, at)
      at += 4
    } else {
      const length = write(type, item, at + 4)
      scratch.writeInt32BE(length, at)
      at += 4 + length
    }
  }
  return new Uint8Array(scratch.subarray(0, at))
}

function reserve(length: number): void {
  if (length <= scratch.length) return
  const larger = Buffer.allocUnsafe(length * 2)
  scratch.copy(larger)
  scratch = larger
}

function write(type: BinaryType, item: string | number | boolean, at: number): number {
  switch (type) {
    case 'integer':
      scratch.writeInt32BE(item as number, at)
      return 4
    case 'bigint':
      scratch.writeInt32BE(Math.floor((item as number) / 2 ** 32), at)
      scratch.writeUInt32BE((item as number) - Math.floor((item as number) / 2 ** 32) * 2 ** 32, at + 4)
      return 8
    case 'boolean':
      scratch[at] = item ? 1 : 0
      return 1
    case 'uuid':
      return scratch.write((item as string).replaceAll('-', ''), at, 'hex')
    default:
      return scratch.write(item as string, at)
  }
}

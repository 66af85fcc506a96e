/**
 * The ZIP container of a proof: a small, strict subset (docs/proof-format.md, Container). No ZIP64, encryption,
 * data descriptors, comments or extra fields; entries follow each other without gaps; sizes are bounded before
 * anything is inflated.
 */
import { Deflate, Inflate } from 'fflate'

export const MAX_ENTRIES = 20_000
export const MAX_ENTRY_BYTES = 512 * 2 ** 20
export const MAX_TOTAL_BYTES = 1024 * 2 ** 20
/** 1980-01-01 00:00, the first day of the format: archives of the same content are the same bytes. */
const DOS_DATE = 0x0021
const UTF8_NAME = 0x0800
const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50

/** Not a readable archive: nothing can be said about its content. */
export class ContainerError extends Error {}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})
function crc32(bytes: Uint8Array, before = 0): number {
  let c = ~before
  for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]!) & 255]! ^ (c >>> 8)
  return ~c >>> 0
}

/** One file being written: text goes in piece by piece, only its compressed form is kept. */
export class EntryWriter {
  private readonly chunks: Uint8Array[] = []
  private readonly deflate = new Deflate({ level: 6 }, (chunk) => this.chunks.push(chunk))
  private crc = 0
  /** bytes before compression */
  size = 0

  write(text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.crc = crc32(bytes, this.crc)
    this.size += bytes.length
    this.deflate.push(bytes)
  }
  finish(): { data: Uint8Array; crc: number; size: number } {
    this.deflate.push(new Uint8Array(0), true)
    return { data: concat(this.chunks), crc: this.crc, size: this.size }
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Entries in ascending order of name -> archive bytes. */
export function pack(entries: ReadonlyMap<string, EntryWriter | string>): Uint8Array {
  const parts: Uint8Array[] = []
  const central: Uint8Array[] = []
  let offset = 0
  for (const name of [...entries.keys()].sort()) {
    let writer = entries.get(name)!
    if (typeof writer === 'string') {
      const text = writer
      writer = new EntryWriter()
      writer.write(text)
    }
    const { data, crc, size } = writer.finish()
    const nameBytes = new TextEncoder().encode(name)
    const shared = new DataView(new ArrayBuffer(26))
    const fields: [number, 2 | 4, number][] = [
      [0, 2, 20],
      [2, 2, UTF8_NAME],
      [4, 2, 8],
      [6, 2, 0],
      [8, 2, DOS_DATE],
      [10, 4, crc],
      [14, 4, data.length],
      [18, 4, size],
      [22, 2, nameBytes.length],
      [24, 2, 0],
    ]
    for (const [at, width, value] of fields)
      width === 2 ? shared.setUint16(at, value, true) : shared.setUint32(at, value, true)
    const common = new Uint8Array(shared.buffer)
    const local = concat([le32(LOCAL), common, nameBytes])
    central.push(concat([le32(CENTRAL), le16(20), common, le16(0), le16(0), le16(0), le32(0), le32(offset), nameBytes]))
    parts.push(local, data)
    offset += local.length + data.length
  }
  const directory = concat(central)
  const end = concat([
    le32(END),
    le16(0),
    le16(0),
    le16(central.length),
    le16(central.length),
    le32(directory.length),
    le32(offset),
    le16(0),
  ])
  return concat([...parts, directory, end])
}
const le16 = (v: number): Uint8Array => Uint8Array.of(v & 255, (v >>> 8) & 255)
const le32 = (v: number): Uint8Array => Uint8Array.of(v & 255, (v >>> 8) & 255, (v >>> 16) & 255, (v >>> 24) & 255)

export interface Unpacked {
  files: Map<string, Uint8Array>
  /** files whose checksum does not hold: their content is damaged, and says where */
  damaged: string[]
}

/** Archive bytes -> files. ContainerError when it is not exactly such a container or over a bound. */
export function unpack(bytes: Uint8Array): Unpacked {
  const fail = (why: string): never => {
    throw new ContainerError(why)
  }
  if (bytes.length < 22) fail('truncated: no end record')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u16 = (at: number): number => view.getUint16(at, true)
  const u32 = (at: number): number => view.getUint32(at, true)
  const endAt = bytes.length - 22
  if (u32(endAt) !== END) fail('truncated, or not a proof archive')
  const count = u16(endAt + 10)
  const directorySize = u32(endAt + 12)
  const directoryAt = u32(endAt + 16)
  if (u16(endAt + 4) !== 0 || u16(endAt + 6) !== 0 || u16(endAt + 8) !== count || u16(endAt + 20) !== 0)
    fail('unsupported end record')
  if (directoryAt + directorySize !== endAt) fail('the directory does not end where it should')
  if (count > MAX_ENTRIES) fail(`more than ${MAX_ENTRIES} entries`)
  const files = new Map<string, Uint8Array>()
  const damaged: string[] = []
  let at = directoryAt
  let expected = 0
  let total = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > endAt || u32(at) !== CENTRAL) fail('broken directory')
    const flags = u16(at + 8)
    const method = u16(at + 10)
    const crc = u32(at + 16)
    const packed = u32(at + 20)
    const size = u32(at + 24)
    const nameLength = u16(at + 28)
    const offset = u32(at + 42)
    if (u16(at + 30) !== 0 || u16(at + 32) !== 0 || u16(at + 34) !== 0) fail('unsupported directory entry')
    if ((flags & ~UTF8_NAME) !== 0 || (method !== 0 && method !== 8)) fail('unsupported compression or flags')
    if (at + 46 + nameLength > endAt) fail('broken directory')
    const name = decodeName(bytes.subarray(at + 46, at + 46 + nameLength))
    total += size
    if (size > MAX_ENTRY_BYTES || total > MAX_TOTAL_BYTES) fail('larger than a proof may be')
    if (offset !== expected || offset + 30 + nameLength + packed > directoryAt)
      fail(`entry ${name} is not where it should be`)
    const sameHeader =
      u32(offset) === LOCAL &&
      u16(offset + 6) === flags &&
      u16(offset + 8) === method &&
      u32(offset + 14) === crc &&
      u32(offset + 18) === packed &&
      u32(offset + 22) === size &&
      u16(offset + 26) === nameLength &&
      u16(offset + 28) === 0
    if (!sameHeader || decodeName(bytes.subarray(offset + 30, offset + 30 + nameLength)) !== name)
      fail(`two headers of ${name} differ`)
    if (files.has(name)) fail(`${name} is there twice`)
    const start = offset + 30 + nameLength
    const data = bytes.subarray(start, start + packed)
    const content = method === 0 ? data : inflate(data, size, name)
    if (content.length !== size) fail(`${name} has another size than it says`)
    if (crc32(content) !== crc) damaged.push(name)
    files.set(name, content)
    expected = start + packed
    at += 46 + nameLength
  }
  if (at !== endAt || expected !== directoryAt) fail('bytes that belong to no entry')
  return { files, damaged }
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ContainerError('a name that is not UTF-8')
  }
}

/** Inflates piece by piece and stops as soon as there is more than was said. */
function inflate(data: Uint8Array, size: number, name: string): Uint8Array {
  const out = new Uint8Array(size)
  let at = 0
  let ended = false
  const stream = new Inflate((chunk, final) => {
    if (at + chunk.length > size) throw new ContainerError(`${name} is larger than it says`)
    out.set(chunk, at)
    at += chunk.length
    ended = final
  })
  try {
    for (let i = 0; i < data.length || i === 0; i += 65_536) {
      const end = Math.min(i + 65_536, data.length)
      stream.push(data.subarray(i, end), end === data.length)
    }
  } catch (error) {
    if (error instanceof ContainerError) throw error
    throw new ContainerError(`${name} cannot be inflated`, { cause: error })
  }
  if (!ended) throw new ContainerError(`${name} is truncated`)
  return out.subarray(0, at)
}

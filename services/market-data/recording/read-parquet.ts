import { open } from 'node:fs/promises'
import type { SchemaElement } from 'hyparquet'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { RowBatch } from './row.ts'
import { quoted } from './row.ts'

const ROWS = 65_536

/** A Parquet file, some rows at a time. Decimals and floats become the shortest text that means the same value. */
export async function* readParquet(path: string, onBytes?: (bytes: number) => void): AsyncGenerator<RowBatch> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const file = {
      byteLength: size,
      async slice(start: number, end = size): Promise<ArrayBuffer> {
        const bytes = new Uint8Array(end - start)
        await handle.read(bytes, 0, bytes.length, start)
        return bytes.buffer
      },
    }
    const metadata = await parquetMetadataAsync(file)
    const leaves = metadata.schema.filter((e) => e.type !== undefined)
    const texts = leaves.map(textOf)
    // the reader would multiply decimals out as floats: take them raw
    for (const leaf of leaves) {
      if (leaf.converted_type !== 'DECIMAL' && leaf.logical_type?.type !== 'DECIMAL') continue
      leaf.converted_type = undefined
      leaf.logical_type = undefined
    }
    const header = leaves.map((leaf) => leaf.name)
    const total = Number(metadata.num_rows)
    for (let rowStart = 0; rowStart < total; rowStart += ROWS) {
      const rowEnd = Math.min(total, rowStart + ROWS)
      const objects = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors, parsers, utf8: false })
      const rows = objects.map((object, i) => {
        const cells = header.map((name, k) => texts[k]!(object[name]))
        return { line: rowStart + i + 1, text: quoted(cells.join(',')), cells }
      })
      onBytes?.(Math.round((size * rowEnd) / total))
      yield { header, rows }
    }
  } finally {
    await handle.close()
  }
}

/** Times as integers: the digits say the unit. */
const parsers = {
  timestampFromMilliseconds: (ms: bigint) => String(ms),
  timestampFromMicroseconds: (us: bigint) => String(us),
  timestampFromNanoseconds: (ns: bigint) => String(ns),
}

function textOf(leaf: SchemaElement): (value: unknown) => string {
  const decimal = leaf.converted_type === 'DECIMAL' || leaf.logical_type?.type === 'DECIMAL'
  const scale = leaf.scale ?? 0
  const float = leaf.type === 'FLOAT'
  return (value) => {
    if (value === null || value === undefined) return ''
    if (decimal) return unscaled(value instanceof Uint8Array ? signed(value) : BigInt(value as number), scale)
    if (value instanceof Uint8Array) return new TextDecoder().decode(value)
    if (value instanceof Date) return value.toISOString()
    return float && typeof value === 'number' ? shortestFloat(value) : String(value)
  }
}
function signed(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}
function unscaled(value: bigint, scale: number): string {
  if (scale === 0) return String(value)
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
/** The fewest digits that still are this 32-bit float. */
function shortestFloat(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(value)
}

import { sha256 as noble } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

export { bytesToHex, hexToBytes, utf8ToBytes }

/** SHA-256 of bytes, or of a text's UTF-8. A hot path may plug its runtime's own; both give the same 32 bytes. */
export type Sha256 = (data: Uint8Array | string) => Uint8Array

/** Portable: Node, Bun, browser. */
export const sha256: Sha256 = (data) => noble(typeof data === 'string' ? utf8ToBytes(data) : data)
/** 64 lower-case hex digits. */
export const sha256Hex = (data: Uint8Array | string): string => bytesToHex(sha256(data))

const HEX64 = /^[0-9a-f]{64}$/
export const isHash = (value: unknown): value is string => typeof value === 'string' && HEX64.test(value)

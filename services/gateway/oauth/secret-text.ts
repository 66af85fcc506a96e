import { createHash } from 'node:crypto'

/** 256 random bits. */
export const newSecretText = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')

/** What is stored of it. */
export const hashSecretText = (text: string): string => createHash('sha256').update(text).digest('hex')

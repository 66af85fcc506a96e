/** A plain text mail to one person. */
export interface Letter {
  /** uuid; two sendings of one letter carry the same Message-ID */
  id: string
  to: string
  subject: string
  text: string
}
/** Hands letters on. `send` resolves once the next one has taken the letter over; it may have done so also when it rejects. */
export interface Mail {
  readonly kind: 'folder' | 'smtp'
  send(letter: Letter): Promise<void>
  /** why nothing can be sent now, or null */
  away(): string | null
  /** asks whether it is there, which makes `away` the answer of now */
  look?(): Promise<void>
  close(): Promise<void>
}

/** `permanent`: this letter will not be taken, however often it is sent. The message names no address and no text. */
export class MailError extends Error {
  constructor(
    message: string,
    readonly permanent: boolean,
    options?: { cause?: unknown },
  ) {
    super(message, options)
    this.name = 'MailError'
  }
}

/** How an e-mail is stored and compared. */
export const normalizeEmail = (email: string): string => email.normalize('NFC').toLowerCase()

import { z } from 'zod'
import type { ConfigProblem } from './problem.ts'

/** The variables of mail. */
export const mailVariables = {
  SMTP_URL: z
    .string()
    .refine(
      (url) => /^smtps?:$/.test(URL.parse(url)?.protocol ?? '') && URL.parse(url)?.hostname !== '',
      'must be smtp://[user:password@]host[:port] (STARTTLS), or smtps:// (TLS)',
    )
    .optional(),
  SMTP_CA_FILE: z.string().optional(),
  MAIL_FROM: z
    .string()
    .max(300)
    .regex(
      /^([^<>"\r\n]{1,100} <[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/,
      'must be a@b.example or Name <a@b.example>',
    )
    .default('Assay <assay@localhost>'),
}

/** Which of them contradict each other or lack their other half. */
export function mailProblems(values: Readonly<Record<string, string>>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (values.SMTP_URL && !values.MAIL_FROM)
    problems.push({ variable: 'MAIL_FROM', reason: 'required with SMTP_URL: the sender of all letters' })
  if (values.SMTP_CA_FILE && !values.SMTP_URL)
    problems.push({ variable: 'SMTP_CA_FILE', reason: 'belongs to SMTP_URL, which is not set' })
  return problems
}

/** People with access tokens who trade, read and refresh all the time; every answer is kept count of. */
import { ask, buy } from './people.ts'

export interface Answer {
  path: string
  status: number
  /** of a refusal */
  code?: string
  detail?: string
  ms: number
  /** when it was asked, performance.now() */
  at: number
}
export interface Sessions {
  answers: Answer[]
  /** accounts of the traders */
  assessments: string[]
  /** ids of the keys that signed tokens which were answered */
  kids: Set<string>
  stop(): Promise<void>
}
interface Problem {
  code: string
  detail: string
}
interface Tokens {
  token: string
  refresh_token: string
}
const PAUSE_MS = 30
/** An access token lives longer: one of an old key stays in use for a while. */
const REFRESH_EVERY = 25

export async function trade(url: string, people: number): Promise<Sessions> {
  const answers: Answer[] = []
  const kids = new Set<string>()
  let going = true
  const call = async <T>(method: string, path: string, token?: string, body?: unknown): Promise<T | null> => {
    const at = performance.now()
    const note = (status: number, said?: Pick<Answer, 'code' | 'detail'>) =>
      void answers.push({ path, status, ...said, at, ms: performance.now() - at })
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      })
      const said = (await answer.json()) as T & Problem
      note(answer.status, answer.ok ? {} : { code: said.code, detail: said.detail })
      if (token && answer.ok) kids.add(kidOf(token))
      return answer.ok ? said : null
    } catch {
      note(0)
      return null
    }
  }
  const started = []
  for (let n = 0; n < people; n++) {
    const who = { email: `person-${n}@chaos.example`, password: 'a long enough password' }
    await ask(url, '/api/auth/register', undefined, who)
    const tokens = await ask<Tokens>(url, '/api/auth/login', undefined, who)
    started.push({ n, tokens, id: await buy(url, tokens.token, 'demo-usd', `person-${n}`) })
  }
  const working = started.map(async ({ n, tokens, id }) => {
    let { token, refresh_token } = tokens
    for (let i = 0; going; i++) {
      const side = i % 2 === 0 ? 'buy' : 'sell'
      const order = { client_order_id: `${n}-${i}`, symbol: 'BTC/USD', side, type: 'market', quantity: '0.001' }
      await call('POST', `/api/assessments/${id}/orders`, token, order)
      await call('GET', `/api/assessments/${id}`, token)
      if (i % REFRESH_EVERY === n % REFRESH_EVERY) {
        const next = await call<Tokens>('POST', '/api/auth/refresh', undefined, { refresh_token })
        if (next) ({ token, refresh_token } = next)
      }
      await Bun.sleep(PAUSE_MS)
    }
  })
  return {
    answers,
    assessments: started.map(({ id }) => id),
    kids,
    async stop() {
      going = false
      await Promise.all(working)
    },
  }
}
const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid

import { expect, test } from 'bun:test'
import { AnswerReader } from './peer-answer.ts'

/** What a reader makes of bytes that come in these pieces; `ends`: then the connection does. */
function answerOf(pieces: readonly string[], { method = 'GET', ends = false } = {}) {
  const got = { status: 0, headers: [] as [string, string][], body: '', ended: false, whole: true, keepsAlive: false }
  const reader = new AnswerReader(method, {
    head: ({ status, headers }) => Object.assign(got, { status, headers }),
    data: (bytes) => {
      got.body += Buffer.from(bytes).toString('latin1')
    },
    end: () => {
      got.ended = true
    },
  })
  for (const piece of pieces) reader.read(Buffer.from(piece, 'latin1'))
  if (ends) got.whole = reader.ended()
  return { ...got, keepsAlive: reader.keepsAlive }
}
const failure = (pieces: readonly string[]): string => {
  try {
    answerOf(pieces)
    return 'taken'
  } catch (error) {
    return (error as Error).name
  }
}
const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKS =
  'HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nx-sum: 1\r\n\r\n'

test('an answer is the same wherever its bytes are cut', () => {
  for (const [text, status, body] of [
    [LENGTH, 200, 'hello'],
    [CHUNKS, 201, 'hello world'],
  ] as const) {
    for (let at = 0; at <= text.length; at++) {
      const got = answerOf([text.slice(0, at), text.slice(at)])
      expect(got).toMatchObject({ status, body, ended: true, keepsAlive: true })
    }
    expect(answerOf([...text])).toMatchObject({ status, body, ended: true })
  }
})
test('what has no body has none, whatever its head says; answers 1xx are left out', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n'
  expect(answerOf([head], { method: 'HEAD' })).toMatchObject({ ended: true, body: '' })
  for (const status of [204, 304])
    expect(answerOf([`HTTP/1.1 ${status} x\r\n\r\n`])).toMatchObject({ status, ended: true })
  expect(answerOf([`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nlink: a\r\n\r\n${LENGTH}`])).toMatchObject({
    status: 200,
    body: 'hello',
  })
})
test('a body without a length lasts as long as its connection; one that breaks off is not whole', () => {
  const open = answerOf(['HTTP/1.1 200 OK\r\n\r\nall ', 'of it'], { ends: true })
  expect(open).toMatchObject({ body: 'all of it', ended: true, whole: true, keepsAlive: false })
  for (const text of [LENGTH, CHUNKS])
    expect(answerOf([text.slice(0, -1)], { ends: true })).toMatchObject({ ended: false, whole: false })
})
test('a connection that says it closes is not kept', () => {
  expect(answerOf(['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n']).keepsAlive).toBe(false)
  expect(answerOf(['HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n']).keepsAlive).toBe(false)
})
test('what could be read in two ways is refused', () => {
  const broken = [
    `${LENGTH}HTTP/1.1 200 OK\r\n`,
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: none\r\n\r\n',
    'HTTP/1.1 101 Switching\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfive\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello!\r\n',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`,
  ]
  for (const text of broken)
    expect([text.slice(0, 80), failure([text])]).toEqual([text.slice(0, 80), 'BrokenAnswerError'])
})

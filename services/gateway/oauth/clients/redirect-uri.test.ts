import { expect, test } from 'bun:test'
import { formTarget, isOwned, isRegistered, redirectProblem, withAnswer } from './redirect-uri.ts'

test('codes go to https, to loopback and to schemes with a domain in them, nowhere else (V1.2.2)', () => {
  for (const good of [
    'https://app.example/callback',
    'https://app.example:8443/callback?x=1',
    'http://127.0.0.1:3118/callback',
    'http://localhost/callback',
    'http://[::1]:5/callback',
    'com.example.app:/callback',
  ])
    expect(redirectProblem(good)).toBeNull()
  for (const bad of [
    'http://app.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://10.0.0.1/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'myapp:/callback',
    'https://app.example/callback#x',
    'https://user:pw@app.example/callback',
    'https://app.example;script-src/callback',
    'https://app.example/call back',
    '/callback',
    '',
  ])
    expect(redirectProblem(bad)).not.toBeNull()
})

test('an address must be the registered one to the letter; loopback ones may differ in their port (V10.4.1)', () => {
  const registered = ['https://app.example/callback', 'http://127.0.0.1/callback', 'http://localhost:3000/cb?a=1']
  expect(isRegistered('https://app.example/callback', registered)).toBe(true)
  expect(isRegistered('http://127.0.0.1:49152/callback', registered)).toBe(true)
  expect(isRegistered('http://localhost:4000/cb?a=1', registered)).toBe(true)
  for (const other of [
    'https://app.example/callback/',
    'https://app.example/callback?next=evil',
    'https://app.example/Callback',
    'https://app.example:444/callback',
    'https://app.example/a/../callback',
    'https://sub.app.example/callback',
    'http://app.example/callback',
    'http://localhost:49152/callback',
    'http://127.0.0.1:49152/other',
    'http://127.0.0.1:49152/callback?x=1',
    'http://127.0.0.2:49152/callback',
    'https://127.0.0.1/callback',
  ])
    expect(isRegistered(other, registered)).toBe(false)
})

test('only https addresses belong to somebody', () => {
  expect(isOwned('https://app.example/cb')).toBe(true)
  expect(isOwned('http://127.0.0.1:1/cb')).toBe(false)
  expect(isOwned('com.example.app:/cb')).toBe(false)
})

test('an answer joins the query that is there, and a form may lead to that origin only', () => {
  expect(withAnswer('https://app.example/cb?x=1', { code: 'a&b', state: null, iss: 'https://i' })).toBe(
    'https://app.example/cb?x=1&code=a%26b&iss=https%3A%2F%2Fi',
  )
  expect(formTarget('https://app.example:444/cb?x=1')).toBe('https://app.example:444')
  expect(formTarget('http://[::1]:5/cb')).toBe('http://[::1]:5')
  expect(formTarget('com.example.app:/cb')).toBe('com.example.app:')
})

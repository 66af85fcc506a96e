import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { environment } from '@assay/core/kernel/config'
import { newPkce } from '@assay/services/gateway/oauth/testing/browser'
import { type Served, serveWorld } from '@assay/services/gateway/oauth/testing/served'
import { openWorld, type World } from '@assay/services/gateway/testing/world'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installChromium } from '../../scripts/stack/chromium.ts'

const PASSWORD = 'correct horse battery'
const LIMITS = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_PER_HOUR: '1000000', RATE_LIMIT_PER_DAY: '1000000' }
/** A folder for pictures of the pages, for people; unset: none are taken. */
const PICTURES = environment().PICTURES

let world: World
let served: Served
let browser: Browser
/** the client: waits for the answer at a port of this machine */
let callback: { url: string; got: URL[]; stop(): Promise<void> }

beforeAll(async () => {
  world = await openWorld(LIMITS)
  served = serveWorld(world)
  const got: URL[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const url = new URL(request.url)
      if (url.pathname === '/callback') got.push(url)
      return new Response('<!doctype html><title>Back</title>Back at the client', {
        headers: { 'content-type': 'text/html' },
      })
    },
  })
  callback = { url: `http://127.0.0.1:${server.port}/callback`, got, stop: () => server.stop(true) }
  browser = await chromium.launch({
    executablePath: await installChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })
}, 300_000)
afterAll(async () => {
  await browser?.close()
  await callback?.stop()
  await served?.stop()
  await world?.database.drop()
})

async function client(name = 'Trading robot'): Promise<{ url: string; verifier: string; id: string }> {
  const body = JSON.stringify({ client_name: name, redirect_uris: ['http://127.0.0.1/callback'] })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${served.base}/oauth/register`, { method: 'POST', headers, body })
  const { client_id } = (await answer.json()) as { client_id: string }
  const { verifier, challenge } = newPkce()
  const query = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri: callback.url,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    scope: 'market:read trading:read orders:write trading:write',
    state: 'browser-state',
  })
  return { url: `${served.base}/oauth/authorize?${query}`, verifier, id: client_id }
}

/** A page without script, which says what its policy stopped. */
async function newPage(colorScheme: 'light' | 'dark' = 'light', width = 900) {
  const context = await browser.newContext({ javaScriptEnabled: false, colorScheme, viewport: { width, height: 900 } })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => /policy|refused/i.test(message.text()) && complaints.push(message.text()))
  return { page, context, complaints }
}
async function picture(page: Page, name: string): Promise<void> {
  if (!PICTURES) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true })
}
async function logIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
async function newTrader(email: string): Promise<void> {
  await world.createUser({ email, password: PASSWORD, role: 'trader' })
}

test('a user without script logs in, unticks a scope, allows the rest, and is back at the client with a code for that', async () => {
  await newTrader('browser1@assay.example')
  const { url, verifier, id } = await client()
  const { page, context, complaints } = await newPage()
  await page.goto(url)
  expect(await page.title()).toBe('Sign in · Assay')
  await picture(page, 'login')
  await logIn(page, 'browser1@assay.example', 'wrong password')
  expect(await page.getByRole('alert').textContent()).toBe('E-mail or password is wrong.')
  expect(await page.getByLabel('E-mail').inputValue()).toBe('browser1@assay.example')
  await picture(page, 'login-wrong')
  await logIn(page, 'browser1@assay.example')
  expect(await page.title()).toBe('Allow Trading robot? · Assay')
  await picture(page, 'consent')
  await page.getByLabel(/this can spend money/).uncheck()
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.waitForURL(`${callback.url}?*`)
  const back = callback.got.at(-1)!
  expect(back.searchParams.get('state')).toBe('browser-state')
  expect(back.searchParams.get('iss')).toBe(served.base)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: id,
    code: back.searchParams.get('code')!,
    code_verifier: verifier,
    redirect_uri: callback.url,
  })
  const tokens = (await (await fetch(`${served.base}/oauth/token`, { method: 'POST', body })).json()) as {
    scope: string
  }
  expect(tokens.scope).toBe('market:read trading:read orders:write')
  expect(complaints).toEqual([])
  await context.close()
}, 60_000)

test('a user who does not allow it is back at the client, which hears so', async () => {
  await newTrader('browser2@assay.example')
  const { page, context, complaints } = await newPage('dark', 360)
  await page.goto((await client('A program with a very long name that wraps over lines')).url)
  await picture(page, 'login-dark-narrow')
  await logIn(page, 'browser2@assay.example')
  await picture(page, 'consent-dark-narrow')
  const [form, screen] = [await page.locator('main').boundingBox(), page.viewportSize()]
  expect(form!.x + form!.width).toBeLessThanOrEqual(screen!.width)
  await page.getByRole('button', { name: 'Do not allow' }).click()
  await page.waitForURL(`${callback.url}?*`)
  expect(callback.got.at(-1)!.searchParams.get('error')).toBe('access_denied')
  expect(complaints).toEqual([])
  await context.close()
}, 60_000)

test('a page elsewhere can neither frame these pages nor send their forms', async () => {
  const { url } = await client()
  const { page, context } = await newPage()
  const evil = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () =>
      new Response(
        `<iframe src="${url.replaceAll('&', '&amp;')}"></iframe>
         <form method="post" action="${served.base}/oauth/login"><input name="request" value="x"><button>Go</button></form>`,
        { headers: { 'content-type': 'text/html' } },
      ),
  })
  try {
    await page.goto(`http://127.0.0.1:${evil.port}/`)
    expect(page.frames().map((frame) => frame.url())).not.toContain(url)
    await page.getByRole('button', { name: 'Go' }).click()
    await page.waitForURL(`${served.base}/oauth/login`)
    expect(await page.getByRole('alert').textContent()).toBe('This form is not of this page.')
    await picture(page, 'error')
  } finally {
    await evil.stop(true)
    await context.close()
  }
}, 60_000)

test('the pages have no fault that axe finds by WCAG 2.2 AA, light and dark', async () => {
  await newTrader('browser3@assay.example')
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ colorScheme, bypassCSP: true })
    const page = await context.newPage()
    const faults = async () => {
      await page.evaluate(axe.source)
      const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`
      const { violations } = (await page.evaluate(run)) as axe.AxeResults
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)
    }
    await page.goto((await client()).url)
    expect(await faults()).toEqual([])
    await logIn(page, 'browser3@assay.example', 'wrong password')
    expect(await faults()).toEqual([])
    await logIn(page, 'browser3@assay.example')
    expect(await page.title()).toBe('Allow Trading robot? · Assay')
    expect(await faults()).toEqual([])
    await page.goto(`${served.base}/oauth/authorize?client_id=unknown`)
    expect(await faults()).toEqual([])
    await context.close()
  }
}, 120_000)

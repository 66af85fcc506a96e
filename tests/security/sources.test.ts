import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url).pathname

/** What runs in production: no tests, no helpers of tests, nothing generated. */
const running = ['packages', 'services'].flatMap((folder) =>
  [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(ROOT)].filter(
    (path) => !/node_modules|generated|\.test\.ts$|\/testing\/|\/testing\.ts$|\/contract\.ts$|\.d\.ts$/.test(path),
  ),
)
const textOf = (path: string): string => readFileSync(ROOT + path, 'utf8')
/** Without comments: words there decide nothing. */
const code = new Map(running.map((path) => [path, textOf(path).replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/[^\n]*/g, '')]))
const filesWith = (pattern: RegExp): string[] =>
  [...code].filter(([, text]) => pattern.test(text)).map(([path]) => path)

describe('the sources that run in production', () => {
  test('are there', () => expect(running.length).toBeGreaterThan(300))
  test('execute no text as code (V1.3.2)', () => {
    // a constant script of our own that Redis runs
    expect(filesWith(/\beval\(/)).toEqual(['packages/core/ports/cache/redis-server.ts'])
    expect(textOf('packages/core/ports/cache/redis-server.ts')).toContain('to.eval(lua, keys.length, ...keys, ...args)')
    expect(filesWith(/new Function\(|\bFunction\(|node:vm|setTimeout\(\s*['"`]/)).toEqual([])
  })
  test('start no process but one, by a list of arguments without a shell (V1.2.5)', () => {
    expect(filesWith(/node:child_process|Bun\.spawn|\bspawn(Sync)?\(|\bexec(File|Sync)?\(\s*['"`[]|Bun\.\$/)).toEqual([
      'packages/core/ports/db/cluster.ts',
    ])
    expect(textOf('packages/core/ports/db/cluster.ts')).toContain('Bun.spawn([process.execPath, script, folder]')
  })
  test('make regular expressions of their own constants only (V1.2.9)', () => {
    expect(filesWith(/new RegExp\(|\bRegExp\(/).sort()).toEqual([
      'packages/core/kernel/route-table.ts',
      'services/gateway/api-keys/key-format.ts',
    ])
  })
  test('log under literal messages: a text from outside is a field, never a format (V1.3.10)', () => {
    const calls = [...code].flatMap(([path, text]) =>
      [
        ...text.matchAll(
          /\blog(?:ger)?\.(?:trace|debug|info|warn|error|fatal)\(\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\w+),?\s*([^\s])/g,
        ),
      ].map(([call, first]) => ({ path, call, first: first! })),
    )
    expect(calls.length).toBeGreaterThan(20)
    const others = calls.filter(({ first }) => !/['"`)]/.test(first)).map(({ path, call }) => `${path}: ${call}`)
    // notices of our own configuration
    expect(others).toEqual(['packages/core/kernel/run.ts: logger.warn({}, n'])
    for (const { call } of calls.filter(({ first }) => first === '`')) expect(call).not.toContain('request')
  })
  test('write to standard output and files through the log alone (V16.2.3)', () => {
    expect(filesWith(/\bconsole\.(log|info|warn|error|debug)\(/)).toEqual([])
    expect(filesWith(/process\.std(out|err)\.write/)).toEqual(['packages/core/kernel/run.ts'])
  })
  test('compare without conversion, under the strict rules of the compiler (V15.3.5)', () => {
    const loose: string[] = []
    for (const [path, text] of code)
      for (const [found] of text.matchAll(/[^=!<>]([=!]=)(?!=)\s*(?!null\b)[^\s]/g))
        if (!/^.[=!]=>/.test(found)) loose.push(`${path}: ${found}`)
    // a script in Lua
    expect(loose.filter((line) => !/['"`]/.test(line))).toEqual(['packages/core/ports/cache/redis.ts:  == A'])
    expect(JSON.parse(textOf('tsconfig.json')).compilerOptions).toMatchObject({ strict: true })
  })
  test('hold no secret (V13.3.1)', () => {
    const secrets =
      /-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|sk_live_\w{10}|xox[bp]-\w{10}|ghp_\w{30}|assay_[0-9A-Za-z]{36}/
    const everything = [
      ...new Bun.Glob('{packages,services,scripts,docs,prisma,presets,openapi}/**/*.{ts,md,json,sql,txt}').scanSync(
        ROOT,
      ),
    ]
    const found = everything.filter(
      (path) => !/node_modules|generated|\.test\.ts$/.test(path) && secrets.test(textOf(path)),
    )
    expect(found).toEqual([])
  })
})

describe('cryptography', () => {
  test('is done by Bun, node:crypto, jose, @noble and @peculiar/x509 alone (V11.2.1)', () => {
    const { dependencies: core } = JSON.parse(textOf('packages/core/package.json'))
    const { dependencies: services } = JSON.parse(textOf('services/package.json'))
    const known = /crypt|hash|jose|jwt|sign|cipher|bcrypt|argon|noble|x509|sodium|forge|otp/i
    expect(
      Object.keys({ ...core, ...services })
        .filter((name) => known.test(name))
        .sort(),
    ).toEqual(['@noble/curves', '@noble/hashes', '@peculiar/x509', 'jose'])
  })
  test('knows one cipher, AES-256-GCM, whose tag is checked (V11.3.1, V11.3.2)', () => {
    const ciphers = [...code.values()].flatMap((text) => [
      ...text.matchAll(/create(?:Cipher|Decipher)iv\('([^']+)'|name:\s*'(AES-\w+)'/g),
    ])
    expect([...new Set(ciphers.map(([, node, web]) => node ?? web))]).toEqual(['aes-256-gcm'])
    // a certificate that somebody brings may be RSA's
    expect(filesWith(/AES-(ECB|CBC|CTR)|(?<!ECDHE-)\bRSA|\bRC4|\bDES\b|pkcs1/)).toEqual([])
  })
  test('hashes what must not collide with SHA-256; no MD5, and SHA-1 where a protocol names it (V11.4.3)', () => {
    expect(filesWith(/md5|'md4'|ripemd/i)).toEqual([])
    // RFC 6238's codes, and the name that Redis gives a script
    expect(filesWith(/'sha1'|SHA-1|'SHA1'/i).sort()).toEqual([
      'packages/core/ports/cache/redis-server.ts',
      'packages/core/ports/secrets/totp.ts',
    ])
  })
  test('signs with Ed25519 and P-256 alone: 128 bits of security (V11.2.3, V11.6.1)', () => {
    const made = [...code].flatMap(([path, text]) =>
      [...text.matchAll(/generateKeyPair(?:Sync)?\(([^)]*)\)|subtle\.generateKey\((\w+)/g)].map(
        ([, pair, web]) => `${path}: ${pair ?? web}`,
      ),
    )
    expect(made.sort()).toEqual([
      "packages/core/kernel/keyring.ts: 'ed25519'",
      'packages/core/kernel/local-ca.ts: ALGORITHM',
      'packages/core/kernel/local-ca.ts: ALGORITHM',
      "services/gateway/tokens/signing-keys.ts: TOKEN_ALGORITHM, { crv: 'Ed25519', extractable: true }",
    ])
    expect(textOf('packages/core/kernel/local-ca.ts')).toContain(
      "{ name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }",
    )
  })
  test('draws keys of authenticator apps and recovery codes from the system (V6.5.3)', () => {
    const made = {
      'packages/core/ports/secrets/totp.ts': 'KEY_BYTES',
      'services/gateway/second-factor/verify-factor.ts': '24',
    }
    for (const [path, size] of Object.entries(made)) expect(textOf(path)).toContain(`randomBytes(${size})`)
  })
  test('draws 128 bits and more of whatever nobody may guess (V11.5.1)', () => {
    const drawn = [...code].flatMap(([path, text]) =>
      [...text.matchAll(/(?:randomBytes|getRandomValues\(new Uint8Array)\((\w+)\)/g)].map(([, size]) => ({
        path,
        size: size!,
      })),
    )
    expect(drawn.length).toBeGreaterThan(8)
    // a nonce need not be secret; KEY_BYTES are 20 and 32; the length of an API key has a test of its own
    const named = ['NONCE_BYTES', 'KEY_BYTES', 'length']
    expect(drawn.filter(({ size }) => !named.includes(size) && !(Number(size) >= 16))).toEqual([])
  })
  test('draws what nobody may guess from the system: Math.random only spreads waits (V11.5.1)', () => {
    for (const path of filesWith(/Math\.random\(\)/))
      for (const line of textOf(path)
        .split('\n')
        .filter((one) => one.includes('Math.random()')))
        expect([path, line]).toEqual([path, expect.stringMatching(/wait|pause|sleep|retry/i)])
  })
})

describe('what is installed and shipped', () => {
  const lock = textOf('bun.lock')
  test('every package of the inventory is of the registry, at one version, with its hash (V15.1.2)', () => {
    const packages = [...lock.matchAll(/^ {4}"([^"]+)": \["([^"]+)", (.*)\],?$/gm)]
    expect(packages.length).toBeGreaterThan(200)
    for (const [, name, at, rest] of packages) {
      if (at!.includes('@workspace:')) continue
      expect([name, at]).toEqual([name, expect.stringMatching(/@\d+\.\d+\.\d+[\w.+-]*$/)])
      expect([name, rest]).toEqual([name, expect.stringMatching(/^"", .*"sha512-[A-Za-z0-9+/]{86}=="$/)])
    }
    for (const file of ['package.json', 'packages/core/package.json', 'services/package.json']) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(textOf(file)) as Record<
        string,
        Record<string, string>
      >
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
        expect([name, version]).toEqual([name, expect.stringMatching(/^(\d+\.\d+\.\d+[\w.-]*|workspace:\*)$/)])
    }
  })
  test('the image holds no version control and no tests (V13.4.1)', () => {
    const lines = textOf('.dockerignore').split('\n')
    expect(lines[0]).toBe('*')
    expect(lines.filter((line) => line.startsWith('!'))).not.toContain('!.git')
    expect(lines).toContain('**/*.test.ts')
    expect(textOf('Dockerfile')).not.toMatch(/^COPY (\.|--from=\S+ \.) /m)
    expect(existsSync(`${ROOT}Dockerfile`)).toBe(true)
  })
  test('the servers of the containers have no password until somebody chooses one (V13.2.3)', () => {
    const text = textOf('docker-compose.yml')
    for (const name of [
      'POSTGRES_PASSWORD',
      'REDIS_PASSWORD',
      'S3_ACCESS_KEY_ID',
      'S3_SECRET_ACCESS_KEY',
      'ENCRYPTION_KEY',
    ])
      expect(text).toContain(`\${${name}:?`)
    expect(text).not.toMatch(/PASSWORD:-\w|SECRET[A-Z_]*:-\w/)
  })
})

describe('the page of documents', () => {
  const page = textOf('packages/core/kernel/docs.html')
  test('shows what it is told as text: no HTML is made of it (V3.2.2)', () => {
    expect(page).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|createContextualFragment|\beval\(/,
    )
    expect(page).toContain('textContent')
  })
  test('keeps nothing in the browser (V14.3.3)', () => {
    expect(page).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie|caches\./)
  })
  test('is plain HTML and script, without plug-ins (V3.7.1)', () => {
    expect(page).not.toMatch(/<(object|embed|applet|iframe|param)\b/i)
  })
})

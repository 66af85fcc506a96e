import { expect, test } from 'bun:test'
import { useOwnWords } from '@assay/core/contracts/wire/words'
import { Email } from './schemas.ts'

useOwnWords()
const said = (value: unknown) => Email.safeParse(value).error?.issues.map(({ message }) => message) ?? []

test('an e-mail that is too long is refused for that alone: no pattern is tried on a MiB', () => {
  expect(said(`a@${'a.'.repeat(400_000)}`)).toEqual(['must have at most 254 characters'])
  expect(said('ada')).toEqual(['must be an e-mail address'])
  expect(said(undefined)).toEqual(['is missing'])
  expect(said('ada@assay.example')).toEqual([])
})

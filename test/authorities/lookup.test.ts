// Lookups: who may be asked about a subject while the log is read, a service or a file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { LookupUnavailableError, lookupAt } from '../../src/authorities/lookup.js'
import { LookupFileError, lookupFile } from '../../src/authorities/lookup-file.js'
import type { Authority, LookUpResult } from '../../src/repair/authority.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-lookup-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('a lookup in a file', () => {
  it('answers with the line that has the fields asked for, and null where none has', async () => {
    const path = fileOf('record.jsonl', '{"bookingId":"1","paid":5}\r\n\n{"bookingId":2,"paid":7}\n{"paid":9}\n')
    const { ask } = lookupFile(path)
    expect(await ask({ bookingId: '1' })).toEqual({ bookingId: '1', paid: 5 })
    expect(await ask({ paid: 7 })).toEqual({ bookingId: 2, paid: 7 })
    expect(await ask({ bookingId: '2' })).toBeNull()
    expect(await ask({ bookingId: '1', paid: 6 })).toBeNull()
  })

  it.each([
    ['no JSON', '{"a":1}\n{"a":', /:2: /],
    ['no object', '[1]\n', /:1: expected a JSON object/],
    ['two answers to one question', '{"a":1,"b":1}\n{"a":1,"b":2}\n', /two lines with a = \[1\]/],
  ])('with %s is told, not guessed', async (_, text, words) => {
    const { ask } = lookupFile(fileOf('broken.jsonl', text))
    await expect(ask({ a: 1 })).rejects.toSatisfy((e) => e instanceof LookupFileError && words.test(e.message))
  })
})

describe('a lookup at a service', () => {
  const serviceWith = (...results: LookUpResult[]): Authority & { keys: string[] } => {
    const keys: string[] = []
    return {
      name: 'records',
      keys,
      lookUp: async ({ key }) => {
        keys.push(key)
        return results.shift() ?? { kind: 'none' }
      },
      issue: () => Promise.reject(new Error('a lookup must never issue')),
    }
  }

  it('gives what is found, null where nothing is, and asks again where the answer was none', async () => {
    const service = serviceWith(
      { kind: 'found', answer: { paid: 5 } },
      { kind: 'none' },
      { kind: 'unknown', message: 'busy' },
    )
    const { ask } = lookupAt(service)
    expect(await ask({ bookingId: '1' })).toEqual({ paid: 5 })
    expect(await ask({ bookingId: '1' })).toBeNull()
    expect(await ask({ bookingId: '2' })).toBeNull()
    expect(service.keys).toHaveLength(4)
    expect(new Set(service.keys).size).toBe(2)
  })

  it('never takes silence for an answer', async () => {
    const silence: LookUpResult = { kind: 'unknown', message: 'no answer' }
    await expect(lookupAt(serviceWith(silence, silence, silence)).ask({ bookingId: '1' })).rejects.toSatisfy(
      (e) => e instanceof LookupUnavailableError && /records cannot tell about .*"1".*no answer/.test(e.message),
    )
  })
})

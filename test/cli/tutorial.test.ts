// The tutorial in docs/your-own-projection.md, run as it is written.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { makegood, newFolder, rowsOf } from './run-makegood.js'

const ROOT = resolve(import.meta.dirname, '../..')
const folder = newFolder()
const here = { cwd: folder }
const options = ['--projection', './parcels.js', '--store', './parcel-store']

beforeAll(() => {
  const page = readFileSync(join(ROOT, 'docs/your-own-projection.md'), 'utf8')
  for (const [, name, code] of page.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)) {
    writeFileSync(join(folder, name as string), code as string)
  }
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(ROOT, join(folder, 'node_modules/makegood'))
  symlinkSync(join(ROOT, 'node_modules/zod'), join(folder, 'node_modules/zod'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  execFileSync(process.execPath, ['events.js'], here)
})

describe('the tutorial', () => {
  it('finds what it says, and exits as it says', async () => {
    const ran = await makegood(['scan', ...options], here)
    const found = rowsOf(ran).filter(({ type }) => type === 'finding')
    expect(found.map(({ subject, rule }) => [subject, rule])).toEqual([
      ['P2', 'paid-not-handed-over'],
      ['P3', 'handed-over-not-paid'],
      ['P4', 'unknown-event'],
    ])
    expect(ran.code).toBe(2)
  })

  it('repairs P2 alone, opens a case for P3, and appends nothing when run again', async () => {
    const repaired = await makegood(['repair', ...options, '--yes'], here)
    expect(repaired.code).toBe(2)
    const items = rowsOf(repaired).filter(({ type }) => type === 'item')
    expect(items).toMatchObject([{ outcome: 'applied', stream: 'courier-P2', revision: 0 }])
    const cases = rowsOf(await makegood(['cases', '--store', './parcel-store'], here))
    expect(cases.filter(({ type }) => type === 'case')).toMatchObject([{ subject: 'P3', rule: 'handed-over-not-paid' }])
    const head = async () => rowsOf(await makegood(['scan', ...options], here)).at(-1)?.cut
    const before = await head()
    await makegood(['repair', ...options, '--yes'], here)
    expect(await head()).toEqual(before)
  })

  it('says what is wrong with a module that is no projection', async () => {
    writeFileSync(join(folder, 'wrong.js'), "export default { name: 'wrong', version: '1', categories: ['a-b'] }")
    const ran = await makegood(['scan', '--projection', './wrong.js', '--store', './parcel-store'], here)
    expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining('categories')])
  })
})

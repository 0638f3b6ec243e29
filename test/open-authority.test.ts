// Who is named by `--authority`: a module is taken with all that it exports.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openAuthority } from '../src/open-authority.js'

function moduleOf(body: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'makegood-authority-')), 'mine.mjs')
  writeFileSync(path, `export default { name: 'mine', ${body} }`)
  return path
}

const ASKED = "lookUp: async () => ({ kind: 'none' }), issue: async () => ({ kind: 'unknown', message: 'busy' })"

describe('a module that is named as an authority', () => {
  it('is asked whether it serves a store, where it cares', async () => {
    const admits = "admits: async ({ generated }) => ({ kind: 'refused', message: String(generated) })"
    const authority = await openAuthority(moduleOf(`${ASKED}, ${admits}`))
    expect(await authority.admits?.({ generated: false })).toEqual({ kind: 'refused', message: 'false' })
  })

  it('serves every store where it does not', async () => {
    expect((await openAuthority(moduleOf(ASKED))).admits).toBeUndefined()
  })

  it('is refused without its two methods', async () => {
    await expect(openAuthority(moduleOf('issue: async () => ({})'))).rejects.toThrow('needs lookUp and issue')
  })
})

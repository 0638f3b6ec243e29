import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LinesUnusableError, openDurableLines } from '../../src/simulator/durable-lines.js'

describe('durable lines', () => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-lines-'))
    path = join(folder, 'ledger.jsonl')
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function reopen(): Promise<unknown[]> {
    const values: unknown[] = []
    const lines = await openDurableLines(path, (value) => values.push(value))
    await lines.close()
    return values
  }

  it('gives back in order what was appended, also by many at once', async () => {
    const lines = await openDurableLines(path, () => undefined)
    await Promise.all(Array.from({ length: 200 }, (_, n) => lines.append({ n, text: 'é\n' })))
    await lines.close()
    expect(await reopen()).toEqual(Array.from({ length: 200 }, (_, n) => ({ n, text: 'é\n' })))
  })

  it('has a line in the file when its append resolves', async () => {
    const lines = await openDurableLines(path, () => undefined)
    await lines.append({ n: 1 })
    expect(await readFile(path, 'utf8')).toBe('{"n":1}\n')
    await lines.close()
  })

  it('cuts a torn last line off and goes on behind it', async () => {
    await writeFile(path, '{"n":1}\n{"n":2')
    const values: unknown[] = []
    const lines = await openDurableLines(path, (value) => values.push(value))
    await lines.append({ n: 3 })
    await lines.close()
    expect(values).toEqual([{ n: 1 }])
    expect(await readFile(path, 'utf8')).toBe('{"n":1}\n{"n":3}\n')
  })

  it('refuses a file with a whole line that is not JSON, and lets go of it', async () => {
    await writeFile(path, 'not JSON\n')
    await expect(reopen()).rejects.toThrow(/holds a line that is not JSON/)
    await writeFile(path, '')
    expect(await reopen()).toEqual([])
  })

  it('refuses a file that cannot be opened', async () => {
    await expect(openDurableLines(join(folder, 'no', 'such'), () => undefined)).rejects.toBeInstanceOf(
      LinesUnusableError,
    )
  })

  it.runIf(process.platform === 'linux')('is open only once at a time', async () => {
    const lines = await openDurableLines(path, () => undefined)
    await expect(reopen()).rejects.toThrow(/is open in another process/)
    await lines.close()
    expect(await reopen()).toEqual([])
  })

  it('fails every append after one that failed', async () => {
    const lines = await openDurableLines(path, () => undefined)
    await lines.close()
    await expect(lines.append({ n: 1 })).rejects.toBeInstanceOf(LinesUnusableError)
    await expect(lines.append({ n: 2 })).rejects.toBeInstanceOf(LinesUnusableError)
    expect(await reopen()).toEqual([])
  })
})

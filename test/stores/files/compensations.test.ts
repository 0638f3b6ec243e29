// The file of missing events: one holder at a time, nothing torn left in it, and every line durable when the append returns.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { CompensationFileBusyError, openCompensationFile } from '../../../src/stores/files/compensations.js'
import { LogFileError } from '../../../src/stores/files/lines.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-out-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = (): string => join(folder, `events-${++files}.jsonl`)
const lineOf = (id: string): string => `{"transaction_id": ${JSON.stringify(id)}, "event_type": "Ticket Issued"}\n`

async function append(path: string, ids: readonly string[]) {
  const out = await openCompensationFile(path)
  try {
    return { count: await out.append(ids), existed: out.existed, torn: out.torn }
  } finally {
    await out.close()
  }
}

describe('an append', () => {
  it('writes one line a transaction, in order, ids escaped', async () => {
    const path = newPath()
    const ids = ['42', '7', 'a"b\n\u001b[31m', '__proto__', '\ud800']
    expect(await append(path, ids)).toEqual({ count: 5, existed: false, torn: undefined })
    expect(await append(path, ['8'])).toEqual({ count: 1, existed: true, torn: undefined })
    expect(readFileSync(path, 'utf8')).toBe([...ids, '8'].map(lineOf).join(''))
  })

  it('of nothing makes no file', async () => {
    const path = newPath()
    expect((await append(path, [])).count).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  it('of many writes each once', async () => {
    const path = newPath()
    const ids = Array.from({ length: 25_000 }, (_, i) => String(i))
    await append(path, ids)
    expect(readFileSync(path, 'utf8')).toBe(ids.map(lineOf).join(''))
  })
})

describe('the end of the file', () => {
  it.each([1, 10, 30, 60])('is cut off and told where a write was torn after %d bytes', async (length) => {
    const path = newPath()
    const torn = lineOf('2').slice(0, Math.min(length, lineOf('2').length - 2))
    writeFileSync(path, lineOf('1') + torn)
    expect((await append(path, ['3'])).torn).toBe(torn)
    expect(readFileSync(path, 'utf8')).toBe(lineOf('1') + lineOf('3'))
  })

  it.each(['', '\ufeff'])('gets its line end where only that is missing (before it: %j)', async (mark) => {
    const path = newPath()
    writeFileSync(path, mark + lineOf('1').trimEnd())
    expect((await append(path, ['3'])).torn).toBeUndefined()
    expect(readFileSync(path, 'utf8')).toBe(mark + lineOf('1') + lineOf('3'))
  })

  it('is found behind a line longer than what is read at once', async () => {
    const path = newPath()
    const torn = `{"x":"${'x'.repeat(200_000)}`
    writeFileSync(path, lineOf('1') + torn)
    expect((await append(path, [])).torn).toBe(torn)
    expect(readFileSync(path, 'utf8')).toBe(lineOf('1'))
  })
})

describe('the lock', () => {
  it('lets one holder in, and the next when it is closed', async () => {
    const path = newPath()
    const first = await openCompensationFile(path)
    await expect(openCompensationFile(path)).rejects.toThrow(CompensationFileBusyError)
    await expect(openCompensationFile(path)).rejects.toThrow(path)
    await first.close()
    expect((await append(path, ['1'])).count).toBe(1)
  })

  it('is the same for a file under another name', async () => {
    const path = newPath()
    const link = newPath()
    writeFileSync(path, lineOf('1'))
    symlinkSync(path, link)
    const first = await openCompensationFile(path)
    await expect(openCompensationFile(link)).rejects.toThrow(CompensationFileBusyError)
    await first.close()
  })

  it('of a process that was killed is free', async () => {
    const path = newPath()
    const holder = await holdInProcess(path)
    try {
      await expect(openCompensationFile(path)).rejects.toThrow(CompensationFileBusyError)
    } finally {
      const exited = once(holder, 'exit')
      holder.kill('SIGKILL')
      await exited
    }
    expect((await append(path, ['1'])).count).toBe(1)
  })
})

it.each([
  ['a folder that is not there', () => join(folder, 'nowhere', 'events.jsonl'), 'its folder does not exist'],
  ['a folder', () => folder, 'it is a folder'],
])('%s is refused by name', async (_what, path, why) => {
  await expect(openCompensationFile(path())).rejects.toThrow(
    new LogFileError(`${path()}: cannot be appended to: ${why}`),
  )
})

/** A process that has the file open, from the built program. */
async function holdInProcess(path: string): Promise<ChildProcess> {
  const module = pathToFileURL(join(import.meta.dirname, '../../../dist/src/stores/files/compensations.js')).href
  const code = `const { openCompensationFile } = await import(${JSON.stringify(module)})
await openCompensationFile(${JSON.stringify(path)})
console.log('held')
setTimeout(() => {}, 60_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  expect(String(chunk)).toBe('held\n')
  return child
}

// The file of missing events: one holder at a time, nothing torn left in it, and every line durable when the append returns.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { CompensationFileBusyError, openCompensationFile } from '../../../src/stores/files/compensations.js'
import { tryLock } from '../../../src/stores/files/file-lock.js'
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

describe('a file that is somebody else’s', () => {
  it('is left alone, and what is appended all the same begins a line of its own', async () => {
    const path = newPath()
    writeFileSync(path, '# Title\nlast words')
    expect(await append(path, [])).toEqual({ count: 0, existed: true, torn: undefined })
    expect(readFileSync(path, 'utf8')).toBe('# Title\nlast words')
    await append(path, ['1'])
    expect(readFileSync(path, 'utf8')).toBe(`# Title\nlast words\n${lineOf('1')}`)
  })

  it('is not appended to where it was changed or made since it was opened', async () => {
    const [changed, made] = [newPath(), newPath()]
    writeFileSync(changed, lineOf('1'))
    const outs = [await openCompensationFile(changed), await openCompensationFile(made)]
    for (const path of [changed, made]) appendFileSync(path, '{"half')
    for (const out of outs) {
      await expect(out.append(['2'])).rejects.toThrow('it was changed since it was read')
      await out.close()
    }
    expect(readFileSync(changed, 'utf8')).toBe(`${lineOf('1')}{"half`)
    expect(readFileSync(made, 'utf8')).toBe('{"half')
  })

  it('may be appended to more than once while it is open', async () => {
    const path = newPath()
    const out = await openCompensationFile(path)
    await out.append(['1'])
    await out.append(['2'])
    await out.close()
    expect(readFileSync(path, 'utf8')).toBe(lineOf('1') + lineOf('2'))
  })
})

describe('where there is no room', () => {
  const ids = Array.from({ length: 50_000 }, (_, i) => String(i))

  it('a file stays as it was, and takes all of it when there is', async () => {
    const path = newPath()
    writeFileSync(path, lineOf('x'))
    expect(await appendInSmallSpace(path, ids.length)).toContain(
      `${path}: cannot be appended to: it may not grow so large`,
    )
    expect(readFileSync(path, 'utf8')).toBe(lineOf('x'))
    expect((await append(path, ids)).count).toBe(ids.length)
    expect(readFileSync(path, 'utf8')).toBe(lineOf('x') + ids.map(lineOf).join(''))
  })

  it('no file is made', async () => {
    const path = newPath()
    expect(await appendInSmallSpace(path, ids.length)).toContain('it may not grow so large')
    expect(existsSync(path)).toBe(false)
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

  it('of a process that was killed is free also where it leaves a file behind', async () => {
    // A socket whose listener is gone: made by a process that exits without closing it.
    const path = join(folder, 'locked-elsewhere')
    const lock = async () => tryLock(path, 'darwin')
    const first = await lock()
    expect(await lock()).toBeUndefined()
    await first?.()
    expect(await lockAndDie(path)).toBe('locked\n')
    const next = await lock()
    expect(next).toBeDefined()
    await next?.()
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
  ['a device', () => '/dev/null', 'it is no ordinary file'],
  ['a packed file', () => join(folder, 'events.jsonl.gz'), 'a packed file is not written'],
])('%s is refused by name', async (_what, path, why) => {
  await expect(openCompensationFile(path())).rejects.toThrow(
    new LogFileError(`${path()}: cannot be appended to: ${why}`),
  )
})

const built = (file: string): string =>
  JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../../dist/src/stores/files', file)).href)

/** Runs code in a process of its own, under a limit on the size of files where one is given; returns what it printed. */
async function runCode(code: string, fileLimit?: number): Promise<string> {
  const args = ['--input-type=module', '-e', code]
  const child =
    fileLimit === undefined
      ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('sh', ['-c', `ulimit -f ${fileLimit} && exec "$@"`, 'sh', process.execPath, ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  await once(child, 'close')
  return printed
}

function appendInSmallSpace(path: string, count: number): Promise<string> {
  const code = `const { openCompensationFile } = await import(${built('compensations.js')})
const out = await openCompensationFile(${JSON.stringify(path)})
const ids = Array.from({ length: ${count} }, (_, i) => String(i))
await out.append(ids).then(() => console.log('appended'), (error) => console.log(error.message))
await out.close()`
  return runCode(code, 100)
}

function lockAndDie(path: string): Promise<string> {
  const code = `const { tryLock } = await import(${built('file-lock.js')})
await tryLock(${JSON.stringify(path)}, 'darwin')
process.stdout.write('locked\\n', () => process.kill(process.pid, 'SIGKILL'))`
  return runCode(code)
}

/** A process that has the file open, from the built program. */
async function holdInProcess(path: string): Promise<ChildProcess> {
  const code = `const { openCompensationFile } = await import(${built('compensations.js')})
await openCompensationFile(${JSON.stringify(path)})
console.log('held')
setTimeout(() => {}, 60_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  expect(String(chunk)).toBe('held\n')
  return child
}

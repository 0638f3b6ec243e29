// Logs larger than the memory allowed, and logs from a pipe: read by a process of their own, from the built program.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'makegood-large-'))
afterAll(() => rmSync(folder, { recursive: true }))
const logs = pathToFileURL(join(import.meta.dirname, '../../../dist/src/stores/files/logs.js')).href

interface Reading {
  readonly lines: number
  readonly broken: number
  /** What the reading added to the most memory that the process ever had. */
  readonly addedBytesMax: number
  /** What a second reading of standard input said. */
  readonly again: string
}

/** Reads a payments log in a process of its own. */
async function readInProcess(file: string, input: Uint8Array): Promise<Reading> {
  const code = `const { openLogFiles } = await import(${JSON.stringify(logs)})
const before = process.resourceUsage().maxRSS
const logs = openLogFiles({ payments: [${JSON.stringify(file)}], tickets: [] })
const read = async () => { for await (const _ of logs.readAll()); }
await read()
const { lines, broken } = logs.report()
const addedBytesMax = (process.resourceUsage().maxRSS - before) * 1024
const again = ${file !== '-'} ? 'not asked' : await read().then(() => 'read', (error) => error.message)
console.log(JSON.stringify({ lines, broken, addedBytesMax, again }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  await once(child, 'close')
  return JSON.parse(printed)
}

it('a log is read in a part of the memory that it would fill', async () => {
  const [parts, linesOfPart] = [300, 1_000]
  const part = gzipSync(
    Array.from(
      { length: linesOfPart },
      (_, i) => `{"transaction_id":${i},"event_type":"T","x":"${'x'.repeat(1_000)}"}\n`,
    ).join(''),
  )
  const file = join(folder, 'large.json.gz')
  writeFileSync(file, Buffer.concat(Array.from({ length: parts }, () => part)))
  const { lines, broken, addedBytesMax } = await readInProcess(file, Buffer.alloc(0))
  expect({ lines, broken }).toEqual({ lines: parts * linesOfPart, broken: 0 })
  expect(addedBytesMax).toBeLessThan((parts * linesOfPart * 1_000) / 2)
})

it('standard input is read once, packed or not, and says so when it is asked for again', async () => {
  const text = '{"transaction_id":1,"event_type":"T"}\n{"transaction_id"\n'
  for (const input of [Buffer.from(text), gzipSync(text)]) {
    const { lines, broken, again } = await readInProcess('-', input)
    expect({ lines, broken }).toEqual({ lines: 2, broken: 1 })
    expect(again).toContain('standard input was read already')
  }
})

// A file read in ranges gives the lines that a reading from its start gives, each once, wherever the ranges are cut.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import type { LineBlock } from '../../../src/stores/files/line-blocks.js'
import { RangeReader } from '../../../src/stores/files/line-ranges.js'
import { LogFileError, readLines } from '../../../src/stores/files/lines.js'
import { seedFor } from '../../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-ranges-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'log.json')

/** The lines of a block with their places, as text; a line that could not be kept as why. */
function linesOf(block: LineBlock): [place: number, text: string][] {
  if (block.kind === 'broken') return [[block.offset, block.why]]
  const text = Buffer.from(block.bytes).toString('latin1')
  expect(text.endsWith('\n')).toBe(true)
  let place = block.offset
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      place += line.length + 1
      return [place - line.length - 1, line]
    })
}

async function readInRanges(size: number, rangeBytes: number, lineBytesMax: number, order: (a: number) => number) {
  const reader = new RangeReader(lineBytesMax)
  const starts = Array.from({ length: Math.ceil(size / rangeBytes) }, (_, i) => i * rangeBytes)
  const found: [number, string][] = []
  for (const start of starts.sort((a, b) => order(a) - order(b))) {
    const end = Math.min(start + rangeBytes, size)
    for (const block of await reader.read({ file, start, end, size })) found.push(...linesOf(block))
  }
  await reader.close()
  return found.sort(([a], [b]) => a - b).map(([, text]) => text)
}

it('of any file and any ranges, in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.nat(5), fc.nat(60), fc.nat(60_000)), { maxLength: 40 }),
      fc.constantFrom('', '\n', '\r\n', '\n\n'),
      fc.nat(),
      fc.boolean(),
      async (lengths, end, form, isBackwards) => {
        const text = lengths.map((length, i) => String(i % 10).repeat(length)).join('\n') + end
        writeFileSync(file, text)
        // Not so short that it would take for ever.
        const rangeBytes = 1 + Math.floor(text.length / 2_000) + (form % (text.length < 5_000 ? 300 : 30_000))
        const lineBytesMax = Math.max(50, rangeBytes)
        const expected: string[] = []
        for await (const line of readLines(file, lineBytesMax)) {
          expected.push(line.kind === 'line' ? Buffer.from(line.bytes).toString('latin1') : line.why)
        }
        const found = await readInRanges(text.length, rangeBytes, lineBytesMax, (a) => (isBackwards ? -a : a))
        expect(found.map((line) => line.replace(/\r$/, ''))).toEqual(expected)
      },
    ),
    { numRuns: 150, seed: seedFor('line ranges') },
  )
})

it('looks at nothing behind the size that it was told, and at nothing that is no longer there', async () => {
  writeFileSync(file, 'ab\ncdef\ngh\n')
  expect(await readInRanges(6, 3, 100, (a) => a)).toEqual(['ab', 'cde'])
  truncateSync(file, 5)
  expect(await readInRanges(11, 4, 100, (a) => a)).toEqual(['ab', 'cd'])
})

it('says which file cannot be read', async () => {
  const reader = new RangeReader()
  const missing = join(folder, 'missing.json')
  const reading = reader.read({ file: missing, start: 0, end: 1, size: 1 })
  await expect(reading).rejects.toThrow(new LogFileError(`${missing}: cannot be read: no such file`))
})

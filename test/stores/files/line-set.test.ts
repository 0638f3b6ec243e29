// Which lines of a file were picked, and where they stand: the lines around them are found again from there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { fetchLines } from '../../../src/stores/files/line-fetcher.js'
import { LineSet, PLACE_STRIDE } from '../../../src/stores/files/line-set.js'
import { readBlocks } from '../../../src/stores/files/lines.js'
import { seedFor } from '../../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-line-set-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'log.json')

/** All lines of the file, none picked. */
async function linesOf(text: string): Promise<LineSet> {
  writeFileSync(file, text)
  const lines = new LineSet()
  for await (const block of readBlocks(file, Number.POSITIVE_INFINITY)) {
    if (block.kind === 'broken') throw new Error(block.why)
    const places: number[] = []
    for (let start = 0; start < block.bytes.length; start = block.bytes.indexOf(0x0a, start) + 1) places.push(start)
    addLines(lines, block.offset, places)
  }
  return lines
}

function addLines(lines: LineSet, offset: number, places: readonly number[]): void {
  lines.add(places.length, offset, Uint32Array.from(places.filter((_, i) => i % PLACE_STRIDE === 0)))
}

async function fetch(
  lines: LineSet,
  isWhole: boolean,
  bytesMax = Number.POSITIVE_INFINITY,
): Promise<[number, string][]> {
  const found: [number, string][] = []
  for await (const batch of fetchLines(file, lines, { bytesMax, isWhole })) {
    for (const line of batch) {
      found.push([line.number, line.kind === 'line' ? Buffer.from(line.bytes).toString() : line.why])
    }
  }
  return found
}

it('picked lines of any file are fetched in order, whole, and no others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 700_000 })), fc.boolean()), {
        maxLength: 90,
        size: 'max',
      }),
      fc.boolean(),
      async (made, endsWithLineEnd) => {
        // The last one not empty: without its end it would be no line.
        const texts = [...made.map(([length], i) => String(i % 10).repeat(length)), 'last']
        const lines = await linesOf(texts.join('\n') + (endsWithLineEnd ? '\n' : ''))
        const picked = made.flatMap(([, isPicked], i) => (isPicked ? [i + 1] : [])).concat(texts.length)
        for (const number of picked) lines.pick(number)
        expect(lines.count).toBe(texts.length)
        const expected = picked.map((number) => [number, texts[number - 1]])
        expect(await fetch(lines, false)).toEqual(expected)
        expect(await fetch(lines, true)).toEqual(expected)
      },
    ),
    { numRuns: 40, seed: seedFor('line set') },
  )
})

it('knows places beyond what 32 bits can count', () => {
  const lines = new LineSet()
  const place = 7 * 2 ** 32 + 5
  const places = Array.from({ length: 20 }, (_, n) => 100 * n)
  addLines(lines, place, places)
  addLines(lines, place + 5_000, [])
  addLines(lines, place + 5_000, places)
  expect(lines.knownBefore(16)).toEqual({ number: 1, offset: place })
  expect(lines.knownBefore(20)).toEqual({ number: 17, offset: place + 1_600 })
  expect(lines.knownBefore(21)).toEqual({ number: 21, offset: place + 5_000 })
  expect(lines.knownBefore(40)).toEqual({ number: 37, offset: place + 6_600 })
})

it('tells that a file has become shorter: its lines are no longer there', async () => {
  const lines = await linesOf('a\nb\nc\n')
  lines.pick(3)
  writeFileSync(file, 'a\n')
  expect(await fetch(lines, false)).toEqual([[3, '']])
})

it('gives nothing of what stands behind the bytes asked for', async () => {
  const lines = await linesOf('a\nbc')
  lines.pick(2)
  writeFileSync(file, 'a\nbcdef\nghi\n')
  for (const isWhole of [false, true]) expect(await fetch(lines, isWhole, 4)).toEqual([[2, 'bc']])
})

// Lines of real files: numbered, whole, and never lost because of what stands around them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { LogFileError, readLines } from '../../../src/stores/files/lines.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function linesOf(
  content: string | Uint8Array,
  name = 'log.json',
): Promise<(string | { number: number; why: string })[]> {
  const file = join(folder, name)
  writeFileSync(file, content)
  const lines = []
  for await (const line of readLines(file)) {
    expect(line.number).toBe(lines.length + 1)
    lines.push(line.kind === 'line' ? line.bytes.toString() : { number: line.number, why: line.why })
  }
  return lines
}

describe('a file', () => {
  it.each([
    ['nothing', '', []],
    ['a last line without its end', 'a\nb', ['a', 'b']],
    ['a last line with its end', 'a\nb\n', ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['blank lines', '\na\n\n', ['', 'a', '']],
    ['a byte-order mark', '\ufeffa\nb', ['a', 'b']],
    ['characters of many bytes', 'ü€😀\n', ['ü€😀']],
  ])('of %s gives its lines', async (_what, content, lines) => {
    expect(await linesOf(content)).toEqual(lines)
  })

  it('gives lines that reach over many chunks', async () => {
    const long = 'x'.repeat(300_000)
    expect(await linesOf(`a\n${long}\nb\n`)).toEqual(['a', long, 'b'])
  })

  it('with a line beyond the limit reports it and goes on behind it', async () => {
    const tooLong = Buffer.alloc(16 * 1024 * 1024 + 1, 'x')
    const lines = await linesOf(Buffer.concat([Buffer.from('a\n'), tooLong, Buffer.from('\nb\n')]))
    expect(lines).toEqual(['a', { number: 2, why: 'longer than 16777216 bytes' }, 'b'])
  })

  it('that is packed is unpacked', async () => {
    expect(await linesOf(gzipSync('a\nb\n'), 'log.gz')).toEqual(['a', 'b'])
  })

  it('that is packed and cut off gives what came before, then why it ends', async () => {
    const text = Array.from({ length: 5_000 }, (_, i) => `${i} ${Math.sin(i)}`)
    const packed = gzipSync(text.join('\n'))
    const lines = await linesOf(packed.subarray(0, packed.length / 2), 'cut.gz')
    expect(lines.length).toBeGreaterThan(1_000)
    expect(lines.at(-1)).toEqual({ number: lines.length, why: 'the packed file is cut off or damaged here' })
    expect(lines.slice(0, -2)).toEqual(text.slice(0, lines.length - 2))
  })

  it.each([
    ['missing', 'no such file'],
    ['folder', 'it is a folder'],
    ['missing.gz', 'no such file'],
  ])('that cannot be read is named: %s', async (name, why) => {
    mkdirSync(join(folder, 'folder'), { recursive: true })
    const file = join(folder, name)
    const reading = readLines(file).next()
    await expect(reading).rejects.toThrow(new LogFileError(`${file}: cannot be read: ${why}`))
  })
})

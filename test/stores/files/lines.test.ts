// Lines of real files: numbered, whole, and never lost because of what stands around them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
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
    lines.push(line.kind === 'line' ? Buffer.from(line.bytes).toString() : { number: line.number, why: line.why })
  }
  return lines
}

function withFlippedByte(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes)
  const place = bytes.length + Math.round(at)
  flipped[place] = (flipped[place] ?? 0) ^ 0xff
  return flipped
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

  it('that is packed is unpacked whatever its name, and as often as it was packed in parts', async () => {
    expect(await linesOf(Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')]))).toEqual(['a', 'bc'])
  })

  it.each(['', '\u001f', 'a'])('of less than gzip begins with is taken as it is: %j', async (content) => {
    expect(await linesOf(content)).toEqual(content === '' ? [] : [content])
  })

  it.each([
    ['empty', Buffer.alloc(0), []],
    ['no gzip', Buffer.from('a\n'), []],
    ['cut in its checksum', gzipSync('a\nb\n').subarray(0, -2), ['a', 'b']],
  ])('that is named packed and is %s tells so behind what could be unpacked', async (_what, content, lines) => {
    const why = 'the packed file is cut off or damaged here'
    expect(await linesOf(content, 'short.gz')).toEqual([...lines, { number: lines.length + 1, why }])
  })

  it.each([
    ['damaged', (packed: Buffer) => withFlippedByte(packed, -packed.length / 4)],
    ['wrong in its checksum', (packed: Buffer) => withFlippedByte(packed, -6)],
    ['followed by something else', (packed: Buffer) => Buffer.concat([packed, Buffer.from('{"c":1}\n')])],
  ])('that is packed and %s gives what came well before, then why it ends', async (_what, damage) => {
    const text = Array.from({ length: 20_000 }, (_, i) => `${i} ${Math.sin(i)}`)
    const lines = await linesOf(damage(gzipSync(text.join('\n'))), 'damaged.gz')
    expect(lines.length).toBeGreaterThan(10_000)
    expect(lines.slice(0, 10_000)).toEqual(text.slice(0, 10_000))
    expect(lines.at(-1)).toEqual({ number: lines.length, why: 'the packed file is cut off or damaged here' })
  })

  it('that is packed and cut off anywhere loses nothing of what can be unpacked', async () => {
    const packed = gzipSync(Array.from({ length: 300 }, (_, i) => `${i} ${Math.sin(i)}`).join('\n'))
    for (let end = 20; end < packed.length; end += 97) {
      const cut = packed.subarray(0, end)
      const whole = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
      const lines = await linesOf(cut, 'cut.gz')
      expect(lines.slice(0, -1).join('\n')).toBe(whole.replace(/\n$/, ''))
    }
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

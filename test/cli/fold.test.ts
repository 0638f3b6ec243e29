// `fold` and `fold --merge` as processes: the commands of docs/scaling.md as they are written, and what is refused.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makegood, newFolder, rowsOf, summaryOf } from './run-makegood.js'

const ROOT = resolve(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'dist/src/main.js')
const NOW = '2026-06-01T12:00:00Z'

const folder = newFolder()
const here = { cwd: folder }
afterAll(() => rmSync(folder, { recursive: true }))

/** The commands of the page, with this build as `makegood`; the merge leaves with the code of a scan, which has findings. */
function commandsOfPage(): string {
  const page = readFileSync(join(ROOT, 'docs/scaling.md'), 'utf8')
  const [, commands = ''] = /```sh\n([\s\S]*?)```/.exec(page) ?? []
  return `makegood() { '${process.execPath}' '${MAIN}' "$@"; }\n${commands.trimEnd()} > merged.ndjson || test $? = 2\n`
}

const partsIn = (ending: string) => readdirSync(folder).filter((name) => name.endsWith(ending))

describe('fold', () => {
  let lines: string[]
  beforeAll(() => {
    execFileSync('bash', ['-ec', commandsOfPage()], { ...here, stdio: ['ignore', 'ignore', 'ignore'] })
    lines = readFileSync(join(folder, 'part-1.jsonl'), 'utf8').split('\n').slice(0, -1)
  })

  it('as docs/scaling.md has it gives findings and digest of one scan', async () => {
    const scanned = rowsOf(await makegood(['scan', '--store', './made-up'], here))
    const merged = rowsOf({ code: 2, stderr: '', stdout: readFileSync(join(folder, 'merged.ndjson'), 'utf8') })
    expect(partsIn('.jsonl').length).toBeGreaterThan(9)
    expect(merged.slice(0, -1)).toEqual(scanned.slice(0, -1))
    const { cut, elapsedMs, ...summary } = merged.at(-1) ?? {}
    expect(scanned.at(-1)).toMatchObject(summary)
    expect([cut, typeof elapsedMs]).toEqual([null, 'number'])
    expect(summary).toMatchObject({ findings: { 'ticket-number-reused': expect.any(Number) } })
  })

  it('takes a log of one part from a file or a pipe, numbered or not', async () => {
    const plain = lines.map((line) => line.replace(/^ *\d+\t/, ''))
    const digests = await Promise.all(
      [lines, plain, ['', ...plain, '  ']].map(async (input) => {
        const part = await makegood(['fold', '--now', NOW], { ...here, input: `${input.join('\n')}\n` })
        expect([part.code, part.stderr]).toEqual([0, ''])
        return summaryOf(await makegood(['fold', '--merge'], { ...here, input: part.stdout })).digest
      }),
    )
    expect(new Set(digests).size).toBe(1)
    const named = await makegood(['fold', '--now', NOW, 'part-1.jsonl'], here)
    expect(summaryOf(await makegood(['fold', '--merge'], { ...here, input: named.stdout })).digest).toBe(digests[0])
  })

  it.each([
    ['no event', '5\t{"stream":"payment-1"}', 7, '-:2: revision: '],
    ['no JSON', '5\t{', 7, '-:2: not valid JSON'],
    ['a number too low', '1\tLINE', 1, '-:2: number 1 comes after 2: '],
    ['no number', 'LINE', 1, '-:2: some lines are numbered and some are not'],
  ])('refuses a line with %s by its number, and gives no result', async (_, line, code, why) => {
    const event = lines[0]?.replace(/^ *\d+\t/, '') ?? ''
    const ran = await makegood(['fold', '--now', NOW], { input: `2\t${event}\n${line.replace('LINE', event)}\n` })
    expect([ran.code, ran.stdout]).toEqual([code, ''])
    expect(ran.stderr).toContain(why)
  })

  it('merges nothing that is not of one question, or not whole', async () => {
    const [first = ''] = partsIn('.result')
    const other = await makegood(['fold', '--now', '2026-07-01T12:00:00Z', 'part-2.jsonl'], here)
    const mixed = await makegood(['fold', '--merge', first, '-'], { ...here, input: other.stdout })
    expect([mixed.code, mixed.stdout]).toEqual([1, ''])
    expect(mixed.stderr).toMatch(/^-:\d+: a part as of now = 2026-07-01T12:00:00\.0000000Z/)
    const few = await makegood(['fold', '--merge', '--parts', '2', first], here)
    expect([few.code, few.stdout, few.stderr]).toEqual([7, '', '2 parts are expected, and 1 are there\n'])
    const torn = await makegood(['fold', '--merge'], { input: '{"type":"part",' })
    expect([torn.code, torn.stdout, torn.stderr]).toEqual([7, '', '-:1: not valid JSON in UTF-8\n'])
  })

  it.each([
    [['fold'], '--now: needed'],
    [['fold', '--now', 'now-2h'], '--now: needed, an RFC 3339 time'],
    [['fold', '--merge', '--now', NOW], '--now: with --merge'],
    [['fold', '--now', NOW, '--parts', '3'], '--parts goes with --merge'],
    [['fold', '--now', NOW, '--format', 'csv'], '--format goes with --merge'],
    [['fold', '--now', NOW, '--memory', '1mb'], '--memory 1mb: at least'],
  ])('%j is refused', async (args, why) => {
    const ran = await makegood(args, { input: '' })
    expect([ran.code, ran.stdout]).toEqual([64, ''])
    expect(ran.stderr).toContain(why)
  })
})

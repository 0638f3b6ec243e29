// Moving a log by the public commands: out, back, broken off anywhere, refused by name; nothing is lost silently and no file is half written.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { runProgram as RunProgram } from '../../src/cli/program.js'
import type { processContext as ProcessContext } from '../../src/process-context.js'
import { checkFolder } from '../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { anEvent } from '../controls/events.js'
import { linesOf } from '../transfer/moving.js'
import { makegood, newFolder, rowsOf, summaryOf } from './run-makegood.js'

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js')
const builtAt = (path: string) => new URL(path, pathToFileURL(MAIN)).href
const EVENTS = 20_000

const home = newFolder()
const big = join(home, 'big')
const file = join(home, 'big.jsonl')
let lines: string[] = []
let context: ReturnType<typeof ProcessContext>

beforeAll(async () => {
  const built: { processContext: typeof ProcessContext } = await import(builtAt('process-context.js'))
  context = built.processContext()
  const store = await openEmbeddedStore({ folder: big })
  for (let start = 0; start < EVENTS; start += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, n) => ({
      ...anEvent({ data: new TextEncoder().encode(`{"n":${start + n},"padding":"${'x'.repeat(500)}"}`) }),
      stream: `stream-${n}`,
      revision: start / 1_000,
      created: BigInt(start + n),
    }))
    await store.restore(events)
  }
  lines = await linesOf(store)
  await store.close()
  writeFileSync(file, `${lines.join('\n')}\n`)
})

const storeIn = (folder: string) => ['--store', join(folder, 'store')]

async function linesIn(store: string): Promise<string[]> {
  const opened = await openEmbeddedStore({ folder: store, readOnly: true })
  const found = await linesOf(opened)
  await opened.close()
  return found
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  // A child that was killed does not read on.
  child.stdin?.on('error', () => {})
  return child
}

/** Runs one command line of the built program in this process: enough where nothing but the line itself is looked at. */
async function judged(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { runProgram }: { runProgram: typeof RunProgram } = await import(builtAt('cli/program.js'))
  const told = { stdout: '', stderr: '' }
  const capture = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      told[name] += text
    },
    drained: async () => {},
    isTerminal: false,
  })
  const code = await runProgram(args, { ...context, stdout: capture('stdout'), stderr: capture('stderr') })
  return { code, ...told }
}

describe('a log out and back', () => {
  it('is the same lines, plain, packed and through pipes, and adds nothing again', async () => {
    const folder = newFolder()
    const [plain, packed] = [join(folder, 'log.jsonl'), join(folder, 'log.jsonl.gz')]
    const exported = await makegood(['export', '--store', big, '--out', plain])
    expect([exported.code, exported.stderr]).toEqual([0, ''])
    expect(summaryOf(exported)).toMatchObject({ events: EVENTS, metadataEvents: 0, bytes: statSync(file).size })
    expect(readFileSync(plain).equals(readFileSync(file))).toBe(true)
    const again = await makegood(['export', '--store', big, '--out', packed])
    expect(summaryOf(again).digest).toBe(summaryOf(exported).digest)
    expect(gunzipSync(readFileSync(packed)).equals(readFileSync(file))).toBe(true)
    const copy = ['--store', join(folder, 'copy')]
    expect(summaryOf(await makegood(['import', '--events', packed, ...copy]))).toMatchObject({
      added: EVENTS,
      complete: true,
    })
    const piped = await makegood(['export', '--out', '-', ...copy])
    expect(piped.stdout).toBe(readFileSync(file, 'utf8'))
    expect(JSON.parse(piped.stderr)).toMatchObject({ out: '-', digest: summaryOf(exported).digest })
    const present = await makegood(['import', '--events', '-', ...copy], { input: piped.stdout })
    expect([present.code, summaryOf(present)]).toMatchObject([0, { added: 0, present: EVENTS }])
    expect(await checkFolder(join(folder, 'copy'))).toMatchObject({ events: EVENTS, problems: [] })
  })

  it('is an empty file of an empty log, packed or not', async () => {
    const folder = newFolder()
    const marked = await openEmbeddedStore({ folder: join(folder, 'store') })
    await marked.append('a', [], 'any')
    await marked.close()
    for (const name of ['empty.jsonl', 'empty.jsonl.gz']) {
      const out = join(folder, name)
      expect((await makegood(['export', '--out', out, ...storeIn(folder)])).code).toBe(0)
      expect(summaryOf(await makegood(['import', '--events', out, '--store', 'memory:']))).toMatchObject({ added: 0 })
    }
  })

  it('gives generated bookings the digest that they have where they are generated directly', async () => {
    const folder = newFolder()
    const workload = ['generate', '--bookings', '400', '--seed', '11', '--scenario', 'mixed']
    const [direct, files, imported] = ['direct', 'files', 'imported'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    expect((await makegood([...workload, '--store', direct])).code).toBe(0)
    expect((await makegood([...workload, '--out', files])).code).toBe(0)
    const events = ['--events', join(files, 'events.jsonl')]
    expect((await makegood(['import', ...events, '--store', imported])).code).toBe(0)
    const scans = await Promise.all([direct, imported].map((store) => makegood(['scan', '--store', store])))
    expect(scans.map(({ code }) => code)).toEqual([2, 2])
    expect(summaryOf(scans[1] as never).digest).toBe(summaryOf(scans[0] as never).digest)
    expect(rowsOf(scans[0] as never).length).toBeGreaterThan(20)
  })
})

describe('an import that cannot go on', () => {
  it('stops before a broken line with 7, tells it by file and line, and goes on when it is mended', async () => {
    const folder = newFolder()
    const spoiled = join(folder, 'spoiled.jsonl')
    writeFileSync(
      spoiled,
      `${lines.slice(0, 1_500).join('\n')}\n{"stream":"a"}\n${lines.slice(1_500, 2_000).join('\n')}`,
    )
    const ran = await makegood(['import', '--events', spoiled, ...storeIn(folder)])
    expect([ran.code, ran.stderr]).toEqual([7, expect.stringContaining(`${spoiled}:1501: revision: `)])
    expect(summaryOf(ran)).toMatchObject({ added: 1_500, complete: false, stoppedAt: { line: 1_501, kind: 'broken' } })
    writeFileSync(spoiled, lines.slice(0, 2_000).join('\n'))
    const mended = await makegood(['import', '--events', spoiled, ...storeIn(folder)])
    expect([mended.code, summaryOf(mended)]).toMatchObject([0, { added: 500, present: 1_500, complete: true }])
  })

  it('takes a packed file that is cut off for broken, and imports what comes before', async () => {
    const folder = newFolder()
    const cut = join(folder, 'cut.jsonl.gz')
    const whole = gzipSync(`${lines.slice(0, 3_000).join('\n')}\n`)
    writeFileSync(cut, whole.subarray(0, whole.length / 2))
    const ran = await makegood(['import', '--events', cut, ...storeIn(folder)])
    expect([ran.code, ran.stderr]).toEqual([7, expect.stringMatching(/cut\.jsonl\.gz:\d+: /)])
    const { added } = summaryOf(ran) as { added: number }
    expect(added).toBeGreaterThan(100)
    expect(await linesIn(join(folder, 'store'))).toEqual(lines.slice(0, added))
  })

  it('refuses an event at whose place another one stands, by its place, and leaves it', async () => {
    const folder = newFolder()
    const [first, second] = [join(folder, 'first.jsonl'), join(folder, 'second.jsonl')]
    writeFileSync(first, lines.slice(0, 10).join('\n'))
    const other = (lines[7] as string).replace('"n":7', '"n":8')
    writeFileSync(second, [...lines.slice(0, 7), other, lines[8]].join('\n'))
    await makegood(['import', '--events', first, ...storeIn(folder)])
    const ran = await makegood(['import', '--events', second, ...storeIn(folder)])
    expect([ran.code, ran.stderr]).toEqual([
      1,
      `${second}:8: stream-7@0: another event stands there: its data differ\n`,
    ])
    expect(summaryOf(ran)).toMatchObject({ added: 0, present: 7 })
    expect(await linesIn(join(folder, 'store'))).toEqual(lines.slice(0, 10))
  })

  it('reads nothing where one of several files is not there', async () => {
    const folder = newFolder()
    const ran = await makegood(['import', '--events', file, join(folder, 'none'), ...storeIn(folder)])
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('no such file')])
    expect(existsSync(join(folder, 'store'))).toBe(false)
  })
})

describe('an import that is killed', () => {
  it('leaves whole batches of the first lines, and ends the same when it is run again', async () => {
    const folder = newFolder()
    const store = join(folder, 'store')
    const child = start(['import', '--events', '-', '--store', store])
    const closed = once(child, 'close')
    child.stdin?.write(`${lines.slice(0, 12_345).join('\n')}\n`)
    // The rest never comes, so the kill is in the middle whenever it happens.
    while (!(existsSync(join(store, 'data.mdb')) && statSync(join(store, 'data.mdb')).size > 1_000_000)) await sleep(5)
    await sleep(Math.random() * 50)
    child.kill('SIGKILL')
    expect((await closed)[1]).toBe('SIGKILL')
    const left = await linesIn(store)
    expect(left).toEqual(lines.slice(0, left.length))
    expect([left.length > 0, left.length % 1_000]).toEqual([true, 0])
    expect(await checkFolder(store)).toMatchObject({ problems: [] })
    const again = await makegood(['import', '--events', file, '--store', store])
    expect(summaryOf(again)).toMatchObject({ added: EVENTS - left.length, present: left.length })
    expect(await linesIn(store)).toEqual(lines)
  })

  it('ends at Ctrl-C with 130 behind what it took up, says how far it came, and goes on', async () => {
    const folder = newFolder()
    const child = start(['import', '--events', '-', ...storeIn(folder)])
    let printed = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    const closed = once(child, 'close')
    child.stdin?.write(`${lines.slice(0, 2_500).join('\n')}\n`)
    while (!existsSync(join(folder, 'store', 'data.mdb'))) await sleep(5)
    child.kill('SIGINT')
    await sleep(20)
    child.stdin?.end(`${lines.slice(2_500, 5_000).join('\n')}\n`)
    expect((await closed)[0]).toBe(130)
    const { added, complete } = JSON.parse(printed) as { added: number; complete: boolean }
    expect(complete).toBe(false)
    expect(await linesIn(join(folder, 'store'))).toEqual(lines.slice(0, added))
    expect(summaryOf(await makegood(['import', '--events', file, ...storeIn(folder)]))).toMatchObject({
      present: added,
    })
  })
})

describe('an export that does not come to its end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('leaves the file that was there and nothing else at %s', async (signal) => {
    const folder = newFolder()
    const out = join(folder, 'log.jsonl.gz')
    let code: number | null = 0
    // On a busy machine an export may be over before the signal comes.
    for (let tries = 0; code === 0 && tries < 10; tries += 1) {
      writeFileSync(out, 'before')
      const child = start(['export', '--store', big, '--out', out])
      const closed = once(child, 'close')
      while (readdirSync(folder).length < 2 && child.exitCode === null) await sleep(1)
      child.kill(signal)
      code = (await closed)[0] as number | null
    }
    expect(code).toBe(130)
    expect(readdirSync(folder)).toEqual(['log.jsonl.gz'])
    expect(readFileSync(out, 'utf8')).toBe('before')
  })

  it('says so where nobody reads on', async () => {
    const child = start(['export', '--store', big, '--out', '-'])
    let told = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    child.stdout?.once('data', () => child.stdout?.destroy())
    expect((await once(child, 'close'))[0]).toBe(1)
    expect(told).toBe('makegood: the output was closed before everything was written\n')
  })

  it('replaces no folder and no device, and writes through a link', async () => {
    const folder = newFolder()
    for (const out of ['/dev/null', folder]) {
      const ran = await makegood(['export', '--store', big, '--out', out])
      expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('it is no ordinary file')])
    }
    const [link, target] = [join(folder, 'link'), join(folder, 'target')]
    writeFileSync(target, 'before')
    symlinkSync(target, link)
    expect((await makegood(['export', '--store', big, '--out', link])).code).toBe(0)
    expect(statSync(target).size).toBe(statSync(file).size)
    expect(readdirSync(folder).sort()).toEqual(['link', 'target'])
  })
})

describe('a command line that contradicts itself exits with 64 and names the options', () => {
  const logs = ['--payments', '/dev/null', '--tickets', '/dev/null']
  it.each<[string[], string]>([
    [['import'], '--events, or --payments and --tickets'],
    [['import', '--events', 'a', ...logs], '--events and --payments'],
    [['import', '--events', 'a', '--tickets', 'b'], '--events and --tickets'],
    [['import', '--events', 'a', '--key', 'b'], '--events and --key'],
    [['import', '--events', '-', '-'], 'standard input'],
    [['import', '--payments', '-', '--tickets', '-'], 'standard input'],
    [['scan', '--payments', '-', '--tickets', '-'], 'standard input'],
    [['scan', ...logs, '--key', 'a..b'], 'Key "a..b"'],
    [['import', ...logs, '--key', '.'], 'Key "."'],
    [['export'], '--out'],
    [['export', '--store', big, '--out', join(big, 'data.mdb')], '--store'],
    [['export', '--store', `${big}/`, '--out', join(big, '..', 'big', 'log.jsonl')], '--store'],
  ])('%j', async (args, told) => {
    const ran = await judged(args)
    expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(told)])
    expect(ran.stdout).toBe('')
  })

  it('a scan whose --out is one of its inputs, however it is named', async () => {
    const folder = newFolder()
    const [payments, tickets] = [join(folder, 'payments.json'), join(folder, 'tickets.json')]
    const payment = '{"transaction_id":"A","event_type":"Payment Confirmed"}\n'
    writeFileSync(payments, payment)
    writeFileSync(tickets, '')
    const [link, hard] = [join(folder, 'link'), join(folder, 'hard')]
    symlinkSync(payments, link)
    linkSync(tickets, hard)
    mkdirSync(join(folder, 'sub'))
    for (const [out, option] of [
      [payments, '--payments'],
      [link, '--payments'],
      [join(folder, 'sub', '..', 'tickets.json'), '--tickets'],
      [hard, '--tickets'],
    ] as const) {
      const ran = await judged(['scan', '--payments', payments, '--tickets', tickets, '--out', out])
      expect([ran.code, ran.stderr]).toEqual([64, expect.stringMatching(new RegExp(`--out .* and ${option} `))])
    }
    expect([readFileSync(payments, 'utf8'), readFileSync(tickets, 'utf8')]).toEqual([payment, ''])
  })
})

describe('the page on moving a log', () => {
  it('has commands that do what it says, pasted one after the other', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/moving-a-log.md'), 'utf8')
    const commands = [...page.matchAll(/^ {4}((?:makegood|gunzip) .*)$/gm)].map((match) => match[1] as string)
    const pasted = commands.filter((command) => !command.includes('esdb://'))
    expect(pasted).toHaveLength(8)
    const script = `set -e\nmakegood() { '${process.execPath}' '${MAIN}' "$@"; }\n${pasted.join('\n')}\n`
    const printed = execFileSync('bash', ['-c', script], { cwd: newFolder(), encoding: 'utf8', stdio: 'pipe' })
    const summaries = rowsOf({ code: 0, stdout: printed, stderr: '' })
    expect(summaries[3]).toMatchObject({ added: 0, present: summaries[2]?.added })
    expect(summaries.at(-1)).toMatchObject({ complete: true, gaps: 0 })
    expect(summaries.at(-1)?.added).toBeGreaterThan(1)
  })
})

// The job on a store, by the public commands: import, scan, plan, apply, verify; again appends nothing; what is wrong is refused by name.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makegood, newFolder, rowsOf, summaryOf } from './run-makegood.js'

const PAYMENTS = ['A', 'B', 'C', 'D']
  .map((id) => `{"transaction_id":"${id}","event_type":"Payment Confirmed"}\n`)
  .join('')
/** Commands that judge are told by which rules; on a store the airline's are meant otherwise. */
const BY = ['--projection', 'transactions']
const TICKETS = '{"transaction_id":"A","event_type":"Ticket Issued"}\n'

function writeLogs(folder = newFolder()) {
  const [payments, tickets] = [join(folder, 'payments.json'), join(folder, 'tickets.json')]
  writeFileSync(payments, PAYMENTS)
  writeFileSync(tickets, TICKETS)
  return { folder, logs: ['--payments', payments, '--tickets', tickets], store: ['--store', join(folder, 'store')] }
}

async function plannedStore() {
  const made = writeLogs()
  expect((await makegood(['import', ...made.logs, ...made.store])).code).toBe(0)
  const file = join(made.folder, 'plan.json')
  const planned = await makegood(['plan', ...BY, '--out', file, ...made.store])
  expect(planned.code).toBe(0)
  return { ...made, file, digest: String(summaryOf(planned).digest) }
}

describe('the job on a store', () => {
  it('imports once, finds, plans, applies once and verifies', async () => {
    const { logs, store, file, digest } = await plannedStore()
    expect(summaryOf(await makegood(['import', ...logs, ...store]))).toMatchObject({ added: 0, present: 5 })
    const applied = await makegood(['apply', file, '--approve', digest, ...store])
    expect(applied.code).toBe(0)
    expect(rowsOf(applied).filter(({ type }) => type === 'item')).toHaveLength(3)
    const again = await makegood(['apply', file, '--approve', digest, ...store])
    expect(summaryOf(again)).toMatchObject({ outcomes: { applied: 0, 'already-good': 3 }, complete: true })
    expect(summaryOf(await makegood(['verify', ...BY, ...store]))).toMatchObject({ items: 3, bad: 0 })
    expect((await makegood(['scan', ...BY, ...store])).code).toBe(0)
    const timeline = rowsOf(await makegood(['timeline', ...BY, 'B', ...store]))
    expect(timeline.map(({ stream, eventType }) => [stream, eventType])).toEqual([
      ['paymentlog-B', 'Payment Confirmed'],
      ['ticketlog-B', 'Ticket Issued'],
      [undefined, undefined],
    ])
    expect(timeline[1]?.metadata).toMatchObject({ origin: 'repair', planDigest: digest })
    expect(summaryOf(await makegood(['campaigns', ...store]))).toMatchObject({ campaigns: 1 })
  })

  it('gives the same digest for log files and for the store they were imported into', async () => {
    const { logs, store } = writeLogs()
    await makegood(['import', ...logs, ...store])
    const now = ['--now', '2026-06-01T00:00:00Z']
    const fromLogs = summaryOf(await makegood(['scan', ...BY, ...logs, ...now]))
    const fromStore = summaryOf(await makegood(['scan', ...BY, ...store, ...now]))
    const again = summaryOf(await makegood(['scan', ...BY, ...store, ...now]))
    expect(fromLogs.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(fromStore.digest).toBe(fromLogs.digest)
    expect(again.digest).toBe(fromStore.digest)
  })

  it('stops at the cut under --as-of', async () => {
    const { store, file, digest } = await plannedStore()
    const head = summaryOf(await makegood(['scan', ...BY, ...store])).cut as { commit: string; prepare: string }
    await makegood(['apply', file, '--approve', digest, ...store])
    const before = await makegood(['scan', ...BY, ...store, '--as-of', `${head.commit}/${head.prepare}`])
    expect(summaryOf(before).findings).toEqual({ 'paid-not-ticketed': 3 })
    const future = await makegood(['scan', ...BY, ...store, '--as-of', '2999-01-01T00:00:00Z'])
    expect([future.code, future.stderr]).toEqual([64, expect.stringContaining('is in the future')])
  })

  it('repairs in one command, and a second repair appends nothing', async () => {
    const { logs, store } = writeLogs()
    await makegood(['import', ...logs, ...store])
    expect((await makegood(['repair', ...BY, ...store])).code).toBe(5)
    expect((await makegood(['repair', ...BY, ...store, '--yes'])).code).toBe(0)
    const head = summaryOf(await makegood(['scan', ...BY, ...store])).cut
    expect((await makegood(['repair', ...BY, ...store, '--yes'])).code).toBe(0)
    expect(summaryOf(await makegood(['scan', ...BY, ...store])).cut).toEqual(head)
  })

  it('takes a canary and a limit, stops there with 6, and goes on', async () => {
    const { store, file, digest } = await plannedStore()
    const limited = await makegood(['apply', file, '--approve', digest, '--max', '2', '--canary', '1', ...store])
    expect(limited.code).toBe(6)
    expect(summaryOf(limited)).toMatchObject({ outcomes: { applied: 2 }, left: 1, complete: false })
    expect((await makegood(['apply', file, '--approve', digest, ...store])).code).toBe(0)
  })

  it('refuses without an approval, an edited plan, and another store', async () => {
    const { store, file, digest, folder } = await plannedStore()
    expect((await makegood(['apply', file, ...store])).code).toBe(5)
    expect((await makegood(['apply', file, '--approve', 'sha256:00', ...store])).code).toBe(5)
    const other = ['--store', join(folder, 'other')]
    await makegood([
      'import',
      '--payments',
      join(folder, 'payments.json'),
      '--tickets',
      join(folder, 'payments.json'),
      ...other,
    ])
    expect((await makegood(['apply', file, '--approve', digest, ...other])).code).toBe(4)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"ticketlog-B"', '"ticketlog-A"'))
    const edited = await makegood(['apply', file, '--approve', digest, ...store])
    expect([edited.code, edited.stderr]).toEqual([1, expect.stringContaining('was changed after it was made')])
  })

  it('finds again, in one run, what a killed import left undone', async () => {
    const { logs, store } = writeLogs()
    await makegood(['import', ...logs.slice(0, 2), '--tickets', '/dev/null', ...store])
    const rest = await makegood(['import', ...logs, ...store])
    expect(summaryOf(rest)).toMatchObject({ added: 1, present: 4 })
  })
})

describe('doctor', () => {
  it('finds a sound store sound, and a flipped bit or a cut data file not', async () => {
    const { logs, store, folder } = writeLogs()
    await makegood(['import', ...logs, ...store])
    expect(summaryOf(await makegood(['doctor', ...store]))).toMatchObject({ failed: 0 })
    const data = join(folder, 'store', 'data.mdb')
    const whole = readFileSync(data)
    const flipped = Buffer.from(whole)
    const at = flipped.indexOf('"transaction_id":"B"')
    flipped.writeUInt8(flipped.readUInt8(at + 1) ^ 1, at + 1)
    for (const bytes of [flipped, whole.subarray(0, 8192)]) {
      writeFileSync(data, bytes)
      const ran = await makegood(['doctor', ...store])
      expect(ran.code).not.toBe(0)
    }
  })
})

describe('bad input', () => {
  it.each([
    [['scna'], 64, 'scan'],
    [['scan', '--stoer', 'x'], 64, '--store'],
    [['scan', '--format', 'xml'], 64, '--format xml: expected one of table'],
    [['scan', '--payments', 'a'], 64, '--tickets is missing'],
    [['scan', '--as-of', 'yesterday', '--store', 'memory:'], 64, 'RFC 3339'],
    [['scan', '--projection', 'nope'], 64, 'no such projection'],
    [['apply', 'no-such-plan.json'], 1, 'no-such-plan.json'],
    [['scan', '--payments', 'no-such.json', '--tickets', '-'], 1, 'no-such.json'],
    [['scan', '--store', 'esdb://admin:secret@localhost:9'], 69, 'esdb://***@localhost:9'],
    [['scan', '--store', 'esdb://admin:secret@localhost:9?tls=false'], 64, 'only sent over TLS'],
    [['scan', '--store', 'esdb://admin:secret@localhost:9?nonsense=5'], 64, 'unknown option'],
  ])('%j exits with %i and names %s', async (args, code, told) => {
    const ran = await makegood(args as string[], { cwd: newFolder() })
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(told as string)])
    expect(ran.stdout).toBe('')
    expect(ran.stderr).not.toContain('secret')
  })

  it('is a rule that the projection does not have: a misspelt one would find nothing, which reads as clean', async () => {
    const { store, folder, logs } = await plannedStore()
    const [out, plan] = [join(folder, 'out.jsonl'), join(folder, 'p.json')]
    for (const asked of [
      ['scan', ...BY, ...store],
      ['scan', ...logs, '--out', out],
      ['plan', ...BY, '--out', plan, ...store],
      ['diff', ...BY, '--from', 'now', ...store],
    ]) {
      const ran = await makegood([...asked, '--rule', 'paid-not-tickted'])
      expect(ran).toMatchObject({ code: 64, stdout: '' })
      expect(ran.stderr).toContain('--rule paid-not-tickted: transactions has no such rule; it has ')
    }
    expect([existsSync(out), existsSync(plan)]).toEqual([false, false])
  })

  it('is told of where a projection finds none of its streams', async () => {
    const { store } = await plannedStore()
    const ran = await makegood(['scan', ...store])
    expect(summaryOf(ran)).toMatchObject({ projection: 'booking', coverage: { events: 0 } })
    expect(ran.stderr).toContain(
      'No events in payment or ticket streams, which booking reads; --projection names another',
    )
    expect((await makegood(['scan', ...BY, ...store])).stderr).toBe('')
  })

  it('does not make a store by reading one that is not there', async () => {
    const folder = join(newFolder(), 'nothing')
    expect((await makegood(['scan', ...BY, '--store', folder])).code).toBe(69)
    expect(existsSync(folder)).toBe(false)
  })

  it('refuses a folder of something else, and one without rights', async () => {
    const { logs, folder } = writeLogs()
    const foreign = await makegood(['import', ...logs, '--store', folder])
    expect([foreign.code, foreign.stderr]).toEqual([69, expect.stringContaining(folder)])
    if (process.getuid?.() === 0) return
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    chmodSync(closed, 0o500)
    expect((await makegood(['import', ...logs, '--store', join(closed, 'store')])).code).toBe(69)
  })

  it('leaves nothing behind where a plan cannot be written', async () => {
    const { logs, store, folder } = writeLogs()
    await makegood(['import', ...logs, ...store])
    const ran = await makegood(['plan', ...BY, '--out', join(folder, 'no', 'plan.json'), ...store])
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('no such file or folder')])
  })
})

describe('the program', () => {
  it('has help with two examples for every command', async () => {
    const help = (await makegood(['--help'])).stdout
    const commands = [...help.matchAll(/^ {2}([a-z]+) .*\[options\]/gm)].map((match) => match[1] as string)
    expect(commands.length).toBeGreaterThan(10)
    for (const command of commands) {
      const { stdout, code } = await makegood([command, '--help'])
      expect(code).toBe(0)
      expect(stdout.match(/^ {2}\$ makegood /gm)?.length, command).toBeGreaterThanOrEqual(2)
    }
  })

  it('works from a packed tarball in an empty folder: bin, types, exports', () => {
    const root = resolve(import.meta.dirname, '../..')
    const folder = newFolder()
    const run = (command: string, args: string[], cwd: string) =>
      execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    const [packed] = JSON.parse(
      run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
    ) as [{ filename: string; files: { path: string }[] }]
    const paths = packed.files.map(({ path }) => path)
    expect(paths).toContain('dist/src/index.d.ts')
    expect(paths.filter((path) => path.startsWith('test') || path.startsWith('src/'))).toEqual([])
    run('tar', ['xzf', packed.filename], folder)
    const unpacked = join(folder, 'package')
    execFileSync('ln', ['-s', join(root, 'node_modules'), join(folder, 'package', 'node_modules')])
    expect(run(process.execPath, [join(unpacked, 'dist/src/main.js'), '--version'], folder)).toMatch(
      /^\d+\.\d+\.\d+\n$/,
    )
    const script =
      "import { openStore, replay, scan, plan, apply, verify, defineProjection } from 'makegood'; import { transactions } from 'makegood/projections/transactions'; console.log([openStore, replay, scan, plan, apply, verify, defineProjection].every((f) => typeof f === 'function'), transactions.name)"
    expect(run(process.execPath, ['--input-type=module', '-e', script], unpacked)).toBe('true transactions\n')
  })
})
